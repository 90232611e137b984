#include "allocators/tests/conformance.h"

#include <stdlib.h>
#include <string.h>

#include "common/os_memory.h"

void conformance_model_begin(struct conformance_model *model, struct heap *heap, size_t capacity)
{
    *model = (struct conformance_model){.heap = heap, .capacity = capacity};
    model->blocks = os_map(capacity * sizeof(model->blocks[0]));
    assert_non_null(model->blocks);
}

void conformance_model_end(struct conformance_model *model)
{
    os_unmap(model->blocks, model->capacity * sizeof(model->blocks[0]));
}

/* A block owes the alignment that is asked of blocks of its size. */
static void conformance_assert_aligned(const void *address, size_t size)
{
    size_t alignment = HEAP_ALIGNMENT;
    while (alignment > size && alignment > 1) {
        alignment /= 2;
    }
    assert_int_equal((uintptr_t)address % alignment, 0);
}

/* Compares the block with itself one byte on, which is as fast as memcmp is. */
static void conformance_assert_filled(const struct conformance_block *block, size_t bytes)
{
    if (!CONFORMANCE_CAN(HEAP_KEEPS_CONTENTS) || bytes == 0) {
        return;
    }
    if (block->address[0] != block->fill ||
        memcmp(block->address, block->address + 1, bytes - 1) != 0) {
        fail_msg("the contents of a block of %zu bytes at %p have changed", block->size,
                 (void *)block->address);
    }
}

static void conformance_fill(struct conformance_model *model, struct conformance_block *block)
{
    block->fill = ++model->next_fill;
    memset(block->address, block->fill, block->size);
    assert_true(heap_usable_size(model->heap, block->address, block->size) >= block->size);
}

bool conformance_alloc(struct conformance_model *model, size_t slot, size_t size,
                       enum heap_type type)
{
    struct conformance_block *block = &model->blocks[slot];
    assert_null(block->address);
    uint64_t counted = heap_allocations;
    void *address = heap_alloc(model->heap, size, type);
    assert_int_equal(heap_allocations, counted + 1);
    if (address == NULL) {
        return false;
    }
    conformance_assert_aligned(address, size);
    *block = (struct conformance_block){.address = address, .size = size, .type = type};
    conformance_fill(model, block);
    model->live++;
    model->live_bytes += size;
    return true;
}

void conformance_free(struct conformance_model *model, size_t slot)
{
    struct conformance_block *block = &model->blocks[slot];
    assert_non_null(block->address);
    conformance_assert_filled(block, block->size);
    heap_free(model->heap, block->address, block->size, block->type);
    model->live--;
    model->live_bytes -= block->size;
    block->address = NULL;
}

bool conformance_resize(struct conformance_model *model, size_t slot, size_t size)
{
    struct conformance_block *block = &model->blocks[slot];
    assert_non_null(block->address);
    conformance_assert_filled(block, block->size);
    void *moved = heap_resize(model->heap, block->address, block->size, size, block->type);
    if (moved == NULL) {
        conformance_assert_filled(block, block->size);
        return false;
    }
    conformance_assert_aligned(moved, size);
    model->live_bytes += size - block->size;
    block->address = moved;
    conformance_assert_filled(block, size < block->size ? size : block->size);
    block->size = size;
    conformance_fill(model, block);
    return true;
}

void conformance_free_all(struct conformance_model *model)
{
    for (size_t slot = 0; slot < model->capacity; slot++) {
        if (model->blocks[slot].address != NULL) {
            conformance_free(model, slot);
        }
    }
    assert_int_equal(model->live, 0);
    assert_int_equal(model->live_bytes, 0);
}

/* ---------------------------------------------------------------- verification */
static int conformance_compare_addresses(const void *a, const void *b)
{
    const struct conformance_block *const *left = a;
    const struct conformance_block *const *right = b;
    return ((*left)->address > (*right)->address) - ((*left)->address < (*right)->address);
}

static void conformance_verify_overlaps(const struct conformance_model *model)
{
    size_t table_bytes = (model->live + 1) * sizeof(struct conformance_block *);
    const struct conformance_block **sorted = os_map(table_bytes);
    assert_non_null(sorted);
    size_t count = 0;
    for (size_t slot = 0; slot < model->capacity; slot++) {
        if (model->blocks[slot].address != NULL) {
            sorted[count++] = &model->blocks[slot];
        }
    }
    assert_int_equal(count, model->live);
    qsort(sorted, count, sizeof(sorted[0]), conformance_compare_addresses);
    for (size_t i = 1; i < count; i++) {
        size_t bytes = sorted[i - 1]->size == 0 ? 1 : sorted[i - 1]->size;
        assert_true(sorted[i - 1]->address + bytes <= sorted[i]->address);
    }
    os_unmap(sorted, table_bytes);
}

/* What a walk adds up to. */
struct conformance_walk {
    size_t arenas;
    size_t pools;
    size_t pools_in_use; /* with a block that is live or cached */
    size_t live;
    size_t live_bytes;
    size_t cached;
    size_t cached_bytes;
    size_t large;
    size_t large_bytes;
    struct heap_region arena; /* the last of each kind */
    struct heap_region outer; /* pool, or large block */
    bool outer_in_use;
    bool misplaced;
};

static bool conformance_contains(const struct heap_region *outer, const struct heap_region *inner)
{
    return (uintptr_t)inner->address - (uintptr_t)outer->address + inner->bytes <= outer->bytes;
}

