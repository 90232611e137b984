/* The program's code in mid-collection (gc/collector.h, "While the program's code runs"): it may
 * change whatever the collection works on. Behaviour is CPython 3.11's. */
#include <stdlib.h>
#include <string.h>

#include "gc/objects.h"
#include "gc/runtime.h"
#include "gc/tests/scenario.h"
#include "gc/trash.h"

/* ---------------------------------------------------------------- allocating */
enum {
    CALLOUT_YOUNG = 15000, /* most of the registry's first step, and */
    CALLOUT_GROWTH = 2500, /* enough to go beyond it */
};

static void callout_grow(struct runtime *runtime, struct object *self, void *context)
{
    (void)self;
    (void)context;
    for (int i = 0; i < CALLOUT_GROWTH; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, scenario.saved, list));
        object_decref(runtime, list);
    }
}

/* An object outside of the trash dies of its being freed, when most of the registry is holes, and
 * its finalizer makes containers until the registry has to get longer. */
static void test_registry_grows_while_trash_is_freed(void **state)
{
    static const struct class_hooks hooks = {.finalize = callout_grow};
    struct runtime *runtime = scenario_begin(state);
    struct object *old = scenario_instance(&hooks, 1), *witness = list_new(runtime);
    gc_collect(runtime, 2); /* old: the next collection does not examine it */
    for (int i = 0; i < CALLOUT_YOUNG; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, list, list) && list_append(runtime, list, witness));
        if (i == CALLOUT_YOUNG - 10) {
            assert_true(list_append(runtime, list, old));
            object_decref(runtime, old);
        }
        object_decref(runtime, list);
    }
    assert_true(gc_collect(runtime, 0) >= CALLOUT_YOUNG); /* and the old one, without generations */
    assert_int_equal(gc_check(runtime), 0);
    assert_int_equal(gc_collect(runtime, 2), 0);
    assert_int_equal(object_getrefcount(witness), 1);
    assert_int_equal(list_length(scenario.saved), CALLOUT_GROWTH);
    object_decref(runtime, witness);
    scenario_end();
}

/* ---------------------------------------------------------------- freezing */
enum callout_freezing { CALLOUT_FREEZES, CALLOUT_UNFREEZES, CALLOUT_DOES_BOTH, CALLOUT_FREEZINGS };

static void callout_move_boundaries(struct runtime *runtime, enum callout_freezing how)
{
    if (how != CALLOUT_UNFREEZES) {
        gc_freeze(runtime);
    }
    object_decref(runtime, list_new(runtime));
    if (how != CALLOUT_FREEZES) {
        gc_unfreeze(runtime);
    }
}

static void callout_finalize_freezing(struct runtime *runtime, struct object *self, void *context)
{
    callout_move_boundaries(runtime, *(const enum callout_freezing *)context);
    scenario_finalize(runtime, self, NULL);
}

static void callout_weakref_freezing(struct runtime *runtime, struct object *weakref,
                                     struct object *owned, void *context)
{
    (void)weakref;
    (void)owned;
    callout_move_boundaries(runtime, *(const enum callout_freezing *)context);
}

static void callout_drop_pair(struct runtime *runtime, struct object *one, struct object *other)
{
    assert_true(scenario_link(one, other) && scenario_link(other, one));
    object_decref(runtime, one);
    object_decref(runtime, other);
}

/* Garbage whose finalizers or weak references' callbacks freeze and unfreeze, again and again. */
static void test_boundaries_move_in_finalizers_and_callbacks(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    enum callout_freezing how;
    const struct class_hooks hooks = {.finalize = callout_finalize_freezing, .context = &how};
    const struct weakref_hooks calls = {.callback = callout_weakref_freezing, .context = &how};
    struct object *held = list_new(runtime);
    for (int i = 0; i < 3 * CALLOUT_FREEZINGS; i++) {
        how = (enum callout_freezing)(i % CALLOUT_FREEZINGS);
        struct object *one = scenario_instance(&hooks, i), *other = scenario_instance(NULL, i);
        struct object *weakref = weakref_new(runtime, other, &calls);
        assert_true(list_append(runtime, held, weakref));
        callout_drop_pair(runtime, one, other);
        assert_true(gc_collect(runtime, i % 3) >= 4);
        assert_int_equal(gc_check(runtime), 0);
        assert_int_equal(gc_collect(runtime, 2), 0);
        assert_null(weakref_get(runtime, weakref));
        object_decref(runtime, weakref);
    }
    assert_int_equal(scenario_count(SCENARIO_FINALIZED), 3 * CALLOUT_FREEZINGS);
    object_decref(runtime, held);
    scenario_end();
}

