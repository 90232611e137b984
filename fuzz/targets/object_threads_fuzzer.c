/* object_threads: one program of object operations, played by several threads whose steps are
 * interleaved.
 *
 * The threads are real, and one alone runs at a time. Unlike in `threads` they change places within
 * operations, too: wherever the object layer has a GC_POINT (gc/world.h), between the two halves of
 * what might race. Who goes on is drawn from the input's first bytes, so that a run is a function
 * of its input. What a processor does out of order is not for this target: ThreadSanitizer watches
 * gc/tests/threads_test.c.
 *
 * The shadow graph says which nodes the program can reach: from the actors' handles, from slots by
 * which nodes change hands, along edges. A node is an instance with a finalizer; its edges are in a
 * list or a dict. Oracles: no node is finalized that the shadow reaches, none twice; what is
 * fetched is a node that lives; counts are at least the shadow's; gc_check; and when all is
 * dropped, all is finalized and nothing is left. */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "fuzz/bytes.h"
#include "fuzz/fuzz_os.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/oracle.h"
#include "gc/class.h"
#include "gc/threads.h"
#include "gc/weakref.h"
#include "gc/world.h"

enum {
    GRAPH_ACTORS = 3,
    GRAPH_HANDLES = 4, /* of each actor */
    GRAPH_WEAK = 2,
    GRAPH_SLOTS = 4, /* by which nodes change hands */
    GRAPH_EDGES = 3, /* of each node */
    GRAPH_NODES = 96,
    GRAPH_HEADER = 8, /* bytes of the input that say who runs when */
    GRAPH_OPERATION = 3,
    GRAPH_IDLE_MAX = 200000,
    GRAPH_JUNK = 12,
};

enum graph_kind {
    GRAPH_NEW,
    GRAPH_DROP,
    GRAPH_SET_EDGE,
    GRAPH_CLEAR_EDGE,
    GRAPH_FETCH,
    GRAPH_SWAP,
    GRAPH_COPY,
    GRAPH_REFER_WEAKLY,
    GRAPH_GET_WEAKLY,
    GRAPH_COLLECT,
    GRAPH_SAFE_POINT,
    GRAPH_GROW,
    GRAPH_WAIT,
    GRAPH_LEAVE,
    GRAPH_CHECK,
    GRAPH_HOLD,
    GRAPH_KINDS
};

static const char *const graph_names[GRAPH_KINDS] = {
    "new",        "drop",    "set edge",   "clear edge", "fetch", "swap",  "copy",  "refer weakly",
    "get weakly", "collect", "safe point", "grow",       "wait",  "leave", "check", "hold"};

#ifdef GC_FREE_THREADS
struct graph_node {
    struct object *object;    /* NULL: no node, or finalized */
    struct object *edges;     /* a list, or a dict */
    int targets[GRAPH_EDGES]; /* −1: none */
    uint64_t serial;          /* no other node has it */
    bool is_busy;             /* somebody changes its edges */
    bool is_marked;
    uint32_t references; /* that the shadow knows of */
};

struct graph_actor {
    pthread_t thread;
    sem_t go;
    int handles[GRAPH_HANDLES];
    struct object *weak[GRAPH_WEAK];
    int weak_nodes[GRAPH_WEAK]; /* that they refer to, and their serial numbers */
    uint64_t weak_serials[GRAPH_WEAK];
    bool is_done;
};

static struct graph_state {
    struct heap heap;
    struct fuzz_os os;
    struct runtime *runtime;
    struct object *class;
    struct object *nothing; /* where a list has no edge */
    struct object *name;
    struct object *keys[GRAPH_EDGES];
    struct graph_node nodes[GRAPH_NODES];
    int slots[GRAPH_SLOTS];
    const uint8_t *data;
    size_t size;
    size_t position;
    uint64_t draws;
    uint64_t serial;
    unsigned density; /* one point in so many changes places */
    unsigned playing; /* actors that are not done */
    unsigned idle;    /* points in a row at which somebody had to wait */
    unsigned current;
    sem_t all_done;
} graph;

static struct graph_actor graph_actors[GRAPH_ACTORS]; /* they outlive an input */

/* ---------------------------------------------------------------- who runs */
static unsigned graph_next(unsigned self, uint64_t draw)
{
    unsigned steps = 1 + (unsigned)(draw % GRAPH_ACTORS);
    unsigned next = self;
    while (steps > 0) {
        next = (next + 1) % GRAPH_ACTORS;
        steps -= !graph_actors[next].is_done;
    }
    return next;
}

