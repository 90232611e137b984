/* The back end `null`: the floor of time. It hands out memory and keeps no books.
 *
 * Algorithm: a pointer moves through a preallocated, pre-faulted ring and starts over at its end;
 * free does nothing. What a workload costs under `null` is its own work plus one compare and one
 * addition per block, so another back end's time can be read as a distance from it.
 *
 * What was allocated before begin_run is set-up and stays: it comes from spans of its own, which
 * grow as needed and are never reused. The fast path has no branch for that: before begin_run next
 * and end lie in a set-up span, afterwards in the ring.
 *
 * Limits. The ring is twice heap_options.window_bytes (rounded up to a power of two, 1 MiB at
 * least; 64 MiB are assumed when no window is given): an object that is still alive after that much
 * further allocation IS OVERWRITTEN. A block that is larger than the ring replaces it by a larger
 * one. Memory figures of this back end mean nothing. The ring is used from one end to the other, so
 * a window that exceeds the caches is paid for in cache misses, which a good allocator avoids by
 * reusing what it has just been given: where one is faster than `null`, locality is why. */
#ifndef HEAPMILL_ALLOCATORS_NULL_H
#define HEAPMILL_ALLOCATORS_NULL_H

#include <string.h>

#include "allocators/heap.h"
#include "allocators/probe_slow.h"

#define NULL_CAPABILITIES (HEAP_CAN_STATS | HEAP_CAN_CHECK | HEAP_CAN_COEXIST | HEAP_MARKS_SLOW)
#define NULL_ALIGNMENT 16

struct null_span;

struct null_heap {
    char *next; /* of the span in use: multiples of 16 both */
    char *end;
    struct null_span *ring;  /* one of spans */
    struct null_span *spans; /* everything mapped, the newest first */
    bool running;
    size_t held_bytes;
    size_t span_count;
    struct heap_os os;
};

enum status null_open(struct null_heap *heap, const struct heap_options *options,
                      struct error *error);
void null_close(struct null_heap *heap);
void null_begin_run(struct null_heap *heap);
void null_trim(struct null_heap *heap);
void null_stats(const struct null_heap *heap, struct heap_stats *stats);
void null_walk(const struct null_heap *heap, heap_visit *visit, void *context);
size_t null_check(const struct null_heap *heap);

/* For what does not fit between next and end: a new set-up span, or the start of the ring again. */
void *null_alloc_slowly(struct null_heap *heap, size_t size);

static inline void *null_alloc(struct null_heap *heap, size_t size, enum heap_type type)
{
    (void)type;
    char *block = heap->next;
    size += size == 0;
    if (__builtin_expect(size > (size_t)(heap->end - block), false)) {
        return null_alloc_slowly(heap, size);
    }
    heap->next = block + ((size + NULL_ALIGNMENT - 1) & ~(size_t)(NULL_ALIGNMENT - 1));
    return block;
}

static inline void null_free(struct null_heap *heap, void *block, size_t size, enum heap_type type)
{
    (void)heap;
    (void)block;
    (void)size;
    (void)type;
}

/* Always copies, as nothing is known of what follows the block. */
static inline void *null_resize(struct null_heap *heap, void *block, size_t old_size,
                                size_t new_size, enum heap_type type)
{
    void *moved = null_alloc(heap, new_size, type);
    if (moved != NULL) {
        memmove(moved, block, old_size < new_size ? old_size : new_size);
    }
    return moved;
}

static inline void null_free_unsized(struct null_heap *heap, void *block)
{
    null_free(heap, block, 0, HEAP_RAW);
}

static inline size_t null_usable_size(const struct null_heap *heap, const void *block, size_t size)
{
    (void)heap;
    (void)block;
    return size;
}

#endif
