/* Every interleaving of small programs with the steps of an incremental collector: two or three
 * lists, all graphs of one item each, all pairs of mutations, and the collector one unit of work at
 * a time before, between and after them.
 *
 * What the program can reach must be as the shadow says at every moment; when the collector has
 * been given time, the heap must hold what is reachable and nothing else. */
#include <stdio.h>
#include <string.h>

#include "gc/policies/snapshot.h"
#include "gc/tests/gc_test.h"

enum {
    INTERLEAVE_NODES = 2,
    INTERLEAVE_ITEMS = 6, /* of one list, at most */
    INTERLEAVE_NONE = -1,
    INTERLEAVE_STEPS = 20, /* single steps before the first mutation, and before the second */
    /* Larger steps in which everything must be found, from any state. */
    INTERLEAVE_LAST_STEPS = 32,
    INTERLEAVE_LAST_UNITS = 256,
    INTERLEAVE_CHECK_EVERY = 16,
    INTERLEAVE_FILL_STEPS = 5, /* fewer than so many while a tuple is not full */
};

extern const struct gc_policy gc_policy_snapshot;

enum interleave_verb {
    INTERLEAVE_APPEND,  /* node, item */
    INTERLEAVE_SET,     /* node, item: its first, with a reference of its own */
    INTERLEAVE_MOVE_IN, /* node, item: its first, with the name's reference */
    INTERLEAVE_POP,     /* node: the item gets a name */
    INTERLEAVE_CLEAR,   /* node */
    INTERLEAVE_NAME,    /* node: another name */
    INTERLEAVE_DROP,    /* node: a name less */
    INTERLEAVE_REPLACE, /* node: its last item by a new list that holds it */
    INTERLEAVE_FILL, /* node: its last item by a tuple that comes to hold it, and then the node */
    INTERLEAVE_VERBS,
};

struct interleave_op {
    enum interleave_verb verb;
    int node;
    int item;
};

struct interleave_node {
    struct object *object;
    bool is_tuple;
    int64_t names;
    int length;
    int items[INTERLEAVE_ITEMS];
};

struct interleave {
    struct runtime *runtime;
    struct snapshot_parameters parameters;
    uint64_t objects_at_start;
    struct interleave_node nodes[INTERLEAVE_NODES + 2]; /* and those that mutations make */
    int count;
    uint64_t runs;
};

/* ---------------------------------------------------------------- the shadow */
static void interleave_reach(const struct interleave *world, int index, bool *reached)
{
    if (!reached[index]) {
        reached[index] = true;
        for (int i = 0; i < world->nodes[index].length; i++) {
            interleave_reach(world, world->nodes[index].items[i], reached);
        }
    }
}

/* The number of nodes that the program can get at. */
static int interleave_mark(const struct interleave *world, bool *reached)
{
    int count = 0;
    memset(reached, 0, sizeof(world->nodes) / sizeof(world->nodes[0]) * sizeof(*reached));
    for (int i = 0; i < world->count; i++) {
        if (world->nodes[i].names > 0) {
            interleave_reach(world, i, reached);
        }
    }
    for (int i = 0; i < world->count; i++) {
        count += reached[i];
    }
    return count;
}

static void interleave_verify(const struct interleave *world)
{
    bool reached[INTERLEAVE_NODES + 2];
    interleave_mark(world, reached);
    for (int i = 0; i < world->count; i++) {
        const struct interleave_node *node = &world->nodes[i];
        if (!reached[i]) {
            continue;
        }
        const struct object *object = node->object;
        assert_int_equal(node->is_tuple ? tuple_length(object) : list_length(object), node->length);
        for (size_t k = 0; k < (size_t)node->length; k++) {
            assert_ptr_equal(node->is_tuple ? tuple_item(object, k) : list_item(object, k),
                             world->nodes[node->items[k]].object);
        }
    }
}

/* ---------------------------------------------------------------- mutations */
static bool interleave_is_possible(const struct interleave *world, struct interleave_op op)
{
    bool reached[INTERLEAVE_NODES + 2];
    interleave_mark(world, reached);
    const struct interleave_node *node = &world->nodes[op.node];
    if (!reached[op.node]) {
        return false;
    }
    switch (op.verb) {
    case INTERLEAVE_APPEND:
        return reached[op.item] && node->length < INTERLEAVE_ITEMS;
    case INTERLEAVE_SET:
        return reached[op.item] && node->length > 0;
    case INTERLEAVE_MOVE_IN:
        return world->nodes[op.item].names > 0 && node->length > 0;
    case INTERLEAVE_POP:
    case INTERLEAVE_REPLACE:
    case INTERLEAVE_FILL:
        return node->length > 0;
    case INTERLEAVE_DROP:
        return node->names > 0;
    default:
        return true;
    }
}

