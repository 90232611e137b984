/* What CPython 3.11's Lib/test/test_gc.py asks of the collector, as far as it is about memory and
 * not about Python, in scenarios of our own. Where another group here asks the same, it is there:
 *   list, dict, tuple, newinstance, trashcan's chains: cycle_test, chain_test
 *   saveall, del, legacy finalizers, resurrection (once, transitive, beside others): trash_test,
 *     finalizer_test
 *   get_referents, get_referrers, get_objects, is_tracked, freeze, callbacks: introspect_test
 *   collect_generations, thresholds, enable and disable: generation_test
 * Not here: what has no counterpart, such as modules, __getattr__ called by the collector (boom of
 * Python 2), threads, interpreter shutdown. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gc/frame.h"
#include "gc/objects.h"
#include "gc/tests/scenario.h"

/* test_frame: a frame whose local variable refers to the frame. */
static void test_frame_refers_to_itself(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = scenario_begin(state);
    uint64_t before = gc_test_live(fixture);
    struct frame_object *frame = frame_new(runtime, 3);
    struct object *locals = dict_new(runtime);
    assert_true(dict_set(runtime, locals, scenario.next, &frame->base));
    frame->slots[1] = locals;
    object_decref(runtime, &frame->base);
    assert_int_equal(gc_collect(runtime, 2), 2);
    assert_int_equal(gc_test_live(fixture), before);
    scenario_end();
}

/* test_is_finalized: known after the collector has called it and it has come back. */
static void test_known_as_finalized(void **state)
{
    static const struct class_hooks saving = {.finalize = scenario_resurrect};
    struct runtime *runtime = scenario_begin(state);
    struct object *ring[] = {scenario_instance(&saving, 1)};
    struct object *list = list_new(runtime);
    assert_false(gc_is_finalized(list));
    assert_false(gc_is_finalized(ring[0]));
    assert_false(gc_is_finalized(scenario.tag)); /* an atom */
    assert_true(scenario_drop_ring(ring, 1));
    gc_collect(runtime, 2);
    assert_true(gc_is_finalized(list_item(scenario.saved, 0)));
    object_decref(runtime, list);
    scenario_end();
}

/* test_bug1055820b, c and d: an old object, kept by young garbage alone, dies of its end. Then a
 * callback or a finalizer of the old one runs, with a weak reference (that has no callback) to
 * another part of the garbage in its hands: it must be cut by then. */
static struct object *cpython_weakref;
static size_t cpython_seen;
static void cpython_look(struct runtime *runtime)
{
    struct object *got = weakref_get(runtime, cpython_weakref);
    cpython_seen += got != NULL;
    object_xdecref(runtime, got);
}

static void cpython_callback(struct runtime *runtime, struct object *weakref, struct object *owned,
                             void *context)
{
    scenario_called(runtime, weakref, owned, context);
    cpython_look(runtime);
}

static void cpython_finalize(struct runtime *runtime, struct object *self, void *context)
{
    scenario_finalize(runtime, self, context);
    cpython_look(runtime);
}

static void cpython_old_dies_of_young(void **state, bool by_finalizer, int generation)
{
    static const struct class_hooks looking = {.finalize = cpython_finalize};
    struct runtime *runtime = scenario_begin(state);
    cpython_seen = 0;
    struct object *old = scenario_instance(by_finalizer ? &looking : NULL, 1);
    for (int i = 0; i < GC_GENERATIONS; i++) {
        gc_collect(runtime, i);
    }
    struct object *ring[] = {scenario_instance(NULL, 2), scenario_instance(NULL, 3)};
    assert_true(instance_set_attribute(runtime, ring[0], scenario.other, old));
    cpython_weakref = weakref_new(runtime, ring[1], NULL);
    struct object *weakref =
        weakref_new(runtime, old, &(struct weakref_hooks){.callback = cpython_callback});
    object_decref(runtime, old);
    assert_true(scenario_drop_ring(ring, 2));
    gc_collect(runtime, generation);
    gc_collect(runtime, 2);
    assert_int_equal(scenario_count(SCENARIO_CALLED), 1);
    assert_int_equal(scenario_count(SCENARIO_FINALIZED), by_finalizer);
    assert_int_equal(cpython_seen, 0);
    object_decref(runtime, weakref);
    object_decref(runtime, cpython_weakref);
    scenario_end();
}

static void test_old_with_callback_dies_of_young(void **state)
{
    cpython_old_dies_of_young(state, false, 0);
}

static void test_old_with_finalizer_dies_of_young(void **state)
{
    cpython_old_dies_of_young(state, true, 0);
}

static void test_all_die_together(void **state)
{
    cpython_old_dies_of_young(state, true, 2);
}

/* test_trashcan: lists of lists of instances, in whose finalizers a collection runs now and then,
 * while the deallocations above it on the stack are half done. */
