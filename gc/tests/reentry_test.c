/* Code that runs in mid-collection, as finalizers do, and what it may do: anything. */
#include <string.h>

#include "gc/tests/scenario.h"

static const struct class_hooks reentry_noting = {.finalize = scenario_finalize};

/* Instances tagged first, first + 1, … in a ring that nothing else refers to. */
static void reentry_make_ring(const struct class_hooks *hooks, int64_t first, size_t count)
{
    struct object *instances[8];
    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) {
        instances[i] = scenario_instance(hooks, first + (int64_t)i);
    }
    assert_true(scenario_drop_ring(instances, count));
}

/* Breaks the ring: the others die by their counts, and are finalized then. */
static void reentry_break_ring(struct runtime *runtime, struct object *self, void *context)
{
    scenario_finalize(runtime, self, context);
    (void)instance_delete_attribute(runtime, self, scenario.next);
}

static void test_finalizer_breaks_the_cycle(void **state)
{
    static const struct class_hooks hooks = {.finalize = reentry_break_ring};
    struct runtime *runtime = scenario_begin(state);
    reentry_make_ring(&hooks, 1, 8);
    gc_collect(runtime, 2);
    assert_int_equal(scenario_count(SCENARIO_FINALIZED), 8);
    assert_int_equal(gc_check(runtime), 0);
    scenario_end();
}

/* Collects, in vain, and makes enough to lengthen the registry; makes more garbage, too. */
static void reentry_collect_and_allocate(struct runtime *runtime, struct object *self,
                                         void *context)
{
    scenario_finalize(runtime, self, context);
    assert_int_equal(gc_collect(runtime, 2), 0);
    for (int i = 0; i < 20000; i++) {
        struct object *list = list_new(runtime);
        (void)list_append(runtime, list, list);
        if (i % 2 == 0) {
            list_clear(runtime, list);
        }
        object_decref(runtime, list);
    }
}

static void test_finalizers_collect_and_allocate(void **state)
{
    static const struct class_hooks hooks = {.finalize = reentry_collect_and_allocate};
    struct runtime *runtime = scenario_begin(state);
    gc_enable(runtime, true);
    reentry_make_ring(&hooks, 1, 3);
    gc_collect(runtime, 2);
    assert_int_equal(scenario_count(SCENARIO_FINALIZED), 3);
    assert_int_equal(gc_check(runtime), 0);
    assert_true(gc_collect(runtime, 2) <= 30000);
    assert_int_equal(scenario_count(SCENARIO_FINALIZED), 3);
    scenario_end();
}

/* Weak references that a finalizer makes to garbage are cut before it is freed, without a call. */
static struct object *reentry_late;
static void reentry_make_weakref(struct runtime *runtime, struct object *self, void *context)
{
    scenario_finalize(runtime, self, context);
    reentry_late = weakref_new(runtime, instance_attribute(self, scenario.next), &scenario_calls);
}

static void test_weakref_made_by_a_finalizer(void **state)
{
    static const struct class_hooks hooks = {.finalize = reentry_make_weakref};
    struct runtime *runtime = scenario_begin(state);
    struct object *pair[] = {scenario_instance(&hooks, 1), scenario_instance(NULL, 2)};
    assert_true(scenario_drop_ring(pair, 2));
    gc_collect(runtime, 2);
    assert_int_equal(scenario.events_length, 1);
    assert_null(weakref_get(runtime, reentry_late));
    object_decref(runtime, reentry_late);
    scenario_end();
}

/* The finalizer saves another object of the garbage than its own. */
static void reentry_save_next(struct runtime *runtime, struct object *self, void *context)
{
    scenario_finalize(runtime, self, context);
    (void)list_append(runtime, scenario.saved, instance_attribute(self, scenario.next));
    (void)instance_delete_attribute(runtime, self, scenario.next);
}

static void test_finalizer_saves_another(void **state)
{
    static const struct class_hooks hooks = {.finalize = reentry_save_next};
    struct runtime *runtime = scenario_begin(state);
    struct object *ring[] = {scenario_instance(&hooks, 1), scenario_instance(NULL, 2),
                             scenario_instance(NULL, 3)};
    assert_true(scenario_drop_ring(ring, 3));
    gc_collect(runtime, 2);
    struct object *saved = list_item(scenario.saved, 0);
    assert_int_equal(scenario_tag(saved), 2);
    assert_int_equal(scenario_tag(instance_attribute(saved, scenario.next)), 3);
    assert_int_equal(gc_check(runtime), 0);
    list_clear(runtime, scenario.saved);
    gc_collect(runtime, 2);
    scenario_end();
}

/* Looking at all containers in a finalizer shows none of the garbage. */
static int reentry_visit_see(struct object *object, void *context)
{
    return object == context;
}

static void reentry_look_around(struct runtime *runtime, struct object *self, void *context)
{
    scenario_finalize(runtime, self, context);
    assert_int_equal(gc_visit_objects(runtime, -1, reentry_visit_see, self), 0);
    assert_int_equal(gc_visit_referrers(runtime, self, reentry_visit_see, self), 0);
}

static void test_garbage_is_not_seen(void **state)
{
    static const struct class_hooks hooks = {.finalize = reentry_look_around};
    struct runtime *runtime = scenario_begin(state);
    reentry_make_ring(&hooks, 1, 3);
    gc_collect(runtime, 2);
    assert_int_equal(scenario.events_length, 3);
    scenario_end();
}

