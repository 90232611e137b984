/* What targets over bytes of text share: inputs drawn blindly, and an input as text. */
#ifndef HEAPMILL_FUZZ_BYTES_H
#define HEAPMILL_FUZZ_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/rng.h"

/* sample with a few bytes changed, left out, doubled, or replaced by one of the words (ends with
 * NULL); its size, at most capacity. */
size_t bytes_generate(uint8_t *data, size_t capacity, const char *sample, const char *const *words,
                      struct rng *rng);

/* The input as it is, with what is not printable escaped. */
void bytes_print(const uint8_t *data, size_t size, FILE *out);

#endif
