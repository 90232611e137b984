/* How long single calls of the contract take: what probe workers record in the latency pass.
 *
 * One call in `every` is timed, and the gaps between timed calls are random: an even step would see
 * the same call of a loop again and again. What is timed is the back end's own call, without what a
 * probe counts. Included by allocators/backend.h alone; in other programs it all comes to nothing.
 */
#ifndef HEAPMILL_ALLOCATORS_PROBE_LATENCY_H
#define HEAPMILL_ALLOCATORS_PROBE_LATENCY_H

enum heap_call { HEAP_CALL_ALLOC, HEAP_CALL_FREE, HEAP_CALL_RESIZE, HEAP_CALL_COUNT };

#ifdef HEAPMILL_PROBE
#include "common/histogram.h"
#include "common/rng.h"
#include "common/timer.h"

/* Set by workloads/latency.c while no other thread is in the heap. */
struct heap_latency {
    bool on;
    bool tsc; /* which clock, as struct timer */
    uint32_t every;
    uint64_t seed;
    struct histogram calls[HEAP_CALL_COUNT]; /* in ticks of the timer */
};

/* Each thread draws its own gaps. */
struct heap_latency_thread {
    uint64_t left; /* calls up to the next that is timed, that one included; 0: none drawn yet */
    struct rng rng;
};

extern struct heap_latency heap_latency;
extern _Thread_local struct heap_latency_thread heap_latency_thread;

/* Draws the next gap; slow, so that what every call does stays short. False: it was the first. */
bool heap_latency_draw(void);

/* In ticks; 0: this call is not timed. */
static inline uint64_t heap_latency_begin(void)
{
    if (__builtin_expect(!heap_latency.on, true)) {
        return 0;
    }
    if (heap_latency_thread.left > 1) {
        heap_latency_thread.left--;
        return 0;
    }
    return heap_latency_draw() ? timer_begin(heap_latency.tsc) : 0;
}

static inline void heap_latency_end(enum heap_call call, uint64_t begin)
{
    if (__builtin_expect(begin != 0, false)) {
        uint64_t end = timer_end(heap_latency.tsc);
        histogram_add(&heap_latency.calls[call], end - begin);
    }
}
#else
#define heap_latency_begin() 0
#define heap_latency_end(call, begin) ((void)(begin))
#endif

#endif