static void callout_freeze_and_save(struct runtime *runtime, struct object *self, void *context)
{
    gc_freeze(runtime);
    scenario_resurrect(runtime, self, context);
}

/* What was garbage when everything was frozen is not frozen. */
static void test_resurrected_is_not_frozen(void **state)
{
    static const struct class_hooks hooks = {.finalize = callout_freeze_and_save};
    struct runtime *runtime = scenario_begin(state);
    callout_drop_pair(runtime, scenario_instance(&hooks, 1), scenario_instance(NULL, 2));
    assert_int_equal(gc_collect(runtime, 2), 0);
    assert_int_equal(gc_check(runtime), 0);
    assert_true(gc_freeze_count(runtime) > 0);
    list_clear(runtime, scenario.saved);
    assert_int_equal(gc_collect(runtime, 2), 6); /* with attributes and classes */
    gc_unfreeze(runtime);
    scenario_end();
}

struct callout_event {
    enum gc_phase phase;
    enum callout_freezing how;
};

static void callout_event_freezing(struct runtime *runtime, const struct gc_event *event,
                                   void *context)
{
    const struct callout_event *wanted = context;
    if (event->phase == wanted->phase) {
        callout_move_boundaries(runtime, wanted->how);
    }
}

static void callout_make_rings(struct runtime *runtime, int count)
{
    for (int i = 0; i < count; i++) {
        object_decref(runtime, gc_test_make_ring(runtime, 1 + i % 3));
    }
}

/* A collection that is frozen away at its start finds nothing; at its end, it has found all. */
static void test_boundaries_move_in_events(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    for (int i = 0; i < 2 * CALLOUT_FREEZINGS; i++) {
        struct callout_event wanted = {i % 2 ? GC_PHASE_STOP : GC_PHASE_START,
                                       (enum callout_freezing)(i / 2)};
        struct gc_callback callback = {callout_event_freezing, &wanted, NULL};
        bool finds = wanted.phase == GC_PHASE_STOP || wanted.how != CALLOUT_FREEZES;
        callout_make_rings(runtime, 9);
        gc_add_callback(runtime, &callback);
        assert_int_equal(gc_collect(runtime, 2), finds ? 18 : 0);
        gc_remove_callback(runtime, &callback);
        assert_int_equal(gc_check(runtime), 0);
        assert_int_equal(gc_collect(runtime, 2), 0);
        gc_unfreeze(runtime);
        assert_int_equal(gc_collect(runtime, 2), finds ? 0 : 18);
        assert_int_equal(gc_check(runtime), 0);
    }
    scenario_end();
}

/* The same in automatic collections, to which garbage comes meanwhile. */
static void test_boundaries_move_in_automatic_collections(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    gc_set_threshold(runtime, (const int[]){15, 2, 2});
    for (int i = 0; i < 2 * CALLOUT_FREEZINGS; i++) {
        struct callout_event wanted = {i % 2 ? GC_PHASE_STOP : GC_PHASE_START,
                                       (enum callout_freezing)(i / 2)};
        struct gc_callback callback = {callout_event_freezing, &wanted, NULL};
        gc_add_callback(runtime, &callback);
        gc_enable(runtime, true);
        for (int k = 0; k < 40; k++) {
            callout_make_rings(runtime, 90);
            assert_int_equal(gc_check(runtime), 0);
        }
        gc_enable(runtime, false);
        gc_remove_callback(runtime, &callback);
        gc_unfreeze(runtime);
        (void)gc_collect(runtime, 2);
        assert_int_equal(gc_check(runtime), 0);
    }
    scenario_end();
}

