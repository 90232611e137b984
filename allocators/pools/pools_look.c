/* Inspects `pools`: statistics, and the walk over arenas, pages and blocks.
 *
 * A page's data is read while its owner may run. If other threads run, the figures do not belong to
 * one moment. */
#include <string.h>

#include "allocators/pools/pools_internal.h"

static uint64_t pools_read(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void pools_survey_add(const struct pools_heap *heap, struct pools_survey *survey,
                             void *const *blocks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = pools_page_unit(heap, pools_unit_of(heap, blocks[i]), survey->size_class);
        if (blocks[i] != NULL && at == survey->unit) {
            uint32_t number = pools_number_of(heap, at, survey->size_class, blocks[i]);
            survey->cached[number / 64] |= (uint64_t)1 << (number % 64);
            survey->cached_count++;
        }
    }
}

void pools_survey_page(const struct pools_heap *heap, uint32_t unit, struct pools_survey *survey)
{
    const struct pools_page *page = &heap->pages[unit];
    uint32_t tag = pools_tag_of(heap, unit);
    memset(survey, 0, sizeof(*survey));
    survey->unit = unit;
    survey->size_class = tag & ((1u << POOLS_TAG_BITS) - 1);
    for (uint32_t word = 0; word < page->words; word++) {
        survey->free[word] = pools_read(&page->free[word]) | pools_read(&page->remote[word]);
        survey->free_count += (uint32_t)__builtin_popcountll(survey->free[word]);
    }
    uint32_t owner = (tag >> POOLS_TAG_BITS) - 1;
    for (uint32_t i = 0; i < heap->local_count; i++) {
        const struct pools_local *local = &heap->locals[i];
        if (i == owner || local->is_mixed[survey->size_class]) {
            pools_survey_add(heap, survey,
                             &local->pointers[heap->classes[survey->size_class].stack_at],
                             pools_stack_count(heap, local, survey->size_class));
        }
        pools_survey_add(heap, survey, heap->locals[i].outbox, heap->locals[i].outbox_count);
#if POOLS_DELAY
        pools_survey_add(heap, survey, heap->locals[i].delayed, POOLS_DELAY);
#endif
    }
    survey->live = page->capacity - survey->free_count - survey->cached_count;
}

/* What begins at *unit; returns the unit after it. */
uint32_t pools_walk_next(const struct pools_heap *heap, uint32_t unit, enum pools_what *what)
{
    uint32_t tag = pools_tag_of(heap, unit);
    if (tag == POOLS_TAG_RUN) {
        *what = POOLS_RUN;
        return unit + heap->pages[unit].run_units;
    }
    if (tag >> POOLS_TAG_BITS != 0) {
        *what = POOLS_PAGE;
        return unit + (1u << heap->classes[tag & ((1u << POOLS_TAG_BITS) - 1)].unit_shift);
    }
    *what = tag == POOLS_TAG_FREE && pools_bit_is_set(heap->dirty, unit)
                ? POOLS_DIRTY
                : POOLS_CLEAN; /* a guard */
    return unit + 1;
}

/* The side table's part of the held bytes: entries of units that were ever used, and locals. */
static size_t pools_books_bytes(const struct pools_heap *heap)
{
    return heap->top * (sizeof(struct pools_page) + sizeof(uint32_t)) +
           heap->local_count * sizeof(struct pools_local);
}

static void pools_stats_add_page(const struct pools_heap *heap, uint32_t unit,
                                 struct heap_stats *stats)
{
    struct pools_survey survey;
    pools_survey_page(heap, unit, &survey);
    size_t bytes = heap->classes[survey.size_class].bytes - POOLS_TAIL;
    stats->blocks_live += survey.live;
    stats->usable_bytes += survey.live * bytes;
    stats->cached_blocks += survey.cached_count;
    stats->cached_bytes += survey.cached_count * bytes;
    bool in_use = survey.live + survey.cached_count != 0;
    stats->pools_live += in_use;
    stats->pools_free += !in_use;
}

