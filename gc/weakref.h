/* Weak references: objects that name another object without keeping it alive.
 *
 * A referent has the list of its weak references, newest first. When it dies they are cut off it,
 * and then the callbacks of those that are themselves alive are called, newest first: at that time
 * none of them leads to the referent any more. When the collector finds the referent in garbage,
 * that happens before any finalizer of the garbage runs, and a weak reference that is garbage too
 * is cut off without a call. As CPython 3.11, Objects/weakrefobject.c, and handle_weakrefs. */
#ifndef HEAPMILL_GC_WEAKREF_H
#define HEAPMILL_GC_WEAKREF_H

#include "gc/object.h"

/* Called once, when the referent is dead or about to be finalized by the collector. weakref and
 * owned are borrowed; the former gives NULL by now. */
typedef void weakref_callback(struct runtime *runtime, struct object *weakref, struct object *owned,
                              void *context);

struct weakref_hooks {
    weakref_callback *callback; /* not NULL */
    /* NULL, or an object that the callback needs: the weak reference takes a reference of its own.
     * It releases it once the callback has returned, but when the collector made the call: then
     * when it dies itself. As CPython releases the callback. */
    struct object *owned;
    void *context; /* the callback's; the caller keeps it valid */
};

/* Whether objects of referent's type may be weakly referenced: classes may, and their instances,
 * unless the class says otherwise; lists, tuples, dicts and atoms may not, as in CPython. */
bool weakref_is_allowed(const struct object *referent);

/* A new reference to a weak reference to referent, which must allow them. Without hooks (NULL) all
 * share one, as in CPython. NULL: the heap is exhausted. */
struct object *(weakref_new)(struct runtime *runtime, struct object *referent,
                             const struct weakref_hooks *hooks);
/* A new reference to the referent; NULL: it is dead. */
struct object *weakref_get(struct runtime *runtime, const struct object *weakref);
/* The number of weak references to referent, as weakref.getweakrefcount. */
size_t weakref_count(const struct object *referent);

#define weakref_new(...) LEDGER_CALL(weakref_new, __VA_ARGS__)

#endif
