/* Random graphs of containers beside a shadow of them: exact counts, exact reachability.
 *
 * The shadow knows each node's edges and names. With automatic collection off it predicts every
 * count at any time, cyclic garbage included. With it on, garbage goes at times of the collector's
 * choosing: a count is then between what the reachable nodes explain and what the shadow says, and
 * exact again after a full collection. */
#include <string.h>

#include "common/rng.h"
#include "gc/tests/gc_test.h"

enum {
    GRAPH_NODES = 300,
    GRAPH_EDGES = 4,
    GRAPH_NONE = -1,
    GRAPH_ID_BASE = 1000, /* ids are ints of their own, not small ones */
};

enum graph_kind { GRAPH_LIST, GRAPH_TUPLE, GRAPH_DICT, GRAPH_INSTANCE, GRAPH_KINDS };

struct graph_node {
    struct object *object;
    enum graph_kind kind;
    bool alive; /* not freed as far as the shadow knows */
    bool reachable;
    int64_t id;
    int64_t names;
    int edges[GRAPH_EDGES];
};

struct graph {
    struct gc_fixture *fixture;
    struct runtime *runtime;
    struct rng rng;
    struct graph_node nodes[GRAPH_NODES];
    int64_t next_id;
    bool exact;                            /* automatic collection is off */
    struct object *names[GRAPH_EDGES + 1]; /* of attributes: the edges, and the id */
};

/* ---------------------------------------------------------------- the real graph's edges */
static struct object *graph_slot(const struct graph *graph, const struct graph_node *node, int slot)
{
    switch (node->kind) {
    case GRAPH_LIST:
        return list_item(node->object, (size_t)slot);
    case GRAPH_TUPLE:
        return tuple_item(node->object, (size_t)slot);
    case GRAPH_DICT:
        return dict_get(node->object, graph->names[slot]);
    default:
        return instance_attribute(node->object, graph->names[slot]);
    }
}

/* Sets the slot; takes a reference of its own. Tuples only when new. */
static void graph_set_slot(struct graph *graph, struct graph_node *node, int slot,
                           struct object *value)
{
    struct runtime *runtime = graph->runtime;
    switch (node->kind) {
    case GRAPH_LIST:
        list_give_item(runtime, node->object, (size_t)slot, object_incref(value));
        break;
    case GRAPH_TUPLE:
        tuple_give_item(node->object, (size_t)slot, object_incref(value));
        break;
    case GRAPH_DICT:
        assert_true(dict_set(runtime, node->object, graph->names[slot], value));
        break;
    default:
        assert_true(instance_set_attribute(runtime, node->object, graph->names[slot], value));
        break;
    }
}

/* No edge: the slot holds the int 0, or is not there. */
static void graph_clear_slot(struct graph *graph, struct graph_node *node, int slot)
{
    if (node->kind == GRAPH_DICT) {
        dict_delete(graph->runtime, node->object, graph->names[slot]);
    } else {
        struct object *zero = int_new(graph->runtime, 0);
        graph_set_slot(graph, node, slot, zero);
        object_decref(graph->runtime, zero);
    }
}

static struct object *graph_make_object(struct graph *graph, enum graph_kind kind)
{
    struct runtime *runtime = graph->runtime;
    switch (kind) {
    case GRAPH_LIST: {
        struct object *list = list_new(runtime);
        struct object *zero = int_new(runtime, 0);
        for (int i = 0; i <= GRAPH_EDGES; i++) {
            assert_true(list_append(runtime, list, zero));
        }
        object_decref(runtime, zero);
        return list;
    }
    case GRAPH_TUPLE:
        return tuple_new(runtime, GRAPH_EDGES + 1);
    case GRAPH_DICT:
        return dict_new(runtime);
    default:
        return instance_new(runtime, graph->names[0]);
    }
}

/* ---------------------------------------------------------------- the shadow */
/* What the real count must be while nothing has been collected early. */
static int64_t graph_expected_count(const struct graph *graph, int index, bool from_reachable)
{
    int64_t count = graph->nodes[index].names;
    for (int i = 0; i < GRAPH_NODES; i++) {
        const struct graph_node *node = &graph->nodes[i];
        for (int e = 0; node->alive && e < GRAPH_EDGES; e++) {
            count += node->edges[e] == index && (node->reachable || !from_reachable);
        }
    }
    return count;
}

/* The node is freed when its count is zero, and so on through its edges. */
static void graph_shadow_release(struct graph *graph, int index)
{
    struct graph_node *node = &graph->nodes[index];
    if (!node->alive || graph_expected_count(graph, index, false) > 0) {
        return;
    }
    node->alive = false;
    for (int e = 0; e < GRAPH_EDGES; e++) {
        if (node->edges[e] != GRAPH_NONE) {
            graph_shadow_release(graph, node->edges[e]);
        }
    }
}

