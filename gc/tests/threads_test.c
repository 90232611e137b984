/* The object layer with threads that run freely: what they share stays whole, every object dies
 * once, and nothing is left. ThreadSanitizer watches the same program (preset tsan). */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "gc/class.h"
#include "gc/introspect.h"
#include "gc/tests/gc_test.h"
#include "gc/threads.h"
#include "gc/weakref.h"

enum { THREADS = 4, ROUNDS = 2000 };

struct threads_case;
typedef void threads_body(struct threads_case *scene, unsigned index);

struct threads_case {
    struct runtime *runtime;
    threads_body *body;
    struct object *list; /* shared */
    struct object *dict;
    struct object *class;
    struct object *slot;         /* atomic: a reference that goes from one to the other */
    uint32_t ready;              /* atomic */
    uint32_t go;                 /* atomic */
    uint32_t finalized;          /* atomic */
    uint32_t called;             /* atomic */
    uint64_t ticks[THREADS * 8]; /* atomic; each eighth */
    uint32_t wrong;              /* atomic: cmocka's assertions belong to the test's own thread */
};

struct threads_start {
    struct threads_case *scene;
    unsigned index;
};

static void threads_expect(struct threads_case *scene, bool is_right)
{
    if (!is_right) {
        (void)__atomic_fetch_add(&scene->wrong, 1, __ATOMIC_RELAXED);
    }
}

static void *threads_main(void *context)
{
    struct threads_start *start = context;
    struct threads_case *scene = start->scene;
    threads_expect(scene, gc_thread_attach(scene->runtime));
    scene->body(scene, start->index);
    gc_thread_leave(scene->runtime);
    return NULL;
}

/* All threads run the body at once. */
static void threads_run(struct threads_case *scene, threads_body *body, unsigned count)
{
    pthread_t threads[THREADS];
    struct threads_start starts[THREADS];
    scene->body = body;
    gc_thread_detach(scene->runtime);
    for (unsigned i = 0; i < count; i++) {
        starts[i] = (struct threads_start){scene, i};
        if (pthread_create(&threads[i], NULL, threads_main, &starts[i]) != 0) {
            abort();
        }
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_true(gc_thread_attach(scene->runtime));
    assert_int_equal(scene->wrong, 0);
    (void)gc_collect(scene->runtime, GC_GENERATIONS - 1);
    assert_int_equal(gc_check(scene->runtime), 0);
}

static struct threads_case threads_scene(void **state)
{
    struct gc_fixture *fixture = *state;
    const int often[GC_GENERATIONS] = {100, 3, 3};
    gc_enable(fixture->runtime, true);
    gc_set_threshold(fixture->runtime, often);
    return (struct threads_case){.runtime = fixture->runtime};
}

/* ---------------------------------------------------------------- nothing shared */
static void threads_churn(struct threads_case *scene, unsigned index)
{
    struct object *ring = NULL;
    (void)index;
    for (int i = 0; i < ROUNDS; i++) {
        struct object *list = list_new(scene->runtime);
        struct object *number = int_new(scene->runtime, i * 1000);
        (void)list_append(scene->runtime, list, number);
        if (i % 4 == 0) { /* a cycle, which the collector has to find */
            (void)list_append(scene->runtime, list, list);
        }
        object_decref(scene->runtime, number);
        object_xdecref(scene->runtime, ring);
        ring = list;
        gc_safe_point(scene->runtime);
    }
    object_xdecref(scene->runtime, ring);
}

static void private_churn_leaves_nothing(void **state)
{
    struct threads_case scene = threads_scene(state);
    threads_run(&scene, threads_churn, THREADS);
    assert_int_equal(gc_test_live(*state), 0);
}

/* ---------------------------------------------------------------- from hand to hand */
/* Whatever comes is dropped, and something of the thread's own is left for the next. */
static void threads_swap(struct threads_case *scene, unsigned index)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct object *list = list_new(scene->runtime);
        struct object *number = int_new(scene->runtime, (int)index * ROUNDS + i + 1000);
        (void)list_append(scene->runtime, list, number);
        object_decref(scene->runtime, number);
        struct object *got = __atomic_exchange_n(&scene->slot, list, __ATOMIC_ACQ_REL);
        if (got != NULL) {
            struct object *item = list_fetch(scene->runtime, got, 0);
            threads_expect(scene, item != NULL && int_value(item) >= 1000);
            object_xdecref(scene->runtime, item);
            object_decref(scene->runtime, got);
        }
        gc_safe_point(scene->runtime);
    }
}

static void objects_die_by_others_than_their_makers(void **state)
{
    struct threads_case scene = threads_scene(state);
    threads_run(&scene, threads_swap, THREADS);
    object_xdecref(scene.runtime, scene.slot); /* its maker has ended */
    (void)gc_collect(scene.runtime, GC_GENERATIONS - 1);
    assert_int_equal(gc_test_live(*state), 0);
}