static void conformance_visit(void *context, const struct heap_region *region)
{
    struct conformance_walk *walk = context;
    bool live = region->kind == HEAP_REGION_BLOCK_LIVE;
    bool cached = region->kind == HEAP_REGION_BLOCK_CACHED;
    switch (region->kind) {
    case HEAP_REGION_ARENA:
        walk->arenas++;
        walk->arena = *region;
        break;
    case HEAP_REGION_POOL:
        walk->pools++;
        walk->misplaced |= !conformance_contains(&walk->arena, region);
        walk->outer = *region;
        walk->outer_in_use = false;
        break;
    case HEAP_REGION_LARGE:
        walk->large++;
        walk->large_bytes += region->bytes;
        walk->outer = *region;
        walk->outer_in_use = true; /* not a pool: not counted as one */
        break;
    default:
        walk->misplaced |= !conformance_contains(&walk->outer, region);
        walk->live += live;
        walk->live_bytes += live ? region->bytes : 0;
        walk->cached += cached;
        walk->cached_bytes += cached ? region->bytes : 0;
        walk->pools_in_use += (live || cached) && !walk->outer_in_use;
        walk->outer_in_use |= live || cached;
    }
}

/* Large blocks that are the system malloc's are counted, and not visited. */
static void conformance_verify_walk(const struct heap *heap, const struct heap_stats *stats)
{
    struct conformance_walk walk = {0};
    heap_walk(heap, conformance_visit, &walk);
    assert_false(walk.misplaced);
    assert_int_equal(walk.arenas, stats->arenas_live);
    assert_int_equal(walk.pools, stats->pools_live + stats->pools_free);
    assert_int_equal(walk.pools_in_use, stats->pools_live);
    assert_int_equal(walk.live, stats->blocks_live - (stats->large_blocks - walk.large));
    assert_int_equal(walk.live_bytes,
                     stats->usable_bytes - (stats->large_bytes - walk.large_bytes));
    assert_int_equal(walk.cached, stats->cached_blocks);
    assert_int_equal(walk.cached_bytes, stats->cached_bytes);
}

/* Who cannot walk tells of arenas at most. */
static void conformance_verify_short_walk(const struct heap *heap)
{
    struct conformance_walk walk = {0};
    heap_walk(heap, conformance_visit, &walk);
    assert_int_equal(walk.pools + walk.large + walk.live + walk.cached, 0);
}

static void conformance_verify_stats(const struct conformance_model *model)
{
    struct heap_stats stats;
    heap_stats(model->heap, &stats);
    assert_true(stats.held_bytes >= model->live_bytes);
    assert_true(stats.held_bytes_peak >= stats.held_bytes);
    assert_int_equal(stats.arenas_live, stats.arenas_mapped - stats.arenas_unmapped);
    if (!CONFORMANCE_CAN(HEAP_CAN_WALK)) {
        return;
    }
    size_t usable = 0;
    for (size_t slot = 0; slot < model->capacity; slot++) {
        const struct conformance_block *block = &model->blocks[slot];
        if (block->address != NULL) {
            usable += heap_usable_size(model->heap, block->address, block->size);
        }
    }
    assert_int_equal(stats.blocks_live, model->live);
    assert_int_equal(stats.usable_bytes, usable);
    assert_true(stats.held_bytes >= stats.usable_bytes + stats.cached_bytes);
    conformance_verify_walk(model->heap, &stats);
}

void conformance_verify(const struct conformance_model *model)
{
    assert_int_equal(heap_check(model->heap), 0);
    if (!CONFORMANCE_CAN(HEAP_CAN_WALK)) {
        conformance_verify_short_walk(model->heap);
    }
    if (CONFORMANCE_CAN(HEAP_KEEPS_CONTENTS)) {
        conformance_verify_overlaps(model);
    }
    for (size_t slot = 0; slot < model->capacity; slot++) {
        if (model->blocks[slot].address != NULL) {
            conformance_assert_filled(&model->blocks[slot], model->blocks[slot].size);
        }
    }
    if (CONFORMANCE_CAN(HEAP_CAN_STATS)) {
        conformance_verify_stats(model);
    }
}

/* ---------------------------------------------------------------- draws */
static size_t conformance_draw_size(struct rng *rng, size_t low, size_t high)
{
    size_t span = high - low + 1;
    /* The smaller of two: small sizes are more frequent, as in programs. */
    size_t first = rng_below(rng, span);
    size_t second = rng_below(rng, span);
    return low + (first < second ? first : second);
}

void conformance_draw(struct rng *rng, size_t low, size_t high, size_t *size, enum heap_type *type)
{
    static const struct {
        enum heap_type type;
        size_t size;
    } fixed[] = {
        {HEAP_INT, HEAP_INT_BYTES},
        {HEAP_FLOAT, HEAP_FLOAT_BYTES},
        {HEAP_LIST, HEAP_LIST_BYTES},
        {HEAP_DICT, HEAP_DICT_BYTES},
    };
    static const enum heap_type sized[] = {HEAP_RAW, HEAP_STR, HEAP_INSTANCE, HEAP_BUFFER};
    uint64_t choice = rng_below(rng, 8);
    if (choice < 4) {
        *type = fixed[choice].type;
        *size = fixed[choice].size;
    } else if (choice == 4) {
        *type = HEAP_TUPLE; /* one length more than any list keeps, and the empty one */
        *size = HEAP_TUPLE_BYTES + 8 * (size_t)rng_below(rng, 22);
    } else {
        *type = sized[rng_below(rng, 4)];
        *size = conformance_draw_size(rng, low, high);
    }
}
