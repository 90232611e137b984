/* The registry: a dense vector of all tracked containers. Internal to gc/.
 *
 * Invariants
 *  1. Entry 0 is never used: a container whose index is 0 is not tracked.
 *  2. entries[i]->index == i for every entry in [1, length) that is not a hole. A hole is an odd
 *     number.
 *  3. Generations are ranges: the oldest is [starts[2], starts[1]), the middle one [starts[1],
 *     starts[0]), the youngest [starts[0], length). [1, starts[2]) is frozen. Moving survivors to
 *     an older generation moves a boundary, and no object.
 *  4. The holes of the youngest range, and no others, are chained from `free` through the entries,
 *     and are used again before the vector gets longer. Entries of the older ranges keep their
 * place in the order of tracking until a policy compacts them.
 *  5. marks[i] and numbers[i] belong to whoever collects; they mean nothing between collections of
 *     a policy that does not say otherwise.
 *
 * CPython 3.11 links its containers through their headers. Here passes run over the vector instead,
 * so that what comes next is known in time to be fetched, and the collector's notes are a byte for
 * each container in a dense array beside it, not a write into each object's cache line.
 *
 * Address space for all three arrays is reserved once; memory is added in steps while containers
 * are allocated, when exhaustion can be reported. So a collection never needs memory, nothing ever
 * moves, and each step is faulted in when it is added: no pause pays for it. The memory is scratch
 * (os_reserve_scratch): no held figure counts it.
 *
 * With threads each has a range of entries at the end of the vector, which it claims under a lock,
 * and a chain of holes of its own (struct gc_thread): whoever strikes out a container chains the
 * hole. What is claimed and not filled is a hole. While threads run, length and holes are behind
 * the truth; registry_seal and registry_gather, called while they are stopped, bring them up to it
 * and leave the young holes unchained, so that invariant 4 does not hold. */
#ifndef HEAPMILL_GC_REGISTRY_H
#define HEAPMILL_GC_REGISTRY_H

#include "gc/object.h"
#include "gc/threads.h"

#ifdef HEAPMILL_FAULTS
#define REGISTRY_STEP_ENTRIES 1024
#else
#define REGISTRY_STEP_ENTRIES 16384
#endif

enum {
    /* Entries that memory is added for at a time: 52 pages for the three arrays, some 30 us. Fewer
     * in programs for tests, so that small ones get to where the registry has to grow. */
    REGISTRY_STEP = REGISTRY_STEP_ENTRIES,
    REGISTRY_CLAIM = 256, /* entries that a thread claims at a time */
    /* 13 bytes each: 14 GB of address space. Less is taken where the system refuses that. */
    REGISTRY_ENTRIES_MAX = 1 << 30,
};

struct registry {
    struct object **entries;
    uint8_t *marks;
    uint32_t *numbers;
    uint32_t length;
    uint32_t committed; /* entries that have memory */
    uint32_t room;      /* where adding stops to ask: `wish`, or `committed` if that is less */
    uint32_t wish;      /* the policy's; UINT32_MAX: none */
    uint32_t limit;     /* entries that address space is reserved for */
    uint32_t free;      /* the first of the chained holes; 0: none */
    uint32_t holes;     /* chained or not */
    uint32_t starts[GC_GENERATIONS];
    unsigned
        pins; /* those whose work goes by index: while there are any, growing does not compact */
};

/* false: the system refuses the address space or the first step. */
bool registry_open(struct registry *registry);
void registry_close(struct registry *registry);
/* The memory that the arrays have. */
uint64_t registry_bytes(const struct registry *registry);

/* Makes room for one more entry, by compacting when more than half are holes, else by adding a
 * step. false: exhausted, nothing has changed. */
bool registry_grow(struct registry *registry);

