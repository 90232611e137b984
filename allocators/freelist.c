/* freelist's slow operations.
 *
 * Marks. Three of them must know of a block whether it is cached, and the fast paths keep no books.
 * So they first write a mark into the second word of every cached block: a key of the moment,
 * combined with the address. A block whose second word is its mark is cached. A live block could
 * hold those 64 bits by accident only; trim, which would release live memory then, first checks
 * that it finds as many marks as it wrote. */
#include "allocators/backend.h"

#include <assert.h>
#include <stdio.h>

#include "allocators/freelist.h"
#include "allocators/heap_os.h"
#include "common/clock.h"
#include "common/rng.h"

static_assert(sizeof(struct freelist_carved) == 992, "as sizeof(PyIntBlock) of 2.7.18, 64 bits");
static_assert((int)HEAP_FLOAT_BYTES == (int)FREELIST_SLOT_BYTES,
              "ints and floats are carved alike");
static_assert(FREELIST_SLOT_BYTES >= sizeof(struct freelist_link), "a cached block holds its link");

/* UNDER as a list of this type sees it: the block's size. */
static size_t freelist_block_bytes(int list)
{
    static const size_t sizes[] = {HEAP_INT_BYTES, HEAP_FLOAT_BYTES, HEAP_LIST_BYTES,
                                   HEAP_DICT_BYTES};
    if (list < FREELIST_TUPLES) {
        return sizes[list];
    }
    return HEAP_TUPLE_BYTES + 8 * (size_t)(list - FREELIST_TUPLES + 1);
}

static enum heap_type freelist_type(int list)
{
    static const enum heap_type types[] = {HEAP_INT, HEAP_FLOAT, HEAP_LIST, HEAP_DICT};
    return list < FREELIST_TUPLES ? types[list] : HEAP_TUPLE;
}

enum status freelist_open(struct freelist_heap *heap, const struct heap_options *options,
                          struct error *error)
{
    memset(heap, 0, sizeof(*heap));
    heap->os = heap_os_resolve(options == NULL ? NULL : &options->os);
    /* Of this heap alone: memory that comes back may hold the marks of an earlier heap, also of one
     * that lay at the same address. */
    heap->mark_key = (uint64_t)(uintptr_t)heap ^ clock_wall_ns();
    (void)rng_splitmix(&heap->mark_key);
    return FREELIST_BELOW(open)(&heap->under, options, error);
}

static size_t freelist_carved_bytes(const struct freelist_heap *heap)
{
    return (heap->carved_count[FREELIST_INTS] + heap->carved_count[FREELIST_FLOATS]) *
           sizeof(struct freelist_carved);
}

/* As fill_free_list of intobject.c: the last slot is served first. */
void *freelist_refill(struct freelist_heap *heap, int list)
{
    heap_slow_mark();
    struct freelist_carved *carved =
        heap->os.alloc(heap->os.context, sizeof(struct freelist_carved));
    if (carved == NULL) {
        return NULL;
    }
    carved->next = heap->carved[list];
    heap->carved[list] = carved;
    heap->carved_count[list]++;
    size_t bytes = freelist_carved_bytes(heap);
    if (bytes > heap->carved_bytes_peak) {
        heap->carved_bytes_peak = bytes;
    }
    for (int slot = 0; slot < FREELIST_SLOTS - 1; slot++) {
        (void)freelist_push(heap, list, carved->slots[slot]);
    }
    return carved->slots[FREELIST_SLOTS - 1];
}

void *freelist_move(struct freelist_heap *heap, void *block, size_t old_size, size_t new_size,
                    enum heap_type type)
{
    heap_slow_mark();
    void *moved = freelist_alloc(heap, new_size, type);
    if (moved != NULL) {
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
        freelist_free(heap, block, old_size, type);
    }
    return moved;
}

/* ---------------------------------------------------------------- marks */
/* Reads any block, also one of which AddressSanitizer has been told that its end is not in use. */
__attribute__((no_sanitize("address"))) bool freelist_is_marked(const struct freelist_heap *heap,
                                                                const void *block)
{
    return ((const struct freelist_link *)block)->mark == freelist_mark_of(heap, block);
}

/* Marks every cached block with a new key. The number of lists that are damaged: 0 is healthy. The
 * heap is const to the callers that change nothing but marks, which no operation reads later. */
