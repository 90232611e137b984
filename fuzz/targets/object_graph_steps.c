/* The operations of object_graph, first in the runtime, then in the shadow. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/targets/object_graph_collector.h"
#include "fuzz/targets/object_graph_edges.h"
#include "fuzz/targets/object_graph_introspection.h"
#include "fuzz/targets/object_graph_steps.h"
#include "gc/frame.h"
#include "gc/introspect.h"
#include "gc/runtime.h"

/* ---------------------------------------------------------------- names */
void graph_bind(struct shadow *shadow, unsigned name, int index)
{
    int old = shadow->names[name];
    shadow->names[name] = index;
    if (old != SHADOW_NONE) {
        shadow->nodes[old].held--;
        object_decref(shadow->runtime, shadow->nodes[old].object);
        shadow_release(shadow, old);
    }
}

/* Makes a node for the object, whose reference it takes over. SHADOW_NONE: the object is NULL, or
 * there is no room, perhaps because of garbage. */
static int graph_enter(struct shadow *shadow, enum shadow_kind kind, struct object *object)
{
    if (object == NULL) {
        return SHADOW_NONE;
    }
    int index = shadow_add(shadow, kind, object);
    if (index == SHADOW_NONE) {
        object_decref(shadow->runtime, object);
    }
    return index;
}

/* ---------------------------------------------------------------- making */
static void graph_new_frame(struct shadow *shadow, unsigned name, unsigned slots)
{
    graph_before_allocation(shadow);
    struct frame_object *frame = frame_new(shadow->runtime, slots);
    int index = graph_enter(shadow, SHADOW_FRAME, frame == NULL ? NULL : &frame->base);
    if (index != SHADOW_NONE) {
        shadow->nodes[index].edge_count = 1 + slots;
        int caller = shadow->names[name];
        if (caller != SHADOW_NONE) {
            (void)graph_put(shadow, index, caller, 0);
        }
        graph_bind(shadow, name, index);
    }
}

static void graph_new_container(struct shadow *shadow, unsigned name, unsigned choice,
                                const struct palette *palette)
{
    struct object *object;
    enum shadow_kind kind = (enum shadow_kind)(choice & 3);
    unsigned length = palette->entries[choice & 3] % 21;
    if (choice == GRAPH_CHOICE_FRAME) {
        graph_new_frame(shadow, name, length);
        return;
    }
    graph_before_allocation(shadow);
    switch (kind) {
    case SHADOW_LIST:
        object = list_new(shadow->runtime);
        break;
    case SHADOW_TUPLE:
        object = tuple_new(shadow->runtime, length);
        break;
    case SHADOW_DICT:
        object = dict_new(shadow->runtime);
        break;
    default:
        object = instance_new(shadow->runtime, shadow->keys[1]);
    }
    int index = graph_enter(shadow, kind, object);
    if (index == SHADOW_NONE) {
        return;
    }
    struct shadow_node *node = &shadow->nodes[index];
    node->edge_count = kind == SHADOW_TUPLE ? length : 0;
    for (unsigned i = 0; i < node->edge_count; i++) {
        if (i == node->edge_count / 2 && (choice & 12) == 12 && graph_is_special(name)) {
            graph_collect(shadow, (int)(name % GC_GENERATIONS)); /* while a tuple lacks items */
        }
        int item = shadow->names[(name + i * (1 + (choice >> 2))) % SHADOW_NAMES];
        if (item != SHADOW_NONE && (choice & 8) != 0) {
            tuple_give_item(object, i, object_incref(shadow->nodes[item].object));
            shadow->nodes[item].count++;
            node->edges[i] = (int16_t)item;
        }
    }
    graph_bind(shadow, name, index);
}

