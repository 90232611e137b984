#include "fuzz/targets/object_graph_shadow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gc/frame.h"
#include "gc/runtime.h"

struct shadow object_graph_shadow;

int shadow_add(struct shadow *shadow, enum shadow_kind kind, struct object *object)
{
    int index = shadow->first_free;
    while (index < shadow->fresh && shadow->nodes[index].alive) {
        index++;
    }
    shadow->first_free = index;
    if (index == SHADOW_NODES) {
        return SHADOW_NONE;
    }
    shadow->fresh += index == shadow->fresh;
    struct shadow_node *node = &shadow->nodes[index];
    *node = (struct shadow_node){.object = object,
                                 .kind = kind,
                                 .alive = true,
                                 .serial = shadow->next_serial++,
                                 .seen = graph_watch_now(&shadow->watch),
                                 .count = 1,
                                 .held = 1};
    for (int e = 0; e < SHADOW_EDGES; e++) {
        node->edges[e] = SHADOW_NONE;
    }
    return index;
}

/* ---------------------------------------------------------------- finalizers and weak references
 */
static struct shadow_node *shadow_by_serial(struct shadow *shadow, int64_t serial)
{
    for (int i = 0; i < shadow->fresh; i++) {
        if (shadow->nodes[i].alive && shadow->nodes[i].serial == serial) {
            return &shadow->nodes[i];
        }
    }
    return NULL;
}

static struct shadow_node *shadow_by_object(struct shadow *shadow, const struct object *object)
{
    for (int i = 0; i < shadow->fresh; i++) {
        if (shadow->nodes[i].alive && shadow->nodes[i].object == object) {
            return &shadow->nodes[i];
        }
    }
    return NULL;
}

/* The node is being rescued with everything that only it can reach. A collection may already have
 * cut the weak references to all of these. A collection inside a deed runs in the middle of an
 * operation, when the shadow has not yet released what the runtime has; then nothing is certain. */
static void shadow_doubt_weakrefs(struct shadow *shadow, struct shadow_node *rescued)
{
    static bool was_reachable[SHADOW_NODES];
    shadow_mark(shadow);
    for (int i = 0; i < shadow->fresh; i++) {
        was_reachable[i] = shadow->nodes[i].reachable;
    }
    rescued->held++;
    shadow_mark(shadow);
    rescued->held--;
    for (int i = 0; i < shadow->fresh; i++) {
        shadow->nodes[i].is_weak_unsure |=
            shadow->nodes[i].reachable && (!was_reachable[i] || shadow->deeds.depth > 0);
    }
}

void shadow_finalizer(struct runtime *runtime, struct object *self, void *context)
{
    (void)runtime;
    const struct shadow_class *class = context;
    struct shadow *shadow = class->shadow;
    struct object *serial = instance_attribute(self, shadow->keys[0]);
    if (serial == NULL) {
        return; /* it was released before it was complete */
    }
    struct shadow_node *node = shadow_by_serial(shadow, int_value(serial));
    FUZZ_EXPECT(node != NULL && node->object == self, "finalizer",
                "the finalizer of an object that is dead");
    FUZZ_EXPECT(node->kind == class->kind, "finalizer",
                "the finalizer of object %" PRId64 " is given another class's context",
                node->serial);
    node->finalized++;
    FUZZ_EXPECT(node->finalized == 1, "finalizer", "object %" PRId64 " is finalized twice",
                node->serial);
    if (node->kind == SHADOW_RESCUED_KIND && shadow->rescued_count < SHADOW_RESCUED &&
        !shadow->is_ending) {
        shadow_doubt_weakrefs(shadow, node);
        (void)object_incref(self);
        node->count++;
        node->held++;
        shadow->rescued[shadow->rescued_count++] = (int)(node - shadow->nodes);
    }
    graph_deed(shadow);
}

/* Finds a saved object's node by its serial if it has one, because its address may have been
 * another's. */
