/* Leaks that containers hold: cycles while the collector is off, cycles through a type whose
 * traverse misses a field, a cache that is never evicted. */
#include "gc/class.h"
#include "gc/runtime.h" /* a type of its own, as an extension module defines one */
#include "leaks/planted/leak.h"

/* Two lists that refer to each other; the twin breaks the cycle by hand. */
static void containers_cycle_off(struct leak_run *run)
{
    struct runtime *runtime = run->program.runtime;
    for (uint64_t i = 0; i < run->number; i++) {
        bool due = leak_is_due(run, i);
        struct object *parent = LEAK_AT(run, list_new(runtime));
        struct object *child = parent == NULL ? NULL : dict_new(runtime);
        struct object *key = child == NULL ? NULL : int_new(runtime, 1);
        if (key == NULL || !list_append(runtime, parent, child) ||
            !dict_set(runtime, child, key, parent)) {
            run->failed = "heap exhausted";
            return;
        }
        if (due) {
            leak_plant_object(run, parent);
            leak_plant_object(run, child);
        } else {
            list_clear(runtime, parent);
        }
        object_decref(runtime, key);
        object_decref(runtime, child);
        object_decref(runtime, parent);
    }
}

static bool containers_start_off(struct leak_run *run)
{
    gc_enable(run->program.runtime, false);
    return true;
}

/* ---------------------------------------------------------------- the holed type */
struct containers_node {
    struct object base;
    struct object *next;
    struct object *hidden; /* what the careless author's traverse does not visit */
};

enum { CONTAINERS_NODE_BYTES = sizeof(struct gc_head) + sizeof(struct containers_node) };

static struct containers_node *containers_node_of(struct object *object)
{
    return (struct containers_node *)object;
}

static int containers_traverse_holed(struct object *self, object_visit *visit, void *context)
{
    struct object *next = containers_node_of(self)->next;
    return next == NULL ? 0 : visit(next, context);
}

static int containers_traverse_whole(struct object *self, object_visit *visit, void *context)
{
    struct object *hidden = containers_node_of(self)->hidden;
    int result = containers_traverse_holed(self, visit, context);
    return result != 0 || hidden == NULL ? result : visit(hidden, context);
}

static void containers_clear(struct runtime *runtime, struct object *self)
{
    struct containers_node *node = containers_node_of(self);
    struct object *next = node->next;
    struct object *hidden = node->hidden;
    node->next = NULL;
    node->hidden = NULL;
    object_xdecref(runtime, next);
    object_xdecref(runtime, hidden);
}

static void containers_dealloc(struct runtime *runtime, struct object *self)
{
    containers_clear(runtime, self);
    runtime_free_container(runtime, self, CONTAINERS_NODE_BYTES);
}

static const struct type containers_holed_type = {
    .name = "node",
    .size = CONTAINERS_NODE_BYTES,
    .heap_type = HEAP_INSTANCE,
    .flags = TYPE_IS_CONTAINER,
    .traverse = containers_traverse_holed,
    .clear = containers_clear,
    .dealloc = containers_dealloc,
};
static const struct type containers_whole_type = {
    .name = "node",
    .size = CONTAINERS_NODE_BYTES,
    .heap_type = HEAP_INSTANCE,
    .flags = TYPE_IS_CONTAINER,
    .traverse = containers_traverse_whole,
    .clear = containers_clear,
    .dealloc = containers_dealloc,
};

static struct object *containers_node_new(struct runtime *runtime, const struct type *type)
{
    struct containers_node *node = runtime_alloc_container(runtime, type, CONTAINERS_NODE_BYTES);
    if (node == NULL) {
        return NULL;
    }
    node->next = NULL;
    node->hidden = NULL;
    runtime_track(runtime, &node->base);
    return &node->base;
}
#define containers_node_new(...) LEDGER_CALL(containers_node_new, __VA_ARGS__)

/* A cycle of two through the field. Where it is not planted the type is whole and the collector
 * frees it. */
static void containers_traverse_hole(struct leak_run *run)
{
    struct runtime *runtime = run->program.runtime;
    for (uint64_t i = 0; i < run->number; i++) {
        bool due = leak_is_due(run, i);
        const struct type *type = due ? &containers_holed_type : &containers_whole_type;
        struct object *first = LEAK_AT(run, containers_node_new(runtime, type));
        struct object *second = first == NULL ? NULL : containers_node_new(runtime, type);
        if (second == NULL) {
            run->failed = "heap exhausted";
            return;
        }
        containers_node_of(first)->next = second; /* steals */
        containers_node_of(second)->hidden = object_incref(first);
        if (due) {
            leak_plant_object(run, first);
            leak_plant_object(run, second);
        }
        object_decref(runtime, first);
    }
}

/* ---------------------------------------------------------------- the cache */
enum { CONTAINERS_CACHE_LIMIT = 64 };

static bool containers_start_cache(struct leak_run *run)
{
    struct object *cache = dict_new(run->program.runtime);
    bool kept = cache != NULL && list_append(run->program.runtime, run->program.globals, cache);
    object_xdecref(run->program.runtime, cache);
    return kept;
}

/* Keys are numbered on by state[0]. A planted operation's entry stays for ever; the others wrap
 * within a bound, as a cache that is evicted does. */
static void containers_cache(struct leak_run *run)
{
    struct runtime *runtime = run->program.runtime;
    struct object *cache = list_item(run->program.globals, 0);
    for (uint64_t i = 0; i < run->number; i++) {
        bool due = leak_is_due(run, i);
        uintptr_t serial = (uintptr_t)run->program.state[0];
        run->program.state[0] = (void *)(serial + 1);
        int64_t number = due ? (int64_t)serial + 1000 : (int64_t)(i % CONTAINERS_CACHE_LIMIT);
        struct object *key = int_new(runtime, number);
        struct object *value = LEAK_AT(run, list_new(runtime));
        if (key == NULL || value == NULL || !dict_set(runtime, cache, key, value)) {
            run->failed = "heap exhausted";
            return;
        }
        if (due) {
            leak_plant_object(run, value);
            leak_plant_object(run, key);
        }
        object_decref(runtime, key);
        object_decref(runtime, value);
    }
}

const struct leak_kind leak_kind_cycle_collector_off = {
    .name = "cycle_collector_off",
    .summary = "a cycle becomes garbage while the collector is off",
    .start = containers_start_off,
    .step = containers_cycle_off,
};
const struct leak_kind leak_kind_traverse_hole = {
    .name = "traverse_hole",
    .summary = "a cycle through a type whose traverse misses a field",
    .step = containers_traverse_hole,
};
const struct leak_kind leak_kind_growing_cache = {
    .name = "growing_cache",
    .summary = "a cache is never evicted: reachable, a leak in intent alone",
    .start = containers_start_cache,
    .step = containers_cache,
};
