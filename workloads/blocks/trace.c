/* trace: what a real program asked for, event by event.
 *
 * Replays a trace (docs/trace-format.md): every block is taken, resized and given back in the order
 * in which the program did it, with its size and alignment, and both of its ends are written to and
 * read back. An iteration is the whole trace; what the program left behind is given back at its
 * end. Imitates the program's sizes, lifetimes and order, which no distribution has; leaves out
 * what it did with its memory besides (and so its cache misses and its time between two events),
 * the zeroing of calloc, and its threads: all events are in the recorded order on one thread.
 * Stresses whatever the program does.
 *
 * The events are unpacked before the timed part, 8 bytes each, if they are REPLAY_RESIDENT_OPS at
 * most. A longer trace is unpacked in parts, between which the clocks are stopped (run_aside), so
 * that 10^8 events take no more memory than the blocks alive do. Set-up reads the whole trace once:
 * a damaged one fails before anything is timed. */
#include <inttypes.h>
#include <stdio.h>

#include "traces/reader.h"
#include "workloads/workload.h"

enum { TRACE_FILE };

enum {
    REPLAY_RESIDENT_OPS = 1 << 23, /* 64 MiB */
    REPLAY_MARKS = 512,            /* samples of memory that an iteration offers */
};

/* Whoever plays an op needs no more than the op and the block's address: a give knows its size. */
enum replay_kind {
    REPLAY_TAKE,
    REPLAY_GIVE,
    REPLAY_RESIZE,
    REPLAY_BEFORE, /* size is of the op behind it: a take's alignment, the old size of a resize */
};

enum { REPLAY_KIND_SHIFT = 30 };
#define REPLAY_SLOT_MASK ((UINT32_C(1) << REPLAY_KIND_SHIFT) - 1)
_Static_assert(TRACE_SLOTS_MAX <= REPLAY_SLOT_MASK, "a slot fits beside its kind");

struct replay_op {
    uint32_t kind_slot;
    uint32_t size;
};

struct replay {
    struct trace_reader reader;
    char path[4096];
    unsigned char **places; /* blocks, by slot */
    struct replay_op *ops;
    size_t op_count; /* unpacked at present */
    bool resident;   /* ops are the whole trace */
    uint64_t events;
    uint64_t takes;
    struct replay_op *left; /* gives of what the program left behind, the lowest slot first */
    uint64_t left_count;
    uint64_t live_bytes_peak;
    uint64_t size_max;
    uint64_t ops_all;
    struct error error;
};

/* ------------------------------------------------------------------------------ unpacking */

static void *replay_take_memory(void *run, size_t bytes)
{
    return run_scratch(run, bytes);
}

static bool replay_is_aligned(const struct trace_event *event)
{
    return event->operation == TRACE_TAKE_ALIGNED &&
           (UINT64_C(1) << event->alignment_log2) > HEAP_ALIGNMENT && event->alignment_log2 < 31 &&
           (HEAP_CAPABILITIES & HEAP_CAN_ALIGN) != 0;
}

static struct replay_op replay_op(enum replay_kind kind, uint32_t slot, uint64_t size)
{
    return (struct replay_op){.kind_slot = (uint32_t)kind << REPLAY_KIND_SHIFT | slot,
                              .size = (uint32_t)size};
}

/* Appends the batch to ops. Sizes have been checked. */
static void replay_unpack(struct replay *replay, const struct trace_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct trace_event *event = &events[i];
        enum replay_kind kind = event->operation == TRACE_GIVE     ? REPLAY_GIVE
                                : event->operation == TRACE_RESIZE ? REPLAY_RESIZE
                                                                   : REPLAY_TAKE;
        if (replay_is_aligned(event)) {
            replay->ops[replay->op_count++] =
                replay_op(REPLAY_BEFORE, 0, UINT64_C(1) << event->alignment_log2);
        } else if (kind == REPLAY_RESIZE) {
            replay->ops[replay->op_count++] =
                replay_op(REPLAY_BEFORE, 0, trace_live_bytes(event->old_size));
        }
        replay->ops[replay->op_count++] =
            replay_op(kind, event->slot, trace_live_bytes(event->size));
    }
}

/* Fills ops with as many of the next events as there is room for; none: the trace is at its end. */
static void replay_refill(void *context)
{
    struct replay *replay = context;
    const struct trace_event *events;
    size_t count = 1;
    replay->op_count = 0;
    while (count > 0 && replay->op_count + 2 * TRACE_FRAME_EVENTS_MAX <= REPLAY_RESIDENT_OPS) {
        if (trace_reader_next(&replay->reader, &events, &count, &replay->error) != STATUS_OK) {
            replay->op_count = 0;
            return;
        }
        replay_unpack(replay, events, count);
    }
}

