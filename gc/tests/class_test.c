/* Classes: bases, attributes, what is inherited, and classes in cycles. */
#include "gc/class.h"

#include "gc/introspect.h"
#include "gc/tests/gc_test.h"
#include "gc/weakref.h"

static int class_calls[2]; /* by context */
static int class_contexts[2] = {0, 1};

static void class_finalize(struct runtime *runtime, struct object *self, void *context)
{
    (void)runtime;
    (void)self;
    class_calls[*(int *)context]++;
}

static struct runtime *class_begin(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    class_calls[0] = class_calls[1] = 0;
    gc_enable(runtime, false);
    return runtime;
}

static void test_attributes_are_looked_up_along_the_bases(void **state)
{
    struct runtime *runtime = class_begin(state);
    struct object *name = str_intern(runtime, "x", 1);
    struct object *values[] = {int_new(runtime, 1), int_new(runtime, 2), int_new(runtime, 3)};
    struct object *base = class_new(runtime, "Base", NULL);
    struct object *middle = class_new_derived(runtime, "Middle", base, NULL);
    struct object *derived = class_new_derived(runtime, "Derived", middle, NULL);
    struct object *instance = class_instance_new(runtime, derived);
    assert_null(class_attribute(derived, name));
    assert_null(instance_attribute(instance, name));
    assert_true(class_set_attribute(runtime, base, name, values[0]));
    assert_ptr_equal(class_attribute(derived, name), values[0]);
    assert_ptr_equal(instance_attribute(instance, name), values[0]);
    assert_true(class_set_attribute(runtime, middle, name, values[1]));
    assert_ptr_equal(instance_attribute(instance, name), values[1]);
    assert_ptr_equal(class_attribute(base, name), values[0]);
    assert_true(instance_set_attribute(runtime, instance, name, values[2]));
    assert_ptr_equal(instance_attribute(instance, name), values[2]);
    assert_true(instance_delete_attribute(runtime, instance, name));
    assert_true(class_delete_attribute(runtime, middle, name));
    assert_false(class_delete_attribute(runtime, derived, name));
    assert_ptr_equal(instance_attribute(instance, name), values[0]);
    assert_int_equal(gc_check(runtime), 0);
    for (int i = 0; i < 3; i++) {
        object_decref(runtime, values[i]);
    }
    object_decref(runtime, instance);
    object_decref(runtime, derived);
    object_decref(runtime, middle);
    object_decref(runtime, base);
    object_decref(runtime, name);
}

static void test_ancestors(void **state)
{
    struct runtime *runtime = class_begin(state);
    struct object *base = class_new(runtime, "Base", NULL);
    struct object *derived = class_new_derived(runtime, "Derived", base, NULL);
    struct object *instance = class_instance_new(runtime, derived);
    assert_null(class_base(base));
    assert_ptr_equal(class_base(derived), base);
    assert_true(class_is_derived(derived, base));
    assert_true(class_is_derived(base, base));
    assert_false(class_is_derived(base, derived));
    assert_ptr_equal(class_of_instance(instance), derived);
    assert_string_equal(str_bytes(instance_class_name(instance)), "Derived");
    assert_true(object_is(derived, &class_type));
    object_decref(runtime, base); /* kept by the derived one, */
    object_decref(runtime, derived);
    assert_ptr_equal(class_base(class_of_instance(instance)), base); /* and that by its instance */
    object_decref(runtime, instance);
}

/* A finalizer that is not overridden is the base's, with the base's context. */
static void test_finalizers_are_inherited(void **state)
{
    struct runtime *runtime = class_begin(state);
    struct class_hooks of_base = {.finalize = class_finalize, .context = &class_contexts[0]};
    struct class_hooks of_derived = {.finalize = class_finalize, .context = &class_contexts[1]};
    struct class_hooks nothing = {.context = &class_contexts[1], .without_weakrefs = true};
    struct object *base = class_new(runtime, "Base", &of_base);
    struct object *inherits = class_new_derived(runtime, "Inherits", base, &nothing);
    struct object *overrides = class_new_derived(runtime, "Overrides", base, &of_derived);
    struct object *instance = class_instance_new(runtime, inherits);
    assert_true(weakref_is_allowed(instance)); /* the base allows it */
    object_decref(runtime, instance);
    assert_int_equal(class_calls[0], 1);
    object_decref(runtime, class_instance_new(runtime, overrides));
    assert_int_equal(class_calls[0], 1);
    assert_int_equal(class_calls[1], 1);
    object_decref(runtime, overrides);
    object_decref(runtime, inherits);
    object_decref(runtime, base);
}

/* class.me = instance of it, base.derived = class: what every class statement with a method makes
 * in Python, where a function refers to its class. */
static void test_a_class_in_a_cycle_is_collected(void **state)
{
    struct runtime *runtime = class_begin(state);
    struct class_hooks hooks = {.finalize = class_finalize, .context = &class_contexts[0]};
    struct object *name = str_intern(runtime, "me", 2);
    struct object *base = class_new(runtime, "Base", &hooks);
    struct object *derived = class_new_derived(runtime, "Derived", base, NULL);
    struct object *instance = class_instance_new(runtime, derived);
    struct object *weakref = weakref_new(runtime, derived, NULL);
    assert_true(class_set_attribute(runtime, derived, name, instance));
    assert_true(class_set_attribute(runtime, base, name, derived));
    object_decref(runtime, instance);
    object_decref(runtime, derived);
    assert_int_equal(gc_collect(runtime, 2), 0);
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, base);
    gc_collect(runtime, 2);
    assert_null(weakref_get(runtime, weakref));
    assert_int_equal(class_calls[0], 1);
    object_decref(runtime, weakref);
    object_decref(runtime, name);
}

int class_test(void)
{
    const struct CMUnitTest class_tests[] = {
        GC_TEST(test_attributes_are_looked_up_along_the_bases),
        GC_TEST(test_ancestors),
        GC_TEST(test_finalizers_are_inherited),
        GC_TEST(test_a_class_in_a_cycle_is_collected),
    };
    return cmocka_run_group_tests(class_tests, NULL, NULL);
}
