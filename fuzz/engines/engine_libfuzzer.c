/* The engine `libfuzzer`: the functions that libFuzzer looks for beside LLVMFuzzerTestOneInput.
 * With HEAPMILL_FUZZ_MUTATOR=off in the environment libFuzzer mutates bytes itself, for
 * comparison. */
#include "fuzz/engines/engine.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/filler.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t capacity, unsigned seed);

static bool libfuzzer_has_mutator(void)
{
    static int known;
    if (known == 0) {
        const char *setting = getenv("HEAPMILL_FUZZ_MUTATOR");
        bool off = setting != NULL && strcmp(setting, "off") == 0;
        known = fuzz_engine_target->mutate == NULL || off ? -1 : 1;
    }
    return known > 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed)
{
    if (!libfuzzer_has_mutator()) {
        return LLVMFuzzerMutate(data, size, capacity);
    }
    static struct filler filler;
    struct rng rng;
    rng_seed(&rng, seed);
    filler_note(&filler, data, size);
    size = fuzz_engine_target->mutate(data, size, capacity, &rng);
    return filler_fit(&filler, data, size, capacity, &rng);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t capacity, unsigned seed)
{
    if (!libfuzzer_has_mutator() || fuzz_engine_target->cross == NULL) {
        return 0; /* libFuzzer then tries another way */
    }
    struct rng rng;
    rng_seed(&rng, seed);
    return fuzz_engine_target->cross(a, a_size, b, b_size, out, capacity, &rng);
}
