/* What became of a run's records. */
#ifndef HEAPMILL_RESULTS_RUN_TALLY_H
#define HEAPMILL_RESULTS_RUN_TALLY_H

#include "results/instruction_counts.h"
#include "results/record.h"

struct run_tally {
    size_t records;
    size_t ok;
    size_t failed; /* crashed and timed out ones too */
    size_t not_applicable;
    size_t rounds;                    /* of the time pass */
    double elapsed_s;                 /* of the whole run when its last record was made */
    struct instruction_counts counts; /* `differing` is NULL */
};

/* STATUS_IO, STATUS_CORRUPT: the records have changed meanwhile; STATUS_NO_MEMORY. */
enum status run_tally_read(const struct record_set *set, struct run_tally *tally,
                           struct error *error);

#endif
