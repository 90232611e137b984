/* Geometric means over workloads, with intervals over rounds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/compare/parts.h"
#include "results/stats/statistics.h"

/* The rows of one back end and arm that have a figure, and all rounds of these rows. */
struct geomean_rows {
    const struct comparison_cell **rows;
    size_t count;
    uint32_t *rounds; /* ascending, each once */
    size_t round_count;
    struct statistics_series *series; /* [count] */
    double *values;                   /* [count][round_count] */
};

static int geomean_compare_rounds(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void geomean_rows_free(struct geomean_rows *rows)
{
    free(rows->rows);
    free(rows->rounds);
    free(rows->series);
    free(rows->values);
}

/* Collects the rounds of all rows. */
static bool geomean_collect_rounds(struct geomean_rows *rows)
{
    size_t total = 0;
    for (size_t i = 0; i < rows->count; i++) {
        total += rows->rows[i]->rounds;
    }
    rows->rounds = calloc(total + 1, sizeof(*rows->rounds));
    if (rows->rounds == NULL) {
        return false;
    }
    size_t filled = 0;
    for (size_t i = 0; i < rows->count; i++) {
        for (uint32_t j = 0; j < rows->rows[i]->rounds; j++) {
            rows->rounds[filled++] = rows->rows[i]->samples[j].round;
        }
    }
    qsort(rows->rounds, total, sizeof(*rows->rounds), geomean_compare_rounds);
    for (size_t i = 0; i < total; i++) {
        if (i == 0 || rows->rounds[i] != rows->rounds[i - 1]) {
            rows->rounds[rows->round_count++] = rows->rounds[i];
        }
    }
    return true;
}

/* Gives each series its weight: families have equal weights, and so do the rows of a family.
 * Returns the number of families; 0 if there is no memory. */
static uint32_t geomean_weigh(struct geomean_rows *rows)
{
    struct family {
        const char *name;
        uint32_t rows;
    } *families = calloc(rows->count, sizeof(*families));
    uint32_t *family_of = calloc(rows->count, sizeof(*family_of));
    uint32_t count = 0;
    for (size_t i = 0; i < rows->count && families != NULL && family_of != NULL; i++) {
        const char *name = rows->rows[i]->cell->family;
        uint32_t family = 0;
        while (family < count && strcmp(families[family].name, name) != 0) {
            family++;
        }
        if (family == count) {
            families[count++].name = name;
        }
        families[family].rows++;
        family_of[i] = family;
    }
    for (size_t i = 0; i < rows->count && count > 0; i++) {
        rows->series[i].weight = 1.0 / count / families[family_of[i]].rows;
    }
    free(families);
    free(family_of);
    return count;
}

/* Lays the log-ratios out by round: NAN where a row has none. */
static void geomean_fill(struct geomean_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct comparison_cell *row = rows->rows[i];
        double *values = &rows->values[i * rows->round_count];
        size_t sample = 0;
        for (size_t round = 0; round < rows->round_count; round++) {
            values[round] = (double)NAN;
            if (sample < row->rounds && row->samples[sample].round == rows->rounds[round]) {
                values[round] = log(row->samples[sample].value / row->samples[sample].base_value);
                sample++;
            }
        }
    }
}

static enum status geomean_figures(struct geomean_rows *rows, uint64_t seed,
                                   struct comparison_geomean *geomean, struct error *error)
{
    if (!geomean_collect_rounds(rows) || rows->count == 0 || rows->round_count == 0) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for a geometric mean");
    }
    rows->series = calloc(rows->count, sizeof(*rows->series));
    rows->values = calloc(rows->count * rows->round_count, sizeof(*rows->values));
    if (rows->series == NULL || rows->values == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for a geometric mean");
    }
    geomean_fill(rows);
    geomean->families = geomean_weigh(rows);
    if (geomean->families == 0) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for a geometric mean");
    }
    for (size_t i = 0; i < rows->count; i++) {
        rows->series[i].values = &rows->values[i * rows->round_count];
    }
    struct interval interval;
    enum status status = statistics_mean_interval(rows->series, rows->count, rows->round_count,
                                                  seed, &interval, error);
    if (status == STATUS_OK) {
        geomean->ratio = exp(interval.point);
        geomean->low = exp(interval.low);
        geomean->high = exp(interval.high);
    }
    return status;
}

