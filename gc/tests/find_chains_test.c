/* The following of chains in several places at once, against a walk along each one. */
#include "gc/find.h"

#include <string.h>

#include "common/rng.h"
#include "gc/tests/gc_test.h"

enum { CHAINS_NODES_MAX = 4000, CHAINS_BEGIN = 5 };

/* A graph in which each node has at most one referent, as the sweep notes it. */
struct chains_graph {
    uint32_t nodes;
    uint32_t numbers[CHAINS_BEGIN + CHAINS_NODES_MAX];
    uint8_t marks[CHAINS_BEGIN + CHAINS_NODES_MAX];
    uint8_t expected[CHAINS_BEGIN + CHAINS_NODES_MAX];
};

/* What each test case does to a shuffled chain of all nodes. */
struct chains_shape {
    uint32_t leaves; /* one node in so many is a leaf: chains, and not one; 0: none but the last */
    uint32_t strays; /* one in so many refers to any node: trees, rings with tails */
    uint32_t alive;  /* one in so many was alive from the start */
    bool is_ring;    /* the last refers to the first */
};

static void chains_make(struct chains_graph *graph, struct rng *rng, struct chains_shape shape)
{
    uint32_t order[CHAINS_NODES_MAX];
    for (uint32_t i = 0; i < graph->nodes; i++) {
        order[i] = CHAINS_BEGIN + i;
    }
    rng_shuffle_u32(rng, order, graph->nodes);
    memset(graph->marks, 0xff, sizeof(graph->marks)); /* before the range: not to be touched */
    for (uint32_t i = 0; i < graph->nodes; i++) {
        uint32_t index = order[i];
        bool is_last = i + 1 == graph->nodes && !shape.is_ring;
        bool is_leaf = is_last || (shape.leaves != 0 && rng_below(rng, shape.leaves) == 0);
        bool is_stray = shape.strays != 0 && rng_below(rng, shape.strays) == 0;
        graph->marks[index] = is_leaf ? FIND_LEAF : FIND_SINGLE;
        graph->numbers[index] =
            order[is_stray ? rng_below(rng, graph->nodes) : (i + 1) % graph->nodes];
        if (shape.alive != 0 && rng_below(rng, shape.alive) == 0) {
            graph->marks[index] |= (uint8_t)((1 + rng_below(rng, FIND_WIDE_MIN - 1)) * FIND_ONE);
        }
    }
    memcpy(graph->expected, graph->marks, sizeof(graph->marks));
}

static uint32_t chains_follow_singly(struct chains_graph *graph, uint32_t index)
{
    while ((graph->expected[index] & (FIND_RUN | FIND_COUNT)) == FIND_SINGLE) {
        graph->expected[index] |= FIND_ALIVE;
        index = graph->numbers[index];
    }
    return index;
}

/* Alive is alive, whatever the count says; the other bits are the same. */
static uint32_t chains_differences(const struct chains_graph *graph)
{
    uint32_t differences = 0;
    for (uint32_t i = 0; i < CHAINS_BEGIN + graph->nodes; i++) {
        uint8_t mark = graph->marks[i];
        uint8_t expected = graph->expected[i];
        differences += (mark & ~FIND_COUNT) != (expected & ~FIND_COUNT) ||
                       ((mark & FIND_COUNT) != 0) != ((expected & FIND_COUNT) != 0);
    }
    return differences;
}

/* Several walks over one graph, as a collection makes them from root after root. */
static void chains_compare(struct chains_shape shape, uint64_t seed, uint32_t nodes)
{
    static struct chains_graph graph;
    struct rng rng;
    rng_seed(&rng, seed);
    graph.nodes = nodes;
    chains_make(&graph, &rng, shape);
    struct gc_range range = {CHAINS_BEGIN, CHAINS_BEGIN + nodes};
    for (int walk = 0; walk < 4; walk++) {
        uint32_t from = CHAINS_BEGIN + (uint32_t)rng_below(&rng, nodes);
        bool was_useful;
        uint32_t expected = chains_follow_singly(&graph, from);
        uint32_t end = find_chains_follow(graph.marks, graph.numbers, range, from, &was_useful);
        if ((graph.expected[expected] & FIND_COUNT) == 0) {
            assert_int_equal(end, expected);
            graph.expected[end] |= FIND_ALIVE; /* by who asked */
            graph.marks[end] |= FIND_ALIVE;
        } else {
            assert_int_not_equal(graph.expected[end] & FIND_COUNT, 0);
        }
        assert_int_equal(chains_differences(&graph), 0);
    }
}

static void chains_compare_all(struct chains_shape shape)
{
    static const uint32_t sizes[] = {1, 2, 3, 40, 500, CHAINS_NODES_MAX};
    for (uint64_t seed = 1; seed <= 60; seed++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            chains_compare(shape, seed, sizes[i]);
        }
    }
}

static void test_one_chain(void **state)
{
    (void)state;
    chains_compare_all((struct chains_shape){0});
}

static void test_one_ring(void **state)
{
    (void)state;
    chains_compare_all((struct chains_shape){.is_ring = true});
}

static void test_many_chains(void **state)
{
    (void)state;
    chains_compare_all((struct chains_shape){.leaves = 50});
}

static void test_trees_and_rings(void **state)
{
    (void)state;
    chains_compare_all((struct chains_shape){.strays = 100});
    chains_compare_all((struct chains_shape){.leaves = 300, .strays = 3});
}

static void test_some_alive_before(void **state)
{
    (void)state;
    chains_compare_all((struct chains_shape){.alive = 100, .is_ring = true});
    chains_compare_all((struct chains_shape){.strays = 30, .alive = 30, .is_ring = true});
}

/* Starting elsewhere pays on one long chain, and not where nearly all is dead. */
static void test_usefulness(void **state)
{
    (void)state;
    static struct chains_graph graph;
    struct gc_range range = {CHAINS_BEGIN, CHAINS_BEGIN + CHAINS_NODES_MAX};
    struct rng rng;
    bool was_useful = false;
    rng_seed(&rng, 1);
    graph.nodes = CHAINS_NODES_MAX;
    chains_make(&graph, &rng, (struct chains_shape){.is_ring = true});
    (void)find_chains_follow(graph.marks, graph.numbers, range, CHAINS_BEGIN, &was_useful);
    assert_true(was_useful);
    chains_make(&graph, &rng, (struct chains_shape){.is_ring = true});
    uint32_t next = graph.numbers[CHAINS_BEGIN];
    graph.marks[graph.numbers[next]] |= FIND_ALIVE; /* where the walk ends */
    (void)find_chains_follow(graph.marks, graph.numbers, range, CHAINS_BEGIN, &was_useful);
    assert_false(was_useful);
}

int find_chains_test(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_chain),         cmocka_unit_test(test_one_ring),
        cmocka_unit_test(test_many_chains),       cmocka_unit_test(test_trees_and_rings),
        cmocka_unit_test(test_some_alive_before), cmocka_unit_test(test_usefulness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
