/* When `pools` gives memory back.
 *
 * Busy: units that are free and hold memory are given back when they were free through all of an
 * epoch: the fewest dirty units that there were in it are more than the program needed. An epoch is
 * a second and 64 takings or releases of units, or 16384 of these, whichever comes first.
 *
 * After a drop: a program that has freed much and then does little takes and releases no units at
 * all. So when a third of what is held is free, and more than a mebibyte, the thread whose free
 * made it so attends: it empties its stacks and keeps them closed, so that each of its frees comes
 * by here. When that has lasted for POOLS_ATTEND_MS, all dirty units are given back; when units are
 * needed again before, nothing is. So after a drain what is held is what lives within a quarter of
 * a second and POOLS_CLOCK_FREES frees after that. */
#include <time.h>

#include "allocators/pools/pools_internal.h"

enum {
    POOLS_EPOCH_MS = 1000,
    POOLS_EPOCH_EVENTS = 16384,
    POOLS_CLOCK_EVENTS = 64,
    POOLS_ATTEND_MS = 250,
    POOLS_CLOCK_FREES = 16, /* an attending thread reads the clock once in this many frees */
    POOLS_WASTE_UNITS = 32,
};

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
    bool is_wasteful =
        heap->dirty_units > POOLS_WASTE_UNITS && heap->dirty_units > heap->used_units / 2;
    __atomic_store_n(&heap->is_wasteful, is_wasteful, __ATOMIC_RELAXED);
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

/* ---------------------------------------------------------------- after a drop */
static void pools_attend_end(struct pools_heap *heap, struct pools_local *local)
{
    local->attends = false;
    pools_stacks_open(heap, local, true);
}

void pools_attend(struct pools_heap *heap, struct pools_local *local)
{
    bool is_wasteful = __atomic_load_n(&heap->is_wasteful, __ATOMIC_RELAXED);
    if (!local->attends && is_wasteful) {
        local->attends = true;
        local->attends_since_ms = pools_now_ms();
        local->attended = 0;
        pools_stacks_open(heap, local, false);
        pools_local_flush(heap, local);
    } else if (local->attends && !is_wasteful) {
        pools_attend_end(heap, local);
    } else if (local->attends && ++local->attended % POOLS_CLOCK_FREES == 0 &&
               pools_now_ms() - local->attends_since_ms >= POOLS_ATTEND_MS) {
        pools_lock(heap);
        pools_units_purge(heap, heap->dirty_units);
        pools_unlock(heap);
        pools_attend_end(heap, local);
    }
}
