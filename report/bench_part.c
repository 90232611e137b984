#include "report/bench_part.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "plots/figure.h"
#include "plots/plot.h"
#include "results/compare/comparison.h"
#include "results/compare/report.h"
#include "results/store.h"
#include "run/registry.h"

/* A run with its comparisons, for the sections. */
struct bench_part {
    struct report *report;
    const char *directory;
    struct document *document;
    struct record_set *set;
    struct comparison *comparisons[REPORT_METRICS_MAX];
    size_t count;
    struct plot_report plots;
};

/* --------------------------------------------------------------------------- what was run, where
 */

static void part_add_fact(struct table *table, const char *name, const char *value)
{
    if (value[0] != '\0') {
        table_row(table);
        table_cell(table, 0, "%s", name);
        table_cell(table, 1, "%s", value);
    }
}

static char *part_command(const json_t *plan)
{
    struct text_list words = {0};
    size_t index;
    json_t *word;
    json_array_foreach(json_at(plan, "command"), index, word)
    {
        text_list_add(&words,
                      text_format("%s", json_is_string(word) ? json_string_value(word) : "?"));
    }
    char *command = words.count > 0 ? text_join(&words, " ") : text_format("%s", "");
    text_list_free(&words);
    return command;
}

static void part_add_counts(const struct bench_part *part, struct table *table)
{
    char *cells = text_format("%zu cells in %zu groups, %zu records", part->set->cell_count,
                              part->set->group_count, part->set->record_count);
    part_add_fact(table, "size", cells);
    free(cells);
}

static void part_add_setting(const struct bench_part *part)
{
    static const char *const members[][2] = {{"made", "created"},
                                             {"matrix", "name"},
                                             {"CPU", "host.cpu"},
                                             {"cores", "host.cores"},
                                             {"memory, bytes", "host.memory_bytes"},
                                             {"kernel", "host.kernel"},
                                             {"libc", "host.libc"},
                                             {"huge pages", "host.thp"},
                                             {"governor", "host.governor"},
                                             {"heapmill", "host.heapmill"},
                                             {"commit", "host.commit"},
                                             {"microcode", "host.microcode"},
                                             {"mitigations", "host.mitigations"},
                                             {"SMT", "host.smt"},
                                             {"hypervisor", "host.hypervisor"},
                                             {"seed", "seed"},
                                             {"rounds", "rounds"}};
    const json_t *plan = part->set->plan;
    document_heading(part->document, 2, "What was run, on what");
    document_anchor(part->document, "r%zu-setting", part->report->number);
    struct table *table = document_table(part->document, "setting");
    (void)table_column(table, "what", "what", TABLE_LEFT);
    (void)table_column(table, "value", "value", TABLE_LEFT);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_t *value = json_at(plan, members[i][1]);
        char *text = json_is_number(value) || json_is_string(value) ? text_of_json(value)
                                                                    : text_format("%s", "");
        part_add_fact(table, members[i][0], text);
        free(text);
    }
    part_add_counts(part, table);
    char *command = part_command(plan);
    document_line(part->document, "The command that repeats it:");
    document_add(part->document, BLOCK_QUOTE, "%s", command);
    free(command);
}

/* ------------------------------------------------------------------------------------ figures */

/* Draws the pictures into a folder of the page. Without gnuplot the page has only tables. */
static void part_draw(struct bench_part *part)
{
    struct error error = {.message = ""};
    char *output = text_format("%s/%zu", part->report->scratch.path, part->report->number);
    const struct plot_options options = {.input = part->directory,
                                         .output = output,
                                         .command = part->report->options->command,
                                         .gnuplot = part->report->options->gnuplot,
                                         .formats = PICTURE_SVG};
    if (plot_draw(&options, &part->plots, &error) != STATUS_OK) {
        report_lacks(part->report, part->document, "%s: not all figures were drawn: %s%s",
                     report_name(part->directory), error.message,
                     error.status == STATUS_UNSUPPORTED
                         ? "; apt-get install gnuplot-nox, then the same command again"
                         : "");
    }
    free(output);
}

