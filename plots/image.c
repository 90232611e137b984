#include "plots/image.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"

enum { TITLE_HEIGHT = 26, FOOT_LINE_HEIGHT = 14, TIMEOUT_S = 120 };

/* Wraps the text; each paragraph begins a new line. */
static void wrap_paragraphs(struct text_list *lines, const char *text, size_t width)
{
    struct text_list paragraphs = {0};
    text_split(&paragraphs, text, '\n');
    for (size_t i = 0; i < paragraphs.count; i++) {
        text_wrap(lines, paragraphs.items[i], width);
    }
    text_list_free(&paragraphs);
}

static void write_canvas(const struct image *image, const struct image_frame *frame, int width,
                         size_t head_lines, size_t foot_lines)
{
    FILE *script = image->script;
    int head = TITLE_HEIGHT + (int)head_lines * IMAGE_LINE_HEIGHT + IMAGE_MARGIN;
    int foot = (int)foot_lines * FOOT_LINE_HEIGHT + IMAGE_MARGIN;
    fputs("\n# The canvas and the drawing's box in it, in pixels from the top left.\n", script);
    script_number(script, "width", width);
    script_number(script, "height", frame->inner_height + head + foot);
    script_number(script, "box_left", IMAGE_MARGIN);
    script_number(script, "box_top", head);
    script_number(script, "box_width", width - 2 * IMAGE_MARGIN);
    script_number(script, "box_height", frame->inner_height);
}

static void write_script_head(const struct image *image, const struct image_frame *frame)
{
    FILE *script = image->script;
    int width = frame->inner_width + 2 * IMAGE_MARGIN;
    width = width < IMAGE_WIDTH_MIN ? IMAGE_WIDTH_MIN : width;
    size_t foot_width = (size_t)((width - 2 * IMAGE_MARGIN) * 2 / 11); /* 5.5 pixels each */
    struct text_list head = {0};
    struct text_list foot = {0};
    text_wrap(&head, frame->head, (size_t)((width - 2 * IMAGE_MARGIN) / IMAGE_CHARACTER_WIDTH));
    wrap_paragraphs(&foot, frame->foot, foot_width);
    if (image->options->command) {
        char *made =
            text_format("Made by: %s (heapmill %s)", image->options->command, HEAPMILL_VERSION);
        text_wrap(&foot, made, foot_width);
        free(made);
    }
    fprintf(script,
            "# %s: the figure \"%s\" of heapmill %s. `gnuplot %s.gp` draws it again from %s.tsv;\n"
            "# restyle freely, nothing has to be measured for that.\n",
            image->name, image->figure->name, HEAPMILL_VERSION, image->name, image->name);
    fputs("if (!exists(\"target\")) ", script);
    script_string(script, "target", image->name);
    fputs("if (!exists(\"formats\")) formats = 'svg png'\n", script);
    char *data = text_format("%s.tsv", image->name);
    script_string(script, "data", data);
    free(data);
    write_canvas(image, frame, width, head.count, foot.count);
    script_string(script, "title_text", frame->title);
    script_strings(script, "head_line", (const char *const *)head.items, head.count);
    script_strings(script, "foot_line", (const char *const *)foot.items, foot.count);
    text_list_free(&head);
    text_list_free(&foot);
}

/* Closes the files, removes the temporary ones, and releases the image. */
static void image_abandon(struct image *image)
{
    if (image->table) {
        fclose(image->table);
    }
    if (image->script) {
        fclose(image->script);
    }
    unlink(image->table_path);
    unlink(image->script_path);
    free(image->name);
    free(image->table_path);
    free(image->script_path);
    *image = (struct image){0};
}

enum status image_begin(struct image *image, const struct figure *figure,
                        const struct image_options *options, const struct image_frame *frame,
                        struct error *error)
{
    *image = (struct image){.figure = figure, .options = options};
    enum status status = file_make_directory(options->output, error);
    if (status != STATUS_OK) {
        return status;
    }
    long process = (long)getpid();
    image->name = text_format("%s", frame->name);
    image->table_path = text_format("%s/.%s-%ld.tmp.tsv", options->output, frame->name, process);
    image->script_path = text_format("%s/.%s-%ld.tmp.gp", options->output, frame->name, process);
    image->table = fopen(image->table_path, "w");
    image->script = fopen(image->script_path, "w");
    if (!image->table || !image->script) {
        status = error_set(error, STATUS_IO, "cannot write into %s: %s", options->output,
                           strerror(errno));
        image_abandon(image);
        return status;
    }
    fprintf(image->table, "# Data of the figure %s, tab-separated; made by heapmill %s.\n",
            figure->name, HEAPMILL_VERSION);
    fputs("# title: ", image->table);
    script_comment_text(image->table, frame->title);
    fputc('\n', image->table);
    if (options->command) {
        fputs("# made by: ", image->table);
        script_comment_text(image->table, options->command);
        fputc('\n', image->table);
    }
    fputs(frame->columns, image->table);
    write_script_head(image, frame);
    return STATUS_OK;
}