/* ---------------------------------------------------------------- containers */
enum { KEYS = 64 };

static void threads_use_dict(struct threads_case *scene, unsigned index)
{
    for (int i = 0; i < ROUNDS; i++) {
        int k = (i * 7 + (int)index * 13) % KEYS;
        struct object *key = int_new(scene->runtime, k + 5000);
        if (i % 4 == 0) {
            struct object *value = float_new(scene->runtime, k);
            threads_expect(scene, dict_set(scene->runtime, scene->dict, key, value));
            object_decref(scene->runtime, value);
        } else if (i % 16 == 1) {
            (void)dict_delete(scene->runtime, scene->dict, key);
        } else {
            struct object *value = dict_fetch(scene->runtime, scene->dict, key);
            threads_expect(scene, value == NULL || (int)float_value(value) == k);
            object_xdecref(scene->runtime, value);
        }
        object_decref(scene->runtime, key);
        if (i % 500 == 499 && index == 0) {
            dict_clear(scene->runtime, scene->dict);
        }
        gc_safe_point(scene->runtime);
    }
}

static void a_shared_dict_stays_whole(void **state)
{
    struct threads_case scene = threads_scene(state);
    scene.dict = dict_new(scene.runtime);
    threads_run(&scene, threads_use_dict, THREADS);
    object_decref(scene.runtime, scene.dict);
    (void)gc_collect(scene.runtime, GC_GENERATIONS - 1);
    assert_int_equal(gc_test_live(*state), 0);
}

/* Items are lists that hold their own number. */
static void threads_use_list(struct threads_case *scene, unsigned index)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct object *item = list_fetch(scene->runtime, scene->list, (size_t)(i % 50));
        if (item != NULL) {
            struct object *number = list_fetch(scene->runtime, item, 0);
            threads_expect(scene, number != NULL && int_value(number) >= 7000);
            object_xdecref(scene->runtime, number);
            object_decref(scene->runtime, item);
        }
        if ((i + (int)index) % 3 == 0) {
            struct object *list = list_new(scene->runtime);
            struct object *number = int_new(scene->runtime, 7000 + i);
            (void)list_append(scene->runtime, list, number);
            threads_expect(scene, list_append(scene->runtime, scene->list, list));
            object_decref(scene->runtime, number);
            object_decref(scene->runtime, list);
        } else if (i % 2 == 0) {
            if (list_length(scene->list) > 0) { /* with one lock nobody comes between */
                object_xdecref(scene->runtime, list_pop(scene->runtime, scene->list));
            }
        } else if (i % 301 == 0) {
            list_clear(scene->runtime, scene->list);
        }
        gc_safe_point(scene->runtime);
    }
}

static void a_shared_list_stays_whole(void **state)
{
    struct threads_case scene = threads_scene(state);
    scene.list = list_new(scene.runtime);
    gc_share(scene.list);
    threads_run(&scene, threads_use_list, THREADS);
    object_decref(scene.runtime, scene.list);
    (void)gc_collect(scene.runtime, GC_GENERATIONS - 1);
    assert_int_equal(gc_test_live(*state), 0);
}

/* The first thread's own lists, which the second begins to use while the first does. */
static void threads_intrude(struct threads_case *scene, unsigned index)
{
    for (int i = 0; i < ROUNDS / 8; i++) {
        if (index == 0) {
            struct object *list = list_new(scene->runtime);
            object_incref(list); /* the other's */
            while (__atomic_load_n(&scene->slot, __ATOMIC_ACQUIRE) != NULL) {
                gc_safe_point(scene->runtime);
                (void)sched_yield();
            }
            __atomic_store_n(&scene->slot, list, __ATOMIC_RELEASE);
            for (int k = 0; k < 40; k++) {
                struct object *number = int_new(scene->runtime, 9000 + k);
                threads_expect(scene, list_append(scene->runtime, list, number));
                object_decref(scene->runtime, number);
            }
            object_decref(scene->runtime, list);
        } else {
            struct object *list;
            while ((list = __atomic_load_n(&scene->slot, __ATOMIC_ACQUIRE)) == NULL) {
                gc_safe_point(scene->runtime);
                (void)sched_yield();
            }
            for (int k = 0; k < 10; k++) {
                object_xdecref(scene->runtime, list_pop(scene->runtime, list));
            }
            __atomic_store_n(&scene->slot, NULL, __ATOMIC_RELEASE);
            object_decref(scene->runtime, list);
        }
        gc_safe_point(scene->runtime);
    }
}

static void another_thread_may_begin_to_use_a_list_at_any_time(void **state)
{
    struct threads_case scene = threads_scene(state);
    threads_run(&scene, threads_intrude, 2);
    assert_int_equal(gc_test_live(*state), 0);
}