static void graph_new_instance(struct shadow *shadow, unsigned name, unsigned choice)
{
    graph_before_allocation(shadow);
    bool is_legacy = choice == GRAPH_CHOICE_LEGACY && shadow->classes[3] != NULL;
    unsigned kind = is_legacy ? 3 : choice % 3;
    struct object *class = shadow->classes[kind];
    if (class == NULL) {
        return;
    }
    struct object *object = class_instance_new(shadow->runtime, class);
    const uint32_t now = graph_watch_now(&shadow->watch); /* what follows may collect */
    struct object *serial = int_new(shadow->runtime, shadow->next_serial);
    if (object == NULL || serial == NULL ||
        !instance_set_attribute(shadow->runtime, object, shadow->keys[0], serial)) {
        object_xdecref(shadow->runtime, object);
        object_xdecref(shadow->runtime, serial);
        return;
    }
    object_decref(shadow->runtime, serial);
    int index = shadow_add(shadow, (enum shadow_kind)(SHADOW_OF_CLASS + kind), object);
    if (index == SHADOW_NONE) {
        (void)instance_delete_attribute(shadow->runtime, object, shadow->keys[0]);
        object_decref(shadow->runtime, object);
        return;
    }
    struct shadow_node *node = &shadow->nodes[index];
    node->has_dict = true;
    node->generation = now <= node->seen ? 0 : WATCH_UNKNOWN;
    node->seen = now <= node->seen ? now : node->seen;
    graph_bind(shadow, name, index);
}

/* One of the ints that a runtime has from its beginning. */
static void graph_share_int(struct shadow *shadow, unsigned name, const struct palette *palette)
{
    int64_t value = RUNTIME_SMALL_INT_MIN + palette->entries[1] % RUNTIME_SMALL_INTS;
    int index = graph_enter(shadow, SHADOW_INT, int_new(shadow->runtime, value));
    if (index != SHADOW_NONE) {
        shadow->nodes[index].serial = value;
        shadow->nodes[index].is_shared = true;
        graph_bind(shadow, name, index);
    }
}

static void graph_new_atom(struct shadow *shadow, unsigned name, unsigned choice,
                           const struct palette *palette)
{
    if (choice == GRAPH_CHOICE_SMALL_INT && graph_is_special(name)) {
        graph_share_int(shadow, name, palette);
        return;
    }
    char text[640];
    size_t length = 8 + palette->entries[choice & 3] % 600;
    struct object *object;
    enum shadow_kind kind = (enum shadow_kind)(SHADOW_INT + (choice & 3) % 3);
    if (choice >= 12) {
        kind = SHADOW_STR;
    }
    memset(text, ' ', sizeof(text));
    int digits = snprintf(text, sizeof(text), "%" PRId64, shadow->next_serial);
    text[digits] = ' ';
    length = length < (size_t)digits + 1 ? (size_t)digits + 1 : length;
    switch (kind) {
    case SHADOW_INT:
        object = int_new(shadow->runtime, shadow->next_serial);
        break;
    case SHADOW_FLOAT:
        object = float_new(shadow->runtime, (double)shadow->next_serial);
        break;
    default:
        object = choice >= 8 ? str_intern(shadow->runtime, text, length)
                             : str_new(shadow->runtime, text, length);
    }
    int index = graph_enter(shadow, kind, object);
    if (index != SHADOW_NONE) {
        graph_bind(shadow, name, index);
    }
}

/* ---------------------------------------------------------------- rings and chains */
/* Makes length lists, each the only item of the next. The name gets the last one; in a ring the
 * last one is also the first one's item. In a program with deeds the ring also refers to the name's
 * old object, which dies when the ring is freed. */
static void graph_make_lists(struct shadow *shadow, unsigned name, unsigned length, bool is_ring)
{
    int first = SHADOW_NONE;
    bool holds = is_ring && shadow->deeds.kinds != 0 && shadow->names[name] != SHADOW_NONE;
    for (unsigned i = 0; i < length; i++) {
        graph_before_allocation(shadow);
        int next = graph_enter(shadow, SHADOW_LIST, list_new(shadow->runtime));
        if (next == SHADOW_NONE) {
            return;
        }
        int before = shadow->names[name];
        bool linked = (i == 0 && !holds) || graph_put(shadow, next, before, 0);
        graph_bind(shadow, name, next);
        if (!linked) {
            return; /* the lists made so far have been freed */
        }
        first = first == SHADOW_NONE ? next : first;
        fuzz_count_more_operations(i > 0); /* as in the bursts of block_ops */
    }
    if (is_ring) {
        (void)graph_put(shadow, first, shadow->names[name], 0);
        graph_bind(shadow, name, SHADOW_NONE);
    }
}

