/* How fast the memory pass ran. */
#ifndef HEAPMILL_RESULTS_MEMORY_PACE_H
#define HEAPMILL_RESULTS_MEMORY_PACE_H

#include "common/status.h"
#include "results/record.h"

/* How many times as long the memory pass took for an operation as the time pass, by the wall clock:
 * an allocator that gives memory back by the clock had that much more time for it. */
struct memory_pace {
    size_t cells; /* that have both */
    double median;
    double most;
};

/* Of the first record of each pass of each cell. NANs where no cell has both. STATUS_IO,
 * STATUS_CORRUPT: the records cannot be read again; STATUS_NO_MEMORY. */
enum status memory_pace_read(const struct record_set *set, struct memory_pace *pace,
                             struct error *error);

#endif