/* Closes the file, and gives it its name if everything was written. */
static enum status publish(const struct image *image, FILE **file, const char *path,
                           const char *suffix, struct error *error)
{
    bool good = !ferror(*file);
    good = fclose(*file) == 0 && good;
    *file = NULL;
    char *final = text_format("%s/%s.%s", image->options->output, image->name, suffix);
    enum status status = STATUS_OK;
    if (!good || rename(path, final) != 0) {
        status = error_set(error, STATUS_IO, "cannot write %s: %s", final, strerror(errno));
    }
    free(final);
    return status;
}

enum status image_finish(struct image *image, struct error *error)
{
    const struct image_options *options = image->options;
    fprintf(image->script, "\n%s\n%s", script_preamble, image->figure->script);
    /* Pictures of an earlier run would belong to other data. */
    gnuplot_remove_pictures(options->output, image->name);
    enum status status = publish(image, &image->table, image->table_path, "tsv", error);
    if (status == STATUS_OK) {
        status = publish(image, &image->script, image->script_path, "gp", error);
    }
    if (status == STATUS_OK) {
        const struct gnuplot_job job = {
            .program = options->gnuplot ? options->gnuplot : "gnuplot",
            .directory = options->output,
            .name = image->name,
            .formats = options->formats,
            .timeout_s = options->timeout_s > 0 ? options->timeout_s : TIMEOUT_S,
        };
        status = gnuplot_run(&job, error);
    }
    image_abandon(image);
    return status;
}

void image_tell(const struct image_options *options, const char *name, enum status drawn)
{
    const char *directory = options->output;
    if (drawn == STATUS_OK || drawn == STATUS_UNSUPPORTED) {
        (void)printf("%s/%s.tsv\n%s/%s.gp\n", directory, name, directory, name);
    }
    if (drawn == STATUS_OK && (options->formats & PICTURE_SVG) != 0) {
        (void)printf("%s/%s.svg\n", directory, name);
    }
    if (drawn == STATUS_OK && (options->formats & PICTURE_PNG) != 0) {
        (void)printf("%s/%s.png\n", directory, name);
    }
}

static const char *plan_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "?";
}

/* The run's command line; words with blanks are quoted. */
static char *run_command(const struct plot *plot)
{
    char *text = text_format("%s", "");
    size_t index;
    json_t *word;
    json_array_foreach(json_object_get(plot->set->plan, "command"), index, word)
    {
        const char *value = json_string_value(word) ? json_string_value(word) : "?";
        const char *quote = value[strcspn(value, " '\"!*?{}$")] ? "'" : "";
        char *longer = text_format("%s%s%s%s%s", text, index ? " " : "", quote, value, quote);
        free(text);
        text = longer;
    }
    return text;
}

static char *host_line(const struct plot *plot)
{
    const json_t *host = json_object_get(plot->set->plan, "host");
    return text_format(
        "Host %s: %s, %lld cores, kernel %s, huge pages %s, libc %s. heapmill %s, run of %s.",
        plan_text(host, "hostname"), plan_text(host, "cpu"),
        (long long)json_integer_value(json_object_get(host, "cores")), plan_text(host, "kernel"),
        plan_text(host, "thp"), plan_text(host, "libc"), plan_text(host, "heapmill"),
        plan_text(plot->set->plan, "created"));
}

/* "inline, preload": the arms in the picture. */
static char *arms_text(const struct plot *plot)
{
    char *text = text_format("%s", "");
    for (size_t i = 0; i < plot->row_count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i; j++) {
            seen = seen || strcmp(plot->rows[j].arm, plot->rows[i].arm) == 0;
        }
        if (!seen) {
            char *longer = text_format("%s%s%s", text, *text ? ", " : "", plot->rows[i].arm);
            free(text);
            text = longer;
        }
    }
    return text;
}

static char *filter_line(const struct comparison *comparison)
{
    bool backends = comparison->backends && *comparison->backends;
    bool workloads = comparison->workloads && *comparison->workloads;
    if (!backends && !workloads) {
        return text_format("No filter: everything that was measured is shown.");
    }
    return text_format("Filtered:%s%s%s%s.", backends ? " back ends " : "",
                       backends ? comparison->backends : "", workloads ? " workloads " : "",
                       workloads ? comparison->workloads : "");
}

static char *noise_line(const struct comparison *comparison)
{
    if (isnan(comparison->noise_floor)) {
        return text_format("Noise floor unknown (too few A/A rounds of this metric): no verdicts.");
    }
    return text_format("Noise floor ±%.2g%% (median; %u A/A pairs).", comparison->noise_floor * 100,
                       comparison->noise_floor_pairs);
}

