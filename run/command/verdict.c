#include "run/command/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "common/host/text.h"
#include "results/stats/statistics.h"
#include "results/store.h"
#include "run/command/command_run.h"

enum { VERDICT_TIME, VERDICT_CPU, VERDICT_MEMORY, VERDICT_IDLE, VERDICT_OTHERS };
enum { VERDICT_FURTHER_MAX = 3 }; /* winners that are named after the best */

/* Rows from VERDICT_CPU on become columns only if the run measured them. */
static const struct verdict_metric {
    const char *name;
    const char *title;
} verdict_metrics[VERDICT_METRICS] = {
    {"time", "time"},         {"cpu", "user+sys"},    {"memory_peak", "memory"},
    {"memory_idle", "idle"},  {"request_p99", "p99"}, {"faults", "faults"},
    {"switches", "switches"},
};

static const struct comparison_cell *verdict_row(const struct verdict *verdict, size_t metric,
                                                 const struct record_cell *cell)
{
    const struct comparison *comparison = verdict->comparisons[metric];
    for (size_t i = 0; comparison != NULL && i < comparison->cell_count; i++) {
        if (comparison->cells[i].cell == cell) {
            return &comparison->cells[i];
        }
    }
    return NULL;
}

/* ---------------------------------------------------------------- the sentence */
static int verdict_by_ratio(const void *a, const void *b)
{
    const struct comparison_cell *const *left = a;
    const struct comparison_cell *const *right = b;
    return (*left)->ratio < (*right)->ratio ? -1 : (*left)->ratio > (*right)->ratio;
}

/* "9% less memory"; "" if there is no clear difference. The caller frees. */
static char *verdict_memory_words(const struct verdict *verdict, const struct record_cell *cell)
{
    const struct comparison_cell *row = verdict_row(verdict, VERDICT_MEMORY, cell);
    if (row == NULL || row->verdict > COMPARISON_NO_DIFFERENCE) {
        return text_format("%s", "");
    }
    return row->verdict == COMPARISON_NO_DIFFERENCE
               ? text_format(", the same memory")
               : text_format(", %.0f%% %s memory", fabs(row->ratio - 1) * 100,
                             row->ratio < 1 ? "less" : "more");
}

static char *verdict_times(const struct comparison_cell *row)
{
    return text_format("%.2f [%.2f, %.2f] times faster", 1 / row->ratio, 1 / row->high,
                       1 / row->low);
}

/* Is this winner no slower than the best, in a direct comparison? */
static bool verdict_is_alike(const struct verdict *verdict, const struct comparison_cell *best,
                             const struct comparison_cell *other)
{
    const struct comparison_options options = {.base_backend = best->cell->backend_text,
                                               .base_arm = best->cell->arm};
    struct comparison *comparison = NULL;
    struct error error;
    bool alike = false;
    if (comparison_build(verdict->set, &options, &comparison, &error) == STATUS_OK) {
        for (size_t i = 0; i < comparison->cell_count; i++) {
            alike = alike || (comparison->cells[i].cell == other->cell &&
                              comparison->cells[i].verdict == COMPARISON_NO_DIFFERENCE);
        }
    }
    comparison_free(comparison);
    return alike;
}

static void verdict_name_winners(struct verdict *verdict, const struct comparison_cell **winners,
                                 size_t count)
{
    struct text_list parts = {0};
    for (size_t i = 0; i < count && i <= VERDICT_FURTHER_MAX; i++) {
        char *times = verdict_times(winners[i]);
        char *memory = verdict_memory_words(verdict, winners[i]->cell);
        bool alike = i > 0 && verdict_is_alike(verdict, winners[0], winners[i]);
        text_list_add(&parts, text_format("%s: %s%s%s", winners[i]->cell->backend_text, times,
                                          memory, alike ? " (no slower than the first)" : ""));
        free(times);
        free(memory);
    }
    verdict->best = winners[0]->cell->backend_text;
    text_list_add(&parts, count > VERDICT_FURTHER_MAX + 1
                              ? text_format("%zu more are faster than what you have",
                                            count - VERDICT_FURTHER_MAX - 1)
                              : text_format("nothing else beats what you have"));
    verdict->sentence = text_join(&parts, "; ");
    text_list_free(&parts);
}

