#include "fuzz/targets/block_ops_model.h"

#include <string.h>

#include "fuzz/asan.h"

enum {
    MODEL_EDGE_BYTES = 192, /* filled at both ends of a block that is more than twice as large */
    MODEL_CARVED_SLACK = 2 * 41, /* blocks that a carved type's list may have beyond its peak */
};

/* ---------------------------------------------------------------- contents
 * Filling and comparing use loops of their own: engines and sanitizers watch the arguments of
 * memset and memcmp, which costs several times as much as the work. */
enum { MODEL_WORD_BYTES = 16 };
typedef uint8_t model_word __attribute__((vector_size(MODEL_WORD_BYTES), aligned(1), may_alias));

FUZZ_UNCHECKED static void block_ops_fill_range(unsigned char *bytes, size_t size, uint8_t fill)
{
    size_t i = 0;
    model_word word = (model_word){0} + fill;
    for (; i + MODEL_WORD_BYTES <= size; i += MODEL_WORD_BYTES) {
        *(model_word *)(bytes + i) = word;
        __asm__ volatile("" ::: "memory"); /* otherwise compilers make it a memset */
    }
    for (; i < size; i++) {
        bytes[i] = fill;
        __asm__ volatile("" ::: "memory");
    }
}

FUZZ_UNCHECKED static bool block_ops_is_filled_range(const unsigned char *bytes, size_t size,
                                                     uint8_t fill)
{
    size_t i = 0;
    model_word word = (model_word){0} + fill;
    model_word wrong = {0};
    for (; i + MODEL_WORD_BYTES <= size; i += MODEL_WORD_BYTES) {
        wrong |= *(const model_word *)(bytes + i) ^ word;
    }
    uint64_t halves[2];
    memcpy(halves, &wrong, sizeof(halves));
    unsigned rest = 0;
    for (; i < size; i++) {
        rest |= (unsigned)(bytes[i] ^ fill);
    }
    return (halves[0] | halves[1] | rest) == 0;
}

static void block_ops_fill(struct block_slot *slot)
{
    size_t size = slot->size;
    if (size == 0) {
        return;
    }
    slot->address[0] = slot->fill;
    slot->address[size - 1] = slot->fill;
    if (size <= 2 * MODEL_EDGE_BYTES) {
        block_ops_fill_range(slot->address, size, slot->fill);
    } else {
        block_ops_fill_range(slot->address, MODEL_EDGE_BYTES, slot->fill);
        block_ops_fill_range(slot->address + size - MODEL_EDGE_BYTES, MODEL_EDGE_BYTES, slot->fill);
    }
}

static bool block_ops_is_filled(const unsigned char *bytes, size_t size, uint8_t fill)
{
    return size == 0 || (bytes[0] == fill && bytes[size - 1] == fill &&
                         block_ops_is_filled_range(bytes, size, fill));
}

FUZZ_ORACLE void block_ops_expect_kept(const struct block_slot *slot, size_t bytes)
{
    if (!BLOCK_OPS_CAN(HEAP_KEEPS_CONTENTS)) {
        return;
    }
    size_t head = bytes < 2 * MODEL_EDGE_BYTES ? bytes : 2 * MODEL_EDGE_BYTES;
    if (slot->size > 2 * MODEL_EDGE_BYTES && head > MODEL_EDGE_BYTES) {
        head = MODEL_EDGE_BYTES; /* the bytes after it were never written */
    }
    FUZZ_EXPECT(block_ops_is_filled(slot->address, head, slot->fill), "contents",
                "the first bytes of a live block of %u have changed", slot->size);
    if (bytes == slot->size && slot->size > 2 * MODEL_EDGE_BYTES) {
        FUZZ_EXPECT(block_ops_is_filled(slot->address + slot->size - MODEL_EDGE_BYTES,
                                        MODEL_EDGE_BYTES, slot->fill),
                    "contents", "the last bytes of a live block of %u have changed", slot->size);
    }
}

FUZZ_ORACLE void block_ops_expect_contents(struct block_ops_model *model)
{
    const struct block_program *program = &model->program;
    for (uint32_t i = 0; i < program->live; i++) {
        const struct block_slot *slot = &program->slots[block_program_slot(program, i)];
        block_ops_expect_kept(slot, slot->size);
    }
}

