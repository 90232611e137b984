/* Reference counts as Python's users see them: names, containers, rebinding, deletion. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gc/objects.h"
#include "gc/tests/gc_test.h"

static void test_names(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *list = list_new(runtime); /* a = [] */
    assert_int_equal(object_getrefcount(list), 1);
    struct object *name = object_incref(list); /* b = a */
    assert_int_equal(object_getrefcount(list), 2);
    object_decref(runtime, name); /* del b */
    assert_int_equal(object_getrefcount(list), 1);
    object_decref(runtime, list);
}

static void test_last_reference_frees_at_once(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *list = list_new(runtime);
    struct object *number = float_new(runtime, 2.5);
    assert_true(list_append(runtime, list, number));
    object_decref(runtime, number);
    assert_int_equal(gc_test_live(fixture), 2);
    object_decref(runtime, list);
    assert_int_equal(gc_test_live(fixture), 0);
}

static void test_containers_count(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *value = int_new(runtime, 100000);
    struct object *list = list_new(runtime);
    struct object *dict = dict_new(runtime);
    struct object *tuple = tuple_new(runtime, 1);
    struct object *key = str_intern(runtime, "key", 3);
    struct object *instance = instance_new(runtime, key);
    assert_true(list_append(runtime, list, value));
    assert_true(list_append(runtime, list, value));
    assert_int_equal(object_getrefcount(value), 3);
    assert_true(dict_set(runtime, dict, key, value));
    assert_true(dict_set(runtime, dict, value, value)); /* as key and as value */
    assert_int_equal(object_getrefcount(value), 6);
    tuple_give_item(tuple, 0, object_incref(value));
    assert_true(instance_set_attribute(runtime, instance, key, value));
    assert_int_equal(object_getrefcount(value), 8);
    /* key: its name, the class name, one key in each dict */
    assert_int_equal(object_getrefcount(key), 4);

    object_decref(runtime, instance);
    object_decref(runtime, tuple);
    assert_int_equal(object_getrefcount(value), 6);
    assert_true(dict_delete(runtime, dict, value));
    assert_int_equal(object_getrefcount(value), 4);
    object_decref(runtime, dict);
    assert_int_equal(object_getrefcount(value), 3);
    list_clear(runtime, list);
    assert_int_equal(object_getrefcount(value), 1);
    assert_int_equal(object_getrefcount(key), 1);
    object_decref(runtime, list);
    object_decref(runtime, key);
    object_decref(runtime, value);
}

static void test_rebinding(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *old = int_new(runtime, 1000);
    struct object *new = int_new(runtime, 2000);
    struct object *list = list_new(runtime);
    struct object *dict = dict_new(runtime);
    assert_true(list_append(runtime, list, old));
    assert_true(dict_set(runtime, dict, old, old));
    assert_int_equal(object_getrefcount(old), 4);
    list_give_item(runtime, list, 0, object_incref(new));
    assert_int_equal(object_getrefcount(old), 3);
    assert_true(dict_set(runtime, dict, old, new)); /* the key stays */
    assert_int_equal(object_getrefcount(old), 2);
    assert_int_equal(object_getrefcount(new), 3);
    struct object *popped = list_pop(runtime, list); /* the list's reference, now ours */
    assert_ptr_equal(popped, new);
    assert_int_equal(object_getrefcount(new), 3);
    object_decref(runtime, popped);
    object_decref(runtime, list);
    object_decref(runtime, dict);
    assert_int_equal(object_getrefcount(old), 1);
    assert_int_equal(object_getrefcount(new), 1);
    object_decref(runtime, old);
    object_decref(runtime, new);
}

static void test_setting_an_item_to_itself(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *list = list_new(runtime);
    struct object *item = float_new(runtime, 1.0);
    assert_true(list_append(runtime, list, item));
    object_decref(runtime, item); /* the list's is the only one */
    list_give_item(runtime, list, 0, object_incref(list_item(list, 0)));
    assert_int_equal(object_getrefcount(list_item(list, 0)), 1);
    object_decref(runtime, list);
}