/* Nothing is faster than the base: names those that need less memory without being slower. */
static void verdict_name_savers(struct verdict *verdict)
{
    const struct comparison *memory = verdict->comparisons[VERDICT_MEMORY];
    const struct comparison_cell *best = NULL;
    for (size_t i = 0; memory != NULL && i < memory->cell_count; i++) {
        const struct comparison_cell *row = &memory->cells[i];
        const struct comparison_cell *time = verdict_row(verdict, VERDICT_TIME, row->cell);
        if (row->verdict == COMPARISON_LESS && time != NULL &&
            time->verdict == COMPARISON_NO_DIFFERENCE &&
            (best == NULL || row->ratio < best->ratio)) {
            best = row;
        }
    }
    verdict->best = best != NULL ? best->cell->backend_text : NULL;
    verdict->sentence =
        best == NULL
            ? text_format("nothing beats what you have")
            : text_format("nothing is faster than what you have; %s needs %.0f%% [%.0f, %.0f] less "
                          "memory in the same time",
                          best->cell->backend_text, (1 - best->ratio) * 100, (1 - best->high) * 100,
                          (1 - best->low) * 100);
}

static bool verdict_base_failed(const struct verdict *verdict)
{
    const struct record_set *set = verdict->set;
    bool failed = false;
    for (size_t i = 0; i < set->record_count; i++) {
        const struct record *record = &set->records[i];
        failed = failed || (record->status != RECORD_OK &&
                            strcmp(set->cells[record->cell].backend_text, set->base_backend) == 0);
    }
    return failed;
}

static enum status verdict_conclude(struct verdict *verdict, struct error *error)
{
    const struct comparison *time = verdict->comparisons[VERDICT_TIME];
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the array is one of pointers
    const struct comparison_cell **winners = calloc(time->cell_count + 1, sizeof(*winners));
    size_t count = 0;
    size_t judged = 0;
    if (winners == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu rows", time->cell_count);
    }
    for (size_t i = 0; i < time->cell_count; i++) {
        const struct comparison_cell *row = &time->cells[i];
        judged += row->verdict <= COMPARISON_NO_DIFFERENCE;
        verdict->failed += row->verdict == COMPARISON_FAILED;
        if (row->verdict == COMPARISON_LESS) {
            winners[count++] = row;
        }
    }
    // NOLINTNEXTLINE(bugprone-sizeof-expression)
    qsort(winners, count, sizeof(*winners), verdict_by_ratio);
    if (count > 0) {
        verdict_name_winners(verdict, winners, count);
    } else if (judged > 0) {
        verdict_name_savers(verdict);
    } else if (verdict_base_failed(verdict)) {
        verdict->sentence =
            text_format("the command's own runs differ from each other, so nothing can be "
                        "compared: if that is intended, use --ignore-output or --check");
    } else if (verdict->failed == time->cell_count) {
        verdict->sentence = text_format("the command works under none of these allocators");
    } else {
        verdict->sentence =
            text_format("there is no verdict, since that needs six rounds; these are only figures");
    }
    free(winners);
    return STATUS_OK;
}

enum status verdict_read(const char *directory, struct verdict *verdict, struct error *error)
{
    *verdict = (struct verdict){.set = NULL};
    enum status status = store_load(directory, &verdict->set, error);
    for (size_t i = 0; i < VERDICT_METRICS && status == STATUS_OK; i++) {
        const struct metric *metric = metric_find(verdict_metrics[i].name);
        const struct comparison_options options = {.metric = metric->name};
        if (i == VERDICT_TIME || metric_is_measured(metric, verdict->set)) {
            status = comparison_build(verdict->set, &options, &verdict->comparisons[i], error);
        }
    }
    return status == STATUS_OK ? verdict_conclude(verdict, error) : status;
}

