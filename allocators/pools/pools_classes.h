/* The size classes of `pools`: every 16 bytes to 256, then eight in each doubling to 32 KiB, so
 * that at most an eighth of a block is lost. Pages grow with the class, for eight blocks at least.
 */
#ifndef HEAPMILL_ALLOCATORS_POOLS_POOLS_CLASSES_H
#define HEAPMILL_ALLOCATORS_POOLS_POOLS_CLASSES_H

#include <stddef.h>
#include <stdint.h>

enum {
    POOLS_GRANULE = 16,
    POOLS_FINE_MAX = 256, /* bytes: up to this, each granule has its own class */
    POOLS_FINE_CLASSES = POOLS_FINE_MAX / POOLS_GRANULE,
    POOLS_FINE_SHIFT = 8, /* 1 << 8 is POOLS_FINE_MAX */
    POOLS_STEP_BITS = 3,  /* eight classes per doubling */
    POOLS_SMALL_MAX = 32768,
    POOLS_CLASSES = POOLS_FINE_CLASSES + (7 << POOLS_STEP_BITS),
    POOLS_STACK = 64, /* the most pointers of a class that a thread keeps */
    POOLS_POINTERS =
        2304, /* of all classes, with a NULL for each: pools_classes_fill counts them */
    POOLS_UNIT_SHIFT = 15,
    POOLS_UNIT_BYTES = 1 << POOLS_UNIT_SHIFT,
};

/* Data that is computed once for each class. */
struct pools_class {
    uint32_t bytes;
    uint32_t reciprocal; /* ceil(2^32 / bytes): offset × reciprocal >> 32 is the block's number */
    uint32_t capacity;   /* blocks per page */
    uint32_t unit_shift; /* a page is 1 << unit_shift units, at a multiple of that */
    uint32_t stack;      /* the most pointers that a thread keeps */
    uint32_t stack_at;   /* where they begin in its local; the entry before is the NULL */
};

/* The class that serves size, 0 to POOLS_SMALL_MAX bytes. */
static inline uint32_t pools_class_at(size_t size)
{
    if (size <= POOLS_FINE_MAX) {
        return size == 0 ? 0 : (uint32_t)((size - 1) / POOLS_GRANULE);
    }
    size_t last = size - 1;
    uint32_t doubling = 63u - (uint32_t)__builtin_clzll(last);
    return POOLS_FINE_CLASSES + ((doubling - POOLS_FINE_SHIFT) << POOLS_STEP_BITS) +
           (uint32_t)(last >> (doubling - POOLS_STEP_BITS) & ((1u << POOLS_STEP_BITS) - 1));
}

/* The largest size that the class serves, in bytes. */
static inline uint32_t pools_class_bytes(uint32_t size_class)
{
    if (size_class < POOLS_FINE_CLASSES) {
        return (size_class + 1) * POOLS_GRANULE;
    }
    uint32_t step = size_class - POOLS_FINE_CLASSES;
    uint32_t doubling = POOLS_FINE_SHIFT + (step >> POOLS_STEP_BITS);
    return (1u << doubling) +
           (((step & ((1u << POOLS_STEP_BITS) - 1)) + 1) << (doubling - POOLS_STEP_BITS));
}

/* Fills both tables: class_of, by size in granules rounded up, and classes. */
void pools_classes_fill(uint8_t *class_of, struct pools_class *classes);

#endif
