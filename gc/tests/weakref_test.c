/* Weak references to what dies by its count. (What the collector does with them: trash_test.c.) */
#include "gc/class.h"
#include "gc/tests/gc_test.h"
#include "gc/weakref.h"

/* What callbacks saw, in order. */
struct weakref_log {
    struct object *weakrefs[8];
    int64_t values[8]; /* the contexts', which are ints or NULL */
    size_t length;
};
static struct weakref_log weakref_log;

static void weakref_note(struct runtime *runtime, struct object *weakref, struct object *owned,
                         void *context)
{
    (void)context;
    (void)runtime;
    assert_null(weakref_get(runtime, weakref));
    assert_true(weakref_log.length < 8);
    weakref_log.weakrefs[weakref_log.length] = weakref;
    weakref_log.values[weakref_log.length++] = owned == NULL ? -1 : int_value(owned);
}

static const struct weakref_hooks weakref_notes = {.callback = weakref_note};

static struct runtime *weakref_begin(void **state)
{
    weakref_log = (struct weakref_log){.length = 0};
    return ((struct gc_fixture *)*state)->runtime;
}

static struct object *weakref_instance(struct runtime *runtime)
{
    struct object *class = class_new(runtime, "Referent", NULL);
    struct object *instance = class_instance_new(runtime, class);
    object_decref(runtime, class);
    return instance;
}

static void test_get_while_alive_and_after(void **state)
{
    struct runtime *runtime = weakref_begin(state);
    struct object *instance = weakref_instance(runtime);
    struct object *weakref = weakref_new(runtime, instance, NULL);
    assert_int_equal(object_getrefcount(instance), 1);
    struct object *got = weakref_get(runtime, weakref);
    assert_ptr_equal(got, instance);
    assert_int_equal(object_getrefcount(instance), 2);
    object_decref(runtime, instance);
    assert_int_equal(weakref_count(got), 1);
    object_decref(runtime, got);
    assert_null(weakref_get(runtime, weakref));
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, weakref);
}

static void test_which_types_allow_them(void **state)
{
    static const struct class_hooks slots = {.without_weakrefs = true};
    struct runtime *runtime = weakref_begin(state);
    struct object *name = str_intern(runtime, "Plain", 5);
    struct object *class = class_new(runtime, "Slots", &slots);
    struct object *objects[] = {list_new(runtime),           tuple_new(runtime, 1),
                                dict_new(runtime),           float_new(runtime, 1),
                                instance_new(runtime, name), class_instance_new(runtime, class),
                                weakref_instance(runtime),   object_incref(class)};
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(weakref_is_allowed(objects[i]), i >= 6);
        assert_int_equal(weakref_count(objects[i]), 0);
        object_decref(runtime, objects[i]);
    }
    object_decref(runtime, class);
    object_decref(runtime, name);
}

static void test_without_callback_one_is_shared(void **state)
{
    struct runtime *runtime = weakref_begin(state);
    struct object *instance = weakref_instance(runtime);
    struct object *first = weakref_new(runtime, instance, NULL);
    struct object *other = weakref_new(runtime, instance, &weakref_notes);
    struct object *again = weakref_new(runtime, instance, NULL);
    struct object *another = weakref_new(runtime, instance, &weakref_notes);
    assert_ptr_equal(first, again);
    assert_ptr_not_equal(other, another);
    assert_int_equal(weakref_count(instance), 3);
    object_decref(runtime, first);
    object_decref(runtime, again);
    object_decref(runtime, other);
    assert_int_equal(weakref_count(instance), 1);
    object_decref(runtime, another);
    assert_int_equal(weakref_count(instance), 0);
    object_decref(runtime, instance);
    assert_int_equal(weakref_log.length, 0);
}

