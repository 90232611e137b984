/* Which calls are timed: one in `every`, in gaps that are drawn; each kind into its own histogram.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "allocators/backend.h"

enum { LATENCY_CALLS = 60000, LATENCY_EVERY = 10 };

static struct heap latency_heap;

static void latency_begin(uint64_t seed, uint32_t every)
{
    memset(&heap_latency, 0, sizeof(heap_latency));
    heap_latency.every = every;
    heap_latency.seed = seed;
    heap_latency.on = true;
}

static uint64_t latency_count(enum heap_call call)
{
    return heap_latency.calls[call].count;
}

/* An allocation and a free each. */
static void latency_call(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *block = heap_alloc(&latency_heap, 64, HEAP_RAW);
        heap_free(&latency_heap, block, 64, HEAP_RAW);
    }
}

static void test_nothing_is_timed_unasked(void **state)
{
    (void)state;
    latency_begin(1, 1);
    heap_latency.on = false;
    latency_call(100);
    assert_int_equal(latency_count(HEAP_CALL_ALLOC) + latency_count(HEAP_CALL_FREE), 0);
}

/* Runs in a thread of its own, whose gaps are drawn anew: all but the first call are timed. */
static void *latency_time_all(void *unused)
{
    latency_begin(1, 1);
    latency_call(50);
    void *block = heap_alloc(&latency_heap, 64, HEAP_RAW);
    block = heap_resize(&latency_heap, block, 64, 400, HEAP_RAW);
    heap_free(&latency_heap, block, 400, HEAP_RAW);
    heap_latency.on = false;
    return unused;
}

static void test_every_call_is_timed(void **state)
{
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, latency_time_all, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(latency_count(HEAP_CALL_ALLOC), 50); /* the first call drew */
    assert_int_equal(latency_count(HEAP_CALL_RESIZE), 1);
    assert_int_equal(latency_count(HEAP_CALL_FREE), 51);
    for (int call = 0; call < HEAP_CALL_COUNT; call++) { /* a call, not a clock's reading */
        assert_true(heap_latency.calls[call].max < UINT64_C(10000000000));
    }
}

/* Gaps from 1 to 2 every − 1, all of them, so that the mean is `every`; drawn from the seed. */
static void *latency_watch_gaps(void *gaps)
{
    uint64_t *seen = gaps;
    bool is_drawn = false;
    latency_begin(5, LATENCY_EVERY);
    for (size_t i = 0, gap = 0; i < LATENCY_CALLS; i++) {
        uint64_t before = latency_count(HEAP_CALL_ALLOC) + latency_count(HEAP_CALL_FREE);
        void *block = heap_alloc(&latency_heap, 64, HEAP_RAW);
        gap++;
        if (latency_count(HEAP_CALL_ALLOC) + latency_count(HEAP_CALL_FREE) > before) {
            seen[gap < 63 ? gap : 63] += is_drawn; /* the first call of all only draws */
            is_drawn = true;
            gap = 0;
        }
        heap_latency.on = false; /* the free is not a call of this test */
        heap_free(&latency_heap, block, 64, HEAP_RAW);
        heap_latency.on = true;
    }
    heap_latency.on = false;
    return gaps;
}

static void test_gaps_are_uniform(void **state)
{
    static uint64_t gaps[3][64];
    pthread_t thread;
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&thread, NULL, latency_watch_gaps, gaps[i]), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    assert_memory_not_equal(gaps[0], gaps[1], sizeof(gaps[0])); /* each thread its own */
    assert_memory_not_equal(gaps[1], gaps[2], sizeof(gaps[0]));
    for (int i = 0; i < 3; i++) {
        uint64_t total = 0;
        for (int gap = 0; gap < 64; gap++) {
            total += gaps[i][gap];
        }
        double share = (double)total / (2 * LATENCY_EVERY - 1);
        for (int gap = 0; gap < 64; gap++) { /* within six standard deviations */
            double expected = gap >= 1 && gap <= 2 * LATENCY_EVERY - 1 ? share : 0;
            double off = (double)gaps[i][gap] - expected;
            assert_true(off * off <= 36 * expected);
        }
    }
}

/* Asking for a block's usable size warms what its free reads. */
static void test_sizes_are_not_asked_for_while_calls_are_timed(void **state)
{
    (void)state;
    memset(&heap_latency, 0, sizeof(heap_latency));
    uint64_t before = heap_probe.usable_bytes;
    void *block = heap_alloc(&latency_heap, 64, HEAP_RAW);
    assert_true(heap_probe.usable_bytes >= before + 64);
    heap_free(&latency_heap, block, 64, HEAP_RAW);
    assert_int_equal(heap_probe.usable_bytes, before);
    latency_begin(1, LATENCY_EVERY);
    block = heap_alloc(&latency_heap, 64, HEAP_RAW);
    assert_int_equal(heap_probe.usable_bytes, before);
    heap_free(&latency_heap, block, 64, HEAP_RAW);
    assert_int_equal(heap_probe.usable_bytes, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_are_not_asked_for_while_calls_are_timed),
        cmocka_unit_test(test_nothing_is_timed_unasked),
        cmocka_unit_test(test_every_call_is_timed),
        cmocka_unit_test(test_gaps_are_uniform),
    };
    if (heap_open(&latency_heap, NULL, NULL) != STATUS_OK) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    heap_close(&latency_heap);
    return failed;
}