static struct shadow_node *shadow_by_saved(struct shadow *shadow, const struct object *saved)
{
    const struct object *serial =
        class_of_instance(saved) == NULL ? NULL : instance_attribute(saved, shadow->keys[0]);
    return serial == NULL ? shadow_by_object(shadow, saved)
                          : shadow_by_serial(shadow, int_value(serial));
}

void shadow_note_garbage(struct shadow *shadow)
{
    const struct object *garbage = shadow->runtime->garbage;
    size_t length = garbage == NULL ? 0 : list_length(garbage);
    /* If there was no memory to save an object, its weak references were cut nevertheless. */
    if (shadow->runtime->save_all) {
        shadow_mark(shadow);
        for (int i = 0; i < shadow->fresh; i++) {
            shadow->nodes[i].is_weak_unsure |= !shadow->nodes[i].reachable;
        }
    }
    for (; shadow->garbage_noted < length; shadow->garbage_noted++) {
        const struct object *saved = list_item(garbage, shadow->garbage_noted);
        struct shadow_node *node = shadow_by_saved(shadow, saved);
        if (node != NULL) { /* not a dict of attributes */
            shadow_doubt_weakrefs(shadow, node);
            node->saved++;
            node->count++;
            node->held++;
        }
    }
}

/* A weak reference that no slot has any more is in a container: garbage makes no calls. */
static void shadow_expect_weak(struct shadow *shadow, const struct object *weakref)
{
    const bool is_settled = shadow->watch.asked > 0 && !shadow->watch.has_deeds;
    bool is_known = false;
    bool is_reachable = false;
    shadow_mark(shadow);
    for (int i = 0; i < shadow->fresh; i++) {
        const struct shadow_node *node = &shadow->nodes[i];
        bool is_same = node->alive && node->kind == SHADOW_WEAK && node->object == weakref;
        is_known |= is_same;
        is_reachable |= is_same && node->reachable;
    }
    FUZZ_EXPECT(is_known, "weakref", "the callback of a weak reference that is dead");
    FUZZ_EXPECT(is_reachable || !is_settled, "weakref",
                "a collection calls the callback of a weak reference that is garbage");
}

void shadow_weakref_callback(struct runtime *runtime, struct object *weakref, struct object *owned,
                             void *context)
{
    struct shadow *shadow = &object_graph_shadow;
    struct shadow_weakref *weak = context;
    FUZZ_EXPECT(weak >= shadow->weakrefs && weak < shadow->weakrefs + SHADOW_WEAKREFS &&
                    owned == shadow->keys[weak - shadow->weakrefs],
                "weakref", "a callback is given another's context");
    FUZZ_EXPECT(weakref_get(runtime, weakref) == NULL, "weakref",
                "a callback is called while the referent is alive");
    if (weak->object == weakref) {
        weak->called++;
        FUZZ_EXPECT(weak->called == 1, "weakref", "a callback is called twice");
    } else {
        shadow_expect_weak(shadow, weakref);
    }
    graph_deed(shadow);
}

/* ---------------------------------------------------------------- counts */
static void shadow_bury(struct shadow *shadow, struct shadow_node *node)
{
    int index = (int)(node - shadow->nodes);
    node->alive = false;
    shadow->first_free = index < shadow->first_free ? index : shadow->first_free;
}

/* Frees the node and all that dies with it. Nodes wait in a stack, because chains are long. */
static void shadow_free(struct shadow *shadow, int index)
{
    static int waiting[SHADOW_NODES];
    int waiting_count = 0;
    waiting[waiting_count++] = index;
    while (waiting_count > 0) {
        struct shadow_node *node = &shadow->nodes[waiting[--waiting_count]];
        FUZZ_EXPECT(!shadow_finalizes(node->kind) || node->finalized == 1, "finalizer",
                    "object %" PRId64 " dies without having been finalized", node->serial);
        shadow_bury(shadow, node);
        for (int e = 0; e < shadow_edge_limit(node); e++) {
            int next = node->edges[e];
            if (next != SHADOW_NONE && --shadow->nodes[next].count == 0 &&
                shadow->nodes[next].alive) {
                waiting[waiting_count++] = next;
            }
        }
    }
}

