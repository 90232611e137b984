/* Classes: what a class statement gives its instances, as far as memory is concerned.
 *
 * A class is an object of its own with a struct type inside, which is the type of its instances;
 * each instance keeps it alive, as those of CPython 3.8 and later keep their heap types. Classes
 * and their instances may be weakly referenced, and instances may have finalizers. (instance_new in
 * object.h makes plain instances, which know their class by name alone and have neither.)
 *
 * A class has attributes, and at most one base. What is not found in a class is looked up in its
 * base, and so on: CPython's method resolution order where each class has one base. Several bases
 * (C3 linearization) are left out: they change in which order dicts are asked, not what memory
 * does. */
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

/* A new reference to a class without base. name is copied into a str of the heap. hooks may be
 * NULL: neither finalizer. NULL: the heap is exhausted. */
struct object *(class_new)(struct runtime *runtime, const char *name,
                           const struct class_hooks *hooks);
/* The same with a base, which the class keeps alive. A finalizer that hooks leaves NULL is the
 * base's; instances may be weakly referenced when either class allows it. */
struct object *(class_new_derived)(struct runtime *runtime, const char *name, struct object *base,
                                   const struct class_hooks *hooks);
struct object *class_name(const struct object *class); /* a str, borrowed */
struct object *class_base(const struct object *class); /* borrowed; NULL: none */
/* Whether class is ancestor or derived from it. */
bool class_is_derived(const struct object *class, const struct object *ancestor);

/* Attributes of the class itself, in a dict that is made with the first. An instance finds them by
 * instance_attribute. false: the heap is exhausted. */
bool(class_set_attribute)(struct runtime *runtime, struct object *class, struct object *name,
                          struct object *value);
/* Whether the class itself had the attribute. */
bool class_delete_attribute(struct runtime *runtime, struct object *class, struct object *name);
/* The class's, else its nearest ancestor's. Borrowed; NULL: no such attribute. */
struct object *class_attribute(const struct object *class, struct object *name);

/* A new reference to an instance of class, which it keeps alive; without attributes. */
struct object *(class_instance_new)(struct runtime *runtime, struct object *class);
/* The class of an instance that class_instance_new made; NULL: a plain one. Borrowed. */
struct object *class_of_instance(const struct object *instance);

#define class_new(...) LEDGER_CALL(class_new, __VA_ARGS__)
#define class_new_derived(...) LEDGER_CALL(class_new_derived, __VA_ARGS__)
#define class_set_attribute(...) LEDGER_CALL(class_set_attribute, __VA_ARGS__)
#define class_instance_new(...) LEDGER_CALL(class_instance_new, __VA_ARGS__)

#endif