static void part_add_figure_links(const struct bench_part *part)
{
    for (size_t i = 0; i < part->plots.image_count; i++) {
        const struct plot_image *image = &part->plots.images[i];
        char *target = text_format("#r%zu-%s", part->report->number, image->name);
        document_link(part->document, target, "Figure: %s (%s)", image->name,
                      figure_find(image->figure)->summary);
        free(target);
    }
}

static void part_add_figures(const struct bench_part *part)
{
    document_heading(part->document, 2, "Figures");
    document_anchor(part->document, "r%zu-figures", part->report->number);
    for (size_t i = 0; i < part->plots.note_count; i++) {
        document_add(part->document, BLOCK_NOTE, "%s", part->plots.notes[i]);
    }
    for (size_t i = 0; i < part->plots.image_count; i++) {
        const struct plot_image *image = &part->plots.images[i];
        char *command = text_format("heapmill plot %s --figure %s", part->directory, image->figure);
        report_add_figure(part->report, part->plots.output, image->name,
                          figure_find(image->figure)->summary, command, part->document);
        free(command);
    }
}

/* Adds the pictures that are named for this workload. */
static void part_add_workload_figures(const struct bench_part *part, const char *workload)
{
    for (size_t i = 0; i < part->plots.image_count; i++) {
        const struct plot_image *image = &part->plots.images[i];
        size_t figure = strlen(image->figure);
        size_t length = strlen(workload);
        const char *rest = image->name + figure;
        if (*rest == '-' && strncmp(rest + 1, workload, length) == 0 &&
            (rest[1 + length] == '\0' || rest[1 + length] == '-')) {
            char *target = text_format("#r%zu-%s", part->report->number, image->name);
            document_link(part->document, target, "Figure: %s", image->name);
            free(target);
        }
    }
}

/* ----------------------------------------------------------------------------------- the tables */

static void part_add_comparisons(const struct bench_part *part)
{
    document_heading(part->document, 2, "Every comparison");
    document_anchor(part->document, "r%zu-comparisons", part->report->number);
    for (size_t i = 0; i < part->count; i++) {
        const struct comparison *comparison = part->comparisons[i];
        document_heading(part->document, 3, "%s against %s:%s", comparison->metric->name,
                         comparison->base_backend, comparison->base_arm);
        document_add(part->document, BLOCK_PARAGRAPH, "%s", comparison->metric->definition);
        comparison_report(comparison, part->document);
    }
}

/* "1.5 MiB", "12.3 ns"; "" for NAN. */
static void part_value(const struct metric *metric, double value, char text[48])
{
    text[0] = '\0';
    if (isfinite(value) && strcmp(metric->unit, "bytes") == 0) {
        (void)text_of_bytes(text, 48, value, 4);
    } else if (isfinite(value)) {
        (void)snprintf(text, 48, "%.4g %s", value, metric->unit);
    }
}

static void part_add_row(struct table *table, const struct comparison *comparison,
                         const struct comparison_cell *row, bool of_workload)
{
    char value[48];
    const struct record_cell *cell = row->cell;
    part_value(comparison->metric, row->value, value);
    table_row(table);
    table_cell(table, 0, "%s%s%s", of_workload ? cell->label : cell->workload,
               cell->params_text[0] != '\0' ? " " : "", cell->params_text);
    table_cell(table, 1, "%s", comparison->metric->name);
    table_cell(table, 2, "%s", value);
    table_ratio(table, 3, row->ratio, row->low, row->high);
    table_cell(table, 4, "%s", comparison_verdict_word(comparison, row->verdict));
}

