/* The object layer against CPython 3.11's own, in one process and interleaved: full collections of
 * live shapes and of dead ones, and what reference counts and small lists cost the mutator.
 *
 *     ninja -C build gc-benchmark && build/tests/gc-benchmark [OBJECTS [ROUNDS [CASE]]]
 *
 * CASE: only the cases whose names have that in them.
 *
 * One line for each case: the median of both in ns of thread CPU time per object, and the median
 * of the rounds' ratios, with the least and the greatest of them. Both collect with automatic
 * collection off; CPython's figure includes what else lives in a fresh interpreter, some 10^4
 * objects. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/rng.h"
#include "gc/object.h"

enum {
    BENCHMARK_ROUNDS_MAX = 101,
    BENCHMARK_SMALL = 1000000,
    BENCHMARK_BLOCK = 100000,
    BENCHMARK_BLOCKS = 20,
    /* Lists that live beside the short-lived one, as in any program: without them its pool would be
     * given back and taken anew each time. */
    BENCHMARK_BESIDE = 100,
};

struct benchmark {
    struct heap heap;
    struct runtime *runtime;
    size_t count;
    int rounds;
    const char *wanted; /* a part of the cases' names; NULL: all */
    uint32_t *order;    /* a random cycle through all nodes */
    struct object **ours;
    PyObject **theirs;
};

static int benchmark_compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double benchmark_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), benchmark_compare);
    return values[count / 2];
}

/* ---------------------------------------------------------------- the shapes, ours */
static struct object *ours_node(struct runtime *runtime, struct object *item)
{
    struct object *node = list_new(runtime);
    if (node == NULL || !list_append(runtime, node, item)) {
        abort();
    }
    return node;
}

static struct object *ours_lists(struct benchmark *benchmark)
{
    struct runtime *runtime = benchmark->runtime;
    struct object *zero = int_new(runtime, 0);
    struct object *holder = list_new(runtime);
    for (size_t i = 0; i < benchmark->count; i++) {
        struct object *node = ours_node(runtime, zero);
        list_append(runtime, holder, node);
        object_decref(runtime, node);
    }
    object_decref(runtime, zero);
    return holder;
}

static struct object *ours_linked(struct benchmark *benchmark)
{
    struct object *head = int_new(benchmark->runtime, 0);
    for (size_t i = 0; i < benchmark->count; i++) {
        struct object *node = ours_node(benchmark->runtime, head);
        object_decref(benchmark->runtime, head);
        head = node;
    }
    return head;
}

static struct object *ours_shuffled(struct benchmark *benchmark)
{
    struct object **nodes = benchmark->ours;
    for (size_t i = 0; i < benchmark->count; i++) {
        nodes[i] = list_new(benchmark->runtime);
    }
    for (size_t i = 0; i + 1 < benchmark->count; i++) {
        struct object *next = nodes[benchmark->order[i + 1]];
        list_append(benchmark->runtime, nodes[benchmark->order[i]], next);
        object_decref(benchmark->runtime, next);
    }
    return nodes[benchmark->order[0]];
}

/* A ring in a random order that nobody refers to. */
static struct object *ours_dead_ring(struct benchmark *benchmark)
{
    struct object *first = ours_shuffled(benchmark);
    struct object *last = benchmark->ours[benchmark->order[benchmark->count - 1]];
    list_append(benchmark->runtime, last, first);
    object_decref(benchmark->runtime, first);
    return NULL;
}

static struct object *ours_pairs(struct benchmark *benchmark)
{
    for (size_t i = 0; i < benchmark->count / 2; i++) {
        struct object *one = list_new(benchmark->runtime);
        struct object *other = ours_node(benchmark->runtime, one);
        list_append(benchmark->runtime, one, other);
        object_decref(benchmark->runtime, other);
        object_decref(benchmark->runtime, one);
    }
    return NULL;
}

/* ---------------------------------------------------------------- and CPython's */
static PyObject *theirs_node(PyObject *item)
{
    PyObject *node = PyList_New(0);
    if (node == NULL || PyList_Append(node, item) != 0) {
        abort();
    }
    return node;
}

static PyObject *theirs_lists(struct benchmark *benchmark)
{
    PyObject *zero = PyLong_FromLong(0);
    PyObject *holder = PyList_New(0);
    for (size_t i = 0; i < benchmark->count; i++) {
        PyObject *node = theirs_node(zero);
        PyList_Append(holder, node);
        Py_DECREF(node);
    }
    Py_DECREF(zero);
    return holder;
}

static PyObject *theirs_linked(struct benchmark *benchmark)
{
    PyObject *head = PyLong_FromLong(0);
    for (size_t i = 0; i < benchmark->count; i++) {
        PyObject *node = theirs_node(head);
        Py_DECREF(head);
        head = node;
    }
    return head;
}

