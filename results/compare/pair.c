/* Pairs the records of two cells by round, and takes the figures of the pairs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/compare/parts.h"
#include "results/stats/statistics.h"

/* One cell's records in the comparison's pass. */
struct timeline {
    const struct record_set *set;
    const uint32_t *order;
    size_t count;
};

static int timelines_compare(const void *left, const void *right, void *context)
{
    const struct record_set *set = context;
    const struct record *a = &set->records[*(const uint32_t *)left];
    const struct record *b = &set->records[*(const uint32_t *)right];
    if (a->cell != b->cell) {
        return a->cell < b->cell ? -1 : 1;
    }
    return (a->round > b->round) - (a->round < b->round);
}

/* Rounds follow each other in the file, except where a hand moved lines. */
static void timelines_sort(const struct record_set *set, struct timelines *timelines, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (timelines_compare(&timelines->order[i - 1], &timelines->order[i],
                              (void *)(uintptr_t)set) > 0) {
            qsort_r(timelines->order, count, sizeof(*timelines->order), timelines_compare,
                    (void *)(uintptr_t)set);
            return;
        }
    }
}

enum status timelines_build(const struct record_set *set, enum record_pass pass,
                            struct timelines *timelines, struct error *error)
{
    timelines->starts = calloc(set->cell_count + 2, sizeof(*timelines->starts));
    timelines->order = calloc(set->record_count + 1, sizeof(*timelines->order));
    if (timelines->starts == NULL || timelines->order == NULL) {
        timelines_free(timelines);
        return error_set(error, STATUS_NO_MEMORY, "no memory to order %zu records",
                         set->record_count);
    }
    /* A counting sort. starts[c + 2] counts, then starts[c + 1] moves from where cell c begins to
     * where it ends, which is where the next begins. */
    size_t *starts = timelines->starts;
    for (size_t i = 0; i < set->record_count; i++) {
        if (set->records[i].pass == pass) {
            starts[set->records[i].cell + 2u]++;
        }
    }
    for (size_t cell = 2; cell < set->cell_count + 2; cell++) {
        starts[cell] += starts[cell - 1];
    }
    for (size_t i = 0; i < set->record_count; i++) {
        if (set->records[i].pass == pass) {
            timelines->order[starts[set->records[i].cell + 1u]++] = (uint32_t)i;
        }
    }
    timelines_sort(set, timelines, starts[set->cell_count]);
    return STATUS_OK;
}

void timelines_free(struct timelines *timelines)
{
    free(timelines->starts);
    free(timelines->order);
    *timelines = (struct timelines){0};
}

static struct timeline timeline_of(const struct record_set *set, const struct timelines *timelines,
                                   size_t cell)
{
    size_t start = timelines->starts[cell];
    return (struct timeline){set, &timelines->order[start], timelines->starts[cell + 1] - start};
}

static const struct record *timeline_at(const struct timeline *timeline, size_t index)
{
    return &timeline->set->records[timeline->order[index]];
}

static uint32_t timeline_failures(const struct timeline *timeline)
{
    uint32_t failures = 0;
    for (size_t i = 0; i < timeline->count; i++) {
        failures += record_status_is_failure(timeline_at(timeline, i)->status);
    }
    return failures;
}

static bool timeline_is_not_applicable(const struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++) {
        if (timeline_at(timeline, i)->status == RECORD_NOT_APPLICABLE) {
            return true;
        }
    }
    return false;
}

/* Does each record that says where its memory figures are from have the back end's own? */
static bool timeline_has_stats(const struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++) {
        if (timeline_at(timeline, i)->held_source == HELD_SMAPS) {
            return false;
        }
    }
    return true;
}

/* NAN if the record has no such figure, or it is left out. */
static double metric_value(const struct metric *metric, const struct record_set *set,
                           const struct record *record, bool stats)
{
    return record->left_out ? (double)NAN : metric_of_record(metric, set, record, !stats);
}

/* Walks both timelines in step and keeps the rounds that both have a figure above 0 for. */
static enum status pair_samples(const struct metric *metric, const struct timeline *cell,
                                const struct timeline *base, bool stats,
                                struct comparison_cell *row, struct error *error)
{
    size_t most = cell->count < base->count ? cell->count : base->count;
    row->samples = calloc(most + 1, sizeof(*row->samples));
    if (row->samples == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu pairs", most);
    }
    for (size_t i = 0, j = 0; i < cell->count && j < base->count;) {
        const struct record *record = timeline_at(cell, i);
        const struct record *other = timeline_at(base, j);
        if (record->round != other->round) {
            i += record->round < other->round;
            j += record->round > other->round;
            continue;
        }
        double value = metric_value(metric, cell->set, record, stats);
        double base_value = metric_value(metric, base->set, other, stats);
        if (value > 0 && base_value > 0) {
            row->samples[row->rounds++] =
                (struct comparison_sample){record->round, value, base_value};
        }
        if (base_value <= 0) { /* not if it is NAN */
            row->base_is_zero = true;
            row->value = value;
            row->base_value = 0;
        }
        i++;
        j++;
    }
    row->base_is_zero = row->base_is_zero && row->rounds == 0;
    return STATUS_OK;
}