/* Adds the rows of a workload, or of a back end. */
static void part_add_rows(const struct bench_part *part, const char *name, bool of_workload)
{
    struct table *table = document_table(part->document, "rows");
    table_caption(table, false, "%s against %s:%s", name, part->set->base_backend,
                  part->set->base_arm);
    (void)table_column(table, "cell", of_workload ? "back end" : "workload", TABLE_LEFT);
    (void)table_column(table, "metric", "metric", TABLE_LEFT);
    (void)table_column(table, "value", "value", TABLE_RIGHT);
    (void)table_column(table, "ratio", "ratio", TABLE_RIGHT);
    (void)table_column(table, "verdict", "verdict", TABLE_LEFT);
    for (size_t i = 0; i < part->count; i++) {
        const struct comparison *comparison = part->comparisons[i];
        for (size_t j = 0; j < comparison->cell_count; j++) {
            const struct comparison_cell *row = &comparison->cells[j];
            const char *other = of_workload ? row->cell->workload : row->cell->backend;
            if (strcmp(other, name) == 0 && row->verdict != COMPARISON_NOT_APPLICABLE) {
                part_add_row(table, comparison, row, of_workload);
            }
        }
    }
}

static bool part_is_new(struct text_list *seen, const char *name)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (strcmp(seen->items[i], name) == 0) {
            return false;
        }
    }
    text_list_add(seen, text_format("%s", name));
    return true;
}

static void part_add_workloads(const struct bench_part *part)
{
    struct text_list seen = {0};
    document_heading(part->document, 2, "Workloads");
    document_anchor(part->document, "r%zu-workloads", part->report->number);
    for (size_t i = 0; i < part->set->cell_count; i++) {
        const struct record_cell *cell = &part->set->cells[i];
        if (!part_is_new(&seen, cell->workload)) {
            continue;
        }
        document_heading(part->document, 3, "%s", cell->workload);
        document_anchor(part->document, "r%zu-workload-%s", part->report->number, cell->workload);
        document_line(part->document, "kind: %s; family: %s", cell->kind, cell->family);
        (void)report_describe(report_workload_descriptions, cell->workload, part->document);
        part_add_workload_figures(part, cell->workload);
        part_add_rows(part, cell->workload, true);
    }
    text_list_free(&seen);
}

static void part_describe_backend(const struct bench_part *part, const struct registry *registry,
                                  const char *name)
{
    const struct backend *backend = registry_find(registry, name);
    if (backend == NULL) {
        document_line(part->document, "This build does not know it: a library of the user's, or a "
                                      "back end of another build.");
    } else if (backend->kind == BACKEND_PEER) {
        document_line(part->document,
                      "A peer: %s of the Debian package %s, preloaded under the malloc worker. Its "
                      "fragmentation is in the figures; its design is in its own documentation.",
                      backend->library, backend->package);
    } else {
        document_line(part->document, "source: allocators/%s.c%s%s", backend->source,
                      backend->parameters[0] != '\0' ? "; parameters: " : "", backend->parameters);
        (void)report_describe(report_source_descriptions, backend->source, part->document);
    }
}

static enum status part_add_backends(const struct bench_part *part, struct error *error)
{
    struct text_list seen = {0};
    struct registry registry;
    enum status status = registry_open(&registry, error);
    if (status != STATUS_OK) {
        return status;
    }
    document_heading(part->document, 2, "Back ends");
    document_anchor(part->document, "r%zu-backends", part->report->number);
    for (size_t i = 0; i < part->set->cell_count; i++) {
        const struct record_cell *cell = &part->set->cells[i];
        if (!part_is_new(&seen, cell->backend)) {
            continue;
        }
        document_heading(part->document, 3, "%s", cell->backend);
        document_anchor(part->document, "r%zu-backend-%s", part->report->number, cell->backend);
        part_describe_backend(part, &registry, cell->backend);
        document_line(part->document, "Its heap as a picture: heapmill map -b %s -w %s",
                      cell->backend, cell->workload);
        part_add_rows(part, cell->backend, false);
    }
    registry_close(&registry);
    text_list_free(&seen);
    return STATUS_OK;
}

/* --------------------------------------------------------------------------- for the page's script
 */