/* ---------------------------------------------------------------- callbacks that change their list
 */
struct callout_told {
    struct gc_callback callback;
    struct gc_callback *removes; /* NULL: none; freed, when it owns it */
    struct gc_callback *adds;
    bool owns;
    int count;
};

static void callout_tell(struct runtime *runtime, const struct gc_event *event, void *context)
{
    struct callout_told *told = context;
    struct gc_callback *removed = told->removes, *added = told->adds;
    (void)event;
    told->count++;
    told->removes = NULL;
    told->adds = NULL;
    if (removed != NULL) {
        gc_remove_callback(runtime, removed);
    }
    if (removed != NULL && told->owns) {
        free(removed);
    }
    if (added != NULL) {
        gc_add_callback(runtime, added);
    }
}

static void callout_never(struct runtime *runtime, const struct gc_event *event, void *context)
{
    (void)runtime;
    (void)event;
    (void)context;
    fail_msg("a callback is called after its removal");
}

static void test_a_callback_removes_the_next(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct gc_callback *next = calloc(1, sizeof(*next));
    next->call = callout_never;
    struct callout_told first = {{callout_tell, &first, NULL}, next, NULL, true, 0};
    struct callout_told last = {{callout_tell, &last, NULL}, NULL, NULL, false, 0};
    gc_add_callback(runtime, &first.callback);
    gc_add_callback(runtime, next);
    gc_add_callback(runtime, &last.callback);
    gc_collect(runtime, 2);
    assert_int_equal(first.count, 2);
    assert_int_equal(last.count, 2);
    gc_remove_callback(runtime, &last.callback);
    gc_remove_callback(runtime, &first.callback);
    scenario_end();
}

static void test_a_callback_moves_itself_and_others(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct callout_told a = {{callout_tell, &a, NULL}, &a.callback, &a.callback, false, 0};
    struct callout_told c = {{callout_tell, &c, NULL}, NULL, NULL, false, 0};
    struct callout_told b = {{callout_tell, &b, NULL}, &a.callback, &c.callback, false, 0};
    gc_add_callback(runtime, &a.callback);
    gc_add_callback(runtime, &b.callback);
    gc_collect(runtime, 2);
    assert_int_equal(a.count, 1); /* a is the last one when b removes it */
    assert_int_equal(b.count, 2);
    assert_int_equal(c.count, 1); /* at the end */
    b.removes = &c.callback;
    gc_collect(runtime, 2);
    assert_int_equal(c.count, 1);
    gc_remove_callback(runtime, &b.callback);
    gc_collect(runtime, 2);
    assert_int_equal(b.count, 4);
    scenario_end();
}

/* ---------------------------------------------------------------- the list of garbage */
static void callout_append_to_garbage(struct runtime *runtime, struct object *self, void *context)
{
    struct object *garbage = gc_garbage(runtime);
    assert_non_null(garbage);
    assert_true(object_getrefcount(garbage) > 0);
    assert_true(list_append(runtime, garbage, self));
    ++*(int *)context;
}

static void callout_make_garbage(struct runtime *runtime, struct object *self, void *context)
{
    (void)self;
    callout_make_rings(runtime, 5);
    ++*(int *)context;
}

/* Finalizers that run at the close get a list of garbage, and what they make is freed. */
__attribute__((unused)) static void test_finalizers_at_the_close(void **state)
{
    static class_finalizer *const finalizers[] = {callout_append_to_garbage, callout_make_garbage};
    struct gc_fixture *fixture = *state;
    for (int i = 0; i < 4; i++) {
        struct runtime *runtime = runtime_open_with(&fixture->heap, gc_test_policy(), NULL);
        int calls = 0;
        const struct class_hooks hooks = {.finalize = finalizers[i % 2], .context = &calls};
        struct object *class = class_new(runtime, "Late", &hooks);
        struct object *object = class_instance_new(runtime, class);
        object_decref(runtime, class);
        assert_true(list_append(runtime, gc_garbage(runtime), object));
        if (i >= 2) { /* not by the list alone */
            assert_true(object_immortalize(runtime, object));
        }
        object_decref(runtime, object);
        assert_int_equal(runtime_close(runtime), 0);
        assert_int_equal(calls, 1);
    }
}

