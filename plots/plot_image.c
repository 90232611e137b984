#include "plots/plot_image.h"

#include "common/host/text.h"
#include "plots/script_writer.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* The small print below the drawing, a paragraph a line. The caller frees. */
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

/* The table's head: what it is of. The caller frees. */
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
    write_comment(head, "title", frame->title);
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
