/* weakref_cache: a cache that holds its values by weak references.
 *
 * Imitates a WeakValueDictionary over values that the program uses for a while: a table of weak
 * references with callbacks, and a window of the values in use, which alone keeps them alive. Each
 * step looks an entry up at random (dead or alive), makes a new value, enters it into the table in
 * the place of an older one, and lets the oldest value in use go: it dies at once, and its callback
 * runs, unless it is one of the values that refer to themselves; those wait for the collector,
 * which has to cut off their weak references and call the callbacks before it frees.
 *
 * Leaves out the dictionary, whose costs dict_build has. Stresses weak references on both ways of
 * dying. */
#include "gc/class.h"
#include "gc/weakref.h"
#include "workloads/objects/model.h"

enum { WEAKREF_CACHE_LIVE, WEAKREF_CACHE_TABLE, WEAKREF_CACHE_CYCLIC };
enum {
    WEAKREF_CACHE_STEPS = 8192,
    WEAKREF_CACHE_MARKED = 128,
    WEAKREF_CACHE_BLOCKS = 2, /* the value and its weak reference */
    WEAKREF_CACHE_CYCLIC_BLOCKS =
        2, /* in addition: the dict and its table, if it refers to itself */
};

struct weakref_cache_state {
    struct object *class;
    struct object *self_name;
    struct object *nothing; /* the shared int 0 */
    struct object *table;   /* a list of weak references, or of `nothing` at first */
    struct object *used;    /* a list that is used as a ring: the live values */
    struct object *told;    /* the callbacks' context: the number of their calls, modulo 256 */
    uint64_t step;
    uint64_t hits;
};

static void weakref_cache_died(struct runtime *runtime, struct object *weakref,
                               struct object *owned, void *context)
{
    (void)context;
    (void)weakref;
    int64_t calls = (int_value(list_item(owned, 0)) + 1) % 256;
    list_give_item(runtime, owned, 0, int_new(runtime, calls)); /* a shared int: no allocation */
}

static void weakref_cache_teardown(struct run *run)
{
    struct weakref_cache_state *state = run->state;
    object_xdecref(run->runtime, state->used);
    object_xdecref(run->runtime, state->table);
    state->used = NULL;
    state->table = NULL;
    gc_collect(run->runtime, GC_GENERATIONS - 1);
    object_xdecref(run->runtime, state->told);
    object_xdecref(run->runtime, state->nothing);
    object_xdecref(run->runtime, state->self_name);
    object_xdecref(run->runtime, state->class);
    *state = (struct weakref_cache_state){0};
}

/* Makes a list with count times `nothing`. */
static struct object *weakref_cache_list(struct run *run, uint64_t count)
{
    struct weakref_cache_state *state = run->state;
    struct object *list = list_new(run->runtime);
    for (uint64_t i = 0; list != NULL && i < count; i++) {
        if (!list_append(run->runtime, list, state->nothing)) {
            object_decref(run->runtime, list);
            list = NULL;
        }
    }
    return list;
}

