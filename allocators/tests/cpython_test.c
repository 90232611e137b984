/* The back end `cpython`: that it is libpython's pymalloc whatever the environment says, and that
 * what it holds is counted. Python.h is included beside the back end's own declarations, so that a
 * difference between them does not compile. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "allocators/backend.h"

enum { ARENA_BYTES = 1 << 20, BLOCKS = 20000, BLOCK_BYTES = 512 };

static struct heap_stats stats_of(const struct heap *heap)
{
    struct heap_stats stats;
    heap_stats(heap, &stats);
    return stats;
}

static void test_held_bytes_follow_the_arenas(void **state)
{
    (void)state;
    static void *blocks[BLOCKS];
    struct heap heap;
    assert_int_equal(heap_open(&heap, NULL, NULL), STATUS_OK);
    struct heap_stats before = stats_of(&heap);
    assert_int_equal(before.blocks_live, 0); /* the interpreter's blocks are not the heap's */
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = heap_alloc(&heap, BLOCK_BYTES, HEAP_RAW);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % CPYTHON_ALIGNMENT, 0);
    }
    struct heap_stats full = stats_of(&heap);
    assert_int_equal(full.blocks_live - before.blocks_live, BLOCKS);
    /* 10 MB in pools of 31 blocks, 63 or 64 of them in an arena. */
    assert_in_range(full.arenas_live - before.arenas_live, 9, 11);
    assert_true(full.held_bytes - before.held_bytes >=
                (full.arenas_live - before.arenas_live) * ARENA_BYTES);
    for (size_t i = 0; i < BLOCKS; i++) {
        heap_free(&heap, blocks[i], BLOCK_BYTES, HEAP_RAW);
    }
    struct heap_stats empty = stats_of(&heap);
    assert_int_equal(empty.blocks_live, before.blocks_live);
    assert_in_range(empty.arenas_live, 0, 2);
    assert_int_equal(full.held_bytes - empty.held_bytes,
                     (full.arenas_live - empty.arenas_live) * ARENA_BYTES);
    assert_true(empty.held_bytes_peak >= full.held_bytes);
    heap_close(&heap);
}

static void test_held_bytes_follow_large_blocks(void **state)
{
    (void)state;
    struct heap heap;
    assert_int_equal(heap_open(&heap, NULL, NULL), STATUS_OK);
    struct heap_stats before = stats_of(&heap);
    void *block = heap_alloc(&heap, 100000, HEAP_RAW);
    struct heap_stats one = stats_of(&heap);
    assert_in_range(one.held_bytes - before.held_bytes, 100000, 110000);
    assert_int_equal(one.blocks_live - before.blocks_live, 1);
    block = heap_resize(&heap, block, 100000, 300000, HEAP_RAW);
    assert_in_range(stats_of(&heap).held_bytes - before.held_bytes, 300000, 310000);
    heap_free(&heap, block, 300000, HEAP_RAW);
    assert_int_equal(stats_of(&heap).held_bytes, before.held_bytes);
    assert_int_equal(stats_of(&heap).blocks_live, before.blocks_live);
    heap_close(&heap);
}

/* Runs with PYTHONMALLOC=malloc_debug, see CMakeLists.txt: it must not matter. */
static void test_environment_does_not_choose_the_allocator(void **state)
{
    (void)state;
    assert_string_equal(getenv("PYTHONMALLOC"), "malloc_debug");
    struct heap heap;
    assert_int_equal(heap_open(&heap, NULL, NULL), STATUS_OK);
    unsigned char *first = heap_alloc(&heap, 48, HEAP_RAW);
    unsigned char *second = heap_alloc(&heap, 48, HEAP_RAW);
    /* Neighbours without a debugger's guards between them. */
    assert_ptr_equal(second, first + 48);
    heap_free(&heap, first, 48, HEAP_RAW);
    heap_free(&heap, second, 48, HEAP_RAW);
    heap_close(&heap);
}

static void test_a_printing_libpython_is_refused(void **state)
{
    (void)state;
    struct heap heap;
    struct error error;
    assert_int_equal(setenv("PYTHONMALLOCSTATS", "1", 1), 0);
    assert_int_equal(heap_open(&heap, NULL, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "unset it"));
    assert_int_equal(unsetenv("PYTHONMALLOCSTATS"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environment_does_not_choose_the_allocator),
        cmocka_unit_test(test_held_bytes_follow_the_arenas),
        cmocka_unit_test(test_held_bytes_follow_large_blocks),
        cmocka_unit_test(test_a_printing_libpython_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
