/* "Mine against the best of the rest": which of several back ends is each group's base.
 *
 * Whoever is least of several noisy figures is partly lucky, and a ratio to that figure would be a
 * ratio to the luck as well. So the best is picked by the rounds with even numbers, and judged by
 * those with odd ones. */
#include <math.h>
#include <stdlib.h>

#include "results/compare/parts.h"

enum timelines_rounds comparison_judged_rounds(const struct comparison *comparison)
{
    const struct record_set *set = comparison->set;
    bool splits = comparison->best_of != NULL && !comparison->metric->deterministic;
    for (size_t i = 0; i < set->record_count && splits; i++) {
        if (set->records[i].pass == comparison->metric->pass && set->records[i].round % 2 == 1) {
            return TIMELINES_ODD;
        }
    }
    return TIMELINES_ALL; /* counted, or of one round: then there is no verdict either */
}

/* One that failed, even once, cannot be the best. */
static bool best_may_be(const struct record_set *set, const struct timelines *timelines,
                        size_t cell)
{
    struct cell_figures figures;
    comparison_cell_survey(set, timelines, cell, &figures);
    return figures.count > 0 && figures.failed == 0 && !figures.not_applicable;
}

enum status comparison_best_bases(const struct comparison *comparison,
                                  const struct timelines *judged, size_t **bases,
                                  struct error *error)
{
    const struct record_set *set = comparison->set;
    struct timelines picking = *judged;
    picking.rounds = judged->rounds == TIMELINES_ODD ? TIMELINES_EVEN : TIMELINES_ALL;
    *bases = calloc(set->group_count + 1, sizeof(**bases));
    if (*bases == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the bases");
    }
    for (size_t i = 0; i < set->group_count; i++) {
        (*bases)[i] = set->cell_count;
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < set->cell_count && status == STATUS_OK; i++) {
        size_t *best = &(*bases)[set->cells[i].group];
        struct comparison_cell row = {.ratio = (double)NAN};
        if (set->cells[i].twin != 0 || !comparison_is_peer(comparison, &set->cells[i]) ||
            !best_may_be(set, judged, i)) {
            continue;
        }
        if (*best < set->cell_count) {
            status = comparison_pair(comparison->metric, set, &picking, i, *best, &row, error);
        }
        if (*best == set->cell_count || row.ratio < 1) {
            *best = i;
        }
        free(row.samples);
    }
    return status;
}
