/* Compares the cells of a run with those of a base back end.
 *
 * A pair is a cell's record and the base's record in the same group and the same round, so that
 * both saw the same state of the machine. The figure of a pair is the log-ratio. The figure of
 * the comparison is their median with an interval (statistics.h). If any record of a cell
 * failed, the cell has no figure. */
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
    COMPARISON_TOO_FEW, /* fewer than six pairs of the cell or of every A/A pair: only figures */
    COMPARISON_FAILED,  /* a record of the cell or of the base failed */
    COMPARISON_NOT_APPLICABLE /* the cell or the base cannot run this workload, or does not have
                                 this figure */
};

#define COMPARISON_RESOLVED_SHARE 0.9

struct comparison_options {
    const char *base_backend; /* as record_cell.backend_text; NULL: the plan's base */
    const char *base_arm;     /* NULL: the arm of the plan's base, or the back end's only arm */
    const char *metric;       /* NULL: "time" */
    const char *workloads;    /* a name_filter.h filter; NULL: all */
    const char *backends;     /* the same for "NAME" or "NAME:ARM"; the base always stays */
    /* "PARAMETER=VALUE": the base of a cell is the cell of the same back end in which the parameter
     * has this value. NULL: the base is a back end. Not for two runs. */
    const char *vary;
    /* Not with a base back end, but in each group with the best of the back ends that this filter
     * lets through, as `backends`: picked by the even rounds, judged by the odd ones. NULL: no. Not
     * of two runs, and not with vary. */
    const char *best_of;
    /* Not with a base back end, but with the cell of the same back end from before (BACKEND@before:
     * `bench --against`), in the same group. Not of two runs, nor with vary or best_of. */
    bool before;
    bool rows_only; /* without the means, which take most of the time and need the bootstrap */
    uint64_t seed;  /* of the bootstrap */
};

/* How comparison_build_runs compares two runs. */
struct comparison_run_options {
    struct comparison_options common; /* base_backend and base_arm are used only if relative */
    bool relative; /* compare ratios to each run's own base, not the figures themselves */
};

/* The figures of a pair, in the metric's unit: the points of a plot. */
struct comparison_sample {
    uint32_t round;
    uint16_t host; /* index into the set's hosts: where the pair was measured */
    double value;
    double base_value;
};

/* One row. Figures that do not exist are NAN (null in JSON). */
struct comparison_cell {
    const struct record_cell *cell;
    const struct record_cell *base; /* NULL: the group has none */
    enum comparison_verdict verdict;
    double ratio; /* cell over base: below 1 the cell needs less */
    double low;   /* 95% bounds of ratio */
    double high;
    double value; /* medians over the paired rounds, in the metric's unit */
    double base_value;
    /* (value - null's) / (base_value - null's): the ratio without the workload's own time. Only for
     * the metric time in a group that has the back end null; otherwise, or if the base takes no
     * longer than null, NAN. */
    double net;
    const char *source;   /* of held figures, on both sides: "stats" or "smaps"; otherwise "" */
    uint32_t rounds;      /* number of pairs; of two runs: rounds of the new run */
    uint32_t base_rounds; /* the same; of two runs: rounds of the old run */
    double noise_floor;   /* floor by which the row was judged; NAN if it was not */
    uint32_t failed;      /* failed records of the cell and of the base */
    /* The probability of such figures if the true difference were within the noise floor; NAN if it
     * was not tested. */
    double p;
    /* The base's figure is 0 (of held memory: it holds no more than an empty program), so there is
     * no ratio. */
    bool base_is_zero;
    bool withdrawn; /* its interval told it apart, but the control over the whole table did not */
    struct comparison_sample *samples; /* [rounds], by round; NULL between two runs */
};

/* The geometric mean of a back end's ratios. Families have equal weights, and so do the groups
 * within a family. */
struct comparison_geomean {
    const char *backend_text;
    const char *backend;
    const char *arm;
    double ratio;
    double low;
    double high;
    uint32_t families;       /* families with a figure */
    uint32_t cells;          /* cells with a figure */
    uint32_t cells_expected; /* groups that the filters let through and that are not left out */
    bool complete;           /* all of those groups have a figure */
};

