#include "fuzz/targets/object_graph_introspection.h"

#include <inttypes.h>

#include "fuzz/targets/object_graph_collector.h"
#include "fuzz/targets/object_graph_edges.h"
#include "gc/introspect.h"
#include "gc/runtime.h"

/* ---------------------------------------------------------------- visits */
static int graph_count_visit(struct object *object, void *context)
{
    uint64_t *count = context;
    FUZZ_EXPECT(gc_is_tracked(object), "visit", "an untracked object is visited");
    ++*count;
    return 0;
}

static int graph_count_referent(struct object *object, void *context)
{
    uint64_t *count = context;
    (void)object;
    ++*count;
    return 0;
}

static uint64_t graph_count_generation(struct shadow *shadow, int generation)
{
    uint64_t count = 0;
    (void)gc_visit_objects(shadow->runtime, generation, graph_count_visit, &count);
    return count;
}

FUZZ_ORACLE void graph_visit_all(struct shadow *shadow)
{
    struct gc_stats stats;
    uint64_t parts = gc_freeze_count(shadow->runtime);
    for (int i = 0; i < GC_GENERATIONS; i++) {
        parts += graph_count_generation(shadow, i);
    }
    uint64_t all = graph_count_generation(shadow, -1);
    runtime_stats(shadow->runtime, &stats);
    /* Nobody can see the objects that a collection in slices has found. */
    bool hidden = shadow->runtime->collector.trash_under_way;
    FUZZ_EXPECT(hidden || (all == stats.tracked && parts == stats.tracked), "visit",
                "%" PRIu64 " of %" PRIu64 " containers are visited, %" PRIu64
                " generation by generation",
                all, stats.tracked, parts);
}

FUZZ_ORACLE void graph_visit_referents(struct shadow *shadow, int index)
{
    const struct shadow_node *node = &shadow->nodes[index];
    if (shadow_is_instance(node->kind) || node->kind == SHADOW_WEAK) {
        return; /* a dict of attributes comes in between, or what its callback needs */
    }
    uint64_t expected = node->wide;
    for (int e = 0; e < shadow_edge_limit(node); e++) {
        expected += node->edges[e] != SHADOW_NONE;
    }
    expected *= node->kind == SHADOW_DICT ? 2 : 1; /* with the keys */
    uint64_t count = 0;
    (void)gc_visit_referents(node->object, graph_count_referent, &count);
    FUZZ_EXPECT(count == expected, "visit",
                "object %" PRId64 " refers to %" PRIu64 ", by a visit to %" PRIu64, node->serial,
                expected, count);
}

static bool graph_refers_to(const struct shadow_node *node, int index)
{
    for (int e = 0; e < shadow_edge_limit(node); e++) {
        if (node->edges[e] == index) {
            return true;
        }
    }
    return false;
}

FUZZ_ORACLE void graph_visit_referrers(struct shadow *shadow, int index)
{
    const struct shadow_node *node = &shadow->nodes[index];
    if (shadow_is_shared(node)) {
        return;
    }
    shadow_mark(shadow);
    uint64_t least = 0;
    uint64_t most = node->saved > 0; /* the list of garbage */
    for (int i = 0; i < shadow->fresh; i++) {
        const struct shadow_node *other = &shadow->nodes[i];
        if (other->alive && graph_refers_to(other, index)) {
            most++;
            /* A tuple may be untracked. */
            least += other->reachable && other->kind != SHADOW_TUPLE;
        }
    }
    uint64_t count = 0;
    (void)gc_visit_referrers(shadow->runtime, node->object, graph_count_visit, &count);
    bool hidden = shadow->runtime->collector.trash_under_way;
    FUZZ_EXPECT((hidden || count >= least) && count <= most, "visit",
                "%" PRIu64 " containers refer to object %" PRId64 ", not %" PRIu64 " to %" PRIu64,
                count, node->serial, least, most);
}

/* ---------------------------------------------------------------- immortal objects */
void graph_immortalize(struct shadow *shadow, int index)
{
    struct shadow_node *node = &shadow->nodes[index];
    if (shadow_is_shared(node)) {
        return;
    }
    const uint64_t refused = fuzz_memory_faults.refused;
    bool done = object_immortalize(shadow->runtime, node->object);
    FUZZ_EXPECT(done != node->is_immortal || fuzz_memory_faults.refused != refused, "immortal",
                "object %" PRId64 " is immortal %s", node->serial, done ? "twice" : "already");
    if (done) {
        node->is_immortal = true;
        node->count++;
        node->held++;
    }
}

/* ---------------------------------------------------------------- the list of garbage */
/* Frees all earlier garbage first, and frees none while it is saved, so that a node's address stays
 * its own. Memory is not refused meanwhile: an instance that cannot be saved, while its dict of
 * attributes is, would be more than the nodes can express. */
void graph_save_all(struct shadow *shadow, bool save_all)
{
    if (shadow->runtime->save_all == save_all || (save_all && shadow->is_frozen)) {
        return;
    }
    if (save_all) {
        heap_faults = (struct heap_faults){0};
        fuzz_memory_faults = (struct fuzz_memory_faults){0};
        graph_collect(shadow, GC_GENERATIONS - 1);
        if (!shadow->is_exact) {
            return;
        }
    } else {
        shadow_note_garbage(shadow);
    }
    gc_set_save_all(shadow->runtime, save_all);
}

void graph_break_legacy(struct shadow *shadow)
{
    shadow_note_garbage(shadow);
    for (int i = 0; i < shadow->fresh; i++) {
        const struct shadow_node *node = &shadow->nodes[i];
        if (!node->alive || node->kind != SHADOW_LEGACY) {
            continue;
        }
        shadow_mark(shadow); /* objects that earlier entries held may be gone */
        for (unsigned key = 1; node->reachable && key < SHADOW_NAMES; key++) {
            graph_remove(shadow, i, key, SHADOW_NONE);
        }
    }
    shadow_note_garbage(shadow);
}

void graph_clear_garbage(struct shadow *shadow)
{
    struct object *garbage = shadow->runtime->garbage;
    if (garbage == NULL) {
        return;
    }
    shadow_note_garbage(shadow);
    shadow->garbage_noted = 0;
    list_clear(shadow->runtime, garbage);
    for (int i = 0; i < shadow->fresh; i++) {
        for (; shadow->nodes[i].alive && shadow->nodes[i].saved > 0; shadow->nodes[i].saved--) {
            shadow->nodes[i].held--;
            shadow_release(shadow, i);
        }
    }
}
