/* Reference counts: what increments and decrements them, which objects are shared, how a long chain
 * dies, and what a count costs. story/python.py does the first two in a real interpreter. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/clock.h"
#include "story/objects/pairs.h"
#include "story/objects/show.h"

static struct show counts_show;

/* ------------------------------------------------------------------------------- what
 * increments */

/* Shows the count of one object through all that a program does with it. The steps are those of
 * python.py. */
void show_counts(struct json_writer *json)
{
    show_open(&counts_show, NULL);
    struct runtime *runtime = counts_show.runtime;
    uint64_t before = runtime_objects_live(runtime);
    json_open_array(json, "steps");
    struct object *x = show_need(list_new(runtime));
    show_step(json, "x = []", object_getrefcount(x));
    struct object *y = object_incref(x);
    show_step(json, "y = x", object_getrefcount(x));
    struct object *box = show_need(list_new(runtime));
    (void)list_append(runtime, box, x);
    show_step(json, "box = [x]", object_getrefcount(x));
    (void)list_append(runtime, box, x);
    show_step(json, "box.append(x)", object_getrefcount(x));
    struct object *argument = object_incref(x);
    show_step(json, "f(x): inside f", object_getrefcount(x));
    object_decref(runtime, argument);
    show_step(json, "f has returned", object_getrefcount(x));
    list_delete(runtime, box, 1);
    show_step(json, "box.pop()", object_getrefcount(x));
    struct object *other = show_need(float_new(runtime, 0.5));
    object_decref(runtime, y);
    y = other;
    show_step(json, "y = 0.5", object_getrefcount(x));
    object_decref(runtime, box);
    show_step(json, "del box", object_getrefcount(x));
    json_close_array(json);
    object_decref(runtime, y);
    uint64_t held = runtime_objects_live(runtime) - before;
    object_decref(runtime, x);
    json_add_u64(json, "live_before_del", held);
    json_add_u64(json, "live_after_del", runtime_objects_live(runtime) - before);
    show_close(&counts_show);
}

/* ---------------------------------------------------------------------------------- shared */

enum { SHARED_HOLDERS = 1000, SHARED_LARGE = 1000000 };

/* A value, and the count that many references give it. */
struct shared_value {
    const char *name;
    const char *what;
    struct object *(*make)(struct runtime *runtime);
    uint64_t new_objects;
    int64_t count;
};

/* Makes a list refer to the value SHARED_HOLDERS times. */
static void shared_measure(struct shared_value *value)
{
    show_open(&counts_show, NULL);
    struct runtime *runtime = counts_show.runtime;
    struct object *list = show_need(list_new(runtime));
    uint64_t before = runtime_objects_live(runtime);
    for (int i = 0; i < SHARED_HOLDERS; i++) {
        struct object *item = show_need(value->make(runtime));
        (void)list_append(runtime, list, item);
        object_decref(runtime, item);
    }
    value->new_objects = runtime_objects_live(runtime) - before;
    value->count = object_getrefcount(list_item(list, 0));
    object_decref(runtime, list);
    show_close(&counts_show);
}

static void shared_write(struct json_writer *json, const char *name,
                         const struct shared_value *value)
{
    json_open_object(json, name);
    if (name == NULL) {
        json_add_string(json, "value", value->what);
    }
    json_add_u64(json, "references", SHARED_HOLDERS);
    json_add_u64(json, "new_objects", value->new_objects);
    json_add_i64(json, "count_of_first", value->count);
    json_close_object(json);
}

static struct object *shared_small(struct runtime *runtime)
{
    return int_new(runtime, 7);
}

static struct object *shared_large(struct runtime *runtime)
{
    return int_new(runtime, SHARED_LARGE);
}

static struct object *shared_name(struct runtime *runtime)
{
    return str_intern(runtime, "name", 4);
}

static struct object *shared_text(struct runtime *runtime)
{
    return str_new(runtime, "some text", 9);
}

void show_shared(struct json_writer *json)
{
    static struct shared_value values[] = {
        {.name = "small", .what = "the int 7", .make = shared_small},
        {.name = "large", .what = "the int 1000000, computed", .make = shared_large},
        {.name = "name", .what = "the string 'name', interned", .make = shared_name},
        {.name = "text", .what = "the string 'some text', computed", .make = shared_text},
    };
    enum { VALUES = sizeof(values) / sizeof(values[0]) };
    json_open_array(json, "values");
    for (size_t i = 0; i < VALUES; i++) {
        shared_measure(&values[i]);
        shared_write(json, NULL, &values[i]);
    }
    json_close_array(json);
    for (size_t i = 0; i < VALUES; i++) {
        shared_write(json, values[i].name, &values[i]);
    }
}

/* ----------------------------------------------------------------------------------- chain */

enum { CHAIN_STACK_BYTES = 16 << 20, CHAIN_PAINT = 0xa5, CHAIN_RECURSIVE_MAX = 100000 };

/* A function that is run on a stack of its own. */
struct chain_death {
    struct runtime *runtime;
    struct object *head;
    struct chain_node *node; /* NULL: head dies */
};

/* A list as one writes it first: the death of each node calls that of the next. */
struct chain_node {
    struct chain_node *next;
    int64_t refcount;
};

static __attribute__((noinline)) void chain_drop(struct chain_node *node)
{
    if (--node->refcount == 0) {
        struct chain_node *volatile next = node->next;
        if (next != NULL) {
            chain_drop(next);
        }
        node->next = NULL; /* after the call, so that the compiler does not make it a loop */
    }
}