static void replay_list_left(struct run *run, struct replay *replay)
{
    const struct trace_reader *reader = &replay->reader;
    replay->left = run_scratch(run, reader->live_blocks * sizeof(*replay->left));
    for (uint32_t slot = 0; slot < reader->slots; slot++) {
        uint64_t size;
        if (trace_reader_is_alive(reader, slot, &size)) {
            replay->left[replay->left_count++] =
                replay_op(REPLAY_GIVE, slot, trace_live_bytes(size));
        }
    }
}

/* Reads the trace once: what it needs, and whether it is sound. */
static enum status replay_survey(struct run *run, struct replay *replay, struct error *error)
{
    const struct trace_event *events;
    size_t count;
    enum status status;
    while ((status = trace_reader_next(&replay->reader, &events, &count, error)) == STATUS_OK &&
           count > 0) {
        replay->events += count;
        replay->ops_all += count;
        for (size_t i = 0; i < count; i++) {
            replay->takes += events[i].operation <= TRACE_TAKE_ALIGNED;
            replay->ops_all += events[i].operation == TRACE_RESIZE || replay_is_aligned(&events[i]);
            if (events[i].size > replay->size_max) {
                replay->size_max = events[i].size;
            }
        }
    }
    replay_list_left(run, replay);
    replay->live_bytes_peak = replay->reader.live_bytes_peak;
    if (status == STATUS_OK && replay->size_max > UINT32_MAX) {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "the trace has a block of %" PRIu64 " bytes, and a replay's are below "
                           "4 GiB",
                           replay->size_max);
    }
    if (status == STATUS_OK && replay->events == 0) {
        status = error_set(error, STATUS_INVALID, "the trace has no events: record it again");
    }
    trace_reader_rewind(&replay->reader);
    return status;
}

static enum status replay_open(struct run *run, struct replay *replay, struct error *error)
{
    const char *name = run->texts[TRACE_FILE];
    if (!trace_find_reference(name, replay->path, sizeof(replay->path)) &&
        (size_t)snprintf(replay->path, sizeof(replay->path), "%s", name) >= sizeof(replay->path)) {
        return error_set(error, STATUS_INVALID, "the trace's path is too long");
    }
    enum status status =
        trace_reader_open(&replay->reader, replay->path, replay_take_memory, run, error);
    if (status == STATUS_OK) {
        status = replay_survey(run, replay, error);
    }
    if (status == STATUS_OK) {
        replay->resident = replay->ops_all <= REPLAY_RESIDENT_OPS;
        uint64_t ops = replay->resident ? replay->ops_all : REPLAY_RESIDENT_OPS;
        replay->places = run_scratch(run, replay->reader.totals.slots * sizeof(*replay->places));
        replay->ops = run_scratch(run, ops * sizeof(*replay->ops));
    }
    for (uint64_t done = 0; status == STATUS_OK && replay->resident && done < replay->events;) {
        const struct trace_event *events;
        size_t count;
        status = trace_reader_next(&replay->reader, &events, &count, error);
        if (status == STATUS_OK) {
            replay_unpack(replay, events, count);
            done += count;
        }
    }
    return status;
}

/* ------------------------------------------------------------------------------ playing */

/* What an iteration has counted so far. */
struct replay_tally {
    uint64_t takes;
    uint64_t checksum;
    uint32_t difference; /* its low byte: not 0 if a block's contents have changed */
};

/* What is written to both ends of a block, in its low byte. */
static inline uint32_t replay_stamp(const struct replay_op *op, uint32_t size)
{
    return op->kind_slot + size;
}

static inline void replay_check(struct replay_tally *tally, const unsigned char *block,
                                uint32_t size, uint32_t stamp)
{
    tally->difference |= (block[0] ^ stamp) | (block[size - 1] ^ stamp);
}

/* False: the heap is exhausted. */
static inline bool replay_took(struct run *run, unsigned char **place, unsigned char *block,
                               const struct replay_op *op)
{
    if (__builtin_expect(block == NULL, false)) {
        run_fail(run, "heap exhausted");
        return false;
    }
    *place = block;
    /* Kinds are in the high bits, and not in the stamp. */
    run_touch(block, op->size, replay_stamp(op, op->size));
    return true;
}

/* The block's first byte must have been kept, and its last one if it grew. */
static bool replay_resize(struct run *run, const struct replay_op *op, uint32_t old_size,
                          unsigned char **place, struct replay_tally *tally)
{
    uint32_t stamp = replay_stamp(op, old_size);
    replay_check(tally, *place, old_size, stamp);
    unsigned char *moved = heap_resize(run->heap, *place, old_size, op->size, HEAP_RAW);
    if (moved != NULL) {
        replay_check(tally, moved, op->size < old_size ? 1 : old_size, stamp);
    }
    return replay_took(run, place, moved, op);
}

static bool replay_take_aligned(struct run *run, const struct replay_op *op, uint32_t alignment,
                                unsigned char **place)
{
    unsigned char *block = heap_alloc_aligned(run->heap, alignment, op->size, HEAP_RAW);
    if (((uintptr_t)block & (alignment - 1)) != 0) {
        run_fail(run, "a block is not aligned as asked");
    }
    return replay_took(run, place, block, op);
}