void pools_stats(const struct pools_heap *heap, struct heap_stats *stats)
{
    pools_lock(heap);
    size_t books = pools_books_bytes(heap);
    *stats = (struct heap_stats){
        .blocks_live = heap->runs,
        .usable_bytes = heap->run_bytes,
        .held_bytes = ((size_t)(heap->used_units + heap->dirty_units) << POOLS_UNIT_SHIFT) + books,
        .held_bytes_peak = ((size_t)heap->held_units_peak << POOLS_UNIT_SHIFT) + books,
        .arenas_live = heap->arenas_mapped - heap->arenas_unmapped,
        .arenas_mapped = heap->arenas_mapped,
        .arenas_unmapped = heap->arenas_unmapped,
        .large_blocks = heap->runs,
        .large_bytes = heap->run_bytes,
    };
    enum pools_what what;
    for (uint32_t unit = 0, next; unit < heap->top; unit = next) {
        next = pools_walk_next(heap, unit, &what);
        if (what == POOLS_PAGE) {
            pools_stats_add_page(heap, unit, stats);
        }
        stats->pools_free += what == POOLS_DIRTY;
    }
    pools_unlock(heap);
}

static void pools_walk_page(const struct pools_heap *heap, uint32_t unit,
                            struct heap_region *region, heap_visit *visit, void *context)
{
    struct pools_survey survey;
    pools_survey_page(heap, unit, &survey);
    const struct pools_page *page = &heap->pages[unit];
    const struct pools_class *one = &heap->classes[survey.size_class];
    region->kind = HEAP_REGION_POOL;
    region->bytes = (size_t)POOLS_UNIT_BYTES << one->unit_shift;
    region->block_bytes = one->bytes;
    visit(context, region);
    region->bytes = one->bytes - POOLS_TAIL;
    region->block_bytes = 0;
    const unsigned char *base = pools_address_of(heap, unit);
    for (uint32_t number = 0; number < page->capacity; number++) {
        region->address = base + (size_t)number * one->bytes;
        region->kind = number / 64 >= page->fresh                ? HEAP_REGION_BLOCK_FRESH
                       : pools_bit_is_set(survey.free, number)   ? HEAP_REGION_BLOCK_FREE
                       : pools_bit_is_set(survey.cached, number) ? HEAP_REGION_BLOCK_CACHED
                                                                 : HEAP_REGION_BLOCK_LIVE;
        visit(context, region);
    }
}

/* Visits an arena if it holds anything; a run that reaches into it from before does not count. */
static void pools_walk_unit(const struct pools_heap *heap, uint32_t unit, enum pools_what what,
                            heap_visit *visit, void *context)
{
    struct heap_region region = {
        .address = pools_address_of(heap, unit),
        .bytes = POOLS_UNIT_BYTES,
        .arena = unit / POOLS_ARENA_UNITS,
    };
    if (what == POOLS_PAGE) {
        pools_walk_page(heap, unit, &region, visit, context);
    } else if (what != POOLS_CLEAN) {
        region.kind = what == POOLS_RUN ? HEAP_REGION_LARGE : HEAP_REGION_POOL;
        region.bytes = what == POOLS_RUN ? (size_t)heap->pages[unit].run_units << POOLS_UNIT_SHIFT
                                         : POOLS_UNIT_BYTES;
        visit(context, &region);
        region.kind = HEAP_REGION_BLOCK_LIVE;
        if (what == POOLS_RUN) {
            visit(context, &region); /* a run is one block */
        }
    }
}

static void pools_walk_arena(const struct pools_heap *heap, uint32_t arena, heap_visit *visit,
                             void *context)
{
    if (heap->arena_held[arena] != 0) {
        struct heap_region region = {
            .kind = HEAP_REGION_ARENA,
            .address = pools_address_of(heap, arena * POOLS_ARENA_UNITS),
            .bytes = (size_t)POOLS_ARENA_UNITS << POOLS_UNIT_SHIFT,
            .arena = arena,
        };
        visit(context, &region);
    }
}

void pools_walk(const struct pools_heap *heap, heap_visit *visit, void *context)
{
    enum pools_what what;
    uint32_t arena = 0; /* the next arena to visit */
    pools_lock(heap);
    for (uint32_t unit = 0, next; unit < heap->top; unit = next) {
        next = pools_walk_next(heap, unit, &what);
        for (; arena <= unit / POOLS_ARENA_UNITS; arena++) {
            pools_walk_arena(heap, arena, visit, context);
        }
        pools_walk_unit(heap, unit, what, visit, context);
    }
    for (; heap->top > 0 && arena <= (heap->top - 1) / POOLS_ARENA_UNITS; arena++) {
        pools_walk_arena(heap, arena, visit, context);
    }
    pools_unlock(heap);
}