static void *chain_die(void *context)
{
    const struct chain_death *death = context;
    if (death->node != NULL) {
        chain_drop(death->node);
    } else {
        object_decref(death->runtime, death->head);
    }
    return NULL;
}

/* The bytes of a painted stack that are no longer painted: its greatest depth. */
static uint64_t chain_measure(struct chain_death *death)
{
    unsigned char *stack =
        mmap(NULL, CHAIN_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attributes;
    pthread_t thread;
    (void)show_need(stack == MAP_FAILED ? NULL : stack);
    memset(stack, CHAIN_PAINT, CHAIN_STACK_BYTES);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstack(&attributes, stack, CHAIN_STACK_BYTES);
    if (pthread_create(&thread, &attributes, chain_die, death) != 0) {
        exit(3);
    }
    (void)pthread_join(thread, NULL);
    (void)pthread_attr_destroy(&attributes);
    size_t untouched = 0;
    while (untouched < CHAIN_STACK_BYTES && stack[untouched] == CHAIN_PAINT) {
        untouched++;
    }
    (void)munmap(stack, CHAIN_STACK_BYTES);
    return CHAIN_STACK_BYTES - untouched;
}

static uint64_t chain_of_objects(uint64_t length)
{
    show_open(&counts_show, "none");
    struct object *head = NULL;
    for (uint64_t i = 0; i < length; i++) {
        struct object *node = show_need(tuple_new(counts_show.runtime, 1));
        if (head != NULL) {
            tuple_give_item(node, 0, head);
        }
        head = node;
    }
    struct chain_death death = {.runtime = counts_show.runtime, .head = head};
    uint64_t bytes = chain_measure(&death);
    show_close(&counts_show);
    return bytes;
}

static uint64_t chain_of_nodes(uint64_t length)
{
    struct chain_node *nodes = show_need(calloc(length, sizeof(*nodes)));
    for (uint64_t i = 0; i < length; i++) {
        nodes[i] =
            (struct chain_node){.next = i + 1 < length ? &nodes[i + 1] : NULL, .refcount = 1};
    }
    struct chain_death death = {.node = nodes};
    uint64_t bytes = chain_measure(&death);
    free(nodes);
    return bytes;
}

static void chain_row(struct json_writer *json, const char *how, uint64_t length, uint64_t bytes)
{
    json_open_object(json, NULL);
    json_add_string(json, "how", how);
    json_add_u64(json, "length", length);
    json_add_u64(json, "stack_bytes", bytes);
    json_close_object(json);
}

void show_chain(struct json_writer *json)
{
    uint64_t longest = 10000000;
    uint64_t most = 0;
    uint64_t recursive = 0;
    json_open_array(json, "rows");
    for (uint64_t length = 10; length <= longest; length *= 10) {
        uint64_t bytes = chain_of_objects(length);
        chain_row(json, "the object layer", length, bytes);
        most = bytes > most ? bytes : most;
    }
    for (uint64_t length = 10; length <= CHAIN_RECURSIVE_MAX; length *= 10) {
        recursive = chain_of_nodes(length);
        chain_row(json, "a naive recursion", length, recursive);
    }
    json_close_array(json);
    json_add_u64(json, "longest", longest);
    json_add_u64(json, "stack_bytes_most", most);
    json_add_u64(json, "recursive_longest", CHAIN_RECURSIVE_MAX);
    json_add_u64(json, "recursive_bytes", recursive);
}

/* ------------------------------------------------------------------------------------ cost */

enum { COST_PASSES = 2000, COST_ROUNDS = 9 };

static const struct {
    const char *kind;
    pairs_run *run;
} cost_kinds[] = {{"none", pairs_none},
                  {"plain", pairs_plain},
                  {"atomic", pairs_atomic},
                  {"biased", pairs_biased}};
enum { COST_KINDS = sizeof(cost_kinds) / sizeof(cost_kinds[0]) };

static int cost_compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

void show_cost(struct json_writer *json)
{
    static double ns[COST_KINDS][COST_ROUNDS];
    for (int round = -1; round < COST_ROUNDS; round++) { /* the first one warms up */
        for (int kind = 0; kind < COST_KINDS; kind++) {
            uint64_t begin = clock_thread_cpu_ns();
            cost_kinds[kind].run(COST_PASSES);
            uint64_t end = clock_thread_cpu_ns();
            ns[kind][round < 0 ? 0 : round] =
                (double)(end - begin) / ((double)COST_PASSES * PAIRS_OBJECTS);
        }
    }
    json_open_array(json, "rows");
    for (int kind = 0; kind < COST_KINDS; kind++) {
        qsort(ns[kind], COST_ROUNDS, sizeof(double), cost_compare);
        json_open_object(json, NULL);
        json_add_string(json, "kind", cost_kinds[kind].kind);
        json_add_double(json, "ns_of_a_pair", ns[kind][COST_ROUNDS / 2]);
        json_add_double(json, "least", ns[kind][0]);
        json_add_double(json, "most", ns[kind][COST_ROUNDS - 1]);
        json_close_object(json);
    }
    json_close_array(json);
    for (int kind = 0; kind < COST_KINDS; kind++) {
        json_add_double(json, cost_kinds[kind].kind, ns[kind][COST_ROUNDS / 2]);
    }
}