static void graph_pass_to(unsigned next)
{
    graph.current = next;
    (void)sem_post(&graph_actors[next].go);
}

static void graph_interleave(bool must)
{
    uint64_t draw = rng_splitmix(&graph.draws);
    if (graph.playing == 0 || (!must && (draw & 255) % graph.density != 0)) {
        return;
    }
    graph.idle = must ? graph.idle + 1 : 0;
    FUZZ_EXPECT(graph.idle < GRAPH_IDLE_MAX, "progress", "every thread waits for another");
    unsigned self = graph.current;
    unsigned next = graph_next(self, draw >> 8);
    if (next == self && must) {
        next = graph_next(self, 0);
    }
    if (next != self) {
        graph_pass_to(next);
        while (sem_wait(&graph_actors[self].go) != 0) {
        }
    }
}

/* ---------------------------------------------------------------- the shadow */
static int graph_find(const struct object *object)
{
    for (int i = 0; i < GRAPH_NODES; i++) {
        if (graph.nodes[i].object == object) {
            return i;
        }
    }
    return -1;
}

static void graph_mark(int node)
{
    if (node < 0) {
        return;
    }
    graph.nodes[node].references++;
    if (graph.nodes[node].is_marked) {
        return;
    }
    graph.nodes[node].is_marked = true;
    for (int k = 0; k < GRAPH_EDGES; k++) {
        graph_mark(graph.nodes[node].targets[k]);
    }
}

FUZZ_ORACLE static void graph_mark_all(void)
{
    for (int i = 0; i < GRAPH_NODES; i++) {
        graph.nodes[i].is_marked = false;
        graph.nodes[i].references = 0;
    }
    for (int i = 0; i < GRAPH_SLOTS; i++) {
        graph_mark(graph.slots[i]);
    }
    for (int i = 0; i < GRAPH_ACTORS; i++) {
        for (int k = 0; k < GRAPH_HANDLES; k++) {
            graph_mark(graph_actors[i].handles[k]);
        }
    }
}

static void graph_finalize(struct runtime *runtime, struct object *self, void *context)
{
    (void)runtime;
    (void)context;
    int node = graph_find(self);
    FUZZ_EXPECT(node >= 0, "finalizer", "what is finalized is no living node");
    graph_mark_all();
    FUZZ_EXPECT(!graph.nodes[node].is_marked, "finalizer", "node %d is finalized, and reached",
                node);
    graph.nodes[node] = (struct graph_node){.object = NULL, .targets = {-1, -1, -1}};
}

FUZZ_ORACLE static void graph_expect_healthy(void)
{
    gc_stop(graph.runtime);
    size_t broken = gc_check(graph.runtime);
    FUZZ_EXPECT(broken == 0, "check", "%zu invariants are broken", broken);
    graph_mark_all();
    for (int i = 0; i < GRAPH_NODES; i++) {
        const struct graph_node *node = &graph.nodes[i];
        FUZZ_EXPECT(!node->is_marked || node->object != NULL, "shadow",
                    "node %d is reached, and gone", i);
        FUZZ_EXPECT(node->object == NULL ||
                        object_getrefcount(node->object) >= (int64_t)node->references,
                    "count", "node %d has fewer references than the program", i);
    }
    gc_start(graph.runtime);
}

/* ---------------------------------------------------------------- operations */
/* The reference in the handle goes; the shadow's first. */
static void graph_drop(int *handle)
{
    int node = *handle;
    *handle = -1;
    if (node >= 0) {
        object_decref(graph.runtime, graph.nodes[node].object);
    }
}

/* The caller's reference to object, or NULL, gets into the handle. */
static void graph_take(int *handle, struct object *object)
{
    graph_drop(handle);
    if (object == NULL) {
        return;
    }
    int node = graph_find(object);
    FUZZ_EXPECT(node >= 0, "fetch", "what was fetched is no living node");
    *handle = node;
}

static struct object *graph_make_edges(bool is_list)
{
    struct object *edges = is_list ? list_new(graph.runtime) : dict_new(graph.runtime);
    for (int k = 0; is_list && edges != NULL && k < GRAPH_EDGES; k++) {
        (void)list_append(graph.runtime, edges, graph.nothing);
    }
    return edges;
}

