#include "common/timer.h"

#include <stddef.h>

#include "common/histogram.h"
#ifdef __x86_64__
#include <cpuid.h>
#endif

enum { TIMER_COST_READINGS = 10001, TIMER_MOMENT_TRIES = 32 };

/* The span over which the rate is taken: the error of its ends, tens of ns, is 1e-5 of it. */
static const uint64_t TIMER_CALIBRATION_NS = 10 * 1000 * 1000;

#ifdef __x86_64__
static bool timer_has_tsc(void)
{
    unsigned eax;
    unsigned ebx;
    unsigned ecx;
    unsigned edx;
    bool rdtscp = __get_cpuid(0x80000001u, &eax, &ebx, &ecx, &edx) != 0 && (edx >> 27 & 1u) != 0;
    bool invariant = __get_cpuid(0x80000007u, &eax, &ebx, &ecx, &edx) != 0 && (edx >> 8 & 1u) != 0;
    return rdtscp && invariant;
}
#else
static bool timer_has_tsc(void)
{
    return false;
}
#endif

/* One moment on both clocks: of several tries the one with the least time between the readings, so
 * that an interrupt in between does no harm. */
static void timer_take_moment(uint64_t *ticks, uint64_t *ns)
{
    uint64_t narrowest = UINT64_MAX;
    for (int i = 0; i < TIMER_MOMENT_TRIES; i++) {
        uint64_t before = timer_begin(true);
        uint64_t now = clock_wall_ns();
        uint64_t after = timer_end(true);
        if (after - before < narrowest) {
            narrowest = after - before;
            *ticks = before + narrowest / 2;
            *ns = now;
        }
    }
}

static double timer_find_rate(void)
{
    uint64_t begin_ticks = 0;
    uint64_t begin_ns = 0;
    uint64_t end_ticks = 0;
    uint64_t end_ns = 0;
    timer_take_moment(&begin_ticks, &begin_ns);
    while (clock_wall_ns() - begin_ns < TIMER_CALIBRATION_NS) {
    }
    timer_take_moment(&end_ticks, &end_ns);
    return (double)(end_ns - begin_ns) / (double)(end_ticks - begin_ticks);
}

/* Counters of some processors run in steps of many ticks. Only values below 128 ticks, which have
 * buckets of their own, are looked at. */
static double timer_find_step(const struct timer *timer, const struct histogram *readings)
{
    size_t before = 2 * HISTOGRAM_PRECISION; /* the last bucket that was not empty; that: none */
    size_t step = 0;
    for (size_t i = 0; i < 2 * HISTOGRAM_PRECISION; i++) {
        if (readings->buckets[i] > 0) {
            bool first = before == 2 * HISTOGRAM_PRECISION;
            step = !first && (step == 0 || i - before < step) ? i - before : step;
            before = i;
        }
    }
    return (double)(step == 0 ? 1 : step) * timer->ns_per_tick;
}

static void timer_find_cost(struct timer *timer)
{
    static struct histogram readings; /* not on the stack, which may be a thread's small one */
    readings = (struct histogram){0};
    for (int i = 0; i < TIMER_COST_READINGS; i++) {
        uint64_t begin = timer_begin(timer->tsc);
        histogram_add(&readings, timer_end(timer->tsc) - begin);
    }
    timer->cost_ns = (double)histogram_quantile(&readings, 0.5) * timer->ns_per_tick;
    timer->step_ns = timer_find_step(timer, &readings);
}

void timer_open(struct timer *timer)
{
    *timer = (struct timer){.tsc = timer_has_tsc(), .ns_per_tick = 1};
    if (timer->tsc) {
        timer->ns_per_tick = timer_find_rate();
    }
    timer_find_cost(timer);
}

const char *timer_name(const struct timer *timer)
{
    return timer->tsc ? "rdtscp" : "clock_gettime";
}
