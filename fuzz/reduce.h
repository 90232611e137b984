/* Makes an input smaller while something stays true of it. Linked into every target: no allocation.
 */
#ifndef HEAPMILL_FUZZ_REDUCE_H
#define HEAPMILL_FUZZ_REDUCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is it still true of these bytes? */
typedef bool fuzz_reduce_test(void *context, const uint8_t *bytes, size_t size);

struct fuzz_reduce {
    fuzz_reduce_test *test;
    void *context;
    size_t header_bytes; /* are kept in place, but may become zero one by one */
    size_t unit_bytes;   /* what is taken out is a multiple of this: an operation */
    size_t tests_max;
    double time_s_max;
    size_t tests; /* made so far */
};

/* Takes out ever smaller runs of units (delta debugging: Zeller and Hildebrandt 2002, its
 * complements only), then sets the header's bytes and each unit's bytes to zero where that is
 * possible, and begins again while that helped. Works in place, with `trial` as scratch of the same
 * size. Returns the new size. It is true of the result, as it must be of the input. */
size_t fuzz_reduce_input(struct fuzz_reduce *reduce, uint8_t *bytes, size_t size, uint8_t *trial);

#endif
