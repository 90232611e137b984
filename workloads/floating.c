#include "workloads/floating.h"

static void floating_pause_ended(void *context)
{
    floating_update(context);
}

void floating_open(struct floating *floating, struct runtime *runtime)
{
    struct pauses *pauses = runtime_pauses(runtime);
    floating->runtime = runtime;
    floating->collected = gc_collected(runtime);
    pauses->ended = floating_pause_ended;
    pauses->ended_context = floating;
}

void floating_reset(struct floating *floating)
{
    floating_update(floating);
    floating->containers_peak = floating->containers;
    floating->bytes_peak = floating->bytes;
    floating->died = 0;
    floating->ages = (struct histogram){0};
}

static struct floating_batch *floating_batch(struct floating *floating, uint64_t ordinal)
{
    return &floating->batches[ordinal % FLOATING_BATCHES];
}

void floating_add(struct floating *floating, uint64_t containers, uint64_t bytes)
{
    if (containers == 0) {
        return;
    }
    if (floating->next - floating->first == FLOATING_BATCHES) {
        struct floating_batch *last = floating_batch(floating, floating->next - 1);
        last->containers += containers;
        last->bytes += bytes;
    } else {
        *floating_batch(floating, floating->next++) =
            (struct floating_batch){containers, bytes, heap_allocations};
    }
    floating->died += containers;
    floating->containers += containers;
    floating->bytes += bytes;
    if (floating->containers > floating->containers_peak) {
        floating->containers_peak = floating->containers;
    }
    if (floating->bytes > floating->bytes_peak) {
        floating->bytes_peak = floating->bytes;
    }
}

/* Removes at most all of the oldest batch. Returns the number of containers. */
static uint64_t floating_take(struct floating *floating, uint64_t freed)
{
    struct floating_batch *oldest = floating_batch(floating, floating->first);
    uint64_t taken = freed < oldest->containers ? freed : oldest->containers;
    uint64_t bytes = (uint64_t)((double)oldest->bytes * (double)taken / (double)oldest->containers);
    oldest->containers -= taken;
    oldest->bytes -= bytes;
    floating->containers -= taken;
    floating->bytes -= bytes;
    if (oldest->containers == 0) {
        histogram_add(&floating->ages, heap_allocations - oldest->died_at);
        floating->first++;
    }
    return taken;
}

void floating_update(struct floating *floating)
{
    uint64_t collected = gc_collected(floating->runtime);
    uint64_t freed = collected - floating->collected;
    floating->collected = collected;
    while (freed > 0 && floating->first != floating->next) {
        freed -= floating_take(floating, freed);
    }
}

void floating_waiting(const struct floating *floating, struct histogram *waiting)
{
    for (uint64_t ordinal = floating->first; ordinal != floating->next; ordinal++) {
        histogram_add(waiting,
                      heap_allocations - floating->batches[ordinal % FLOATING_BATCHES].died_at);
    }
}
