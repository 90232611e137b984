/* live_heap_growth: a heap that only grows, but for one large cycle that dies midway.
 *
 * Imitates a program that loads its data: every object made stays, so a collector that traces does
 * all its work for nothing, again and again. First a ring is made, as large as a percentage of what
 * will live; when half of the live objects are there its last reference is dropped. From then on it
 * is garbage that only the collector can find, in the middle of a growing heap: how much floats,
 * and for how long, are the collector's figures. Shapes: `lists`, each placed in a tuple without
 * its count ever going down; `component`, one doubly linked list of all, in which every object
 * can be reached from every other: a search that starts from any of them sees the whole heap.
 *
 * Leaves out objects that die by their counts. Stresses collector time for each object made,
 * pauses, and floating garbage. */
#include "workloads/objects/shapes.h"

enum { LIVE_HEAP_GROWTH_SHAPE, LIVE_HEAP_GROWTH_LIVE, LIVE_HEAP_GROWTH_CYCLE };
enum { LIVE_HEAP_GROWTH_LISTS, LIVE_HEAP_GROWTH_COMPONENT };
enum { LIVE_HEAP_GROWTH_CHUNK = 256 /* of the tuples; at each end of one a mark */ };

struct live_heap_growth_state {
    struct object *item;   /* the shared int 0 */
    struct object *holder; /* lists: of the tuples */
    struct object *newest; /* component: the last node */
    struct object *ring;
};

static uint64_t live_heap_growth_ring_nodes(const struct run *run)
{
    return run_count(run, LIVE_HEAP_GROWTH_LIVE) * run_count(run, LIVE_HEAP_GROWTH_CYCLE) / 100;
}

static void live_heap_growth_teardown(struct run *run)
{
    struct live_heap_growth_state *state = run->state;
    object_xdecref(run->runtime, state->ring);
    object_xdecref(run->runtime, state->newest);
    object_xdecref(run->runtime, state->holder);
    object_xdecref(run->runtime, state->item);
    *state = (struct live_heap_growth_state){0};
    gc_collect(run->runtime, GC_GENERATIONS - 1);
}

