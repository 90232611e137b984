/* trace_threads: what a real program asked for, by as many threads as it had.
 *
 * Replays a trace (docs/trace-format.md) as `trace` does, but each event is played by the thread of
 * its number: the trace's thread t is the cell's thread t modulo --threads, and `heapmill trace
 * info` says how many there were. A block that one thread took and another resizes or gives back is
 * handed over in the recorded order: the second waits until the first has done its part. Of two
 * events that have no block in common, which one comes first is left to the threads, as it was in
 * the program. Leaves out the time between events, and other ways in which the program's threads
 * waited for each other. Stresses frees by another thread and caches per thread, in the measure in
 * which a program does.
 *
 * Blocks are kept in places. A trace's slots would tie threads together: a slot is given a new
 * block as soon as anybody has given one back. So a thread puts its new blocks where it gave one
 * back itself; where it has no such place, into a fresh one, and only when there are none left into
 * the one that another thread gave back longest ago, for which it waits too.
 *
 * A trace is played in parts of PARTS_OPS a thread at most; between two parts the threads meet.
 * Which of them waits for what is worked out when a part is unpacked, and not in the timed run:
 * there, an op that somebody waits for says that it is done, by one store, and an op of its own
 * waits. */
#include <sched.h>
#include <string.h>

#include "workloads/replay.h"

enum { LANES_FILE };

enum {
    PARTS_OPS = 1 << 21,
    PARTS_ROOM = 3 * TRACE_FRAME_EVENTS_MAX, /* of a frame: what is before an op, a wait, the op */
    PARTS_WAITS = 2,                         /* of one event */
    LANES_MAX = 256,
    LANES_LINE_BYTES = 64,
    LANES_SPARE = 1 << 16, /* places beyond the trace's slots */
};

/* In kind_slot. A wait is a REPLAY_BEFORE whose slot is the thread waited for, and whose size is
 * how many ops that one must have done. */
#define LANES_PUBLISH (UINT32_C(1) << 29)
#define LANES_WAIT (UINT32_C(1) << 28)

/* A thread, on cache lines of its own. */
struct lane {
    _Alignas(LANES_LINE_BYTES) uint64_t published; /* ops that are done, as far as anybody waits */
    _Alignas(LANES_LINE_BYTES) struct replay_op *ops;
    size_t op_count;
    struct replay_op *left; /* gives of what the program left behind */
    size_t left_count;
    uint64_t checksum;
    /* While a part is unpacked. Places that this thread has given back, the oldest first; 0: none.
     */
    uint32_t free_first;
    uint32_t free_last;
    uint32_t *waited; /* by thread: for how many of its ops this one has waited already */
};

/* Places are numbered from 1 on. */
struct lane_place {
    uint32_t op;     /* of this part, from 1 on: the last one about it; 0: none */
    uint32_t lane;   /* whose op that was */
    uint32_t before; /* its neighbours among the lane's free ones */
    uint32_t next;
};

struct lanes {
    struct replay_trace trace;
    struct run *run;
    struct lane *lanes;
    struct lane_place *places;
    unsigned char **blocks; /* by place */
    uint32_t *place_of;     /* by slot */
    uint32_t fresh;         /* places from here on were never used */
    uint32_t place_count;
    size_t room; /* ops of a lane */
    bool resident;
    bool ended; /* the last part is unpacked */
    struct error error;
};

/* ------------------------------------------------------------------------------ unpacking */

static struct lane *lanes_of(const struct lanes *lanes, const struct trace_event *event)
{
    return &lanes->lanes[event->thread % lanes->run->threads];
}

/* The lane's next op is to come after the last one about the place. */
static void lanes_wait_for(struct lanes *lanes, struct lane *lane, const struct lane_place *place)
{
    struct lane *other = &lanes->lanes[place->lane];
    if (other == lane || place->op <= lane->waited[place->lane]) {
        return;
    }
    lane->waited[place->lane] = place->op;
    other->ops[place->op - 1].kind_slot |= LANES_PUBLISH;
    lane->ops[lane->op_count] = replay_op(REPLAY_BEFORE, place->lane, place->op);
    lane->ops[lane->op_count++].kind_slot |= LANES_WAIT;
}

/* Takes the place out of the lane's free ones. */
static uint32_t lanes_take_out(struct lanes *lanes, struct lane *lane, uint32_t number)
{
    const struct lane_place *place = &lanes->places[number];
    *(place->before == 0 ? &lane->free_first : &lanes->places[place->before].next) = place->next;
    *(place->next == 0 ? &lane->free_last : &lanes->places[place->next].before) = place->before;
    return number;
}