void shadow_release(struct shadow *shadow, int index)
{
    struct shadow_node *node = &shadow->nodes[index];
    if (--node->count == 0 && node->alive) {
        shadow_free(shadow, index);
    }
}

void shadow_mark(struct shadow *shadow)
{
    static int waiting[SHADOW_NODES];
    int waiting_count = 0;
    for (int i = 0; i < shadow->fresh; i++) {
        struct shadow_node *node = &shadow->nodes[i];
        node->reachable = node->alive && node->held > 0;
        if (node->reachable) {
            waiting[waiting_count++] = i;
        }
    }
    while (waiting_count > 0) {
        const struct shadow_node *node = &shadow->nodes[waiting[--waiting_count]];
        for (int e = 0; e < shadow_edge_limit(node); e++) {
            int next = node->edges[e];
            if (next != SHADOW_NONE && !shadow->nodes[next].reachable) {
                shadow->nodes[next].reachable = true;
                waiting[waiting_count++] = next;
            }
        }
    }
}

void shadow_collected(struct shadow *shadow)
{
    shadow_note_garbage(shadow);
    shadow_mark(shadow);
    for (int i = 0; i < shadow->fresh; i++) {
        struct shadow_node *node = &shadow->nodes[i];
        if (node->alive && !node->reachable) {
            FUZZ_EXPECT(!shadow_finalizes(node->kind) || node->finalized == 1, "finalizer",
                        "garbage %" PRId64 " is collected without having been finalized",
                        node->serial);
            shadow_bury(shadow, node);
            for (int e = 0; e < shadow_edge_limit(node); e++) {
                if (node->edges[e] != SHADOW_NONE) {
                    shadow->nodes[node->edges[e]].count--;
                }
            }
        }
    }
    shadow->is_exact = true;
}

/* ---------------------------------------------------------------- verification */
static struct object *shadow_frame_edge(const struct frame_object *frame, unsigned edge)
{
    if (edge > 0) {
        return frame->slots[edge - 1];
    }
    return frame->back == NULL ? NULL : &frame->back->base;
}

static struct object *shadow_real_edge(const struct shadow *shadow, const struct shadow_node *node,
                                       unsigned edge)
{
    switch (node->kind) {
    case SHADOW_LIST:
        return list_item(node->object, edge);
    case SHADOW_TUPLE:
        return tuple_item(node->object, edge);
    case SHADOW_FRAME:
        return shadow_frame_edge((const struct frame_object *)node->object, edge);
    case SHADOW_DICT:
        return dict_get(node->object, shadow->keys[edge % SHADOW_NAMES]);
    default:
        return instance_attribute(node->object, shadow->keys[edge % SHADOW_NAMES]);
    }
}

static void shadow_verify_atom(const struct shadow_node *node)
{
    bool right;
    char text[32];
    switch (node->kind) {
    case SHADOW_INT:
        right = int_value(node->object) == node->serial;
        break;
    case SHADOW_FLOAT:
        right = float_value(node->object) == (double)node->serial;
        break;
    case SHADOW_WEAK:
        right = object_is(node->object, &weakref_type);
        break;
    default:
        (void)snprintf(text, sizeof(text), "%" PRId64, node->serial);
        right = strncmp(str_bytes(node->object), text, strlen(text)) == 0;
    }
    FUZZ_EXPECT(right, "contents", "the value of atom %" PRId64 " has changed", node->serial);
}

