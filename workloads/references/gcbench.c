/* The reference `boehm`: GCBench over Boehm's collector (libgc), for which it was written.
 *
 * The same trees in the same order as objects/gcbench.c, without reference counts: a node is a
 * block of its own from GC_MALLOC with two pointers and two numbers, as in the C original, and the
 * array is pointer-free. What dies is simply forgotten, and the collector, conservative and not
 * incremental here, finds it. Its collections are stop-the-world pauses, read from its events.
 *
 * Leaves out that an object layer has types, counts and item vectors: a node is 32 bytes here and
 * 120 there. The comparison is of two ways to run one benchmark, not of two collectors over the
 * same objects. */
#include <gc.h>

#include "gc/pauses.h"
#include "workloads/objects/gcbench.h"
#include "workloads/objects/model.h"

struct boehm_node {
    struct boehm_node *left;
    struct boehm_node *right;
    int64_t i;
    int64_t j;
};

struct runtime {
    struct heap *heap;
    GC_word collections_at_start;
    struct pauses pauses;
};

static struct runtime boehm_runtime;
/* Lives throughout an iteration. It is static, because libgc scans static memory, but not scratch
 * memory. */
static struct boehm_node *boehm_long_lived;
static double *boehm_array;

/* ---------------------------------------------------------------- the runtime, as runner.c asks */
static void GC_CALLBACK boehm_event(GC_EventType event)
{
    if (event == GC_EVENT_START) {
        pauses_begin(&boehm_runtime.pauses);
    } else if (event == GC_EVENT_END) {
        pauses_end(&boehm_runtime.pauses, 0);
    }
}

uint64_t gc_collected(const struct runtime *runtime)
{
    (void)runtime;
    return 0;
}

struct runtime *runtime_open_with(struct heap *heap, const struct gc_policy *policy,
                                  struct error *error)
{
    (void)policy;
    (void)error;
    GC_INIT();
    GC_set_on_collection_event(boehm_event);
    boehm_runtime.heap = heap;
    boehm_runtime.collections_at_start = GC_get_gc_no();
    pauses_reset(&boehm_runtime.pauses);
    return &boehm_runtime;
}

uint64_t runtime_close(struct runtime *runtime)
{
    (void)runtime;
    GC_gcollect();
    return 0; /* a collector of dropped objects cannot detect leaks */
}

void runtime_stats(const struct runtime *runtime, struct gc_stats *stats)
{
    *stats = (struct gc_stats){0};
    stats->collections[GC_GENERATIONS - 1] = GC_get_gc_no() - runtime->collections_at_start;
}

struct pauses *runtime_pauses(struct runtime *runtime)
{
    return &runtime->pauses;
}

/* ---------------------------------------------------------------- the benchmark */
static struct boehm_node *boehm_make_node(struct boehm_node *left, struct boehm_node *right)
{
    struct boehm_node *node = GC_MALLOC(sizeof(*node));
    if (node != NULL) {
        node->left = left;
        node->right = right;
    }
    return node;
}

static bool boehm_populate(struct boehm_node *node, unsigned depth)
{
    if (depth == 0) {
        return true;
    }
    node->left = boehm_make_node(NULL, NULL);
    node->right = boehm_make_node(NULL, NULL);
    return node->left != NULL && node->right != NULL && boehm_populate(node->left, depth - 1) &&
           boehm_populate(node->right, depth - 1);
}

static struct boehm_node *boehm_make_down(unsigned depth)
{
    struct boehm_node *root = boehm_make_node(NULL, NULL);
    return root != NULL && boehm_populate(root, depth) ? root : NULL;
}

static struct boehm_node *boehm_make_up(unsigned depth)
{
    if (depth == 0) {
        return boehm_make_node(NULL, NULL);
    }
    struct boehm_node *left = boehm_make_up(depth - 1);
    struct boehm_node *right = boehm_make_up(depth - 1);
    return left == NULL || right == NULL ? NULL : boehm_make_node(left, right);
}

static uint64_t boehm_height(const struct boehm_node *tree)
{
    uint64_t height = 0;
    for (; tree != NULL; tree = tree->left) {
        height++;
    }
    return height;
}

static bool boehm_time_depth(struct run *run, unsigned depth)
{
    const uint64_t trees = gcbench_trees(run, depth);
    for (uint64_t i = 0; i < 2 * trees; i++) {
        struct boehm_node *tree = i < trees ? boehm_make_down(depth) : boehm_make_up(depth);
        if (tree == NULL) {
            return false;
        }
        model_check(run, boehm_height(tree));
    }
    return true;
}

/* Makes the numbers of the first half; the checksum includes their number, as in the other
 * gcbench. */
static bool boehm_make_array(struct run *run)
{
    const uint64_t filled = gcbench_array_length(run) / 2;
    boehm_array = GC_MALLOC_ATOMIC((gcbench_array_length(run) + 1) * sizeof(*boehm_array));
    for (uint64_t i = 1; boehm_array != NULL && i <= filled; i++) {
        boehm_array[i] = 1.0 / (double)i;
    }
    return boehm_array != NULL;
}

static bool boehm_iterate(struct run *run)
{
    const unsigned deepest = gcbench_depth(run);
    bool made = boehm_make_up(deepest + GCBENCH_STRETCH_MORE) != NULL;
    boehm_long_lived = made ? boehm_make_down(deepest) : NULL;
    made = boehm_long_lived != NULL && boehm_make_array(run);
    for (unsigned depth = GCBENCH_DEPTH_MIN; made && depth <= deepest; depth += 2) {
        made = boehm_time_depth(run, depth);
    }
    if (made) {
        model_check(run, boehm_height(boehm_long_lived));
        model_check(run, gcbench_array_length(run) / 2);
    }
    boehm_long_lived = NULL;
    boehm_array = NULL;
    return made;
}

static void boehm_gcbench_run(struct run *run, uint64_t iterations)
{
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        if (!boehm_iterate(run)) {
            run_fail(run, MODEL_HEAP_EXHAUSTED);
            return;
        }
    }
}

static enum status boehm_gcbench_setup(struct run *run, struct error *error)
{
    (void)run;
    (void)error;
    return STATUS_OK;
}

static void boehm_gcbench_teardown(struct run *run)
{
    (void)run;
}

static uint64_t boehm_gcbench_expected_allocations(const struct run *run, uint64_t iterations)
{
    (void)run;
    (void)iterations;
    return 0;
}

/* Name and parameters are those of objects/gcbench.c, so that both are cells of one group. */
const struct workload workload_gcbench = {
    .name = "gcbench",
    .kind = "objects",
    .family = "pointers",
    .summary = "GCBench: short-lived trees of all depths beside a long-lived one",
    .parameters = {{"depth", "levels", "of the largest trees; 16 is the published benchmark", NULL,
                    10, 4, 20}},
    .operations = gcbench_nodes,
    .expected_allocations = boehm_gcbench_expected_allocations,
    .setup = boehm_gcbench_setup,
    .run = boehm_gcbench_run,
    .teardown = boehm_gcbench_teardown,
};