/* The place is taken before anything is made, which may let others run. */
static void graph_new(int *handle, unsigned choice)
{
    int node = graph_find(NULL);
    if (node < 0) {
        return;
    }
    graph.nodes[node].object = graph.class;
    struct object *edges = graph_make_edges(choice % 2 == 0);
    struct object *object = class_instance_new(graph.runtime, graph.class);
    (void)instance_set_attribute(graph.runtime, object, graph.name, edges);
    object_decref(graph.runtime, edges);
    if (choice % 8 == 0) {
        (void)gc_defer(graph.runtime, object);
    }
    graph_drop(handle);
    graph.nodes[node] = (struct graph_node){
        .object = object, .edges = edges, .targets = {-1, -1, -1}, .serial = ++graph.serial};
    *handle = node;
}

static struct object *graph_fetch_edge(const struct graph_node *node, unsigned k)
{
    struct object *found = object_is(node->edges, &list_type)
                               ? list_fetch(graph.runtime, node->edges, k)
                               : dict_fetch(graph.runtime, node->edges, graph.keys[k]);
    if (found == graph.nothing) {
        object_decref(graph.runtime, found);
        return NULL;
    }
    return found;
}

/* The caller has handles to both, which another actor cannot drop. */
static void graph_set_edge(int from, unsigned k, int to)
{
    struct graph_node *node = &graph.nodes[from];
    if (node->is_busy) {
        return;
    }
    node->is_busy = true;
    node->targets[k] = -1;
    struct object *target = to < 0 ? graph.nothing : graph.nodes[to].object;
    if (object_is(node->edges, &list_type)) {
        list_set_item(graph.runtime, node->edges, k, target);
    } else if (to < 0) {
        (void)dict_delete(graph.runtime, node->edges, graph.keys[k]);
    } else {
        (void)dict_set(graph.runtime, node->edges, graph.keys[k], target);
    }
    node->targets[k] = to;
    node->is_busy = false;
}

/* The vector of edges grows and shrinks behind them. */
static void graph_grow(int at)
{
    struct graph_node *node = &graph.nodes[at];
    if (node->is_busy || !object_is(node->edges, &list_type)) {
        return;
    }
    node->is_busy = true;
    for (int i = 0; i < GRAPH_JUNK; i++) {
        (void)list_append(graph.runtime, node->edges, graph.nothing);
    }
    for (int i = 0; i < GRAPH_JUNK; i++) {
        object_decref(graph.runtime, list_pop(graph.runtime, node->edges));
    }
    node->is_busy = false;
}

static void graph_refer_weakly(struct graph_actor *actor, unsigned w, int node)
{
    struct object *old = actor->weak[w];
    actor->weak[w] = weakref_new(graph.runtime, graph.nodes[node].object, NULL);
    actor->weak_nodes[w] = node;
    actor->weak_serials[w] = graph.nodes[node].serial;
    object_xdecref(graph.runtime, old);
}

/* A weak reference leads to its node as long as that can be reached. */
static void graph_get_weakly(struct graph_actor *actor, unsigned w, int *handle)
{
    if (actor->weak[w] == NULL) {
        graph_drop(handle);
        return;
    }
    const struct graph_node *node = &graph.nodes[actor->weak_nodes[w]];
    struct object *object = weakref_get(graph.runtime, actor->weak[w]);
    graph_mark_all();
    FUZZ_EXPECT(object != NULL || node->serial != actor->weak_serials[w] || !node->is_marked,
                "weak", "a weak reference does not lead to node %d, which is reached",
                actor->weak_nodes[w]);
    if (object != NULL &&
        graph_find(object) < 0) { /* its finalizer runs, or has run: it may come back */
        object_decref(graph.runtime, object);
        object = NULL;
    }
    graph_take(handle, object);
}

static void graph_hold(const struct graph_node *node)
{
    struct object *object = node->object;
    gc_push(object);
    gc_safe_point(graph.runtime);
    gc_pop(graph.runtime, object);
}

/* What needs no node. Whether it was that. */
static bool graph_plays_without(enum graph_kind kind)
{
    switch (kind) {
    case GRAPH_COLLECT:
        (void)gc_collect(graph.runtime, GC_GENERATIONS - 1);
        return true;
    case GRAPH_WAIT:
        gc_thread_detach(graph.runtime);
        graph_interleave(true);
        (void)gc_thread_attach(graph.runtime);
        return true;
    case GRAPH_LEAVE:
        if (graph.runtime->world.thread_count < GC_THREADS_MAX / 2) {
            gc_thread_leave(graph.runtime);
            (void)gc_thread_attach(graph.runtime);
        }
        return true;
    case GRAPH_CHECK:
        graph_expect_healthy();
        return true;
    default:
        return kind == GRAPH_SAFE_POINT;
    }
}

