/* shared_objects: threads over one object layer, and what they have in common.
 *
 * Imitates what a runtime without one lock has to stand, a pattern each:
 *  - private: each thread makes small lists of floats and drops its older ones. Nothing is shared
 *    but the runtime: it should scale.
 *  - readers: all threads take and drop references to the same few objects, as functions, classes
 *    and constants of a program are used: the worst case of atomic counts. The objects are deferred
 *    or immortal where the policy of counts has that.
 *  - queue: threads go in pairs; one makes lists, the other drops them, so that every object dies
 *    by another thread than its maker.
 *  - dict: one dict of small objects; of 20 operations 19 read an item and one replaces it.
 * Leaves out what programs compute between. Stresses reference counts, the containers' locks, the
 * queues by which counts are merged, and with `stops` the stop of the world.
 *
 * Each iteration ends at a safe point. A thread that waits for another lets go of the world first.
 */
#include <sched.h>

#include "gc/introspect.h"
#include "gc/threads.h"
#include "workloads/objects/model.h"

enum { SHARED_PATTERN, SHARED_OBJECTS, SHARED_STOPS };
enum { PATTERN_PRIVATE, PATTERN_READERS, PATTERN_QUEUE, PATTERN_DICT };

static const char *const shared_patterns[] = {"private", "readers", "queue", "dict", NULL};

enum {
    SHARED_WINDOW = 256, /* lists that a thread of `private` keeps */
    SHARED_FLOATS = 3,   /* in each */
    SHARED_READS = 19,   /* of `dict`, for one write */
    SHARED_RING = 4096,  /* objects between a maker and its consumer, */
    SHARED_BATCH = 64,   /* published so many at a time */
    SHARED_LIST_BLOCKS = 2 + SHARED_FLOATS,
    SHARED_LINE_BYTES = 64,
};

struct shared_lane {
    _Alignas(SHARED_LINE_BYTES) struct object *window; /* private: a list */
    struct object **keys;                              /* dict: the thread's own ints */
    uint64_t checksum;
    struct object **ring; /* queue: of the pair, in its first thread's */
    _Alignas(SHARED_LINE_BYTES) uint64_t made;
    _Alignas(SHARED_LINE_BYTES) uint64_t taken;
};

struct shared_state {
    struct object *dict;
    struct object **objects; /* readers */
    struct shared_lane *lanes;
};

static bool shared_is(const struct run *run, int pattern)
{
    return (int)run_count(run, SHARED_PATTERN) == pattern;
}

static void shared_exhausted(struct run *run)
{
    run_fail(run, MODEL_HEAP_EXHAUSTED);
}

/* A list of floats that tell `number`; NULL: exhausted. */
static struct object *shared_make_list(struct run *run, uint64_t number)
{
    struct object *list = list_new(run->runtime);
    for (int i = 0; list != NULL && i < SHARED_FLOATS; i++) {
        struct object *item = float_new(run->runtime, (double)(number + (uint64_t)i));
        bool is_added = item != NULL && list_append(run->runtime, list, item);
        object_xdecref(run->runtime, item);
        if (!is_added) {
            object_decref(run->runtime, list);
            return NULL;
        }
    }
    return list;
}

/* ---------------------------------------------------------------- private */
static void shared_prepare_private(struct run_thread *thread, uint64_t iterations)
{
    struct run *run = thread->run;
    struct shared_lane *lane = &((struct shared_state *)run->state)->lanes[thread->index];
    (void)iterations;
    lane->window = list_new(run->runtime);
    for (uint64_t i = 0; lane->window != NULL && i < SHARED_WINDOW; i++) {
        struct object *list = shared_make_list(run, i);
        if (list == NULL || !list_append(run->runtime, lane->window, list)) {
            shared_exhausted(run);
        }
        object_xdecref(run->runtime, list);
    }
    if (lane->window == NULL) {
        shared_exhausted(run);
    }
}

static void shared_step_private(struct run_thread *thread, struct shared_lane *lane, uint64_t i)
{
    struct run *run = thread->run;
    struct object *list = shared_make_list(run, i);
    if (list == NULL) {
        shared_exhausted(run);
        return;
    }
    list_give_item(run->runtime, lane->window, i % SHARED_WINDOW, list);
    lane->checksum += (uint64_t)float_value(list_item(list, SHARED_FLOATS - 1));
}

