/* The finest clock there is, for the time of a single call.
 *
 * Where the processor has a time-stamp counter of constant rate (x86-64 with the "invariant TSC"
 * bit, CPUID 80000007H, EDX bit 8) it is read directly, between fences so that what is timed lies
 * wholly between the readings (after Paoloni, "How to Benchmark Code Execution Times on Intel IA-32
 * and IA-64", 2010, with LFENCE for CPUID, which traps in virtual machines). Elsewhere it is
 * clock_gettime(CLOCK_MONOTONIC), whose tick is a nanosecond.
 *
 * A reading is not free. timer_cost_ns says what nothing at all seems to take; whoever subtracts it
 * must say so, and nothing here does. */
#ifndef HEAPMILL_COMMON_TIMER_H
#define HEAPMILL_COMMON_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"

struct timer {
    bool tsc; /* else clock_gettime */
    double ns_per_tick;
    double cost_ns; /* the median of what an empty stretch is measured as */
    double step_ns; /* the smallest difference between such measures: what cannot be told apart */
};

/* Chooses the clock, finds its rate against CLOCK_MONOTONIC (to about 10 parts in a million) and
 * its cost. Takes about 12 ms. */
void timer_open(struct timer *timer);

/* "rdtscp" or "clock_gettime". */
const char *timer_name(const struct timer *timer);

#ifdef __x86_64__
/* In ticks. What follows in the program starts after the reading. */
static inline uint64_t timer_begin(bool tsc)
{
    if (!tsc) {
        return clock_wall_ns();
    }
    uint32_t low;
    uint32_t high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* In ticks. What comes before it in the program has ended by the reading. */
static inline uint64_t timer_end(bool tsc)
{
    if (!tsc) {
        return clock_wall_ns();
    }
    uint32_t low;
    uint32_t high;
    __asm__ volatile("rdtscp\n\tlfence" : "=a"(low), "=d"(high) : : "rcx", "memory");
    return (uint64_t)high << 32 | low;
}
#else
static inline uint64_t timer_begin(bool tsc)
{
    (void)tsc;
    return clock_wall_ns();
}

static inline uint64_t timer_end(bool tsc)
{
    (void)tsc;
    return clock_wall_ns();
}
#endif

#endif