static PyObject *theirs_shuffled(struct benchmark *benchmark)
{
    PyObject **nodes = benchmark->theirs;
    for (size_t i = 0; i < benchmark->count; i++) {
        nodes[i] = PyList_New(0);
    }
    for (size_t i = 0; i + 1 < benchmark->count; i++) {
        PyObject *next = nodes[benchmark->order[i + 1]];
        PyList_Append(nodes[benchmark->order[i]], next);
        Py_DECREF(next);
    }
    return nodes[benchmark->order[0]];
}

static PyObject *theirs_dead_ring(struct benchmark *benchmark)
{
    PyObject *first = theirs_shuffled(benchmark);
    PyList_Append(benchmark->theirs[benchmark->order[benchmark->count - 1]], first);
    Py_DECREF(first);
    return NULL;
}

static PyObject *theirs_pairs(struct benchmark *benchmark)
{
    for (size_t i = 0; i < benchmark->count / 2; i++) {
        PyObject *one = PyList_New(0);
        PyObject *other = theirs_node(one);
        PyList_Append(one, other);
        Py_DECREF(other);
        Py_DECREF(one);
    }
    return NULL;
}

/* ---------------------------------------------------------------- measuring */
struct benchmark_shape {
    const char *name;
    struct object *(*ours)(struct benchmark *benchmark);
    PyObject *(*theirs)(struct benchmark *benchmark);
    bool rebuild; /* dead after a collection */
};

static void benchmark_report(const char *name, double *ours, double *theirs, int rounds)
{
    double ratios[BENCHMARK_ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        ratios[i] = ours[i] / theirs[i];
    }
    double ratio = benchmark_median(ratios, rounds);
    printf("%-18s ours %7.2f   CPython %7.2f ns   ratio %.3f (%.3f to %.3f)\n", name,
           benchmark_median(ours, rounds), benchmark_median(theirs, rounds), ratio, ratios[0],
           ratios[rounds - 1]);
    fflush(stdout);
}

/* The first round warms up and is not counted. */
static void benchmark_run_shape(struct benchmark *benchmark, const struct benchmark_shape *shape)
{
    double ours[BENCHMARK_ROUNDS_MAX];
    double theirs[BENCHMARK_ROUNDS_MAX];
    struct object *our_root = NULL;
    PyObject *their_root = NULL;
    for (int round = -1; round < benchmark->rounds; round++) {
        if (round < 0 || shape->rebuild) {
            our_root = shape->ours(benchmark);
            their_root = shape->theirs(benchmark);
        }
        uint64_t start = clock_thread_cpu_ns();
        gc_collect(benchmark->runtime, GC_GENERATIONS - 1);
        uint64_t middle = clock_thread_cpu_ns();
        PyGC_Enable(); /* switched off, it would do nothing even when asked */
        PyGC_Collect();
        PyGC_Disable();
        uint64_t end = clock_thread_cpu_ns();
        if (round >= 0) {
            ours[round] = (double)(middle - start) / (double)benchmark->count;
            theirs[round] = (double)(end - middle) / (double)benchmark->count;
        }
    }
    benchmark_report(shape->name, ours, theirs, benchmark->rounds);
    object_xdecref(benchmark->runtime, our_root);
    Py_XDECREF(their_root);
}

static void benchmark_count_ours(struct runtime *runtime, struct object *list)
{
    for (int i = 0; i < BENCHMARK_BLOCK; i++) {
        __asm__ volatile("" : "+r"(list));
        object_incref(list);
        __asm__ volatile("" : "+r"(list) : : "memory");
        object_decref(runtime, list);
    }
}

static void benchmark_count_theirs(PyObject *list)
{
    for (int i = 0; i < BENCHMARK_BLOCK; i++) {
        __asm__ volatile("" : "+r"(list));
        Py_INCREF(list);
        __asm__ volatile("" : "+r"(list) : : "memory");
        Py_DECREF(list);
    }
}

static double benchmark_sooner(double best, uint64_t start, uint64_t end)
{
    double time = (double)(end - start) / BENCHMARK_BLOCK;
    return best == 0 || time < best ? time : best;
}

/* The fastest of several blocks in turn, for each round: a processor that forwards a store to the
 * next load for nothing does so at some times and not at others, to ours and to theirs. */
static void benchmark_run_counts(struct benchmark *benchmark)
{
    double ours[BENCHMARK_ROUNDS_MAX] = {0};
    double theirs[BENCHMARK_ROUNDS_MAX] = {0};
    struct runtime *runtime = benchmark->runtime;
    struct object *our_list = list_new(runtime);
    PyObject *their_list = PyList_New(0);
    for (int round = 0; round < benchmark->rounds; round++) {
        for (int block = 0; block < BENCHMARK_BLOCKS; block++) {
            uint64_t start = clock_thread_cpu_ns();
            benchmark_count_ours(runtime, our_list);
            uint64_t middle = clock_thread_cpu_ns();
            benchmark_count_theirs(their_list);
            uint64_t end = clock_thread_cpu_ns();
            ours[round] = benchmark_sooner(ours[round], start, middle);
            theirs[round] = benchmark_sooner(theirs[round], middle, end);
        }
    }
    benchmark_report("incref+decref", ours, theirs, benchmark->rounds);
    object_decref(runtime, our_list);
    Py_DECREF(their_list);
}