/* ---------------------------------------------------------------- allocation and freeing */
static uint64_t block_ops_hash(const void *address)
{
    uint64_t state = (uint64_t)(uintptr_t)address;
    return rng_splitmix(&state);
}

static uint32_t block_ops_key(const struct block_slot *slot)
{
    uint32_t size = slot->size / 8;
    return slot->type * BLOCK_OPS_CACHE_SIZES +
           (size < BLOCK_OPS_CACHE_SIZES ? size : BLOCK_OPS_CACHE_SIZES - 1);
}

static void block_ops_count(struct block_ops_model *model, const struct block_slot *slot, int sign)
{
    uint32_t *live = &model->key_live[block_ops_key(slot)];
    uint32_t *peak = &model->key_peak[block_ops_key(slot)];
    *live += (uint32_t)sign;
    if (*live > *peak) {
        model->cacheable_peak += *live - *peak;
        *peak = *live;
    }
    model->usable_bytes += (size_t)((int64_t)slot->usable * sign);
    if (fuzz_os_is_in_region(slot->address)) {
        model->region_hash += block_ops_hash(slot->address) * (uint64_t)(int64_t)sign;
        model->small_blocks += (size_t)sign;
    }
}

FUZZ_ORACLE void block_ops_enter(struct block_ops_model *model, struct block_slot *slot,
                                 void *address)
{
    slot->address = address;
    size_t alignment = HEAP_ALIGNMENT;
    while (alignment > slot->size && alignment > 1) {
        alignment /= 2;
    }
    FUZZ_EXPECT((uintptr_t)address % alignment == 0, "alignment",
                "a block of %u bytes is not aligned to %zu", slot->size, alignment);
    size_t usable = heap_usable_size(&model->heap, address, slot->size);
    FUZZ_EXPECT(usable >= slot->size, "usable-size", "%zu bytes are usable of a block of %u",
                usable, slot->size);
    slot->usable = (uint32_t)usable;
    if (BLOCK_OPS_CAN(HEAP_KEEPS_CONTENTS)) {
        fuzz_os_claim(address, slot->size == 0 ? 1 : slot->size);
    }
    slot->fill = ++model->next_fill;
    block_ops_fill(slot);
    block_ops_count(model, slot, 1);
    if (model->program.live > model->live_peak) {
        model->live_peak = model->program.live;
    }
}

FUZZ_ORACLE void block_ops_leave(struct block_ops_model *model, struct block_slot *slot)
{
    block_ops_expect_kept(slot, slot->size);
    FUZZ_EXPECT(heap_usable_size(&model->heap, slot->address, slot->size) == slot->usable,
                "usable-size", "the usable size of a live block has changed from %u", slot->usable);
    if (BLOCK_OPS_CAN(HEAP_KEEPS_CONTENTS)) {
        fuzz_os_release(slot->address, slot->size == 0 ? 1 : slot->size);
    }
    block_ops_count(model, slot, -1);
}

/* ---------------------------------------------------------------- the whole heap */
FUZZ_ORACLE void block_ops_expect_healthy(struct block_ops_model *model)
{
    size_t broken = heap_check(&model->heap);
    FUZZ_EXPECT(broken == 0, "check", "%zu invariants of the heap are broken", broken);
}

/* Cached blocks were once live, and a list does not grow while it has a block to give. A resize
 * moves a block from one size to another. */
static void block_ops_expect_bounded(const struct block_ops_model *model,
                                     const struct heap_stats *stats)
{
    if (BLOCK_OPS_CAN(HEAP_RESERVES)) {
        return;
    }
    size_t bound = model->cacheable_peak + model->resizes + MODEL_CARVED_SLACK;
    FUZZ_EXPECT(stats->cached_blocks <= bound, "bounded",
                "%zu blocks are cached, though no more than %zu can have been given back",
                stats->cached_blocks, bound);
    size_t in_arenas = stats->blocks_live + stats->cached_blocks - stats->large_blocks;
    FUZZ_EXPECT(stats->pools_live <= stats->blocks_live + stats->cached_blocks, "bounded",
                "%zu pools are in use for %zu blocks", stats->pools_live, in_arenas);
    FUZZ_EXPECT(stats->arenas_live <= stats->pools_live + 1, "bounded",
                "%zu arenas are held for %zu pools in use", stats->arenas_live, stats->pools_live);
}