static void graph_play(struct graph_actor *actor, const uint8_t *operation)
{
    const enum graph_kind kind = (enum graph_kind)(operation[0] % GRAPH_KINDS);
    int *a = &actor->handles[operation[1] % GRAPH_HANDLES];
    int *b = &actor->handles[operation[1] / GRAPH_HANDLES % GRAPH_HANDLES];
    const unsigned k = operation[2] % GRAPH_EDGES;
    if (graph_plays_without(kind)) {
        return;
    }
    if (kind == GRAPH_NEW) {
        graph_new(a, operation[2]);
    } else if (kind == GRAPH_DROP) {
        graph_drop(a);
    } else if (kind == GRAPH_SWAP) {
        int node = graph.slots[operation[2] % GRAPH_SLOTS];
        graph.slots[operation[2] % GRAPH_SLOTS] = *a;
        *a = node;
    } else if (kind == GRAPH_GET_WEAKLY) {
        graph_get_weakly(actor, operation[2] % GRAPH_WEAK, b);
    } else if (*a >= 0 && kind == GRAPH_SET_EDGE) {
        graph_set_edge(*a, k, *b);
    } else if (*a >= 0 && kind == GRAPH_CLEAR_EDGE) {
        graph_set_edge(*a, k, -1);
    } else if (*a >= 0 && kind == GRAPH_FETCH) {
        graph_take(b, graph_fetch_edge(&graph.nodes[*a], k));
    } else if (*a >= 0 && kind == GRAPH_COPY) {
        graph_take(b, object_incref(graph.nodes[*a].object));
    } else if (*a >= 0 && kind == GRAPH_REFER_WEAKLY) {
        graph_refer_weakly(actor, operation[2] % GRAPH_WEAK, *a);
    } else if (*a >= 0 && kind == GRAPH_GROW) {
        graph_grow(*a);
    } else if (*a >= 0 && kind == GRAPH_HOLD) {
        graph_hold(&graph.nodes[*a]);
    }
}

/* ---------------------------------------------------------------- actors */
/* Operations are for whoever asks next. */
static void graph_play_all(struct graph_actor *actor)
{
    (void)gc_thread_attach(graph.runtime);
    while (graph.position + GRAPH_OPERATION <= graph.size) {
        const uint8_t *operation = graph.data + graph.position;
        graph.position += GRAPH_OPERATION;
        fuzz_count_operation();
        graph_play(actor, operation);
        gc_safe_point(graph.runtime);
        GC_POINT();
    }
    for (int i = 0; i < GRAPH_WEAK; i++) {
        object_xdecref(graph.runtime, actor->weak[i]);
        actor->weak[i] = NULL;
    }
    gc_thread_leave(graph.runtime);
    heap_thread_end(&graph.heap);
}

static void *graph_act(void *argument)
{
    struct graph_actor *actor = argument;
    for (;;) {
        while (sem_wait(&actor->go) != 0) {
        }
        graph_play_all(actor);
        actor->is_done = true;
        if (--graph.playing == 0) {
            (void)sem_post(&graph.all_done);
        } else {
            graph_pass_to(graph_next(graph.current, 0));
        }
    }
    return NULL;
}

static void graph_begin_actors(void)
{
    static bool has_begun;
    if (has_begun) {
        return;
    }
    has_begun = true;
    (void)sem_init(&graph.all_done, 0, 0);
    for (unsigned i = 0; i < GRAPH_ACTORS; i++) {
        (void)sem_init(&graph_actors[i].go, 0, 0);
        FUZZ_EXPECT(pthread_create(&graph_actors[i].thread, NULL, graph_act, &graph_actors[i]) == 0,
                    "environment", "a thread cannot be started");
    }
}

