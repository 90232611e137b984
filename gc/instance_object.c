/* Plain instances: a class name, and attributes in a dict. No shared keys (PEP 412): each dict has
 * a table of its own. */
#include "gc/objects.h"
#include "gc/runtime.h"

static struct instance_object *instance_of(const struct object *object)
{
    OBJECT_ASSERT(object->type == &instance_type);
    return (struct instance_object *)(uintptr_t)object;
}

static int instance_traverse(struct object *self, object_visit *visit, void *context)
{
    struct instance_object *instance = instance_of(self);
    int result = visit(instance->class_name, context);
    if (result == 0 && instance->attributes != NULL) {
        result = visit(instance->attributes, context);
    }
    return result;
}

/* The class name stays: a str is in no cycle, and the object stays valid. */
static void instance_clear(struct runtime *runtime, struct object *self)
{
    struct instance_object *instance = instance_of(self);
    struct object *attributes = instance->attributes;
    instance->attributes = NULL;
    object_xdecref(runtime, attributes);
}

static void instance_dealloc(struct runtime *runtime, struct object *self)
{
    struct instance_object *instance = instance_of(self);
    object_xdecref(runtime, instance->attributes);
    object_decref(runtime, instance->class_name);
    runtime_free_container(runtime, self, sizeof(struct gc_head) + sizeof(struct instance_object));
}

const struct type instance_type = {
    .name = "instance",
    .size = sizeof(struct gc_head) + sizeof(struct instance_object),
    .heap_type = HEAP_INSTANCE,
    .flags = TYPE_IS_CONTAINER,
    .traverse = instance_traverse,
    .clear = instance_clear,
    .dealloc = instance_dealloc,
};

struct object *instance_new(struct runtime *runtime, struct object *class_name)
{
    struct instance_object *self = runtime_alloc_container(
        runtime, &instance_type, sizeof(struct gc_head) + sizeof(struct instance_object));
    if (self == NULL) {
        return NULL;
    }
    self->class_name = object_incref(class_name);
    self->attributes = NULL;
    runtime_track(runtime, &self->base);
    return &self->base;
}

bool instance_set_attribute(struct runtime *runtime, struct object *instance, struct object *name,
                            struct object *value)
{
    struct instance_object *self = instance_of(instance);
    if (self->attributes != NULL) {
        return dict_set(runtime, self->attributes, name, value);
    }
    struct object *attributes = dict_new(runtime);
    if (attributes == NULL) {
        return false;
    }
    if (!dict_set(runtime, attributes, name, value)) {
        object_decref(runtime, attributes);
        return false;
    }
    self->attributes = attributes;
    return true;
}

struct object *instance_attribute(const struct object *instance, struct object *name)
{
    const struct instance_object *self = instance_of(instance);
    return self->attributes == NULL ? NULL : dict_get(self->attributes, name);
}

struct object *instance_class_name(const struct object *instance)
{
    return instance_of(instance)->class_name;
}