static char *basis_line(const struct plot *plot, const struct comparison *comparison)
{
    char *arms = arms_text(plot);
    char *noise = noise_line(comparison);
    char *filter = filter_line(comparison);
    char *rounds = comparison->rounds_min == comparison->rounds_max
                       ? text_format("%u", comparison->rounds_max)
                       : text_format("%u to %u", comparison->rounds_min, comparison->rounds_max);
    char *line = text_format("Base %s:%s. Arms: %s%s. Paired rounds: %s. %s %s",
                             comparison->base_backend, comparison->base_arm, arms,
                             comparison->several_arms ? " (mixed: each row names its own)" : "",
                             rounds, noise, filter);
    free(arms);
    free(noise);
    free(filter);
    free(rounds);
    return line;
}

/* The small print below the drawing, one paragraph a line. The caller frees. */
static char *foot_text(const struct plot *plot, const struct plot_frame *frame)
{
    struct text_list lines = {0};
    char *command = run_command(plot);
    text_list_add(&lines, text_format("%s", frame->remark));
    text_list_add(&lines, basis_line(plot, frame->comparison));
    if (*plot->left_out) {
        text_list_add(
            &lines, text_format("Not in the picture, as no workload applies: %s.", plot->left_out));
    }
    for (size_t i = 0; i < plot->set->note_count; i++) {
        text_list_add(&lines, text_format("%s", plot->set->notes[i]));
    }
    text_list_add(&lines, host_line(plot));
    text_list_add(&lines, text_format("Measured by: %s", command));
    char *foot = text_join(&lines, "\n");
    text_list_free(&lines);
    free(command);
    return foot;
}

static void write_comment(FILE *file, const char *name, const char *text)
{
    fprintf(file, "# %s: ", name);
    script_comment_text(file, text);
    fputc('\n', file);
}

/* The head of the table, which says what it shows. The caller frees. */
static char *table_head(const struct plot *plot, const struct plot_frame *frame)
{
    const struct comparison *comparison = frame->comparison;
    char *measured = run_command(plot);
    char *host = host_line(plot);
    char *arms = arms_text(plot);
    char *text = NULL;
    size_t size = 0;
    FILE *head = open_memstream(&text, &size);
    if (!head) {
        fatal("out of memory while drawing");
    }
    write_comment(head, "measured by", measured);
    write_comment(head, "drawn by", plot->options->command ? plot->options->command : "?");
    write_comment(head, "host", host);
    fprintf(head, "# metric: %s (%s)\n", comparison->metric->name,
            *comparison->metric->unit ? comparison->metric->unit : "ratio");
    write_comment(head, "base", comparison->base_backend);
    write_comment(head, "base arm", comparison->base_arm);
    write_comment(head, "arms", arms);
    write_comment(head, "filter of back ends",
                  comparison->backends && *comparison->backends ? comparison->backends : "none");
    write_comment(head, "filter of workloads",
                  comparison->workloads && *comparison->workloads ? comparison->workloads : "none");
    fputs("# noise floor (a ratio distance): ", head);
    tsv_number(head, comparison->noise_floor);
    fprintf(head, "\n%s", frame->columns);
    fclose(head);
    free(measured);
    free(host);
    free(arms);
    return text;
}

static void write_rows(const struct plot *plot, FILE *script)
{
    struct script_row *rows = text_zeroed(plot->row_count, sizeof *rows);
    for (size_t i = 0; i < plot->row_count; i++) {
        rows[i] = (struct script_row){plot->rows[i].label, plot->rows[i].arm_look->dash,
                                      plot->rows[i].look.color, plot->rows[i].look.marker};
    }
    fputs("\n# The rows: a colour and marker for each back end, a dash for each arm.\n", script);
    script_rows(script, rows, plot->row_count);
    free(rows);
}

enum status plot_image_begin(struct image *image, const struct plot *plot,
                             const struct figure *figure, const struct plot_frame *frame,
                             struct error *error)
{
    char *foot = foot_text(plot, frame);
    char *head = table_head(plot, frame);
    const struct image_frame around = {
        .name = frame->name,
        .title = frame->title,
        .head = frame->better,
        .foot = foot,
        .columns = head,
        .inner_width = frame->inner_width,
        .inner_height = frame->inner_height,
    };
    enum status status = image_begin(image, figure, &plot->image_options, &around, error);
    free(foot);
    free(head);
    if (status == STATUS_OK) {
        script_number(image->script, "noise_floor", frame->comparison->noise_floor);
        write_rows(plot, image->script);
        fputs("\n# The figure's own.\n", image->script);
    }
    return status;
}

enum status plot_image_finish(struct image *image, const struct plot *plot, struct error *error)
{
    struct plot_report *report = plot->report;
    struct error why = {.message = ""};
    char *name = text_format("%s", image->name);
    char *figure = text_format("%s", image->figure->name);
    enum status status = image_finish(image, &why);
    report->images = text_grow(report->images, report->image_count + 1, sizeof *report->images);
    report->images[report->image_count++] = (struct plot_image){
        .figure = figure,
        .name = name,
        .status = status,
        .message = text_format("%s", why.message),
    };
    if (status != STATUS_OK && error) {
        *error = why;
    }
    return status;
}
