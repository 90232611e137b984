/* What has to happen before an object is taken apart: finalizers, and weak references. Internal to
 * gc/. */
#ifndef HEAPMILL_GC_FINALIZERS_H
#define HEAPMILL_GC_FINALIZERS_H

#include "gc/object.h"

/* The count of object, a container whose type has TYPE_NEEDS_CARE, has come to zero. In the order
 * of CPython's subtype_dealloc (Objects/typeobject.c, 3.11): its finalizer runs, its weak
 * references are cut and their callbacks called, its legacy finalizer runs, and weak references
 * that this one has made are cut without a call. All that while the object is whole and tracked,
 * and has a count of one, which is this function's.
 *
 * true: it is dead, its count zero. false: it lives on, as somebody has taken a reference, or its
 * death was put off, since deallocations nest too deeply: it waits in runtime->put_off, which owns
 * a reference then. */
bool finalizers_prepare(struct runtime *runtime, struct object *object);

/* Releases one object that was put off. false: there is none. */
bool finalizers_take_up(struct runtime *runtime);

/* Runs the finalizer of object, which the caller owns a reference to, unless it has run before. */
void finalizers_call_once(struct runtime *runtime, struct object *object);

/* Releases the table of what was put off, which is empty. */
void finalizers_close(struct runtime *runtime);

#endif
