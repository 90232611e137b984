/* `heapmill leaks` without a command: which detector finds which leak, on which back end, at what
 * cost. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/leaks_matrix.h"
#include "common/host/document.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "leaks/detectors.h"
#include "leaks/leaks.h"
#include "plots/leaks_figure.h"
#include "run/registry.h"

static void leaks_print_row(struct table *table, const json_t *row)
{
    bool applicable = json_is_true(json_object_get(row, "applicable"));
    bool planted = json_number_at(row, "planted", 0) > 0;
    table_row(table);
    table_cell(table, 0, "%s%s", json_text_at(row, "detector", ""),
               json_is_true(json_object_get(row, "annotated")) ? " annotated" : "");
    table_cell(table, 1, "%s", json_text_at(row, "backend", ""));
    table_cell(table, 2, "%s", json_text_at(row, "kind", ""));
    if (planted) {
        table_cell(table, 3, applicable ? "%.0f/%.0f" : "(%.0f/%.0f)",
                   json_number_at(row, "found", 0), json_number_at(row, "planted", 0));
        table_cell(table, 4, "%.2f [%.2f, %.2f]", json_number_at(row, "recall", 0),
                   json_number_at(row, "low", 0), json_number_at(row, "high", 0));
    }
    if (json_is_number(json_object_get(row, "precision"))) {
        table_cell(table, 5, "%.2f [%.2f, %.2f]", json_number_at(row, "precision", 0),
                   json_number_at(row, "precision_low", 0),
                   json_number_at(row, "precision_high", 0));
    }
    table_cell(table, 6, "%.0f/%.0f", json_number_at(row, "suspected", 0),
               json_number_at(row, "clean", 0));
    if (json_is_number(json_object_get(row, "slowdown"))) {
        table_cell(table, 7, "%.3g", json_number_at(row, "slowdown", 0));
    }
    if (json_is_number(json_object_get(row, "rss_ratio"))) {
        table_cell(table, 8, "%.2f", json_number_at(row, "rss_ratio", 0));
    }
    if (json_is_number(json_object_get(row, "first_report_s"))) {
        table_cell(table, 9, "%.3g", json_number_at(row, "first_report_s", 0));
    }
}

static void leaks_print(const json_t *score)
{
    static const char *const titles[] = {"detector", "back end",  "kind",      "found",
                                         "recall",   "precision", "suspected", "slowdown",
                                         "peak RSS", "report (s)"};
    enum { COLUMNS = sizeof(titles) / sizeof(titles[0]) };
    struct document *document = document_new();
    struct table *table = document_table(document, "detectors");
    table_columns(table, titles, COLUMNS, 3);
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(score, "rows"), index, row)
    {
        leaks_print_row(table, row);
    }
    document_show(document);
}

static int leaks_finish(const struct leaks_options *options, enum status status,
                        const json_t *records, uint64_t skipped, const struct error *error)
{
    if (status != STATUS_OK) {
        (void)fprintf(stderr, "heapmill leaks: %s\n",
                      status == STATUS_INTERRUPTED ? "stopped; the same command goes on from here"
                                                   : error->message);
        return status == STATUS_INTERRUPTED ? EXIT_INTERRUPTED
               : status == STATUS_INVALID   ? EXIT_USAGE
                                            : EXIT_ENVIRONMENT;
    }
    json_t *score = leaks_score(records);
    if (options->json) {
        (void)json_dumpf(score, stdout, JSON_INDENT(1));
        (void)putchar('\n');
    } else {
        leaks_print(score);
    }
    size_t faults = leaks_faults(score);
    struct error drawn = {.message = ""};
    if (options->plot != NULL &&
        leaks_figure_draw(score, options->plot, "heapmill leaks --plot", &drawn) != STATUS_OK) {
        (void)fprintf(stderr, "heapmill leaks: %s\n", drawn.message);
        json_decref(score);
        return EXIT_ENVIRONMENT;
    }
    json_decref(score);
    return faults > 0 && options->detectors.count == 0 ? EXIT_FINDING
           : skipped > 0                               ? EXIT_PARTIAL
                                                       : EXIT_CLEAN;
}
int leaks_matrix(struct leaks_options *options)
{
    struct error error = {.message = ""};
    json_t *records = NULL;
    uint64_t skipped = 0;
    struct registry registry;
    process_prepare_signals();
    enum status status = registry_open(&registry, &error);
    options->programs = registry.program_directory;
    if (status == STATUS_OK) {
        status = leaks_run(options, &records, &skipped, &error);
    }
    int result = leaks_finish(options, status, records, skipped, &error);
    json_decref(records);
    registry_close(&registry);
    return result;
}
