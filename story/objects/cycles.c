/* Cycles: what reference counts leave over, when the detector runs and what it visits, what floats,
 * and in which order finalizers and callbacks of weak references are called. */
#include <string.h>

#include "gc/class.h"
#include "gc/introspect.h"
#include "gc/pauses.h"
#include "gc/weakref.h"
#include "story/objects/show.h"

static struct show cycles_show;

/* ------------------------------------------------------------------------------- two lists */

/* The steps are those of python.py. */
void show_cycle(struct json_writer *json)
{
    show_open(&cycles_show, NULL);
    struct runtime *runtime = cycles_show.runtime;
    uint64_t before = runtime_objects_live(runtime);
    json_open_array(json, "steps");
    struct object *a = show_need(list_new(runtime));
    struct object *b = show_need(list_new(runtime));
    show_step(json, "a = []; b = []", object_getrefcount(a));
    (void)list_append(runtime, a, b);
    (void)list_append(runtime, b, a);
    show_step(json, "a.append(b); b.append(a)", object_getrefcount(a));
    object_decref(runtime, b);
    show_step(json, "del b", object_getrefcount(a));
    object_decref(runtime, a); /* b still refers to it, so it may be read */
    show_step(json, "del a", object_getrefcount(a));
    json_close_array(json);
    json_add_u64(json, "live_after_del", runtime_objects_live(runtime) - before);
    json_add_u64(json, "found", gc_collect(runtime, 2));
    json_add_u64(json, "live_after_collect", runtime_objects_live(runtime) - before);
    show_close(&cycles_show);
}

/* ------------------------------------------------------------------------------- a growing heap
 */

static const char *const cycles_collectors[] = {
    "generational-700-no25", "generational-700", "generational-2000",
    "incremental",           "growth",           "snapshot"};
enum { CYCLES_COLLECTORS = sizeof(cycles_collectors) / sizeof(cycles_collectors[0]) };

struct cycles_growth {
    uint64_t collections[GC_GENERATIONS];
    double visited; /* containers per new list */
    double longest; /* containers in one pause */
    double ns;      /* in pauses, per new list */
    double longest_ms;
};

/* Makes that many lists, all of which live. */
static void detector_grow(const char *collector, uint64_t count, struct cycles_growth *growth)
{
    struct gc_stats stats;
    show_open(&cycles_show, collector);
    struct object *all = show_need(list_new(cycles_show.runtime));
    for (uint64_t i = 0; i < count; i++) {
        struct object *item = show_need(list_new(cycles_show.runtime));
        (void)list_append(cycles_show.runtime, all, item);
        object_decref(cycles_show.runtime, item);
    }
    const struct pauses *pauses = runtime_pauses(cycles_show.runtime);
    runtime_stats(cycles_show.runtime, &stats);
    memcpy(growth->collections, stats.collections, sizeof(stats.collections));
    growth->visited = (double)pauses->visited_total / (double)count;
    growth->ns = (double)pauses->cpu_ns_total / (double)count;
    growth->longest = (double)pauses->visited.max;
    growth->longest_ms = (double)pauses->cpu_ns.max / 1e6;
    object_decref(cycles_show.runtime, all);
    show_close(&cycles_show);
}

void show_detector(struct json_writer *json)
{
    static const uint64_t sizes[] = {10000, 30000, 100000, 300000, 1000000, 2000000};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    static struct cycles_growth growth[CYCLES_COLLECTORS][SIZES];
    json_open_array(json, "rows");
    for (size_t i = 0; i < CYCLES_COLLECTORS; i++) {
        for (size_t j = 0; j < SIZES; j++) {
            detector_grow(cycles_collectors[i], sizes[j], &growth[i][j]);
            json_open_object(json, NULL);
            json_add_string(json, "collector", cycles_collectors[i]);
            json_add_u64(json, "live_lists", sizes[j]);
            json_add_double(json, "visits_per_list", growth[i][j].visited);
            json_add_double(json, "ns_per_list", growth[i][j].ns);
            json_close_object(json);
        }
    }
    json_close_array(json);
    for (size_t i = 0; i < CYCLES_COLLECTORS; i++) {
        const struct cycles_growth *largest = &growth[i][SIZES - 1];
        json_open_object(json, cycles_collectors[i]);
        json_add_u64(json, "young", largest->collections[0]);
        json_add_u64(json, "middle", largest->collections[1]);
        json_add_u64(json, "full", largest->collections[2]);
        json_add_double(json, "visits", largest->visited);
        json_add_double(json, "visits_in_small_heap", growth[i][0].visited);
        json_add_double(json, "longest", largest->longest);
        json_add_double(json, "longest_ms", largest->longest_ms);
        json_add_double(json, "ns", largest->ns);
        json_close_object(json);
    }
    json_add_u64(json, "live_lists_most", sizes[SIZES - 1]);
}

/* --------------------------------------------------------------------------------- a dead ring */

enum { RING_LIVE = 500000, RING_LENGTH = 400000, RING_PATIENCE = 500000, RING_POINTS = 25 };

static struct object *ring_make(struct runtime *runtime, int length)
{
    struct object *first = show_need(list_new(runtime));
    struct object *last = object_incref(first);
    for (int i = 1; i < length; i++) {
        struct object *node = show_need(list_new(runtime));
        (void)list_append(runtime, node, last);
        object_decref(runtime, last);
        last = node;
    }
    (void)list_append(runtime, first, last);
    object_decref(runtime, last);
    return first;
}