static void test_small_ints_are_shared(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    for (int64_t value = -20; value < 300; value++) {
        struct object *a = int_new(runtime, value);
        struct object *b = int_new(runtime, value);
        bool shared = value >= -5 && value <= 256;
        assert_int_equal(a == b, shared);
        /* the runtime's own reference and the two names */
        assert_int_equal(object_getrefcount(a), shared ? 3 : 1);
        assert_int_equal(int_value(a), value);
        object_decref(runtime, a);
        object_decref(runtime, b);
    }
    assert_int_equal(gc_test_live(fixture), 0);
}

static void test_interned_strings_are_shared(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *plain = str_new(runtime, "heap", 4);
    struct object *a = str_intern(runtime, "heap", 4);
    struct object *b = str_intern(runtime, "heap", 4);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, plain);
    assert_true(str_equal(a, plain));
    assert_int_equal(object_getrefcount(a), 2); /* the table's is not counted */
    object_decref(runtime, a);
    object_decref(runtime, b);
    assert_int_equal(gc_test_live(fixture), 1); /* gone with its last user */
    a = str_intern(runtime, "heap", 4);
    assert_int_equal(object_getrefcount(a), 1);
    object_decref(runtime, a);
    object_decref(runtime, plain);
}

static void test_empty_tuple_is_shared(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *a = tuple_new(runtime, 0);
    struct object *b = tuple_new(runtime, 0);
    assert_ptr_equal(a, b);
    assert_int_equal(object_getrefcount(a), 3);
    assert_int_equal(tuple_length(a), 0);
    assert_false(gc_is_tracked(a));
    object_decref(runtime, a);
    object_decref(runtime, b);
}

/* A process in which harm is done ends with the word that a list's count is too small. Harm: to
 * what the process has made itself, or to blocks of the heap; a runtime's own tables are shared. */
static void refcount_expect_fatal(struct gc_fixture *fixture,
                                  void (*harm)(struct gc_fixture *fixture))
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL); /* not cmocka's */
        harm(fixture);
        _exit(0);
    }
    char said[256] = "";
    int status;
    (void)close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
    (void)close(ends[0]);
    assert_non_null(strstr(said, "heapmill: fatal: list 0x"));
    assert_non_null(strstr(said, ": refcount is too small\n"));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static struct runtime *refcount_reopen(struct gc_fixture *fixture)
{
    return runtime_open_with(&fixture->heap, gc_test_policy(), NULL);
}

static void refcount_release_too_often(struct gc_fixture *fixture)
{
    struct runtime *runtime = refcount_reopen(fixture);
    struct object *list = list_new(runtime);
    list->refcount = 0;
    object_decref(runtime, list);
}

/* One decrement too many ends the process with the object's type, before it can be freed twice. */
static void test_one_release_too_many_is_fatal(void **state)
{
    refcount_expect_fatal(*state, refcount_release_too_often);
}

static void refcount_release_and_collect(struct gc_fixture *fixture)
{
    enum { TOO_MANY = 64 }; /* what a byte of counts would not tell from none */
    struct runtime *runtime = refcount_reopen(fixture);
    struct object *list = list_new(runtime), *holder = list_new(runtime);
    for (int i = 0; i < 2 * TOO_MANY; i++) {
        (void)list_append(runtime, holder, list);
    }
    list->refcount -= TOO_MANY;
    gc_collect(runtime, GC_GENERATIONS - 1);
}

/* A checked build's collection counts, and ends at a container that has fewer references than
 * containers refer to it, by however many. */
static void test_a_collection_counts_releases(void **state)
{
    if (!GC_IS_CHECKED) {
        skip();
    }
    refcount_expect_fatal(*state, refcount_release_and_collect);
}

int refcount_test(void)
{
    const struct CMUnitTest refcount_tests[] = {
        GC_TEST(test_names),
        GC_TEST(test_last_reference_frees_at_once),
        GC_TEST(test_containers_count),
        GC_TEST(test_rebinding),
        GC_TEST(test_setting_an_item_to_itself),
        GC_TEST(test_small_ints_are_shared),
        GC_TEST(test_interned_strings_are_shared),
        GC_TEST(test_empty_tuple_is_shared),
        GC_TEST(test_one_release_too_many_is_fatal),
        GC_TEST(test_a_collection_counts_releases),
    };
    return cmocka_run_group_tests(refcount_tests, NULL, NULL);
}
