/* A small static buffer for allocations that come before a library has found its memory source;
 * finding it allocates. Its blocks are never given back. */
#ifndef HEAPMILL_PRELOAD_EARLY_H
#define HEAPMILL_PRELOAD_EARLY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "preload/family.h"

enum { EARLY_BYTES = 1 << 16 };

static _Alignas(FAMILY_ALIGNMENT) unsigned char early_buffer[EARLY_BYTES];
static size_t early_used;

/* Returns zeroed memory. NULL: the buffer is full, or the alignment is larger than malloc's, which
 * nothing asks for so early. */
static void *early_alloc(size_t size, size_t alignment)
{
    size_t bytes = (size + FAMILY_ALIGNMENT - 1) & ~(size_t)(FAMILY_ALIGNMENT - 1);
    size_t used = __atomic_load_n(&early_used, __ATOMIC_RELAXED);
    do {
        if (bytes < size || bytes > EARLY_BYTES - used || alignment > FAMILY_ALIGNMENT) {
            return NULL;
        }
    } while (!__atomic_compare_exchange_n(&early_used, &used, used + bytes, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return &early_buffer[used];
}

static inline bool early_is(const void *block)
{
    return (uintptr_t)block - (uintptr_t)early_buffer < EARLY_BYTES;
}

/* The bytes from the block to the buffer's end, which is the most that the block can have. */
static inline size_t early_room(const void *block)
{
    return (size_t)(early_buffer + EARLY_BYTES - (const unsigned char *)block);
}

/* Copies as much of a block as fits into `size` bytes at moved, which may be NULL. */
static inline void *early_move(const void *block, void *moved, size_t size)
{
    return moved == NULL
               ? NULL
               : memcpy(moved, block, size < early_room(block) ? size : early_room(block));
}

#endif