static void graph_shadow_reach(struct graph *graph, int index)
{
    struct graph_node *node = &graph->nodes[index];
    if (!node->reachable) {
        node->reachable = true;
        for (int e = 0; e < GRAPH_EDGES; e++) {
            if (node->edges[e] != GRAPH_NONE) {
                graph_shadow_reach(graph, node->edges[e]);
            }
        }
    }
}

static void graph_shadow_mark(struct graph *graph)
{
    for (int i = 0; i < GRAPH_NODES; i++) {
        graph->nodes[i].reachable = false;
    }
    for (int i = 0; i < GRAPH_NODES; i++) {
        if (graph->nodes[i].names > 0) {
            graph_shadow_reach(graph, i);
        }
    }
}

/* ---------------------------------------------------------------- random operations */
static int graph_pick_free(const struct graph *graph)
{
    for (int i = 0; i < GRAPH_NODES; i++) {
        if (!graph->nodes[i].alive) {
            return i;
        }
    }
    return GRAPH_NONE;
}

/* A node that the program can get at: from a name along a few edges. */
static int graph_pick_reachable(struct graph *graph)
{
    int start = (int)rng_below(&graph->rng, GRAPH_NODES);
    for (int i = 0; i < GRAPH_NODES; i++) {
        int index = (start + i) % GRAPH_NODES;
        if (graph->nodes[index].names > 0) {
            for (uint64_t steps = rng_below(&graph->rng, 4); steps > 0; steps--) {
                int next = graph->nodes[index].edges[rng_below(&graph->rng, GRAPH_EDGES)];
                index = next == GRAPH_NONE ? index : next;
            }
            return index;
        }
    }
    return GRAPH_NONE;
}

static void graph_do_new(struct graph *graph)
{
    int index = graph_pick_free(graph);
    if (index == GRAPH_NONE) {
        return;
    }
    struct graph_node *node = &graph->nodes[index];
    enum graph_kind kind = (enum graph_kind)rng_below(&graph->rng, GRAPH_KINDS);
    int edges[GRAPH_EDGES];
    for (int e = 0; e < GRAPH_EDGES; e++) {
        edges[e] = rng_below(&graph->rng, 2) ? graph_pick_reachable(graph) : GRAPH_NONE;
    }
    *node = (struct graph_node){.kind = kind, .alive = true, .id = graph->next_id++, .names = 1};
    memcpy(node->edges, edges, sizeof(edges));
    node->object = graph_make_object(graph, kind);
    struct object *id = int_new(graph->runtime, node->id);
    graph_set_slot(graph, node, GRAPH_EDGES, id);
    object_decref(graph->runtime, id);
    for (int e = 0; e < GRAPH_EDGES; e++) {
        if (node->edges[e] != GRAPH_NONE) {
            graph_set_slot(graph, node, e, graph->nodes[node->edges[e]].object);
        } else {
            graph_clear_slot(graph, node, e);
        }
    }
}

/* Sets or removes one edge of a node that is not a tuple. */
static void graph_do_edge(struct graph *graph, bool set)
{
    int from = graph_pick_reachable(graph);
    int to = set ? graph_pick_reachable(graph) : GRAPH_NONE;
    if (from == GRAPH_NONE || graph->nodes[from].kind == GRAPH_TUPLE) {
        return;
    }
    int slot = (int)rng_below(&graph->rng, GRAPH_EDGES);
    int old = graph->nodes[from].edges[slot];
    graph->nodes[from].edges[slot] = to;
    if (to == GRAPH_NONE) {
        graph_clear_slot(graph, &graph->nodes[from], slot);
    } else {
        graph_set_slot(graph, &graph->nodes[from], slot, graph->nodes[to].object);
    }
    if (old != GRAPH_NONE) {
        graph_shadow_release(graph, old);
    }
}

static void graph_do_add_name(struct graph *graph)
{
    int index = graph_pick_reachable(graph);
    if (index != GRAPH_NONE) {
        graph->nodes[index].names++;
        object_incref(graph->nodes[index].object);
    }
}

static void graph_do_drop_name(struct graph *graph)
{
    int index = (int)rng_below(&graph->rng, GRAPH_NODES);
    if (graph->nodes[index].names > 0) {
        graph->nodes[index].names--;
        object_decref(graph->runtime, graph->nodes[index].object);
        graph_shadow_release(graph, index);
    }
}

