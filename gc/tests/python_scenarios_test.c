/* Small programs and what they log, as CPython 3.11 does: over every policy and back end.
 *
 * The ideas are those of CPython's test_gc.py, test_weakref.py and test_finalization.py, the
 * programs those of tests/python/program.h, and the logs what harness.py there prints for them.
 * What a policy decides (when it collects, what a collection of a young generation finds) is in
 * none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gc/tests/gc_test.h"
#include "gc/tests/python/run.h"

struct python_scenario {
    const char *name;
    const char *program;
    const char *log; /* what it logs; without collections' begins and ends */
};

static const struct python_scenario python_scenarios[] = {
    /* by the count */
    {"an object dies by its count", "new dies 0, drop 0", "del 0"},
    {"a name keeps it", "new dies 0, copy 1 0, drop 0, count 1, drop 1", "count 1, del 0"},
    {"a field keeps it", "new plain 0, new dies 1, put 0 a 1, drop 1, count 0, drop 0",
     "count 1, del 1"},
    {"an old value dies when a field is set",
     "new plain 0, new dies 1, put 0 a 1, drop 1, new plain 1, put 0 a 1", "del 1"},
    {"a chain dies from its head",
     "new dies 0, new dies 1, put 0 a 1, drop 1, new dies 1, take 2 0 a, put 2 a 1, drop 1, drop "
     "2, drop 0",
     "del 0, del 1, del 2"},
    {"fields are released in their order",
     "new dies 0, new dies 1, put 0 c 1, new dies 1, put 0 a 1, drop 1, drop 0",
     "del 0, del 2, del 1"},
    {"a list releases its items last first",
     "new list 0, new dies 1, put 0 a 1, new dies 1, put 0 a 1, drop 1, drop 0", "del 2, del 1"},
    {"a dict releases its values in order",
     "new dict 0, new dies 1, put 0 c 1, new dies 1, put 0 a 1, drop 1, drop 0", "del 1, del 2"},
    {"emptying a list releases its items last first",
     "new list 0, new dies 1, put 0 a 1, new dies 1, put 0 a 1, drop 1, empty 0", "del 2, del 1"},
    {"deleting an item releases it",
     "new list 0, new dies 1, put 0 a 1, new dies 1, put 0 a 1, drop 1, cut 0 a", "del 1"},
    {"an inserted item is referred to",
     "new list 0, new dies 1, put 0 a 1, new dies 1, insert 0 0 1, drop 1, referents 0, cut 0 a",
     "referents 1 2, del 2"},
    {"what a finalizer keeps lives on", "new saves 0, drop 0, unsave", "del 0"},
    {"and dies without another call", "new saves 0, drop 0, unsave, collect 2", "del 0, collect 0"},
    {"a finalizer may give up what its object has",
     "new clears 0, new dies 1, put 0 a 1, drop 1, drop 0", "del 0, del 1"},
    {"a finalizer may make an object that dies with it", "new makes 0, drop 0, collect 2",
     "del 0, collect 0"},
    {"a legacy finalizer runs at the count of zero", "new legacy 0, drop 0", "del 0"},
    {"a legacy finalizer runs at each death", "new legacysaves 0, drop 0, unsave, unsave",
     "del 0, del 0, del 0"},
    {"the finalizer has not run while alive", "new dies 0, tracked 0", "tracked 1 0"},
    {"what came back has been finalized",
     "new saves 0, copy 1 0, drop 0, drop 1, new plain 2, tracked 2", "del 0, tracked 1 0"},
    /* cycles */
    {"an object that refers to itself", "new dies 0, put 0 a 0, drop 0, collect 2",
     "del 0, collect 1"},
    {"a list in itself", "new list 0, put 0 a 0, drop 0, collect 2", "collect 1"},
    {"a dict in itself", "new dict 0, put 0 a 0, drop 0, collect 2", "collect 1"},
    {"a tuple in a list in it", "new list 0, pair 1 0 0, put 0 a 1, drop 0, drop 1, collect 2",
     "collect 2"},
    {"a cycle of two", "new dies 0, new dies 1, put 0 a 1, put 1 a 0, drop 0, drop 1, collect 2",
     "del 0, del 1, collect 2"},
    {"a cycle of three kinds",
     "new dies 0, new list 1, new dict 2, put 0 a 1, put 1 a 2, put 2 a 0, drop 0, drop 1, drop 2, "
     "collect 2",
     "del 0, collect 3"},
    {"a cycle that a name keeps", "new dies 0, put 0 a 0, collect 2, drop 0, collect 2",
     "collect 0, del 0, collect 1"},
    {"a cycle that an object outside keeps",
     "new plain 0, new dies 1, put 1 a 1, put 0 a 1, drop 1, collect 2, drop 0, collect 2",
     "collect 0, del 1, collect 1"},
    {"what garbage refers to dies with it",
     "new list 0, put 0 a 0, new dies 1, put 0 a 1, drop 1, drop 0, collect 2", "del 1, collect 2"},
    {"what garbage and a name refer to lives",
     "new list 0, put 0 a 0, new dies 1, put 0 a 1, drop 0, collect 2, count 1",
     "collect 1, count 1"},
    {"two cycles that share a member",
     "new dies 0, new dies 1, put 0 a 1, put 1 a 0, new dies 2, put 1 b 2, put 2 a 1, drop 0, drop "
     "1, drop 2, collect 2",
     "del 0, del 1, del 2, collect 3"},
    {"two separate cycles",
     "new dies 0, put 0 a 0, new dies 1, put 1 a 1, drop 0, drop 1, collect 2",
     "del 0, del 1, collect 2"},
    {"a cycle hanging off a cycle",
     "new dies 0, put 0 a 0, new dies 1, put 1 a 1, put 0 b 1, drop 1, drop 0, collect 2",
     "del 0, del 1, collect 2"},
    {"many references to one member",
     "new dies 0, put 0 a 0, put 0 b 0, put 0 c 0, drop 0, collect 2", "del 0, collect 1"},
    {"nothing is found twice", "new dies 0, put 0 a 0, drop 0, collect 2, collect 2",
     "del 0, collect 1, collect 0"},
    {"a cut cycle is none", "new dies 0, put 0 a 0, cut 0 a, drop 0, collect 2",
     "del 0, collect 0"},
    {"what was emptied in time dies by its count",
     "new dies 0, new list 1, put 0 a 1, put 1 a 0, empty 1, drop 1, drop 0", "del 0"},
    {"an empty heap", "collect 2", "collect 0"},
    /* resurrection */
    {"a finalizer saves its object out of a cycle",
     "new saves 0, put 0 a 0, drop 0, collect 2, unsave, collect 2", "del 0, collect 0, collect 1"},
    {"and what the object refers to",
     "new saves 0, put 0 a 0, new dies 1, put 0 b 1, drop 1, drop 0, collect 2, unsave, collect 2",
     "del 0, del 1, collect 0, collect 2"},
    {"and what refers to nothing but it dies",
     "new saves 0, new dies 1, put 1 a 0, put 1 b 1, put 0 a 0, drop 0, drop 1, collect 2, unsave, "
     "collect 2",
     "del 0, del 1, collect 1, collect 1"},
    {"one of two saves the cycle",
     "new saves 0, new dies 1, put 0 a 1, put 1 a 0, drop 0, drop 1, collect 2, unsave, collect 2",
     "del 0, del 1, collect 0, collect 2"},
    {"both save it",
     "new saves 0, new saves 1, put 0 a 1, put 1 a 0, drop 0, drop 1, collect 2, unsave, unsave, "
     "collect 2",
     "del 0, del 1, collect 0, collect 2"},
    {"a finalizer cuts its own cycle", "new clears 0, put 0 a 0, drop 0, collect 2",
     "del 0, collect 0"},
    {"one cuts a cycle of two",
     "new clears 0, new dies 1, put 0 a 1, put 1 a 0, drop 0, drop 1, collect 2",
     "del 0, del 1, collect 0"},
    {"both cut it", "new clears 0, new clears 1, put 0 a 1, put 1 a 0, drop 0, drop 1, collect 2",
     "del 0, del 1, collect 0"},
    {"a finalizer makes an object in a cycle",
     "new makes 0, put 0 a 0, drop 0, collect 2, collect 2", "del 0, collect 1, collect 0"},
    {"a saved cycle is whole",
     "new saves 0, new plain 1, put 0 a 1, put 1 a 0, watch 0 1 0, drop 0, drop 1, collect 2, look "
     "0",
     "del 0, collect 0, look dead"},
    /* weak references */
    {"a weak reference leads to its object", "new plain 0, watch 0 0 0, look 0, drop 0, look 0",
     "look 0, look dead"},
    {"it does not keep it", "new dies 0, watch 0 0 0, count 0, drop 0", "count 1, del 0"},
    {"without a callback there is one",
     "new plain 0, watch 0 0 0, watch 1 0 0, same 0 1, watched 0", "same 1, watched 1"},
    {"with callbacks there are as many as asked for",
     "new plain 0, watch 0 0 1, watch 1 0 1, same 0 1, watched 0", "same 0, watched 2"},
    {"a dead one is not given out again",
     "new plain 0, watch 0 0 0, drop 0, new plain 0, watch 1 0 0, same 0 1", "same 0"},
    {"a callback is called when the object dies", "new plain 0, watch 0 0 1, drop 0, look 0",
     "call 1, look dead"},
    {"callbacks are called newest first",
     "new plain 0, watch 0 0 1, watch 1 0 1, watch 2 0 1, drop 0", "call 3, call 2, call 1"},
    {"but behind the one without",
     "new plain 0, watch 0 0 1, watch 1 0 0, watch 2 0 1, watched 0, drop 0",
     "watched 3, call 2, call 1"},
    {"a finalizer is called before callbacks", "new dies 0, watch 0 0 1, drop 0", "del 0, call 1"},
    {"a legacy finalizer after them", "new legacy 0, watch 0 0 1, drop 0", "call 1, del 0"},
    {"a weak reference that died first is not called",
     "new plain 0, watch 0 0 1, unwatch 0, drop 0", ""},
    {"an object that comes back keeps its weak references",
     "new saves 0, watch 0 0 1, drop 0, look 0, unsave", "del 0, look 0, call 1"},
    {"a callback gives up its weak reference", "new plain 0, watch 0 0 2, drop 0, look 0",
     "call 1, look -"},
    {"a weak reference to garbage is called",
     "new plain 0, put 0 a 0, watch 0 0 1, drop 0, collect 2, look 0",
     "call 1, collect 1, look dead"},
    {"before any finalizer of the garbage", "new dies 0, put 0 a 0, watch 0 0 1, drop 0, collect 2",
     "call 1, del 0, collect 1"},
    {"each object's newest first, objects in their order",
     "new dies 0, new dies 1, put 0 a 1, put 1 a 0, watch 0 0 1, watch 1 1 1, watch 2 0 1, drop 0, "
     "drop 1, collect 2",
     "call 4, call 2, call 3, del 0, del 1, collect 2"},
    {"none leads to garbage while finalizers run",
     "new saves 0, put 0 a 0, watch 0 0 0, drop 0, collect 2, look 0, unsave, collect 2",
     "del 0, collect 0, look dead, collect 1"},
    {"a callback's own weak reference counts as collected",
     "new plain 0, put 0 a 0, watch 0 0 2, drop 0, collect 2, look 0", "call 1, collect 2, look -"},
    {"a weak reference to what outlives a collection",
     "new plain 0, watch 0 0 1, collect 2, look 0, drop 0", "collect 0, look 0, call 1"},
    {"of two weak references to garbage both are called",
     "new plain 0, put 0 a 0, watch 0 0 1, watch 1 0 1, drop 0, collect 2",
     "call 2, call 1, collect 1"},
    {"weak references to both of a pair",
     "new plain 0, new plain 1, put 0 a 1, put 1 a 0, watch 0 0 1, watch 1 1 1, drop 0, drop 1, "
     "collect 2, look 0, look 1",
     "call 2, call 3, collect 2, look dead, look dead"},
    {"a weak reference to what a cycle keeps",
     "new plain 0, put 0 a 0, new dies 1, put 0 b 1, watch 0 1 1, drop 1, drop 0, collect 2",
     "call 2, del 1, collect 2"},
    /* legacy finalizers */
    {"in a cycle it is uncollectable", "new legacy 0, put 0 a 0, drop 0, collect 2, garbage",
     "collect 1, garbage 0"},
    {"what it refers to is too, and not in the list",
     "new legacy 0, put 0 a 0, new dies 1, put 0 b 1, drop 1, drop 0, collect 2, garbage",
     "collect 2, garbage 0"},
    {"what refers to it is freed",
     "new dies 0, put 0 a 0, new legacy 1, put 1 a 1, put 0 b 1, drop 1, drop 0, collect 2, "
     "garbage",
     "del 0, collect 2, garbage 1"},
    {"off garbage it is called",
     "new list 0, put 0 a 0, new legacy 1, put 0 b 1, drop 1, drop 0, collect 2, garbage",
     "del 1, collect 1, garbage"},
    {"it is found again by each collection",
     "new legacy 0, put 0 a 0, drop 0, collect 2, collect 2, garbage",
     "collect 1, collect 0, garbage 0"},
    {"one in a cycle with another finalizer",
     "new legacy 0, new dies 1, put 0 a 1, put 1 a 0, drop 0, drop 1, collect 2, garbage",
     "collect 2, garbage 0"},
    {"two in one cycle",
     "new legacy 0, new legacy 1, put 0 a 1, put 1 a 0, drop 0, drop 1, collect 2, garbage",
     "collect 2, garbage 0 1"},
    {"a weak reference to it lives",
     "new legacy 0, put 0 a 0, watch 0 0 1, drop 0, collect 2, look 0, garbage",
     "collect 1, look 0, garbage 0"},
    /* save_all */
    {"what would be freed is kept",
     "save_all 1, new plain 0, put 0 a 0, drop 0, collect 2, garbage", "collect 1, garbage 0"},
    {"its finalizer has been called",
     "save_all 1, new dies 0, put 0 a 0, drop 0, collect 2, garbage",
     "del 0, collect 1, garbage 0"},
    {"what came back is not in the list",
     "save_all 1, new saves 0, put 0 a 0, drop 0, collect 2, garbage", "del 0, collect 0, garbage"},
    {"all of a cycle is kept",
     "save_all 1, new plain 0, new list 1, put 0 a 1, put 1 a 0, drop 0, drop 1, collect 2, "
     "garbage",
     "collect 2, garbage 0 1"},
    /* looking */
    {"an object's referents come in the order of its fields",
     "new plain 0, new plain 1, put 0 b 1, new plain 1, put 0 a 1, referents 0", "referents 2 1"},
    {"a list's come last first",
     "new list 0, new plain 1, put 0 a 1, new plain 1, put 0 a 1, referents 0", "referents 2 1"},
    {"a dict's in the order of insertion",
     "new dict 0, new plain 1, put 0 b 1, new plain 1, put 0 a 1, referents 0", "referents 1 2"},
    {"a tuple's last first", "new plain 0, new plain 1, pair 2 0 1, referents 2", "referents 1 0"},
    {"referrers", "new plain 0, new list 1, put 1 a 0, new plain 2, put 2 a 0, referrers 0",
     "referrers 1 2"},
    {"a tuple is a referrer", "new plain 0, pair 1 0 0, referrers 0", "referrers T"},
    {"a tuple of atoms is untracked by a collection", "pair 0 1 1, tracked 0, collect 2, tracked 0",
     "tracked 1 0, collect 0, tracked 0 0"},
    {"a tuple with a container in it stays tracked",
     "new plain 1, pair 0 1 1, collect 2, tracked 0", "collect 0, tracked 1 0"},
    {"a tuple of untracked tuples is untracked",
     "pair 0 1 1, collect 2, pair 2 0 0, collect 2, tracked 2",
     "collect 0, collect 0, tracked 0 0"},
    /* freezing */
    {"what is frozen is not collected", "new dies 0, put 0 a 0, drop 0, freeze, collect 2",
     "collect 0"},
    {"what is frozen dies by its count", "new dies 0, freeze, drop 0", "del 0"},
    {"what comes after is collected", "freeze, new dies 0, put 0 a 0, drop 0, collect 2",
     "del 0, collect 1"},
    {"frozen containers keep others alive",
     "new plain 0, freeze, new dies 1, put 0 a 1, put 1 a 1, drop 1, collect 2, drop 0, collect 2",
     "collect 0, del 1, collect 1"},
};

