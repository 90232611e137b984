/* The birth ledger: a group of gc-tests-ledger alone, which is compiled with it. */
#include "gc/tests/scenario.h"

#ifdef HEAPMILL_LEDGER

#include <stdio.h>
#include <string.h>

#include "gc/ledger.h"
#include "gc/objects.h"
#include "gc/runtime.h"

/* The row of a type at a line of this file; NULL: there is none. */
static const struct ledger_row *ledger_find_row(const struct runtime *runtime, const char *type,
                                                int line)
{
    for (size_t i = 0; i < ledger_row_count(runtime); i++) {
        const struct ledger_row *row = ledger_row_at(runtime, i);
        if (row->site->line == line && strcmp(row->type_name, type) == 0 &&
            strstr(row->site->file, "ledger_test.c") != NULL) {
            return row;
        }
    }
    return NULL;
}

static bool ledger_collect(struct object *object, uint64_t birth, void *context)
{
    struct object **objects = context;
    objects[birth % 8] = object;
    return true;
}

static void test_births_by_site_and_type(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct object *lists[5];
    int line = 0;
    for (int i = 0; i < 5; i++) {
        line = __LINE__ + 1;
        lists[i] = list_new(runtime);
    }
    object_decref(runtime, lists[0]);
    object_decref(runtime, lists[3]);
    const struct ledger_row *row = ledger_find_row(runtime, "list", line);
    assert_non_null(row);
    assert_int_equal(row->births, 5);
    assert_int_equal(row->live, 3);
    assert_int_equal(row->live_bytes, 3 * HEAP_LIST_BYTES);
    assert_ptr_equal(ledger_row_of(runtime, lists[1]), row);
    assert_null(ledger_row_of(runtime, (struct object *)state));
    struct object *found[8] = {NULL};
    ledger_visit_live(runtime, row, ledger_collect, found);
    size_t count = 0;
    for (size_t i = 0; i < 8; i++) {
        count += found[i] != NULL;
        assert_true(found[i] == NULL || found[i] == lists[1] || found[i] == lists[2] ||
                    found[i] == lists[4]);
    }
    assert_int_equal(count, 3);
    assert_true(ledger_is_complete(runtime));
    assert_int_equal(ledger_live(runtime), runtime_objects_live(runtime));
    object_decref(runtime, lists[1]);
    object_decref(runtime, lists[2]);
    object_decref(runtime, lists[4]);
}

/* What a verb makes on the way is its caller's: the dict of an instance. */
static void test_helpers_births_are_the_callers(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *class = class_new(runtime, "Node", NULL);
    struct object *name = str_intern(runtime, "x", 1);
    struct object *instance = class_instance_new(runtime, class);
    assert_true(instance_set_attribute(runtime, instance, name, name));
    const struct ledger_row *row = ledger_find_row(runtime, "dict", __LINE__ - 1);
    assert_non_null(row);
    assert_int_equal(row->live, 1);
    row = ledger_find_row(runtime, "Node", __LINE__ - 5); /* instances have their class's name */
    assert_non_null(row);
    assert_int_equal(row->live, 1);
    object_decref(runtime, instance);
    object_decref(runtime, name);
    object_decref(runtime, class);
    row = ledger_find_row(runtime, "Node", __LINE__ - 11);
    assert_int_equal(row->live, 0);
}

/* Ten thousand births and deaths in another order: the books agree all the time. */
static void test_books_agree(void **state)
{
    enum { COUNT = 10000 };
    static struct object *lists[COUNT];
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    for (size_t i = 0; i < COUNT; i++) {
        lists[i] = list_new(runtime);
    }
    for (size_t step = 0; step < COUNT; step++) {
        size_t i = step * 7919 % COUNT; /* a prime that does not divide it: each comes once */
        assert_non_null(ledger_row_of(runtime, lists[i]));
        object_decref(runtime, lists[i]);
        assert_null(ledger_row_of(runtime, lists[i]));
    }
    assert_int_equal(ledger_live(runtime), runtime_objects_live(runtime));
}

/* ---------------------------------------------------------------- what keeps objects alive */
struct ledger_reports {
    struct ledger_finding findings[8];
    size_t length;
};

static void ledger_note(const struct ledger_finding *finding, void *context)
{
    struct ledger_reports *reports = context;
    if (reports->length < 8) {
        reports->findings[reports->length] = *finding;
    }
    reports->length++;
}