static void lanes_put_in(struct lanes *lanes, struct lane *lane, uint32_t number)
{
    struct lane_place *place = &lanes->places[number];
    place->next = 0;
    place->before = lane->free_last;
    *(place->before == 0 ? &lane->free_first : &lanes->places[place->before].next) = number;
    lane->free_last = number;
}

/* There is always one: as many places as blocks can be alive. */
static uint32_t lanes_new_place(struct lanes *lanes, struct lane *lane)
{
    uint32_t number = 0;
    if (lane->free_last != 0) {
        return lanes_take_out(lanes, lane, lane->free_last);
    }
    if (lanes->fresh < lanes->place_count) {
        return lanes->fresh++;
    }
    for (unsigned i = 0; number == 0 && i < lanes->run->threads; i++) {
        struct lane *other = &lanes->lanes[i];
        if (other->free_first != 0) {
            number = lanes_take_out(lanes, other, other->free_first);
            lanes_wait_for(lanes, lane, &lanes->places[number]);
        }
    }
    return number;
}

static void lanes_unpack(struct lanes *lanes, const struct trace_event *event)
{
    struct lane *lane = lanes_of(lanes, event);
    bool takes = event->operation <= TRACE_TAKE_ALIGNED;
    uint32_t number = takes ? lanes_new_place(lanes, lane) : lanes->place_of[event->slot];
    struct lane_place *place = &lanes->places[number];
    if (!takes) {
        lanes_wait_for(lanes, lane, place);
    }
    lanes->place_of[event->slot] = number;
    lane->op_count += replay_unpack(event, number, lane->ops + lane->op_count);
    place->op = (uint32_t)lane->op_count;
    place->lane = (uint32_t)(lane - lanes->lanes);
    if (event->operation == TRACE_GIVE) {
        lanes_put_in(lanes, lane, number);
    }
}

static bool lanes_have_room(const struct lanes *lanes)
{
    for (unsigned i = 0; i < lanes->run->threads; i++) {
        if (lanes->lanes[i].op_count + PARTS_ROOM > lanes->room) {
            return false;
        }
    }
    return true;
}

/* What the program left behind is given back by whoever touched it last. */
static void lanes_list_left(struct lanes *lanes)
{
    const struct replay_trace *trace = &lanes->trace;
    for (uint64_t i = 0; i < trace->left_count; i++) {
        uint32_t number = lanes->place_of[trace->left[i].kind_slot & REPLAY_SLOT_MASK];
        struct lane *lane = &lanes->lanes[lanes->places[number].lane];
        lane->left[lane->left_count++] = replay_op(REPLAY_GIVE, number, trace->left[i].size);
    }
}

/* Unpacks the next part. */
static void lanes_refill(void *context)
{
    struct lanes *lanes = context;
    const struct trace_event *events;
    size_t count = 1;
    for (unsigned i = 0; i < lanes->run->threads; i++) {
        lanes->lanes[i].op_count = 0;
        memset(lanes->lanes[i].waited, 0, lanes->run->threads * sizeof(uint32_t));
    }
    for (uint32_t i = 0; i < lanes->fresh; i++) {
        lanes->places[i].op = 0;
    }
    while (count > 0 && lanes_have_room(lanes) && lanes->error.status == STATUS_OK) {
        (void)trace_reader_next(&lanes->trace.reader, &events, &count, &lanes->error);
        for (size_t i = 0; i < count; i++) {
            lanes_unpack(lanes, &events[i]);
        }
    }
    lanes->ended = count == 0;
    if (lanes->ended) {
        lanes_list_left(lanes);
    }
}

/* To the first part of the trace. */
static void lanes_rewind(void *context)
{
    struct lanes *lanes = context;
    trace_reader_rewind(&lanes->trace.reader);
    lanes->fresh = 1;
    for (unsigned i = 0; i < lanes->run->threads; i++) {
        lanes->lanes[i].free_first = lanes->lanes[i].free_last = 0;
        lanes->lanes[i].left_count = 0;
    }
    lanes_refill(lanes);
}

/* ------------------------------------------------------------------------------ set-up */