/* ---------------------------------------------------------------- weak references, finalizers */
static void threads_count_finalized(struct runtime *runtime, struct object *self, void *context)
{
    struct threads_case *scene = context;
    (void)runtime;
    (void)self;
    (void)__atomic_fetch_add(&scene->finalized, 1, __ATOMIC_RELAXED);
}

static void threads_count_call(struct runtime *runtime, struct object *weakref,
                               struct object *owned, void *context)
{
    struct threads_case *scene = context;
    (void)owned;
    struct object *referent = weakref_get(runtime, weakref);
    threads_expect(scene, referent == NULL);
    (void)__atomic_fetch_add(&scene->called, 1, __ATOMIC_RELAXED);
}

/* Each puts an instance into a slot of the shared list, weakly refers to what it finds in
 * another's, and lets go of that while others may do so. */
static void threads_use_weakly(struct threads_case *scene, unsigned index)
{
    const struct weakref_hooks hooks = {.callback = threads_count_call, .context = scene};
    for (int i = 0; i < ROUNDS / 2; i++) {
        struct object *instance = class_instance_new(scene->runtime, scene->class);
        list_set_item(scene->runtime, scene->list, index, instance);
        object_decref(scene->runtime, instance);
        struct object *other =
            list_fetch(scene->runtime, scene->list, (index + 1 + (unsigned)i % 3) % THREADS);
        if (object_is(other, &float_type)) {
            object_decref(scene->runtime, other);
            continue;
        }
        struct object *plain = weakref_new(scene->runtime, other, NULL);
        struct object *called = weakref_new(scene->runtime, other, &hooks);
        object_decref(scene->runtime, other);
        gc_safe_point(scene->runtime);
        struct object *again = weakref_get(scene->runtime, plain);
        threads_expect(scene, again == NULL || again == other);
        object_xdecref(scene->runtime, again);
        object_decref(scene->runtime, plain);
        object_decref(scene->runtime, called);
        gc_safe_point(scene->runtime);
    }
}

static void weak_references_and_finalizers_hold(void **state)
{
    struct threads_case scene = threads_scene(state);
    const struct class_hooks hooks = {.finalize = threads_count_finalized, .context = &scene};
    scene.class = class_new(scene.runtime, "watched", &hooks);
    scene.list = list_new(scene.runtime);
    for (int i = 0; i < THREADS; i++) {
        struct object *nothing = float_new(scene.runtime, 0);
        assert_true(list_append(scene.runtime, scene.list, nothing));
        object_decref(scene.runtime, nothing);
    }
    gc_share(scene.list);
    threads_run(&scene, threads_use_weakly, THREADS);
    object_decref(scene.runtime, scene.list);
    object_decref(scene.runtime, scene.class);
    (void)gc_collect(scene.runtime, GC_GENERATIONS - 1);
    assert_int_equal(gc_test_live(*state), 0);
    assert_int_equal(scene.finalized, THREADS * (ROUNDS / 2));
}

/* ---------------------------------------------------------------- strings */
static void threads_intern(struct threads_case *scene, unsigned index)
{
    char text[] = "name-00";
    (void)index;
    for (int i = 0; i < ROUNDS; i++) {
        text[5] = (char)('0' + i % 10);
        text[6] = (char)('0' + i / 10 % 10);
        struct object *first = str_intern(scene->runtime, text, sizeof(text) - 1);
        struct object *second = str_intern(scene->runtime, text, sizeof(text) - 1);
        threads_expect(scene, first == second && memcmp(str_bytes(first), text, sizeof(text)) == 0);
        object_decref(scene->runtime, first);
        object_decref(scene->runtime, second);
        gc_safe_point(scene->runtime);
    }
}

static void interned_strings_are_one(void **state)
{
    struct threads_case scene = threads_scene(state);
    threads_run(&scene, threads_intern, THREADS);
    assert_int_equal(gc_test_live(*state), 0);
}

/* ---------------------------------------------------------------- the stop */
/* Thread 0 looks whether the others stand still. */
static void threads_stand(struct threads_case *scene, unsigned index)
{
    if (index != 0) {
        while (__atomic_load_n(&scene->go, __ATOMIC_ACQUIRE) == 0) {
            (void)__atomic_fetch_add(&scene->ticks[index * 8], 1, __ATOMIC_RELAXED);
            gc_safe_point(scene->runtime);
        }
        return;
    }
    for (int i = 0; i < 100; i++) {
        uint64_t before[THREADS];
        gc_stop(scene->runtime);
        gc_stop(scene->runtime); /* they nest */
        gc_start(scene->runtime);
        for (unsigned k = 1; k < THREADS; k++) {
            before[k] = __atomic_load_n(&scene->ticks[k * 8], __ATOMIC_RELAXED);
        }
        (void)sched_yield();
        for (unsigned k = 1; k < THREADS; k++) {
            threads_expect(scene,
                           before[k] == __atomic_load_n(&scene->ticks[k * 8], __ATOMIC_RELAXED));
        }
        gc_start(scene->runtime);
        gc_safe_point(scene->runtime);
    }
    __atomic_store_n(&scene->go, 1, __ATOMIC_RELEASE);
}

