/* The objects of programs: types of the test's own with three fields and a number, and lists and
 * dicts, whose numbers are kept beside them. */
#ifndef HEAPMILL_GC_TESTS_PYTHON_NODES_H
#define HEAPMILL_GC_TESTS_PYTHON_NODES_H

#include "gc/object.h"
#include "gc/tests/python/program.h"

/* What the types' finalizers call: run.c's. */
struct node_hooks {
    void (*finalized)(struct runtime *runtime, struct object *self, enum program_kind kind);
};
extern struct node_hooks node_hooks;

/* A new reference to an object of that kind. Its number is *serial once it has been allocated, as
 * finalizers that run meanwhile take numbers too; *serial is the next. */
struct object *node_new(struct runtime *runtime, enum program_kind kind, int *serial);
/* Whether it is one with fields. */
bool node_is_slotted(const struct object *object);
/* Whether it is one of the kinds, and not a tuple or a weak reference. */
bool node_is_one(const struct object *object);
int node_number(const struct object *object);
/* Borrowed; NULL: nothing there. */
struct object *node_field(const struct object *slotted, int field);
void node_set_field(struct runtime *runtime, struct object *slotted, int field,
                    struct object *value);
/* Forgets the numbers of lists and dicts. */
void node_forget_numbers(void);

#endif
