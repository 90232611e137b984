/* pymalloc seen from outside: statistics and the walk over arenas, pools and blocks. */
#include <string.h>

#include "allocators/pymalloc_arena.h"

void pymalloc_pool_survey(const struct pymalloc_pool *pool, struct pymalloc_survey *survey)
{
    memset(survey, 0, sizeof(*survey));
    if (pool->size_class >= PYMALLOC_CLASSES || pool->offset_next < PYMALLOC_POOL_OVERHEAD ||
        pool->offset_next > PYMALLOC_POOL_BYTES) {
        return;
    }
    size_t bytes = pymalloc_class_bytes(pool->size_class);
    survey->capacity = (PYMALLOC_POOL_BYTES - PYMALLOC_POOL_OVERHEAD) / bytes;
    survey->carved = (pool->offset_next - PYMALLOC_POOL_OVERHEAD) / bytes;
    for (void *block = pool->free_block; block != NULL; block = pymalloc_word_read(block)) {
        size_t offset = (uintptr_t)block - (uintptr_t)pool - PYMALLOC_POOL_OVERHEAD;
        size_t number = offset / bytes;
        if (offset % bytes != 0 || number >= survey->carved ||
            pymalloc_survey_is_free(survey, number)) {
            return;
        }
        survey->free_bits[number / 64] |= (uint64_t)1 << (number % 64);
        survey->free_count++;
    }
    survey->sound = true;
}

static void pymalloc_stats_add_arena(const struct pymalloc_arena *arena, struct heap_stats *stats)
{
    for (const unsigned char *at = pymalloc_arena_first_pool(arena); at < arena->pool_next;
         at += PYMALLOC_POOL_BYTES) {
        const struct pymalloc_pool *pool = (const struct pymalloc_pool *)(const void *)at;
        stats->blocks_live += pool->live;
        stats->usable_bytes += pool->live * pymalloc_class_bytes(pool->size_class);
        stats->pools_live += pool->live != 0;
    }
    stats->pools_free += arena->pools_free;
}

void pymalloc_stats(const struct pymalloc_heap *heap, struct heap_stats *stats)
{
    *stats = (struct heap_stats){
        .blocks_live = heap->large_blocks,
        .usable_bytes = heap->large_bytes,
        .held_bytes = pymalloc_held_bytes(heap),
        .held_bytes_peak = heap->held_bytes_peak,
        .arenas_live = heap->arenas_live,
        .arenas_mapped = heap->arenas_mapped,
        .arenas_unmapped = heap->arenas_unmapped,
        .large_blocks = heap->large_blocks,
        .large_bytes = heap->large_bytes,
    };
    for (uint32_t i = 0; i < heap->arena_slots; i++) {
        if (heap->arenas[i].address != 0) {
            pymalloc_stats_add_arena(&heap->arenas[i], stats);
        }
    }
}

static void pymalloc_walk_blocks(const struct pymalloc_pool *pool, size_t arena, heap_visit *visit,
                                 void *context)
{
    struct pymalloc_survey survey;
    pymalloc_pool_survey(pool, &survey);
    size_t bytes = pymalloc_class_bytes(pool->size_class);
    const unsigned char *first = (const unsigned char *)pool + PYMALLOC_POOL_OVERHEAD;
    for (size_t number = 0; number < survey.capacity; number++) {
        struct heap_region region = {
            .kind = HEAP_REGION_BLOCK_LIVE,
            .address = first + number * bytes,
            .bytes = bytes,
            .arena = arena,
        };
        if (number >= survey.carved) {
            region.kind = HEAP_REGION_BLOCK_FRESH;
        } else if (pymalloc_survey_is_free(&survey, number)) {
            region.kind = HEAP_REGION_BLOCK_FREE;
        }
        visit(context, &region);
    }
}

/* All pools of the arena: one that was never carved has a block size of 0 and no blocks; an empty
 * one has those of the class that it served last. */
static void pymalloc_walk_arena(const struct pymalloc_arena *arena, heap_visit *visit,
                                void *context)
{
    const unsigned char *at = pymalloc_arena_first_pool(arena);
    for (size_t i = 0; i < arena->pools_total; i++, at += PYMALLOC_POOL_BYTES) {
        const struct pymalloc_pool *pool = (const struct pymalloc_pool *)(const void *)at;
        bool carved = at < arena->pool_next;
        struct heap_region region = {
            .kind = HEAP_REGION_POOL,
            .address = at,
            .bytes = PYMALLOC_POOL_BYTES,
            .block_bytes = carved ? pymalloc_class_bytes(pool->size_class) : 0,
            .arena = arena->ordinal,
        };
        visit(context, &region);
        if (carved) {
            pymalloc_walk_blocks(pool, arena->ordinal, visit, context);
        }
    }
}

void pymalloc_walk(const struct pymalloc_heap *heap, heap_visit *visit, void *context)
{
    for (uint32_t i = 0; i < heap->arena_slots; i++) {
        const struct pymalloc_arena *arena = &heap->arenas[i];
        if (arena->address == 0) {
            continue;
        }
        struct heap_region region = {
            .kind = HEAP_REGION_ARENA,
            .address = (const void *)arena->address,
            .bytes = PYMALLOC_ARENA_BYTES,
            .arena = arena->ordinal,
        };
        visit(context, &region);
        pymalloc_walk_arena(arena, visit, context);
    }
}
