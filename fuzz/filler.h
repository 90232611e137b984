/* Makes programs of all lengths for engines that spend time on each execution: it appends
 * operations of earlier programs to a mutated program.
 *
 * Coverage-guided engines prefer short inputs, and so spend most of their time between executions;
 * and the effect of a mutation may show only after many more operations. An input that needs the
 * appended operations is kept as it is, like any other. */
#ifndef HEAPMILL_FUZZ_FILLER_H
#define HEAPMILL_FUZZ_FILLER_H

#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"
#include "fuzz/palette.h"

enum { FILLER_OPERATIONS = 4096 };

/* Must begin zeroed. */
struct filler {
    uint8_t operations[FILLER_OPERATIONS *
                       PALETTE_OPERATION_BYTES]; /* a ring of the latest operations */
    size_t count;
    size_t next;
};

/* Notes the input's operations. */
void filler_note(struct filler *filler, const uint8_t *data, size_t size);

/* Five times in eight it lengthens data with noted operations, to a length from 16 to 1024
 * operations, drawn as in engine_random.c. One time in eight it cuts data to such a length;
 * otherwise inputs would only grow. Returns the new size, at most capacity. */
size_t filler_fit(const struct filler *filler, uint8_t *data, size_t size, size_t capacity,
                  struct rng *rng);

#endif
