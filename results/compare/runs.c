/* Compares two runs cell by cell. Rounds of two runs are not pairs: what disturbed round 3 of one
 * run did not disturb round 3 of the other. So the figure is Hodges and Lehmann's shift of the
 * logarithms, with Mann and Whitney's interval (statistics.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/compare/parts.h"
#include "results/stats/statistics.h"

/* One of the two runs. */
struct side {
    const struct record_set *set;
    struct timelines timelines;
    size_t *bases; /* of each group; only if relative */
};

struct runs {
    struct comparison *comparison;
    struct side old;
    struct side new;
};

static void runs_close(struct runs *runs)
{
    timelines_free(&runs->old.timelines);
    timelines_free(&runs->new.timelines);
    free(runs->old.bases);
    free(runs->new.bases);
}

static enum status side_open(struct side *side, struct comparison *comparison, struct error *error)
{
    enum status status =
        timelines_build(side->set, comparison->metric->pass, &side->timelines, error);
    if (status == STATUS_OK && comparison->relative) {
        side->bases = comparison_bases(side->set, comparison->base_backend, comparison->base_arm);
        if (side->bases == NULL) {
            status = error_set(error, STATUS_NO_MEMORY, "no memory for the bases");
        }
    }
    if (status == STATUS_OK) {
        status = comparison_judge_twins(comparison, side->set, &side->timelines, error);
    }
    return status;
}

/* Computes the ratios of a cell to its own run's base, from pairs of rounds. */
static enum status side_ratios(const struct side *side, const struct metric *metric, size_t cell,
                               struct cell_figures *figures, const char **source,
                               struct error *error)
{
    struct comparison_cell row;
    size_t base = side->bases[side->set->cells[cell].group];
    enum status status =
        comparison_pair(metric, side->set, &side->timelines, cell, base, &row, error);
    *source = row.source;
    figures->failed = row.failed;
    figures->not_applicable = row.verdict == COMPARISON_NOT_APPLICABLE;
    figures->count = row.rounds;
    figures->values = calloc(row.rounds + 1u, sizeof(*figures->values));
    if (status == STATUS_OK && figures->values == NULL) {
        status = error_set(error, STATUS_NO_MEMORY, "no memory for %u pairs", row.rounds);
    }
    for (uint32_t i = 0; i < row.rounds && status == STATUS_OK; i++) {
        figures->values[i] = row.samples[i].value / row.samples[i].base_value;
    }
    free(row.samples);
    return status;
}

/* Collects the figures of a cell in both runs, into old and new. */
static enum status runs_figures(const struct runs *runs, size_t old_cell, size_t new_cell,
                                struct cell_figures *old, struct cell_figures *new,
                                const char **source, struct error *error)
{
    const struct metric *metric = runs->comparison->metric;
    if (runs->comparison->relative) {
        const char *old_source;
        enum status status = side_ratios(&runs->old, metric, old_cell, old, &old_source, error);
        if (status == STATUS_OK) {
            status = side_ratios(&runs->new, metric, new_cell, new, source, error);
        }
        /* Ratios of two kinds of held bytes must not be compared. */
        bool mixed = status == STATUS_OK && old->count > 0 && new->count > 0 &&
                     strcmp(old_source, *source) != 0;
        old->not_applicable = old->not_applicable || mixed;
        return status;
    }
    comparison_cell_survey(runs->old.set, &runs->old.timelines, old_cell, old);
    comparison_cell_survey(runs->new.set, &runs->new.timelines, new_cell, new);
    bool stats = old->has_stats && new->has_stats;
    *source = comparison_source(metric, stats);
    enum status status = comparison_cell_values(metric, runs->old.set, &runs->old.timelines,
                                                old_cell, stats, old, error);
    return status == STATUS_OK ? comparison_cell_values(metric, runs->new.set, &runs->new.timelines,
                                                        new_cell, stats, new, error)
                               : status;
}

static double runs_extreme(const struct cell_figures *figures, bool most)
{
    double extreme = figures->values[0];
    for (size_t i = 1; i < figures->count; i++) {
        double value = figures->values[i];
        extreme = most ? fmax(extreme, value) : fmin(extreme, value);
    }
    return extreme;
}

/* For a metric without noise: the interval from the smallest to the largest ratio of any two
 * records. */
static void row_exact(struct comparison_cell *row, struct cell_figures *old,
                      struct cell_figures *new)
{
    row->low = runs_extreme(new, false) / runs_extreme(old, true);
    row->high = runs_extreme(new, true) / runs_extreme(old, false);
    row->value = statistics_median(new->values, new->count);
    row->base_value = statistics_median(old->values, old->count);
    row->ratio = row->value / row->base_value;
    row->verdict = COMPARISON_NO_DIFFERENCE; /* judge_row decides later */
}

/* Computes the shift if both sides have figures. Reorders values, and replaces them by their
 * logarithms. */
static enum status row_shift(const struct comparison *comparison, struct comparison_cell *row,
                             struct cell_figures *old, struct cell_figures *new,
                             struct error *error)
{
    struct interval interval;
    double floor = comparison_row_floor(comparison, row);
    double reach = isnan(floor) ? 0 : log1p(floor);
    row->value = statistics_median(new->values, new->count);
    row->base_value = statistics_median(old->values, old->count);
    for (size_t i = 0; i < old->count; i++) {
        old->values[i] = log(old->values[i]);
    }
    for (size_t i = 0; i < new->count; i++) {
        new->values[i] = log(new->values[i]);
    }
    enum status status = statistics_shift(new->values, new->count, old->values, old->count, reach,
                                          &interval, &row->p, error);
    row->ratio = exp(interval.point);
    row->low = exp(interval.low);
    row->high = exp(interval.high);
    row->p = isnan(floor) ? (double)NAN : row->p;
    row->verdict = isnan(interval.low) ? COMPARISON_TOO_FEW : COMPARISON_NO_DIFFERENCE;
    return status;
}

