/* A trace as programs of the palette format: what they play is what the trace says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/host/files.h"
#include "common/host/text.h"
#include "common/rng.h"
#include "common/tests/test_directory.h"
#include "fuzz/block_program.h"
#include "fuzz/campaign/trace_seeds.h"
#include "traces/host/writer.h"

enum { OPERATIONS = 256, EVENTS = 10 * OPERATIONS, LIVE_MAX = 60 };

/* The first two are frequent, and the only ones that blocks are resized to; all are near one of the
 * four most frequent. */
enum { SIZES = 6, SIZES_RESIZED = 2 };
static const size_t sizes[SIZES] = {24, 200, 27, 190, 30, 180};

/* A random trace; *expected is what a player does for it. As a stretch begins, nothing is alive. */
static char *write_trace(struct block_step *expected)
{
    struct rng rng;
    struct trace_writer *writer;
    uint32_t live[LIVE_MAX], count = 0;
    char *path = text_format("%s/random.hmtrace", directory);
    json_t *description = json_object();
    rng_seed(&rng, 5);
    assert_int_equal(trace_writer_open(&writer, path, description, 3, NULL), STATUS_OK);
    json_decref(description);
    for (int i = 0; i < EVENTS; i++) {
        uint32_t left = OPERATIONS - (uint32_t)(i % OPERATIONS);
        bool takes = count + 1 < left && count < LIVE_MAX && (count == 0 || rng_below(&rng, 5) < 3);
        bool resizes = !takes && count < left && (left == 2 || rng_below(&rng, 3) == 0);
        size_t size = sizes[rng_below(&rng, resizes ? SIZES_RESIZED : SIZES)];
        size_t at = count > 0 ? rng_below(&rng, count) : 0;
        if (takes) {
            live[count++] = trace_writer_take(writer, TRACE_MALLOC, size, 0);
            expected[i] = (struct block_step){.kind = BLOCK_ALLOC, .slot = live[count - 1], size};
        } else if (resizes) {
            trace_writer_resize(writer, TRACE_REALLOC, live[at], size);
            expected[i] = (struct block_step){.kind = BLOCK_RESIZE, .slot = live[at], size};
        } else {
            trace_writer_give(writer, TRACE_FREE, live[at]);
            expected[i] = (struct block_step){.kind = BLOCK_FREE, .slot = live[at]};
            live[at] = live[--count];
        }
    }
    assert_int_equal(trace_writer_close(writer, NULL, NULL), STATUS_OK);
    return path;
}

/* Plays the program; slots of the two may have other numbers, but are the same blocks. */
static void expect_program(const char *path, const struct block_step *expected)
{
    static struct block_program program;
    static uint32_t theirs[BLOCK_SLOTS];
    struct block_step step;
    char *data;
    size_t size;
    assert_int_equal(file_read(path, &data, &size, NULL), STATUS_OK);
    block_program_begin(&program, (const uint8_t *)data, size);
    for (int i = 0; i < OPERATIONS; i++) {
        assert_true(block_program_next(&program, &step));
        assert_int_equal(step.kind, expected[i].kind);
        if (step.kind == BLOCK_ALLOC) {
            theirs[step.slot] = expected[i].slot;
        }
        assert_int_equal(theirs[step.slot], expected[i].slot);
        if (step.kind != BLOCK_FREE) {
            assert_int_equal(step.size, expected[i].size);
        }
    }
    assert_false(block_program_next(&program, &step));
    free(data);
}

static void programs_do_what_the_trace_says(void **state)
{
    static struct block_step expected[EVENTS];
    size_t count;
    (void)state;
    char *trace = write_trace(expected);
    assert_int_equal(fuzz_trace_seeds(trace, directory, OPERATIONS, &count, NULL), STATUS_OK);
    assert_int_equal(count, EVENTS / OPERATIONS);
    for (size_t i = 0; i < count; i++) {
        char *path = text_format("%s/trace-%03zu", directory, i);
        expect_program(path, expected + i * OPERATIONS);
        free(path);
    }
    free(trace);
}

/* Real ones have sizes, and numbers alive, that programs only come near to. */
static void real_traces_become_programs(void **state)
{
    static struct block_program program;
    struct block_step step;
    size_t count, size, allocations = 0;
    char *data;
    (void)state;
    assert_int_equal(fuzz_trace_seeds("python-json", directory, 1024, &count, NULL), STATUS_OK);
    assert_int_equal(count, FUZZ_TRACE_SEEDS);
    char *path = text_format("%s/trace-100", directory);
    assert_int_equal(file_read(path, &data, &size, NULL), STATUS_OK);
    block_program_begin(&program, (const uint8_t *)data, size);
    while (block_program_next(&program, &step)) {
        allocations += step.kind == BLOCK_ALLOC;
    }
    assert_true(allocations > 100);
    free(data);
    free(path);
}

static void what_is_no_trace_is_refused(void **state)
{
    size_t count;
    (void)state;
    assert_int_equal(fuzz_trace_seeds("/nonexistent", directory, 256, &count, NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(fuzz_trace_seeds("/etc/passwd", directory, 256, &count, NULL), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_do_what_the_trace_says),
        cmocka_unit_test(real_traces_become_programs),
        cmocka_unit_test(what_is_no_trace_is_refused),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
