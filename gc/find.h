/* What collector_find_unreachable notes of each container, and its phases. Internal to gc/. */
#ifndef HEAPMILL_GC_FIND_H
#define HEAPMILL_GC_FIND_H

#include "gc/collector.h"

/* A mark: a count in the upper five bits, so that it wraps around by itself, and notes below. */
enum {
    FIND_ONE = 1 << 3,
    FIND_COUNT = GC_MARK_ALIVE,    /* modulo 32 while sweeping; above zero: alive */
    FIND_WIDE = 31 * FIND_ONE,     /* while sweeping: the count is in registry.numbers */
    FIND_WIDE_MIN = 30,            /* counts of references from here on are wide */
    FIND_ALIVE = FIND_ONE,         /* marking: what becomes of zero */
    FIND_SURMISED = 30 * FIND_ONE, /* and while chains are followed: see find_chains.c */
    FIND_START = 31 * FIND_ONE,
    FIND_SWEPT = 1,  /* while sweeping: a list, swept before its turn */
    FIND_TUPLE = 1,  /* after it, with FIND_LEAF: a tuple, which may be untracked */
    FIND_SINGLE = 2, /* one referent in the range: its index is in numbers */
    FIND_RUN = 3,    /* a long list whose items follow one another in the registry */
    FIND_LEAF = 4,   /* no referent in the range */
    FIND_SOLE = 6,   /* a single that refers to nothing else */
};

static_assert(FIND_WIDE_MIN * FIND_ONE <= FIND_SURMISED, "no count that is not wide is as large");
static_assert(FIND_WIDE == FIND_COUNT, "the counts are all of the upper bits");

struct find {
    struct object *const *entries;
    uint8_t *marks;
    uint32_t *numbers;
    uint32_t begin;
    uint32_t end;
    uint32_t holes;
    bool any_wide;
    bool any_tuple;
    bool any_undiscarded;         /* a type without discard was seen */
    unsigned type_flags;          /* of all types seen */
    const struct type *type_last; /* seen */
    uint32_t queue_first; /* marking: found alive after they had been passed; chained through */
    uint32_t queue_last;  /* numbers. 0: none */
    uint32_t passed;      /* entries below this have been passed */
    uint32_t patience; /* far steps along one chain after which it is followed in several places */
};

static inline bool find_is_inside(const struct find *find, uint32_t index)
{
    return index - find->begin < find->end - find->begin;
}

/* Takes the references from inside the range off the counts, and notes what each container is. */
void find_sweep(struct find *find);

/* Marks alive what the chain of singles from index leads through, index included, and returns the
 * first on the way that is no single or has been alive already: that one is left as it is. Sweeping
 * is over, and no count is wide. Sets *was_useful to whether it was worth more than it cost. */
uint32_t find_chains_follow(uint8_t *marks, const uint32_t *numbers, struct gc_range range,
                            uint32_t index, bool *was_useful);

#endif