/* A missing decref is named; so is one too many, and what a container explains is not. */
static void test_audit_names_the_culprit(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct ledger_reports reports = {.length = 0};
    assert_true(ledger_audit(runtime, ledger_note, &reports));
    assert_int_equal(reports.length, 0);
    struct object *outer = list_new(runtime);
    struct object *inner = list_new(runtime);
    int line = __LINE__ - 1;
    assert_true(list_append(runtime, outer, inner));
    assert_true(list_append(runtime, outer, outer));
    object_decref(runtime, outer); /* a cycle: nobody's */
    assert_true(ledger_audit(runtime, ledger_note, &reports));
    assert_int_equal(reports.length, 1); /* inner's decref is missing */
    assert_ptr_equal(reports.findings[0].object, inner);
    assert_int_equal(reports.findings[0].row->site->line, line);
    assert_int_equal(reports.findings[0].refcount, 2);
    assert_int_equal(reports.findings[0].explained, 1);
    assert_int_equal(reports.findings[0].names, 1);
    inner->refcount -= 2;
    reports.length = 0;
    assert_true(ledger_audit(runtime, ledger_note, &reports));
    assert_int_equal(reports.length, 1);
    assert_int_equal(reports.findings[0].names, -1);
    inner->refcount++;
    assert_int_equal(gc_collect(runtime, 2), 2);
}

/* name → far → … → target, and name → near → target: the shorter is told. */
static void test_shortest_chain_of_referrers(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *nodes[6]; /* 0: the root; 1, 2, 3: the long way; 4: the short; 5: the target */
    static const int edges[][2] = {{0, 1}, {1, 2}, {2, 3}, {3, 5}, {0, 4}, {4, 5}, {5, 0}};
    for (int i = 0; i < 6; i++) {
        nodes[i] = list_new(runtime);
    }
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        assert_true(list_append(runtime, nodes[edges[i][0]], nodes[edges[i][1]]));
    }
    struct ledger_finding links[8];
    assert_int_equal(ledger_find_chain(runtime, nodes[5], links, 8), 1); /* it has a name */
    for (int i = 1; i < 6; i++) {
        object_decref(runtime, nodes[i]);
    }
    assert_int_equal(ledger_find_chain(runtime, nodes[5], links, 8), 3);
    assert_ptr_equal(links[0].object, nodes[0]);
    assert_int_equal(links[0].names, 1);
    assert_ptr_equal(links[1].object, nodes[4]);
    assert_ptr_equal(links[2].object, nodes[5]);
    assert_int_equal(links[2].names, 0);
    assert_int_equal(ledger_find_chain(runtime, nodes[5], links, 2), 3); /* only two filled in */
    object_decref(runtime, nodes[0]);
    assert_int_equal(ledger_find_chain(runtime, nodes[5], links, 8), 0); /* garbage */
    assert_int_equal(ledger_find_cycle(runtime, nodes[5], links, 8), 3);
    assert_ptr_equal(links[0].object, nodes[5]);
    assert_ptr_equal(links[1].object, nodes[0]);
    assert_ptr_equal(links[2].object, nodes[4]);
    assert_int_equal(gc_collect(runtime, 2), 6);
}

/* Immortal objects are kept on purpose: no finding, but a beginning of chains. */
static void test_immortal_objects_are_no_findings(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct ledger_reports reports = {.length = 0};
    struct ledger_finding links[2];
    struct object *outer = list_new(runtime);
    struct object *inner = list_new(runtime);
    assert_true(list_append(runtime, outer, inner));
    assert_true(object_immortalize(runtime, outer));
    object_decref(runtime, inner);
    object_decref(runtime, outer);
    assert_true(ledger_audit(runtime, ledger_note, &reports));
    assert_int_equal(reports.length, 0);
    assert_int_equal(ledger_find_chain(runtime, inner, links, 2), 2);
    assert_ptr_equal(links[0].object, outer);
}

/* A reference counts wherever the books keep who has it: in their first slot, too. */
static void test_audit_counts_from_every_slot(void **state)
{
    enum { HOLDERS_MAX = 100000 };
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    const struct ledger *books = &runtime->ledger;
    struct ledger_reports reports = {.length = 0};
    struct object *all = list_new(runtime), *target = list_new(runtime), *first = NULL;
    while (first == NULL || first->type != &list_type || first == all || first == target) {
        struct object *holder = list_new(runtime);
        assert_true(list_append(runtime, holder, target) && list_append(runtime, all, holder));
        object_decref(runtime, holder);
        assert_in_range(list_length(all), 1, HOLDERS_MAX);
        first = (struct object *)(uintptr_t)books->entries[0].object;
    }
    object_decref(runtime, target);
    assert_true(ledger_audit(runtime, ledger_note, &reports));
    assert_int_equal(reports.length, 1);
    assert_ptr_equal(reports.findings[0].object, all);
    object_decref(runtime, all);
}

