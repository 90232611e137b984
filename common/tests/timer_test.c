/* The timer of single calls against the clock that it was set by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/timer.h"

/* A stretch of 20 ms on both clocks. An interrupt between the two readings disturbs it, so that
 * one good try of ten is enough. */
static void test_agrees_with_the_monotonic_clock(void **state)
{
    (void)state;
    struct timer timer;
    double best = 1;
    timer_open(&timer);
    for (int i = 0; i < 10 && best > 0.001; i++) {
        uint64_t begin_ns = clock_wall_ns();
        uint64_t begin = timer_begin(timer.tsc);
        while (clock_wall_ns() - begin_ns < 20 * 1000 * 1000) {
        }
        uint64_t ticks = timer_end(timer.tsc) - begin;
        double wall_ns = (double)(clock_wall_ns() - begin_ns);
        double error = (double)ticks * timer.ns_per_tick / wall_ns - 1;
        error = error < 0 ? -error : error;
        best = error < best ? error : best;
    }
    assert_true(best <= 0.001);
}

static void test_cost_is_that_of_an_empty_stretch(void **state)
{
    (void)state;
    struct timer timer;
    timer_open(&timer);
    print_message("%s: %.4f ns a tick, steps of %.1f ns, an empty stretch takes %.1f ns\n",
                  timer_name(&timer), timer.ns_per_tick, timer.step_ns, timer.cost_ns);
    assert_true(timer.step_ns >= timer.ns_per_tick && timer.step_ns < 1000);
    assert_true(timer.cost_ns >= 0 && timer.cost_ns < 2000);
    assert_true(timer.ns_per_tick > 0.05 && timer.ns_per_tick <= 10);
    assert_string_equal(timer_name(&timer), timer.tsc ? "rdtscp" : "clock_gettime");
}

static void test_never_runs_backwards(void **state)
{
    (void)state;
    struct timer timer;
    timer_open(&timer);
    uint64_t last = timer_begin(timer.tsc);
    for (int i = 0; i < 100000; i++) {
        uint64_t now = i % 2 == 0 ? timer_end(timer.tsc) : timer_begin(timer.tsc);
        assert_true(now >= last);
        last = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_the_monotonic_clock),
        cmocka_unit_test(test_cost_is_that_of_an_empty_stretch),
        cmocka_unit_test(test_never_runs_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
