/* What heapmill measures of a cell: a metric is a row of the table in metrics.c.
 *
 * Whatever uses metrics reads the table: records keep their figures in the order of its rows;
 * compare, export, list, explain and the plots take names, units and words from it;
 * docs/metrics.md is the table as a page. So adding a metric means adding a row.
 *
 * For every metric less is better. All of this is constant, so any number of threads may read
 * it. */
#ifndef HEAPMILL_RESULTS_METRICS_H
#define HEAPMILL_RESULTS_METRICS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "results/record.h"

/* Which ok records of its pass have the metric? */
enum metric_presence {
    METRIC_USUAL = 0,
    METRIC_NEEDED,  /* all: a record without a finite figure above 0 is invalid */
    METRIC_OPTIONAL /* those of some workloads: "all metrics" skips it for other runs */
};

/* Reads the figure of an ok record of the pass; NAN: the record has none. */
typedef double metric_reader(const json_t *record, const struct record_cell *cell);

struct metric {
    const char *name; /* as --metric takes it */
    const char *unit; /* "ns", "bytes", "objects", "operations"; "" for a ratio or a bare count */
    const char *summary; /* half a sentence, for lists and table heads */
    const char *title;   /* for a plot's axis; NULL: the summary */
    const char *less;    /* the verdict if the cell's figure is below the base's */
    const char *more;
    enum record_pass pass;
    enum metric_presence presence;
    /* The figure is equal in every repetition, as counted instructions are. The interval then goes
     * from the smallest to the largest ratio of any two records, and is a point if all are equal.
     * One record is enough for a verdict. There is no chance, so there is no noise floor and no
     * control over the table. */
    bool deterministic;
    /* The path of the figure in a record: "gc.pauses.p99_ns". If `read` computes the figure, this
     * is a phrase that contains the members' names. */
    const char *where;
    metric_reader *read;
    /* The path of the same figure from the kernel's smaps, for back ends that do not count it
     * themselves. Such a metric is paired within one source only: both sides have their own counts,
     * or both are from smaps. NULL: there is one source, and any two records may be paired. */
    const char *where_smaps;
    metric_reader *read_smaps;
    const char *definition; /* one or more full sentences */
};

/* The last row has a NULL name. */
extern const struct metric metric_table[];

enum { METRICS_MAX = 64 }; /* rows at most */

/* Finds a metric by its name; NULL: there is none. */
const struct metric *metric_find(const char *name);

/* The words for an axis, for a run of that plan: "CPU time per operation"; for a user's command
 * "Time of a run". */
const char *metric_title(const struct metric *metric, const json_t *plan);

/* Lists the names, "time, held_peak, …", cut to size bytes. */
void metric_names(char *text, size_t size);

enum { METRIC_FIGURES_MAX = 2 * METRICS_MAX }; /* of one record */

/* Reads the figures of an ok record: one for each metric of the pass, followed by one from smaps if
 * the metric has two sources; NAN if the record has none. Returns their number. */
size_t metric_read_record(enum record_pass pass, const json_t *json, const struct record_cell *cell,
                          double figures[METRIC_FIGURES_MAX]);

/* The index of a metric's figure among those of its pass. If the metric has two sources, the figure
 * from smaps is the next one. */
size_t metric_slot(const struct metric *metric);

/* A metric's figure in a record; from smaps if `smaps` is true and the metric has two sources. NAN:
 * the record is not ok, is of another pass, or has no such figure. */
double metric_of_record(const struct metric *metric, const struct record_set *set,
                        const struct record *record, bool smaps);

/* The median of a metric over a cell's records; NAN if none has it, or if there is no memory. */
double metric_median_of_cell(const struct metric *metric, const struct record_set *set,
                             size_t cell);

/* Does any record of the set have a figure of this metric? */
bool metric_is_measured(const struct metric *metric, const struct record_set *set);

/* The number at a path, "a.b.c"; NAN: there is none. */
double metric_number(const json_t *json, const char *path);

#endif