void verdict_free(struct verdict *verdict)
{
    for (size_t i = 0; i < VERDICT_METRICS; i++) {
        comparison_free(verdict->comparisons[i]);
    }
    record_set_free(verdict->set);
    free(verdict->sentence);
    *verdict = (struct verdict){.set = NULL};
}

/* ---------------------------------------------------------------- the base and its twin */
/* The figures of a cell by round, NAN for a round without one; the caller frees. */
static double *verdict_series(const struct verdict *verdict, size_t cell, uint32_t rounds)
{
    const struct record_set *set = verdict->set;
    double *values = text_grow(NULL, rounds + 1, sizeof(*values));
    for (uint32_t i = 0; i < rounds; i++) {
        values[i] = (double)NAN;
    }
    for (size_t i = 0; i < set->record_count; i++) {
        const struct record *record = &set->records[i];
        if (record->cell == cell && record->round < rounds && !record->left_out) {
            values[record->round] = metric_of_record(metric_find("time"), set, record, false);
        }
    }
    return values;
}

/* The interval of an A/A twin over the base. false: too few rounds have both. */
static bool verdict_twin(const struct verdict *verdict, uint32_t number, struct interval *interval)
{
    const struct record_set *set = verdict->set;
    size_t base = set->cell_count;
    size_t twin = set->cell_count;
    uint32_t rounds = 0;
    for (size_t i = 0; i < set->cell_count; i++) {
        bool of_base = strcmp(set->cells[i].backend_text, set->base_backend) == 0;
        base = of_base && set->cells[i].twin == 0 ? i : base;
        twin = of_base && set->cells[i].twin == number ? i : twin;
    }
    for (size_t i = 0; i < set->record_count; i++) {
        rounds = set->records[i].round >= rounds ? set->records[i].round + 1 : rounds;
    }
    if (base == set->cell_count || twin == set->cell_count) {
        return false;
    }
    double *values = verdict_series(verdict, twin, rounds);
    double *base_values = verdict_series(verdict, base, rounds);
    size_t count = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        double ratio = log(values[i] / base_values[i]);
        if (!isnan(ratio)) {
            values[count++] = ratio;
        }
    }
    struct error error;
    bool known = count >= STATISTICS_ROUNDS_MIN &&
                 statistics_median_interval(values, count, interval, &error) == STATUS_OK;
    free(values);
    free(base_values);
    return known;
}

/* ---------------------------------------------------------------- the table */
enum { COLUMN_NAME, COLUMN_TIME, COLUMN_VERDICT, COLUMN_FIRST };

static void verdict_add_columns(const struct verdict *verdict, struct table *table)
{
    (void)table_column(table, "backend", "allocator", TABLE_LEFT);
    (void)table_column(table, "time", "time", TABLE_RIGHT);
    (void)table_column(table, "verdict", "", TABLE_LEFT);
    for (size_t i = VERDICT_CPU; i < VERDICT_METRICS; i++) {
        if (verdict->comparisons[i] != NULL) {
            (void)table_column(table, verdict_metrics[i].name, verdict_metrics[i].title,
                               TABLE_RIGHT);
        }
    }
}

/* Times of programs are shown in seconds, not in nanoseconds of an operation. */
static void verdict_add_figure(struct table *table, size_t column, double figure, const char *unit)
{
    if (strcmp(unit, "ns") != 0 || isnan(figure) || figure < 1e5) {
        table_quantity(table, column, figure, unit);
    } else {
        table_cell(table, column, figure < 1e9 ? "%.1f ms" : "%.3f s",
                   figure / (figure < 1e9 ? 1e6 : 1e9));
    }
}