/* Computes the mean for two runs, without an interval: the rows of a run share its rounds and their
 * disturbances, and an interval would not account for that. */
static enum status geomean_point(struct geomean_rows *rows, struct comparison_geomean *geomean,
                                 struct error *error)
{
    rows->series = calloc(rows->count, sizeof(*rows->series));
    geomean->families = rows->series != NULL ? geomean_weigh(rows) : 0;
    if (geomean->families == 0) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for a geometric mean");
    }
    double mean = 0;
    for (size_t i = 0; i < rows->count; i++) {
        mean += rows->series[i].weight * log(rows->rows[i]->ratio);
    }
    geomean->ratio = exp(mean);
    return STATUS_OK;
}

static bool geomean_has(const struct comparison_geomean *geomean, const struct comparison_cell *row)
{
    /* geomean_list gave every counted geomean its names; the analyser cannot see that. */
    // NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker)
    return strcmp(geomean->backend_text, row->cell->backend_text) == 0 &&
           strcmp(geomean->arm, row->cell->arm) == 0;
}

static enum status geomean_build(const struct comparison *comparison,
                                 struct comparison_geomean *geomean, struct error *error)
{
    struct geomean_rows rows = {0};
    geomean->ratio = geomean->low = geomean->high = (double)NAN;
    rows.rows = calloc(comparison->cell_count, sizeof(struct comparison_cell *));
    if (rows.rows == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for a geometric mean");
    }
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        if (geomean_has(geomean, row) && !isnan(row->ratio) &&
            !comparison->group_left_out[row->cell->group]) {
            rows.rows[rows.count++] = row;
        }
    }
    enum status status = STATUS_OK;
    geomean->cells = (uint32_t)rows.count;
    geomean->complete = geomean->cells == geomean->cells_expected;
    if (rows.count == 1) {
        geomean->families = 1;
        geomean->ratio = rows.rows[0]->ratio;
        geomean->low = comparison->base_set == NULL ? rows.rows[0]->low : (double)NAN;
        geomean->high = comparison->base_set == NULL ? rows.rows[0]->high : (double)NAN;
    } else if (rows.count > 1) {
        status = comparison->base_set != NULL
                     ? geomean_point(&rows, geomean, error)
                     : geomean_figures(&rows, comparison->seed, geomean, error);
    }
    geomean_rows_free(&rows);
    return status;
}

static int geomean_compare(const void *left, const void *right)
{
    const struct comparison_geomean *a = left;
    const struct comparison_geomean *b = right;
    int order = strcmp(a->backend_text, b->backend_text);
    return order != 0 ? order : strcmp(a->arm, b->arm);
}

/* One empty geomean for each back end and arm of the rows. */
static void geomean_list(struct comparison *comparison, uint32_t groups)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        size_t known = 0;
        while (known < comparison->geomean_count &&
               !geomean_has(&comparison->geomeans[known], row)) {
            known++;
        }
        if (known == comparison->geomean_count) {
            comparison->geomeans[comparison->geomean_count++] =
                (struct comparison_geomean){.backend_text = row->cell->backend_text,
                                            .backend = row->cell->backend,
                                            .arm = row->cell->arm,
                                            .cells_expected = groups};
        }
        if ((comparison->base_set != NULL || comparison_is_by_cell(comparison)) &&
            !comparison->group_left_out[row->cell->group]) {
            comparison->geomeans[known].cells_expected++; /* groups in which it has a base */
        }
    }
    qsort(comparison->geomeans, comparison->geomean_count, sizeof(*comparison->geomeans),
          geomean_compare);
}

enum status comparison_add_geomeans(struct comparison *comparison, uint32_t groups,
                                    struct error *error)
{
    comparison->geomeans = calloc(comparison->cell_count + 1, sizeof(*comparison->geomeans));
    if (comparison->geomeans == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the geometric means");
    }
    geomean_list(comparison, groups);
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        enum status status = geomean_build(comparison, &comparison->geomeans[i], error);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}
