/* The contract's own counters, once in each program that binds a back end. */
#include "allocators/backend.h"

_Thread_local uint64_t heap_allocations;

#ifdef HEAPMILL_PROBE
struct heap_probe heap_probe;
_Thread_local bool heap_slow_path;
struct heap_latency heap_latency;
_Thread_local struct heap_latency_thread heap_latency_thread;

bool heap_latency_draw(void)
{
    static uint64_t threads; /* each one its own stream */
    struct heap_latency_thread *thread = &heap_latency_thread;
    bool first = thread->left == 0;
    if (first) {
        uint64_t number = __atomic_fetch_add(&threads, 1, __ATOMIC_RELAXED);
        rng_seed(&thread->rng, heap_latency.seed ^ (number << 56));
    }
    /* Uniform from 1 to 2 every - 1, so every on average. */
    thread->left = 1 + rng_below(&thread->rng, 2 * (uint64_t)heap_latency.every - 1);
    return !first;
}
#endif

#ifdef HEAPMILL_FAULTS
_Thread_local struct heap_faults heap_faults;
#endif
