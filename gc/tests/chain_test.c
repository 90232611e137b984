/* Long chains of containers: freed with bounded C stack, by reference counts and by the collector.
 */
#include "gc/tests/gc_test.h"

enum chain_kind { CHAIN_LISTS, CHAIN_TUPLES, CHAIN_DICTS, CHAIN_INSTANCES, CHAIN_MIXED };

/* How the chain dies. */
enum chain_end {
    CHAIN_DECREF, /* its first node's only name goes */
    CHAIN_CLEAR,  /* the list that holds the first node is cleared */
    CHAIN_RING,   /* its last node refers to the first: the collector must clear it */
};

struct chain_case {
    enum chain_kind kind;
    enum chain_end end;
};

/* Far beyond what a frame for each node would leave of the stack; a dict or an instance is some 200
 * bytes, so there are fewer of them. */
static uint64_t chain_length(enum chain_kind kind)
{
    uint64_t length = gc_test_long ? 10000000 : 1000000;
    return kind == CHAIN_LISTS || kind == CHAIN_TUPLES ? length : length / 4;
}

/* A node of the given kind that refers to next, whose reference it steals. NULL: exhausted. */
static struct object *chain_link(struct runtime *runtime, enum chain_kind kind, struct object *name,
                                 struct object *next)
{
    struct object *node = NULL;
    bool linked = false;
    switch (kind) {
    case CHAIN_TUPLES:
        node = tuple_new(runtime, 1);
        if (node != NULL) {
            tuple_give_item(node, 0, next);
        }
        return node;
    case CHAIN_DICTS:
        node = dict_new(runtime);
        linked = node != NULL && dict_set(runtime, node, name, next);
        break;
    case CHAIN_INSTANCES:
        node = instance_new(runtime, name);
        linked = node != NULL && instance_set_attribute(runtime, node, name, next);
        break;
    default:
        node = list_new(runtime);
        linked = node != NULL && list_append(runtime, node, next);
        break;
    }
    object_decref(runtime, next);
    return linked ? node : NULL;
}

/* Builds a chain whose last node is the list tail, with automatic collection off. */
static struct object *chain_build(struct runtime *runtime, enum chain_kind kind,
                                  struct object *tail)
{
    struct object *name = str_intern(runtime, "next", 4);
    struct object *head = object_incref(tail);
    for (uint64_t i = 1; i < chain_length(kind) && head != NULL; i++) {
        enum chain_kind link = kind == CHAIN_MIXED ? (enum chain_kind)(i % CHAIN_MIXED) : kind;
        head = chain_link(runtime, link, name, head);
    }
    object_decref(runtime, name);
    return head;
}

/* What went wrong, NULL if nothing. */
static void *chain_run(void *context)
{
    const struct chain_case *chain = context;
    static const struct heap_options options;
    /* Static: a heap's address map alone (pymalloc-3.10's root has 256 KiB) would fill the stack.
     */
    static struct gc_fixture fixture;
    if (!gc_test_open(&fixture, &options)) {
        return "open";
    }
    struct runtime *runtime = fixture.runtime;
    gc_enable(runtime, false);
    struct object *tail = list_new(runtime);
    struct object *head = chain_build(runtime, chain->kind, tail);
    if (head == NULL) {
        return "exhausted";
    }
    if (chain->end == CHAIN_RING && !list_append(runtime, tail, head)) {
        return "exhausted";
    }
    object_decref(runtime, tail);
    if (chain->end == CHAIN_CLEAR) {
        struct object *holder = list_new(runtime);
        list_append(runtime, holder, head);
        object_decref(runtime, head);
        list_clear(runtime, holder);
        object_decref(runtime, holder);
    } else {
        object_decref(runtime, head);
    }
    if (chain->end == CHAIN_RING) {
        uint64_t nodes = chain_length(chain->kind);
        bool kept = gc_test_live(&fixture) >= nodes;
        uint64_t freed = gc_collect(runtime, 2);
        if (!kept || freed < nodes) {
            return "the ring was not left to the collector";
        }
    }
    bool left = gc_test_live(&fixture) != 0;
    return gc_test_close(&fixture) != 0 || left ? "something is left" : NULL;
}

static void chain_assert(enum chain_kind kind, enum chain_end end)
{
    struct chain_case chain = {kind, end};
    const char *wrong = gc_test_on_small_stack(chain_run, &chain);
    if (wrong != NULL) {
        fail_msg("%s", wrong);
    }
}

static void test_chain_of_lists(void **state)
{
    (void)state;
    chain_assert(CHAIN_LISTS, CHAIN_DECREF);
}

static void test_chain_of_tuples(void **state)
{
    (void)state;
    chain_assert(CHAIN_TUPLES, CHAIN_DECREF);
}

static void test_chain_of_dicts(void **state)
{
    (void)state;
    chain_assert(CHAIN_DICTS, CHAIN_DECREF);
}

static void test_chain_of_instances(void **state)
{
    (void)state;
    chain_assert(CHAIN_INSTANCES, CHAIN_DECREF);
}

static void test_chain_of_all_kinds_cleared(void **state)
{
    (void)state;
    chain_assert(CHAIN_MIXED, CHAIN_CLEAR);
}

static void test_ring_of_lists(void **state)
{
    (void)state;
    chain_assert(CHAIN_LISTS, CHAIN_RING);
}

static void test_ring_of_all_kinds(void **state)
{
    (void)state;
    chain_assert(CHAIN_MIXED, CHAIN_RING);
}

int chain_test(void)
{
    const struct CMUnitTest chain_tests[] = {
        cmocka_unit_test(test_chain_of_lists),
        cmocka_unit_test(test_chain_of_tuples),
        cmocka_unit_test(test_chain_of_dicts),
        cmocka_unit_test(test_chain_of_instances),
        cmocka_unit_test(test_chain_of_all_kinds_cleared),
        cmocka_unit_test(test_ring_of_lists),
        cmocka_unit_test(test_ring_of_all_kinds),
    };
    return cmocka_run_group_tests(chain_tests, NULL, NULL);
}
