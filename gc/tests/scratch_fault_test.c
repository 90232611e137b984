/* The system refuses memory for the object layer's own tables: each request in turn, under each
 * collector. Nothing may leak or break; what needs the table is put off, or done without. */
#include <stdio.h>

#include "gc/finalizers.h"
#include "gc/runtime.h"
#include "gc/tests/scenario.h"

enum {
    SCRATCH_LISTS = 20000,   /* more than the tables of containers first have room for */
    SCRATCH_STRINGS = 3000,  /* and than the table of interned strings has buckets for */
    SCRATCH_IMMORTALS = 600, /* more than one table of them */
    SCRATCH_REQUESTS_MIN = 10,
    SCRATCH_FINALIZERS = 10000, /* more than two tables of put-off objects have room for */
};

/* Lists in pairs that refer to each other, half of the pairs held by the one that is returned. */
static struct object *scratch_make_graph(struct runtime *runtime)
{
    struct object *root = list_new(runtime);
    for (int i = 0; root != NULL && i < SCRATCH_LISTS; i += 2) {
        struct object *one = list_new(runtime), *other = list_new(runtime);
        if (one != NULL && other != NULL && list_append(runtime, one, other) &&
            list_append(runtime, other, one) && i % 4 == 0) {
            (void)list_append(runtime, root, one);
        }
        object_xdecref(runtime, one);
        object_xdecref(runtime, other);
    }
    return root;
}

static struct object *scratch_make_atoms(struct runtime *runtime)
{
    struct object *atoms = list_new(runtime);
    for (int i = 0; atoms != NULL && i < SCRATCH_STRINGS; i++) {
        char text[16];
        int length = snprintf(text, sizeof(text), "atom %d", i);
        struct object *atom = str_intern(runtime, text, (size_t)length);
        if (atom != NULL) {
            if (i < SCRATCH_IMMORTALS) {
                (void)object_immortalize(runtime, atom);
            }
            (void)list_append(runtime, atoms, atom);
            object_decref(runtime, atom);
        }
    }
    return atoms;
}

static void scratch_work(struct runtime *runtime)
{
    struct object *graph = scratch_make_graph(runtime);
    struct object *atoms = scratch_make_atoms(runtime);
    for (int generation = 0; generation < GC_GENERATIONS; generation++) {
        gc_collect(runtime, generation);
    }
    assert_int_equal(gc_check(runtime), 0);
    struct object *more = scratch_make_graph(runtime);
    object_xdecref(runtime, graph);
    object_xdecref(runtime, more);
    object_xdecref(runtime, atoms);
}

/* Opens, works and closes with the requests from first to last refused. Returns their number. */
static uint64_t scratch_run(const struct gc_policy *policy, uint64_t first, uint64_t last)
{
    static const struct heap_options options;
    static struct heap heap;
    uint64_t mapped = gc_test_scratch.mapped_bytes;
    assert_int_equal(heap_open(&heap, &options, NULL), STATUS_OK);
    gc_test_scratch.calls = 0;
    gc_test_scratch.first = first;
    gc_test_scratch.last = last;
    struct error error = {.message = ""};
    struct runtime *runtime = runtime_open_with(&heap, policy, &error);
    if (runtime != NULL) {
        scratch_work(runtime);
    } else {
        assert_true(error.message[0] != '\0' && gc_test_scratch.calls >= first);
    }
    uint64_t calls = gc_test_scratch.calls;
    gc_test_scratch.first = gc_test_scratch.last = 0;
    if (runtime != NULL) {
        /* With memory again everything is found. */
        for (int i = 0; i < 2; i++) {
            gc_collect(runtime, GC_GENERATIONS - 1);
        }
        assert_int_equal(gc_check(runtime), 0);
        assert_int_equal(runtime_close(runtime), 0);
    }
    assert_int_equal(heap_check(&heap), 0);
    heap_close(&heap);
    assert_int_equal(gc_test_scratch.mapped_bytes, mapped);
    return calls;
}

static void test_each_request_refused(void **state)
{
    (void)state;
    uint64_t call = 1;
    while (scratch_run(gc_test_policy(), call, call) >= call) {
        call++;
    }
    assert_true(call > SCRATCH_REQUESTS_MIN);
}

static void test_all_from_one_on_refused(void **state)
{
    (void)state;
    uint64_t calls = scratch_run(gc_test_policy(), 0, 0);
    for (uint64_t call = 1; call <= calls; call++) {
        (void)scratch_run(gc_test_policy(), call, UINT64_MAX);
    }
}

/* ---------------------------------------------------------------- put off */
static void scratch_finalize(struct runtime *runtime, struct object *self, void *context)
{
    (void)runtime;
    (void)self;
    ++*(uint64_t *)context;
}