/* One place of birth and many types: as many rows, each with its own counts. */
static void test_rows_of_many_types(void **state)
{
    enum { TYPES = 600 };
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *classes = list_new(runtime), *instances = list_new(runtime);
    for (int i = 0; i < TYPES; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "Type%d", i);
        struct object *class = class_new(runtime, name, NULL);
        assert_true(list_append(runtime, classes, class));
        object_decref(runtime, class);
    }
    int line = 0;
    for (int i = 0; i < 3 * TYPES; i++) { /* thrice, so that each row is found again */
        struct object *class = list_item(classes, (size_t)i % TYPES);
        line = __LINE__ + 1;
        struct object *instance = class_instance_new(runtime, class);
        if (i % 2 == 0) {
            assert_true(list_append(runtime, instances, instance));
        }
        object_decref(runtime, instance);
    }
    for (int i = 0; i < TYPES; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "Type%d", i);
        const struct ledger_row *row = ledger_find_row(runtime, name, line);
        assert_non_null(row);
        assert_int_equal(row->births, 3);
        assert_int_equal(row->live, i % 2 == 0 ? 3 : 0);
    }
    object_decref(runtime, instances);
    object_decref(runtime, classes);
}

/* More objects than the books first have room for, over and over: each one is found again. */
static void test_books_of_many_objects(void **state)
{
    enum { OBJECTS = 100000, ROUNDS = 3 };
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    for (int round = 0; round < ROUNDS; round++) {
        struct object *kept = list_new(runtime);
        for (int i = 0; i < OBJECTS >> (4 * round); i++) {
            struct object *list = list_new(runtime);
            assert_true(list_append(runtime, kept, list));
            object_decref(runtime, list);
        }
        const struct ledger_row *row = ledger_row_of(runtime, list_item(kept, 0));
        assert_non_null(row);
        for (size_t i = 0; i < list_length(kept); i++) {
            assert_ptr_equal(ledger_row_of(runtime, list_item(kept, i)), row);
        }
        assert_int_equal(row->live, list_length(kept));
        object_decref(runtime, kept);
        assert_int_equal(row->live, 0);
        assert_int_equal(ledger_live(runtime), runtime_objects_live(runtime));
    }
}

static bool ledger_pass_over(struct object *object, uint64_t birth, void *context)
{
    (void)object;
    (void)birth;
    return ++*(int *)context < 3; /* enough */
}

static void ledger_ignore(const struct ledger_finding *finding, void *context)
{
    (void)finding;
    (void)context;
}

/* The system refuses the books each table in turn: they say that they are incomplete, an audit that
 * has no memory says so, and what they have is released. */
static void test_books_without_memory(void **state)
{
    enum { TYPES = 600 };
    struct gc_fixture *fixture = *state;
    uint64_t calls = UINT64_MAX;
    int incomplete = 0, unaudited = 0;
    for (uint64_t refused = 0; refused == 0 || refused <= calls; refused++) {
        gc_test_scratch.calls = 0;
        gc_test_scratch.first = refused == 0 ? UINT64_MAX : refused;
        gc_test_scratch.last = refused;
        struct runtime *runtime =
            runtime_open_with(&fixture->heap, fixture->runtime->collector.policy, NULL);
        for (int i = 0; runtime != NULL && i < TYPES; i++) {
            char name[16];
            (void)snprintf(name, sizeof(name), "Type%d", i);
            struct object *class = class_new(runtime, name, NULL);
            struct object *instance = class_instance_new(runtime, class);
            object_decref(runtime, instance);
            object_decref(runtime, class);
        }
        if (runtime != NULL) {
            int visited = 0;
            incomplete += !ledger_is_complete(runtime);
            unaudited += !ledger_audit(runtime, ledger_ignore, NULL);
            ledger_visit_live(runtime, NULL, ledger_pass_over, &visited);
            assert_int_equal(visited, 3);
        }
        calls = refused == 0 ? gc_test_scratch.calls : calls;
        gc_test_scratch.first = gc_test_scratch.last = 0;
        if (runtime != NULL) {
            (void)runtime_close(runtime);
        }
    }
    assert_true(incomplete > 0);
    assert_true(unaudited > 0);
}

int ledger_test(void)
{
    const struct CMUnitTest ledger_tests[] = {
        GC_TEST(test_births_by_site_and_type),
        GC_TEST(test_rows_of_many_types),
        GC_TEST(test_books_of_many_objects),
        GC_TEST(test_books_without_memory),
        GC_TEST(test_helpers_births_are_the_callers),
        GC_TEST(test_books_agree),
        GC_TEST(test_audit_names_the_culprit),
        GC_TEST(test_audit_counts_from_every_slot),
        GC_TEST(test_shortest_chain_of_referrers),
        GC_TEST(test_immortal_objects_are_no_findings),
    };
    return cmocka_run_group_tests(ledger_tests, NULL, NULL);
}

#endif