/* ---------------------------------------------------------------- readers */
static void shared_step_readers(struct run_thread *thread, struct shared_lane *lane, uint64_t i)
{
    struct run *run = thread->run;
    const struct shared_state *state = run->state;
    struct object *object = state->objects[rng_below(&thread->rng, run_count(run, SHARED_OBJECTS))];
    (void)i;
    gc_push(object);
    lane->checksum += list_length(object);
    gc_pop(run->runtime, object);
}

/* ---------------------------------------------------------------- queue */
/* Until *count is at least wanted; false: the cell has failed. */
static bool shared_await(const struct run *run, const uint64_t *count, uint64_t wanted)
{
    if (__atomic_load_n(count, __ATOMIC_ACQUIRE) >= wanted) {
        return true;
    }
    gc_thread_detach(run->runtime);
    while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < wanted && !run_failed(run)) {
        (void)sched_yield();
    }
    (void)gc_thread_attach(run->runtime);
    return !run_failed(run);
}

static bool shared_produce(struct run *run, struct shared_lane *pair, uint64_t first, uint64_t end)
{
    uint64_t wanted = end > SHARED_RING ? end - SHARED_RING : 0;
    if (!shared_await(run, &pair->taken, wanted)) {
        return false;
    }
    for (uint64_t i = first; i < end; i++) {
        struct object *list = shared_make_list(run, i);
        if (list == NULL) {
            shared_exhausted(run);
            return false;
        }
        gc_share(list);
        pair->ring[i % SHARED_RING] = list;
        gc_safe_point(run->runtime);
    }
    __atomic_store_n(&pair->made, end, __ATOMIC_RELEASE);
    return true;
}

static bool shared_consume(struct run *run, struct shared_lane *pair, uint64_t first, uint64_t end)
{
    if (!shared_await(run, &pair->made, end)) {
        return false;
    }
    for (uint64_t i = first; i < end; i++) {
        struct object *list = pair->ring[i % SHARED_RING];
        struct object *item = list_fetch(run->runtime, list, 0);
        run_verify(run, item != NULL && (uint64_t)float_value(item) == i);
        pair->checksum += i;
        object_xdecref(run->runtime, item);
        object_decref(run->runtime, list);
        gc_safe_point(run->runtime);
    }
    __atomic_store_n(&pair->taken, end, __ATOMIC_RELEASE);
    return true;
}

/* A thread without a partner does both by turns. */
static void shared_work_queue(struct run_thread *thread, uint64_t iterations)
{
    struct run *run = thread->run;
    struct shared_lane *lanes = ((struct shared_state *)run->state)->lanes;
    struct shared_lane *pair = &lanes[thread->index & ~1u];
    bool makes = thread->index % 2 == 0;
    bool takes = !makes || thread->index + 1 == run->threads;
    uint64_t i = makes ? pair->made : pair->taken;
    const uint64_t last = i + iterations;
    while (i < last) {
        uint64_t end = i + SHARED_BATCH < last ? i + SHARED_BATCH : last;
        if ((makes && !shared_produce(run, pair, i, end)) ||
            (takes && !shared_consume(run, pair, i, end))) {
            return;
        }
        i = end;
    }
}

/* ---------------------------------------------------------------- dict */
static void shared_step_dict(struct run_thread *thread, struct shared_lane *lane, uint64_t i)
{
    struct run *run = thread->run;
    const struct shared_state *state = run->state;
    uint64_t k = rng_below(&thread->rng, run_count(run, SHARED_OBJECTS));
    if (i % (SHARED_READS + 1) != SHARED_READS) {
        struct object *value = dict_fetch(run->runtime, state->dict, lane->keys[k]);
        run_verify(run, value != NULL && (uint64_t)float_value(value) == k);
        lane->checksum += k;
        object_xdecref(run->runtime, value);
        return;
    }
    struct object *value = float_new(run->runtime, (double)k);
    if (value == NULL || !dict_set(run->runtime, state->dict, lane->keys[k], value)) {
        shared_exhausted(run);
    }
    object_xdecref(run->runtime, value);
}