/* Whether a container may be tracked. */
static inline bool registry_has_room(const struct registry *registry)
{
#ifdef GC_THREADS
    (void)registry;
    return gc_own->entry_free != 0 || gc_own->entry_next != gc_own->entry_end;
#else
    return registry->free != 0 || registry->length < registry->committed;
#endif
}

/* Whether it may be without asking the policy first: what is looked at while one is allocated. */
static inline bool registry_is_roomy(const struct registry *registry)
{
    return registry->length < registry->room;
}

/* Whether the policy wants to be asked. */
static inline bool registry_is_short(const struct registry *registry)
{
    return registry->length >= registry->wish;
}

/* The policy is to be asked before the registry gets longer than `wish` entries. */
static inline void registry_set_room(struct registry *registry, uint32_t wish)
{
    registry->wish = wish;
    registry->room = wish < registry->committed ? wish : registry->committed;
}

/* The containers tracked now. */
static inline uint32_t registry_tracked(const struct registry *registry)
{
    return registry->length - 1 - registry->holes;
}

static inline bool registry_is_hole(const struct object *entry)
{
    return ((uintptr_t)entry & 1) != 0;
}

/* NULL: a hole. */
static inline struct object *registry_object(const struct registry *registry, uint32_t index)
{
    struct object *entry = registry->entries[index];
    return registry_is_hole(entry) ? NULL : entry;
}

/* Enters an untracked container; registry_has_room. */
static inline void registry_add(struct registry *registry, struct object *container)
{
#ifdef GC_THREADS
    uint32_t index = gc_own->entry_free;
    gc_own->holes--;
    if (index != 0) {
        gc_own->entry_free = (uint32_t)((uintptr_t)registry->entries[index] >> 1);
    } else {
        index = gc_own->entry_next++;
    }
#else
    uint32_t index = registry->free;
    if (index != 0) {
        registry->free = (uint32_t)((uintptr_t)registry->entries[index] >> 1);
        registry->holes--;
    } else {
        index = registry->length++;
    }
#endif
    registry->entries[index] = container;
    container->index = index;
}

/* Strikes out a tracked container. */
static inline void registry_remove(struct registry *registry, struct object *container)
{
    uint32_t index = container->index;
    uintptr_t next = 0;
#ifdef GC_THREADS
    if (index >= registry->starts[0]) {
        next = gc_own->entry_free;
        gc_own->entry_free = index;
    }
    gc_own->holes++;
#else
    if (index >= registry->starts[0]) {
        next = registry->free;
        registry->free = index;
    }
    registry->holes++;
#endif
    registry->entries[index] = (struct object *)(next << 1 | 1);
    container->index = 0;
}

/* While all threads are stopped: takes their entries and holes back. */
#ifdef GC_THREADS
void registry_gather(struct registry *registry); /* threads.c */
#else
static inline void registry_gather(struct registry *registry)
{
    (void)registry;
}
#endif

/* Ends the youngest range here: all entries are older ones from now on, and their holes are not
 * used again before a compaction. */
static inline void registry_seal(struct registry *registry)
{
    registry_gather(registry);
    registry->starts[0] = registry->length;
    registry->free = 0;
}

/* The same, and the youngest containers get before the middle ones: the order in which CPython's
 * full collection links its lists, the oldest, the youngest, the middle one, and so that in which
 * finalizers run. Time: the entries of both ranges, nothing when one is empty. */
void registry_merge(struct registry *registry);

/* Takes the holes out of [begin, starts[0]): the last containers of the range move into them, and
 * those of the youngest range move up. Boundaries between begin and starts[0] move to the range's
 * new end, which is returned and is the new starts[0]. begin must not be frozen. Time: the entries
 * of the range, and two cache misses for each that moves. */
uint32_t registry_compact(struct registry *registry, uint32_t begin);

/* Whether the generations' ranges are in order: a part of registry_check that takes no time. */
bool registry_is_in_order(const struct registry *registry);
/* The number of broken invariants, each printed; the objects must be readable. */
size_t registry_check(const struct registry *registry);

#endif