/* ---------------------------------------------------------------- one input */
static bool graph_open(const uint8_t *data, size_t size)
{
    fuzz_os_begin(&graph.os, FUZZ_OS_LOWEST, false);
    struct heap_options options = {.os = graph.os.hooks};
    if (heap_open(&graph.heap, &options, NULL) != STATUS_OK) {
        return false;
    }
    graph.runtime = runtime_open(&graph.heap, NULL);
    FUZZ_EXPECT(graph.runtime != NULL, "environment", "no runtime can be opened");
    static const struct class_hooks hooks = {.finalize = graph_finalize};
    graph.class = class_new(graph.runtime, "node", &hooks);
    graph.nothing = float_new(graph.runtime, 0);
    graph.name = str_intern(graph.runtime, "edges", 5);
    for (int k = 0; k < GRAPH_EDGES; k++) {
        graph.keys[k] = int_new(graph.runtime, k + 1000);
    }
    for (int i = 0; i < GRAPH_NODES; i++) {
        graph.nodes[i] = (struct graph_node){.targets = {-1, -1, -1}};
    }
    memset(graph.slots, -1, sizeof(graph.slots));
    for (int i = 0; i < GRAPH_ACTORS; i++) {
        memset(graph_actors[i].handles, -1, sizeof(graph_actors[i].handles));
        graph_actors[i].is_done = false;
    }
    graph.draws = 0;
    memcpy(&graph.draws, data, size < GRAPH_HEADER ? size : GRAPH_HEADER);
    graph.density = 1 + (unsigned)(graph.draws & 15);
    graph.data = data;
    graph.size = size;
    graph.position = GRAPH_HEADER;
    graph.idle = 0;
    return true;
}

/* All is dropped by a thread that made nothing of it. */
static void graph_close(void)
{
    for (int i = 0; i < GRAPH_SLOTS; i++) {
        graph_drop(&graph.slots[i]);
    }
    for (int i = 0; i < GRAPH_ACTORS; i++) {
        for (int k = 0; k < GRAPH_HANDLES; k++) {
            graph_drop(&graph_actors[i].handles[k]);
        }
    }
    (void)gc_collect(graph.runtime, GC_GENERATIONS - 1);
    (void)gc_collect(graph.runtime, GC_GENERATIONS - 1);
    for (int i = 0; i < GRAPH_NODES; i++) {
        FUZZ_EXPECT(graph.nodes[i].object == NULL, "lost", "node %d was never finalized", i);
    }
    object_decref(graph.runtime, graph.class);
    object_decref(graph.runtime, graph.nothing);
    object_decref(graph.runtime, graph.name);
    for (int k = 0; k < GRAPH_EDGES; k++) {
        object_decref(graph.runtime, graph.keys[k]);
    }
    uint64_t left = runtime_close(graph.runtime);
    FUZZ_EXPECT(left == 0, "lost", "%llu objects are left", (unsigned long long)left);
    FUZZ_EXPECT(heap_check(&graph.heap) == 0, "check", "the heap is broken");
    heap_close(&graph.heap);
    fuzz_os_expect_balanced(&graph.os);
}

static void graph_run(const uint8_t *data, size_t size)
{
    fuzz_begin();
    graph_begin_actors();
    if (size < GRAPH_HEADER || !graph_open(data, size)) {
        return;
    }
    gc_interleave = graph_interleave;
    gc_thread_detach(graph.runtime);
    graph.playing = GRAPH_ACTORS;
    graph_pass_to(0);
    while (sem_wait(&graph.all_done) != 0) {
    }
    gc_interleave = NULL;
    (void)gc_thread_attach(graph.runtime);
    graph_expect_healthy();
    graph_close();
}
#else
static void graph_run(const uint8_t *data, size_t size)
{
    (void)data;
    (void)size;
    fuzz_begin();
}
#endif

static void graph_print(const uint8_t *data, size_t size, FILE *out)
{
    for (size_t i = GRAPH_HEADER; i + GRAPH_OPERATION <= size; i += GRAPH_OPERATION) {
        fprintf(out, "%s handles %u %u, %u\n", graph_names[data[i] % GRAPH_KINDS],
                data[i + 1] % GRAPH_HANDLES, data[i + 1] / GRAPH_HANDLES % GRAPH_HANDLES,
                data[i + 2]);
    }
}

static size_t graph_generate(uint8_t *data, size_t capacity, size_t operations, struct rng *rng)
{
    size_t size = GRAPH_HEADER + operations * GRAPH_OPERATION;
    size = size < capacity ? size : capacity;
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)rng_next(rng);
    }
    return size;
}

const struct fuzz_target fuzz_target_object_threads = {
    .name = "object_threads",
    .summary = "one program of object operations by threads that change places within them",
    .format = "bytes",
    .run = graph_run,
    .print = graph_print,
    .generate = graph_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    graph_run(data, size);
    return 0;
}
