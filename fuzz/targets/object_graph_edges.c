#include "fuzz/targets/object_graph_edges.h"

#include <inttypes.h>
#include <string.h>

#include "fuzz/landmark.h"
#include "fuzz/targets/object_graph_collector.h"
#include "fuzz/targets/object_graph_steps.h"
#include "gc/frame.h"

FUZZ_LANDMARKS(lengths)
FUZZ_LANDMARKS(counts)
FUZZ_LANDMARKS(widths)

static void graph_replace_edge(struct shadow *shadow, int container, unsigned edge, int value)
{
    struct shadow_node *node = &shadow->nodes[container];
    int old = node->edges[edge];
    node->edges[edge] = (int16_t)value;
    if (value != SHADOW_NONE) {
        shadow->nodes[value].count++;
    }
    if (old != SHADOW_NONE) {
        shadow_release(shadow, old);
    }
}

/* Writes a frame's caller (its first edge) or one of its slots, as an interpreter does; a value of
 * SHADOW_NONE empties it. false: only a frame can be a caller. */
static bool graph_write_frame(struct shadow *shadow, int frame, unsigned key, int value)
{
    struct shadow_node *node = &shadow->nodes[frame];
    struct frame_object *self = (struct frame_object *)node->object;
    if (key == 0 && value != SHADOW_NONE && shadow->nodes[value].kind != SHADOW_FRAME) {
        return false;
    }
    struct object *object =
        value == SHADOW_NONE ? NULL : object_incref(shadow->nodes[value].object);
    struct object *old;
    if (key == 0) {
        old = self->back == NULL ? NULL : &self->back->base;
        self->back = (struct frame_object *)object;
    } else {
        old = self->slots[key - 1];
        self->slots[key - 1] = object;
    }
    object_xdecref(shadow->runtime, old);
    return true;
}

bool graph_put(struct shadow *shadow, int container, int value, unsigned key)
{
    struct shadow_node *node = &shadow->nodes[container];
    struct object *object = shadow->nodes[value].object;
    struct runtime *runtime = shadow->runtime;
    bool done = false;
    graph_before_allocation(shadow);
    if (node->kind == SHADOW_LIST) {
        if (node->edge_count == SHADOW_EDGES || !list_append(runtime, node->object, object)) {
            return false;
        }
        key = node->edge_count++;
        done = true;
    } else if (node->kind == SHADOW_DICT) {
        key %= SHADOW_NAMES;
        done = dict_set(runtime, node->object, shadow->keys[key], object);
    } else if (node->kind == SHADOW_FRAME) {
        key %= node->edge_count;
        done = graph_write_frame(shadow, container, key, value);
    } else if (shadow_is_instance(node->kind)) {
        key = 1 + key % (SHADOW_NAMES - 1);
        done = instance_set_attribute(runtime, node->object, shadow->keys[key], object);
        if (!done && node->kind == SHADOW_INSTANCE && shadow->is_exact && !node->has_dict) {
            shadow->is_exact = false; /* the dict may exist, empty */
            shadow->may_have_dicts = true;
        }
        node->has_dict |= done;
    }
    if (done) {
        graph_replace_edge(shadow, container, key, value);
        landmark_lengths(key); /* of a list; elsewhere which key */
        landmark_counts((unsigned)shadow->nodes[value].count);
    }
    return done;
}

bool graph_insert(struct shadow *shadow, int list, int value, unsigned place)
{
    struct shadow_node *node = &shadow->nodes[list];
    unsigned edge = place % (node->edge_count + 1);
    graph_before_allocation(shadow);
    if (node->edge_count == SHADOW_EDGES ||
        !list_insert(shadow->runtime, node->object, edge, shadow->nodes[value].object)) {
        return false;
    }
    memmove(&node->edges[edge + 1], &node->edges[edge],
            (node->edge_count - edge) * sizeof(node->edges[0]));
    node->edges[edge] = SHADOW_NONE;
    node->edge_count++;
    graph_replace_edge(shadow, list, edge, value);
    return true;
}

void graph_delete_item(struct shadow *shadow, int list, unsigned place)
{
    struct shadow_node *node = &shadow->nodes[list];
    unsigned edge = place % node->edge_count;
    int old = node->edges[edge];
    list_delete(shadow->runtime, node->object, edge);
    node->edge_count--;
    memmove(&node->edges[edge], &node->edges[edge + 1],
            (node->edge_count - edge) * sizeof(node->edges[0]));
    node->edges[node->edge_count] = SHADOW_NONE;
    shadow_release(shadow, old);
}

void graph_set(struct shadow *shadow, int container, int value, unsigned place)
{
    struct shadow_node *node = &shadow->nodes[container];
    if (node->kind != SHADOW_LIST || node->edge_count == 0) {
        (void)graph_put(shadow, container, value, place);
        return;
    }
    unsigned edge = place % node->edge_count;
    /* The old item's finalizers run during this call and see the shadow unchanged. */
    struct object *item = shadow->nodes[value].object;
    if (place & 1) {
        list_give_item(shadow->runtime, node->object, edge, object_incref(item));
    } else {
        list_set_item(shadow->runtime, node->object, edge, item);
    }
    graph_replace_edge(shadow, container, edge, value);
}