/* The collection that the list's own allocation brings about makes the list first. */
static void test_the_first_use_of_the_list_collects(void **state)
{
    static const struct class_hooks hooks = {.finalize_legacy = scenario_finalize_legacy};
    struct runtime *runtime = scenario_begin(state);
    struct object *legacy = scenario_instance(&hooks, 1);
    assert_true(scenario_drop_ring(&legacy, 1));
    gc_set_threshold(runtime, (const int[]){2, 10, 10});
    gc_enable(runtime, true);
    struct object *garbage = gc_garbage(runtime);
    gc_enable(runtime, false);
    gc_collect(runtime, 2);
    assert_ptr_equal(gc_garbage(runtime), garbage);
    assert_int_equal(list_length(garbage), 1);
    scenario_end();
}

static void test_save_all_counts_what_it_keeps(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    callout_make_rings(runtime, 9);
    gc_set_save_all(runtime, true);
    assert_int_equal(gc_collect(runtime, 2), 18);
    assert_int_equal(list_length(gc_garbage(runtime)), 18);
    assert_int_equal(gc_collect(runtime, 2), 0);
    scenario_end();
}

/* ---------------------------------------------------------------- legacy finalizers */
/* Objects with legacy finalizers that merely hang off garbage die with it, in any depth. */
static void test_what_hangs_off_garbage_is_finalized(void **state)
{
    static const struct class_hooks hooks = {.finalize_legacy = scenario_finalize_legacy};
    struct runtime *runtime = scenario_begin(state);
    struct object *ring = list_new(runtime), *first = scenario_instance(&hooks, 1);
    struct object *second = scenario_instance(&hooks, 2);
    assert_true(scenario_link(first, second));
    assert_true(list_append(runtime, ring, ring) && list_append(runtime, ring, first));
    object_decref(runtime, ring);
    object_decref(runtime, first);
    object_decref(runtime, second);
    assert_int_equal(gc_collect(runtime, 2), 1);
    assert_int_equal(scenario_count(SCENARIO_LEGACY), 2);
    assert_int_equal(list_length(gc_garbage(runtime)), 0);
    struct gc_stats stats;
    runtime_stats(runtime, &stats);
    assert_int_equal(stats.uncollectable, 0);
    scenario_end();
}

/* What is in a cycle, or refers to it, is kept; the rest of the same garbage is not. */
static void test_only_cycles_are_uncollectable(void **state)
{
    static const struct class_hooks hooks = {.finalize_legacy = scenario_finalize_legacy};
    struct runtime *runtime = scenario_begin(state);
    struct object *ring = list_new(runtime), *cyclic = scenario_instance(&hooks, 1);
    struct object *acyclic = scenario_instance(&hooks, 2);
    assert_true(list_append(runtime, ring, ring) && list_append(runtime, ring, cyclic));
    assert_true(list_append(runtime, ring, acyclic));
    object_decref(runtime, ring);
    object_decref(runtime, acyclic);
    assert_true(scenario_drop_ring(&cyclic, 1));
    assert_int_equal(gc_collect(runtime, 2), 1);
    assert_int_equal(scenario_count(SCENARIO_LEGACY), 1);
    assert_int_equal(scenario.tags[0], 2);
    assert_int_equal(list_length(gc_garbage(runtime)), 1);
    assert_int_equal(scenario_tag(list_item(gc_garbage(runtime), 0)), 1);
    scenario_end();
}

/* ---------------------------------------------------------------- weak references */
static struct object *callout_shared;

static void callout_make_shared(struct runtime *runtime, struct object *self, void *context)
{
    (void)self;
    callout_shared = weakref_new(runtime, *(struct object **)context, NULL);
}

