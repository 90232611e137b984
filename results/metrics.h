/* What heapmill measures of a cell: a metric is a row of the table in metrics.c.
 *
 * Everything that knows metrics reads the table: a record's figures are kept by its rows, compare,
 * export, list, explain and the axes of plots take name, unit and words from them, and
 * docs/metrics.md is the table as a page. So adding a metric is adding a row.
 *
 * Of every metric less is better. Everything here is constant: any number of threads may read. */
#ifndef HEAPMILL_RESULTS_METRICS_H
#define HEAPMILL_RESULTS_METRICS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "results/record.h"

/* Which ok records of its pass have the metric. */
enum metric_presence {
    METRIC_USUAL = 0,
    METRIC_NEEDED,  /* all: without a finite figure above 0 the record is not valid */
    METRIC_OPTIONAL /* those of some workloads: "all metrics" leaves it out of other runs */
};

/* The figure of an ok record of the pass; NAN: the record has none. */
typedef double metric_reader(const json_t *record, const struct record_cell *cell);

struct metric {
    const char *name; /* what --metric takes */
    const char *unit; /* "ns", "bytes", "objects", "operations"; "" for a ratio or a bare count */
    const char *summary; /* half a sentence: what a list or a table's head says */
    const char *title;   /* of a plot's axis; NULL: the summary */
    const char *less;    /* the verdict on a cell whose figure is below the base's */
    const char *more;
    enum record_pass pass;
    enum metric_presence presence;
    /* The same in every repetition, as counted instructions are: an interval is from the least to
     * the greatest ratio of any two records, a point where all are alike, and one record is enough
     * for a verdict. Chance has no part in it: no noise floor, no control over the table. */
    bool deterministic;
    /* Where the figure is in a record: the member's path, "gc.pauses.p99_ns". With read, which then
     * works the figure out, it is a phrase in which the members' names are. */
    const char *where;
    metric_reader *read;
    /* The same where the back end does not count it itself but the kernel's smaps show it. A metric
     * that has this is paired within one source only: both sides' own counts, or else both from
     * smaps. NULL: there is one source, and any two records may be paired. */
    const char *where_smaps;
    metric_reader *read_smaps;
    const char *definition; /* one sentence or several, with full stops */
};

/* Ends with a row whose name is NULL. */
extern const struct metric metric_table[];

enum { METRICS_MAX = 64 }; /* rows at most */

/* NULL if there is none of that name. */
const struct metric *metric_find(const char *name);

/* In words, for an axis of a run of that plan: "CPU time per operation"; of a user's command "Time
 * of a run". */
const char *metric_title(const struct metric *metric, const json_t *plan);

/* "time, held_peak, …", cut to size bytes. */
void metric_names(char *text, size_t size);

enum { METRIC_FIGURES_MAX = 2 * METRICS_MAX }; /* of one record */

/* What the metrics of the pass say of an ok record: one figure for each, and a second one, from
 * smaps, for each that has two sources; NAN where there is none. The count. */
size_t metric_read_record(enum record_pass pass, const json_t *json, const struct record_cell *cell,
                          double figures[METRIC_FIGURES_MAX]);

/* The index of a metric's figure among those of its pass; the one from smaps, if it has two,
 * follows.
 */
size_t metric_slot(const struct metric *metric);

/* A metric's figure of a record, from smaps if `smaps` and the metric has two sources. NAN: the
 * record is not ok, of another pass, or has no such figure. */
double metric_of_record(const struct metric *metric, const struct record_set *set,
                        const struct record *record, bool smaps);

/* The median of a metric over a cell's records; NAN if none has it. STATUS_NO_MEMORY is NAN too. */
double metric_median_of_cell(const struct metric *metric, const struct record_set *set,
                             size_t cell);

/* Has a record of the set a figure of this metric? */
bool metric_is_measured(const struct metric *metric, const struct record_set *set);

/* The number at a path, "a.b.c"; NAN: there is none. */
double metric_number(const json_t *json, const char *path);

#endif