static void shared_prepare_dict(struct run_thread *thread, uint64_t iterations)
{
    struct run *run = thread->run;
    struct shared_lane *lane = &((struct shared_state *)run->state)->lanes[thread->index];
    (void)iterations;
    for (uint64_t k = 0; k < run_count(run, SHARED_OBJECTS); k++) {
        lane->keys[k] = int_new(run->runtime, (int64_t)k + 1000);
        if (lane->keys[k] == NULL) {
            shared_exhausted(run);
            return;
        }
    }
}

/* ---------------------------------------------------------------- all of them */
static void shared_work(struct run_thread *thread, uint64_t iterations)
{
    static void (*const steps[])(struct run_thread *, struct shared_lane *, uint64_t) = {
        [PATTERN_PRIVATE] = shared_step_private,
        [PATTERN_READERS] = shared_step_readers,
        [PATTERN_DICT] = shared_step_dict,
    };
    struct run *run = thread->run;
    struct shared_lane *lane = &((struct shared_state *)run->state)->lanes[thread->index];
    const int pattern = (int)run_count(run, SHARED_PATTERN);
    const uint64_t stops = thread->index == 0 ? run_count(run, SHARED_STOPS) : 0;
    for (uint64_t i = 0; i < iterations && !run_failed(run); i++) {
        steps[pattern](thread, lane, i);
        gc_safe_point(run->runtime);
        if (stops != 0 && i % stops == stops - 1) {
            gc_stop(run->runtime);
            gc_start(run->runtime);
        }
    }
}

static void shared_tell(struct run *run)
{
#ifdef GC_THREADS
    struct gc_thread_stats stats;
    gc_thread_stats(run->runtime, &stats);
    run_add_figure(run, "stops", (double)stats.stops);
    run_add_figure(run, "stop_p50_ns", (double)stats.stop_ns_p50);
    run_add_figure(run, "stop_p99_ns", (double)stats.stop_ns_p99);
    run_add_figure(run, "merges_queued", (double)stats.queued);
    run_add_figure(run, "merge_queue_max", (double)stats.queue_length_max);
    run_add_figure(run, "retired_max", (double)stats.retired_max);
    run_add_figure(run, "lock_switches", (double)stats.switches);
#endif
    run_add_figure(run, "object_header_bytes", (double)sizeof(struct object));
}

static void shared_run(struct run *run, uint64_t iterations)
{
    struct shared_state *state = run->state;
    run_on_threads(run, shared_is(run, PATTERN_QUEUE) ? shared_work_queue : shared_work,
                   iterations);
    for (unsigned i = 0; i < run->threads; i++) {
        run->checksum += state->lanes[i].checksum;
        state->lanes[i].checksum = 0;
    }
    shared_tell(run);
}

static uint64_t shared_pairs(const struct run *run)
{
    return (run->threads + 1) / 2;
}

/* Objects made, references taken, or operations on the dict. */
static uint64_t shared_operations(const struct run *run)
{
    if (shared_is(run, PATTERN_PRIVATE)) {
        return run->threads * (uint64_t)(1 + SHARED_FLOATS);
    }
    return shared_is(run, PATTERN_QUEUE) ? shared_pairs(run) * (1 + SHARED_FLOATS) : run->threads;
}

static uint64_t shared_expected_allocations(const struct run *run, uint64_t iterations)
{
    if (shared_is(run, PATTERN_PRIVATE)) {
        return run->threads * iterations * SHARED_LIST_BLOCKS;
    }
    if (shared_is(run, PATTERN_QUEUE)) {
        return shared_pairs(run) * iterations * SHARED_LIST_BLOCKS;
    }
    return shared_is(run, PATTERN_DICT) ? run->threads * (iterations / (SHARED_READS + 1)) : 0;
}

static size_t shared_window_bytes(const struct run *run)
{
    const size_t list = MODEL_LIST_BYTES + 64 + SHARED_FLOATS * (HEAP_FLOAT_BYTES + 16);
    return run->threads * (SHARED_WINDOW + SHARED_RING) * list + (1u << 20);
}