struct comparison {
    const struct record_set *set;      /* borrowed; of two runs: the new run */
    const struct record_set *base_set; /* borrowed; the old run; NULL for one run */
    bool relative;                     /* of two runs: figures are ratios to each run's base */
    /* Array of sentences: of two runs what else differs; of one, on which rows its hosts disagree,
     * or NULL. */
    json_t *differences;
    const struct metric *metric;
    const char *base_backend; /* backend_text; with best_of that, and no arm ("") */
    const char *base_arm;
    const char *best_of;   /* as in the options; each row has its own base */
    const char *vary;      /* from the options; NULL: rows are compared with base_backend's */
    const char *workloads; /* filters as given; "" for none */
    const char *backends;
    bool rows_only;
    uint64_t seed;
    /* Sorted by workload, parameters (in the plan's order), threads, back end, arm; without the
     * base and the twins. */
    struct comparison_cell *cells;
    size_t cell_count;
    struct comparison_geomean *geomeans; /* by back end and arm */
    size_t geomean_count;
    /* Ratio distances: the median of the groups' floors, and the largest; NAN: no A/A pair has six
     * rounds of this metric. */
    double noise_floor;
    double noise_floor_most;
    double *floors;             /* [set's groups] */
    double *base_floors;        /* of two runs: [base_set's groups] */
    uint32_t noise_floor_pairs; /* twin-1 pairs that set the floors */
    uint32_t aa_judged;         /* twin-2 pairs that were judged by them */
    uint32_t aa_false;          /* those of them that were told apart although they are equal */
    uint32_t aa_apart;          /* those of them that the interval told apart, before the control */
    double *aa_p;               /* [aa_apart] */
    uint32_t rounds_min;        /* the smallest number of pairs of a row that has any */
    uint32_t rounds_max;
    uint32_t failed_cells;   /* rows with the verdict "failed" */
    uint32_t hosts_disagree; /* rows on which the hosts of one run disagree */
    /* [groups of set]: the base's figure is 0 in a row of some back end, shown or not. Such a group
     * is left out of every mean, so that all means cover the same groups. */
    bool *group_left_out;
    uint32_t groups_left_out;
    /* The smallest slowdown that this run would have found in COMPARISON_RESOLVED_SHARE of its
     * rows, a ratio distance; NAN: nothing was tested. */
    double resolves;
    uint32_t hypotheses;  /* cells that the control covered, shown or not */
    uint32_t withdrawn;   /* verdicts that the control withdrew, shown or not */
    bool before;          /* as in the options */
    bool several_arms;    /* rows and base have different arms: tables name them */
    bool several_sources; /* rows have different sources: tables name them */
};

/* Is each row compared with a cell of its own, and not with its group's base? */
static inline bool comparison_is_by_cell(const struct comparison *comparison)
{
    return comparison->vary != NULL || comparison->before;
}

/* Was the run made with `bench --against`? */
bool comparison_has_before(const struct record_set *set);

/* Builds the comparison of one metric. It borrows set and the strings of options. The caller frees
 * *comparison with comparison_free. STATUS_INVALID: an unknown metric or arm; STATUS_NOT_FOUND: the
 * base is not in the plan, or the filters leave nothing; the messages list the valid names.
 * STATUS_NO_MEMORY. */
enum status comparison_build(const struct record_set *set, const struct comparison_options *options,
                             struct comparison **comparison, struct error *error);

/* Compares two runs: each cell of `set` (the new run) with the cell of the same id in base_set (the
 * old run), without pairing rounds. Borrows both sets. Cells that only one run has are left out and
 * counted in differences. Errors as above; also STATUS_NOT_FOUND if no cell is in both runs. */
enum status comparison_build_runs(const struct record_set *base_set, const struct record_set *set,
                                  const struct comparison_run_options *options,
                                  struct comparison **comparison, struct error *error);

void comparison_free(struct comparison *comparison); /* NULL is fine */

/* "faster", "no difference" and so on, as in FORMAT.md. */
const char *comparison_verdict_word(const struct comparison *comparison,
                                    enum comparison_verdict verdict);

/* The object of FORMAT.md's `heapmill compare --json`. It joins the cells and geomeans of all the
 * metrics; noise_floor and the rest are those of the first. A new reference; NULL: no memory. */
json_t *comparison_to_json(struct comparison *const *comparisons, size_t count);

#endif
