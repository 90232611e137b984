/* Are counted instructions the same in every repetition, as they should be? */
#ifndef HEAPMILL_RESULTS_INSTRUCTION_COUNTS_H
#define HEAPMILL_RESULTS_INSTRUCTION_COUNTS_H

#include "results/record.h"

struct instruction_counts {
    size_t cells;     /* that were counted twice or more */
    size_t identical; /* of these, with one and the same count in all their records */
    size_t least;     /* records of the one of them that has the fewest; 0 without any */
    /* The id of the first that is not identical (the set's); NULL: there is none. */
    const char *differing;
};

/* STATUS_NO_MEMORY. */
enum status instruction_counts_read(const struct record_set *set, struct instruction_counts *counts,
                                    struct error *error);

#endif