/* The objects that all threads use. */
static bool shared_make_objects(struct run *run, struct shared_state *state)
{
    const uint64_t count = run_count(run, SHARED_OBJECTS);
    for (uint64_t i = 0; i < count; i++) {
        struct object *list = shared_make_list(run, i);
        if (list == NULL || !gc_defer(run->runtime, list)) {
            return false;
        }
#if GC_IMMORTAL
        (void)object_immortalize(run->runtime, list);
#endif
        gc_share(list);
        state->objects[i] = list;
    }
    return true;
}

static bool shared_fill_dict(struct run *run, struct shared_state *state)
{
    state->dict = dict_new(run->runtime);
    bool is_whole = state->dict != NULL;
    for (uint64_t k = 0; is_whole && k < run_count(run, SHARED_OBJECTS); k++) {
        struct object *key = int_new(run->runtime, (int64_t)k + 1000);
        struct object *value = float_new(run->runtime, (double)k);
        is_whole = key != NULL && value != NULL && dict_set(run->runtime, state->dict, key, value);
        object_xdecref(run->runtime, key);
        object_xdecref(run->runtime, value);
    }
    if (is_whole) {
        gc_share(state->dict);
    }
    return is_whole;
}

static void shared_teardown(struct run *run)
{
    struct shared_state *state = run->state;
    const uint64_t count = run_count(run, SHARED_OBJECTS);
    object_xdecref(run->runtime, state->dict);
    for (uint64_t i = 0; i < count; i++) {
        object_xdecref(run->runtime, state->objects[i]);
        for (unsigned k = 0; k < run->threads; k++) {
            object_xdecref(run->runtime, state->lanes[k].keys[i]);
        }
    }
    for (unsigned k = 0; k < run->threads; k++) {
        object_xdecref(run->runtime, state->lanes[k].window);
    }
    (void)gc_collect(run->runtime, GC_GENERATIONS - 1);
}

static enum status shared_setup(struct run *run, struct error *error)
{
    const uint64_t count = run_count(run, SHARED_OBJECTS);
    struct shared_state *state = run_scratch(run, sizeof(*state));
    run->state = state;
    state->objects = run_scratch(run, count * sizeof(*state->objects));
    state->lanes = run_scratch(run, run->threads * sizeof(*state->lanes));
    for (unsigned i = 0; i < run->threads; i++) {
        state->lanes[i].keys = run_scratch(run, count * sizeof(struct object *));
        state->lanes[i].ring = run_scratch(run, SHARED_RING * sizeof(struct object *));
    }
    bool is_whole = true;
    if (shared_is(run, PATTERN_PRIVATE)) {
        run_on_threads(run, shared_prepare_private, 1);
    } else if (shared_is(run, PATTERN_READERS)) {
        is_whole = shared_make_objects(run, state);
    } else if (shared_is(run, PATTERN_DICT)) {
        is_whole = shared_fill_dict(run, state);
        run_on_threads(run, shared_prepare_dict, 1);
    }
    if (!is_whole || run_failed(run)) {
        return model_exhausted(error);
    }
    return STATUS_OK;
}

const struct workload workload_shared_objects = {
    .name = "shared_objects",
    .kind = "objects",
    .family = "threads",
    .summary = "threads over one object layer: private, readers, queue, dict",
    .parameters =
        {
            {.name = "pattern",
             .unit = "",
             .summary = "what the threads have in common",
             .choices = shared_patterns,
             .value = PATTERN_PRIVATE,
             .minimum = 0,
             .maximum = PATTERN_DICT},
            {.name = "objects",
             .unit = "objects",
             .summary = "that are shared",
             .value = 8,
             .minimum = 1,
             .maximum = 1e6},
            {.name = "stops",
             .unit = "iterations",
             .summary = "of the first thread between two stops of the world; 0: none",
             .value = 0,
             .minimum = 0,
             .maximum = 1e9},
        },
    .operations = shared_operations,
    .expected_allocations = shared_expected_allocations,
    .window_bytes = shared_window_bytes,
    .setup = shared_setup,
    .run = shared_run,
    .teardown = shared_teardown,
    .threaded = true,
};
