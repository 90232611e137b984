/* A type that is not one of gc/'s, made with own_type.h alone: the pair that its header speaks of.
 * Two references, a finalizer, weak references; and an atom beside it. */
#include "gc/own_type.h"

#include "gc/introspect.h"
#include "gc/tests/gc_test.h"
#include "gc/weakref.h"

/* ---------------------------------------------------------------- the pair */
struct pair {
    struct object base;
    struct object *left; /* NULL: none, as is right */
    struct object *right;
    struct weakref_object *weakrefs;
    int *finalized; /* counts the calls of the finalizer; the caller's */
};

static struct pair *pair_of(struct object *object)
{
    return (struct pair *)object;
}

static int pair_traverse(struct object *self, object_visit *visit, void *context)
{
    struct object *left = pair_of(self)->left;
    struct object *right = pair_of(self)->right;
    int result = left == NULL ? 0 : visit(left, context);
    return result != 0 || right == NULL ? result : visit(right, context);
}

static void pair_clear(struct runtime *runtime, struct object *self)
{
    own_type_store(runtime, self, &pair_of(self)->left, NULL);
    own_type_store(runtime, self, &pair_of(self)->right, NULL);
}

static void pair_discard(struct runtime *runtime, struct object *self)
{
    own_type_free(runtime, self, sizeof(struct pair));
}

static void pair_dealloc(struct runtime *runtime, struct object *self)
{
    pair_clear(runtime, self);
    pair_discard(runtime, self);
}

static void pair_finalize(struct runtime *runtime, struct object *self)
{
    (void)runtime;
    ++*pair_of(self)->finalized;
}

static const struct type pair_type = {
    .name = "pair",
    .size = OWN_TYPE_CONTAINER_BYTES + sizeof(struct pair),
    .heap_type = HEAP_INSTANCE,
    .flags = TYPE_IS_CONTAINER | TYPE_IS_GUARDED | TYPE_HAS_FINALIZER | TYPE_HAS_WEAKREFS,
    .traverse = pair_traverse,
    .clear = pair_clear,
    .dealloc = pair_dealloc,
    .discard = pair_discard,
    .finalize = pair_finalize,
    .weakrefs_offset = offsetof(struct pair, weakrefs),
};

/* A new reference; NULL: the heap is exhausted. */
static struct object *pair_new(struct runtime *runtime, struct object *left, struct object *right,
                               int *finalized)
{
    struct pair *self = own_type_alloc(runtime, &pair_type, sizeof(struct pair));
    if (self == NULL) {
        return NULL;
    }
    self->left = left == NULL ? NULL : object_incref(left);
    self->right = right == NULL ? NULL : object_incref(right);
    self->finalized = finalized;
    own_type_track(runtime, &self->base);
    return &self->base;
}
/* A program that is built with HEAPMILL_LEDGER enters pairs under the place of this call. */
#define pair_new(...) LEDGER_CALL(pair_new, __VA_ARGS__)

static struct runtime *pair_begin(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    gc_enable(runtime, false);
    return runtime;
}

static void test_a_pair_dies_by_its_count(void **state)
{
    struct runtime *runtime = pair_begin(state);
    int finalized = 0;
    struct object *list = list_new(runtime);
    struct object *pair = pair_new(runtime, list, list, &finalized);
    assert_true(object_is(pair, &pair_type));
    assert_false(object_is(list, &pair_type));
    assert_true(gc_is_tracked(pair));
    assert_int_equal(object_getrefcount(list), 3);
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, pair);
    assert_int_equal(finalized, 1);
    assert_int_equal(object_getrefcount(list), 1);
    object_decref(runtime, list);
}

/* Pairs in a ring that each hold a list, weak references to one, and one pair that lives. */
static void test_a_ring_of_pairs_is_collected(void **state)
{
    struct runtime *runtime = pair_begin(state);
    int finalized = 0;
    struct object *first = pair_new(runtime, NULL, NULL, &finalized);
    struct object *last = object_incref(first);
    for (int i = 0; i < 100; i++) {
        struct object *list = list_new(runtime);
        struct object *next = pair_new(runtime, last, list, &finalized);
        object_decref(runtime, list);
        object_decref(runtime, last);
        last = next;
    }
    own_type_store(runtime, first, &pair_of(first)->right, last);
    struct object *weakref = weakref_new(runtime, first, NULL);
    struct object *living = pair_new(runtime, first, NULL, &finalized);
    object_decref(runtime, first);
    object_decref(runtime, last);
    assert_int_equal(gc_collect(runtime, 2), 0);
    assert_int_equal(gc_check(runtime), 0);
    own_type_store(runtime, living, &pair_of(living)->left, NULL);
    gc_collect(runtime, 2);
    assert_int_equal(finalized, 101);
    assert_null(weakref_get(runtime, weakref));
    object_decref(runtime, weakref);
    object_decref(runtime, living);
    assert_int_equal(finalized, 102);
}

/* As deep as one likes: each pair's death is the next one's. */
static void *pair_drop_chain(void *context)
{
    struct gc_fixture *fixture = context;
    static int finalized;
    struct object *last = NULL;
    finalized = 0;
    for (int i = 0; i < 100000; i++) {
        struct object *next = pair_new(fixture->runtime, last, NULL, &finalized);
        object_xdecref(fixture->runtime, last);
        last = next;
    }
    object_decref(fixture->runtime, last);
    return &finalized;
}

static void test_a_chain_of_pairs_needs_little_stack(void **state)
{
    pair_begin(state);
    assert_int_equal(*(int *)gc_test_on_small_stack(pair_drop_chain, *state), 100000);
}

/* ---------------------------------------------------------------- an atom */
struct point {
    struct object base;
    double x;
    double y;
};

static void point_dealloc(struct runtime *runtime, struct object *self)
{
    own_type_free(runtime, self, sizeof(struct point));
}

static const struct type point_type = {
    .name = "point",
    .size = sizeof(struct point),
    .heap_type = HEAP_STR,
    .dealloc = point_dealloc,
};

static void test_an_atom_of_ones_own(void **state)
{
    struct runtime *runtime = pair_begin(state);
    struct point *point = own_type_alloc(runtime, &point_type, sizeof(struct point));
    assert_non_null(point);
    assert_true(point->x == 0 && point->y == 0);
    struct object *list = list_new(runtime);
    assert_true(list_append(runtime, list, &point->base));
    object_decref(runtime, &point->base);
    assert_false(gc_is_tracked(list_item(list, 0)));
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, list);
}

int own_type_test(void)
{
    const struct CMUnitTest own_type_tests[] = {
        GC_TEST(test_a_pair_dies_by_its_count),
        GC_TEST(test_a_ring_of_pairs_is_collected),
        GC_TEST(test_a_chain_of_pairs_needs_little_stack),
        GC_TEST(test_an_atom_of_ones_own),
    };
    return cmocka_run_group_tests(own_type_tests, NULL, NULL);
}
