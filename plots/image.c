#include "plots/image.h"

#include "common/host/text.h"
#include "plots/script_writer.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Lines of small print around the drawing, and where they come from. */
struct frame_text {
    struct text_list head; /* below the title */
    struct text_list foot;
};

enum { TITLE_HEIGHT = 26, FOOT_LINE_HEIGHT = 14 };

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

/* "inline, preload": the arms that are in the picture. */
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

static void wrap_foot(struct frame_text *text, const char *line, size_t width)
{
    text_wrap(&text->foot, line, width);
}

static struct frame_text frame_text_make(const struct plot *plot, const struct image_frame *frame,
                                         int width)
{
    struct frame_text text = {0};
    size_t head_width = (size_t)((width - 2 * IMAGE_MARGIN) / IMAGE_CHARACTER_WIDTH);
    size_t foot_width = (size_t)((width - 2 * IMAGE_MARGIN) * 2 / 11); /* 5.5 pixels each */
    text_wrap(&text.head, frame->better, head_width);
    wrap_foot(&text, frame->remark, foot_width);
    char *basis = basis_line(plot, frame->comparison);
    char *host = host_line(plot);
    char *command = run_command(plot);
    char *made = text_format("Measured by: %s", command);
    wrap_foot(&text, basis, foot_width);
    if (*plot->left_out) {
        char *line = text_format("Not in the picture, as no workload applies: %s.", plot->left_out);
        wrap_foot(&text, line, foot_width);
        free(line);
    }
    for (size_t i = 0; i < plot->set->note_count; i++) {
        wrap_foot(&text, plot->set->notes[i], foot_width);
    }
    wrap_foot(&text, host, foot_width);
    wrap_foot(&text, made, foot_width);
    free(basis);
    free(host);
    free(command);
    free(made);
    return text;
}

static void frame_text_free(struct frame_text *text)
{
    text_list_free(&text->head);
    text_list_free(&text->foot);
}

static void write_comment(FILE *file, const char *name, const char *text)
{
    fprintf(file, "# %s: ", name);
    script_comment_text(file, text);
    fputc('\n', file);
}

static void write_table_head(struct image *image, const struct image_frame *frame)
{
    const struct comparison *comparison = frame->comparison;
    char *measured = run_command(image->plot);
    char *host = host_line(image->plot);
    fprintf(image->table, "# Data of the figure %s, tab-separated; made by heapmill %s.\n",
            image->figure->name, HEAPMILL_VERSION);
    write_comment(image->table, "title", frame->title);
    write_comment(image->table, "measured by", measured);
    write_comment(image->table, "drawn by",
                  image->plot->options->command ? image->plot->options->command : "?");
    write_comment(image->table, "host", host);
    fprintf(image->table, "# metric: %s (%s)\n", comparison->metric->name,
            *comparison->metric->unit ? comparison->metric->unit : "ratio");
    write_comment(image->table, "base", comparison->base_backend);
    write_comment(image->table, "base arm", comparison->base_arm);
    char *arms = arms_text(image->plot);
    write_comment(image->table, "arms", arms);
    write_comment(image->table, "filter of back ends",
                  comparison->backends && *comparison->backends ? comparison->backends : "none");
    write_comment(image->table, "filter of workloads",
                  comparison->workloads && *comparison->workloads ? comparison->workloads : "none");
    fputs("# noise floor (a ratio distance): ", image->table);
    tsv_number(image->table, comparison->noise_floor);
    fputc('\n', image->table);
    fprintf(image->table, "%s", frame->columns);
    free(measured);
    free(host);
    free(arms);
}

static void write_looks(struct image *image)
{
    const struct plot *plot = image->plot;
    size_t count = plot->row_count;
    const char **labels = text_zeroed(count, sizeof *labels);
    const char **dashes = text_zeroed(count, sizeof *dashes);
    uint32_t *colors = text_zeroed(count, sizeof *colors);
    double *markers = text_zeroed(count, sizeof *markers);
    for (size_t i = 0; i < count; i++) {
        labels[i] = plot->rows[i].label;
        dashes[i] = plot->rows[i].arm_look->dash;
        colors[i] = plot->rows[i].look.color;
        markers[i] = plot->rows[i].look.marker;
    }
    fputs("\n# The rows: a colour and marker for each back end, a dash for each arm.\n",
          image->script);
    script_strings(image->script, "row_label", labels, count);
    script_colors(image->script, "row_color", colors, count);
    script_numbers(image->script, "row_marker", markers, count);
    script_strings(image->script, "row_dash", dashes, count);
    free(labels);
    free(dashes);
    free(colors);
    free(markers);
}

