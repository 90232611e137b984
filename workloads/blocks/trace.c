/* trace: what a real program asked for, event by event.
 *
 * Replays a trace (docs/trace-format.md): every block is taken, resized and given back in the order
 * in which the program did it, with its size and alignment, and both of its ends are written to and
 * read back. An iteration is the whole trace; what the program left behind is given back at its
 * end. Imitates the program's sizes, lifetimes and order, which no distribution has; leaves out
 * what it did with its memory besides (and so its cache misses and its time between two events),
 * the zeroing of calloc, and its threads: all events are in the recorded order on one thread
 * (trace_threads has them on several).
 * Stresses whatever the program does.
 *
 * The events are unpacked before the timed part, 8 bytes each, if they are REPLAY_RESIDENT_OPS at
 * most. A longer trace is unpacked in parts, between which the clocks are stopped (run_aside), so
 * that 10^8 events take no more memory than the blocks alive do. Set-up reads the whole trace once:
 * a damaged one fails before anything is timed. */
#include "workloads/replay.h"

enum { TRACE_FILE };

struct replay {
    struct replay_trace trace;
    unsigned char **places; /* blocks, by slot */
    struct replay_op *ops;
    size_t op_count; /* unpacked at present */
    size_t room;
    bool resident; /* ops are the whole trace */
    struct error error;
};

/* Fills ops with as many of the next events as there is room for; none: the trace is at its end. */
static void replay_refill(void *context)
{
    struct replay *replay = context;
    const struct trace_event *events;
    size_t count = 1;
    replay->op_count = 0;
    while (count > 0 && replay->op_count + 2 * TRACE_FRAME_EVENTS_MAX <= replay->room) {
        if (trace_reader_next(&replay->trace.reader, &events, &count, &replay->error) !=
            STATUS_OK) {
            replay->op_count = 0;
            return;
        }
        for (size_t i = 0; i < count; i++) {
            replay->op_count +=
                replay_unpack(&events[i], events[i].slot, replay->ops + replay->op_count);
        }
    }
}

static enum status replay_prepare(struct run *run, struct replay *replay, struct error *error)
{
    struct replay_trace *trace = &replay->trace;
    enum status status = replay_open(run, trace, run->texts[TRACE_FILE], NULL, NULL, error);
    if (status != STATUS_OK) {
        return status;
    }
    replay->resident = trace->ops <= REPLAY_RESIDENT_OPS;
    replay->places = run_scratch(run, trace->reader.totals.slots * sizeof(*replay->places));
    replay->room = replay->resident ? trace->ops + 2 * TRACE_FRAME_EVENTS_MAX : REPLAY_RESIDENT_OPS;
    replay->ops = run_scratch(run, replay->room * sizeof(*replay->ops));
    if (replay->resident) {
        replay_refill(replay);
        *error = replay->error;
    }
    return replay->error.status;
}

/* ------------------------------------------------------------------------------ playing */

/* False: the cell has failed. */
static bool replay_play(struct run *run, const struct replay *replay, const struct replay_op *op,
                        const struct replay_op *end, struct replay_tally *result)
{
    unsigned char **const places = replay->places;
    struct heap *const heap = run->heap;
    struct replay_tally tally = *result; /* a copy that nobody has the address of */
    for (; op < end; op++) {
        /* Kinds are told apart by comparison: a shift and a mask an op are a tenth of a replay. */
        if (op->kind_slot < replay_op(REPLAY_TAKE + 1, 0, 0).kind_slot) {
            if (!replay_took(run, &places[op->kind_slot],
                             heap_alloc_tallied(heap, op->size, HEAP_RAW, &tally.takes), op)) {
                return false;
            }
        } else if (op->kind_slot < replay_op(REPLAY_GIVE + 1, 0, 0).kind_slot) {
            unsigned char *block = places[op->kind_slot & REPLAY_SLOT_MASK];
            replay_check(&tally, block, op->size, replay_stamp(op, op->size));
            tally.checksum += op->size;
            heap_free(heap, block, op->size, HEAP_RAW);
        } else {
            uint32_t before = op++->size;
            struct replay_tally own = tally;
            unsigned char **place = &places[op->kind_slot & REPLAY_SLOT_MASK];
            if (!(replay_kind(op) == REPLAY_RESIZE ? replay_resize(run, op, before, place, &own)
                                                   : replay_take_aligned(run, op, before, place))) {
                return false;
            }
            tally = own;
        }
    }
    *result = tally;
    return true;
}

/* The ops that are unpacked, with moments for samples between them. */
static bool replay_play_all(struct run *run, const struct replay *replay,
                            struct replay_tally *tally)
{
    size_t step = run->sampling ? 1 + replay->trace.events / REPLAY_MARKS : replay->op_count;
    for (size_t at = 0; at < replay->op_count;) {
        size_t to = replay->op_count - at < step ? replay->op_count : at + step;
        to += replay_kind(&replay->ops[to - 1]) == REPLAY_BEFORE; /* never the last of all */
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
    trace_reader_rewind(&replay->trace.reader);
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
    return replay->trace.events + replay->trace.left_count;
}

static uint64_t trace_expected_allocations(const struct run *run, uint64_t iterations)
{
    const struct replay *replay = run->state;
    return replay->trace.takes * iterations;
}

static size_t trace_window_bytes(const struct run *run)
{
    const struct replay *replay = run->state;
    return (size_t)(replay->trace.live_bytes_peak + replay->trace.size_max + 1);
}

static enum status trace_load(struct run *run, struct error *error)
{
    run->state = run_scratch(run, sizeof(struct replay));
    return replay_prepare(run, run->state, error);
}

static enum status trace_setup(struct run *run, struct error *error)
{
    const struct replay *replay = run->state;
    (void)error;
    run_add_figure(run, "trace_live_bytes_peak", (double)replay->trace.live_bytes_peak);
    return STATUS_OK;
}

static void trace_run(struct run *run, uint64_t iterations)
{
    struct replay *replay = run->state;
    const struct replay_trace *trace = &replay->trace;
    struct replay_tally tally = {.takes = 0};
    for (uint64_t i = 0; i < iterations; i++) {
        if (!replay_iteration(run, replay, &tally) ||
            !replay_play(run, replay, trace->left, trace->left + trace->left_count, &tally)) {
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
    trace_reader_close(&replay->trace.reader);
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
