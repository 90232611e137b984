/* The back end `bump`: never reuses memory.
 *
 * Algorithm: a pointer moves through one mapping of LIMIT_MIB (reserved address space, not memory:
 * the kernel gives a page at its first touch); free does nothing. The opposite extreme to `null`:
 * every block is cold, every page is a fault, and held memory grows with all that was ever
 * allocated. Fragmentation: held/live grows without bound. When LIMIT_MIB is used up alloc returns
 * NULL, which fails the cell; LIMIT_MIB is 8192 unless the variant's line says otherwise. */
#ifndef HEAPMILL_ALLOCATORS_BUMP_H
#define HEAPMILL_ALLOCATORS_BUMP_H

#include <string.h>

#include "allocators/heap.h"

#ifndef BUMP_LIMIT_MIB
#define BUMP_LIMIT_MIB 8192
#endif

#define BUMP_CAPABILITIES                                                                          \
    (HEAP_CAN_STATS | HEAP_CAN_CHECK | HEAP_CAN_COEXIST | HEAP_KEEPS_CONTENTS | HEAP_MARKS_SLOW)
#define BUMP_ALIGNMENT 16

struct bump_heap {
    char *next; /* multiples of 16 both */
    char *end;
    char *begin;
    struct heap_os os;
};

enum status bump_open(struct bump_heap *heap, const struct heap_options *options,
                      struct error *error);
void bump_close(struct bump_heap *heap);
void bump_trim(struct bump_heap *heap);
void bump_stats(const struct bump_heap *heap, struct heap_stats *stats);
void bump_walk(const struct bump_heap *heap, heap_visit *visit, void *context);
size_t bump_check(const struct bump_heap *heap);

static inline void bump_begin_run(struct bump_heap *heap)
{
    (void)heap;
}

static inline void *bump_alloc(struct bump_heap *heap, size_t size, enum heap_type type)
{
    (void)type;
    char *block = heap->next;
    size += size == 0;
    if (__builtin_expect(size > (size_t)(heap->end - block), false)) {
        return NULL;
    }
    heap->next = block + ((size + BUMP_ALIGNMENT - 1) & ~(size_t)(BUMP_ALIGNMENT - 1));
    return block;
}

static inline void bump_free(struct bump_heap *heap, void *block, size_t size, enum heap_type type)
{
    (void)heap;
    (void)block;
    (void)size;
    (void)type;
}

/* Always copies: also the bytes that a shrinking would free are never used again. */
static inline void *bump_resize(struct bump_heap *heap, void *block, size_t old_size,
                                size_t new_size, enum heap_type type)
{
    void *moved = bump_alloc(heap, new_size, type);
    if (moved != NULL) {
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
    }
    return moved;
}

static inline void bump_free_unsized(struct bump_heap *heap, void *block)
{
    bump_free(heap, block, 0, HEAP_RAW);
}

static inline size_t bump_usable_size(const struct bump_heap *heap, const void *block, size_t size)
{
    (void)heap;
    (void)block;
    return size;
}

#endif
