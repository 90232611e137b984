/* block_ops: plays operations on blocks against the contract of the back ends
 * (allocators/backend.h).
 *
 * Oracles: the contents of every block stay unchanged from its allocation to its free, also across
 * resizes; live blocks do not overlap, and lie inside arenas; alignment; usable size; the heap's
 * own check; stats and walk agree with the model; cached and held memory is bounded by what was
 * live; a refused request leaves the heap unchanged; close gives everything back. */
#include <string.h>

#include "fuzz/fuzz_target.h"
#include "fuzz/landmark.h"
#include "fuzz/mutator.h"
#include "fuzz/targets/block_ops_model.h"

static struct block_ops_model block_ops;

/* The state at the last look. */
struct block_ops_landmarks {
    size_t mappings;
    uint64_t refusals;
};

FUZZ_LANDMARKS(mappings)
FUZZ_LANDMARKS(unmappings)
FUZZ_LANDMARKS(refusals)
FUZZ_LANDMARKS(refused)

/* A large block may be refused in any state of the heap, a small one only if there is no room. */
enum { BLOCK_OPS_SURELY_SMALL_BYTES = 256 /* the least threshold: PYMALLOC_THRESHOLD, 2.3 */ };

/* Passes landmarks of the number of arenas, because most errors among arenas need several of
 * them. */
static void block_ops_pass_landmarks(const struct block_ops_model *model,
                                     struct block_ops_landmarks *passed)
{
    const struct fuzz_os *os = &model->os;
    if (os->mappings > passed->mappings) {
        landmark_mappings((unsigned)os->mappings);
    } else if (os->mappings < passed->mappings) {
        landmark_unmappings((unsigned)os->mappings);
    }
    if (os->refusals > passed->refusals) {
        landmark_refusals((unsigned)os->mappings);
    }
    *passed = (struct block_ops_landmarks){os->mappings, os->refusals};
}

static bool block_ops_frees_unsized(const struct block_ops_model *model)
{
    return BLOCK_OPS_CAN(HEAP_CAN_FREE_UNSIZED) && HEAPMILL_ARM == HEAPMILL_ARM_INLINE &&
           (model->program.palette.flags & BLOCK_FLAG_UNSIZED) != 0;
}

/* Only the system may refuse, and a refusal must leave the heap unchanged. A back end with its own
 * limit (bump), or with other memory, may refuse too. */
static void block_ops_expect_refusal(struct block_ops_model *model, uint64_t refusals, size_t size)
{
    unsigned mappings = model->os.mappings < 15 ? (unsigned)model->os.mappings : 15;
    landmark_refused(size <= BLOCK_OPS_SURELY_SMALL_BYTES ? 16 + mappings : mappings);
    struct heap_stats stats = {0};
    if (BLOCK_OPS_CAN(HEAP_RESERVES)) {
        heap_stats(&model->heap, &stats);
    }
    bool is_full = stats.held_bytes + size > model->os.held_bytes / 2;
    FUZZ_EXPECT(model->os.refusals != refusals || !BLOCK_OPS_CAN(HEAP_CAN_WALK) ||
                    (BLOCK_OPS_CAN(HEAP_RESERVES) && is_full) || size > FUZZ_OS_REGION_BYTES / 8,
                "exhaustion", "%zu bytes are refused though the system refused nothing", size);
    block_ops_expect_stats(model);
}

static void block_ops_alloc(struct block_ops_model *model, const struct block_step *step)
{
    struct block_slot *slot = &model->program.slots[step->slot];
    uint64_t refusals = model->os.refusals;
    void *address = heap_alloc(&model->heap, step->size, (enum heap_type)slot->type);
    if (address == NULL) {
        block_program_refused_alloc(&model->program, step->slot);
        block_ops_expect_refusal(model, refusals, step->size);
        return;
    }
    block_ops_enter(model, slot, address);
}

static void block_ops_free(struct block_ops_model *model, const struct block_step *step)
{
    struct block_slot *slot = &model->program.slots[step->slot];
    block_ops_leave(model, slot);
    if (block_ops_frees_unsized(model)) {
        heap_barrier(slot->address);
        HEAP_SOURCE(free_unsized)(&model->heap.source, slot->address);
    } else {
        heap_free(&model->heap, slot->address, step->size, (enum heap_type)slot->type);
    }
}

static void block_ops_resize(struct block_ops_model *model, const struct block_step *step)
{
    size_t old_size = model->program.resized_from;
    struct block_slot *slot = &model->program.slots[step->slot];
    uint64_t refusals = model->os.refusals;
    slot->size = (uint32_t)old_size;
    block_ops_leave(model, slot);
    void *moved =
        heap_resize(&model->heap, slot->address, old_size, step->size, (enum heap_type)slot->type);
    slot->size = (uint32_t)step->size;
    model->resizes++;
    if (moved == NULL) {
        block_program_refused_resize(&model->program, step->slot, old_size);
        block_ops_expect_kept(slot, old_size);
        block_ops_enter(model, slot, slot->address);
        block_ops_expect_refusal(model, refusals, step->size);
        return;
    }
    slot->address = moved;
    struct block_slot before = *slot;
    before.size = (uint32_t)old_size;
    block_ops_expect_kept(&before, old_size < step->size ? old_size : step->size);
    block_ops_enter(model, slot, moved);
}