static void verdict_add_base(const struct verdict *verdict, struct table *table)
{
    const struct record_set *set = verdict->set;
    size_t column = COLUMN_FIRST;
    size_t base = 0;
    while (base < set->cell_count &&
           (set->cells[base].twin != 0 ||
            strcmp(set->cells[base].backend_text, set->base_backend) != 0)) {
        base++;
    }
    table_row(table);
    table_cell(table, COLUMN_NAME, "%s", set->base_backend);
    table_cell(table, COLUMN_VERDICT, "what you have");
    for (size_t i = 0; i < VERDICT_METRICS && base < set->cell_count; i++) {
        if (verdict->comparisons[i] != NULL) {
            const struct metric *metric = verdict->comparisons[i]->metric;
            verdict_add_figure(table, i == VERDICT_TIME ? COLUMN_TIME : column,
                               metric_median_of_cell(metric, set, base), metric->unit);
            column += i != VERDICT_TIME;
        }
    }
}

static void verdict_add_twin(const struct verdict *verdict, struct table *table)
{
    struct interval interval;
    if (!verdict_twin(verdict, 2, &interval)) {
        return;
    }
    bool apart = verdict->comparisons[VERDICT_TIME]->aa_false > 0;
    table_row(table);
    table_cell(table, COLUMN_NAME, "%s again (A/A)", verdict->set->base_backend);
    table_ratio(table, COLUMN_TIME, exp(interval.point), exp(interval.low), exp(interval.high));
    table_cell(table, COLUMN_VERDICT, apart ? "told apart from itself" : "no difference");
    table_style(table, COLUMN_VERDICT, apart ? CELL_BAD : CELL_PLAIN);
}

static void verdict_add_row(const struct verdict *verdict, const struct comparison_cell *row,
                            struct table *table)
{
    const struct comparison *time = verdict->comparisons[VERDICT_TIME];
    size_t column = COLUMN_FIRST;
    table_row(table);
    table_cell(table, COLUMN_NAME, "%s", row->cell->backend_text);
    table_ratio(table, COLUMN_TIME, row->ratio, row->low, row->high);
    table_cell(table, COLUMN_VERDICT, "%s", comparison_verdict_word(time, row->verdict));
    table_style(table, COLUMN_VERDICT,
                row->verdict == COMPARISON_LESS ? CELL_GOOD
                : row->verdict == COMPARISON_MORE || row->verdict == COMPARISON_FAILED
                    ? CELL_BAD
                    : CELL_PLAIN);
    for (size_t i = VERDICT_CPU; i < VERDICT_METRICS; i++) {
        const struct comparison_cell *other = verdict_row(verdict, i, row->cell);
        if (other != NULL) {
            table_number(table, column, "%.3f", other->ratio);
            table_style(table, column,
                        other->verdict == COMPARISON_LESS   ? CELL_GOOD
                        : other->verdict == COMPARISON_MORE ? CELL_BAD
                                                            : CELL_PLAIN);
        }
        column += verdict->comparisons[i] != NULL;
    }
}

/* ---------------------------------------------------------------- what is said beside the table */
/* The failed cells, each with the reason of its first failed record: [{backend, status,
 * reason}…]. */
static json_t *verdict_failures(const struct verdict *verdict)
{
    const struct record_set *set = verdict->set;
    json_t *failures = json_array();
    for (size_t cell = 0; cell < set->cell_count; cell++) {
        size_t i = 0;
        while (i < set->record_count &&
               (set->records[i].cell != cell || set->records[i].status == RECORD_OK)) {
            i++;
        }
        json_t *record = NULL;
        struct error error;
        bool told = set->cells[cell].twin != 0; /* the base's twin, which has a row of its own */
        if (!told && i < set->record_count &&
            record_set_read(set, i, &record, &error) == STATUS_OK) {
            (void)json_array_append_new(
                failures, json_pack("{ss ss ss}", "backend", set->cells[cell].backend_text,
                                    "status", json_text_at(record, "status", ""), "reason",
                                    json_text_at(record, "reason", "")));
        }
        json_decref(record);
    }
    return failures;
}