static enum status weakref_cache_setup(struct run *run, struct error *error)
{
    struct weakref_cache_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->class = class_new(run->runtime, "Value", NULL);
    state->self_name = str_intern(run->runtime, "self", 4);
    state->nothing = int_new(run->runtime, 0);
    if (state->nothing != NULL) {
        state->table = weakref_cache_list(run, run_count(run, WEAKREF_CACHE_TABLE));
        state->used = weakref_cache_list(run, run_count(run, WEAKREF_CACHE_LIVE));
        state->told = weakref_cache_list(run, 1);
    }
    if (state->class == NULL || state->self_name == NULL || state->table == NULL ||
        state->used == NULL || state->told == NULL) {
        weakref_cache_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

/* Spread evenly over the steps: the first `cyclic` of each hundred, in a fixed order. */
static bool weakref_cache_is_cyclic(const struct run *run, uint64_t step)
{
    return step * 37 % 100 < run_count(run, WEAKREF_CACHE_CYCLIC);
}

static void weakref_cache_look_up(struct run *run, struct weakref_cache_state *state)
{
    size_t at = (size_t)rng_below(&run->rng, run_count(run, WEAKREF_CACHE_TABLE));
    struct object *entry = list_item(state->table, at);
    struct object *value = entry == state->nothing ? NULL : weakref_get(run->runtime, entry);
    state->hits += value != NULL;
    object_xdecref(run->runtime, value);
}

/* Makes a value, and puts it into the table and among the values in use, in place of the oldest.
 * false: the heap is exhausted. */
static bool weakref_cache_enter(struct run *run, struct weakref_cache_state *state)
{
    struct runtime *runtime = run->runtime;
    const uint64_t live = run_count(run, WEAKREF_CACHE_LIVE);
    bool cyclic = weakref_cache_is_cyclic(run, state->step);
    struct object *value = class_instance_new(runtime, state->class);
    bool made = value != NULL &&
                (!cyclic || instance_set_attribute(runtime, value, state->self_name, value));
    struct object *weakref =
        made ? weakref_new(
                   runtime, value,
                   &(struct weakref_hooks){.callback = weakref_cache_died, .owned = state->told})
             : NULL;
    if (weakref == NULL) {
        object_xdecref(runtime, value);
        return false;
    }
    list_give_item(runtime, state->table,
                   (size_t)(state->step % run_count(run, WEAKREF_CACHE_TABLE)), weakref);
    list_give_item(runtime, state->used, (size_t)(state->step % live), value);
    if (state->step >= live && weakref_cache_is_cyclic(run, state->step - live)) {
        run_garbage(run, MODEL_INSTANCE_CONTAINERS, 48 + HEAP_DICT_BYTES + 160);
    }
    state->step++;
    return true;
}

static void weakref_cache_run(struct run *run, uint64_t iterations)
{
    struct weakref_cache_state *state = run->state;
    for (uint64_t i = 0; i < iterations * WEAKREF_CACHE_STEPS; i++) {
        if (i % WEAKREF_CACHE_MARKED == 0) {
            run_mark(run, NULL);
        }
        weakref_cache_look_up(run, state);
        if (!weakref_cache_enter(run, state)) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return;
        }
    }
    model_check(run, state->step);
    run_add_figure(run, "hits_percent", 100 * (double)state->hits / (double)state->step);
}

static uint64_t weakref_cache_operations(const struct run *run)
{
    (void)run;
    return WEAKREF_CACHE_STEPS;
}

static uint64_t weakref_cache_expected_allocations(const struct run *run, uint64_t iterations)
{
    const struct weakref_cache_state *state = run->state;
    uint64_t blocks = 0;
    for (uint64_t i = 0; i < iterations * WEAKREF_CACHE_STEPS; i++) {
        bool cyclic = weakref_cache_is_cyclic(run, state->step + i);
        blocks +=
            cyclic ? WEAKREF_CACHE_BLOCKS + WEAKREF_CACHE_CYCLIC_BLOCKS : WEAKREF_CACHE_BLOCKS;
    }
    return blocks;
}

/* A value that refers to itself waits for a full collection. */
static size_t weakref_cache_window_bytes(const struct run *run)
{
    uint64_t cyclic = run_count(run, WEAKREF_CACHE_CYCLIC);
    uint64_t waiting = cyclic == 0 ? 0 : (uint64_t)MODEL_FULL_COLLECTION_CONTAINERS * 100 / cyclic;
    uint64_t entries = run_count(run, WEAKREF_CACHE_LIVE) + run_count(run, WEAKREF_CACHE_TABLE);
    return (size_t)(4 * (entries + waiting) *
                    (2 * MODEL_INSTANCE_BYTES + MODEL_DICT_BYTES + MODEL_KEYS_BYTES_MIN));
}

const struct workload workload_weakref_cache = {
    .name = "weakref_cache",
    .kind = "objects",
    .family = "cycles",
    .summary = "a cache by weak references with callbacks",
    .parameters =
        {
            {"live", "objects", "values in use", NULL, 1e4, 1, 1e7},
            {"table", "entries", "weak references in the cache", NULL, 2e4, 1, 1e7},
            {"cyclic", "percent", "values that refer to themselves", NULL, 20, 0, 100},
        },
    .operations = weakref_cache_operations,
    .expected_allocations = weakref_cache_expected_allocations,
    .window_bytes = weakref_cache_window_bytes,
    .setup = weakref_cache_setup,
    .run = weakref_cache_run,
    .teardown = weakref_cache_teardown,
};
