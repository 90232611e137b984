/* What pymalloc's own files share and its users need not see. */
#ifndef HEAPMILL_ALLOCATORS_PYMALLOC_ARENA_H
#define HEAPMILL_ALLOCATORS_PYMALLOC_ARENA_H

#include "allocators/pymalloc.h"

/* Which block numbers of a pool are free, and whether its free list can be believed. */
struct pymalloc_survey {
    uint64_t free_bits[(PYMALLOC_BLOCKS_MAX + 63) / 64];
    size_t carved;     /* blocks that were ever handed out or listed */
    size_t free_count; /* length of the list */
    size_t capacity;   /* blocks that fit in the pool */
    bool sound; /* false: the list leaves the pool, the grid of its blocks, or meets itself */
};

/* Follows the pool's free list, however damaged, and says what it met. */
void pymalloc_pool_survey(const struct pymalloc_pool *pool, struct pymalloc_survey *survey);

static inline bool pymalloc_survey_is_free(const struct pymalloc_survey *survey, size_t number)
{
    return (survey->free_bits[number / 64] >> (number % 64) & 1) != 0;
}

/* The first pool of the arena: at its address, or at the next multiple of the pool size. */
static inline unsigned char *pymalloc_arena_first_pool(const struct pymalloc_arena *arena)
{
    uintptr_t mask = PYMALLOC_POOL_BYTES - 1;
    return (unsigned char *)((arena->address + mask) & ~mask);
}

/* Gives the arena's memory back and marks its slot as unused; the lists are the caller's to mend.
 */
void pymalloc_arena_unmap(struct pymalloc_heap *heap, struct pymalloc_arena *arena);

/* Arenas, large blocks and tables: everything from the system, in bytes. */
size_t pymalloc_held_bytes(const struct pymalloc_heap *heap);
/* Raises the peak if more is held than ever; after anything was taken from the system. */
void pymalloc_note_held(struct pymalloc_heap *heap);

#if PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX
/* Enters the arena that begins at address; false, with nothing entered, when there is no memory for
 * a node. */
bool pymalloc_radix_enter(struct pymalloc_heap *heap, uintptr_t address);
/* Forgets an arena that was entered. Nodes stay until close, as in CPython. */
void pymalloc_radix_forget(struct pymalloc_heap *heap, uintptr_t address);
void pymalloc_radix_close(struct pymalloc_heap *heap);
/* How many stretches are covered from their end (one for each arena) and from their beginning. */
void pymalloc_radix_count(const struct pymalloc_heap *heap, size_t *high, size_t *low);
#else
#define pymalloc_radix_enter(heap, address) true
#define pymalloc_radix_forget(heap, address) ((void)0)
#define pymalloc_radix_close(heap) ((void)0)
#endif

#endif
