/* Fragmentation of a series of memory samples: the four ratios of Johnstone and Wilson, "The Memory
 * Fragmentation Problem: Solved?", ISMM 1998, section 4. It is arithmetic that knows no heap. */
#ifndef HEAPMILL_WORKLOADS_FRAGMENTATION_H
#define HEAPMILL_WORKLOADS_FRAGMENTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed arrays of count elements each. operations never decreases. */
struct fragmentation_series {
    const uint64_t *operations;
    const uint64_t *live_bytes;
    const uint64_t *usable_bytes;
    const uint64_t *held_bytes;
    size_t count;
};

struct fragmentation {
    double mean;            /* held over live, both summed over operations (their #1) */
    double at_live_peak;    /* held/live when live is at its peak (#2) */
    double at_held_peak;    /* held/live when held is at its peak (#3) */
    double peak_over_peak;  /* peak held over peak live (#4) */
    int64_t internal_bytes; /* usable − live at the peak of live */
    int64_t external_bytes; /* held − usable at that moment; negative if pages were never touched */
};

/* false, with *result zeroed: nothing was ever live. mean is a ratio of integrals by the
 * trapezoidal rule (a sample weighs half of the operations between its neighbours), so memory that
 * is held while nothing is live counts too. at_held_peak is taken at the first moment of the held
 * peak with something live. */
bool fragmentation_measure(const struct fragmentation_series *series, struct fragmentation *result);

/* The largest element; 0 for an empty array. */
uint64_t fragmentation_peak(const uint64_t *values, size_t count);

#endif
