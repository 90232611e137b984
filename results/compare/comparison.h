/* Compares the cells of a run with those of a base back end.
 *
 * A pair is a cell's record and the base's in the same group and the same round, nothing else: what
 * the machine did meanwhile is then common to both. Its figure is the log-ratio; the comparison's
 * is the median of those with an interval (statistics.h). A cell of which any record failed has no
 * figure. */
#ifndef HEAPMILL_RESULTS_COMPARISON_H
#define HEAPMILL_RESULTS_COMPARISON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "results/metrics.h"
#include "results/record.h"

enum comparison_verdict {
    COMPARISON_LESS,          /* faster, smaller */
    COMPARISON_MORE,          /* slower, larger */
    COMPARISON_NO_DIFFERENCE, /* the interval reaches into the noise floor */
    COMPARISON_TOO_FEW, /* fewer than six pairs, of the cell or of every A/A pair: figures only */
    COMPARISON_FAILED,  /* a record of the cell's or of the base's failed */
    COMPARISON_NOT_APPLICABLE /* the cell or the base cannot do this workload, or has no such figure
                               */
};

#define COMPARISON_RESOLVED_SHARE 0.9

struct comparison_options {
    const char *base_backend; /* as record_cell.backend_text; NULL: the plan's base */
    const char *base_arm;     /* NULL: the plan's base's, or the only arm that the back end has */
    const char *metric;       /* NULL: "time" */
    const char *workloads;    /* a name_filter.h filter; NULL: all */
    const char *backends;     /* the same, of "NAME" or "NAME:ARM"; the base stays in any case */
    /* "PARAMETER=VALUE": not with a base back end, but with the same back end's cell in which the
     * parameter has this value. NULL: no. Not of two runs. */
    const char *vary;
    /* Not with a base back end, but in each group with the best of the back ends that this filter
     * lets through, as `backends`: picked by the even rounds, judged by the odd ones. NULL: no. Not
     * of two runs, and not with vary. */
    const char *best_of;
    /* Not with a base back end, but with the cell of the same back end from before (BACKEND@before:
     * `bench --against`), in the same group. Not of two runs, nor with vary or best_of. */
    bool before;
    uint64_t seed; /* of the bootstrap */
};

/* Which runs are compared by comparison_build_runs, beside the options above. */
struct comparison_run_options {
    struct comparison_options common; /* base_backend and base_arm count if relative */
    bool relative; /* compare ratios to each run's own base, not the figures themselves */
};

/* The raw figures of a pair, in the metric's unit: the points of a plot. */
struct comparison_sample {
    uint32_t round;
    uint16_t host; /* index into the set's hosts: where the pair was measured */
    double value;
    double base_value;
};

/* One row. Figures are NAN where there is none (null in JSON). */
struct comparison_cell {
    const struct record_cell *cell;
    const struct record_cell *base; /* NULL: the group has none */
    enum comparison_verdict verdict;
    double ratio; /* cell over base: below 1 the cell needs less */
    double low;   /* 95% bounds of ratio */
    double high;
    double value; /* medians over the paired rounds, in the metric's unit */
    double base_value;
    /* (value - null's) / (base_value - null's): the ratio of what is not the workload's own time.
     * Of the metric time in a group that has the back end null; else, and where the base takes no
     * longer than null, NAN. */
    double net;
    const char *source;   /* of held figures: "stats" or "smaps", the same on both sides; else "" */
    uint32_t rounds;      /* pairs; of two runs: rounds of the new one */
    uint32_t base_rounds; /* as rounds; of two runs: those of the old one */
    double noise_floor;   /* of its group, by which it was judged; NAN where it was not */
    uint32_t failed;      /* failed records, the cell's and the base's */
    /* How probable figures like these are if the difference were within the noise floor; NAN where
     * it was not tested. */
    double p;
    /* The base's figure is 0 (held from the OS: no more than an empty program holds), so that there
     * is no ratio to it. */
    bool base_is_zero;
    bool withdrawn; /* the interval alone told it apart, the whole table's control did not */
    struct comparison_sample *samples; /* [rounds], by round; NULL between two runs */
};

/* The geometric mean of a back end's ratios; families weigh equally, and within one its groups do.
 */
struct comparison_geomean {
    const char *backend_text;
    const char *backend;
    const char *arm;
    double ratio;
    double low;
    double high;
    uint32_t families;       /* that have a figure */
    uint32_t cells;          /* that have one */
    uint32_t cells_expected; /* groups that the filters let through and that are not left out */
    bool complete;           /* every one of them has a figure */
};

