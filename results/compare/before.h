/* A run that was made with `bench --against`, in the size of a comment on a change: a sentence a
 * metric, and one table of what became worse or better. */
#ifndef HEAPMILL_RESULTS_COMPARE_BEFORE_H
#define HEAPMILL_RESULTS_COMPARE_BEFORE_H

#include <stddef.h>

#include "common/host/document.h"
#include "common/status.h"
#include "results/record.h"

/* Cells, of all metrics together. */
struct before_tally {
    size_t cells;
    size_t worse; /* by their verdict; counts: by any difference */
    size_t better;
    size_t unjudged; /* failed, too few rounds */
};

/* Fills the document, with at most 40 rows: the worst of what is worse and the best of what is
 * better. Metrics are those of instructions, time, held_peak and latency_p99 that were measured.
 * Errors as comparison_build; STATUS_NOT_FOUND: nothing was measured. */
enum status before_report(const struct record_set *set, struct document *document,
                          struct before_tally *tally, struct error *error);

/* The same of a run's directory, as Markdown on file; NULL: nothing is printed. Errors also as
 * store_load. */
enum status before_show(const char *directory, FILE *file, struct before_tally *tally,
                        struct error *error);

#endif
