/* A fuzz target for the tests of `heapmill fuzz`: built as fuzz/CMakeLists.txt builds the real
 * ones, for each engine, in a second. With TOY_BUG it has two defects that every engine finds at
 * once; an input is a palette program, of which it looks at the arguments alone. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_target.h"
#include "fuzz/mutator.h"
#include "fuzz/oracle.h"
#include "fuzz/palette.h"

#ifndef TOY_BUG
#define TOY_BUG 0
#endif

enum { TOY_MANY = 4, TOY_COUNTED = 33, TOY_FIRST = 1, TOY_SECOND = 2, TOY_LOW = 15, TOY_MASK = 63 };

static bool toy_is_pair(unsigned before, unsigned now)
{
    return (before & TOY_LOW) == TOY_FIRST && (now & TOY_LOW) == TOY_SECOND;
}

__attribute__((noinline)) static void toy_judge(unsigned counted, unsigned before, unsigned now)
{
    FUZZ_EXPECT(counted < TOY_MANY, "toy-count", "%u of them", counted);
    FUZZ_EXPECT(!toy_is_pair(before, now), "toy-pair", "%u after %u", now, before);
}

static void toy_run(const uint8_t *data, size_t size)
{
    struct palette palette;
    unsigned counted = 0;
    unsigned before = 0;
    fuzz_begin();
    palette_read(&palette, data, size);
    for (size_t i = 0; i < palette.count; i++) {
        unsigned now = palette_argument(&palette, i);
        fuzz_count_operation();
        counted += (now & TOY_MASK) == TOY_COUNTED;
        fuzz_counters->bug_reached += TOY_BUG;
        fuzz_counters->bug_triggered +=
            TOY_BUG && (counted >= TOY_MANY || toy_is_pair(before, now));
        toy_judge(TOY_BUG ? counted : 0, TOY_BUG ? before : 0, now);
        before = now;
    }
}

static void toy_print(const uint8_t *data, size_t size, FILE *out)
{
    struct palette palette;
    palette_read(&palette, data, size);
    for (size_t i = 0; i < palette.count; i++) {
        (void)fprintf(out, "toy %u\n", palette_argument(&palette, i));
    }
}

const struct fuzz_target fuzz_target_toy = {
    .name = "toy",
    .summary = "for tests",
    .format = "palette-1",
    .run = toy_run,
    .print = toy_print,
    .mutate = mutator_mutate,
    .cross = mutator_cross,
    .generate = palette_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    toy_run(data, size);
    return 0;
}
