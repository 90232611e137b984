/* Programs of all lengths for engines that pay for each execution, whatever it does: behind a
 * mutated program come operations of programs seen before.
 *
 * Coverage-guided engines prefer short inputs, and so spend most of their time between executions;
 * and what a mutation has changed may show only after many more operations. An input that needs
 * what was added is kept as it is, like any other. */
#ifndef HEAPMILL_FUZZ_FILLER_H
#define HEAPMILL_FUZZ_FILLER_H

#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"
#include "fuzz/palette.h"

enum { FILLER_OPERATIONS = 4096 };

/* Zero it first. */
struct filler {
    uint8_t operations[FILLER_OPERATIONS * PALETTE_OPERATION_BYTES]; /* a ring, the latest seen */
    size_t count;
    size_t next;
};

/* Takes note of the input's operations. */
void filler_note(struct filler *filler, const uint8_t *data, size_t size);

/* Five times in eight makes data longer by what was noted, to a length that is drawn as
 * engine_random.c draws it, from 16 to 1024 operations; one time in eight it cuts it to such a
 * length, or inputs would only ever grow. The new size, at most capacity. */
size_t filler_fit(const struct filler *filler, uint8_t *data, size_t size, size_t capacity,
                  struct rng *rng);

#endif
