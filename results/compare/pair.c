/* Makes the figures and the verdict of a row: pairs the records of two cells by round, computes the
 * figures of the pairs, and judges them. */
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
    enum timelines_rounds rounds;
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

/* Sorts by round. Rounds are already in order, unless somebody edited the file. */
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
    /* A counting sort. starts[c + 2] counts the records of cell c. Then starts[c + 1] advances from
     * the place where cell c begins to the place where it ends, which is where the next cell
     * begins. */
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
    return (struct timeline){set, &timelines->order[start], timelines->starts[cell + 1] - start,
                             timelines->rounds};
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

/* Do all records that name the source of their memory figures have the back end's own? */
static bool timeline_has_stats(const struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++) {
        if (timeline_at(timeline, i)->held_source == HELD_SMAPS) {
            return false;
        }
    }
    return true;
}

/* The record's figure; NAN if it has none, or if the record is left out. */
static double metric_value(const struct metric *metric, const struct record_set *set,
                           const struct record *record, bool stats)
{
    return record->left_out ? (double)NAN : metric_of_record(metric, set, record, !stats);
}

static bool timeline_looks_at(const struct timeline *timeline, uint32_t round)
{
    return timeline->rounds == TIMELINES_ALL ||
           (round % 2 == 1) == (timeline->rounds == TIMELINES_ODD);
}

/* Walks both timelines together, and keeps the rounds in which both have a figure above 0. */
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
        i++;
        j++;
        if (!timeline_looks_at(cell, record->round)) {
            continue;
        }
        double value = metric_value(metric, cell->set, record, stats);
        double base_value = metric_value(metric, base->set, other, stats);
        /* A resumed run may have gone on elsewhere; a group's cells are always together. */
        if (value > 0 && base_value > 0 && record->host == other->host) {
            row->samples[row->rounds++] =
                (struct comparison_sample){record->round, record->host, value, base_value};
        }
        if (base_value <= 0) { /* false for NAN */
            row->base_is_zero = true;
            row->value = value;
            row->base_value = 0;
        }
    }
    row->base_is_zero = row->base_is_zero && row->rounds == 0;
    return STATUS_OK;
}

/* Computes the medians, the ratio and its interval. */
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
    row.noise_floor = row.net = (double)NAN;
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
        figures->zeros += value <= 0; /* false for NAN */
    }
    return STATUS_OK;
}

/* For a metric without noise: the interval from the smallest to the largest ratio of any two
 * records. */
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

/* Turns figures into verdicts: the noise floor, the judgement of each row, and the control over all
 * rows. */

/* Finds the cell that a twin is a copy of. The search goes backwards, because the plan lists the
 * cell shortly before its twin. */
static size_t judge_original(const struct record_set *set, size_t twin)
{
    const struct record_cell *copy = &set->cells[twin];
    for (size_t i = 0; i < set->cell_count; i++) {
        size_t candidate = (twin + set->cell_count - i) % set->cell_count;
        const struct record_cell *cell = &set->cells[candidate];
        if (cell->group == copy->group && cell->twin == 0 &&
            strcmp(cell->backend_text, copy->backend_text) == 0 &&
            strcmp(cell->arm, copy->arm) == 0) {
            return candidate;
        }
    }
    return set->cell_count;
}

/* Computes the figures of one A/A pair. *usable: it has enough rounds and no failure. The caller
 * frees the samples. */
static enum status judge_twin(const struct metric *metric, const struct record_set *set,
                              const struct timelines *timelines, size_t twin,
                              struct comparison_cell *row, bool *usable, struct error *error)
{
    size_t original = judge_original(set, twin);
    enum status status = comparison_pair(metric, set, timelines, twin, original, row, error);
    *usable = status == STATUS_OK && row->rounds >= STATISTICS_ROUNDS_MIN;
    return status;
}

static struct interval judge_interval(const struct comparison_cell *row)
{
    return (struct interval){log(row->ratio), log(row->low), log(row->high)};
}

/* Judges a second twin as a row is judged: here by its interval, and later, after the rows, by its
 * p. */