/* ---------------------------------------------------------------- weak references */
void graph_drop_weakref(struct shadow *shadow, struct shadow_weakref *weak)
{
    struct object *object = weak->object;
    if (object != NULL) {
        int holder = weak->holder - 1;
        *weak = (struct shadow_weakref){0};
        if (holder >= 0) {
            shadow->nodes[holder].held--;
        }
        object_decref(shadow->runtime, object);
        if (holder >= 0) {
            shadow_release(shadow, holder);
        }
    }
}

/* The name keeps a weak reference with a callback, which so gets into containers and garbage. */
static void graph_keep_weakref(struct shadow *shadow, unsigned name)
{
    struct shadow_weakref *weak = &shadow->weakrefs[name / 2 % SHADOW_WEAKREFS];
    if (weak->object == NULL || !weak->has_callback) {
        return;
    }
    if (weak->holder == 0) {
        weak->holder = 1 + shadow_add(shadow, SHADOW_WEAK, weak->object);
    }
    if (weak->holder != 0) {
        shadow->nodes[weak->holder - 1].generation = WATCH_UNKNOWN; /* it is not new */
        (void)object_incref(weak->object);
        graph_keep(shadow, name, weak->holder - 1);
    }
}

void graph_drop_rescued(struct shadow *shadow)
{
    while (shadow->rescued_count > 0) {
        int index = shadow->rescued[--shadow->rescued_count];
        shadow->nodes[index].held--;
        object_decref(shadow->runtime, shadow->nodes[index].object);
        shadow_release(shadow, index);
    }
}

/* Makes young garbage refer to an old instance with a finalizer. The instance is not in the trash,
 * and dies when the garbage is freed. */
static void graph_hang(struct shadow *shadow, unsigned name)
{
    graph_new_instance(shadow, name, SHADOW_FINALIZED - SHADOW_OF_CLASS);
    graph_collect(shadow, 1);
    graph_make_lists(shadow, name, 1, true);
    graph_collect(shadow, 0);
}

static void graph_weak(struct shadow *shadow, unsigned name, unsigned choice)
{
    struct shadow_weakref *weak = &shadow->weakrefs[choice % SHADOW_WEAKREFS];
    int index = shadow->names[name];
    if (choice == 15) {
        graph_drop_rescued(shadow);
        return;
    }
    if (choice >= GRAPH_CHOICE_HANG && shadow->deeds.kinds != 0) {
        if (choice == GRAPH_CHOICE_HANG) {
            graph_hang(shadow, name);
        } else {
            graph_deed(shadow);
        }
        return;
    }
    if (choice == GRAPH_CHOICE_KEEP_WEAKREF && graph_is_special(name)) {
        graph_keep_weakref(shadow, name);
        return;
    }
    graph_drop_weakref(shadow, weak);
    if (index == SHADOW_NONE || !weakref_is_allowed(shadow->nodes[index].object)) {
        return;
    }
    graph_before_allocation(shadow);
    bool has_callback = (choice & 1) != 0;
    const struct weakref_hooks hooks = {.callback = shadow_weakref_callback,
                                        .owned = shadow->keys[choice % SHADOW_WEAKREFS],
                                        .context = weak};
    struct object *object =
        weakref_new(shadow->runtime, shadow->nodes[index].object, has_callback ? &hooks : NULL);
    if (object != NULL) {
        *weak = (struct shadow_weakref){.object = object,
                                        .referent = shadow->nodes[index].serial,
                                        .node = index,
                                        .has_callback = has_callback};
    }
}

/* ---------------------------------------------------------------- the program */
static void graph_refuse(unsigned argument)
{
    heap_faults.first = heap_faults.calls + 1 + (argument & 31);
    heap_faults.last = heap_faults.first + (argument >> 6);
    if (argument & 32) {
        fuzz_memory_faults.first = fuzz_memory_faults.calls + 1;
        fuzz_memory_faults.last = fuzz_memory_faults.first + (argument >> 6);
    }
}

static void graph_clear_or_fill(struct shadow *shadow, int container, int value, unsigned choice)
{
    const struct shadow_node *node = &shadow->nodes[container];
    if (node->kind == SHADOW_DICT) {
        graph_widen(shadow, container, choice);
    } else if (node->kind == SHADOW_LIST && node->edge_count == 0 && value != SHADOW_NONE) {
        graph_fill(shadow, container, value);
    } else {
        graph_clear(shadow, container);
    }
}

