/* The calls that a probe counts by size, and those that left pymalloc's fast path, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "workloads/calls.h"

static void test_sizes_and_their_bounds(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint64_t most;
    } known[] = {
        {0, 16},     {1, 16},      {16, 16},     {17, 32},           {512, 512},
        {513, 1024}, {1024, 1024}, {1025, 2048}, {1 << 20, 1 << 20}, {(1 << 20) + 1, 1 << 21}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_int_equal(known[i].most, heap_probe_size_max(heap_probe_size_index(known[i].size)));
    }
    for (unsigned i = 0; i < HEAP_PROBE_SIZES; i++) {
        assert_int_equal(i, heap_probe_size_index((size_t)heap_probe_size_max(i)));
    }
    assert_int_equal(HEAP_PROBE_SIZES - 1, heap_probe_size_index(SIZE_MAX));
}

/* What happened since the last call of this function. */
static struct heap_probe since(void)
{
    static struct heap_probe before;
    struct heap_probe now;
    calls_read(&now);
    struct heap_probe difference = now;
    calls_subtract(&difference, &before);
    before = now;
    return difference;
}

enum { BLOCKS = 10 };

static void test_each_call_counts_once(void **state)
{
    (void)state;
    static struct heap heap;
    struct error error;
    void *blocks[BLOCKS];
    assert_int_equal(STATUS_OK, heap_open(&heap, NULL, &error));
    (void)since();
    /* A fresh pool carves block by block: each one is slow, the first too, which takes a pool. */
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = heap_alloc(&heap, 30, HEAP_RAW);
    }
    struct heap_probe calls = since();
    assert_int_equal(BLOCKS, calls.allocs);
    assert_int_equal(BLOCKS, calls.allocs_by_size[1]);
    assert_int_equal(BLOCKS, calls.slow_allocs);
    /* Blocks that come back to a pool with free ones, and out of its list, are fast. */
    for (int i = 0; i < 4; i++) {
        heap_free(&heap, blocks[i], 30, HEAP_RAW);
    }
    for (int i = 0; i < 3; i++) {
        blocks[i] = heap_alloc(&heap, 20, HEAP_RAW);
    }
    calls = since();
    assert_int_equal(4, calls.frees_by_size[1]);
    assert_int_equal(3, calls.allocs);
    assert_int_equal(0, calls.slow_allocs + calls.slow_frees);
    /* In place, then to another class whose pool is new, then to the system. */
    blocks[0] = heap_resize(&heap, blocks[0], 20, 31, HEAP_RAW);
    calls = since();
    assert_int_equal(1, calls.resizes);
    assert_int_equal(0, calls.slow_resizes);
    blocks[0] = heap_resize(&heap, blocks[0], 31, 200, HEAP_RAW);
    blocks[0] = heap_resize(&heap, blocks[0], 200, 5000, HEAP_RAW);
    calls = since();
    assert_int_equal(2, calls.resizes);
    assert_int_equal(2, calls.slow_resizes);
    assert_int_equal(0, calls.allocs + calls.frees + calls.slow_allocs + calls.slow_frees);
    heap_free(&heap, blocks[0], 5000, HEAP_RAW);
    calls = since();
    assert_int_equal(1, calls.slow_frees);
    assert_int_equal(1, calls.frees_by_size[heap_probe_size_index(8192)]);
    heap_close(&heap);
}

/* The pool's last block leaves it: slow. What trim does is no call. */
static void test_the_last_block_of_a_pool(void **state)
{
    (void)state;
    static struct heap heap;
    struct error error;
    assert_int_equal(STATUS_OK, heap_open(&heap, NULL, &error));
    void *block = heap_alloc(&heap, 100, HEAP_RAW);
    (void)since();
    heap_free(&heap, block, 100, HEAP_RAW);
    assert_int_equal(1, since().slow_frees);
    heap_slow_mark();
    heap_trim(&heap);
    block = heap_alloc(&heap, 100, HEAP_RAW);
    assert_int_equal(1, since().slow_allocs);
    heap_free(&heap, block, 100, HEAP_RAW);
    heap_close(&heap);
}

static void test_the_member(void **state)
{
    (void)state;
    static struct heap_probe calls;
    char text[1024];
    struct json_writer writer;
    calls.allocs = calls.allocs_by_size[2] = 7;
    calls.slow_allocs = 5;
    json_writer_begin(&writer, text, sizeof(text));
    json_open_object(&writer, NULL);
    calls_write(&writer, &calls);
    json_close_object(&writer);
    assert_true(json_writer_end(&writer) > 0);
    assert_non_null(strstr(text, "\"by_size\":[[48,7,0]]"));
    assert_non_null(strstr(text, "\"slow_allocs\":5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_and_their_bounds),
        cmocka_unit_test(test_each_call_counts_once),
        cmocka_unit_test(test_the_last_block_of_a_pool),
        cmocka_unit_test(test_the_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