static void test_callbacks_newest_first(void **state)
{
    struct runtime *runtime = weakref_begin(state);
    struct object *instance = weakref_instance(runtime);
    struct object *weakrefs[3];
    for (int i = 0; i < 3; i++) {
        struct object *context = int_new(runtime, 1000 + i);
        weakrefs[i] = weakref_new(
            runtime, instance, &(struct weakref_hooks){.callback = weakref_note, .owned = context});
        assert_int_equal(object_getrefcount(context), 2);
        object_decref(runtime, context);
    }
    object_decref(runtime, weakrefs[1]); /* dead before its referent: never called */
    object_decref(runtime, instance);
    assert_int_equal(weakref_log.length, 2);
    assert_ptr_equal(weakref_log.weakrefs[0], weakrefs[2]);
    assert_int_equal(weakref_log.values[0], 1002);
    assert_int_equal(weakref_log.values[1], 1000);
    object_decref(runtime, weakrefs[0]);
    object_decref(runtime, weakrefs[2]);
    assert_int_equal(weakref_log.length, 2);
}

/* The callback drops the other weak reference to the same referent: it is not called, and not
 * freed under the caller's hands. */
static struct object *weakref_victim;
static void weakref_drop_victim(struct runtime *runtime, struct object *weakref,
                                struct object *owned, void *context)
{
    weakref_note(runtime, weakref, owned, context);
    object_xdecref(runtime, weakref_victim);
    weakref_victim = NULL;
}

static void test_callback_drops_a_sibling(void **state)
{
    struct runtime *runtime = weakref_begin(state);
    struct object *instance = weakref_instance(runtime);
    weakref_victim = weakref_new(runtime, instance, &weakref_notes);
    struct object *weakref =
        weakref_new(runtime, instance, &(struct weakref_hooks){.callback = weakref_drop_victim});
    object_decref(runtime, instance);
    /* Both were to be called when the referent died: the second is kept for its call. */
    assert_int_equal(weakref_log.length, 2);
    object_decref(runtime, weakref);
}

/* A callback that allocates enough to collect, and makes garbage itself. */
static void weakref_allocate(struct runtime *runtime, struct object *weakref, struct object *owned,
                             void *context)
{
    weakref_note(runtime, weakref, owned, context);
    for (int i = 0; i < 2000; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, list, list));
        object_decref(runtime, list);
    }
}

static void test_callback_collects(void **state)
{
    struct runtime *runtime = weakref_begin(state);
    struct object *instance = weakref_instance(runtime);
    struct object *weakref =
        weakref_new(runtime, instance, &(struct weakref_hooks){.callback = weakref_allocate});
    object_decref(runtime, instance);
    assert_int_equal(weakref_log.length, 1);
    object_decref(runtime, weakref);
    gc_collect(runtime, 2);
}

/* The context holds the referent: a cycle that the weak reference is no part of. */
static void test_context_keeps_what_it_holds(void **state)
{
    struct runtime *runtime = weakref_begin(state);
    struct object *instance = weakref_instance(runtime);
    struct object *holder = list_new(runtime);
    struct object *weakref = weakref_new(
        runtime, instance, &(struct weakref_hooks){.callback = weakref_note, .owned = holder});
    assert_true(list_append(runtime, holder, instance));
    object_decref(runtime, holder);
    object_decref(runtime, instance);
    assert_int_equal(gc_check(runtime), 0);
    assert_int_equal(gc_collect(runtime, 2), 0);
    struct object *got = weakref_get(runtime, weakref);
    assert_non_null(got);
    object_decref(runtime, got);
    object_decref(runtime, weakref); /* and so dies all of it; there is nobody to call */
    assert_int_equal(weakref_log.length, 0);
}

int weakref_test(void)
{
    const struct CMUnitTest weakref_tests[] = {
        GC_TEST(test_get_while_alive_and_after),      GC_TEST(test_which_types_allow_them),
        GC_TEST(test_without_callback_one_is_shared), GC_TEST(test_callbacks_newest_first),
        GC_TEST(test_callback_drops_a_sibling),       GC_TEST(test_callback_collects),
        GC_TEST(test_context_keeps_what_it_holds),
    };
    return cmocka_run_group_tests(weakref_tests, NULL, NULL);
}
