/* The steps of comparison_build. Private to results/. */
#ifndef HEAPMILL_RESULTS_COMPARISON_PARTS_H
#define HEAPMILL_RESULTS_COMPARISON_PARTS_H

#include "results/compare/comparison.h"

/* Which rounds pairs are made of; failures count in any. */
enum timelines_rounds { TIMELINES_ALL = 0, TIMELINES_EVEN, TIMELINES_ODD };

/* The records of one pass by cell, and by round within a cell. Those of cell c are order[starts[c]]
 * to order[starts[c + 1] - 1]; these are indexes into set->records. */
struct timelines {
    uint32_t *order;
    size_t *starts;
    enum timelines_rounds rounds; /* timelines_build leaves it as it is */
};

enum status timelines_build(const struct record_set *set, enum record_pass pass,
                            struct timelines *timelines, struct error *error);
void timelines_free(struct timelines *timelines);

/* Fills the row's figures from the pairs of a cell (an index) and its base (or cell_count: none).
 * The row gets an interval but no judgement: COMPARISON_NO_DIFFERENCE means that it still may get a
 * verdict. */
enum status comparison_pair(const struct metric *metric, const struct record_set *set,
                            const struct timelines *timelines, size_t cell, size_t base,
                            struct comparison_cell *row, struct error *error);

/* A row of a cell without any figure. */
struct comparison_cell comparison_empty_row(const struct record_cell *cell);

/* The figures of one cell's records, in the metric's unit. */
struct cell_figures {
    double *values; /* [count]; the caller frees; NULL for none */
    size_t count;
    size_t zeros; /* figures of 0 or below, which are not in values */
    uint32_t failed;
    bool not_applicable;
    bool has_stats; /* all its memory figures are the back end's own */
};

/* Fills the counts only (values is NULL), so that the caller can choose a source that both sides
 * have. */
void comparison_cell_survey(const struct record_set *set, const struct timelines *timelines,
                            size_t cell, struct cell_figures *figures);
/* Fills values with the figures above 0, from the back end's stats or from smaps.
 * STATUS_NO_MEMORY. */
enum status comparison_cell_values(const struct metric *metric, const struct record_set *set,
                                   const struct timelines *timelines, size_t cell, bool stats,
                                   struct cell_figures *figures, struct error *error);
/* "stats" or "smaps" for held memory, "" for other metrics. */
const char *comparison_source(const struct metric *metric, bool stats);

/* Sets the noise floors of the set's groups from their twins, and judges each second twin by its
 * group's floor. For a metric without noise all floors are 0. If the comparison already has floors
 * (of the other run), the larger median stays and the counts are added. */
enum status comparison_judge_twins(struct comparison *comparison, const struct record_set *set,
                                   const struct timelines *timelines, struct error *error);

/* The floor by which a row is judged: its group's floor, or that of its base's group if larger; NAN
 * if it is unknown. Call after comparison_judge_twins. */
double comparison_row_floor(const struct comparison *comparison, const struct comparison_cell *row);

/* Computes the row's p from the log-ratios of its pairs, for a true difference within the floor. */
enum status comparison_test_row(struct comparison_cell *row, double noise_floor,
                                struct error *error);

/* Widens the intervals of rows on which the hosts disagree, before they are judged; differences
 * then says so. STATUS_NO_MEMORY. */
enum status comparison_block_hosts(struct comparison *comparison, struct error *error);

/* Gives the rows their final verdicts, and withdraws those that the control over the whole table
 * does not confirm. Rows need ratio, low, high and p. */
enum status comparison_judge_rows(struct comparison *comparison, struct error *error);

/* Drops the rows that the filters reject, sorts the others, and notes for the header what they have
 * in common. STATUS_NOT_FOUND: none is left. */
enum status comparison_finish_rows(struct comparison *comparison, struct error *error);

/* Finds the metric, the filters and, if needs_base, the base. Error messages list the valid
 * names. */
enum status comparison_take_options(struct comparison *comparison,
                                    const struct comparison_options *options, bool needs_base,
                                    struct error *error);

/* The base's cell in each group of a set, or cell_count. The caller frees; NULL: no memory. */
size_t *comparison_bases(const struct record_set *set, const char *backend, const char *arm);

/* Is the cell's back end one of those of which the best is the base? */
bool comparison_is_peer(const struct comparison *comparison, const struct record_cell *cell);
/* The rounds that rows are made of: without best_of all. */
enum timelines_rounds comparison_judged_rounds(const struct comparison *comparison);
/* As comparison_bases: of each group the best peer's cell, picked by the other rounds than those of
 * the timelines. STATUS_NO_MEMORY; the caller's in any case. */
enum status comparison_best_bases(const struct comparison *comparison,
                                  const struct timelines *judged, size_t **bases,
                                  struct error *error);

/* Lists what differs between two runs beside what was measured (machine, kernel, compiler,
 * iterations in that pass, cells that only one run has), as an array of sentences. A new reference;
 * NULL: no memory. */
json_t *comparison_list_differences(const struct record_set *base_set, const struct record_set *set,
                                    enum record_pass pass);

/* Fills geomeans from the finished cells. groups: the number of groups that could have a figure. */
enum status comparison_add_geomeans(struct comparison *comparison, uint32_t groups,
                                    struct error *error);

#endif