static void graph_step_containers(struct shadow *shadow, unsigned kind, unsigned low, unsigned high,
                                  unsigned place)
{
    int container = shadow->names[low];
    int value = shadow->names[high];
    if (container == SHADOW_NONE) {
        return;
    }
    /* In the middle of a list: of one name's, and of one that a slice was interrupted in. */
    const bool is_inner =
        shadow->nodes[container].kind == SHADOW_LIST &&
        (graph_is_rare(low) || shadow->nodes[container].object == graph_suspended(shadow));
    graph_pass_write(shadow, container, kind - GRAPH_PUT);
    switch (kind) {
    case GRAPH_PUT:
        if (value != SHADOW_NONE && is_inner) {
            (void)graph_insert(shadow, container, value, place);
        } else if (value != SHADOW_NONE) {
            (void)graph_put(shadow, container, value, place);
        }
        break;
    case GRAPH_SET:
        if (value != SHADOW_NONE) {
            graph_set(shadow, container, value, place);
        }
        break;
    case GRAPH_REMOVE:
        if (is_inner && shadow->nodes[container].edge_count > 0) {
            graph_delete_item(shadow, container, high);
            break;
        }
        graph_remove(shadow, container, high, place & 1 ? (int)high : SHADOW_NONE);
        break;
    case GRAPH_CLEAR:
        graph_clear_or_fill(shadow, container, value, high);
        break;
    default:
        graph_load(shadow, container, high, place);
    }
}

static void graph_assign(struct shadow *shadow, unsigned name, unsigned from)
{
    int index = shadow->names[from];
    if (index != SHADOW_NONE) {
        (void)object_incref(shadow->nodes[index].object);
        shadow->nodes[index].count++;
        shadow->nodes[index].held++;
    }
    graph_bind(shadow, name, index);
}

static void graph_cycle(struct shadow *shadow, unsigned name, unsigned choice)
{
    int index = shadow->names[name];
    if (choice < 8 && index != SHADOW_NONE) {
        (void)graph_put(shadow, index, index, choice);
    } else {
        graph_make_lists(shadow, name, 1u << (choice & 3), true);
    }
}

/* ---------------------------------------------------------------- references that were not loaded
 */
/* Keeps a weak reference's referent, to which nothing else may refer any more. */
static void graph_keep_referent(struct shadow *shadow, unsigned name)
{
    const struct shadow_weakref *weak = &shadow->weakrefs[name % SHADOW_WEAKREFS];
    struct object *referent =
        weak->object == NULL ? NULL : weakref_get(shadow->runtime, weak->object);
    if (referent == NULL) {
        return;
    }
    const struct shadow_node *node = &shadow->nodes[weak->node];
    FUZZ_EXPECT(node->alive && node->object == referent && node->serial == weak->referent,
                "weakref", "a weak reference to %" PRId64 " leads to another object",
                weak->referent);
    graph_keep(shadow, name, weak->node);
}

struct graph_visit {
    unsigned left; /* to be skipped */
    struct object *kept;
};

static int graph_visit_keep(struct object *object, void *context)
{
    struct graph_visit *visit = context;
    if (visit->left-- > 0) {
        return 0;
    }
    visit->kept = object_incref(object);
    return 1;
}

/* Keeps a container that a visit has shown. A reachable one is found by its address; the address of
 * another node may belong to somebody else now. */
static void graph_keep_visited(struct shadow *shadow, unsigned name)
{
    struct graph_visit visit = {.left = 3 * name};
    (void)gc_visit_objects(shadow->runtime, -1, graph_visit_keep, &visit);
    if (visit.kept == NULL) {
        return;
    }
    int index = SHADOW_NONE;
    shadow_mark(shadow);
    for (int i = 0; i < shadow->fresh && index == SHADOW_NONE; i++) {
        const struct shadow_node *node = &shadow->nodes[i];
        index = node->reachable && node->object == visit.kept ? i : SHADOW_NONE;
    }
    if (index == SHADOW_NONE) {
        shadow->is_exact = false; /* the reference may have kept garbage alive */
        object_decref(shadow->runtime, visit.kept);
    } else {
        graph_keep(shadow, name, index);
    }
}