static enum status live_heap_growth_setup(struct run *run, struct error *error)
{
    struct live_heap_growth_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->item = int_new(run->runtime, 0);
    state->holder = list_new(run->runtime);
    state->newest = list_new(run->runtime);
    if (state->item == NULL || state->holder == NULL || state->newest == NULL ||
        !list_append(run->runtime, state->newest, state->item)) {
        live_heap_growth_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

/* Adds a tuple of count new nodes at the end of the holder. false: the heap is exhausted. */
static bool live_heap_growth_add_lists(struct run *run, uint64_t count)
{
    struct live_heap_growth_state *state = run->state;
    struct object *chunk = tuple_new(run->runtime, (size_t)count);
    for (uint64_t i = 0; chunk != NULL && i < count; i++) {
        struct object *node = shapes_node(run->runtime, state->item);
        if (node == NULL) {
            object_decref(run->runtime, chunk);
            return false;
        }
        tuple_give_item(chunk, (size_t)i, node);
    }
    return shapes_append_drop(run->runtime, state->holder, chunk);
}

/* Adds count new nodes at the end of the doubly linked list. */
static bool live_heap_growth_add_linked(struct run *run, uint64_t count)
{
    struct live_heap_growth_state *state = run->state;
    for (uint64_t i = 0; i < count; i++) {
        struct object *node = shapes_node(run->runtime, state->newest);
        if (node == NULL || !list_append(run->runtime, state->newest, node)) {
            object_xdecref(run->runtime, node);
            return false;
        }
        object_decref(run->runtime, state->newest);
        state->newest = node;
    }
    return true;
}

static bool live_heap_growth_grow(struct run *run, uint64_t count)
{
    bool lists = run_count(run, LIVE_HEAP_GROWTH_SHAPE) == LIVE_HEAP_GROWTH_LISTS;
    for (uint64_t made = 0; made < count; made += LIVE_HEAP_GROWTH_CHUNK) {
        uint64_t left = count - made;
        uint64_t chunk = left < LIVE_HEAP_GROWTH_CHUNK ? left : LIVE_HEAP_GROWTH_CHUNK;
        run_mark(run, NULL);
        if (!(lists ? live_heap_growth_add_lists(run, chunk)
                    : live_heap_growth_add_linked(run, chunk))) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return false;
        }
    }
    return true;
}

static void live_heap_growth_run(struct run *run, uint64_t iterations)
{
    struct live_heap_growth_state *state = run->state;
    const uint64_t live = run_count(run, LIVE_HEAP_GROWTH_LIVE);
    const uint64_t ring = live_heap_growth_ring_nodes(run);
    (void)iterations; /* it is 1: single_shot */
    run_mark(run, "ring");
    state->ring = shapes_ring(run->runtime, state->item, ring);
    if (state->ring == NULL) {
        run_fail(run, MODEL_HEAP_EXHAUSTED);
        return;
    }
    run_mark(run, "growth");
    if (live_heap_growth_grow(run, live / 2)) {
        run_mark(run, "ring dropped");
        object_xdecref(run->runtime, state->ring);
        state->ring = NULL;
        run_garbage(run, ring, ring * SHAPES_NODE_ASKED_BYTES);
        (void)live_heap_growth_grow(run, live - live / 2);
    }
    model_check(run, list_length(state->holder) + list_length(state->newest));
}

/* An operation is an object that is made; tuples do not count. */
static uint64_t live_heap_growth_operations(const struct run *run)
{
    return run_count(run, LIVE_HEAP_GROWTH_LIVE) + live_heap_growth_ring_nodes(run);
}

static uint64_t live_heap_growth_chunks(uint64_t count)
{
    return (count + LIVE_HEAP_GROWTH_CHUNK - 1) / LIVE_HEAP_GROWTH_CHUNK;
}

/* The nodes, and the tuples with the holder's first vector. */
static uint64_t live_heap_growth_expected_allocations(const struct run *run, uint64_t iterations)
{
    const uint64_t live = run_count(run, LIVE_HEAP_GROWTH_LIVE);
    uint64_t tuples = 0;
    if (run_count(run, LIVE_HEAP_GROWTH_SHAPE) == LIVE_HEAP_GROWTH_LISTS) {
        tuples = live_heap_growth_chunks(live / 2) + live_heap_growth_chunks(live - live / 2) + 1;
    }
    return iterations * (SHAPES_NODE_BLOCKS * live_heap_growth_operations(run) + tuples);
}

static size_t live_heap_growth_window_bytes(const struct run *run)
{
    return (size_t)(2 * live_heap_growth_operations(run) * (SHAPES_NODE_BYTES + sizeof(void *)) +
                    1048576);
}

static const char *const live_heap_growth_shapes[] = {"lists", "component", NULL};

const struct workload workload_live_heap_growth = {
    .name = "live_heap_growth",
    .kind = "objects",
    .family = "growth",
    .summary = "a heap that only grows, and a large cycle that dies midway",
    .parameters =
        {
            {"shape", "", "how the live objects refer to each other", live_heap_growth_shapes,
             LIVE_HEAP_GROWTH_LISTS, 0, 1},
            {"live", "objects", "live objects at the end", NULL, 1e5, 2, 4e7},
            {"cycle", "percent", "objects of the ring, of those that live at the end", NULL, 40, 0,
             400},
        },
    .operations = live_heap_growth_operations,
    .expected_allocations = live_heap_growth_expected_allocations,
    .window_bytes = live_heap_growth_window_bytes,
    .setup = live_heap_growth_setup,
    .run = live_heap_growth_run,
    .teardown = live_heap_growth_teardown,
    .single_shot = true,
};
