/* AFL++'s custom mutator interface over the mutator core, in the library
 * libheapmill-fuzz-mutator-TARGET.so, which AFL_CUSTOM_MUTATOR_LIBRARY names. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/filler.h"
#include "fuzz/mutator.h"

struct afl_state;

enum {
    AFL_INPUT_BYTES_MAX = 1 << 20,
    AFL_FRESH_ONE_IN =
        32, /* one in this many inputs is drawn anew, as AFL++ begins with an empty program */
};

struct afl_mutator {
    struct rng rng;
    struct filler filler;
    uint8_t output[AFL_INPUT_BYTES_MAX];
};

void *afl_custom_init(struct afl_state *afl, unsigned seed);
void afl_custom_deinit(struct afl_mutator *mutator);
size_t afl_custom_fuzz(struct afl_mutator *mutator, uint8_t *data, size_t size, uint8_t **output,
                       uint8_t *other, size_t other_size, size_t capacity);

void *afl_custom_init(struct afl_state *afl, unsigned seed)
{
    (void)afl;
    struct afl_mutator *mutator = calloc(1, sizeof(*mutator));
    if (mutator != NULL) {
        rng_seed(&mutator->rng, seed);
    }
    return mutator;
}

void afl_custom_deinit(struct afl_mutator *mutator)
{
    free(mutator);
}

/* Mutates the input. One time in eight it first crosses it with another input of the queue. */
size_t afl_custom_fuzz(struct afl_mutator *mutator, uint8_t *data, size_t size, uint8_t **output,
                       uint8_t *other, size_t other_size, size_t capacity)
{
    capacity = capacity < sizeof(mutator->output) ? capacity : sizeof(mutator->output);
    size = size < capacity ? size : capacity;
    filler_note(&mutator->filler, data, size);
    *output = mutator->output;
    if (rng_below(&mutator->rng, AFL_FRESH_ONE_IN) == 0) {
        size_t operations = (size_t)16 << rng_below(&mutator->rng, 7);
        return palette_generate(mutator->output, capacity, operations, &mutator->rng);
    }
    size_t crossed = 0;
    if (other != NULL && rng_below(&mutator->rng, 8) == 0) {
        crossed =
            mutator_cross(data, size, other, other_size, mutator->output, capacity, &mutator->rng);
    }
    if (crossed == 0) {
        memcpy(mutator->output, data, size);
        crossed = size;
    }
    crossed = mutator_mutate(mutator->output, crossed, capacity, &mutator->rng);
    return filler_fit(&mutator->filler, mutator->output, crossed, capacity, &mutator->rng);
}