static json_t *part_number(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

/* The index of a word in an array. A new word is appended. */
static size_t part_word(json_t *words, const char *word)
{
    size_t index;
    json_t *each;
    json_array_foreach(words, index, each)
    {
        if (strcmp(json_string_value(each), word) == 0) {
            return index;
        }
    }
    (void)json_array_append_new(words, json_string(word));
    return json_array_size(words) - 1;
}

/* The rows of one comparison: group, back end, ratio, low, high, verdict. */
static json_t *part_rows_json(const struct comparison *comparison, json_t *groups, json_t *labels,
                              json_t *words)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        const char *group = comparison->set->groups[row->cell->group].id;
        if (row->verdict == COMPARISON_NOT_APPLICABLE) {
            continue;
        }
        (void)json_array_append_new(
            rows, json_pack("[I I o o o I]", (json_int_t)part_word(groups, group),
                            (json_int_t)part_word(labels, row->cell->label),
                            part_number(row->ratio), part_number(row->low), part_number(row->high),
                            (json_int_t)part_word(
                                words, comparison_verdict_word(comparison, row->verdict))));
    }
    return rows;
}

static json_t *part_bases_json(const struct bench_part *part, const char *metric, json_t *groups,
                               json_t *labels, json_t *words)
{
    struct text_list seen = {0};
    json_t *bases = json_object();
    for (size_t i = 0; i < part->set->cell_count; i++) {
        const struct record_cell *cell = &part->set->cells[i];
        const struct comparison_options options = {.base_backend = cell->backend_text,
                                                   .base_arm = cell->arm,
                                                   .metric = metric,
                                                   .rows_only = true,
                                                   .seed = 1};
        struct comparison *comparison = NULL;
        struct error error;
        if (!part_is_new(&seen, cell->label)) {
            continue;
        }
        (void)part_word(labels, cell->label);
        if (comparison_build(part->set, &options, &comparison, &error) == STATUS_OK) {
            (void)json_object_set_new(bases, cell->label,
                                      part_rows_json(comparison, groups, labels, words));
        }
        comparison_free(comparison);
    }
    text_list_free(&seen);
    return bases;
}

/* Adds each comparison with each back end as its base, so that the page can switch. The verdicts
 * are made here, by the same rules as all others. */
static void part_add_tables(const struct bench_part *part)
{
    json_t *groups = json_array();
    json_t *labels = json_array();
    json_t *words = json_array();
    json_t *metrics = json_object();
    for (size_t i = 0; i < part->count; i++) {
        const char *metric = part->comparisons[i]->metric->name;
        (void)json_object_set_new(metrics, metric,
                                  part_bases_json(part, metric, groups, labels, words));
    }
    char *anchor = text_format("r%zu-comparisons", part->report->number);
    char *base = text_format("%s:%s", part->set->base_backend, part->set->base_arm);
    (void)json_object_set_new(part->report->tables, anchor,
                              json_pack("{so so so so ss}", "groups", groups, "labels", labels,
                                        "words", words, "metrics", metrics, "base", base));
    free(base);
    free(anchor);
}

/* -------------------------------------------------------------------------------------------- */

static enum status part_compare(struct bench_part *part, struct error *error)
{
    const struct metric *metrics[REPORT_METRICS_MAX];
    size_t count = report_choose_metrics(part->set, metrics);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct comparison_options options = {.metric = metrics[i]->name, .seed = 1};
        status = comparison_build(part->set, &options, &part->comparisons[i], error);
        part->count += status == STATUS_OK;
    }
    return status;
}

enum status bench_part_add(struct report *report, const char *directory, struct document *document,
                           struct error *error)
{
    struct bench_part part = {.report = report, .directory = directory, .document = document};
    enum status status = store_load(directory, &part.set, error);
    if (status == STATUS_OK) {
        status = part_compare(&part, error);
    }
    if (status == STATUS_OK) {
        document_heading(document, 1, "%s: a run of heapmill bench", report_name(directory));
        document_anchor(document, "r%zu", report->number);
        part_draw(&part);
        report_add_answer(report, part.set, part.comparisons, part.count, document);
        part_add_figure_links(&part);
        part_add_setting(&part);
        part_add_figures(&part);
        part_add_comparisons(&part);
        part_add_tables(&part);
        part_add_workloads(&part);
        status = part_add_backends(&part, error);
    }
    plot_report_free(&part.plots);
    for (size_t i = 0; i < part.count; i++) {
        comparison_free(part.comparisons[i]);
    }
    record_set_free(part.set);
    return status;
}
