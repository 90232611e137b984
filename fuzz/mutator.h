/* Mutates inputs in the palette format operation by operation, for libFuzzer's
 * LLVMFuzzerCustomMutator and AFL++'s afl_custom_fuzz. A mutation of bytes would shift all later
 * operations, or tear them apart.
 *
 * The arguments are those of struct fuzz_target's members. Deterministic in rng. */
#ifndef HEAPMILL_FUZZ_MUTATOR_H
#define HEAPMILL_FUZZ_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"

size_t mutator_mutate(uint8_t *data, size_t size, size_t capacity, struct rng *rng);
size_t mutator_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                     size_t capacity, struct rng *rng);

#endif