void graph_keep(struct shadow *shadow, unsigned name, int index)
{
    shadow->nodes[index].count++;
    shadow->nodes[index].held++;
    graph_bind(shadow, name, index);
}

static void graph_pop(struct shadow *shadow, struct shadow_node *node, int container, int keeper)
{
    struct object *popped = list_pop(shadow->runtime, node->object);
    unsigned key = --node->edge_count;
    int item = node->edges[key];
    FUZZ_EXPECT(popped == shadow->nodes[item].object, "edges",
                "pop of list %" PRId64 " returns another item", node->serial);
    if (keeper == SHADOW_NONE) {
        object_decref(shadow->runtime, popped);
        graph_replace_edge(shadow, container, key, SHADOW_NONE);
        return;
    }
    node->edges[key] = SHADOW_NONE; /* the name takes over the reference: nothing is released */
    shadow->nodes[item].count--;
    graph_keep(shadow, (unsigned)keeper, item);
}

void graph_remove(struct shadow *shadow, int container, unsigned place, int keeper)
{
    struct shadow_node *node = &shadow->nodes[container];
    unsigned key = place % SHADOW_NAMES;
    if (node->kind == SHADOW_LIST && node->edge_count != 0) {
        graph_pop(shadow, node, container, keeper);
        return;
    } else if (node->kind == SHADOW_DICT) {
        bool was = dict_delete(shadow->runtime, node->object, shadow->keys[key]);
        FUZZ_EXPECT(was == (node->edges[key] != SHADOW_NONE), "edges",
                    "dict %" PRId64 " knew its key %u otherwise", node->serial, key);
    } else if (node->kind == SHADOW_FRAME) {
        key %= node->edge_count;
        (void)graph_write_frame(shadow, container, key, SHADOW_NONE);
    } else if (shadow_is_instance(node->kind) && key != 0) {
        bool was = instance_delete_attribute(shadow->runtime, node->object, shadow->keys[key]);
        FUZZ_EXPECT(was == (node->edges[key] != SHADOW_NONE), "edges",
                    "instance %" PRId64 " knew its attribute %u otherwise", node->serial, key);
    } else {
        return;
    }
    graph_replace_edge(shadow, container, key, SHADOW_NONE);
}

/* Makes one more of the int keys that dicts share. false: memory was refused. */
static bool graph_make_wide_key(struct shadow *shadow)
{
    int64_t value =
        1000 +
        7 * (int64_t)shadow->wide_key_count; /* not a cached small int; some of them collide */
    struct object *key = int_new(shadow->runtime, value);
    if (key != NULL) {
        shadow->wide_keys[shadow->wide_key_count++] = key;
    }
    return key != NULL;
}

void graph_widen(struct shadow *shadow, int container, unsigned choice)
{
    struct shadow_node *node = &shadow->nodes[container];
    unsigned wanted = choice * choice * SHADOW_WIDE / (15 * 15);
    unsigned before = node->wide;
    while (node->wide < wanted &&
           (node->wide < shadow->wide_key_count || graph_make_wide_key(shadow))) {
        struct object *key = shadow->wide_keys[node->wide];
        if (!dict_set(shadow->runtime, node->object, key, key)) {
            break;
        }
        node->wide++;
    }
    while (node->wide > wanted) {
        bool was = dict_delete(shadow->runtime, node->object, shadow->wide_keys[--node->wide]);
        FUZZ_EXPECT(was, "edges", "dict %" PRId64 " has lost its int key %u", node->serial,
                    node->wide);
    }
    fuzz_count_more_operations(before < node->wide ? node->wide - before : before - node->wide);
    landmark_widths(node->wide / 8);
}

void graph_clear(struct shadow *shadow, int container)
{
    struct shadow_node *node = &shadow->nodes[container];
    if (node->kind == SHADOW_LIST) {
        list_clear(shadow->runtime, node->object);
        unsigned count = node->edge_count;
        node->edge_count = 0;
        for (unsigned e = 0; e < count; e++) {
            graph_replace_edge(shadow, container, e, SHADOW_NONE);
        }
    }
}

void graph_fill(struct shadow *shadow, int container, int value)
{
    const struct shadow_node *node = &shadow->nodes[container];
    unsigned before = node->edge_count;
    while (graph_put(shadow, container, value, 0)) {
    }
    fuzz_count_more_operations(node->edge_count - before);
}

void graph_load(struct shadow *shadow, int container, unsigned name, unsigned place)
{
    const struct shadow_node *node = &shadow->nodes[container];
    int item = node->edges[place % SHADOW_EDGES];
    for (unsigned e = 0; e < SHADOW_EDGES && item == SHADOW_NONE; e++) {
        item = node->edges[e];
    }
    if (item != SHADOW_NONE) {
        (void)object_incref(shadow->nodes[item].object);
        shadow->nodes[item].count++;
        shadow->nodes[item].held++;
        graph_bind(shadow, name, item);
    }
}