static void interleave_replace(struct interleave *world, struct interleave_node *node)
{
    struct interleave_node *fresh = &world->nodes[world->count];
    *fresh = (struct interleave_node){.object = list_new(world->runtime), .length = 1};
    fresh->items[0] = node->items[node->length - 1];
    assert_true(list_append(world->runtime, fresh->object, world->nodes[fresh->items[0]].object));
    list_give_item(world->runtime, node->object, (size_t)node->length - 1, fresh->object);
    node->items[node->length - 1] = world->count++;
}

static void interleave_step(struct interleave *world, int steps)
{
    for (int i = 0; i < steps; i++) {
        runtime_policy(world->runtime)->allocated(world->runtime);
    }
}

/* The collector takes steps while the tuple lacks an item. */
static void interleave_fill(struct interleave *world, struct interleave_node *node)
{
    struct object *tuple = tuple_new(world->runtime, 2);
    struct interleave_node *fresh = &world->nodes[world->count];
    *fresh = (struct interleave_node){.object = tuple, .is_tuple = true, .length = 2};
    fresh->items[0] = node->items[node->length - 1];
    fresh->items[1] = (int)(node - world->nodes);
    tuple_give_item(tuple, 0, object_incref(world->nodes[fresh->items[0]].object));
    list_give_item(world->runtime, node->object, (size_t)node->length - 1, tuple);
    interleave_step(world, (int)(world->runs % INTERLEAVE_FILL_STEPS));
    tuple_give_item(tuple, 1, object_incref(node->object));
    node->items[node->length - 1] = world->count++;
}

static void interleave_do(struct interleave *world, struct interleave_op op)
{
    struct runtime *runtime = world->runtime;
    struct interleave_node *node = &world->nodes[op.node];
    struct interleave_node *item = &world->nodes[op.item];
    switch (op.verb) {
    case INTERLEAVE_APPEND:
        node->items[node->length++] = op.item;
        assert_true(list_append(runtime, node->object, item->object));
        break;
    case INTERLEAVE_SET:
        node->items[0] = op.item;
        list_give_item(runtime, node->object, 0, object_incref(item->object));
        break;
    case INTERLEAVE_MOVE_IN:
        node->items[0] = op.item;
        item->names--;
        list_give_item(runtime, node->object, 0, item->object);
        break;
    case INTERLEAVE_POP:
        world->nodes[node->items[--node->length]].names++;
        (void)list_pop(runtime, node->object);
        break;
    case INTERLEAVE_CLEAR:
        node->length = 0;
        list_clear(runtime, node->object);
        break;
    case INTERLEAVE_NAME:
        node->names++;
        object_incref(node->object);
        break;
    case INTERLEAVE_DROP:
        node->names--;
        object_decref(runtime, node->object);
        break;
    case INTERLEAVE_REPLACE:
        interleave_replace(world, node);
        break;
    default:
        interleave_fill(world, node);
        break;
    }
}

/* ---------------------------------------------------------------- one run */
/* Each node has a name, and one item or none. */
static void interleave_begin(struct interleave *world, int graph)
{
    world->parameters.slice_units = 1;
    world->count = INTERLEAVE_NODES;
    for (int i = 0; i < INTERLEAVE_NODES; i++) {
        world->nodes[i] = (struct interleave_node){.object = list_new(world->runtime), .names = 1};
    }
    for (int i = 0; i < INTERLEAVE_NODES; i++) {
        int item = graph % (INTERLEAVE_NODES + 1) - 1;
        graph /= INTERLEAVE_NODES + 1;
        if (item != INTERLEAVE_NONE) {
            interleave_do(world, (struct interleave_op){INTERLEAVE_APPEND, i, item});
        }
    }
}

/* After some time, and after a whole collection, what is alive is what is reachable. */
static void interleave_end(struct interleave *world)
{
    bool reached[INTERLEAVE_NODES + 2];
    world->parameters.slice_units = INTERLEAVE_LAST_UNITS;
    interleave_step(world, INTERLEAVE_LAST_STEPS);
    interleave_verify(world);
    if (world->runs++ % INTERLEAVE_CHECK_EVERY == 0) { /* it maps a table of its own */
        assert_int_equal(gc_check(world->runtime), 0);
    }
    uint64_t live = runtime_objects_live(world->runtime) - world->objects_at_start;
    assert_int_equal(live, interleave_mark(world, reached));
    for (int i = 0; i < world->count; i++) {
        for (; world->nodes[i].names > 0; world->nodes[i].names--) {
            object_decref(world->runtime, world->nodes[i].object);
        }
    }
    gc_collect(world->runtime, GC_GENERATIONS - 1);
    assert_int_equal(runtime_objects_live(world->runtime), world->objects_at_start);
}

