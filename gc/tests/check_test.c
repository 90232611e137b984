/* The checker itself: each kind of damage is planted, reported, and repaired again. */
#include <fcntl.h>
#include <unistd.h>

#include "gc/class.h"
#include "gc/objects.h"
#include "gc/runtime.h"
#include "gc/tests/gc_test.h"
#include "gc/weakref.h"
#include "gc/weakref_list.h"

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

static void check_called(struct runtime *runtime, struct object *weakref, struct object *owned,
                         void *context)
{
    (void)runtime;
    (void)weakref;
    (void)owned;
    (void)context;
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
    registry->free = made.outer->index; /* no hole */
    assert_int_equal(check_quietly(runtime), 1);
    registry->free = registry->length; /* outside */
    assert_int_equal(check_quietly(runtime), 1);
    registry->free = hole;
    struct object *chained = registry->entries[hole];
    registry->entries[hole] = (struct object *)((uintptr_t)hole << 1 | 1); /* to itself */
    assert_int_equal(check_quietly(runtime), 1);
    registry->entries[hole] = chained;
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
    struct object *first = list->items[0];
    list->items[0] = NULL;
    assert_int_equal(check_quietly(runtime), 1);
    list->items[0] = first;
    dict->used++;
    assert_int_equal(check_quietly(runtime), 1);
    dict->used--;
    ((struct str_object *)made.str)->hash ^=
        1; /* the entry's is the old one, and so is its place */
    assert_int_equal(check_quietly(runtime), 2);
    ((struct str_object *)made.str)->hash ^= 1;
    ((struct str_object *)made.str)->bytes[0] ^= 1; /* its hash is another one now */
    assert_true(check_quietly(runtime) > 0);
    ((struct str_object *)made.str)->bytes[0] ^= 1;
    check_drop(runtime, made);
}

/* The bounds of the generations, each out of its order with the next. */
static void test_ranges_broken(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct registry *registry = &runtime->collector.registry;
    struct check_objects made = check_make(runtime);
    struct registry healthy = *registry;
    registry->starts[2] = 0;
    assert_int_equal(check_quietly(runtime), 1);
    *registry = healthy;
    registry->starts[2] = registry->starts[1] + 1;
    assert_int_equal(check_quietly(runtime), 1);
    *registry = healthy;
    registry->starts[1] = registry->starts[0] + 1;
    assert_int_equal(check_quietly(runtime), 1);
    *registry = healthy;
    registry->committed = registry->length;
    assert_int_equal(gc_check(runtime), 0);
    registry->committed = registry->length - 1;
    assert_int_equal(check_quietly(runtime), 1);
    *registry = healthy;
    struct object *atom = made.str;
    registry->entries[made.inner->index] = atom;
    uint32_t index = atom->index;
    atom->index = made.inner->index;
    assert_true(check_quietly(runtime) > 0);
    atom->index = index;
    registry->entries[made.inner->index] = made.inner;
    check_drop(runtime, made);
}

static void test_dicts_broken(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct check_objects made = check_make(runtime);
    struct object *empty = dict_new(runtime);
    ((struct dict_object *)empty)->used = 1;
    assert_int_equal(check_quietly(runtime), 1);
    ((struct dict_object *)empty)->used = 0;
    struct dict_object *dict = (struct dict_object *)made.inner;
    uint64_t *keys = (uint64_t *)dict->keys; /* how many slots, entries to come and entries */
    keys[1]--;
    assert_int_equal(check_quietly(runtime), 1);
    keys[1]++;
    keys[2]--; /* the last entry is out of sight, and its slot leads to nothing */
    assert_true(check_quietly(runtime) >= 2);
    keys[2]++;
    object_decref(runtime, empty);
    check_drop(runtime, made);
}

static void test_weak_references_broken(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *class = class_new(runtime, "Referent", NULL);
    struct object *referent = class_instance_new(runtime, class);
    struct object *context = int_new(runtime, 1000);
    struct object *weakrefs[3];
    for (int i = 0; i < 3; i++) {
        weakrefs[i] = weakref_new(
            runtime, referent, &(struct weakref_hooks){.callback = check_called, .owned = context});
        assert_non_null(weakrefs[i]);
    }
    assert_int_equal(gc_check(runtime), 0);
    for (int i = 0; i < 3; i++) { /* the first, the middle and the last of the list */
        struct weakref_object *weakref = (struct weakref_object *)weakrefs[i];
        struct weakref_object healthy = *weakref;
        weakref->prev = weakref;
        assert_true(check_quietly(runtime) > 0);
        *weakref = healthy;
        weakref->next = weakref;
        assert_true(check_quietly(runtime) > 0);
        *weakref = healthy;
    }
    object_decref(runtime, referent);
    assert_int_equal(gc_check(runtime), 0);
    for (int i = 0; i < 3; i++) { /* dead ones are in no list */
        struct weakref_object *weakref = (struct weakref_object *)weakrefs[i];
        weakref->prev = weakref;
        assert_int_equal(check_quietly(runtime), 1);
        weakref->prev = NULL;
        weakref->next = weakref;
        assert_int_equal(check_quietly(runtime), 1);
        weakref->next = NULL;
        object_decref(runtime, weakrefs[i]);
    }
    object_decref(runtime, context);
    object_decref(runtime, class);
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
    runtime->collector.collecting = true;
    assert_int_equal(check_quietly(runtime), 1);
    runtime->collector.collecting = false;
    runtime->put_off.length = 1;
    assert_int_equal(check_quietly(runtime), 1);
    runtime->put_off.length = 0;
    struct gc_head head = {0};
    runtime->deferred = &head;
    assert_int_equal(check_quietly(runtime), 1);
    runtime->deferred = NULL;
    struct object *zero = runtime->small_ints[0];
    runtime->small_ints[0] = runtime->small_ints[1];
    assert_int_equal(check_quietly(runtime), 1);
    runtime->small_ints[0] = zero;
    registry_add(&runtime->collector.registry, runtime->empty_tuple);
    assert_int_equal(check_quietly(runtime), 1);
    registry_remove(&runtime->collector.registry, runtime->empty_tuple);
    struct str_object *str = (struct str_object *)made.str;
    str->interned = false;
    assert_int_equal(check_quietly(runtime), 1);
    str->interned = true;
    check_drop(runtime, made);
}

int check_test(void)
{
    const struct CMUnitTest check_tests[] = {
        GC_TEST(test_counts_too_small), GC_TEST(test_registry_broken),
        GC_TEST(test_ranges_broken),    GC_TEST(test_containers_broken),
        GC_TEST(test_dicts_broken),     GC_TEST(test_weak_references_broken),
        GC_TEST(test_runtime_broken),
    };
    return cmocka_run_group_tests(check_tests, NULL, NULL);
}
