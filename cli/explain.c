#include "cli/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "common/host/text.h"
#include "results/stats/statistics.h"

/* The last lines of a failed worker's stderr, and the number of failures, that are printed. */
enum { EXPLAIN_STDERR_LINES = 12, EXPLAIN_FAILURES = 5 };

enum status explain_open(struct explain *explain, const struct record_set *set, size_t cell,
                         struct error *error)
{
    enum status status = STATUS_OK;
    struct error ignored;
    const struct comparison_options options = {.seed = 1};
    *explain = (struct explain){.set = set, .cell = &set->cells[cell]};
    for (size_t i = 0; i < set->record_count && status == STATUS_OK; i++) {
        if (set->records[i].cell == cell) {
            size_t next = explain->count;
            explain->records = text_grow(explain->records, next + 1, sizeof(struct record *));
            explain->json = text_grow(explain->json, next + 1, sizeof(json_t *));
            explain->records[next] = &set->records[i];
            status = record_set_read(set, i, &explain->json[next], error);
            explain->count += status == STATUS_OK;
        }
    }
    /* Everything else can be explained without a base. */
    if (comparison_build(set, &options, &explain->comparison, &ignored) != STATUS_OK) {
        explain->comparison = NULL;
    }
    for (size_t i = 0; explain->comparison != NULL && i < explain->comparison->cell_count; i++) {
        if (explain->comparison->cells[i].cell == explain->cell) {
            explain->row = &explain->comparison->cells[i];
        }
    }
    return status;
}

void explain_close(struct explain *explain)
{
    for (size_t i = 0; i < explain->count; i++) {
        json_decref(explain->json[i]);
    }
    free(explain->records);
    free(explain->json);
    comparison_free(explain->comparison);
}

const json_t *explain_first(const struct explain *explain, enum record_pass pass)
{
    for (size_t i = 0; i < explain->count; i++) {
        if (explain->records[i]->pass == pass && explain->records[i]->status == RECORD_OK) {
            return explain->json[i];
        }
    }
    return NULL;
}

struct explain_figures explain_gather(const struct explain *explain, enum record_pass pass,
                                      const char *member)
{
    struct explain_figures figures = {text_grow(NULL, explain->count + 1, sizeof(double)), 0};
    for (size_t i = 0; i < explain->count; i++) {
        const struct record *record = explain->records[i];
        double value = metric_number(explain->json[i], member);
        if (record->pass == pass && record->status == RECORD_OK && !record->left_out &&
            !isnan(value)) {
            figures.values[figures.count++] = value;
        }
    }
    statistics_sort(figures.values, figures.count);
    return figures;
}

struct explain_figures explain_metric(const struct explain *explain, const struct metric *metric)
{
    struct explain_figures figures = {text_grow(NULL, explain->count + 1, sizeof(double)), 0};
    for (size_t i = 0; i < explain->count; i++) {
        double value = metric_of_record(metric, explain->set, explain->records[i], false);
        if (!explain->records[i]->left_out && !isnan(value)) {
            figures.values[figures.count++] = value;
        }
    }
    statistics_sort(figures.values, figures.count);
    return figures;
}

static void explain_add_heading(const struct explain *explain, struct document *document)
{
    const struct record_cell *cell = explain->cell;
    document_heading(document, 1, "%s", cell->id);
    document_line(document, "workload %s (%s, family %s)%s%s, %u thread%s; back end %s, arm %s",
                  cell->workload, cell->kind, cell->family,
                  cell->params_text[0] != '\0' ? " with " : "", cell->params_text, cell->threads,
                  cell->threads == 1 ? "" : "s", cell->backend_text, cell->arm);
    if (explain->count == 0) {
        document_line(document, "no record yet: the run has not come to this cell");
    }
}

/* Adds the last lines of the text. */
static void explain_add_stderr(const char *text, struct document *document)
{
    struct text_list lines = {0};
    text_split(&lines, text, '\n');
    size_t count = lines.count;
    while (count > 0 && lines.items[count - 1][0] == '\0') {
        count--;
    }
    size_t first = count > EXPLAIN_STDERR_LINES ? count - EXPLAIN_STDERR_LINES : 0;
    const struct text_list last = {lines.items + first, count - first};
    if (last.count > 0) {
        char *quote = text_join(&last, "\n");
        document_add(document, BLOCK_QUOTE, "%s", quote);
        free(quote);
    }
    text_list_free(&lines);
}

/* Adds the records that failed and those that were not applicable. */
static void explain_add_failures(const struct explain *explain, struct document *document)
{
    size_t wrong = 0;
    for (size_t i = 0; i < explain->count; i++) {
        wrong += explain->records[i]->status != RECORD_OK;
    }
    if (wrong == 0) {
        return;
    }
    document_heading(document, 2, "Not ok: %zu of %zu records", wrong, explain->count);
    size_t told = 0;
    for (size_t i = 0; i < explain->count && told < EXPLAIN_FAILURES; i++) {
        const struct record *record = explain->records[i];
        if (record->status == RECORD_OK) {
            continue;
        }
        document_line(document, "%s in round %u of the %s pass: %s",
                      record_status_word(record->status), record->round,
                      record_pass_word(record->pass), json_text_at(explain->json[i], "reason", ""));
        explain_add_stderr(json_text_at(explain->json[i], "stderr", ""), document);
        told++;
    }
    if (wrong > told) {
        document_line(document, "… and %zu more", wrong - told);
    }
}

/* Adds every metric that the cell has, read as compare reads it. */
static void explain_add_metrics(const struct explain *explain, struct document *document)
{
    struct table *table = NULL;
    for (const struct metric *metric = metric_table; metric->name != NULL; metric++) {
        struct explain_figures figures = explain_metric(explain, metric);
        if (figures.count > 0 && table == NULL) {
            document_heading(document, 2, "Metrics, medians over the rounds");
            table = document_table(document, "metrics");
            (void)table_column(table, "name", "metric", TABLE_LEFT);
            (void)table_column(table, "value", "median", TABLE_RIGHT);
            (void)table_column(table, "least", "least", TABLE_RIGHT);
            (void)table_column(table, "most", "most", TABLE_RIGHT);
            (void)table_column(table, "summary", "what it is", TABLE_LEFT);
        }
        if (figures.count > 0) {
            table_row(table);
            table_cell(table, 0, "%s", metric->name);
            table_quantity(table, 1, statistics_quantile(figures.values, figures.count, 0.5),
                           metric->unit);
            table_quantity(table, 2, figures.values[0], metric->unit);
            table_quantity(table, 3, figures.values[figures.count - 1], metric->unit);
            table_cell(table, 4, "%s", metric->summary);
        }
        free(figures.values);
    }
}

void explain_add(const struct explain *explain, struct document *document)
{
    explain_add_heading(explain, document);
    explain_add_failures(explain, document);
    explain_add_time(explain, document);
    explain_add_instructions(explain, document);
    explain_add_latency(explain, document);
    explain_add_machine(explain, document);
    explain_add_calls(explain, document);
    explain_add_memory(explain, document);
    explain_add_collections(explain, document);
    explain_add_collector(explain, document);
    explain_add_metrics(explain, document);
}