/* ---------------------------------------------------------------- verification */
static void graph_verify_node(const struct graph *graph, int index)
{
    const struct graph_node *node = &graph->nodes[index];
    int64_t count = object_getrefcount(node->object);
    int64_t most = graph_expected_count(graph, index, false);
    int64_t least = graph->exact ? most : graph_expected_count(graph, index, true);
    assert_in_range(count, least, most);
    assert_int_equal(int_value(graph_slot(graph, node, GRAPH_EDGES)), node->id);
    for (int e = 0; e < GRAPH_EDGES; e++) {
        const struct object *value = graph_slot(graph, node, e);
        if (node->edges[e] != GRAPH_NONE) {
            assert_ptr_equal(value, graph->nodes[node->edges[e]].object);
        } else {
            assert_true(value == NULL || int_value(value) == 0);
        }
    }
}

static void graph_verify(struct graph *graph)
{
    graph_shadow_mark(graph);
    for (int i = 0; i < GRAPH_NODES; i++) {
        const struct graph_node *node = &graph->nodes[i];
        if (node->alive && (graph->exact || node->reachable)) {
            graph_verify_node(graph, i);
        }
    }
    assert_int_equal(gc_check(graph->runtime), 0);
}

/* After a full collection the heap holds the reachable nodes and nothing else: each with its id,
 * instances with a dict, and the attribute names. */
static void graph_collect_all(struct graph *graph)
{
    uint64_t objects = GRAPH_EDGES + 1;
    uint64_t garbage = 0;
    graph_shadow_mark(graph);
    for (int i = 0; i < GRAPH_NODES; i++) {
        struct graph_node *node = &graph->nodes[i];
        uint64_t containers = node->kind == GRAPH_INSTANCE ? 2 : 1;
        if (node->alive && node->reachable) {
            objects += containers + 1;
        } else if (node->alive) {
            /* A tuple of atoms that a collection has untracked dies with what refers to it. */
            bool untracked = graph->exact && !gc_is_tracked(node->object);
            garbage += untracked ? 0 : containers;
            node->alive = false;
        }
    }
    uint64_t freed = gc_collect(graph->runtime, 2);
    if (graph->exact) {
        assert_int_equal(freed, garbage);
    } else {
        assert_true(freed <= garbage);
    }
    assert_int_equal(gc_test_live(graph->fixture), objects);
    bool exact = graph->exact;
    graph->exact = true;
    graph_verify(graph);
    graph->exact = exact;
}

static void graph_step(struct graph *graph)
{
    uint64_t choice = rng_below(&graph->rng, 1000);
    if (choice < 300) {
        graph_do_new(graph);
    } else if (choice < 500) {
        graph_do_edge(graph, true);
    } else if (choice < 580) {
        graph_do_edge(graph, false);
    } else if (choice < 660) {
        graph_do_add_name(graph);
    } else if (choice < 990) {
        graph_do_drop_name(graph);
    } else if (choice < 995 && !graph->exact) {
        gc_collect(graph->runtime, (int)rng_below(&graph->rng, 2));
    } else if (choice >= 995) {
        graph_collect_all(graph);
    }
}

static void graph_run(struct gc_fixture *fixture, uint64_t seed, bool exact)
{
    static const int thresholds[GC_GENERATIONS] = {15, 3, 2};
    static const char *const names[GRAPH_EDGES + 1] = {"edge0", "edge1", "edge2", "edge3", "id"};
    static struct graph graph;
    memset(&graph, 0, sizeof(graph));
    graph.fixture = fixture;
    graph.runtime = fixture->runtime;
    graph.exact = exact;
    graph.next_id = GRAPH_ID_BASE;
    rng_seed(&graph.rng, seed);
    gc_enable(graph.runtime, !exact);
    gc_set_threshold(graph.runtime, thresholds);
    for (int i = 0; i <= GRAPH_EDGES; i++) {
        graph.names[i] = str_intern(graph.runtime, names[i], strlen(names[i]));
    }
    int steps = gc_test_long ? 400000 : 12000;
    for (int i = 0; i < steps; i++) {
        graph_step(&graph);
        if (i % 64 == 0) {
            graph_verify(&graph);
        }
    }
    for (int i = 0; i < GRAPH_NODES; i++) {
        for (; graph.nodes[i].names > 0; graph.nodes[i].names--) {
            object_decref(graph.runtime, graph.nodes[i].object);
        }
        graph_shadow_release(&graph, i);
    }
    graph_collect_all(&graph);
    for (int i = 0; i <= GRAPH_EDGES; i++) {
        object_decref(graph.runtime, graph.names[i]);
    }
    assert_int_equal(gc_test_live(fixture), 0);
}

static void test_random_graph_collected_by_hand(void **state)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        graph_run(*state, seed, true);
    }
}

static void test_random_graph_collected_automatically(void **state)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        graph_run(*state, seed, false);
    }
}

int graph_test(void)
{
    const struct CMUnitTest graph_tests[] = {
        GC_TEST(test_random_graph_collected_by_hand),
        GC_TEST(test_random_graph_collected_automatically),
    };
    return cmocka_run_group_tests(graph_tests, NULL, NULL);
}
