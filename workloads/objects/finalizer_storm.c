/* finalizer_storm: garbage in rings whose objects all have a finalizer.
 *
 * Imitates programs whose objects release something when they die (files, locks, handles) and are
 * in cycles with others. The collector must call every finalizer, and then check whether one of
 * them resurrected anything, before it may free. A percentage of the finalizers does: it puts its
 * object into a list, the whole ring lives on, and dies for good when the list is emptied. A
 * finalizer runs only once (PEP 442).
 *
 * Leaves out finalizers that allocate. Stresses the steps from finding garbage to freeing it, which
 * garbage without finalizers can skip. */
#include "gc/class.h"
#include "workloads/objects/model.h"

enum { FINALIZER_STORM_RING, FINALIZER_STORM_RESURRECTED };
enum {
    FINALIZER_STORM_OBJECTS = 8192, /* per iteration; or one ring */
    FINALIZER_STORM_MARKED = 16,    /* rings between two marks */
    FINALIZER_STORM_KEPT_MAX = 64,  /* resurrected objects after which the list is emptied */
    FINALIZER_STORM_BLOCKS = 3,     /* instance, dict, and the dict's table */
};

struct finalizer_storm_state {
    struct object *class;
    struct object *link_name;
    struct object *kept; /* a list with room for the resurrected objects */
    uint64_t finalized;
    uint64_t resurrected_percent;
};

/* Spreads the resurrections evenly. Appending does not allocate, because the list's vector has room
 * for FINALIZER_STORM_KEPT_MAX. */
static void finalizer_storm_finalize(struct runtime *runtime, struct object *self, void *context)
{
    struct finalizer_storm_state *state = context;
    uint64_t before = state->finalized * state->resurrected_percent / 100;
    state->finalized++;
    bool due = state->finalized * state->resurrected_percent / 100 > before;
    if (due && list_length(state->kept) < FINALIZER_STORM_KEPT_MAX) {
        (void)list_append(runtime, state->kept, self);
    }
}

static void finalizer_storm_empty(struct runtime *runtime, struct finalizer_storm_state *state)
{
    while (list_length(state->kept) > 0) {
        object_decref(runtime, list_pop(runtime, state->kept));
    }
}

static void finalizer_storm_teardown(struct run *run)
{
    struct finalizer_storm_state *state = run->state;
    state->resurrected_percent = 0;
    gc_collect(run->runtime, GC_GENERATIONS - 1); /* finalizes the remaining objects */
    if (state->kept != NULL) {
        finalizer_storm_empty(run->runtime, state);
    }
    object_xdecref(run->runtime, state->kept);
    state->kept = NULL;
    gc_collect(run->runtime, GC_GENERATIONS - 1);
    object_xdecref(run->runtime, state->link_name);
    object_xdecref(run->runtime, state->class);
    state->link_name = NULL;
    state->class = NULL;
}

/* Gives the list a vector that holds FINALIZER_STORM_KEPT_MAX items and does not shrink below
 * that. */
static bool finalizer_storm_make_room(struct runtime *runtime, struct finalizer_storm_state *state)
{
    for (int i = 0; i < FINALIZER_STORM_KEPT_MAX; i++) {
        if (!list_append(runtime, state->kept, state->link_name)) {
            return false;
        }
    }
    finalizer_storm_empty(runtime, state);
    return true;
}

static enum status finalizer_storm_setup(struct run *run, struct error *error)
{
    struct finalizer_storm_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    const struct class_hooks hooks = {.finalize = finalizer_storm_finalize, .context = state};
    state->class = class_new(run->runtime, "Handle", &hooks);
    state->link_name = str_intern(run->runtime, "link", 4);
    state->kept = list_new(run->runtime);
    state->resurrected_percent = run_count(run, FINALIZER_STORM_RESURRECTED);
    if (state->class == NULL || state->link_name == NULL || state->kept == NULL ||
        !finalizer_storm_make_room(run->runtime, state)) {
        finalizer_storm_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

/* Makes a ring of instances to which nobody refers any more. false: the heap is exhausted. */
static bool finalizer_storm_make_ring(struct runtime *runtime,
                                      const struct finalizer_storm_state *state, uint64_t length)
{
    struct object *first = class_instance_new(runtime, state->class);
    struct object *last = first == NULL ? NULL : object_incref(first);
    bool made = last != NULL;
    for (uint64_t i = 1; i < length && made; i++) {
        struct object *next = class_instance_new(runtime, state->class);
        made = next != NULL && instance_set_attribute(runtime, last, state->link_name, next);
        object_decref(runtime, last);
        last = next;
    }
    made = made && instance_set_attribute(runtime, last, state->link_name, first);
    object_xdecref(runtime, last);
    object_xdecref(runtime, first);
    return made;
}

static uint64_t finalizer_storm_rings(const struct run *run)
{
    uint64_t rings = FINALIZER_STORM_OBJECTS / run_count(run, FINALIZER_STORM_RING);
    return rings > 0 ? rings : 1;
}

static void finalizer_storm_run(struct run *run, uint64_t iterations)
{
    struct finalizer_storm_state *state = run->state;
    const uint64_t length = run_count(run, FINALIZER_STORM_RING);
    const uint64_t bytes =
        length * (48 + HEAP_DICT_BYTES + 160); /* as requested, see cyclic_graph */
    for (uint64_t i = 0; i < iterations * finalizer_storm_rings(run); i++) {
        if (i % FINALIZER_STORM_MARKED == 0) {
            run_mark(run, NULL);
        }
        if (!finalizer_storm_make_ring(run->runtime, state, length)) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return;
        }
        run_garbage(run, length * MODEL_INSTANCE_CONTAINERS, bytes);
        if (list_length(state->kept) == FINALIZER_STORM_KEPT_MAX) {
            finalizer_storm_empty(run->runtime, state);
        }
    }
    run_add_figure(run, "finalized_objects", (double)state->finalized);
}

static uint64_t finalizer_storm_operations(const struct run *run)
{
    return finalizer_storm_rings(run) * run_count(run, FINALIZER_STORM_RING);
}

static uint64_t finalizer_storm_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * finalizer_storm_operations(run) * FINALIZER_STORM_BLOCKS;
}

/* A ring waits for a full collection, as in cyclic_graph. A resurrected one lives until the list is
 * full, and then waits for a second collection. */
static size_t finalizer_storm_window_bytes(const struct run *run)
{
    uint64_t percent = run_count(run, FINALIZER_STORM_RESURRECTED);
    uint64_t waiting = MODEL_FULL_COLLECTION_CONTAINERS + run_count(run, FINALIZER_STORM_RING);
    uint64_t kept = percent > 0 ? FINALIZER_STORM_KEPT_MAX * 100 / percent : 0;
    uint64_t node = MODEL_INSTANCE_BYTES + MODEL_DICT_BYTES + MODEL_KEYS_BYTES_MIN;
    return (size_t)(2 * (2 * waiting + kept) * node);
}

const struct workload workload_finalizer_storm = {
    .name = "finalizer_storm",
    .kind = "objects",
    .family = "cycles",
    .summary = "dead rings of objects with finalizers, some of which resurrect",
    .parameters =
        {
            {"ring", "objects", "objects of a ring", NULL, 2, 1, 1e5},
            {"resurrected", "percent", "finalizers that keep their object", NULL, 2, 0, 100},
        },
    .operations = finalizer_storm_operations,
    .expected_allocations = finalizer_storm_expected_allocations,
    .window_bytes = finalizer_storm_window_bytes,
    .setup = finalizer_storm_setup,
    .run = finalizer_storm_run,
    .teardown = finalizer_storm_teardown,
};
