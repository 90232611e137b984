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

enum replay_kind {
    REPLAY_TAKE,
    REPLAY_GIVE,
    REPLAY_RESIZE,
    REPLAY_ALIGN, /* the next take is aligned: size is the alignment */
};

enum { REPLAY_KIND_SHIFT = 30 };
#define REPLAY_SLOT_MASK ((UINT32_C(1) << REPLAY_KIND_SHIFT) - 1)
_Static_assert(TRACE_SLOTS_MAX <= REPLAY_SLOT_MASK, "a slot fits beside its kind");

struct replay_op {
    uint32_t kind_slot;
    uint32_t size;
};

struct replay_place {
    unsigned char *block; /* NULL: none is alive */
    uint32_t size;
    uint32_t stamp; /* its low byte is written to both ends */
};

struct replay {
    struct trace_reader reader;
    char path[4096];
    struct replay_place *places;
    struct replay_op *ops;
    size_t op_count; /* unpacked at present */
    bool resident;   /* ops are the whole trace */
    uint64_t events;
    uint64_t takes;
    uint64_t left; /* blocks that the program left behind */
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
                (struct replay_op){.kind_slot = (uint32_t)REPLAY_ALIGN << REPLAY_KIND_SHIFT,
                                   .size = UINT32_C(1) << event->alignment_log2};
        }
        replay->ops[replay->op_count++] =
            (struct replay_op){.kind_slot = (uint32_t)kind << REPLAY_KIND_SHIFT | event->slot,
                               .size = (uint32_t)trace_live_bytes(event->size)};
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

/* Reads the trace once: what it needs, and whether it is sound. */
static enum status replay_survey(struct replay *replay, struct error *error)
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
            replay->ops_all += replay_is_aligned(&events[i]);
            if (events[i].size > replay->size_max) {
                replay->size_max = events[i].size;
            }
        }
    }
    replay->left = replay->reader.live_blocks;
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
        status = replay_survey(replay, error);
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
    uint32_t difference;
};

static inline void replay_check(struct replay_tally *tally, const struct replay_place *place)
{
    tally->difference |=
        (place->block[0] ^ place->stamp) | (place->block[place->size - 1] ^ place->stamp);
}

static inline bool replay_took(struct run *run, struct replay_place *place, unsigned char *block,
                               uint32_t size)
{
    if (__builtin_expect(block == NULL, false)) {
        run_fail(run, "heap exhausted");
        return false;
    }
    place->block = block;
    place->size = size;
    place->stamp = size ^ (size >> 8);
    run_touch(block, size, place->stamp);
    return true;
}

/* The block's first byte must have been kept, and its last one if it grew. */
static bool replay_resize(struct run *run, struct replay_place *place, uint32_t size,
                          struct replay_tally *tally)
{
    replay_check(tally, place);
    unsigned char *moved = heap_resize(run->heap, place->block, place->size, size, HEAP_RAW);
    if (moved != NULL) {
        uint32_t last = size < place->size ? 0 : place->size - 1;
        tally->difference |= (moved[0] ^ place->stamp) | (moved[last] ^ place->stamp);
    }
    return replay_took(run, place, moved, size);
}

static bool replay_take_aligned(struct run *run, const struct replay_op *op,
                                struct replay_place *place, uint32_t size)
{
    unsigned char *block = heap_alloc_aligned(run->heap, op->size, size, HEAP_RAW);
    if (block != NULL && ((uintptr_t)block & (op->size - 1)) != 0) {
        run_fail(run, "a block is not aligned as asked");
    }
    return replay_took(run, place, block, size);
}

/* False: the cell has failed. */
static bool replay_play(struct run *run, const struct replay *replay, size_t from, size_t to,
                        struct replay_tally *result)
{
    struct replay_place *const places = replay->places;
    const struct replay_op *const ops = replay->ops;
    struct replay_tally tally = *result; /* a copy that nobody has the address of */
    for (size_t i = from; i < to; i++) {
        const struct replay_op op = ops[i];
        struct replay_place *place = &places[op.kind_slot & REPLAY_SLOT_MASK];
        enum replay_kind kind = (enum replay_kind)(op.kind_slot >> REPLAY_KIND_SHIFT);
        if (kind == REPLAY_TAKE) {
            unsigned char *block = heap_alloc_tallied(run->heap, op.size, HEAP_RAW, &tally.takes);
            if (!replay_took(run, place, block, op.size)) {
                return false;
            }
        } else if (kind == REPLAY_GIVE) {
            replay_check(&tally, place);
            tally.checksum += place->size ^ place->stamp;
            heap_free(run->heap, place->block, place->size, HEAP_RAW);
            place->block = NULL;
        } else if (kind == REPLAY_RESIZE) {
            struct replay_tally own = tally;
            if (!replay_resize(run, place, op.size, &own)) {
                return false;
            }
            tally = own;
        } else {
            i++;
            if (!replay_take_aligned(run, &op, &places[ops[i].kind_slot & REPLAY_SLOT_MASK],
                                     ops[i].size)) {
                return false;
            }
        }
    }
    *result = tally;
    return true;
}

/* The ops that are unpacked, with moments for samples between them. */
static bool replay_play_all(struct run *run, const struct replay *replay,
                            struct replay_tally *tally)
{
    size_t step = run->sampling ? 1 + replay->events / REPLAY_MARKS : replay->op_count;
    for (size_t at = 0; at < replay->op_count;) {
        size_t to = replay->op_count - at < step ? replay->op_count : at + step;
        /* A take stays with its alignment. */
        to -= to < replay->op_count &&
              replay->ops[to - 1].kind_slot >> REPLAY_KIND_SHIFT == REPLAY_ALIGN && to - at > 1;
        if (to > at && replay->ops[to - 1].kind_slot >> REPLAY_KIND_SHIFT == REPLAY_ALIGN) {
            to++;
        }
        if (!replay_play(run, replay, at, to, tally)) {
            return false;
        }
        at = to;
        run_mark(run, NULL);
    }
    return true;
}

/* Gives back what the program left behind, the lowest slot first. */
static void replay_clear(struct run *run, const struct replay *replay, struct replay_tally *tally)
{
    for (size_t i = 0; replay->left > 0 && i < replay->reader.totals.slots; i++) {
        struct replay_place *place = &replay->places[i];
        if (place->block != NULL) {
            if (tally != NULL) {
                replay_check(tally, place);
            }
            heap_free(run->heap, place->block, place->size, HEAP_RAW);
            place->block = NULL;
        }
    }
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
    return replay->events + replay->left;
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
        if (!replay_iteration(run, replay, &tally)) {
            return;
        }
        replay_clear(run, replay, &tally);
    }
    run->checksum += tally.checksum;
    heap_add_tally(tally.takes);
    run_verify(run, (tally.difference & 0xff) == 0);
}

static void trace_teardown(struct run *run)
{
    struct replay *replay = run->state;
    replay_clear(run, replay, NULL);
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
