/* The checker itself: each kind of damage is planted, reported, and repaired again. */
#include <fcntl.h>
#include <unistd.h>

#include "gc/objects.h"
#include "gc/runtime.h"
#include "gc/tests/gc_test.h"

/* gc_check with its reports, which are expected here, kept off the test's output. */
static size_t check_quietly(const struct runtime *runtime)
{
    int saved = dup(STDERR_FILENO);
    int silent = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(silent, STDERR_FILENO);
    size_t broken = gc_check(runtime);
    dup2(saved, STDERR_FILENO);
    close(silent);
    close(saved);
    return broken;
}

struct check_objects {
    struct object *outer; /* [inner, inner, str] */
    struct object *inner; /* {str: str} */
    struct object *str;
};

static struct check_objects check_make(struct runtime *runtime)
{
    struct check_objects made = {list_new(runtime), dict_new(runtime),
                                 str_intern(runtime, "checked", 7)};
    assert_true(list_append(runtime, made.outer, made.inner));
    assert_true(list_append(runtime, made.outer, made.inner));
    assert_true(list_append(runtime, made.outer, made.str));
    assert_true(dict_set(runtime, made.inner, made.str, made.str));
    assert_int_equal(gc_check(runtime), 0);
    return made;
}

static void check_drop(struct runtime *runtime, struct check_objects made)
{
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, made.outer);
    object_decref(runtime, made.inner);
    object_decref(runtime, made.str);
}

static void test_counts_too_small(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct check_objects made = check_make(runtime);
    made.inner->refcount = 2; /* the name gone, the two items left: still explained */
    assert_int_equal(gc_check(runtime), 0);
    made.inner->refcount = 1;
    assert_int_equal(check_quietly(runtime), 1);
    made.inner->refcount = 3;
    made.str->refcount = 2; /* an atom's references are recounted too */
    assert_int_equal(check_quietly(runtime), 1);
    made.str->refcount = 4;
    runtime->small_ints[0]->refcount = 0;
    assert_int_equal(check_quietly(runtime), 1);
    runtime->small_ints[0]->refcount = 1;
    check_drop(runtime, made);
}

static void test_registry_broken(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct registry *registry = &runtime->collector.registry;
    struct check_objects made = check_make(runtime);
    uint32_t index = made.inner->index;
    made.inner->index = made.outer->index;
    assert_true(check_quietly(runtime) > 0);
    made.inner->index = index;
    gc_head_of(made.inner)->flags |= GC_FLAG_TRASH;
    assert_int_equal(check_quietly(runtime), 1);
    gc_head_of(made.inner)->flags &= ~(uint32_t)GC_FLAG_TRASH;
    registry->entries[index] = made.outer; /* in two places */
    assert_true(check_quietly(runtime) > 0);
    registry->entries[index] = made.inner;
    registry->holes++;
    assert_int_equal(check_quietly(runtime), 1);
    registry->holes--;
    uint32_t middle = registry->starts[1];
    registry->starts[1] = registry->length + 1;
    assert_int_equal(check_quietly(runtime), 1);
    registry->starts[1] = middle;
    registry_remove(registry, made.inner); /* referred to, but not tracked */
    assert_int_equal(check_quietly(runtime), 1);
    uint32_t hole = registry->free;
    registry->free = 0; /* which loses the hole */
    assert_int_equal(check_quietly(runtime), 1);
    registry->free = hole;
    registry_add(registry, made.inner);
    check_drop(runtime, made);
}

static void test_containers_broken(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct check_objects made = check_make(runtime);
    struct list_object *list = (struct list_object *)made.outer;
    struct dict_object *dict = (struct dict_object *)made.inner;
    size_t capacity = list->capacity;
    list->capacity = 2;
    assert_int_equal(check_quietly(runtime), 1);
    list->capacity = capacity;
    dict->used++;
    assert_int_equal(check_quietly(runtime), 1);
    dict->used--;
    ((struct str_object *)made.str)->bytes[0] ^= 1; /* its hash is another one now */
    assert_true(check_quietly(runtime) > 0);
    ((struct str_object *)made.str)->bytes[0] ^= 1;
    check_drop(runtime, made);
}

static void test_runtime_broken(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct check_objects made = check_make(runtime);
    runtime->interned.length++;
    assert_int_equal(check_quietly(runtime), 1);
    runtime->interned.length--;
    uint64_t live = runtime->objects_live;
    runtime->objects_live = 10;
    assert_int_equal(check_quietly(runtime), 1);
    runtime->objects_live = live;
    runtime->dealloc_depth = 1;
    assert_int_equal(check_quietly(runtime), 1);
    runtime->dealloc_depth = 0;
    check_drop(runtime, made);
}

int check_test(void)
{
    const struct CMUnitTest check_tests[] = {
        GC_TEST(test_counts_too_small),
        GC_TEST(test_registry_broken),
        GC_TEST(test_containers_broken),
        GC_TEST(test_runtime_broken),
    };
    return cmocka_run_group_tests(check_tests, NULL, NULL);
}