static enum status judge_second_twin(struct comparison *comparison, struct comparison_cell *row,
                                     double floor, struct error *error)
{
    const struct interval interval = judge_interval(row);
    comparison->aa_judged++;
    if (statistics_judge(&interval, floor) == STATISTICS_SAME) {
        return STATUS_OK;
    }
    enum status status = comparison_test_row(row, floor, error);
    double *p = status == STATUS_OK
                    ? realloc(comparison->aa_p, (comparison->aa_apart + 1) * sizeof(*p))
                    : NULL;
    if (p == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the A/A pairs");
    }
    comparison->aa_p = p;
    comparison->aa_p[comparison->aa_apart++] = row->p;
    return STATUS_OK;
}

/* Computes the pairs that set each group's floor. */
static enum status judge_measure_twins(struct comparison *comparison, const struct record_set *set,
                                       const struct timelines *timelines,
                                       struct statistics_twins *twins, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < set->cell_count && status == STATUS_OK; i++) {
        const struct record_cell *cell = &set->cells[i];
        struct statistics_twins *group = &twins[cell->group];
        struct comparison_cell row = {.samples = NULL};
        bool usable = false;
        if (cell->twin == 0) {
            continue;
        }
        status = judge_twin(comparison->metric, set, timelines, i, &row, &usable, error);
        if (usable) {
            const struct interval interval = judge_interval(&row);
            double distance = statistics_systematic(&interval);
            group->first = cell->twin == 1 ? distance : group->first;
            group->second = cell->twin == 2 ? distance : group->second;
            comparison->noise_floor_pairs += cell->twin == 1;
        }
        free(row.samples);
    }
    return status;
}

/* Judges the second twins, each by the floor of its group. */
static enum status judge_second_twins(struct comparison *comparison, const struct record_set *set,
                                      const struct timelines *timelines, const double *floors,
                                      struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < set->cell_count && status == STATUS_OK; i++) {
        struct comparison_cell row = {.samples = NULL};
        bool usable = false;
        double floor = floors[set->cells[i].group];
        if (set->cells[i].twin != 2 || isnan(floor)) {
            continue;
        }
        status = judge_twin(comparison->metric, set, timelines, i, &row, &usable, error);
        if (usable) {
            status = judge_second_twin(comparison, &row, floor, error);
        }
        free(row.samples);
    }
    return status;
}

/* Computes what the header says of the floors: their median and the largest. */
static enum status judge_sum_up(struct comparison *comparison, const double *floors, size_t count,
                                struct error *error)
{
    double *sorted = calloc(count + 1, sizeof(*sorted));
    if (sorted == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu groups", count);
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = floors[i];
    }
    if (count > 0 && !isnan(floors[0])) { /* either all floors are known, or none is */
        statistics_sort(sorted, count);
        comparison->noise_floor =
            fmax(comparison->noise_floor, statistics_quantile(sorted, count, 0.5));
        comparison->noise_floor_most = fmax(comparison->noise_floor_most, sorted[count - 1]);
    }
    free(sorted);
    return STATUS_OK;
}

enum status comparison_judge_twins(struct comparison *comparison, const struct record_set *set,
                                   const struct timelines *timelines, struct error *error)
{
    if (comparison->metric->deterministic) {
        comparison->noise_floor = 0;
        comparison->noise_floor_most = 0;
        return STATUS_OK;
    }
    struct statistics_twins *twins = calloc(set->group_count + 1, sizeof(*twins));
    double *floors = calloc(set->group_count + 1, sizeof(*floors));
    enum status status = STATUS_OK;
    if (twins == NULL || floors == NULL) {
        status = error_set(error, STATUS_NO_MEMORY, "no memory for the A/A pairs");
    }
    for (size_t i = 0; i < set->group_count && status == STATUS_OK; i++) {
        twins[i] = (struct statistics_twins){(double)NAN, (double)NAN};
    }
    if (status == STATUS_OK) {
        status = judge_measure_twins(comparison, set, timelines, twins, error);
    }
    if (status == STATUS_OK) {
        status = statistics_noise_floors(twins, set->group_count, floors, error);
    }
    if (status == STATUS_OK) {
        status = judge_second_twins(comparison, set, timelines, floors, error);
    }
    if (status == STATUS_OK) {
        status = judge_sum_up(comparison, floors, set->group_count, error);
    }
    bool first =
        set == comparison->set && comparison->floors == NULL; /* a comparison within one run */
    *(first ? &comparison->floors : &comparison->base_floors) = floors;
    free(twins);
    return status;
}