/* Writes to what a slice of the collector was interrupted in come at the worst moment. */
static void graph_keep_suspended(struct shadow *shadow, unsigned name)
{
    const struct object *suspended = graph_suspended(shadow);
    shadow_mark(shadow);
    for (int i = 0; i < shadow->fresh && suspended != NULL; i++) {
        const struct shadow_node *node = &shadow->nodes[i];
        if (node->reachable && node->object == suspended) {
            (void)object_incref(node->object);
            graph_keep(shadow, name, i);
            return;
        }
    }
}

/* Each check costs as much as a hundred other operations; one time in four it does all of them. */
static void graph_check(struct shadow *shadow, unsigned name, unsigned choice)
{
    int index = shadow->names[name];
    switch (choice) {
    case GRAPH_CHOICE_VISIT_ALL:
        graph_visit_all(shadow);
        return;
    case GRAPH_CHOICE_REFERENTS:
        if (index != SHADOW_NONE) {
            graph_visit_referents(shadow, index);
        }
        return;
    case GRAPH_CHOICE_KEEP_VISITED:
        graph_keep_visited(shadow, name);
        return;
    case GRAPH_CHOICE_KEEP_REFERENT:
        graph_keep_referent(shadow, name);
        return;
    case GRAPH_CHOICE_REFERRERS:
        if (index != SHADOW_NONE) {
            graph_visit_referrers(shadow, index);
        }
        return;
    case GRAPH_CHOICE_KEEP_SUSPENDED:
        if (graph_is_special(name)) {
            graph_keep_suspended(shadow, name);
        }
        break;
    default:
        break;
    }
    switch (choice & 3) {
    case 0:
        shadow_verify_all(shadow);
        break;
    case 1:
        shadow_expect_collector(shadow);
        break;
    case 2:
        shadow_expect_heap(shadow);
        break;
    default:
        shadow_verify(shadow);
    }
}

static void graph_delete_name(struct shadow *shadow, unsigned name, unsigned choice)
{
    switch (choice) {
    case GRAPH_CHOICE_SAVE_ALL:
        graph_save_all(shadow, (name & 1) != 0);
        break;
    case GRAPH_CHOICE_CLEAR_GARBAGE:
        if (name & 1) {
            graph_break_legacy(shadow);
        }
        graph_clear_garbage(shadow);
        break;
    case GRAPH_CHOICE_IMMORTAL:
        if (shadow->names[name] != SHADOW_NONE) {
            graph_immortalize(shadow, shadow->names[name]);
        }
        break;
    default:
        graph_bind(shadow, name, SHADOW_NONE);
    }
}

static void graph_operate(struct shadow *shadow, const struct palette *palette, size_t at)
{
    uint8_t argument = palette_argument(palette, at);
    unsigned low = argument & 15;
    unsigned high = argument >> 4;
    unsigned kind = palette_kind(palette, at);
    switch (kind) {
    case GRAPH_NEW_CONTAINER:
        graph_new_container(shadow, low, high, palette);
        break;
    case GRAPH_NEW_INSTANCE:
        graph_new_instance(shadow, low, high);
        break;
    case GRAPH_NEW_ATOM:
        graph_new_atom(shadow, low, high, palette);
        break;
    case GRAPH_ASSIGN:
        graph_assign(shadow, low, high);
        break;
    case GRAPH_DELETE_NAME:
        graph_delete_name(shadow, low, high);
        break;
    case GRAPH_CYCLE:
        graph_cycle(shadow, low, high);
        break;
    case GRAPH_CHAIN:
        graph_make_lists(shadow, low, 2u << (high & 7), false);
        break;
    case GRAPH_COLLECT:
        graph_step_collector(shadow, low, high);
        break;
    case GRAPH_CHECK:
        graph_check(shadow, low, high);
        break;
    case GRAPH_REFUSE:
        if (!shadow->runtime->save_all) {
            graph_refuse(argument);
        }
        break;
    case GRAPH_WEAK:
        graph_weak(shadow, low, high);
        break;
    default:
        graph_step_containers(shadow, kind, low, high, (unsigned)at);
    }
}

void graph_step(struct shadow *shadow, const struct palette *palette, size_t at)
{
    graph_operate(shadow, palette, at);
    graph_pass_phase(shadow);
}