static void interleave_run(struct interleave *world, int graph, const struct interleave_op ops[2],
                           const int steps[3])
{
    interleave_begin(world, graph);
    interleave_step(world, steps[0]);
    for (int i = 0; i < 2; i++) {
        if (interleave_is_possible(world, ops[i])) {
            interleave_do(world, ops[i]);
        }
        interleave_verify(world);
        interleave_step(world, steps[i + 1]);
        interleave_verify(world);
    }
    interleave_end(world);
}

/* ---------------------------------------------------------------- all runs */
static int interleave_list_ops(struct interleave_op *ops)
{
    int count = 0;
    for (int verb = 0; verb < INTERLEAVE_VERBS; verb++) {
        int items = verb <= INTERLEAVE_MOVE_IN ? INTERLEAVE_NODES : 1;
        for (int node = 0; node < INTERLEAVE_NODES; node++) {
            for (int item = 0; item < items; item++) {
                ops[count++] = (struct interleave_op){(enum interleave_verb)verb, node, item};
            }
        }
    }
    return count;
}

static int interleave_graphs(void)
{
    int graphs = 1;
    for (int i = 0; i < INTERLEAVE_NODES; i++) {
        graphs *= INTERLEAVE_NODES + 1;
    }
    return graphs;
}

/* settle: steps that let a cycle end before anything happens. In the short tier every graph and
 * every pair of mutations comes, with some of the interleavings; in the long tier, with all. */
static void interleave_all(struct interleave *world, int settle)
{
    struct interleave_op ops[INTERLEAVE_VERBS * INTERLEAVE_NODES * INTERLEAVE_NODES];
    int count = interleave_list_ops(ops);
    int stride = gc_test_long ? 1 : 67;
    int salt = 0;
    for (int graph = 0; graph < interleave_graphs(); graph++) {
        for (int pair = 0; pair < count * count; pair++) {
            struct interleave_op both[2] = {ops[pair / count], ops[pair % count]};
            for (int when = salt++ % stride; when < INTERLEAVE_STEPS * INTERLEAVE_STEPS;
                 when += gc_test_long ? 1 : 67) {
                int steps[3] = {settle + when / INTERLEAVE_STEPS, when % INTERLEAVE_STEPS, 0};
                interleave_run(world, graph, both, steps);
            }
        }
    }
}

static void interleave_under(struct gc_fixture *fixture, struct snapshot_parameters parameters,
                             int settle)
{
    struct interleave world = {.parameters = parameters};
    struct gc_policy policy = gc_policy_snapshot;
    policy.parameters = &world.parameters;
    world.runtime = runtime_open_with(&fixture->heap, &policy, NULL);
    assert_non_null(world.runtime);
    gc_enable(world.runtime, false); /* a step comes when the test says so, and at no other time */
    world.objects_at_start = runtime_objects_live(world.runtime);
    interleave_all(&world, settle);
    assert_int_equal(runtime_close(world.runtime), 0);
}

/* Everything that is no leaf is left to the cycles. */
static void test_cycles_meet_mutations(void **state)
{
    interleave_under(*state, (struct snapshot_parameters){.trial_max = 0}, 0);
}

static void test_cycles_meet_mutations_of_old_containers(void **state)
{
    interleave_under(*state, (struct snapshot_parameters){.trial_max = 0}, 40);
}

static void test_trials_meet_mutations(void **state)
{
    interleave_under(*state, (struct snapshot_parameters){.trial_max = SNAPSHOT_TRIAL_MAX}, 0);
}

/* New containers are examined together, and the newest a slice later; what has been biased once is
 * left to the cycles. */
static void test_youth_meets_mutations(void **state)
{
    interleave_under(*state, (struct snapshot_parameters){.youth_max = SNAPSHOT_YOUTH_MAX}, 0);
    interleave_under(*state,
                     (struct snapshot_parameters){.youth_max = SNAPSHOT_YOUTH_MAX, .newest = 1}, 0);
}

int interleave_test(void)
{
    const struct CMUnitTest interleave_tests[] = {
        GC_TEST(test_cycles_meet_mutations),
        GC_TEST(test_cycles_meet_mutations_of_old_containers),
        GC_TEST(test_trials_meet_mutations),
        GC_TEST(test_youth_meets_mutations),
    };
    return cmocka_run_group_tests(interleave_tests, NULL, NULL);
}
