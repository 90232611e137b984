/* The parts that comparison_build is made of. Private to results/. */
#ifndef HEAPMILL_RESULTS_COMPARISON_PARTS_H
#define HEAPMILL_RESULTS_COMPARISON_PARTS_H

#include "results/comparison.h"

/* The records of one pass by cell and, within a cell, by round: those of cell c are
 * order[starts[c]] to order[starts[c + 1] - 1], indexes into set->records. */
struct timelines {
    uint32_t *order;
    size_t *starts;
};

enum status timelines_build(const struct record_set *set, enum record_pass pass,
                            struct timelines *timelines, struct error *error);
void timelines_free(struct timelines *timelines);

/* Fills the row's figures from the pairs of a cell (an index) and its base (or cell_count: none),
 * with the interval but without a judgement: the verdict is COMPARISON_NO_DIFFERENCE where there
 * may be one. */
enum status comparison_pair(const struct comparison *comparison, const struct timelines *timelines,
                            size_t cell, size_t base, struct comparison_cell *row,
                            struct error *error);

/* Finds base_backend and base_arm of the comparison from the options, or says what there is. */
enum status comparison_find_base(struct comparison *comparison,
                                 const struct comparison_options *options, struct error *error);

/* Refuses a filter of which an item matches nothing: a mistyped name must not shorten a table. */
enum status comparison_check_filters(const struct comparison *comparison, struct error *error);

/* Do the comparison's filters let the cell through? */
bool comparison_lets_through(const struct comparison *comparison, const struct record_cell *cell);

/* Fills geomeans from the finished cells; groups is how many groups could have a figure. */
enum status comparison_add_geomeans(struct comparison *comparison, uint32_t groups,
                                    struct error *error);

#endif