static size_t freelist_mark_all(const struct freelist_heap *heap)
{
    uint64_t state = heap->mark_key;
    ((struct freelist_heap *)heap)->mark_key = rng_splitmix(&state);
    size_t damaged = 0;
    for (int list = 0; list < FREELIST_COUNT; list++) {
        for (struct freelist_link *block = heap->lists[list].head; block != NULL;
             block = block->next) {
            if ((uintptr_t)block % 8 != 0 || freelist_is_marked(heap, block)) {
                fprintf(stderr, "freelist: list %d reaches %p twice, or it is no block\n", list,
                        (void *)block);
                damaged++;
                break;
            }
            block->mark = freelist_mark_of(heap, block);
        }
    }
    return damaged;
}

static int freelist_count_marked(const struct freelist_heap *heap,
                                 const struct freelist_carved *carved)
{
    int marked = 0;
    for (int slot = 0; slot < FREELIST_SLOTS; slot++) {
        marked += freelist_is_marked(heap, carved->slots[slot]);
    }
    return marked;
}

/* The marked slots of all carved blocks of ints or of floats. */
static size_t freelist_count_all_marked(const struct freelist_heap *heap, int list)
{
    size_t marked = 0;
    for (const struct freelist_carved *carved = heap->carved[list]; carved != NULL;
         carved = carved->next) {
        marked += (size_t)freelist_count_marked(heap, carved);
    }
    return marked;
}

static size_t freelist_walk_list(const struct freelist_heap *heap, int list)
{
    size_t count = 0;
    for (const struct freelist_link *block = heap->lists[list].head; block != NULL;
         block = block->next) {
        count++;
    }
    return count;
}

static size_t freelist_count(const struct freelist_heap *heap, int list)
{
    return freelist_is_counted(list) ? heap->lists[list].count : freelist_walk_list(heap, list);
}

/* ---------------------------------------------------------------- trim */
/* PyInt_ClearFreeList: releases the carved blocks without a live slot, and makes the list anew from
 * the free slots of the others, block by block. Linear in the number of slots. */
static void freelist_trim_carved(struct freelist_heap *heap, int list)
{
    (void)freelist_mark_all(heap);
    if (freelist_count_all_marked(heap, list) != freelist_walk_list(heap, list)) {
        return; /* a live block looks like a free one: the next trim has another key */
    }
    heap->lists[list] = (struct freelist_list){0};
    struct freelist_carved **link = &heap->carved[list];
    while (*link != NULL) {
        struct freelist_carved *carved = *link;
        if (freelist_count_marked(heap, carved) == FREELIST_SLOTS) {
            *link = carved->next;
            heap->carved_count[list]--;
            heap->os.free(heap->os.context, carved);
            continue;
        }
        for (int slot = 0; slot < FREELIST_SLOTS; slot++) {
            if (freelist_is_marked(heap, carved->slots[slot])) {
                (void)freelist_push(heap, list, carved->slots[slot]);
            }
        }
        link = &carved->next;
    }
}

static void freelist_trim_bounded(struct freelist_heap *heap, int list)
{
    size_t size = freelist_block_bytes(list);
    while (heap->lists[list].head != NULL) {
        void *block = freelist_pop(heap, list);
        FREELIST_BELOW(free)(&heap->under, block, size, freelist_type(list));
    }
}

void freelist_trim(struct freelist_heap *heap)
{
    for (int list = 0; list < FREELIST_COUNT; list++) {
        bool kept = list == FREELIST_LISTS || list == FREELIST_DICTS;
        if (freelist_is_carved(list)) {
            freelist_trim_carved(heap, list);
        } else if (!kept || FREELIST_TRIM_LISTS_AND_DICTS) {
            freelist_trim_bounded(heap, list);
        }
    }
    FREELIST_BELOW(trim)(&heap->under);
}

void freelist_close(struct freelist_heap *heap)
{
    for (int list = 0; list < FREELIST_COUNT; list++) {
        if (!freelist_is_carved(list)) {
            /* Not every UNDER releases in its close what is live. */
            freelist_trim_bounded(heap, list);
        }
    }
    for (int list = FREELIST_INTS; list <= FREELIST_FLOATS; list++) {
        while (heap->carved[list] != NULL) {
            struct freelist_carved *carved = heap->carved[list];
            heap->carved[list] = carved->next;
            heap->os.free(heap->os.context, carved);
        }
    }
    FREELIST_BELOW(close)(&heap->under);
}

/* ---------------------------------------------------------------- stats, walk, check */
/* What a list's blocks can hold. One by one: UNDER may have shrunk some of them in place. */
static size_t freelist_cached_bytes(const struct freelist_heap *heap, int list)
{
    size_t bytes = 0;
    for (const struct freelist_link *block = heap->lists[list].head; block != NULL;
         block = block->next) {
        bytes += FREELIST_BELOW(usable_size)(&heap->under, block, freelist_block_bytes(list));
    }
    return bytes;
}

