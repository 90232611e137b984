/* For targets whose inputs are text: draws inputs blindly, and prints them. */
#ifndef HEAPMILL_FUZZ_BYTES_H
#define HEAPMILL_FUZZ_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/rng.h"

/* Draws an input: sample with a few bytes changed, removed, doubled, or replaced by one of the
 * words (which end with NULL). Returns its size, at most capacity. */
size_t bytes_generate(uint8_t *data, size_t capacity, const char *sample, const char *const *words,
                      struct rng *rng);

/* Prints the input, with unprintable bytes escaped. */
void bytes_print(const uint8_t *data, size_t size, FILE *out);

#endif
