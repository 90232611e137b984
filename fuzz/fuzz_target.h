/* The interface of a fuzz target. Each fuzz/targets/NAME_fuzzer.c defines one `const struct
 * fuzz_target fuzz_target_NAME` and the function LLVMFuzzerTestOneInput, which libFuzzer and AFL++
 * call. fuzz/CMakeLists.txt has a row for the target, and its other files are
 * fuzz/targets/NAME_*.c.
 *
 * A binary of the same name is in three build trees, one for each engine: the ordinary one
 * (engine_random.c: replays files, and draws inputs in the same format blindly), fuzz-libfuzzer and
 * fuzz-afl.
 *
 * A target is a function of its input alone: no time, no addresses, no state from earlier runs. It
 * reports a finding with fuzz_fail (fuzz/oracle.h). */
#ifndef HEAPMILL_FUZZ_FUZZ_TARGET_H
#define HEAPMILL_FUZZ_FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/rng.h"

struct fuzz_target {
    const char *name;
    const char *summary;
    const char *format; /* "palette-1" (fuzz/palette.h) or "bytes" */
    /* The subject keeps state between inputs: it is somebody else's library. */
    bool outlives_input;
    /* Plays the input and checks it with all oracles. */
    void (*run)(const uint8_t *data, size_t size);
    /* Writes the decoded input as text, one step per line, without running it. */
    void (*print)(const uint8_t *data, size_t size, FILE *out);
    /* Changes the input in place; returns the new size, at most capacity. NULL: the engine's own
     * mutations of bytes are used. */
    size_t (*mutate)(uint8_t *data, size_t size, size_t capacity, struct rng *rng);
    /* Crosses two inputs into out; returns its size, at most capacity. NULL if mutate is NULL. */
    size_t (*cross)(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                    size_t capacity, struct rng *rng);
    /* Draws an input of about that many operations; returns its size, at most capacity. */
    size_t (*generate)(uint8_t *data, size_t capacity, size_t operations, struct rng *rng);
};

/* The entry for libFuzzer, AFL++'s driver and engine_random.c. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