static void write_script_head(struct image *image, const struct image_frame *frame)
{
    FILE *script = image->script;
    int width = frame->inner_width + 2 * IMAGE_MARGIN;
    width = width < IMAGE_WIDTH_MIN ? IMAGE_WIDTH_MIN : width;
    struct frame_text text = frame_text_make(image->plot, frame, width);
    int head = TITLE_HEIGHT + (int)text.head.count * IMAGE_LINE_HEIGHT + IMAGE_MARGIN;
    int foot = (int)text.foot.count * FOOT_LINE_HEIGHT + IMAGE_MARGIN;
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
    fputs("\n# The canvas and the drawing's box in it, in pixels from the top left.\n", script);
    script_number(script, "width", width);
    script_number(script, "height", frame->inner_height + head + foot);
    script_number(script, "box_left", IMAGE_MARGIN);
    script_number(script, "box_top", head);
    script_number(script, "box_width", width - 2 * IMAGE_MARGIN);
    script_number(script, "box_height", frame->inner_height);
    script_string(script, "title_text", frame->title);
    script_strings(script, "head_line", (const char *const *)text.head.items, text.head.count);
    script_strings(script, "foot_line", (const char *const *)text.foot.items, text.foot.count);
    script_number(script, "noise_floor", frame->comparison->noise_floor);
    frame_text_free(&text);
    write_looks(image);
    fputs("\n# The figure's own.\n", script);
}

enum status image_begin(struct image *image, const struct plot *plot, const struct figure *figure,
                        const char *name, const struct image_frame *frame, struct error *error)
{
    *image = (struct image){.plot = plot, .figure = figure};
    image->name = text_format("%s", name);
    image->table_path = text_format("%s/.%s-%ld.tmp.tsv", plot->output, name, (long)getpid());
    image->script_path = text_format("%s/.%s-%ld.tmp.gp", plot->output, name, (long)getpid());
    image->table = fopen(image->table_path, "w");
    image->script = fopen(image->script_path, "w");
    if (!image->table || !image->script) {
        enum status status =
            error_set(error, STATUS_IO, "cannot write into %s: %s", plot->output, strerror(errno));
        image_abandon(image);
        return status;
    }
    write_table_head(image, frame);
    write_script_head(image, frame);
    return STATUS_OK;
}

static void image_release(struct image *image)
{
    free(image->name);
    free(image->table_path);
    free(image->script_path);
    *image = (struct image){0};
}

void image_abandon(struct image *image)
{
    if (image->table) {
        fclose(image->table);
    }
    if (image->script) {
        fclose(image->script);
    }
    unlink(image->table_path);
    unlink(image->script_path);
    image_release(image);
}

/* Closes the file, and gives it its name if everything was written. */
static enum status publish(const struct image *image, FILE **file, const char *path,
                           const char *suffix, struct error *error)
{
    bool good = !ferror(*file);
    good = fclose(*file) == 0 && good;
    *file = NULL;
    char *final = text_format("%s/%s.%s", image->plot->output, image->name, suffix);
    enum status status = STATUS_OK;
    if (!good || rename(path, final) != 0) {
        status = error_set(error, STATUS_IO, "cannot write %s: %s", final, strerror(errno));
    }
    free(final);
    return status;
}

static const char *figure_script(const struct figure *figure)
{
    for (const struct figure_entry *entry = figure_table; entry->figure; entry++) {
        if (entry->figure == figure) {
            return entry->script;
        }
    }
    return "";
}

static void report_add(const struct image *image, enum status status, const char *message)
{
    struct plot_report *report = image->plot->report;
    struct plot_image *images =
        reallocarray(report->images, report->image_count + 1, sizeof *images);
    if (!images) {
        fatal("out of memory while drawing");
    }
    report->images = images;
    images[report->image_count++] = (struct plot_image){
        .figure = text_format("%s", image->figure->name),
        .name = text_format("%s", image->name),
        .status = status,
        .message = text_format("%s", message),
    };
}

enum status image_finish(struct image *image, struct error *error)
{
    fprintf(image->script, "\n%s\n%s", figure_preamble, figure_script(image->figure));
    /* Pictures of an earlier run would belong to other data. */
    gnuplot_remove_pictures(image->plot->output, image->name);
    enum status status = publish(image, &image->table, image->table_path, "tsv", error);
    if (status == STATUS_OK) {
        status = publish(image, &image->script, image->script_path, "gp", error);
    }
    if (status != STATUS_OK) {
        image_abandon(image);
        return status;
    }
    const struct plot_options *options = image->plot->options;
    struct gnuplot_job job = {
        .program = options->gnuplot ? options->gnuplot : "gnuplot",
        .directory = image->plot->output,
        .name = image->name,
        .formats = options->formats,
        .timeout_s = options->timeout_s > 0 ? options->timeout_s : 60,
    };
    struct error why = {.message = ""};
    status = gnuplot_run(&job, &why);
    report_add(image, status, why.message);
    if (status != STATUS_OK && error) {
        *error = why;
    }
    image_release(image);
    return status;
}
