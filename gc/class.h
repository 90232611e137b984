/* Classes: what a class statement gives its instances, as far as memory is concerned.
 *
 * A class is an object of its own with a struct type inside, which is the type of its instances;
 * each instance keeps it alive, as those of CPython 3.8 and later keep their heap types. Instances
 * of a class may be weakly referenced, and may have finalizers. (instance_new in object.h makes
 * plain instances, which know their class by name alone and have neither.) */
#ifndef HEAPMILL_GC_CLASS_H
#define HEAPMILL_GC_CLASS_H

#include "gc/object.h"

/* self is borrowed and whole: nothing that it refers to has been cleared. A finalizer may do
 * anything that other code may, and may keep self by taking a reference: resurrection. */
typedef void class_finalizer(struct runtime *runtime, struct object *self, void *context);

struct class_hooks {
    /* __del__ since PEP 442: once in an object's life, before anything of it is taken apart,
     * whether its count comes to zero or the collector finds it in a cycle. NULL: none. */
    class_finalizer *finalize;
    /* __del__ before PEP 442 (tp_del): called when the count comes to zero, again after each
     * resurrection. The collector never calls it: a cycle with such an object in it is set aside,
     * see gc_garbage. NULL: none. */
    class_finalizer *finalize_legacy;
    void *context; /* the finalizers' */
    /* As a class with __slots__ and without "__weakref__". */
    bool without_weakrefs;
};

/* A new reference to a class. name is copied into a str of the heap. hooks may be NULL: neither
 * finalizer. NULL: the heap is exhausted. */
struct object *(class_new)(struct runtime *runtime, const char *name,
                           const struct class_hooks *hooks);
struct object *class_name(const struct object *class); /* a str, borrowed */

/* A new reference to an instance of class, which it keeps alive; without attributes. */
struct object *(class_instance_new)(struct runtime *runtime, struct object *class);
/* The class of an instance that class_instance_new made; NULL: a plain one. Borrowed. */
struct object *class_of_instance(const struct object *instance);

#endif