static void the_world_stops(void **state)
{
    struct threads_case scene = threads_scene(state);
    struct gc_thread_stats stats;
    threads_run(&scene, threads_stand, THREADS);
    gc_thread_stats(scene.runtime, &stats);
#ifdef GC_FREE_THREADS
    assert_true(stats.stops >= 100);
    assert_true(stats.stop_ns_p50 <= stats.stop_ns_p99 && stats.stop_ns_p99 <= stats.stop_ns_max);
#else
    assert_true(stats.switches >= THREADS);
#endif
}

/* ---------------------------------------------------------------- refusals */
static void collectors_for_one_thread_are_refused(void **state)
{
    struct gc_fixture *fixture = *state;
    static const char *const names[] = {"snapshot", "incremental", "trial-deletion-orc"};
    const struct gc_policy *policy = runtime_policy(fixture->runtime);
    assert_int_equal(runtime_close(fixture->runtime), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct error error;
        assert_null(runtime_open_with(&fixture->heap, gc_policy_find(names[i], NULL), &error));
        assert_int_equal(error.status, STATUS_UNSUPPORTED);
        assert_non_null(strstr(error.message, "generational-700"));
    }
    fixture->runtime = runtime_open_with(&fixture->heap, policy, NULL);
    assert_non_null(fixture->runtime);
    struct error error;
    assert_null(runtime_open_with(&fixture->heap, policy, &error)); /* a second one */
    assert_int_equal(error.status, STATUS_UNSUPPORTED);
}

/* ---------------------------------------------------------------- counts that are not kept */
static void a_deferred_object_lives_while_a_stack_has_it(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    gc_enable(runtime, false);
    struct object *list = list_new(runtime);
    assert_true(gc_defer(runtime, list));
    gc_push(list);
    object_decref(runtime, list); /* the name */
    (void)gc_collect(runtime, GC_GENERATIONS - 1);
    assert_int_equal(gc_test_live(fixture), 1);
    gc_pop(runtime, list);
#if GC_REFCOUNT == GC_REFCOUNT_DEFERRED
    assert_int_equal(gc_test_live(fixture), 1); /* it dies by the collector alone */
    (void)gc_collect(runtime, GC_GENERATIONS - 1);
#endif
    assert_int_equal(gc_test_live(fixture), 0);
    assert_int_equal(gc_check(runtime), 0);
}

static void threads_take_and_drop(struct threads_case *scene, unsigned index)
{
    (void)index;
    for (int i = 0; i < ROUNDS; i++) {
        gc_push(scene->list);
        (void)list_length(scene->list);
        gc_pop(scene->runtime, scene->list);
        gc_safe_point(scene->runtime);
    }
}

static void what_all_read_is_counted_right(void **state)
{
    struct threads_case scene = threads_scene(state);
    scene.list = list_new(scene.runtime);
    gc_share(scene.list);
    assert_true(gc_defer(scene.runtime, scene.list));
    threads_run(&scene, threads_take_and_drop, THREADS);
    object_decref(scene.runtime, scene.list);
    (void)gc_collect(scene.runtime, GC_GENERATIONS - 1);
    assert_int_equal(gc_test_live(*state), 0);
}

static void what_is_immortal_is_not_counted(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *number = int_new(runtime, 123456);
    assert_true(object_immortalize(runtime, number));
    int64_t count = object_getrefcount(number);
    object_incref(number);
    assert_int_equal(object_getrefcount(number), count + (GC_IMMORTAL ? 0 : 1));
    object_decref(runtime, number);
    object_decref(runtime, number); /* the name; runtime_close has the rest */
}

int threads_test(void)
{
    const struct CMUnitTest tests[] = {
        GC_TEST(private_churn_leaves_nothing),
        GC_TEST(objects_die_by_others_than_their_makers),
        GC_TEST(a_shared_dict_stays_whole),
        GC_TEST(a_shared_list_stays_whole),
        GC_TEST(another_thread_may_begin_to_use_a_list_at_any_time),
        GC_TEST(weak_references_and_finalizers_hold),
        GC_TEST(interned_strings_are_one),
        GC_TEST(the_world_stops),
        GC_TEST(collectors_for_one_thread_are_refused),
        GC_TEST(a_deferred_object_lives_while_a_stack_has_it),
        GC_TEST(what_all_read_is_counted_right),
        GC_TEST(what_is_immortal_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
