/* pymalloc's checker: every invariant that the algorithm rests on, verified over the whole heap;
 * and the verification of single frees in builds with HEAPMILL_CHECKED. A damaged heap is expected
 * here: a pointer is followed only after it was found to lead where such a pointer may lead. */
#include <stdarg.h>
#include <stdio.h>

#include "allocators/pymalloc_arena.h"

struct pymalloc_audit {
    const struct pymalloc_heap *heap;
    size_t broken;
    size_t pools_partial; /* by the state of the pools */
    size_t pools_linked;  /* in the rings */
    size_t arenas_used;
    size_t arenas_usable;
    size_t arenas_unaligned;
};

__attribute__((format(printf, 2, 3))) static void
pymalloc_audit_report(struct pymalloc_audit *audit, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("heapmill: pymalloc check: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    audit->broken++;
}

/* Counts and reports a broken invariant. */
#define PYMALLOC_EXPECT(audit, condition, ...)                                                     \
    ((condition) ? (void)0 : pymalloc_audit_report(audit, __VA_ARGS__))

/* ------------------------------------------------------------------ pointers that can be trusted
 */
static bool pymalloc_slot_is_valid(const struct pymalloc_heap *heap,
                                   const struct pymalloc_arena *arena)
{
    uintptr_t offset = (uintptr_t)arena - (uintptr_t)heap->arenas;
    return offset % sizeof(*arena) == 0 && offset / sizeof(*arena) < heap->arena_slots;
}

/* Is it the address of a pool that the arena has carved? */
static bool pymalloc_arena_has_pool(const struct pymalloc_arena *arena, const void *pool)
{
    uintptr_t first = (uintptr_t)pymalloc_arena_first_pool(arena);
    uintptr_t address = (uintptr_t)pool;
    return arena->address != 0 && address >= first && address < (uintptr_t)arena->pool_next &&
           (address - first) % PYMALLOC_POOL_BYTES == 0;
}

static bool pymalloc_pool_is_valid(const struct pymalloc_heap *heap, const void *pool)
{
    for (uint32_t i = 0; i < heap->arena_slots; i++) {
        if (pymalloc_arena_has_pool(&heap->arenas[i], pool)) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ rings of partly used pools */
static void pymalloc_audit_ring(struct pymalloc_audit *audit, uint32_t size_class)
{
    const struct pymalloc_link *head = &audit->heap->partial[size_class];
    const struct pymalloc_link *previous = head;
    size_t limit = audit->heap->arenas_live * PYMALLOC_POOLS_MAX;
    size_t count = 0;
    for (struct pymalloc_link *link = head->next; link != head; link = link->next) {
        const struct pymalloc_pool *pool = pymalloc_pool_of_link(link);
        if (!pymalloc_pool_is_valid(audit->heap, pool) || count++ >= limit) {
            pymalloc_audit_report(audit, "class %u: the ring leaves the pools", size_class);
            return;
        }
        PYMALLOC_EXPECT(audit, link->previous == previous, "class %u: pool %p does not link back",
                        size_class, (const void *)pool);
        PYMALLOC_EXPECT(audit, pool->size_class == size_class, "class %u: pool %p is of class %u",
                        size_class, (const void *)pool, pool->size_class);
        PYMALLOC_EXPECT(audit, pool->live != 0 && pool->free_block != NULL,
                        "class %u: pool %p is in the ring but full or empty", size_class,
                        (const void *)pool);
        previous = link;
    }
    PYMALLOC_EXPECT(audit, head->previous == previous, "class %u: the head does not link back",
                    size_class);
    audit->pools_linked += count;
}

/* ------------------------------------------------------------------ pools and arenas */
static void pymalloc_audit_pool(struct pymalloc_audit *audit, const struct pymalloc_pool *pool)
{
    struct pymalloc_survey survey;
    pymalloc_pool_survey(pool, &survey);
    if (!survey.sound) {
        pymalloc_audit_report(audit, "pool %p: header or free list is damaged", (const void *)pool);
        return;
    }
    size_t bytes = pymalloc_class_bytes(pool->size_class);
    PYMALLOC_EXPECT(audit, pool->live + survey.free_count == survey.carved,
                    "pool %p: %zu live and %zu free of %zu carved blocks", (const void *)pool,
                    pool->live, survey.free_count, survey.carved);
    PYMALLOC_EXPECT(audit, pool->offset_last == PYMALLOC_POOL_BYTES - bytes,
                    "pool %p: offset_last is %u", (const void *)pool, pool->offset_last);
    PYMALLOC_EXPECT(audit, pool->free_block != NULL || pool->live == survey.capacity,
                    "pool %p: no free block, but %zu live of %zu", (const void *)pool, pool->live,
                    survey.capacity);
    audit->pools_partial += pool->live != 0 && pool->free_block != NULL;
}

/* The length of the arena's list of empty pools. */
static size_t pymalloc_audit_free_pools(struct pymalloc_audit *audit,
                                        const struct pymalloc_arena *arena)
{
    size_t count = 0;
    for (struct pymalloc_link *link = arena->free_pools; link != NULL; link = link->next) {
        const struct pymalloc_pool *pool = pymalloc_pool_of_link(link);
        if (!pymalloc_arena_has_pool(arena, pool) || count++ >= arena->pools_total) {
            pymalloc_audit_report(audit, "arena %u: its list of free pools leaves it",
                                  arena->ordinal);
            return count;
        }
        PYMALLOC_EXPECT(audit, pool->live == 0, "arena %u: free pool %p has %zu live blocks",
                        arena->ordinal, (const void *)pool, pool->live);
    }
    return count;
}

static void pymalloc_audit_pools(struct pymalloc_audit *audit, const struct pymalloc_arena *arena)
{
    const unsigned char *at = pymalloc_arena_first_pool(arena);
    const unsigned char *end = at + arena->pools_total * PYMALLOC_POOL_BYTES;
    if (arena->pool_next < at || arena->pool_next > end) {
        pymalloc_audit_report(audit, "arena %u: its next pool lies outside", arena->ordinal);
        return;
    }
    size_t uncarved = (size_t)(end - arena->pool_next) / PYMALLOC_POOL_BYTES;
    size_t empty = 0;
    for (; at < arena->pool_next; at += PYMALLOC_POOL_BYTES) {
        const struct pymalloc_pool *pool = (const struct pymalloc_pool *)(const void *)at;
        PYMALLOC_EXPECT(audit, &audit->heap->arenas[pool->arena_index] == arena,
                        "pool %p: its arena index is %u", (const void *)pool, pool->arena_index);
        pymalloc_audit_pool(audit, pool);
        empty += pool->live == 0;
    }
    size_t listed = pymalloc_audit_free_pools(audit, arena);
    PYMALLOC_EXPECT(audit, empty == listed, "arena %u: %zu pools are empty, %zu listed",
                    arena->ordinal, empty, listed);
    PYMALLOC_EXPECT(audit, arena->pools_free == listed + uncarved,
                    "arena %u: %u pools said to be free, %zu listed and %zu not carved",
                    arena->ordinal, arena->pools_free, listed, uncarved);
}

static void pymalloc_audit_arena(struct pymalloc_audit *audit, const struct pymalloc_arena *arena)
{
    bool aligned = arena->address % PYMALLOC_POOL_BYTES == 0;
    size_t total = PYMALLOC_POOLS_MAX - (aligned ? 0 : 1);
    audit->arenas_used++;
    audit->arenas_usable += arena->pools_free != 0;
    audit->arenas_unaligned += arena->address % PYMALLOC_ARENA_BYTES != 0;
    PYMALLOC_EXPECT(audit, arena->pools_total == total, "arena %u: %u pools where %zu fit",
                    arena->ordinal, arena->pools_total, total);
    if (!PYMALLOC_KEEP_LAST_ARENA) {
        PYMALLOC_EXPECT(audit, arena->pools_free < total, "arena %u: empty but not given back",
                        arena->ordinal);
    }
    if (arena->pools_total == total) {
        pymalloc_audit_pools(audit, arena);
    }
}

/* ------------------------------------------------------------------ lists of arenas */
static void pymalloc_audit_unused(struct pymalloc_audit *audit)
{
    const struct pymalloc_heap *heap = audit->heap;
    size_t count = 0;
    for (const struct pymalloc_arena *arena = heap->unused_slots; arena != NULL;
         arena = arena->next) {
        if (!pymalloc_slot_is_valid(heap, arena) || arena->address != 0 ||
            count++ >= heap->arena_slots) {
            pymalloc_audit_report(audit, "the list of unused slots leads to a used one");
            return;
        }
    }
    PYMALLOC_EXPECT(audit, count + audit->arenas_used == heap->arena_slots,
                    "%zu unused and %zu used of %u slots", count, audit->arenas_used,
                    heap->arena_slots);
}

static void pymalloc_audit_usable(struct pymalloc_audit *audit)
{
    const struct pymalloc_heap *heap = audit->heap;
    const struct pymalloc_arena *previous = NULL;
    size_t count = 0;
    for (const struct pymalloc_arena *arena = heap->usable_arenas; arena != NULL;
         previous = arena, arena = arena->next) {
        if (!pymalloc_slot_is_valid(heap, arena) || arena->address == 0 ||
            count++ >= heap->arenas_live) {
            pymalloc_audit_report(audit, "the list of usable arenas leaves them");
            return;
        }
        PYMALLOC_EXPECT(audit, arena->previous == previous, "arena %u does not link back",
                        arena->ordinal);
        PYMALLOC_EXPECT(audit, arena->pools_free != 0, "arena %u is listed without free pools",
                        arena->ordinal);
        PYMALLOC_EXPECT(audit, previous == NULL || previous->pools_free <= arena->pools_free,
                        "arena %u: the usable arenas are out of order", arena->ordinal);
#if PYMALLOC_ORDER == PYMALLOC_ORDER_FINGERS
        bool is_last = arena->next == NULL || arena->next->pools_free != arena->pools_free;
        PYMALLOC_EXPECT(audit, (heap->fingers[arena->pools_free] == arena) == is_last,
                        "arena %u: the finger for %u free pools is wrong", arena->ordinal,
                        arena->pools_free);
#endif
    }
    PYMALLOC_EXPECT(audit, count == audit->arenas_usable, "%zu arenas are usable, %zu listed",
                    audit->arenas_usable, count);
}

#if PYMALLOC_ORDER == PYMALLOC_ORDER_FINGERS
/* A finger that is set points at an arena with that many free pools; that it is the last one was
 * verified along the list. */
static void pymalloc_audit_fingers(struct pymalloc_audit *audit)
{
    for (size_t i = 0; i <= PYMALLOC_POOLS_MAX; i++) {
        const struct pymalloc_arena *arena = audit->heap->fingers[i];
        PYMALLOC_EXPECT(audit,
                        arena == NULL || (i != 0 && pymalloc_slot_is_valid(audit->heap, arena) &&
                                          arena->address != 0 && arena->pools_free == i),
                        "the finger for %zu free pools points at another arena", i);
    }
}
#else
#define pymalloc_audit_fingers(audit) ((void)0)
#endif

#if PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX
static void pymalloc_audit_lookup(struct pymalloc_audit *audit)
{
    const struct pymalloc_heap *heap = audit->heap;
    for (uint32_t i = 0; i < heap->arena_slots; i++) {
        uintptr_t address = heap->arenas[i].address;
        uintptr_t last = address + PYMALLOC_ARENA_BYTES - 1;
        PYMALLOC_EXPECT(audit,
                        address == 0 || (pymalloc_owns(heap, (const void *)address) &&
                                         pymalloc_owns(heap, (const void *)last)),
                        "arena %u is not in the radix tree", heap->arenas[i].ordinal);
    }
    size_t high;
    size_t low;
    pymalloc_radix_count(heap, &high, &low);
    PYMALLOC_EXPECT(audit, high == audit->arenas_used && low == audit->arenas_unaligned,
                    "the radix tree has %zu + %zu entries for %zu arenas, %zu of them unaligned",
                    high, low, audit->arenas_used, audit->arenas_unaligned);
}
#else
#define pymalloc_audit_lookup(audit) ((void)0)
#endif

size_t pymalloc_check(const struct pymalloc_heap *heap)
{
    struct pymalloc_audit audit = {.heap = heap};
    for (uint32_t i = 0; i < heap->arena_slots; i++) {
        if (heap->arenas[i].address != 0) {
            pymalloc_audit_arena(&audit, &heap->arenas[i]);
        }
    }
    for (uint32_t i = 0; i < PYMALLOC_CLASSES; i++) {
        pymalloc_audit_ring(&audit, i);
    }
    PYMALLOC_EXPECT(&audit, audit.pools_linked == audit.pools_partial,
                    "%zu pools are partly used, %zu in the rings", audit.pools_partial,
                    audit.pools_linked);
    pymalloc_audit_unused(&audit);
    pymalloc_audit_usable(&audit);
    pymalloc_audit_fingers(&audit);
    pymalloc_audit_lookup(&audit);
    PYMALLOC_EXPECT(&audit,
                    audit.arenas_used == heap->arenas_live &&
                        heap->arenas_mapped - heap->arenas_unmapped == heap->arenas_live,
                    "%zu arenas in use, %zu counted, %zu mapped less %zu unmapped",
                    audit.arenas_used, heap->arenas_live, heap->arenas_mapped,
                    heap->arenas_unmapped);
    PYMALLOC_EXPECT(&audit, heap->large_blocks != 0 || heap->large_bytes == 0,
                    "%zu bytes in no large block", heap->large_bytes);
    PYMALLOC_EXPECT(&audit, heap->held_bytes_peak >= pymalloc_held_bytes(heap),
                    "more is held than the peak of %zu bytes", heap->held_bytes_peak);
    return audit.broken;
}
