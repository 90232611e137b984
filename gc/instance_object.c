/* Instances: attributes in a dict of their own, and a class. No shared keys (PEP 412): each dict
 * has a table of its own.
 *
 * A plain instance knows its class by name, and holds a reference to that name. An instance of a
 * class object has the class's own type, by which it finds (and keeps) the class, and has the head
 * of its weak references where the other has the name. */
#include "gc/class.h"
#include "gc/container.h"
#include "gc/objects.h"
#include "gc/runtime.h"

enum { INSTANCE_BLOCK_BYTES = sizeof(struct gc_head) + sizeof(struct instance_object) };

static struct instance_object *instance_of(const struct object *object)
{
    OBJECT_ASSERT(object->type->heap_type == HEAP_INSTANCE);
    OBJECT_ASSERT(object->type->size == INSTANCE_BLOCK_BYTES);
    return (struct instance_object *)(uintptr_t)object;
}

static bool instance_is_plain(const struct object *object)
{
    return object->type == &instance_type;
}

/* What the instance owns besides its attributes: the name, or the class. */
static struct object *instance_owned_class(const struct object *self)
{
    return instance_is_plain(self) ? instance_of(self)->class_name : class_of_instance(self);
}

static int instance_traverse(struct object *self, object_visit *visit, void *context)
{
    struct instance_object *instance = instance_of(self);
    int result = visit(instance_owned_class(self), context);
    if (result == 0 && instance->attributes != NULL) {
        result = visit(instance->attributes, context);
    }
    return result;
}

/* The class stays: a str or a class is in no cycle, and the object stays valid. */
static void instance_clear(struct runtime *runtime, struct object *self)
{
    struct instance_object *instance = instance_of(self);
    struct object *attributes = instance->attributes;
    runtime_written(runtime, self);
    instance->attributes = NULL;
    object_xdecref(runtime, attributes);
}

static void instance_dealloc(struct runtime *runtime, struct object *self)
{
    struct object *class = instance_owned_class(self);
    object_xdecref(runtime, instance_of(self)->attributes);
    runtime_free_container(runtime, self, INSTANCE_BLOCK_BYTES);
    object_decref(runtime, class); /* last: the type is a part of it */
}

/* A class's instance has kept its class until now: see trash_free.c. */
static void instance_discard(struct runtime *runtime, struct object *self)
{
    struct object *class = instance_is_plain(self) ? NULL : class_of_instance(self);
    runtime_free_container(runtime, self, INSTANCE_BLOCK_BYTES);
    object_xdecref(runtime, class);
}

const struct type instance_type = {
    .name = "instance",
    .size = INSTANCE_BLOCK_BYTES,
    .heap_type = HEAP_INSTANCE,
    .flags = TYPE_IS_CONTAINER | TYPE_IS_GUARDED,
    .traverse = instance_traverse,
    .clear = instance_clear,
    .dealloc = instance_dealloc,
    .discard = instance_discard,
};

struct object *(instance_new)(struct runtime *runtime, struct object *class_name)
{
    struct instance_object *self =
        runtime_alloc_container(runtime, &instance_type, INSTANCE_BLOCK_BYTES);
    if (self == NULL) {
        return NULL;
    }
    self->class_name = object_incref(class_name);
    self->attributes = NULL;
    runtime_track(runtime, &self->base);
    return &self->base;
}

struct object *(class_instance_new)(struct runtime *runtime, struct object *class)
{
    struct instance_object *self =
        runtime_alloc_container(runtime, class_instance_type(class), INSTANCE_BLOCK_BYTES);
    if (self == NULL) {
        return NULL;
    }
    object_incref(class);
    self->weakrefs = NULL;
    self->attributes = NULL;
    runtime_track(runtime, &self->base);
    return &self->base;
}

bool instance_set_in(struct runtime *runtime, struct object *owner, struct object **attributes,
                     struct object *name, struct object *value)
{
    struct object *dict = GC_LOAD(*attributes);
    if (dict != NULL) {
        return dict_set(runtime, dict, name, value);
    }
    struct object *made = (dict_new)(runtime);
    if (made == NULL) {
        return false;
    }
#ifdef GC_FREE_THREADS
    bool is_shared = container_enter(owner);
    dict = *attributes;
    if (dict == NULL) {
        container_put(is_shared, made);
        GC_STORE(*attributes, made);
    }
    container_leave(owner, is_shared);
    if (dict != NULL) {
        object_decref(runtime, made);
    }
    return dict_set(runtime, dict == NULL ? made : dict, name, value);
#else
    /* A collection on the way may have run a finalizer that set one. */
    if (*attributes != NULL) {
        object_decref(runtime, made);
        return dict_set(runtime, *attributes, name, value);
    }
    if (!dict_set(runtime, made, name, value)) {
        object_decref(runtime, made);
        return false;
    }
    runtime_given(runtime, owner, made);
    *attributes = made;
    return true;
#endif
}

bool(instance_set_attribute)(struct runtime *runtime, struct object *instance, struct object *name,
                             struct object *value)
{
    return instance_set_in(runtime, instance, &instance_of(instance)->attributes, name, value);
}

bool instance_delete_attribute(struct runtime *runtime, struct object *instance,
                               struct object *name)
{
    const struct instance_object *self = instance_of(instance);
    struct object *dict = GC_LOAD(self->attributes);
    return dict != NULL && dict_delete(runtime, dict, name);
}

struct object *instance_attribute(const struct object *instance, struct object *name)
{
    const struct instance_object *self = instance_of(instance);
    const struct object *dict = GC_LOAD(self->attributes);
    struct object *value = dict == NULL ? NULL : dict_get(dict, name);
    return value != NULL || instance_is_plain(instance)
               ? value
               : class_attribute(class_of_instance(instance), name);
}

struct object *instance_class_name(const struct object *instance)
{
    return instance_is_plain(instance) ? instance_of(instance)->class_name
                                       : class_name(class_of_instance(instance));
}