double comparison_row_floor(const struct comparison *comparison, const struct comparison_cell *row)
{
    if (comparison->metric->deterministic) {
        return 0;
    }
    const double *of_base =
        comparison->base_set != NULL ? comparison->base_floors : comparison->floors;
    double floor = comparison->floors[row->cell->group];
    return row->base != NULL ? fmax(floor, of_base[row->base->group]) : floor;
}

/* Gives a row its final verdict, if it may have one. */
static void judge_row(const struct comparison *comparison, struct comparison_cell *row)
{
    if (row->verdict != COMPARISON_NO_DIFFERENCE) {
        return;
    }
    row->noise_floor = comparison_row_floor(comparison, row);
    if (isnan(row->noise_floor)) {
        row->verdict = COMPARISON_TOO_FEW;
        return;
    }
    struct interval interval = {log(row->ratio), log(row->low), log(row->high)};
    enum statistics_verdict verdict = statistics_judge(&interval, row->noise_floor);
    if (verdict != STATISTICS_SAME) {
        row->verdict = verdict == STATISTICS_LESS ? COMPARISON_LESS : COMPARISON_MORE;
    }
}

static bool judge_is_apart(const struct comparison_cell *row)
{
    return row->verdict == COMPARISON_LESS || row->verdict == COMPARISON_MORE;
}

/* Withdraws verdicts by the procedure of Benjamini and Hochberg over all tested rows. */
static void judge_withdraw(struct comparison *comparison, const bool *kept)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        struct comparison_cell *row = &comparison->cells[i];
        if (judge_is_apart(row) && !isnan(row->p) && !kept[i]) {
            row->verdict = COMPARISON_NO_DIFFERENCE;
            row->withdrawn = true;
            comparison->withdrawn++;
        }
    }
}

/* Counts the second twins that would have been told apart if they were rows: adds each one's p to
 * those of the rows, and repeats the procedure. p has room for count + 1. */
static enum status judge_count_false(struct comparison *comparison, double *p, bool *kept,
                                     struct error *error)
{
    size_t count = comparison->cell_count;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < comparison->aa_apart && status == STATUS_OK; i++) {
        size_t hypotheses;
        p[count] = comparison->aa_p[i];
        status =
            statistics_discover(p, count + 1, STATISTICS_DISCOVERY_LEVEL, kept, &hypotheses, error);
        comparison->aa_false += status == STATUS_OK && kept[count];
    }
    return status;
}

/* The slowdown that the run would have found in 90% of its rows, as that of one more row which
 * Benjamini and Hochberg's procedure judges beside those that it kept. */
static enum status judge_resolution(struct comparison *comparison, size_t hypotheses,
                                    const bool *kept, struct error *error)
{
    struct statistics_sight *rows = calloc(comparison->cell_count + 1, sizeof(*rows));
    size_t count = 0;
    size_t found = 0;
    if (rows == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu rows", comparison->cell_count);
    }
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        if (!isnan(row->p)) {
            const struct interval interval = judge_interval(row);
            rows[count++] = (struct statistics_sight){log1p(row->noise_floor),
                                                      statistics_standard_error(&interval)};
            found += kept[i];
        }
    }
    double level = STATISTICS_DISCOVERY_LEVEL * (double)(found + 1) / (double)(hypotheses + 1);
    comparison->resolves = statistics_resolved(rows, count, level, COMPARISON_RESOLVED_SHARE);
    free(rows);
    return STATUS_OK;
}

enum status comparison_judge_rows(struct comparison *comparison, struct error *error)
{
    size_t count = comparison->cell_count;
    size_t hypotheses = 0;
    double *p = calloc(count + 2, sizeof(*p));
    bool *kept = calloc(count + 2, sizeof(*kept));
    enum status status = p != NULL && kept != NULL
                             ? STATUS_OK
                             : error_set(error, STATUS_NO_MEMORY, "no memory for %zu tests", count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        judge_row(comparison, &comparison->cells[i]);
        p[i] = comparison->cells[i].p;
    }
    if (status == STATUS_OK) {
        status =
            statistics_discover(p, count, STATISTICS_DISCOVERY_LEVEL, kept, &hypotheses, error);
    }
    if (status == STATUS_OK) {
        comparison->hypotheses = (uint32_t)hypotheses;
        judge_withdraw(comparison, kept);
        status = judge_resolution(comparison, hypotheses, kept, error);
    }
    if (status == STATUS_OK) {
        status = judge_count_false(comparison, p, kept, error);
    }
    free(p);
    free(kept);
    return status;
}
