/* Checks whether counted instructions are equal in every repetition, as they should be. */
#ifndef HEAPMILL_RESULTS_INSTRUCTION_COUNTS_H
#define HEAPMILL_RESULTS_INSTRUCTION_COUNTS_H

#include "results/record.h"

struct instruction_counts {
    size_t cells;     /* cells that were counted at least twice */
    size_t identical; /* those of them whose counts are all equal */
    size_t least;     /* the fewest records of one of them; 0 without any */
    /* The id of the first cell that is not identical (owned by the set); NULL: there is none. */
    const char *differing;
};

/* Counts over all records of the set. STATUS_NO_MEMORY. */
enum status instruction_counts_read(const struct record_set *set, struct instruction_counts *counts,
                                    struct error *error);

#endif
