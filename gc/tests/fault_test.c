/* Every allocation of a scenario refused in turn: nothing leaks, nothing half-done is seen. */
#include <stdlib.h>
#include <string.h>

#include "gc/tests/gc_test.h"

/* Appends count fresh lists. On a refusal the length is what was appended. */
static bool fault_fill_list(struct runtime *runtime, struct object *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct object *item = list_new(runtime);
        if (item == NULL) {
            return false;
        }
        bool appended = list_append(runtime, list, item);
        assert_int_equal(object_getrefcount(item), appended ? 2 : 1);
        object_decref(runtime, item);
        assert_int_equal(list_length(list), appended ? i + 1 : i);
        if (!appended) {
            return false;
        }
    }
    return true;
}

/* Pops shrink the vector; a refused shrinkage is no failure. */
static void fault_drain_list(struct runtime *runtime, struct object *list)
{
    for (size_t length = list_length(list); length > 0; length--) {
        object_decref(runtime, list_pop(runtime, list));
        assert_int_equal(list_length(list), length - 1);
    }
}

/* Sets keys 1000 to 1000 + count − 1, each to the dict itself: a cycle. */
static bool fault_fill_dict(struct runtime *runtime, struct object *dict, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct object *key = int_new(runtime, 1000 + (int64_t)i);
        if (key == NULL) {
            return false;
        }
        int64_t before = object_getrefcount(dict);
        bool set = dict_set(runtime, dict, key, dict);
        assert_int_equal(object_getrefcount(key), set ? 2 : 1);
        assert_int_equal(object_getrefcount(dict), set ? before + 1 : before);
        assert_int_equal(dict_length(dict), set ? i + 1 : i);
        assert_true(dict_get(dict, key) == (set ? dict : NULL));
        object_decref(runtime, key);
        if (!set) {
            return false;
        }
    }
    return true;
}

/* An instance that refers to itself and to a tuple of strings. */
static bool fault_make_instance(struct runtime *runtime)
{
    struct object *name = str_intern(runtime, "fault", 5);
    struct object *text = str_new(runtime, "text", 4);
    struct object *instance = name == NULL ? NULL : instance_new(runtime, name);
    struct object *tuple = tuple_new(runtime, 2);
    bool done = text != NULL && instance != NULL && tuple != NULL;
    if (done) {
        tuple_give_item(tuple, 0, object_incref(text));
        bool set = instance_set_attribute(runtime, instance, name, instance);
        assert_true(instance_attribute(instance, name) == (set ? instance : NULL));
        done = set && instance_set_attribute(runtime, instance, text, tuple);
    }
    object_xdecref(runtime, tuple);
    object_xdecref(runtime, instance);
    object_xdecref(runtime, text);
    object_xdecref(runtime, name);
    return done;
}

static bool fault_scenario(struct runtime *runtime)
{
    static const int thresholds[GC_GENERATIONS] = {20, 2, 2};
    gc_set_threshold(runtime, thresholds); /* collections in between, which allocate nothing */
    struct object *list = list_new(runtime);
    struct object *dict = list == NULL ? NULL : dict_new(runtime);
    struct object *real = dict == NULL ? NULL : float_new(runtime, 1.5);
    bool done = real != NULL && fault_fill_list(runtime, list, 60) &&
                fault_fill_dict(runtime, dict, 60) && fault_make_instance(runtime);
    if (list != NULL) {
        fault_drain_list(runtime, list);
    }
    object_xdecref(runtime, real);
    object_xdecref(runtime, dict);
    object_xdecref(runtime, list);
    return done;
}

/* Runs the scenario with the calls from first to last refused. Returns the number of calls. */
static uint64_t fault_run(uint64_t first, uint64_t last)
{
    static const struct heap_options options;
    static struct gc_fixture fixture;
    memset(&fixture, 0, sizeof(fixture));
    heap_faults = (struct heap_faults){.calls = 0, .first = first, .last = last};
    if (gc_test_open(&fixture, &options)) {
        bool done = fault_scenario(fixture.runtime);
        uint64_t calls = heap_faults.calls;
        assert_int_equal(gc_check(fixture.runtime), 0);
        heap_faults = (struct heap_faults){0};
        assert_int_equal(gc_test_close(&fixture), 0);
        assert_true(done || calls >= first);
        return calls;
    }
    uint64_t calls = heap_faults.calls;
    heap_faults = (struct heap_faults){0};
    assert_int_equal(heap_probe.live_bytes,
                     fixture.bytes_at_start); /* whatever the runtime had made is freed */
    return calls;
}