/* As many objects with finalizers as that die while deallocations nest as deep as they may, with
 * the requests from `refused` on refused (0: none). Returns how many requests there were. */
static uint64_t scratch_die_deep_down(struct runtime *runtime, struct object *class,
                                      uint64_t refused)
{
    static struct object *instances[SCRATCH_FINALIZERS];
    for (int i = 0; i < SCRATCH_FINALIZERS; i++) {
        instances[i] = class_instance_new(runtime, class);
    }
    uint64_t before = gc_test_scratch.calls;
    gc_test_scratch.first = before + refused;
    gc_test_scratch.last = refused == 0 ? 0 : UINT64_MAX;
    runtime->dealloc_depth = RUNTIME_DEALLOC_DEPTH_MAX;
    for (int i = 0; i < SCRATCH_FINALIZERS; i++) {
        object_decref(runtime, instances[i]);
    }
    runtime->dealloc_depth = 0;
    gc_test_scratch.last = 0;
    return gc_test_scratch.calls - before;
}

/* Deep down, finalizers wait in a table that grows; refused, they run where they are. Each once. */
static void test_many_finalizers_deep_down(void **state)
{
    struct gc_fixture *fixture = *state;
    gc_enable(fixture->runtime, false);
    uint64_t finalized = 0, requests = 1;
    const struct class_hooks hooks = {.finalize = scratch_finalize, .context = &finalized};
    struct object *class = class_new(fixture->runtime, "Deep", &hooks);
    for (uint64_t refused = 0; refused <= requests; refused++) {
        finalized = 0;
        uint64_t made = scratch_die_deep_down(fixture->runtime, class, refused);
        requests = refused == 0 ? made : requests;
        assert_true((finalized == 0) == (refused == 0)); /* put off */
        assert_true(finalized < SCRATCH_FINALIZERS || refused == 1);
        object_decref(fixture->runtime, class_instance_new(fixture->runtime, class));
        assert_int_equal(finalized, SCRATCH_FINALIZERS + 1); /* the last one brought them up */
        finalizers_close(fixture->runtime); /* the next one begins without a table */
        assert_int_equal(gc_check(fixture->runtime), 0);
    }
    assert_true(requests >= 2);
    object_decref(fixture->runtime, class);
}

/* Without memory for the counts nothing is verified, and that is said. */
static void test_check_without_memory(void **state)
{
    struct gc_fixture *fixture = *state;
    struct object *root = list_new(fixture->runtime);
    for (int i = 0; i < 1000; i++) {
        struct object *list = list_new(fixture->runtime);
        assert_true(list_append(fixture->runtime, root, list));
        object_decref(fixture->runtime, list);
    }
    assert_int_equal(gc_check(fixture->runtime), 0);
    for (uint64_t granted = 0; granted < 2; granted++) { /* none, or too small a one */
        gc_test_scratch.limits_maps = true;
        gc_test_scratch.maps_left = granted;
        assert_int_equal(gc_check(fixture->runtime), 1);
        gc_test_scratch.limits_maps = false;
    }
    assert_int_equal(gc_check(fixture->runtime), 0);
    object_decref(fixture->runtime, root);
}

/* Where the system refuses much address space, a registry of 65536 entries will do: fourteen
 * halvings of 2^30. */
static void test_a_registry_makes_do_with_little(void **state)
{
    enum { HALVINGS = 14, LEAST = 1 << 16, CALLS_BEFORE_MAX = 16 };
    struct gc_fixture *fixture = *state;
    uint32_t limit = 0;
    for (uint64_t before = 0; before <= CALLS_BEFORE_MAX && limit == 0; before++) {
        gc_test_scratch.calls = 0;
        gc_test_scratch.first = before + 1;
        gc_test_scratch.last = before + HALVINGS;
        struct runtime *runtime = runtime_open_with(&fixture->heap, gc_test_policy(), NULL);
        gc_test_scratch.first = gc_test_scratch.last = 0;
        if (runtime != NULL) {
            limit = runtime->collector.registry.limit;
            assert_int_equal(runtime_close(runtime), 0);
        }
    }
    assert_int_equal(limit, LEAST);
}

int scratch_fault_test(void)
{
    const struct CMUnitTest scratch_fault_tests[] = {
        cmocka_unit_test(test_each_request_refused),
        cmocka_unit_test(test_all_from_one_on_refused),
        GC_TEST(test_many_finalizers_deep_down),
        GC_TEST(test_check_without_memory),
        GC_TEST(test_a_registry_makes_do_with_little),
    };
    return cmocka_run_group_tests(scratch_fault_tests, NULL, NULL);
}