FUZZ_ORACLE void block_ops_expect_stats(struct block_ops_model *model)
{
    if (!BLOCK_OPS_CAN(HEAP_CAN_STATS)) {
        return;
    }
    struct heap_stats stats;
    heap_stats(&model->heap, &stats);
    FUZZ_EXPECT(stats.arenas_live == stats.arenas_mapped - stats.arenas_unmapped, "stats",
                "%zu arenas live of %zu mapped and %zu unmapped", stats.arenas_live,
                stats.arenas_mapped, stats.arenas_unmapped);
    FUZZ_EXPECT(stats.held_bytes_peak >= stats.held_bytes, "stats",
                "%zu bytes held, at most %zu ever", stats.held_bytes, stats.held_bytes_peak);
    if (!BLOCK_OPS_CAN(HEAP_CAN_WALK)) {
        return; /* such a back end does not count blocks */
    }
    FUZZ_EXPECT(stats.blocks_live == model->program.live, "stats",
                "%zu blocks live, by the model %u", stats.blocks_live, model->program.live);
    FUZZ_EXPECT(stats.usable_bytes == model->usable_bytes, "stats",
                "%zu bytes usable, by the model %zu", stats.usable_bytes, model->usable_bytes);
    bool agrees = BLOCK_OPS_CAN(HEAP_RESERVES) ? stats.held_bytes <= model->os.held_bytes
                                               : stats.held_bytes == model->os.held_bytes;
    FUZZ_EXPECT(model->os.requests == 0 || agrees, "stats",
                "%zu bytes held, by the system's books %zu", stats.held_bytes,
                model->os.held_bytes);
    block_ops_expect_bounded(model, &stats);
}

/* What a walk adds up to. */
struct block_ops_walk {
    size_t arenas;
    size_t pools;
    size_t pools_in_use; /* with a block that is live or cached */
    size_t live;
    size_t live_bytes;
    size_t cached;
    size_t cached_bytes;
    size_t large;
    size_t large_bytes;
    size_t small_blocks;
    uint64_t region_hash;
    struct heap_region arena; /* the last of each kind */
    struct heap_region outer; /* pool, or large block */
    uintptr_t next;           /* where the outer one's next block may begin */
    bool outer_in_use;
};

FUZZ_ORACLE static void block_ops_visit_inside(const struct heap_region *outer,
                                               const struct heap_region *inner)
{
    uintptr_t offset = (uintptr_t)inner->address - (uintptr_t)outer->address;
    FUZZ_EXPECT(inner->bytes <= outer->bytes && offset <= outer->bytes - inner->bytes, "walk",
                "a region of kind %d and %zu bytes lies outside of what it was visited in",
                inner->kind, inner->bytes);
}

FUZZ_ORACLE static void block_ops_visit_outer(struct block_ops_walk *walk,
                                              const struct heap_region *region)
{
    walk->arenas += region->kind == HEAP_REGION_ARENA;
    walk->pools += region->kind == HEAP_REGION_POOL;
    if (region->kind == HEAP_REGION_ARENA) {
        walk->arena = *region;
        return;
    }
    if (region->kind == HEAP_REGION_POOL) {
        block_ops_visit_inside(&walk->arena, region);
    } else {
        walk->large++;
        walk->large_bytes += region->bytes;
    }
    walk->outer = *region;
    walk->outer_in_use = region->kind == HEAP_REGION_LARGE; /* no pool */
    walk->next = (uintptr_t)region->address;
}

