/* What the tests of finalizers, weak references and introspection share: classes whose finalizers
 * keep a log, and cycles of their instances. One scenario at a time. */
#ifndef HEAPMILL_GC_TESTS_SCENARIO_H
#define HEAPMILL_GC_TESTS_SCENARIO_H

#include "gc/class.h"
#include "gc/introspect.h"
#include "gc/tests/gc_test.h"
#include "gc/weakref.h"

enum scenario_event { SCENARIO_FINALIZED = 1, SCENARIO_LEGACY, SCENARIO_CALLED };

enum { SCENARIO_EVENTS_MAX = 4096 };

struct scenario {
    struct runtime *runtime;
    struct object *next; /* the attributes' names */
    struct object *tag;
    struct object *other;
    struct object *saved; /* a list: what finalizers have resurrected */
    enum scenario_event events[SCENARIO_EVENTS_MAX];
    int64_t tags[SCENARIO_EVENTS_MAX]; /* of the finalized, or of a callback's context; −1: none */
    size_t events_length;
};

extern struct scenario scenario;

/* Begins a scenario over *state's fixture. */
struct runtime *scenario_begin(void **state);
/* The same over any runtime; false: the heap is exhausted. End it in either case. */
bool scenario_open(struct runtime *runtime);
/* Releases what it owns; the list of garbage is emptied too, and everything collected. */
void scenario_end(void);

size_t scenario_count(enum scenario_event event);

/* Finalizers, and a callback for weak references: they note their call. */
void scenario_finalize(struct runtime *runtime, struct object *self, void *context);
void scenario_finalize_legacy(struct runtime *runtime, struct object *self, void *context);
void scenario_called(struct runtime *runtime, struct object *weakref, struct object *owned,
                     void *context);
extern const struct weakref_hooks scenario_calls; /* scenario_called, and nothing owned */
/* Notes its call, and appends self to scenario.saved. */
void scenario_resurrect(struct runtime *runtime, struct object *self, void *context);

/* An instance of a new class with these hooks (NULL: none) and the attribute tag, an int of its
 * own. NULL: the heap is exhausted. */
struct object *scenario_instance(const struct class_hooks *hooks, int64_t tag);
/* first.next = second, which may be the same. false: exhausted. */
bool scenario_link(struct object *first, struct object *second);
/* Links count instances in a ring, and releases them all: garbage, unless they have other
 * references. */
bool scenario_drop_ring(struct object **instances, size_t count);
int64_t scenario_tag(const struct object *instance);

#endif