/* Lets a ring die when the heap has RING_LIVE other lists, which continues to grow. Points: the
 * number of dead lists that are left after that many more. */
static void ring_of(struct json_writer *json, const char *collector, int64_t *found)
{
    show_open(&cycles_show, collector);
    struct runtime *runtime = cycles_show.runtime;
    struct object *all = show_need(list_new(runtime));
    struct object *ring = ring_make(runtime, RING_LENGTH);
    *found = -1;
    for (int i = 0; i < RING_LIVE + RING_PATIENCE; i++) {
        uint64_t freed = gc_collected(runtime);
        if (i == RING_LIVE) {
            object_decref(runtime, ring);
        }
        if (i >= RING_LIVE && *found < 0 && freed >= RING_LENGTH) {
            *found = i - RING_LIVE;
        }
        if (i >= RING_LIVE && (i - RING_LIVE) % (RING_PATIENCE / RING_POINTS) == 0) {
            json_open_object(json, NULL);
            json_add_string(json, "collector", collector);
            json_add_i64(json, "lists_made", i - RING_LIVE);
            json_add_u64(json, "dead_lists_left", RING_LENGTH - freed);
            json_close_object(json);
        }
        struct object *item = show_need(list_new(runtime));
        (void)list_append(runtime, all, item);
        object_decref(runtime, item);
    }
    object_decref(runtime, all);
    show_close(&cycles_show);
}

void show_ring(struct json_writer *json)
{
    int64_t found[CYCLES_COLLECTORS];
    json_open_array(json, "rows");
    for (size_t i = 0; i < CYCLES_COLLECTORS; i++) {
        ring_of(json, cycles_collectors[i], &found[i]);
    }
    json_close_array(json);
    for (size_t i = 0; i < CYCLES_COLLECTORS; i++) {
        json_add_i64(json, cycles_collectors[i], found[i]);
    }
    json_add_u64(json, "length", RING_LENGTH);
    json_add_u64(json, "live", RING_LIVE);
    json_add_u64(json, "patience", RING_PATIENCE);
}

/* ----------------------------------------------------------------- finalizers, weak references */

/* The calls, in their order. */
struct care_log {
    struct json_writer *json;
    int64_t order;
    int64_t finalized;
    struct object *saved; /* the object that its finalizer brings back */
    bool saves;
};

static struct care_log care_log;

static void care_called(struct runtime *runtime, struct object *weakref, struct object *owned,
                        void *context)
{
    (void)owned;
    (void)context;
    struct object *referent = weakref_get(runtime, weakref);
    show_step(care_log.json,
              referent == NULL ? "the weak reference's callback: it gives None by now"
                               : "the weak reference's callback: it still gives the object",
              ++care_log.order);
    object_xdecref(runtime, referent);
}

static void care_finalize(struct runtime *runtime, struct object *self, void *context)
{
    (void)runtime;
    (void)context;
    care_log.finalized++;
    show_step(care_log.json,
              care_log.saves ? "the finalizer, which keeps its object" : "the finalizer",
              ++care_log.order);
    if (care_log.saves) {
        care_log.saved = object_incref(self);
    }
}

static void care_never(struct runtime *runtime, struct object *self, void *context)
{
    (void)runtime;
    (void)self;
    (void)context;
}

/* An instance that has itself as an attribute, so that only the detector can free it. */
static struct object *care_self(struct runtime *runtime, const struct class_hooks *hooks)
{
    struct object *class = show_need(class_new(runtime, "Node", hooks));
    struct object *node = show_need(class_instance_new(runtime, class));
    struct object *name = show_need(str_intern(runtime, "me", 2));
    (void)instance_set_attribute(runtime, node, name, node);
    object_decref(runtime, name);
    object_decref(runtime, class);
    return node;
}

void show_care(struct json_writer *json)
{
    static const struct class_hooks hooks = {.finalize = care_finalize};
    static const struct class_hooks legacy = {.finalize_legacy = care_never};
    static const struct weakref_hooks watching = {.callback = care_called};
    care_log = (struct care_log){.json = json};
    show_open(&cycles_show, NULL);
    struct runtime *runtime = cycles_show.runtime;
    json_open_array(json, "steps");
    struct object *node = care_self(runtime, &hooks);
    struct object *weakref = show_need(weakref_new(runtime, node, &watching));
    object_decref(runtime, node);
    (void)gc_collect(runtime, 2);
    care_log.saves = true;
    object_decref(runtime, care_self(runtime, &hooks));
    (void)gc_collect(runtime, 2);
    show_step(json, "a collection later it is alive", ++care_log.order);
    object_decref(runtime, care_log.saved);
    int64_t before = care_log.finalized;
    (void)gc_collect(runtime, 2);
    show_step(json, "dropped and collected again: no second call", ++care_log.order);
    json_close_array(json);
    json_add_i64(json, "second_calls", care_log.finalized - before);
    object_decref(runtime, weakref);
    object_decref(runtime, care_self(runtime, &legacy));
    json_add_u64(json, "legacy_freed", gc_collect(runtime, 2));
    json_add_u64(json, "legacy_set_aside", list_length(show_need(gc_garbage(runtime))));
    list_clear(runtime, gc_garbage(runtime));
    show_close(&cycles_show);
}