void freelist_stats(const struct freelist_heap *heap, struct heap_stats *stats)
{
    FREELIST_BELOW(stats)(&heap->under, stats);
    for (int list = 0; list < FREELIST_COUNT; list++) {
        size_t cached = freelist_count(heap, list);
        stats->cached_blocks += cached;
        if (freelist_is_carved(list)) {
            size_t live = heap->carved_count[list] * FREELIST_SLOTS - cached;
            stats->blocks_live += live;
            stats->usable_bytes += live * FREELIST_SLOT_BYTES;
            stats->cached_bytes += cached * FREELIST_SLOT_BYTES;
        } else {
            /* To UNDER they are live. */
            size_t bytes = freelist_cached_bytes(heap, list);
            stats->blocks_live -= cached;
            stats->usable_bytes -= bytes;
            stats->cached_bytes += bytes;
        }
    }
    size_t carved = freelist_carved_bytes(heap);
    stats->large_blocks += heap->carved_count[FREELIST_INTS] + heap->carved_count[FREELIST_FLOATS];
    stats->large_bytes += carved;
    stats->held_bytes += carved;
    stats->held_bytes_peak += heap->carved_bytes_peak;
}

struct freelist_walker {
    const struct freelist_heap *heap;
    heap_visit *visit;
    void *context;
};

/* Passes a region of UNDER's on, after asking of its live blocks whether they are cached. */
static void freelist_visit_below(void *context, const struct heap_region *region)
{
    const struct freelist_walker *walker = context;
    struct heap_region seen = *region;
    if (region->kind == HEAP_REGION_BLOCK_LIVE && region->bytes >= FREELIST_SLOT_BYTES &&
        freelist_is_marked(walker->heap, region->address)) {
        seen.kind = HEAP_REGION_BLOCK_CACHED;
    }
    walker->visit(walker->context, &seen);
}

static void freelist_visit_carved(const struct freelist_walker *walker,
                                  const struct freelist_carved *carved)
{
    struct heap_region region = {.kind = HEAP_REGION_LARGE,
                                 .address = carved,
                                 .bytes = sizeof(*carved),
                                 .block_bytes = FREELIST_SLOT_BYTES,
                                 .arena = SIZE_MAX};
    walker->visit(walker->context, &region);
    for (int slot = 0; slot < FREELIST_SLOTS; slot++) {
        bool cached = freelist_is_marked(walker->heap, carved->slots[slot]);
        region =
            (struct heap_region){.kind = cached ? HEAP_REGION_BLOCK_CACHED : HEAP_REGION_BLOCK_LIVE,
                                 .address = carved->slots[slot],
                                 .bytes = FREELIST_SLOT_BYTES,
                                 .arena = SIZE_MAX};
        walker->visit(walker->context, &region);
    }
}

void freelist_walk(const struct freelist_heap *heap, heap_visit *visit, void *context)
{
    (void)freelist_mark_all(heap);
    struct freelist_walker walker = {heap, visit, context};
    FREELIST_BELOW(walk)(&heap->under, freelist_visit_below, &walker);
    for (int list = FREELIST_INTS; list <= FREELIST_FLOATS; list++) {
        for (const struct freelist_carved *carved = heap->carved[list]; carved != NULL;
             carved = carved->next) {
            freelist_visit_carved(&walker, carved);
        }
    }
}

static size_t freelist_check_list(const struct freelist_heap *heap, int list)
{
    size_t broken = 0;
    size_t walked = freelist_walk_list(heap, list);
    if (freelist_is_counted(list) && heap->lists[list].count != walked) {
        fprintf(stderr, "freelist: list %d counts %zu blocks and has %zu\n", list,
                heap->lists[list].count, walked);
        broken++;
    }
    if (walked > freelist_cap(list)) {
        fprintf(stderr, "freelist: list %d has %zu blocks, more than its cap\n", list, walked);
        broken++;
    }
    if (freelist_is_carved(list) && freelist_count_all_marked(heap, list) != walked) {
        fprintf(stderr, "freelist: list %d has blocks that were not carved for it\n", list);
        broken++;
    }
    return broken;
}

size_t freelist_check(const struct freelist_heap *heap)
{
    size_t broken = FREELIST_BELOW(check)(&heap->under);
    size_t damaged = freelist_mark_all(heap);
    if (damaged != 0) {
        return broken + damaged; /* such a list may have no end: it cannot be walked */
    }
    for (int list = 0; list < FREELIST_COUNT; list++) {
        broken += freelist_check_list(heap, list);
    }
    return broken;
}
