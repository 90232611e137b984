/* What Python's gc module lets a program see and switch, beyond collecting (object.h).
 *
 * Visits come in the order of the registry: the oldest generation first, and within one in the
 * order of tracking, but that a container takes the place of a young one that has died, and that
 * survivors of a collection take those of the dead. None of the functions sees what a collection
 * under way has found to be garbage. */
#ifndef HEAPMILL_GC_INTROSPECT_H
#define HEAPMILL_GC_INTROSPECT_H

#include "gc/object.h"

/* ---------------------------------------------------------------- looking */
/* Calls visit for each tracked container of a generation (0..2), or of all with generation −1, the
 * frozen ones too then; a non-zero result stops it and is returned. visit must not make or release
 * objects: take references, and work on them afterwards. Policies without generations have all
 * their containers in one or the other. As gc.get_objects. */
int gc_visit_objects(struct runtime *runtime, int generation, object_visit *visit, void *context);
/* Calls visit for each reference that object owns; none for an atom. As gc.get_referents. */
int gc_visit_referents(struct object *object, object_visit *visit, void *context);
/* Calls visit once for each tracked container that refers to object. As gc.get_referrers. Time: all
 * containers and their references. */
int gc_visit_referrers(struct runtime *runtime, const struct object *object, object_visit *visit,
                       void *context);

/* ---------------------------------------------------------------- freezing */
/* Takes all containers that are tracked now out of every collection's sight, until gc_unfreeze: as
 * gc.freeze, for use before a fork. They are alive whatever refers to them; reference counts still
 * free them. Inside a collection, what it has found to be garbage is not among them, also when a
 * finalizer brings it back. */
void gc_freeze(struct runtime *runtime);
/* Puts the frozen containers back, into the oldest generation. */
void gc_unfreeze(struct runtime *runtime);
uint64_t gc_freeze_count(const struct runtime *runtime);

/* ---------------------------------------------------------------- immortal objects */
/* Makes object live until runtime_close, however often it is decref'd meanwhile (PEP 683). At the
 * close its count is what it would be without this, and less: it dies when nobody owns it. false:
 * the system refuses memory for the books, or it was immortal before; nothing has changed. */
bool object_immortalize(struct runtime *runtime, struct object *object);

/* ---------------------------------------------------------------- garbage and callbacks */
/* The list of uncollectable containers, as gc.garbage: those with legacy finalizers in cycles, and
 * with save_all whatever would have been freed. Borrowed; made on first use; NULL: the heap is
 * exhausted. Clear it to give up the references that it owns. */
struct object *gc_garbage(struct runtime *runtime);
/* As gc.set_debug(gc.DEBUG_SAVEALL). */
void gc_set_save_all(struct runtime *runtime, bool save_all);

enum gc_phase { GC_PHASE_START, GC_PHASE_STOP };

struct gc_event {
    enum gc_phase phase;
    int generation;
    uint64_t collected;     /* both 0 at the start */
    uint64_t uncollectable; /* legacy finalizers, and what is reachable from them */
};

/* As an entry of gc.callbacks. The caller's own, alive and unchanged until it is removed. */
struct gc_callback {
    void (*call)(struct runtime *runtime, const struct gc_event *event, void *context);
    void *context;
    struct gc_callback *next; /* the runtime's */
};

/* Callbacks are called before and after each whole collection, in the order of their addition. They
 * may do anything; a collection inside one does nothing. One that is removed meanwhile, by itself
 * or by another, is not called any more; one that is added meanwhile is called from the next event
 * on. */
void gc_add_callback(struct runtime *runtime, struct gc_callback *callback);
void gc_remove_callback(struct runtime *runtime, struct gc_callback *callback);

/* ---------------------------------------------------------------- internal to gc/ */
/* Appends to gc_garbage. false: exhausted. */
bool introspect_save_garbage(struct runtime *runtime, struct object *object);
void introspect_notify(struct runtime *runtime, const struct gc_event *event);
/* At the close of a runtime: immortal objects become mortal. */
void introspect_make_mortal(struct runtime *runtime);

#endif