static void test_each_call_refused_alone(void **state)
{
    (void)state;
    uint64_t call = 1;
    while (fault_run(call, call) >= call) {
        call++;
    }
    /* Small ints, lists and their vectors, ints and tables: it really went through all of them. */
    assert_true(call > 262 + 60 + 60);
}

static void test_every_call_from_one_on_refused(void **state)
{
    (void)state;
    uint64_t calls = fault_run(0, 0);
    for (uint64_t call = 1; call <= calls; call++) {
        (void)fault_run(call, UINT64_MAX);
    }
}

/* ---------------------------------------------------------------- the system refuses */
struct fault_os {
    uint64_t calls;
    uint64_t first; /* this call and all later ones are refused */
};

static void *fault_os_alloc(void *context, size_t size)
{
    struct fault_os *os = context;
    return ++os->calls >= os->first ? NULL : malloc(size);
}

/* Aligned to a page, as mmap would; the default unmap would not do for it. A back end that reserves
 * address space is to ask for less than a sanitizer's malloc would end the program for. */
static void *fault_os_map(void *context, size_t size)
{
    struct fault_os *os = context;
    if (size > (size_t)9 << 30) { /* bump has 8 GiB, and cannot do with less */
        return NULL;
    }
    return ++os->calls >= os->first ? NULL : aligned_alloc(4096, heap_round_up(size, 4096));
}

static void fault_os_unmap(void *context, void *address, size_t size)
{
    (void)context;
    (void)size;
    free(address);
}

static void *fault_os_resize(void *context, void *block, size_t size)
{
    struct fault_os *os = context;
    return ++os->calls >= os->first ? NULL : realloc(block, size);
}

static void fault_os_free(void *context, void *block)
{
    (void)context;
    free(block);
}

/* Lists of 20 floats until the system refuses, some 4 MiB otherwise: small blocks by the arena, and
 * one vector that grows among the large ones. */
static bool fault_grow(struct runtime *runtime, struct object *all)
{
    for (int i = 0; i < 5000; i++) {
        struct object *list = list_new(runtime);
        if (list == NULL) {
            return false;
        }
        bool appended = list_append(runtime, all, list);
        object_decref(runtime, list);
        for (int j = 0; j < 20 && appended; j++) {
            struct object *item = float_new(runtime, j);
            appended = item != NULL && list_append(runtime, list, item);
            object_xdecref(runtime, item);
        }
        if (!appended) {
            return false;
        }
    }
    return true;
}

static void test_system_refuses_memory(void **state)
{
    (void)state;
    static struct gc_fixture fixture;
    struct fault_os os = {.first = 1};
    struct heap_options options = {.os = {.map = fault_os_map,
                                          .unmap = fault_os_unmap,
                                          .alloc = fault_os_alloc,
                                          .resize = fault_os_resize,
                                          .free = fault_os_free,
                                          .context = &os}};
    bool done = false;
    while (!done) {
        memset(&fixture, 0, sizeof(fixture));
        os.calls = 0;
        if (gc_test_open(&fixture, &options)) {
            struct object *all = list_new(fixture.runtime);
            done = all != NULL && fault_grow(fixture.runtime, all);
            object_xdecref(fixture.runtime, all);
            assert_int_equal(gc_test_close(&fixture), 0);
        }
        assert_true(done || os.calls >= os.first);
        os.first += 1 + os.first / 16; /* each of the first, then a sample of the thousands */
    }
}

int fault_test(void)
{
    const struct CMUnitTest fault_tests[] = {
        cmocka_unit_test(test_each_call_refused_alone),
        cmocka_unit_test(test_every_call_from_one_on_refused),
        cmocka_unit_test(test_system_refuses_memory),
    };
    return cmocka_run_group_tests(fault_tests, NULL, NULL);
}