enum { PYTHON_SCENARIOS = sizeof(python_scenarios) / sizeof(python_scenarios[0]) };

/* The lines of text up to "end", joined by ", ". */
static void python_join(char *text, char *joined, size_t size)
{
    size_t length = 0;
    char *rest = NULL;
    joined[0] = '\0';
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        line += strspn(line, " ");
        size_t end = strlen(line);
        while (end > 0 && line[end - 1] == ' ') {
            line[--end] = '\0';
        }
        if (strcmp(line, "end") == 0) {
            return;
        }
        if (strncmp(line, "start", 5) != 0 && strncmp(line, "stop", 4) != 0) {
            length += (size_t)snprintf(joined + length, size - length, "%s%s",
                                       length == 0 ? "" : ", ", line);
        }
    }
}

/* Whether it logs what it should; prints what it logs otherwise. */
static bool python_run(struct heap *heap, const struct python_scenario *row)
{
    struct program program;
    char joined[4096];
    char *text = NULL;
    size_t size = 0;
    assert_true(program_parse(&program, row->program));
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    uint64_t wrong = run_program(&program, PROGRAM_LEGACY, heap, gc_test_policy(), out);
    fclose(out);
    python_join(text, joined, sizeof(joined));
    free(text);
    bool same = wrong == 0 && strcmp(joined, row->log) == 0;
    if (!same) {
        fprintf(stderr, "%s (%s): %s\n  logs %s\n  not  %s; left or broken: %llu\n", row->name,
                gc_policy_name(gc_test_policy()), row->program, joined, row->log,
                (unsigned long long)wrong);
    }
    return same;
}

static void test_scenarios_log_what_cpython_logs(void **state)
{
    struct gc_fixture *fixture = *state;
    int differing = 0;
    for (int i = 0; i < PYTHON_SCENARIOS; i++) {
        differing += !python_run(&fixture->heap, &python_scenarios[i]);
    }
    assert_int_equal(differing, 0);
}

int python_scenarios_test(void)
{
    const struct CMUnitTest python_tests[] = {
        GC_TEST(test_scenarios_log_what_cpython_logs),
    };
    return cmocka_run_group_tests(python_tests, NULL, NULL);
}
