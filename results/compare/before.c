#include "results/compare/before.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "results/compare/comparison.h"
#include "results/store.h"

enum { BEFORE_METRICS_MAX = 4, BEFORE_ROWS_MAX = 40 };

/* Rows of several metrics, to be sorted by how much they moved. */
struct before_row {
    const struct comparison *comparison;
    const struct comparison_cell *cell;
};

static bool before_moved(const struct comparison_cell *row)
{
    return row->verdict == COMPARISON_MORE || row->verdict == COMPARISON_LESS ||
           row->verdict == COMPARISON_FAILED;
}

/* Failed ones first, then the worst, down to the best. */
static double before_rank(const struct comparison_cell *row)
{
    return row->verdict == COMPARISON_FAILED ? (double)INFINITY : row->ratio;
}

static int before_compare_rows(const void *left, const void *right)
{
    double a = before_rank(((const struct before_row *)left)->cell);
    double b = before_rank(((const struct before_row *)right)->cell);
    return (a < b) - (a > b);
}

static void before_count(const struct comparison *comparison, struct before_tally *tally)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        enum comparison_verdict verdict = comparison->cells[i].verdict;
        tally->worse += verdict == COMPARISON_MORE;
        tally->better += verdict == COMPARISON_LESS;
        tally->unjudged += verdict == COMPARISON_FAILED || verdict == COMPARISON_TOO_FEW;
    }
    tally->cells += comparison->cell_count;
}

static void before_add_sentence(struct document *document, const struct comparison *comparison)
{
    struct before_tally tally = {0};
    before_count(comparison, &tally);
    document_line(document, "%s: %zu cells, %zu %s, %zu %s%s", comparison->metric->name,
                  tally.cells, tally.worse, comparison->metric->more, tally.better,
                  comparison->metric->less, comparison->metric->deterministic ? " (counted)" : "");
    if (tally.unjudged > 0) {
        document_line(document, "%zu of them failed or have too few rounds for a verdict",
                      tally.unjudged);
    }
}

static void before_add_row(struct table *table, const struct before_row *row)
{
    const struct comparison *comparison = row->comparison;
    const struct comparison_cell *cell = row->cell;
    const char *params = cell->cell->params_text;
    table_row(table);
    table_cell(table, 0, "%s", comparison->metric->name);
    table_cell(table, 1, "%s%s%s", cell->cell->workload, params[0] != '\0' ? " " : "", params);
    if (cell->cell->threads > 1) {
        table_cell(table, 1, "%s%s%s threads=%u", cell->cell->workload,
                   params[0] != '\0' ? " " : "", params, cell->cell->threads);
    }
    table_cell(table, 2, "%s", cell->cell->label);
    table_quantity(table, 3, cell->base_value, comparison->metric->unit);
    table_quantity(table, 4, cell->value, comparison->metric->unit);
    if (comparison->metric->deterministic) {
        table_number(table, 5, "%.6f", cell->ratio);
    } else {
        table_ratio(table, 5, cell->ratio, cell->low, cell->high);
    }
    table_cell(table, 6, "%s", comparison_verdict_word(comparison, cell->verdict));
    table_style(table, 6, cell->verdict == COMPARISON_LESS ? CELL_GOOD : CELL_BAD);
}

/* The rows that moved, of all comparisons. */
static void before_add_table(struct document *document, struct comparison *const *comparisons,
                             size_t count)
{
    static const char *const titles[] = {"metric", "workload", "back end", "before",
                                         "now",    "ratio",    "verdict"};
    size_t moved = 0;
    struct before_row *rows = NULL;
    for (size_t c = 0; c < count; c++) {
        rows = text_grow(rows, moved + comparisons[c]->cell_count + 1, sizeof(*rows));
        for (size_t i = 0; i < comparisons[c]->cell_count; i++) {
            if (before_moved(&comparisons[c]->cells[i])) {
                rows[moved++] = (struct before_row){comparisons[c], &comparisons[c]->cells[i]};
            }
        }
    }
    if (moved > 0) {
        qsort(rows, moved, sizeof(*rows), before_compare_rows);
        document_gap(document);
        struct table *table = document_table(document, "moved");
        for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
            bool right = i >= 3 && i <= 5;
            (void)table_column(table, titles[i], titles[i], right ? TABLE_RIGHT : TABLE_LEFT);
        }
        /* Where there are too many, the middle is left out: what moved least. */
        size_t skipped = moved > BEFORE_ROWS_MAX ? moved - BEFORE_ROWS_MAX : 0;
        for (size_t i = 0; i < moved; i++) {
            if (skipped == 0 || i < BEFORE_ROWS_MAX / 2 || i >= BEFORE_ROWS_MAX / 2 + skipped) {
                before_add_row(table, &rows[i]);
            }
        }
        if (skipped > 0) {
            document_line(document, "%zu rows that moved less are left out: heapmill compare %s",
                          skipped, comparisons[0]->set->directory);
        }
    }
    free(rows);
}

/* Has the run an ok record of the metric's pass? */
static bool before_is_measured(const struct record_set *set, const struct metric *metric)
{
    for (size_t i = 0; i < set->record_count; i++) {
        if (set->records[i].pass == metric->pass) {
            return true;
        }
    }
    return false;
}

static void before_write(const struct record_set *set, struct comparison *const *comparisons,
                         size_t count, struct document *document, struct before_tally *tally)
{
    const char *commit = json_text_at(set->plan, "against.commit", "");
    *tally = (struct before_tally){0};
    for (size_t i = 0; i < count; i++) {
        before_count(comparisons[i], tally);
    }
    document_heading(
        document, 2, "heapmill: %zu worse, %zu better of %zu figures, against %s%s%.12s%s",
        tally->worse, tally->better, tally->cells, json_text_at(set->plan, "against.name", ""),
        commit[0] != '\0' ? " (" : "", commit, commit[0] != '\0' ? ")" : "");
    for (size_t i = 0; i < count; i++) {
        before_add_sentence(document, comparisons[i]);
    }
    before_add_table(document, comparisons, count);
}

enum status before_report(const struct record_set *set, struct document *document,
                          struct before_tally *tally, struct error *error)
{
    static const char *const standard[BEFORE_METRICS_MAX] = {"instructions", "time", "held_peak",
                                                             "latency_p99"};
    struct comparison *comparisons[BEFORE_METRICS_MAX] = {NULL};
    struct comparison_options options = {.before = true, .seed = 1};
    enum status status = STATUS_OK;
    size_t count = 0;
    for (size_t i = 0; i < BEFORE_METRICS_MAX && status == STATUS_OK; i++) {
        options.metric = standard[i];
        if (before_is_measured(set, metric_find(standard[i]))) {
            status = comparison_build(set, &options, &comparisons[count], error);
            count += status == STATUS_OK;
        }
    }
    if (status == STATUS_OK && count == 0) {
        status =
            error_set(error, STATUS_NOT_FOUND, "%s has no records to compare yet", set->directory);
    }
    if (status == STATUS_OK) {
        before_write(set, comparisons, count, document, tally);
    }
    for (size_t i = 0; i < count; i++) {
        comparison_free(comparisons[i]);
    }
    return status;
}

enum status before_show(const char *directory, FILE *file, struct before_tally *tally,
                        struct error *error)
{
    struct record_set *set = NULL;
    struct document *document = document_new();
    enum status status = store_load(directory, &set, error);
    if (status == STATUS_OK) {
        status = before_report(set, document, tally, error);
    }
    if (status == STATUS_OK && file != NULL) {
        document_print_markdown(document, file);
    }
    document_free(document);
    record_set_free(set);
    return status;
}
