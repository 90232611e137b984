/* What the tests of gc/ share: a heap with a runtime over it, and the checks at its end. */
#ifndef HEAPMILL_GC_TESTS_GC_TEST_H
#define HEAPMILL_GC_TESTS_GC_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four above. */
#include <cmocka.h>

#include "gc/object.h"

struct gc_test_group {
    const char *name;
    int (*run)(void); /* the number of failed tests */
};

extern const struct gc_test_group gc_test_table[];
/* The long tier: sizes ten times the usual and more. */
extern bool gc_test_long;

/* The collector that fixtures are opened with. */
const struct gc_policy *gc_test_policy(void);

/* What the object layer asks the system for beside the heap: see scratch.c. All zero: no call is
 * refused. */
struct gc_test_scratch {
    uint64_t calls; /* for scratch memory, refused ones too */
    uint64_t first; /* from this call on, from 1, */
    uint64_t last;  /* and up to this one they are refused */
    /* Of memory that is no scratch (the heap's, and the counts of gc_check): so many more are
     * granted, when it is limited. */
    bool limits_maps;
    uint64_t maps_left;
    uint64_t mapped_bytes; /* and not unmapped */
};

extern struct gc_test_scratch gc_test_scratch;

struct gc_fixture {
    struct heap heap;
    struct runtime *runtime;
    uint64_t objects_at_start; /* the runtime's own */
    uint64_t blocks_at_start;  /* the probe's, which counts over the whole process */
    uint64_t bytes_at_start;
    uint64_t mapped_at_start;
};

/* cmocka's set-up and tear-down of one test: *state is a struct gc_fixture. The tear-down fails the
 * test when an object or a block is left, or an invariant is broken. */
int gc_test_setup(void **state);
int gc_test_teardown(void **state);

/* Opens a fixture, os hooks and all; false when the heap or the runtime has no memory. */
bool gc_test_open(struct gc_fixture *fixture, const struct heap_options *options);
/* Closes both. The number of things wrong: objects, blocks and mappings left, broken invariants. */
uint64_t gc_test_close(struct gc_fixture *fixture);

/* The fixture's runtime anew, under that policy (which outlives it); it collects when the test says
 * so. */
struct runtime *gc_test_reopen(struct gc_fixture *fixture, const struct gc_policy *policy);

/* A ring of so many lists, each the only item of the one after it, to which the caller owns the one
 * reference. */
struct object *gc_test_make_ring(struct runtime *runtime, int count);

/* Runs body on a stack of 256 KiB, where one frame for each node of a long chain would overflow.
 * Returns what it returned. No cmocka assertions inside: they belong to the test's own thread. */
void *gc_test_on_small_stack(void *(*body)(void *context), void *context);

/* Objects alive beyond the runtime's own. */
static inline uint64_t gc_test_live(const struct gc_fixture *fixture)
{
    return runtime_objects_live(fixture->runtime) - fixture->objects_at_start;
}

#define GC_TEST(function) cmocka_unit_test_setup_teardown(function, gc_test_setup, gc_test_teardown)

#endif
