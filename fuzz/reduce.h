/* Makes an input smaller while a test accepts it. It is linked into every target, so it does not
 * allocate. */
#ifndef HEAPMILL_FUZZ_REDUCE_H
#define HEAPMILL_FUZZ_REDUCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does the property still hold for these bytes? */
typedef bool fuzz_reduce_test(void *context, const uint8_t *bytes, size_t size);

struct fuzz_reduce {
    fuzz_reduce_test *test;
    void *context;
    size_t header_bytes; /* stay in place, but each may become zero */
    size_t unit_bytes;   /* the size of an operation: only multiples of it are removed */
    size_t tests_max;
    double time_s_max;
    size_t tests; /* number of tests so far */
};

/* Removes ever shorter runs of units (delta debugging: Zeller and Hildebrandt 2002, only its
 * complements), then sets bytes of the header and of units to zero, and repeats while that helps.
 * The test must accept the input, and accepts the result. Works in place; `trial` is scratch of the
 * same size. Returns the new size. */
size_t fuzz_reduce_input(struct fuzz_reduce *reduce, uint8_t *bytes, size_t size, uint8_t *trial);

#endif
