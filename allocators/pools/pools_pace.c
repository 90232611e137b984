/* When `pools` gives memory back.
 *
 * Units that are free and hold memory are given back when they were free through all of an epoch:
 * the fewest dirty units that there were in it are more than the program needed. An epoch is a
 * second and 64 takings or releases of units, or 16384 of these, whichever comes first. */
#include <time.h>

#include "allocators/pools/pools_internal.h"

enum { POOLS_EPOCH_MS = 1000, POOLS_EPOCH_EVENTS = 16384, POOLS_CLOCK_EVENTS = 64 };

static uint64_t pools_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pools_epoch_end(struct pools_heap *heap, uint64_t now_ms)
{
    pools_units_purge(heap, heap->epoch_dirty_min);
    heap->epoch_dirty_min = heap->dirty_units;
    heap->epoch_events = 0;
    heap->epoch_began_ms = now_ms;
}

void pools_pace(struct pools_heap *heap)
{
    if (heap->dirty_units < heap->epoch_dirty_min) {
        heap->epoch_dirty_min = heap->dirty_units;
    }
    if (++heap->epoch_events % POOLS_CLOCK_EVENTS != 0) {
        return;
    }
    uint64_t now_ms = pools_now_ms();
    if (now_ms - heap->epoch_began_ms >= POOLS_EPOCH_MS ||
        heap->epoch_events >= POOLS_EPOCH_EVENTS) {
        pools_epoch_end(heap, now_ms);
    }
}
