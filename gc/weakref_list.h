/* The structure of weak references, and what deallocation and the collector do with them. Internal
 * to gc/. */
#ifndef HEAPMILL_GC_WEAKREF_LIST_H
#define HEAPMILL_GC_WEAKREF_LIST_H

#include "gc/container.h"
#include "gc/weakref.h"

/* PyWeakReference, Include/cpython/weakrefobject.h, 3.11, which has the hash and the vectorcall
 * pointer where this has what the callback is given. */
struct weakref_object {
    struct object base;
    struct object *referent;     /* borrowed; NULL: dead, and in no list */
    struct weakref_hooks hooks;  /* callback NULL: none, or it has been called */
    struct weakref_object *prev; /* NULL: the first of the referent's list */
    struct weakref_object *next; /* also the link of struct weakref_calls */
};

/* Weak references that were cut off and whose callbacks are to be called, each with a reference
 * that the list owns. All zero is empty. */
struct weakref_calls {
    struct weakref_object *first;
    struct weakref_object *last;
    bool releases_owned; /* after each call: the referent has died by its count */
};

/* The head of the list in a referent that weakref_is_allowed. */
static inline struct weakref_object **weakref_list_of(const struct object *referent)
{
    return (struct weakref_object **)((uintptr_t)referent + referent->type->weakrefs_offset);
}

static inline bool weakref_any(const struct object *referent)
{
    return (referent->type->flags & TYPE_HAS_WEAKREFS) != 0 &&
           GC_LOAD(*weakref_list_of(referent)) != NULL;
}

/* Cuts one weak reference off its referent; its callback will not be called. */
void weakref_cut(struct object *weakref);
/* Cuts all weak references off referent (which allows them), and adds those with a callback that
 * are to be called to calls; with calls NULL none is ever called. Runs no other code. */
void weakref_cut_all(struct object *referent, struct weakref_calls *calls);
/* Calls them in order and releases them: runs any code. Callbacks may allocate, and may collect.
 * Returns how many of the weak references died of that. */
uint64_t weakref_make_calls(struct runtime *runtime, struct weakref_calls *calls);

#endif
