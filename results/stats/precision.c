#include "results/stats/precision.h"

#include <math.h>
#include <stdlib.h>

#include "results/compare/parts.h"

/* The half-width of one cell; 0 if it will never have a figure, however many rounds it gets. */
static double precision_of_row(const struct comparison_cell *row)
{
    switch (row->verdict) {
    case COMPARISON_FAILED:
    case COMPARISON_NOT_APPLICABLE:
        return 0;
    case COMPARISON_TOO_FEW:
        return HUGE_VAL;
    default:
        return expm1((log(row->high) - log(row->low)) / 2);
    }
}

enum status precision_of_groups(const struct record_set *set, double *half_widths,
                                struct error *error)
{
    struct timelines timelines = {0};
    size_t *bases = comparison_bases(set, set->base_backend, set->base_arm);
    if (bases == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu groups", set->group_count);
    }
    for (size_t i = 0; i < set->group_count; i++) {
        half_widths[i] = 0;
    }
    enum status status = timelines_build(set, RECORD_TIME, &timelines, error);
    for (size_t i = 0; i < set->cell_count && status == STATUS_OK; i++) {
        struct comparison_cell row = {.samples = NULL};
        uint32_t group = set->cells[i].group;
        if (i == bases[group]) {
            continue;
        }
        status =
            comparison_pair(metric_find("time"), set, &timelines, i, bases[group], &row, error);
        free(row.samples);
        if (status == STATUS_OK) {
            half_widths[group] = fmax(half_widths[group], precision_of_row(&row));
        }
    }
    timelines_free(&timelines);
    free(bases);
    return status;
}
