/* Pauses: what the histograms and the sliding windows say, against working it out by hand. */
#include <math.h>

#include "common/os_memory.h"
#include "common/rng.h"
#include "gc/pauses.h"
#include "gc/tests/gc_test.h"

enum { PAUSES_TEST_MANY = 400 };

/* The most pause time in any window of that length, tried at every edge of every pause. */
static uint64_t pauses_test_worst(const struct pause *list, size_t count, uint64_t length_ns)
{
    uint64_t worst = 0;
    for (size_t edge = 0; edge < 2 * count; edge++) {
        uint64_t end = list[edge / 2].end_ns;
        uint64_t left = edge % 2 == 0     ? list[edge / 2].begin_ns
                        : end > length_ns ? end - length_ns
                                          : 0;
        uint64_t right = left + length_ns;
        uint64_t inside = 0;
        for (size_t i = 0; i < count; i++) {
            uint64_t from = list[i].begin_ns > left ? list[i].begin_ns : left;
            uint64_t to = list[i].end_ns < right ? list[i].end_ns : right;
            inside += to > from ? to - from : 0;
        }
        worst = inside > worst ? inside : worst;
    }
    return worst;
}

static struct pauses *pauses_test_open(void)
{
    struct pauses *pauses = os_map(sizeof(*pauses));
    assert_non_null(pauses);
    pauses_reset(pauses);
    pauses->since_ns = 0; /* the tests' clock begins at 0 */
    return pauses;
}

static void test_utilisation_is_the_least_of_all_windows(void **state)
{
    (void)state;
    struct pauses *pauses = pauses_test_open();
    struct pause list[PAUSES_TEST_MANY];
    struct rng rng;
    rng_seed(&rng, 5);
    uint64_t now = 0, total = 0, longest = 0;
    for (size_t i = 0; i < PAUSES_TEST_MANY; i++) {
        uint64_t gap = rng_below(&rng, i % 7 == 0 ? 20000000 : 300000);
        uint64_t length = 1 + rng_below(&rng, i % 31 == 0 ? 4000000 : 200000);
        list[i] = (struct pause){now + gap, now + gap + length};
        now = list[i].end_ns;
        total += length;
        longest = length > longest ? length : longest;
        pauses_add(pauses, list[i].begin_ns, list[i].end_ns, i);
    }
    assert_true(now > pauses_window_ns[2]);
    for (int window = 0; window < PAUSES_WINDOWS; window++) {
        uint64_t length = pauses_window_ns[window];
        double worst = (double)pauses_test_worst(list, PAUSES_TEST_MANY, length);
        double expected = 1 - worst / (double)length;
        assert_true(fabs(pauses_utilisation(pauses, window, now) - expected) < 1e-12);
    }
    assert_int_equal(pauses->visited_total, PAUSES_TEST_MANY * (PAUSES_TEST_MANY - 1) / 2);
    assert_int_equal(pauses->visited.max, PAUSES_TEST_MANY - 1);
    assert_int_equal(pauses->cpu_ns.count, PAUSES_TEST_MANY);
    assert_int_equal(pauses->cpu_ns_total, total);
    assert_int_equal(pauses->cpu_ns.max, longest);
    pauses_add(pauses, now + 10, now + 10, 0); /* an empty one counts as a nanosecond */
    assert_int_equal(pauses->cpu_ns_total, total + 1);
    pauses_reset(pauses);
    assert_true(pauses->count == 0 && pauses->cpu_ns_total == 0 && pauses->visited_total == 0 &&
                pauses->cpu_ns.count == 0 && pauses->visited.count == 0);
    os_unmap(pauses, sizeof(*pauses));
}

/* A pause longer than the window leaves nothing to the program. */
static void test_a_long_pause_takes_the_whole_window(void **state)
{
    (void)state;
    struct pauses *pauses = pauses_test_open();
    pauses_add(pauses, 1000, 1000 + 5000000, 1);
    assert_true(fabs(pauses_utilisation(pauses, 0, 20000000)) < 1e-12);
    assert_true(fabs(pauses_utilisation(pauses, 1, 20000000) - 0.5) < 1e-12);
    assert_true(isnan(pauses_utilisation(pauses, 2, 20000000))); /* 20 ms are no 100 ms */
    os_unmap(pauses, sizeof(*pauses));
}

/* More pauses than are remembered: the windows that they fit into are still exact, the others say
 * that they do not know. */
static void test_windows_that_hold_too_many(void **state)
{
    (void)state;
    struct pauses *pauses = pauses_test_open();
    uint64_t now = 0;
    for (size_t i = 0; i < 3 * PAUSES_RECENT; i++) {
        pauses_add(pauses, now + 9000, now + 10000, 0);
        now += 10000;
    }
    assert_true(fabs(pauses_utilisation(pauses, 0, now) - 0.9) < 1e-12);
    assert_true(fabs(pauses_utilisation(pauses, 1, now) - 0.9) < 1e-12);
    pauses_reset(pauses);
    pauses->since_ns = now;
    for (size_t i = 0; i < 3 * PAUSES_RECENT; i++) {
        pauses_add(pauses, now + 900, now + 1000, 0);
        now += 10000; /* 8192 of them are 82 ms */
    }
    assert_true(fabs(pauses_utilisation(pauses, 1, now) - 0.99) < 1e-12);
    assert_true(isnan(pauses_utilisation(pauses, 2, now)));
    os_unmap(pauses, sizeof(*pauses));
}

static void pauses_test_count(void *context)
{
    ++*(int *)context;
}

static void test_nested_pauses_are_one(void **state)
{
    (void)state;
    struct pauses *pauses = pauses_test_open();
    int ended = 0;
    pauses->ended = pauses_test_count;
    pauses->ended_context = &ended;
    pauses_begin(pauses);
    pauses_begin(pauses);
    pauses_end(pauses, 3);
    assert_int_equal(ended, 0);
    pauses_end(pauses, 4);
    assert_int_equal(ended, 1);
    assert_int_equal(pauses->count, 1);
    assert_int_equal(pauses->visited.max, 7);
    os_unmap(pauses, sizeof(*pauses));
}

/* A collection's pause takes no longer than the thread has run meanwhile. */
static void test_a_pause_begins_when_it_begins(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    uint64_t before = clock_thread_cpu_ns();
    uint64_t paused = runtime_pauses(runtime)->cpu_ns_total;
    assert_true(before > 0);
    gc_collect(runtime, GC_GENERATIONS - 1);
    paused = runtime_pauses(runtime)->cpu_ns_total - paused;
    assert_in_range(paused, 1, clock_thread_cpu_ns() - before);
}

int pauses_test(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utilisation_is_the_least_of_all_windows),
        cmocka_unit_test(test_a_long_pause_takes_the_whole_window),
        cmocka_unit_test(test_windows_that_hold_too_many),
        cmocka_unit_test(test_nested_pauses_are_one),
        GC_TEST(test_a_pause_begins_when_it_begins),
    };
    return cmocka_run_group_tests_name("pauses", tests, NULL, NULL);
}