static void verdict_add_remarks(const struct verdict *verdict, struct document *document)
{
    const json_t *spec = json_object_get(verdict->set->plan, "try");
    json_t *failures = verdict_failures(verdict);
    const char *source = json_text_at(spec, "memory_source", "");
    size_t index;
    json_t *item;
    json_array_foreach(failures, index, item)
    {
        document_add(document, BLOCK_WARNING, "%s: %s: %s", json_text_at(item, "backend", ""),
                     json_text_at(item, "status", ""), json_text_at(item, "reason", ""));
    }
    json_decref(failures);
    if (json_bool_at(spec, "python", false)) {
        document_add(document, BLOCK_NOTE,
                     "this is Python: the base uses pymalloc over malloc; the other rows have "
                     "PYTHONMALLOC=malloc, so that each object comes from the allocator");
    }
    if (json_object_get(spec, "screened") != NULL) {
        document_add(document, BLOCK_NOTE,
                     "%d allocators and settings were screened in three rounds; these did best, "
                     "and were measured again",
                     (int)json_number_at(spec, "screened", 0));
    }
    json_array_foreach(json_object_get(spec, "notes"), index, item)
    {
        document_add(document, BLOCK_NOTE, "%s", json_string_value(item));
    }
    document_add(document, BLOCK_NOTE, "memory: %s",
                 strcmp(source, "cgroup") == 0
                     ? "the peak of the command's own control group (cgroup v2 memory.peak)"
                 : strcmp(source, "rss") == 0
                     ? "one process: the kernel's peak of its resident set"
                     : "the peak of the whole tree's proportional share (PSS), sampled");
}

struct document *verdict_document(const struct verdict *verdict)
{
    const struct comparison *time = verdict->comparisons[VERDICT_TIME];
    struct document *document = document_new();
    char *words = command_words(json_at(verdict->set->plan, "try.argv"));
    document_heading(document, 1, "%s", words);
    free(words);
    document_line(document, "%s: %u rounds; ratios to the command as it is, below 1 is less",
                  verdict->set->directory, time->rounds_max);
    if (!isnan(time->noise_floor)) {
        document_line(document, "noise floor of time: ±%.2f%%", time->noise_floor * 100);
    }
    document_gap(document);
    struct table *table = document_table(document, "allocators");
    verdict_add_columns(verdict, table);
    verdict_add_base(verdict, table);
    verdict_add_twin(verdict, table);
    for (size_t i = 0; i < time->cell_count; i++) {
        verdict_add_row(verdict, &time->cells[i], table);
    }
    verdict_add_remarks(verdict, document);
    document_add(document, BLOCK_PARAGRAPH, "%s", verdict->sentence);
    return document;
}

json_t *verdict_to_json(const struct verdict *verdict)
{
    struct comparison *measured[VERDICT_METRICS];
    size_t count = 0;
    for (size_t i = 0; i < VERDICT_METRICS; i++) {
        if (verdict->comparisons[i] != NULL) {
            measured[count++] = verdict->comparisons[i];
        }
    }
    const json_t *spec = json_object_get(verdict->set->plan, "try");
    json_t *json = json_pack("{ss ss so* sO sO so}", "directory", verdict->set->directory,
                             "verdict", verdict->sentence, "best",
                             verdict->best != NULL ? json_string(verdict->best) : json_null(),
                             "argv", json_object_get(spec, "argv"), "notes",
                             json_object_get(spec, "notes"), "failures", verdict_failures(verdict));
    (void)json_object_set_new(json, "comparison", comparison_to_json(measured, count));
    struct interval twin;
    if (verdict_twin(verdict, 2, &twin)) {
        (void)json_object_set_new(json, "again",
                                  json_pack("{sf sf sf sb}", "ratio", exp(twin.point), "low",
                                            exp(twin.low), "high", exp(twin.high), "told_apart",
                                            verdict->comparisons[VERDICT_TIME]->aa_false > 0));
    }
    return json;
}
