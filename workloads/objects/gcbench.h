/* The sizes of GCBench, shared by the object workload and by reference workers that have objects of
 * their own. See gcbench.c. */
#ifndef HEAPMILL_WORKLOADS_OBJECTS_GCBENCH_H
#define HEAPMILL_WORKLOADS_OBJECTS_GCBENCH_H

#include "workloads/workload.h"

enum {
    GCBENCH_DEPTH,
    /* As published: trees of depth 4 to 16, a long-lived one of 16, a stretch tree of 18, and an
     * array of 500000 numbers. Other depths scale with the largest tree. */
    GCBENCH_DEPTH_PUBLISHED = 16,
    GCBENCH_DEPTH_MIN = 4,
    GCBENCH_STRETCH_MORE = 2, /* levels by which the stretch tree is deeper */
    GCBENCH_ARRAY_PUBLISHED = 500000,
};

static inline unsigned gcbench_depth(const struct run *run)
{
    return (unsigned)run_count(run, GCBENCH_DEPTH);
}

static inline uint64_t gcbench_tree_nodes(unsigned depth)
{
    return ((uint64_t)2 << depth) - 1;
}

/* The number of trees of that depth, made once top-down and once bottom-up: each depth makes about
 * twice the nodes of the stretch tree each way. */
static inline uint64_t gcbench_trees(const struct run *run, unsigned depth)
{
    return 2 * gcbench_tree_nodes(gcbench_depth(run) + GCBENCH_STRETCH_MORE) /
           gcbench_tree_nodes(depth);
}

/* The length of the array, whose first half the published benchmark fills. */
static inline uint64_t gcbench_array_length(const struct run *run)
{
    unsigned depth = gcbench_depth(run);
    uint64_t length = GCBENCH_ARRAY_PUBLISHED;
    return depth < GCBENCH_DEPTH_PUBLISHED ? length >> (GCBENCH_DEPTH_PUBLISHED - depth)
                                           : length << (depth - GCBENCH_DEPTH_PUBLISHED);
}

/* Nodes made in an iteration, with the stretch tree and the long-lived one. */
static inline uint64_t gcbench_nodes(const struct run *run)
{
    const unsigned deepest = gcbench_depth(run);
    uint64_t nodes = gcbench_tree_nodes(deepest + GCBENCH_STRETCH_MORE);
    nodes += gcbench_tree_nodes(deepest);
    for (unsigned depth = GCBENCH_DEPTH_MIN; depth <= deepest; depth += 2) {
        nodes += 2 * gcbench_trees(run, depth) * gcbench_tree_nodes(depth);
    }
    return nodes;
}

#endif