static enum status runs_row(const struct runs *runs, size_t old_cell, size_t new_cell,
                            struct comparison_cell *row, struct error *error)
{
    struct cell_figures old = {0};
    struct cell_figures new = {0};
    enum status status = runs_figures(runs, old_cell, new_cell, &old, &new, &row->source, error);
    row->base = &runs->old.set->cells[old_cell];
    row->failed = old.failed + new.failed;
    row->rounds = (uint32_t) new.count;
    row->base_rounds = (uint32_t)old.count;
    if (row->failed > 0) {
        row->verdict = COMPARISON_FAILED;
        row->rounds = row->base_rounds = 0;
    } else if (status == STATUS_OK && !old.not_applicable && !new.not_applicable) {
        row->base_is_zero = old.count == 0 && old.zeros > 0;
        row->verdict = row->base_is_zero ? COMPARISON_NOT_APPLICABLE : COMPARISON_TOO_FEW;
        if (old.count > 0 && new.count > 0 && runs->comparison->metric->deterministic) {
            row_exact(row, &old, &new);
        } else if (old.count > 0 && new.count > 0) {
            status = row_shift(runs->comparison, row, &old, &new, error);
        }
    }
    free(old.values);
    free(new.values);
    return status;
}

static enum status runs_add_rows(struct runs *runs, struct error *error)
{
    struct comparison *comparison = runs->comparison;
    const struct record_set *set = runs->new.set;
    enum status status = STATUS_OK;
    comparison->cells = calloc(set->cell_count + 1, sizeof(*comparison->cells));
    if (comparison->cells == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the comparison");
    }
    for (size_t i = 0; i < set->cell_count && status == STATUS_OK; i++) {
        size_t old = record_set_find_cell(runs->old.set, set->cells[i].id);
        bool is_base = comparison->relative && runs->new.bases[set->cells[i].group] == i;
        if (set->cells[i].twin == 0 && old < runs->old.set->cell_count && !is_base) {
            struct comparison_cell *row = &comparison->cells[comparison->cell_count++];
            *row = comparison_empty_row(&set->cells[i]);
            status = runs_row(runs, old, i, row, error);
        }
    }
    return status;
}

static enum status runs_fill(struct runs *runs, struct error *error)
{
    struct comparison *comparison = runs->comparison;
    enum status status = side_open(&runs->old, comparison, error);
    if (status == STATUS_OK) {
        status = side_open(&runs->new, comparison, error);
    }
    if (status == STATUS_OK) {
        status = runs_add_rows(runs, error);
    }
    if (status == STATUS_OK && comparison->cell_count == 0) {
        status = error_set(error, STATUS_NOT_FOUND, "%s and %s have no cell in common",
                           runs->old.set->directory, runs->new.set->directory);
    }
    if (status == STATUS_OK) {
        status = comparison_judge_rows(comparison, error);
    }
    if (status == STATUS_OK) {
        status = comparison_finish_rows(comparison, error);
    }
    return status == STATUS_OK ? comparison_add_geomeans(comparison, 0, error) : status;
}

/* Checks that the base which both runs are compared with is also in the old run. */
static enum status runs_check_base(const struct comparison *comparison, struct error *error)
{
    const struct record_set *set = comparison->base_set;
    for (size_t i = 0; i < set->cell_count; i++) {
        if (strcmp(set->cells[i].backend_text, comparison->base_backend) == 0 &&
            strcmp(set->cells[i].arm, comparison->base_arm) == 0) {
            return STATUS_OK;
        }
    }
    return error_set(error, STATUS_NOT_FOUND, "base %s:%s is not in %s", comparison->base_backend,
                     comparison->base_arm, set->directory);
}

static enum status runs_begin(struct comparison *comparison,
                              const struct comparison_run_options *options, struct error *error)
{
    comparison->base_backend = comparison->base_set->directory; /* for messages */
    comparison->base_arm = "";
    enum status status =
        comparison_take_options(comparison, &options->common, options->relative, error);
    if (status == STATUS_OK && options->relative) {
        status = runs_check_base(comparison, error);
    }
    if (status == STATUS_OK) {
        comparison->differences = comparison_list_differences(comparison->base_set, comparison->set,
                                                              comparison->metric->pass);
        if (comparison->differences == NULL) {
            status = error_set(error, STATUS_NO_MEMORY, "no memory for the runs' differences");
        }
    }
    return status;
}

enum status comparison_build_runs(const struct record_set *base_set, const struct record_set *set,
                                  const struct comparison_run_options *options,
                                  struct comparison **comparison, struct error *error)
{
    struct comparison *new = calloc(1, sizeof(*new));
    if (new == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the comparison");
    }
    new->set = set;
    new->base_set = base_set;
    new->relative = options->relative;
    struct runs runs = {.comparison = new, .old = {.set = base_set}, .new = {.set = set}};
    enum status status = runs_begin(new, options, error);
    if (status == STATUS_OK) {
        status = runs_fill(&runs, error);
    }
    runs_close(&runs);
    if (status != STATUS_OK) {
        comparison_free(new);
        return status;
    }
    *comparison = new;
    return STATUS_OK;
}
