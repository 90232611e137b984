/* What a fuzz target is. Each fuzz/targets/NAME_fuzzer.c defines one `const struct fuzz_target
 * fuzz_target_NAME` and the function LLVMFuzzerTestOneInput that libFuzzer and AFL++ call; CMake
 * has a row for it in fuzz/CMakeLists.txt, and fuzz/targets/NAME_*.c belong to it.
 *
 * The same binary name exists in three build trees, one an engine: the ordinary one
 * (engine_random.c: replays files, and blind random generation in the same input format),
 * fuzz-libfuzzer and fuzz-afl.
 *
 * A target is a function of its input alone: no time, no addresses, no state from one run to the
 * next. It ends a finding by fuzz_fail (fuzz/oracle.h). */
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
    /* What it fuzzes keeps its state from one input to the next: somebody else's library. */
    bool outlives_input;
    /* Plays the input under all oracles. */
    void (*run)(const uint8_t *data, size_t size);
    /* Writes the decoded input as text, one step a line, without running it. */
    void (*print)(const uint8_t *data, size_t size, FILE *out);
    /* Changes the input in place; the new size, at most capacity. NULL: the engine's own mutations
     * of bytes serve. */
    size_t (*mutate)(uint8_t *data, size_t size, size_t capacity, struct rng *rng);
    /* A crossing of two inputs in out; its size, at most capacity. NULL when mutate is. */
    size_t (*cross)(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                    size_t capacity, struct rng *rng);
    /* A blind random input of about that many operations; its size, at most capacity. */
    size_t (*generate)(uint8_t *data, size_t capacity, size_t operations, struct rng *rng);
};

/* libFuzzer's entry, which AFL++'s driver and the engine of ours call too. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