/* The medians, the ratio and its interval. */
static enum status pair_figures(struct comparison_cell *row, struct error *error)
{
    size_t count = row->rounds;
    double *values = calloc(3 * count, sizeof(*values));
    if (values == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu pairs", count);
    }
    double *base_values = values + count;
    double *logarithms = base_values + count;
    for (size_t i = 0; i < count; i++) {
        values[i] = row->samples[i].value;
        base_values[i] = row->samples[i].base_value;
        logarithms[i] = log(values[i] / base_values[i]);
    }
    struct interval interval;
    enum status status = statistics_middle(logarithms, count, &interval, error);
    if (status == STATUS_OK) {
        row->value = statistics_median(values, count);
        row->base_value = statistics_median(base_values, count);
        row->ratio = exp(interval.point);
        row->low = exp(interval.low);
        row->high = exp(interval.high);
    }
    free(values);
    return status;
}

struct comparison_cell comparison_empty_row(const struct record_cell *cell)
{
    struct comparison_cell row = {.cell = cell, .source = ""};
    row.ratio = row.low = row.high = row.value = row.base_value = row.p = (double)NAN;
    row.noise_floor = (double)NAN;
    row.verdict = COMPARISON_NOT_APPLICABLE;
    return row;
}

const char *comparison_source(const struct metric *metric, bool stats)
{
    if (metric->where_smaps == NULL) {
        return "";
    }
    return stats ? "stats" : "smaps";
}

void comparison_cell_survey(const struct record_set *set, const struct timelines *timelines,
                            size_t cell, struct cell_figures *figures)
{
    struct timeline timeline = timeline_of(set, timelines, cell);
    *figures = (struct cell_figures){.count = timeline.count,
                                     .failed = timeline_failures(&timeline),
                                     .not_applicable = timeline_is_not_applicable(&timeline),
                                     .has_stats = timeline_has_stats(&timeline)};
}

enum status comparison_cell_values(const struct metric *metric, const struct record_set *set,
                                   const struct timelines *timelines, size_t cell, bool stats,
                                   struct cell_figures *figures, struct error *error)
{
    struct timeline timeline = timeline_of(set, timelines, cell);
    figures->values = calloc(timeline.count + 1, sizeof(*figures->values));
    if (figures->values == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu records", timeline.count);
    }
    figures->count = 0;
    for (size_t i = 0; i < timeline.count; i++) {
        double value = metric_value(metric, set, timeline_at(&timeline, i), stats);
        if (value > 0) {
            figures->values[figures->count++] = value;
        }
        figures->zeros += value <= 0; /* not if it is NAN */
    }
    return STATUS_OK;
}

/* Of a metric without noise: from the least to the greatest ratio of any two records. */
static void pair_extremes(struct comparison_cell *row)
{
    double least = HUGE_VAL;
    double most = 0;
    double base_least = HUGE_VAL;
    double base_most = 0;
    for (uint32_t i = 0; i < row->rounds; i++) {
        least = fmin(least, row->samples[i].value);
        most = fmax(most, row->samples[i].value);
        base_least = fmin(base_least, row->samples[i].base_value);
        base_most = fmax(base_most, row->samples[i].base_value);
    }
    row->low = least / base_most;
    row->high = most / base_least;
    row->verdict = COMPARISON_NO_DIFFERENCE;
}

enum status comparison_pair(const struct metric *metric, const struct record_set *set,
                            const struct timelines *timelines, size_t cell, size_t base,
                            struct comparison_cell *row, struct error *error)
{
    *row = comparison_empty_row(&set->cells[cell]);
    struct timeline own = timeline_of(set, timelines, cell);
    struct timeline other = {.set = set};
    if (base < set->cell_count) {
        row->base = &set->cells[base];
        other = timeline_of(set, timelines, base);
    }
    row->failed = timeline_failures(&own) + timeline_failures(&other);
    if (row->failed > 0) {
        row->verdict = COMPARISON_FAILED;
        return STATUS_OK;
    }
    if (row->base == NULL || timeline_is_not_applicable(&own) ||
        timeline_is_not_applicable(&other)) {
        return STATUS_OK;
    }
    if (own.count == 0 || other.count == 0) {
        row->verdict = COMPARISON_TOO_FEW;
        return STATUS_OK;
    }
    bool stats = timeline_has_stats(&own) && timeline_has_stats(&other);
    row->source = comparison_source(metric, stats);
    enum status status = pair_samples(metric, &own, &other, stats, row, error);
    if (status != STATUS_OK || row->rounds == 0) {
        return status;
    }
    row->verdict =
        row->rounds < STATISTICS_ROUNDS_MIN ? COMPARISON_TOO_FEW : COMPARISON_NO_DIFFERENCE;
    row->base_rounds = row->rounds;
    status = pair_figures(row, error);
    if (status == STATUS_OK && metric->deterministic) {
        pair_extremes(row);
    }
    return status;
}