/* The collection that a weak reference's allocation brings about makes the shared one. */
static void test_shared_weakref_made_meanwhile(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct object *referent = scenario_instance(NULL, 1);
    const struct class_hooks hooks = {.finalize = callout_make_shared, .context = &referent};
    callout_shared = NULL;
    callout_drop_pair(runtime, scenario_instance(&hooks, 2), scenario_instance(NULL, 3));
    gc_set_threshold(runtime, (const int[]){1, 10, 10});
    gc_enable(runtime, true);
    struct object *shared = weakref_new(runtime, referent, NULL);
    gc_enable(runtime, false);
    if (callout_shared != NULL) { /* the policy has collected */
        assert_ptr_equal(shared, callout_shared);
        object_decref(runtime, callout_shared);
    }
    assert_int_equal(weakref_count(referent), 1);
    callout_shared = NULL;
    gc_collect(runtime, 2);
    object_xdecref(runtime, callout_shared);
    object_decref(runtime, shared);
    object_decref(runtime, referent);
    scenario_end();
}

/* ---------------------------------------------------------------- freeing */
static void callout_break_ring(struct runtime *runtime, struct object *self, void *context)
{
    scenario_finalize(runtime, self, context);
    (void)instance_delete_attribute(runtime, self, scenario.next);
}

/* Most of the trash is holes when it is freed. */
static void test_a_finalizer_breaks_a_long_ring(void **state)
{
    static const struct class_hooks hooks = {.finalize = callout_break_ring};
    struct object *ring[40];
    struct runtime *runtime = scenario_begin(state);
    struct object *class = class_new(runtime, "Ring", &hooks), *tag = int_new(runtime, 1000);
    gc_freeze(runtime); /* the class */
    for (int i = 0; i < 40; i++) {
        ring[i] = class_instance_new(runtime, class);
        assert_true(instance_set_attribute(runtime, ring[i], scenario.tag, tag));
    }
    assert_true(scenario_drop_ring(ring, 40));
    assert_int_equal(gc_collect(runtime, 2), 0); /* nothing is left to be freed */
    assert_int_equal(scenario_count(SCENARIO_FINALIZED), 40);
    gc_unfreeze(runtime);
    object_decref(runtime, class);
    object_decref(runtime, tag);
    scenario_end();
}

/* Bulk freeing asks for the members' types, not for those of what was examined. */
static void test_a_living_class_does_not_forbid_bulk_freeing(void **state)
{
    struct runtime *runtime = scenario_begin(state);
    struct registry *registry = &runtime->collector.registry;
    struct object *class = class_new(runtime, "Alive", NULL);
    callout_make_rings(runtime, 9);
    registry_seal(registry);
    struct gc_trash trash = {.indices = registry->numbers + 1};
    struct gc_range range = {1, registry->length};
    (void)collector_find_unreachable(runtime, range, &trash);
    assert_int_equal(trash.length, 18);
    assert_false(trash.no_discard);
    for (uint32_t k = 0; k < trash.length; k++) {
        gc_trash_keep(gc_trash_object(registry, &trash, k));
    }
    memset(registry->marks, 0, registry->length);
    object_decref(runtime, class);
    scenario_end();
}

int callout_test(void)
{
    const struct CMUnitTest callout_tests[] = {
        GC_TEST(test_registry_grows_while_trash_is_freed),
        GC_TEST(test_boundaries_move_in_finalizers_and_callbacks),
        GC_TEST(test_resurrected_is_not_frozen),
        GC_TEST(test_boundaries_move_in_events),
        GC_TEST(test_boundaries_move_in_automatic_collections),
        GC_TEST(test_a_callback_removes_the_next),
        GC_TEST(test_a_callback_moves_itself_and_others),
#ifndef GC_THREADS /* where one runtime at a time is open */
        GC_TEST(test_finalizers_at_the_close),
#endif
        GC_TEST(test_the_first_use_of_the_list_collects),
        GC_TEST(test_save_all_counts_what_it_keeps),
        GC_TEST(test_what_hangs_off_garbage_is_finalized),
        GC_TEST(test_only_cycles_are_uncollectable),
        GC_TEST(test_shared_weakref_made_meanwhile),
        GC_TEST(test_a_finalizer_breaks_a_long_ring),
        GC_TEST(test_a_living_class_does_not_forbid_bulk_freeing),
    };
    return cmocka_run_group_tests(callout_tests, NULL, NULL);
}