/* An iteration meets each entry once. */
static void shadow_verify_dict(const struct shadow_node *node, size_t length)
{
    size_t position = 0;
    size_t count = 0;
    struct object *key;
    struct object *value;
    while (dict_next(node->object, &position, &key, &value)) {
        FUZZ_EXPECT(dict_get(node->object, key) == value, "edges",
                    "dict %" PRId64 " is iterated over another value than it gives", node->serial);
        count++;
    }
    FUZZ_EXPECT(dict_length(node->object) == length && count == length, "edges",
                "dict %" PRId64 " has the length %zu and %zu entries, not %zu", node->serial,
                dict_length(node->object), count, length);
}

static void shadow_verify_edges(const struct shadow *shadow, const struct shadow_node *node)
{
    size_t length = 0;
    for (unsigned e = 0; e < (unsigned)shadow_edge_limit(node); e++) {
        bool is_keyed = node->kind == SHADOW_DICT || shadow_is_instance(node->kind);
        if (is_keyed ? e >= SHADOW_NAMES || (e == 0 && node->kind > SHADOW_INSTANCE)
                     : e >= node->edge_count) {
            continue;
        }
        int next = node->edges[e];
        length += next != SHADOW_NONE;
        const struct object *expected = next == SHADOW_NONE ? NULL : shadow->nodes[next].object;
        FUZZ_EXPECT(shadow_real_edge(shadow, node, e) == expected, "edges",
                    "reference %u of object %" PRId64 " leads elsewhere", e, node->serial);
    }
    for (unsigned i = 0; i < node->wide; i++) {
        struct object *key = shadow->wide_keys[i];
        FUZZ_EXPECT(dict_get(node->object, key) == key, "edges",
                    "dict %" PRId64 " has lost its int key %u", node->serial, i);
    }
    length += node->wide;
    if (node->kind == SHADOW_DICT) {
        shadow_verify_dict(node, length);
    }
    FUZZ_EXPECT(!shadow_is_instance(node->kind) || node->kind == SHADOW_LEGACY ||
                    gc_is_finalized(node->object) == (node->finalized > 0),
                "finalizer", "object %" PRId64 " is finalized %u times, and says otherwise",
                node->serial, node->finalized);
    FUZZ_EXPECT(node->kind != SHADOW_LIST || list_length(node->object) == node->edge_count, "edges",
                "list %" PRId64 " has another length than %u", node->serial, node->edge_count);
}

/* Counts the certain references of every node: from the program, and from what it can reach. */
static void shadow_count_least(const struct shadow *shadow, int *least)
{
    for (int i = 0; i < shadow->fresh; i++) {
        least[i] = shadow->nodes[i].held;
    }
    for (int i = 0; i < shadow->fresh; i++) {
        const struct shadow_node *node = &shadow->nodes[i];
        for (int e = 0; node->alive && node->reachable && e < shadow_edge_limit(node); e++) {
            if (node->edges[e] != SHADOW_NONE) {
                least[node->edges[e]]++;
            }
        }
    }
}

static void shadow_verify_weakrefs(struct shadow *shadow)
{
    for (int i = 0; i < SHADOW_WEAKREFS; i++) {
        struct shadow_weakref *weak = &shadow->weakrefs[i];
        if (weak->object == NULL) {
            continue;
        }
        const struct shadow_node *node = &shadow->nodes[weak->node];
        bool alive = node->alive && node->serial == weak->referent;
        bool certain =
            alive ? (node->reachable || shadow->is_exact) && !node->is_weak_unsure : true;
        struct object *referent = weakref_get(shadow->runtime, weak->object);
        FUZZ_EXPECT(!certain || (referent != NULL) == alive, "weakref",
                    "a weak reference says %s of an object that is %s",
                    referent == NULL ? "dead" : "alive", alive ? "alive" : "dead");
        FUZZ_EXPECT(referent == NULL || referent == node->object, "weakref",
                    "a weak reference leads elsewhere");
        FUZZ_EXPECT(!weak->has_callback || weak->called == (referent == NULL), "weakref",
                    "a callback was called %u times", weak->called);
        object_xdecref(shadow->runtime, referent);
    }
}