static void cpython_collect_sometimes(struct runtime *runtime, struct object *self, void *context)
{
    uint64_t *calls = context;
    (void)self;
    if (++*calls % 17 == 0) {
        gc_collect(runtime, 2);
    }
}

static void test_collections_amid_deallocations(void **state)
{
    enum { ROUNDS = 3, LENGTH = 300 };
    uint64_t calls = 0;
    const struct class_hooks hooks = {.finalize = cpython_collect_sometimes, .context = &calls};
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = scenario_begin(state);
    struct object *class = class_new(runtime, "Ouch", &hooks);
    uint64_t before = gc_test_live(fixture);
    for (int round = 0; round < ROUNDS; round++) {
        struct object *head = list_new(runtime);
        for (int i = 0; i < LENGTH; i++) {
            struct object *next = list_new(runtime);
            struct object *instance = class_instance_new(runtime, class);
            assert_true(list_append(runtime, next, head));
            assert_true(list_append(runtime, next, instance));
            object_decref(runtime, instance);
            object_decref(runtime, head);
            head = next;
        }
        object_decref(runtime, head);
    }
    assert_int_equal(calls, ROUNDS * LENGTH);
    assert_int_equal(gc_test_live(fixture), before);
    object_decref(runtime, class);
    scenario_end();
}

/* test_38379: what came back is not counted as collected. */
static void test_resurrected_are_not_collected(void **state)
{
    static const struct class_hooks saving = {.finalize = scenario_resurrect};
    struct runtime *runtime = scenario_begin(state);
    struct gc_stats before;
    struct gc_stats after;
    runtime_stats(runtime, &before);
    for (int i = 0; i < 100; i++) {
        struct object *list = list_new(runtime);
        assert_true(list_append(runtime, list, list));
        object_decref(runtime, list);
    }
    struct object *ring[] = {scenario_instance(&saving, 1), scenario_instance(NULL, 2)};
    assert_true(scenario_drop_ring(ring, 2));
    assert_int_equal(gc_collect(runtime, 2), 100);
    runtime_stats(runtime, &after);
    assert_int_equal(after.collected - before.collected, 100);
    assert_int_equal(after.uncollectable - before.uncollectable, 0);
    scenario_end();
}

/* ---------------------------------------------------------------- test_refcount_errors */
/* In a child, over a runtime of its own: a runtime's books are shared memory. */
static void cpython_run_damage(void (*damage)(struct runtime *runtime), int report)
{
    static const struct heap_options options;
    static struct gc_fixture fixture;
    signal(SIGABRT, SIG_DFL);
    dup2(report, STDERR_FILENO);
    if (gc_test_open(&fixture, &options)) {
        damage(fixture.runtime);
    }
    _exit(0);
}

/* Runs damage in a child. Returns whether it aborted and said that the count is too small. */
static bool cpython_aborts(void (*damage)(struct runtime *runtime))
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        cpython_run_damage(damage, ends[1]);
    }
    close(ends[1]);
    static char text[4096];
    size_t length = 0;
    for (ssize_t got = 1; got > 0 && length < sizeof(text) - 1; length += (size_t)got) {
        got = read(ends[0], text + length, sizeof(text) - 1 - length);
        if (got < 0) {
            break;
        }
    }
    text[length] = '\0';
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
           strstr(text, "refcount is too small") != NULL;
}

static void cpython_damage_cycle(struct runtime *runtime)
{
    struct object *list = list_new(runtime);
    (void)list_append(runtime, list, list);
    (void)list_append(runtime, list, list);
    list->refcount = 1; /* two too few */
    gc_collect(runtime, 2);
}

static void cpython_damage_decref(struct runtime *runtime)
{
    struct object *list = list_new(runtime);
    list->refcount = 0;
    object_decref(runtime, list);
}

static void cpython_damage_nothing(struct runtime *runtime)
{
    object_decref(runtime, list_new(runtime));
    gc_collect(runtime, 2);
}

static void test_counts_that_are_too_small_abort(void **state)
{
    (void)state;
    assert_true(GC_IS_CHECKED);
    assert_true(cpython_aborts(cpython_damage_cycle));
    assert_true(cpython_aborts(cpython_damage_decref));
    assert_false(cpython_aborts(cpython_damage_nothing));
}

int cpython_test(void)
{
    const struct CMUnitTest cpython_tests[] = {
        GC_TEST(test_frame_refers_to_itself),
        GC_TEST(test_known_as_finalized),
        GC_TEST(test_old_with_callback_dies_of_young),
        GC_TEST(test_old_with_finalizer_dies_of_young),
        GC_TEST(test_all_die_together),
        GC_TEST(test_collections_amid_deallocations),
        GC_TEST(test_resurrected_are_not_collected),
        cmocka_unit_test(test_counts_that_are_too_small_abort),
    };
    return cmocka_run_group_tests(cpython_tests, NULL, NULL);
}
