/* What collector_find_unreachable notes of each container, and the following of long chains.
 * Internal to gc/. */
#ifndef HEAPMILL_GC_FIND_CHAINS_H
#define HEAPMILL_GC_FIND_CHAINS_H

#include "gc/collector.h"

enum {
    FIND_COUNT = GC_MARK_ALIVE, /* modulo 32 while sweeping; above zero: alive */
    FIND_WIDE = 0x1f,           /* while sweeping: the count is in registry.numbers */
    FIND_WIDE_MIN = 30,         /* counts from here on are wide */
    FIND_SWEPT = 0x20,          /* while sweeping: a list, swept before its turn */
    FIND_TUPLE = 0x20,          /* after it, with FIND_LEAF: a tuple, which may be untracked */
    FIND_SINGLE = 0x40,         /* one referent in the range: its index is in numbers */
    FIND_RUN = 0x60,            /* a long list whose items follow one another in the registry */
    FIND_LEAF = 0x80,           /* no referent in the range */
    FIND_SOLE = 0xc0,           /* a single that refers to nothing else */
    FIND_ALIVE = 1,             /* marking: the count of what was zero */
};

/* Marks alive what the chain of singles from index leads through, index included, and returns the
 * first on the way that is no single or has been alive already: that one is left as it is. Sweeping
 * is over, and no count is wide. Sets *was_useful to whether it was worth more than it cost. */
uint32_t find_chains_follow(uint8_t *marks, const uint32_t *numbers, struct gc_range range,
                            uint32_t index, bool *was_useful);

#endif
