/* `heapmill leaks` without a command: which detector finds which leak, on which back end, at what
 * cost. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/leaks_matrix.h"
#include "common/host/document.h"
#include "common/host/process.h"
#include "leaks/detectors.h"
#include "leaks/leaks.h"
#include "plots/leaks_figure.h"
#include "run/registry.h"

static double leaks_number(const json_t *row, const char *name)
{
    return json_number_value(json_object_get(row, name));
}

static const char *leaks_string(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text == NULL ? "" : text;
}

static void leaks_print_row(struct table *table, const json_t *row)
{
    bool applicable = json_is_true(json_object_get(row, "applicable"));
    bool planted = leaks_number(row, "planted") > 0;
    table_row(table);
    table_cell(table, 0, "%s%s", leaks_string(row, "detector"),
               json_is_true(json_object_get(row, "annotated")) ? " annotated" : "");
    table_cell(table, 1, "%s", leaks_string(row, "backend"));
    table_cell(table, 2, "%s", leaks_string(row, "kind"));
    if (planted) {
        table_cell(table, 3, applicable ? "%.0f/%.0f" : "(%.0f/%.0f)", leaks_number(row, "found"),
                   leaks_number(row, "planted"));
        table_cell(table, 4, "%.2f [%.2f, %.2f]", leaks_number(row, "recall"),
                   leaks_number(row, "low"), leaks_number(row, "high"));
    }
    if (json_is_number(json_object_get(row, "precision"))) {
        table_cell(table, 5, "%.2f [%.2f, %.2f]", leaks_number(row, "precision"),
                   leaks_number(row, "precision_low"), leaks_number(row, "precision_high"));
    }
    table_cell(table, 6, "%.0f/%.0f", leaks_number(row, "suspected"), leaks_number(row, "clean"));
    if (json_is_number(json_object_get(row, "slowdown"))) {
        table_cell(table, 7, "%.3g", leaks_number(row, "slowdown"));
    }
    if (json_is_number(json_object_get(row, "rss_ratio"))) {
        table_cell(table, 8, "%.2f", leaks_number(row, "rss_ratio"));
    }
    if (json_is_number(json_object_get(row, "first_report_s"))) {
        table_cell(table, 9, "%.3g", leaks_number(row, "first_report_s"));
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