/* The number of objects. Each node is one; an instance with attributes also has a dict; an instance
 * of a class has an int, its serial. Several slots may share one weak reference. */
uint64_t shadow_objects(const struct shadow *shadow, bool reachable)
{
    uint64_t objects = shadow->objects_base + shadow->wide_key_count;
    objects += shadow->deeds.kept_count + shadow->watch.kept_count;
    objects += shadow->runtime->garbage != NULL;
    for (int i = 0; i < shadow->fresh; i++) {
        const struct shadow_node *node = &shadow->nodes[i];
        if (node->alive && (node->reachable || !reachable)) {
            objects += !shadow_is_shared(node);
            objects += node->has_dict;
            objects += node->kind > SHADOW_INSTANCE && shadow_is_instance(node->kind);
        }
    }
    for (int i = 0; i < SHADOW_WEAKREFS; i++) {
        const struct object *object = shadow->weakrefs[i].object;
        bool is_new = object != NULL && shadow->weakrefs[i].holder == 0;
        for (int j = 0; j < i; j++) {
            is_new &= shadow->weakrefs[j].object != object;
        }
        objects += is_new;
    }
    return objects;
}

/* All that the program can reach, and no more than has not died by its count. What deeds have made
 * is garbage that no node knows of. */
static void shadow_verify_live(const struct shadow *shadow)
{
    uint64_t live = runtime_objects_live(shadow->runtime);
    uint64_t most = shadow_objects(shadow, false);
    uint64_t least = shadow->is_exact ? most : shadow_objects(shadow, true);
    bool is_bounded = shadow->is_exact || !(shadow->watch.has_deeds || shadow->may_have_dicts);
    FUZZ_EXPECT(live >= least && (live <= most || !is_bounded), "objects-live",
                "%" PRIu64 " objects are alive, by the shadow %" PRIu64 " to %" PRIu64, live, least,
                most);
}

FUZZ_ORACLE void shadow_verify(struct shadow *shadow)
{
    static int least[SHADOW_NODES];
    shadow_note_garbage(shadow);
    shadow_mark(shadow);
    shadow_count_least(shadow, least);
    for (int i = 0; i < shadow->fresh; i++) {
        const struct shadow_node *node = &shadow->nodes[i];
        if (!node->alive || !(node->reachable || shadow->is_exact)) {
            continue;
        }
        if (!shadow_is_shared(node)) {
            int64_t count = object_getrefcount(node->object);
            count -= node->is_immortal ? OBJECT_IMMORTAL_COUNT : 0;
            int at_least = shadow->is_exact ? node->count : least[i];
            FUZZ_EXPECT(count >= at_least && count <= node->count, "refcount",
                        "object %" PRId64 " has a count of %" PRId64 ", not %d to %d", node->serial,
                        count, at_least, node->count);
        }
        if (shadow_is_container(node->kind)) {
            shadow_verify_edges(shadow, node);
        } else {
            shadow_verify_atom(node);
        }
    }
    shadow_verify_weakrefs(shadow);
    shadow_verify_live(shadow);
}

/* The checkers map memory of their own. */
void shadow_expect_collector(const struct shadow *shadow)
{
    const struct fuzz_memory_faults faults = fuzz_memory_faults;
    fuzz_memory_faults = (struct fuzz_memory_faults){0};
    FUZZ_EXPECT(gc_check(shadow->runtime) == 0, "gc-check",
                "invariants of the collector are broken");
    fuzz_memory_faults = faults;
}

void shadow_expect_heap(const struct shadow *shadow)
{
    FUZZ_EXPECT(heap_check(&shadow->heap) == 0, "check", "invariants of the heap are broken");
}

void shadow_verify_all(struct shadow *shadow)
{
    shadow_verify(shadow);
    graph_watch_generations(shadow);
    shadow_expect_collector(shadow);
    shadow_expect_heap(shadow);
}