/* The kind of a block is what the model says of it: whose bytes are somebody's is live. */
FUZZ_ORACLE static void block_ops_visit_block(struct block_ops_walk *walk,
                                              const struct heap_region *region)
{
    bool live = region->kind == HEAP_REGION_BLOCK_LIVE;
    bool cached = region->kind == HEAP_REGION_BLOCK_CACHED;
    block_ops_visit_inside(&walk->outer, region);
    FUZZ_EXPECT((uintptr_t)region->address >= walk->next, "walk",
                "a block of %zu bytes is visited in front of the one before", region->bytes);
    walk->next = (uintptr_t)region->address + region->bytes;
    bool is_known = BLOCK_OPS_CAN(HEAP_KEEPS_CONTENTS) && region->bytes != 0 &&
                    fuzz_os_is_in_region(region->address);
    FUZZ_EXPECT(!is_known || fuzz_os_is_claimed(region->address, live ? 1 : region->bytes) == live,
                "walk", "a block of %zu bytes is visited as of kind %d, and is %slive",
                region->bytes, region->kind, live ? "not " : "");
    walk->live += live;
    walk->live_bytes += live ? region->bytes : 0;
    walk->cached += cached;
    walk->cached_bytes += cached ? region->bytes : 0;
    walk->pools_in_use += (live || cached) && !walk->outer_in_use;
    walk->outer_in_use |= live || cached;
    if (live && fuzz_os_is_in_region(region->address)) {
        walk->small_blocks++;
        walk->region_hash += block_ops_hash(region->address);
    }
}

static void block_ops_visit(void *context, const struct heap_region *region)
{
    if (region->kind == HEAP_REGION_ARENA || region->kind == HEAP_REGION_POOL ||
        region->kind == HEAP_REGION_LARGE) {
        block_ops_visit_outer(context, region);
    } else {
        block_ops_visit_block(context, region);
    }
}

FUZZ_ORACLE static void block_ops_expect_sums(const struct block_ops_walk *walk,
                                              const struct heap_stats *stats)
{
    FUZZ_EXPECT(walk->arenas == stats->arenas_live, "walk",
                "the walk meets %zu arenas, stats count %zu", walk->arenas, stats->arenas_live);
    FUZZ_EXPECT(walk->pools == stats->pools_live + stats->pools_free &&
                    walk->pools_in_use == stats->pools_live,
                "walk", "the walk meets %zu pools, %zu in use; stats count %zu and %zu free",
                walk->pools, walk->pools_in_use, stats->pools_live, stats->pools_free);
    FUZZ_EXPECT(walk->live_bytes == stats->usable_bytes - (stats->large_bytes - walk->large_bytes),
                "walk",
                "the walk meets %zu bytes of live blocks, stats count %zu, %zu of them large",
                walk->live_bytes, stats->usable_bytes, stats->large_bytes);
    FUZZ_EXPECT(walk->cached == stats->cached_blocks && walk->cached_bytes == stats->cached_bytes,
                "walk", "the walk meets %zu cached blocks of %zu bytes, stats count %zu of %zu",
                walk->cached, walk->cached_bytes, stats->cached_blocks, stats->cached_bytes);
    FUZZ_EXPECT(stats->held_bytes >= stats->usable_bytes + stats->cached_bytes, "stats",
                "%zu bytes are held, and more are usable or cached", stats->held_bytes);
}

FUZZ_ORACLE void block_ops_expect_walk(struct block_ops_model *model)
{
    if (!BLOCK_OPS_CAN(HEAP_CAN_WALK)) {
        return;
    }
    struct block_ops_walk walk = {0};
    heap_walk(&model->heap, block_ops_visit, &walk);
    struct heap_stats stats;
    heap_stats(&model->heap, &stats);
    /* Large blocks of the system's malloc are counted but not visited. */
    FUZZ_EXPECT(walk.live == stats.blocks_live - (stats.large_blocks - walk.large), "walk",
                "the walk meets %zu live blocks, stats count %zu, %zu of them large", walk.live,
                stats.blocks_live, stats.large_blocks);
    FUZZ_EXPECT(walk.small_blocks == model->small_blocks && walk.region_hash == model->region_hash,
                "walk", "the walk meets %zu live blocks in arenas, by the model %zu",
                walk.small_blocks, model->small_blocks);
    block_ops_expect_sums(&walk, &stats);
}

FUZZ_ORACLE void block_ops_expect_empty(struct block_ops_model *model)
{
    block_ops_expect_healthy(model);
    block_ops_expect_stats(model);
    block_ops_expect_walk(model);
    if (BLOCK_OPS_CAN(HEAP_CAN_WALK)) {
        struct heap_stats stats;
        heap_stats(&model->heap, &stats);
        FUZZ_EXPECT(stats.pools_live <= stats.cached_blocks, "conservation",
                    "%zu pools are in use though nothing is live and %zu blocks are cached",
                    stats.pools_live, stats.cached_blocks);
    }
}