/* False: the cell has failed. */
static bool replay_play(struct run *run, const struct replay *replay, const struct replay_op *op,
                        const struct replay_op *end, struct replay_tally *result)
{
    unsigned char **const places = replay->places;
    struct replay_tally tally = *result; /* a copy that nobody has the address of */
    for (; op < end; op++) {
        unsigned char **place = &places[op->kind_slot & REPLAY_SLOT_MASK];
        uint32_t kind = op->kind_slot >> REPLAY_KIND_SHIFT;
        if (kind == REPLAY_TAKE) {
            if (!replay_took(run, place,
                             heap_alloc_tallied(run->heap, op->size, HEAP_RAW, &tally.takes), op)) {
                return false;
            }
        } else if (kind == REPLAY_GIVE) {
            replay_check(&tally, *place, op->size, replay_stamp(op, op->size));
            tally.checksum += op->size;
            heap_free(run->heap, *place, op->size, HEAP_RAW);
        } else {
            uint32_t before = op++->size;
            struct replay_tally own = tally;
            place = &places[op->kind_slot & REPLAY_SLOT_MASK];
            bool resizes = op->kind_slot >> REPLAY_KIND_SHIFT == REPLAY_RESIZE;
            if (!(resizes ? replay_resize(run, op, before, place, &own)
                          : replay_take_aligned(run, op, before, place))) {
                return false;
            }
            tally = own;
        }
    }
    *result = tally;
    return true;
}

static inline bool replay_is_before(const struct replay_op *op)
{
    return op->kind_slot >> REPLAY_KIND_SHIFT == REPLAY_BEFORE;
}

/* The ops that are unpacked, with moments for samples between them. */
static bool replay_play_all(struct run *run, const struct replay *replay,
                            struct replay_tally *tally)
{
    size_t step = run->sampling ? 1 + replay->events / REPLAY_MARKS : replay->op_count;
    for (size_t at = 0; at < replay->op_count;) {
        size_t to = replay->op_count - at < step ? replay->op_count : at + step;
        to += replay_is_before(&replay->ops[to - 1]); /* never the last of all */
        if (!replay_play(run, replay, replay->ops + at, replay->ops + to, tally)) {
            return false;
        }
        at = to;
        run_mark(run, NULL);
    }
    return true;
}

static bool replay_iteration(struct run *run, struct replay *replay, struct replay_tally *tally)
{
    if (replay->resident) {
        return replay_play_all(run, replay, tally);
    }
    trace_reader_rewind(&replay->reader);
    for (;;) {
        run_aside(run, replay_refill, replay);
        if (replay->error.status != STATUS_OK) {
            run_fail(run, "the trace has changed while it was replayed");
            return false;
        }
        if (replay->op_count == 0) {
            return true;
        }
        if (!replay_play_all(run, replay, tally)) {
            return false;
        }
    }
}

/* ------------------------------------------------------------------------------ the workload */

static uint64_t trace_operations(const struct run *run)
{
    const struct replay *replay = run->state;
    return replay->events + replay->left_count;
}

static uint64_t trace_expected_allocations(const struct run *run, uint64_t iterations)
{
    const struct replay *replay = run->state;
    return replay->takes * iterations;
}

static size_t trace_window_bytes(const struct run *run)
{
    const struct replay *replay = run->state;
    return (size_t)(replay->live_bytes_peak + replay->size_max + 1);
}

static enum status trace_load(struct run *run, struct error *error)
{
    run->state = run_scratch(run, sizeof(struct replay));
    return replay_open(run, run->state, error);
}

static enum status trace_setup(struct run *run, struct error *error)
{
    const struct replay *replay = run->state;
    (void)error;
    run_add_figure(run, "trace_live_bytes_peak", (double)replay->live_bytes_peak);
    return STATUS_OK;
}

static void trace_run(struct run *run, uint64_t iterations)
{
    struct replay *replay = run->state;
    struct replay_tally tally = {.takes = 0};
    for (uint64_t i = 0; i < iterations; i++) {
        if (!replay_iteration(run, replay, &tally) ||
            !replay_play(run, replay, replay->left, replay->left + replay->left_count, &tally)) {
            return;
        }
    }
    run->checksum += tally.checksum;
    heap_add_tally(tally.takes);
    run_verify(run, (tally.difference & 0xff) == 0);
}

static void trace_teardown(struct run *run)
{
    struct replay *replay = run->state;
    trace_reader_close(&replay->reader);
}

const struct workload workload_trace = {
    .name = "trace",
    .kind = "blocks",
    .family = "real",
    .summary = "a recorded program, event by event: -w trace:FILE",
    .parameters =
        {
            {.name = "file",
             .unit = "",
             .summary = "a trace, or the name of a reference trace",
             .text = "python-json"},
        },
    .operations = trace_operations,
    .expected_allocations = trace_expected_allocations,
    .load = trace_load,
    .window_bytes = trace_window_bytes,
    .setup = trace_setup,
    .run = trace_run,
    .teardown = trace_teardown,
};