/* Counts what each lane will have to do, so that a whole trace has room where it is small. */
static void lanes_look(void *context, const struct trace_event *events, size_t count)
{
    struct lanes *lanes = context;
    for (size_t i = 0; i < count; i++) {
        lanes_of(lanes, &events[i])->op_count += 1 + PARTS_WAITS;
    }
}

static enum status lanes_open(struct run *run, struct lanes *lanes, struct error *error)
{
    size_t most = 0;
    lanes->run = run;
    lanes->lanes = run_scratch(run, run->threads * sizeof(*lanes->lanes));
    enum status status =
        replay_open(run, &lanes->trace, run->texts[LANES_FILE], lanes_look, lanes, error);
    if (status != STATUS_OK) {
        return status;
    }
    for (unsigned i = 0; i < run->threads; i++) {
        most = lanes->lanes[i].op_count > most ? lanes->lanes[i].op_count : most;
    }
    lanes->room = PARTS_ROOM + (most < PARTS_OPS ? most : PARTS_OPS);
    for (unsigned i = 0; i < run->threads; i++) {
        struct lane *lane = &lanes->lanes[i];
        lane->ops = run_scratch(run, lanes->room * sizeof(*lane->ops));
        lane->left = run_scratch(run, lanes->trace.left_count * sizeof(*lane->left));
        lane->waited = run_scratch(run, run->threads * sizeof(*lane->waited));
    }
    uint32_t slots = lanes->trace.reader.totals.slots;
    lanes->place_count = 1 + slots + (run->threads > 1 ? LANES_SPARE : 0);
    lanes->places = run_scratch(run, lanes->place_count * sizeof(*lanes->places));
    lanes->blocks = run_scratch(run, lanes->place_count * sizeof(*lanes->blocks));
    lanes->place_of = run_scratch(run, slots * sizeof(*lanes->place_of));
    lanes_rewind(lanes);
    lanes->resident = lanes->ended;
    *error = lanes->error;
    return error->status;
}

/* ------------------------------------------------------------------------------ playing */

/* False: the cell has failed meanwhile. */
static bool lanes_wait(struct run *run, const struct lane *other, uint32_t ops)
{
    enum { SPINS = 200 };
    for (unsigned i = 1; __atomic_load_n(&other->published, __ATOMIC_ACQUIRE) < ops; i++) {
        if (run_failed(run)) {
            return false;
        }
        if (i % SPINS == 0) {
            (void)sched_yield();
        }
    }
    return true;
}

/* One op that is neither a plain take nor a give; *at is moved to its end. False: the cell has
 * failed. */
static bool lanes_play_other(struct run *run, const struct lanes *lanes,
                             const struct replay_op **at, struct replay_tally *tally)
{
    const struct replay_op *before = *at;
    if ((before->kind_slot & LANES_WAIT) != 0) {
        return lanes_wait(run, &lanes->lanes[before->kind_slot & (LANES_WAIT - 1)], before->size);
    }
    const struct replay_op *op = ++*at;
    unsigned char **block = &lanes->blocks[op->kind_slot & REPLAY_SLOT_MASK];
    return replay_kind(op) == REPLAY_RESIZE ? replay_resize(run, op, before->size, block, tally)
                                            : replay_take_aligned(run, op, before->size, block);
}

static bool lanes_play(struct run *run, const struct lanes *lanes, struct lane *lane,
                       const struct replay_op *op, const struct replay_op *end,
                       struct replay_tally *result)
{
    const struct replay_op *const begin = lane->ops;
    struct replay_tally tally = *result;
    for (; op < end; op++) {
        unsigned char **block = &lanes->blocks[op->kind_slot & REPLAY_SLOT_MASK];
        if (replay_kind(op) == REPLAY_TAKE) {
            if (!replay_took(run, block,
                             heap_alloc_tallied(run->heap, op->size, HEAP_RAW, &tally.takes), op)) {
                return false;
            }
        } else if (replay_kind(op) == REPLAY_GIVE) {
            replay_check(&tally, *block, op->size, replay_stamp(op, op->size));
            tally.checksum += op->size;
            heap_free(run->heap, *block, op->size, HEAP_RAW);
        } else {
            struct replay_tally own = tally;
            if (!lanes_play_other(run, lanes, &op, &own)) {
                return false;
            }
            tally = own;
        }
        if ((op->kind_slot & LANES_PUBLISH) != 0) {
            __atomic_store_n(&lane->published, (uint64_t)(op - begin) + 1, __ATOMIC_RELEASE);
        }
    }
    *result = tally;
    return true;
}

