/* From figures to verdicts: the noise floor, the judgement of each row, and the control over all of
 * them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/compare/parts.h"
#include "results/stats/statistics.h"

/* The cell that a twin is a second copy of: looked for backwards, as the plan writes it shortly
 * before. */
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

/* Works out one A/A pair. *usable: it has enough rounds and no failure. The samples are the
 * caller's to free. */
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

/* A second twin is judged as a row is: by its interval here, and by its p when the rows have been.
 */
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

/* Works out the pairs by which each group's floor is set. */
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

/* What a header says of them: their median and the greatest. */
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
    if (count > 0 && !isnan(floors[0])) { /* all are known, or none is */
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
    bool first = set == comparison->set && comparison->floors == NULL; /* a run beside itself */
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

/* Turns "there may be a verdict" into one. */
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

/* Benjamini and Hochberg over all rows that were tested. */
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

/* Counts the second twins that would have been told apart had they been rows: each is put among the
 * rows' p, and the procedure is run again. p has room for one more than count. */
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

/* The slowdown that the run could have found in 90% of its rows: were it that of one more row,
 * which Benjamini and Hochberg's procedure would judge beside the ones that it kept. */
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