/* A list that is let go at once: with an item in a vector, or empty. */
static void benchmark_run_small(struct benchmark *benchmark, const char *name, bool filled)
{
    double ours[BENCHMARK_ROUNDS_MAX];
    double theirs[BENCHMARK_ROUNDS_MAX];
    struct runtime *runtime = benchmark->runtime;
    struct object *our_item = int_new(runtime, 0);
    PyObject *their_item = PyLong_FromLong(0);
    struct benchmark few = *benchmark;
    few.count = BENCHMARK_BESIDE;
    struct object *our_others = ours_lists(&few);
    PyObject *their_others = theirs_lists(&few);
    for (int round = 0; round < benchmark->rounds; round++) {
        uint64_t start = clock_thread_cpu_ns();
        for (int i = 0; i < BENCHMARK_SMALL; i++) {
            struct object *list = filled ? ours_node(runtime, our_item) : list_new(runtime);
            object_decref(runtime, list);
        }
        uint64_t middle = clock_thread_cpu_ns();
        for (int i = 0; i < BENCHMARK_SMALL; i++) {
            PyObject *list = filled ? theirs_node(their_item) : PyList_New(0);
            Py_DECREF(list);
        }
        uint64_t end = clock_thread_cpu_ns();
        ours[round] = (double)(middle - start) / BENCHMARK_SMALL;
        theirs[round] = (double)(end - middle) / BENCHMARK_SMALL;
    }
    benchmark_report(name, ours, theirs, benchmark->rounds);
    object_decref(runtime, our_others);
    Py_DECREF(their_others);
    object_decref(runtime, our_item);
    Py_DECREF(their_item);
}

static bool benchmark_is_wanted(const struct benchmark *benchmark, const char *name)
{
    return benchmark->wanted == NULL || strstr(name, benchmark->wanted) != NULL;
}

static void benchmark_run_mutator(struct benchmark *benchmark)
{
    if (benchmark_is_wanted(benchmark, "incref+decref")) {
        benchmark_run_counts(benchmark);
    }
    if (benchmark_is_wanted(benchmark, "list of one")) {
        benchmark_run_small(benchmark, "list of one", true);
    }
    if (benchmark_is_wanted(benchmark, "empty list")) {
        benchmark_run_small(benchmark, "empty list", false);
    }
}

static bool benchmark_open(struct benchmark *benchmark, int argc, char **argv)
{
    static const struct heap_options options;
    benchmark->count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    benchmark->rounds = argc > 2 ? atoi(argv[2]) : 9;
    benchmark->wanted = argc > 3 ? argv[3] : NULL;
    if (benchmark->count < 2 || benchmark->rounds < 1 || benchmark->rounds > BENCHMARK_ROUNDS_MAX) {
        fprintf(stderr, "usage: gc-benchmark [OBJECTS [ROUNDS, at most %d [CASE]]]\n",
                BENCHMARK_ROUNDS_MAX);
        return false;
    }
    benchmark->order = calloc(benchmark->count, sizeof(*benchmark->order));
    benchmark->ours = calloc(benchmark->count, sizeof(struct object *));
    benchmark->theirs = calloc(benchmark->count, sizeof(PyObject *));
    if (benchmark->order == NULL || benchmark->ours == NULL || benchmark->theirs == NULL ||
        heap_open(&benchmark->heap, &options, NULL) != STATUS_OK) {
        return false;
    }
    struct rng rng;
    rng_seed(&rng, 1);
    for (size_t i = 0; i < benchmark->count; i++) {
        benchmark->order[i] = (uint32_t)i;
    }
    rng_shuffle_u32(&rng, benchmark->order, benchmark->count);
    benchmark->runtime = runtime_open(&benchmark->heap, NULL);
    Py_InitializeEx(0);
    PyGC_Disable();
    return benchmark->runtime != NULL;
}

int main(int argc, char **argv)
{
    static const struct benchmark_shape shapes[] = {
        {"lists", ours_lists, theirs_lists, false},
        {"linked", ours_linked, theirs_linked, false},
        {"linked_shuffled", ours_shuffled, theirs_shuffled, false},
        {"dead pairs", ours_pairs, theirs_pairs, true},
        {"dead_shuffled", ours_dead_ring, theirs_dead_ring, true},
    };
    static struct benchmark benchmark;
    if (!benchmark_open(&benchmark, argc, argv)) {
        return 2;
    }
    gc_enable(benchmark.runtime, false);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (benchmark_is_wanted(&benchmark, shapes[i].name)) {
            benchmark_run_shape(&benchmark, &shapes[i]);
        }
    }
    benchmark_run_mutator(&benchmark);
    uint64_t leaked = runtime_close(benchmark.runtime);
    heap_close(&benchmark.heap);
    free(benchmark.order);
    free(benchmark.ours);
    free(benchmark.theirs);
    return leaked == 0 && Py_FinalizeEx() == 0 ? 0 : 1;
}