/* A weak reference that was garbage and comes back has been cut, though its referent is alive. */
static void test_saved_weakref_is_cut(void **state)
{
    static const struct class_hooks saving = {.finalize = scenario_resurrect};
    struct runtime *runtime = scenario_begin(state);
    struct object *living = scenario_instance(NULL, 1);
    struct object *weakref = weakref_new(runtime, living, &scenario_calls);
    struct object *ring[] = {scenario_instance(&saving, 2)};
    assert_true(instance_set_attribute(runtime, ring[0], scenario.other, weakref));
    object_decref(runtime, weakref);
    assert_true(scenario_drop_ring(ring, 1));
    gc_collect(runtime, 2);
    weakref = instance_attribute(list_item(scenario.saved, 0), scenario.other);
    assert_null(weakref_get(runtime, weakref));
    object_decref(runtime, living);
    assert_int_equal(scenario_count(SCENARIO_CALLED), 0);
    scenario_end();
}

/* The registry is full of holes when a finalizer makes it grow: it must not be compacted then, as
 * the garbage is known by its places. */
enum { REENTRY_HOLES = 20000 };
static void reentry_fill_registry(struct runtime *runtime, struct object *self, void *context)
{
    scenario_finalize(runtime, self, context);
    for (int i = 0; i < REENTRY_HOLES; i++) {
        struct object *list = list_new(runtime);
        (void)list_append(runtime, list, list);
        object_decref(runtime, list);
    }
}

static void test_registry_grows_amid_a_collection(void **state)
{
    static const struct class_hooks filling = {.finalize = reentry_fill_registry};
    static struct object *lists[REENTRY_HOLES];
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = scenario_begin(state);
    uint64_t before = gc_test_live(fixture);
    for (int i = 0; i < REENTRY_HOLES; i++) {
        lists[i] = list_new(runtime);
    }
    struct object *pair[] = {scenario_instance(&filling, 1), scenario_instance(&reentry_noting, 2)};
    gc_collect(runtime, 1); /* old by now, where places are not used again */
    for (int i = 0; i < REENTRY_HOLES; i++) {
        object_decref(runtime, lists[i]);
    }
    assert_true(scenario_drop_ring(pair, 2));
    uint64_t freed = gc_collect(runtime, 2);
    assert_true(freed >= 4 && freed <= 6); /* instances, their dicts, perhaps their classes */
    assert_int_equal(scenario.events_length, 2);
    assert_int_equal(gc_check(runtime), 0);
    assert_int_equal(gc_collect(runtime, 2), REENTRY_HOLES);
    assert_int_equal(gc_test_live(fixture), before);
    scenario_end();
}

/* Whose attributes a finalizer sets while somebody else is about to set its first one. */
static struct {
    struct object *target;
    bool is_being_set;
    int met;
} reentry_attributes;

static void reentry_set_first(struct runtime *runtime, struct object *self, void *context)
{
    (void)self;
    (void)context;
    if (reentry_attributes.is_being_set) {
        struct object *target = reentry_attributes.target;
        bool first = instance_attribute(target, scenario.other) == NULL;
        reentry_attributes.met +=
            first && instance_set_attribute(runtime, target, scenario.other, scenario.tag);
    }
}

#ifdef GC_THREADS /* a thread asks every GC_THREAD_BATCH containers, which need not be such a dict \
                   */
#define REENTRY_MEETS 0
#else
#define REENTRY_MEETS 1
#endif

/* The dict of attributes that is being made when a collection comes must not replace the one that
 * a finalizer has made meanwhile. */
static void test_finalizer_sets_the_first_attribute(void **state)
{
    enum { TARGETS = 4000 };
    static const struct class_hooks hooks = {.finalize = reentry_set_first};
    struct runtime *runtime = scenario_begin(state);
    struct object *class = class_new(runtime, "Target", NULL);
    gc_enable(runtime, true);
    memset(&reentry_attributes, 0, sizeof(reentry_attributes));
    for (int i = 0; i < TARGETS; i++) {
        reentry_make_ring(&hooks, i, 1);
        struct object *target = class_instance_new(runtime, class);
        int met = reentry_attributes.met;
        reentry_attributes.target = target;
        reentry_attributes.is_being_set = true;
        assert_true(instance_set_attribute(runtime, target, scenario.next, scenario.other));
        reentry_attributes.is_being_set = false;
        assert_ptr_equal(instance_attribute(target, scenario.next), scenario.other);
        struct object *other = instance_attribute(target, scenario.other);
        assert_ptr_equal(other, reentry_attributes.met > met ? scenario.tag : NULL);
        object_decref(runtime, target);
    }
    if (gc_test_policy() == gc_policy_default() && REENTRY_MEETS) {
        assert_true(reentry_attributes.met > 0);
    }
    object_decref(runtime, class);
    assert_int_equal(gc_check(runtime), 0);
    scenario_end();
}

int reentry_test(void)
{
    const struct CMUnitTest reentry_tests[] = {
        GC_TEST(test_finalizer_breaks_the_cycle),
        GC_TEST(test_finalizer_sets_the_first_attribute),
        GC_TEST(test_finalizers_collect_and_allocate),
        GC_TEST(test_weakref_made_by_a_finalizer),
        GC_TEST(test_finalizer_saves_another),
        GC_TEST(test_garbage_is_not_seen),
        GC_TEST(test_saved_weakref_is_cut),
        GC_TEST(test_registry_grows_amid_a_collection),
    };
    return cmocka_run_group_tests(reentry_tests, NULL, NULL);
}