static void block_ops_step(struct block_ops_model *model, const struct block_step *step)
{
    switch (step->kind) {
    case BLOCK_ALLOC:
        block_ops_alloc(model, step);
        break;
    case BLOCK_FREE:
        block_ops_free(model, step);
        break;
    case BLOCK_RESIZE:
        block_ops_resize(model, step);
        break;
    case BLOCK_CHECK:
        block_ops_expect_healthy(model);
        break;
    case BLOCK_STATS:
        block_ops_expect_stats(model);
        break;
    case BLOCK_WALK:
        block_ops_expect_walk(model);
        break;
    case BLOCK_TRIM:
        heap_trim(&model->heap);
        block_ops_expect_stats(model);
        break;
    case BLOCK_VERIFY:
        block_ops_expect_contents(model);
        break;
    case BLOCK_REFUSE:
        model->os.refuse_at = model->os.requests + step->size;
        break;
    }
}

/* Checks the heap now and then. The cost grows with the heap, so larger heaps are checked less
 * often. */
static void block_ops_check_now_and_then(struct block_ops_model *model)
{
    static const size_t periods[] = {4096, 512, 64, 16};
    if (fuzz_is_careful) {
        block_ops_expect_contents(model);
        block_ops_expect_walk(model);
        model->next_check = 0;
    }
    if (model->program.steps >= model->next_check) {
        unsigned choice = model->program.palette.flags >> BLOCK_FLAG_CHECK_SHIFT & 3;
        model->next_check = model->program.steps + periods[choice] + model->program.live;
        block_ops_expect_healthy(model);
        block_ops_expect_stats(model);
    }
}

static bool block_ops_open(struct block_ops_model *model)
{
    unsigned flags = model->program.palette.flags;
    unsigned faults = model->program.palette.faults;
    fuzz_os_begin(&model->os, (enum fuzz_os_placement)((flags >> BLOCK_FLAG_PLACEMENT_SHIFT) % 3),
                  (flags & BLOCK_FLAG_UNALIGNED) != 0);
    model->os.refuse_rate = faults < 128 ? 0 : faults - 127;
    model->os.draws = faults;
    struct heap_options options = {.os = model->os.hooks, .window_bytes = 1 << 19};
    if (heap_open(&model->heap, &options, NULL) != STATUS_OK) {
        fuzz_os_expect_balanced(&model->os);
        return false;
    }
    heap_begin_run(&model->heap);
    return true;
}

/* Frees the live blocks: all of them, or only those that close does not know (large blocks are the
 * system's). */
static void block_ops_end(struct block_ops_model *model)
{
    bool leaves =
        (model->program.palette.flags & BLOCK_FLAG_CLOSE_LIVE) != 0 && BLOCK_OPS_CAN(HEAP_CAN_WALK);
    struct block_step step;
    while (block_program_drain(&model->program, &step)) {
        struct block_slot *slot = &model->program.slots[step.slot];
        if (leaves && fuzz_os_is_in_region(slot->address)) {
            block_ops_leave(model, slot);
        } else {
            block_ops_free(model, &step);
        }
    }
    if (!leaves) {
        if ((model->program.palette.flags & BLOCK_FLAG_TRIM_AT_END) != 0) {
            heap_trim(&model->heap);
        }
        block_ops_expect_empty(model);
    }
    heap_close(&model->heap);
    fuzz_os_expect_balanced(&model->os);
}

static void block_ops_begin(struct block_ops_model *model, const uint8_t *data, size_t size)
{
    fuzz_begin();
    block_program_begin(&model->program, data, size);
    model->usable_bytes = 0;
    model->region_hash = 0;
    model->small_blocks = 0;
    model->live_peak = 0;
    model->resizes = 0;
    model->cacheable_peak = 0;
    model->next_check = 0;
    model->next_fill = 0;
    memset(model->key_live, 0, sizeof(model->key_live));
    memset(model->key_peak, 0, sizeof(model->key_peak));
}

static void block_ops_run(const uint8_t *data, size_t size)
{
    struct block_ops_model *model = &block_ops;
    block_ops_begin(model, data, size);
    if (!block_ops_open(model)) {
        return;
    }
    struct block_step step;
    struct block_ops_landmarks passed = {0, 0};
    while (block_program_next(&model->program, &step)) {
        fuzz_count_operation();
        block_ops_step(model, &step);
        block_ops_pass_landmarks(model, &passed);
        block_ops_check_now_and_then(model);
    }
    block_ops_expect_contents(model);
    block_ops_expect_healthy(model);
    block_ops_expect_walk(model);
    block_ops_end(model);
}

const struct fuzz_target fuzz_target_block_ops = {
    .name = "block_ops",
    .summary = "alloc, resize, free, stats, walk, trim of a back end against a model of its blocks",
    .format = "palette-1",
    .run = block_ops_run,
    .print = block_program_print,
    .mutate = mutator_mutate,
    .cross = mutator_cross,
    .generate = palette_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    block_ops_run(data, size);
    return 0;
}