struct comparison {
    const struct record_set *set;      /* borrowed; of two runs the new one */
    const struct record_set *base_set; /* borrowed; the old run, NULL when there is but one */
    bool relative;                     /* of two runs: figures are ratios to each run's base */
    /* Array of sentences: of two runs what else differs; of one, on which rows its hosts disagree,
     * or NULL. */
    json_t *differences;
    uint32_t hosts_disagree; /* rows on which the hosts of one run disagree */
    const struct metric *metric;
    const char *base_backend; /* backend_text; with best_of that, and no arm ("") */
    const char *base_arm;
    const char *best_of;   /* as in the options; each row has its own base */
    const char *vary;      /* as in the options; NULL: rows are compared with base_backend's */
    bool before;           /* as in the options */
    const char *workloads; /* filters as given, "" for none */
    const char *backends;
    uint64_t seed;
    /* By workload, parameters (in the plan's order), threads, back end, arm. The base itself and
     * the twins are not among them. */
    struct comparison_cell *cells;
    size_t cell_count;
    struct comparison_geomean *geomeans; /* by back end and arm */
    size_t geomean_count;
    /* Ratio distances: the median of the groups' floors, and the greatest; NAN: no A/A pair has six
     * rounds of this metric. */
    double noise_floor;
    double noise_floor_most;
    double *floors;             /* [set's groups] */
    double *base_floors;        /* of two runs: [base_set's groups] */
    uint32_t noise_floor_pairs; /* twin-1 pairs that set it */
    uint32_t aa_judged;         /* twin-2 pairs that were judged by it */
    uint32_t aa_false;          /* of those, told apart although they are the same */
    uint32_t aa_apart;          /* of those, told apart by the interval, before the control */
    double *aa_p;               /* [aa_apart] */
    uint32_t rounds_min;        /* pairs of the rows that have any */
    uint32_t rounds_max;
    uint32_t failed_cells; /* rows with the verdict "failed" */
    /* [groups of set]: of these workloads, in the row of some back end, shown or not, the base's
     * figure is 0: the group is left out of the means of all, which stay means over the same. */
    bool *group_left_out;
    uint32_t groups_left_out;
    /* The least slowdown that this run could have told in COMPARISON_RESOLVED_SHARE of its rows, a
     * ratio distance; NAN: nothing was tested. */
    double resolves;
    uint32_t hypotheses;  /* cells of the run, filtered or not, that the control was over */
    uint32_t withdrawn;   /* verdicts that it took back, filtered or not */
    bool several_arms;    /* rows and base are not all of one arm: say so */
    bool several_sources; /* rows differ in `source`: say so */
};

/* Is each row compared with a cell of its own, and not with its group's base? */
static inline bool comparison_is_by_cell(const struct comparison *comparison)
{
    return comparison->vary != NULL || comparison->before;
}

/* Was the run made with `bench --against`? */
bool comparison_has_before(const struct record_set *set);

/* Builds the comparison of one metric. *comparison is the caller's (comparison_free) and borrows
 * set and the strings of options. STATUS_INVALID: an unknown metric or arm; STATUS_NOT_FOUND: the
 * base is not in the plan, or the filters leave nothing; the messages list what there is.
 * STATUS_NO_MEMORY. */
enum status comparison_build(const struct record_set *set, const struct comparison_options *options,
                             struct comparison **comparison, struct error *error);

/* The same of two runs: each cell of `set` (the new run) against the cell of the same id in
 * base_set (the old one), which are not paired. Borrows both sets. Cells that one run lacks are
 * left out and counted in differences. Errors as above; STATUS_NOT_FOUND too if no cell is in both.
 */
enum status comparison_build_runs(const struct record_set *base_set, const struct record_set *set,
                                  const struct comparison_run_options *options,
                                  struct comparison **comparison, struct error *error);

void comparison_free(struct comparison *comparison); /* NULL is fine */

/* "faster", "no difference"…: as in FORMAT.md. */
const char *comparison_verdict_word(const struct comparison *comparison,
                                    enum comparison_verdict verdict);

/* The object of FORMAT.md's `heapmill compare --json`; the cells and geomeans of several metrics
 * follow each other, noise_floor and the rest are those of the first. The caller's; NULL: no
 * memory. */
json_t *comparison_to_json(struct comparison *const *comparisons, size_t count);

#endif