/* The part, in each thread; the first offers moments for samples. */
static void lanes_work(struct run_thread *thread, uint64_t iterations)
{
    struct run *run = thread->run;
    const struct lanes *lanes = run->state;
    struct lane *lane = &lanes->lanes[thread->index];
    struct replay_tally tally = {.takes = 0};
    bool samples = run->sampling && thread->index == 0;
    size_t step = samples ? 1 + lane->op_count / REPLAY_MARKS : lane->op_count;
    (void)iterations;
    for (size_t at = 0; at < lane->op_count;) {
        size_t to = lane->op_count - at < step ? lane->op_count : at + step;
        to += replay_kind(&lane->ops[to - 1]) == REPLAY_BEFORE &&
              (lane->ops[to - 1].kind_slot & LANES_WAIT) == 0;
        if (!lanes_play(run, lanes, lane, lane->ops + at, lane->ops + to, &tally)) {
            return;
        }
        at = to;
        if (samples) {
            run_mark(run, NULL);
        }
    }
    if (lanes->ended &&
        !lanes_play(run, lanes, lane, lane->left, lane->left + lane->left_count, &tally)) {
        return;
    }
    lane->checksum += tally.checksum;
    heap_add_tally(tally.takes);
    run_verify(run, (tally.difference & 0xff) == 0);
}

/* ------------------------------------------------------------------------------ the workload */

static uint64_t trace_threads_operations(const struct run *run)
{
    const struct lanes *lanes = run->state;
    return lanes->trace.events + lanes->trace.left_count;
}

static uint64_t trace_threads_expected_allocations(const struct run *run, uint64_t iterations)
{
    const struct lanes *lanes = run->state;
    return lanes->trace.takes * iterations;
}

/* Threads may be further apart than they were in the program. */
static size_t trace_threads_window_bytes(const struct run *run)
{
    const struct lanes *lanes = run->state;
    return (size_t)(2 * lanes->trace.live_bytes_peak + run->threads * lanes->trace.size_max + 1);
}

static enum status trace_threads_load(struct run *run, struct error *error)
{
    run->state = run_scratch(run, sizeof(struct lanes));
    return lanes_open(run, run->state, error);
}

static enum status trace_threads_setup(struct run *run, struct error *error)
{
    const struct lanes *lanes = run->state;
    (void)error;
    run_add_figure(run, "trace_live_bytes_peak", (double)lanes->trace.live_bytes_peak);
    return STATUS_OK;
}

/* False: the cell has failed. */
static bool trace_threads_part(struct run *run, struct lanes *lanes)
{
    if (lanes->error.status != STATUS_OK) {
        run_fail(run, "the trace has changed while it was replayed");
        return false;
    }
    for (unsigned i = 0; i < run->threads; i++) {
        lanes->lanes[i].published = 0;
    }
    run_on_threads(run, lanes_work, 1);
    return run->failed == NULL;
}

static void trace_threads_run(struct run *run, uint64_t iterations)
{
    struct lanes *lanes = run->state;
    for (unsigned i = 0; i < run->threads; i++) {
        lanes->lanes[i].checksum = 0;
    }
    for (uint64_t i = 0; i < iterations; i++) {
        if (!lanes->resident) {
            run_aside(run, lanes_rewind, lanes);
        }
        while (trace_threads_part(run, lanes) && !lanes->ended) {
            run_aside(run, lanes_refill, lanes);
        }
    }
    for (unsigned i = 0; i < run->threads; i++) {
        run->checksum += lanes->lanes[i].checksum;
    }
}

static void trace_threads_teardown(struct run *run)
{
    struct lanes *lanes = run->state;
    trace_reader_close(&lanes->trace.reader);
}

const struct workload workload_trace_threads = {
    .name = "trace_threads",
    .kind = "blocks",
    .family = "real",
    .summary = "a recorded program by as many threads as it had: -w trace_threads:FILE --threads N",
    .parameters =
        {
            {.name = "file",
             .unit = "",
             .summary = "a trace, or the name of a reference trace",
             .text = "redis"},
        },
    .operations = trace_threads_operations,
    .expected_allocations = trace_threads_expected_allocations,
    .load = trace_threads_load,
    .window_bytes = trace_threads_window_bytes,
    .setup = trace_threads_setup,
    .run = trace_threads_run,
    .teardown = trace_threads_teardown,
    .threaded = true,
};
