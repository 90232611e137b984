#include "allocators/pools/pools_classes.h"

#include <assert.h>

enum {
    /* Up to these sizes a page is one unit, and four; above, eight: 32, 16 and 8 blocks at least.
     */
    POOLS_ONE_UNIT_MAX = 1024,
    POOLS_FOUR_UNITS_MAX = 8192,
    /* The most bytes and the fewest pointers of a stack. */
    POOLS_STACK_BYTES = 32768,
    POOLS_STACK_MIN = 4,
};

static_assert((1 << POOLS_FINE_SHIFT) == POOLS_FINE_MAX,
              "the doublings begin where classes are even");
static_assert(POOLS_FINE_MAX << 7 == POOLS_SMALL_MAX, "seven doublings");

void pools_classes_fill(uint8_t *class_of, struct pools_class *classes)
{
    for (size_t granules = 0; granules <= POOLS_SMALL_MAX / POOLS_GRANULE; granules++) {
        class_of[granules] = (uint8_t)pools_class_at(granules * POOLS_GRANULE);
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < POOLS_CLASSES; i++) {
        struct pools_class *one = &classes[i];
        one->bytes = pools_class_bytes(i);
        one->reciprocal = (uint32_t)(((uint64_t)1 << 32) / one->bytes) + 1;
        one->unit_shift = one->bytes <= POOLS_ONE_UNIT_MAX     ? 0
                          : one->bytes <= POOLS_FOUR_UNITS_MAX ? 2
                                                               : 3;
        one->capacity = ((uint32_t)POOLS_UNIT_BYTES << one->unit_shift) / one->bytes;
        uint32_t stack = POOLS_STACK_BYTES / one->bytes;
        one->stack = stack > POOLS_STACK       ? POOLS_STACK
                     : stack < POOLS_STACK_MIN ? POOLS_STACK_MIN
                                               : stack;
        one->stack_at = at + 1;
        at += one->stack + 1;
    }
    assert(at <= POOLS_POINTERS);
}
