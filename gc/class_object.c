/* Classes: a name, the finalizers, and the type of the instances. */
#include "gc/class.h"

#include <string.h>

#include "gc/objects.h"
#include "gc/runtime.h"

struct class_object {
    struct object base;
    struct object *name;
    struct class_hooks hooks;
    struct type type; /* of its instances */
};

enum { CLASS_BLOCK_BYTES = sizeof(struct gc_head) + sizeof(struct class_object) };

static struct class_object *class_from(const struct object *object)
{
    OBJECT_ASSERT(object->type == &class_type);
    return (struct class_object *)(uintptr_t)object;
}

static int class_traverse(struct object *self, object_visit *visit, void *context)
{
    return visit(class_from(self)->name, context);
}

/* A name is in no cycle, so there is nothing to break. */
static void class_clear(struct runtime *runtime, struct object *self)
{
    (void)runtime;
    (void)self;
}

static void class_dealloc(struct runtime *runtime, struct object *self)
{
    object_decref(runtime, class_from(self)->name);
    runtime_free_container(runtime, self, CLASS_BLOCK_BYTES);
}

const struct type class_type = {
    .name = "class",
    .size = CLASS_BLOCK_BYTES,
    .heap_type = HEAP_INSTANCE,
    .flags = TYPE_IS_CONTAINER | TYPE_IS_GUARDED,
    .traverse = class_traverse,
    .clear = class_clear,
    .dealloc = class_dealloc,
};

/* ---------------------------------------------------------------- the instances' type */
static struct class_object *class_from_type(const struct type *type)
{
    return (struct class_object *)((uintptr_t)type - offsetof(struct class_object, type));
}

static void class_call_finalizer(struct runtime *runtime, struct object *self)
{
    const struct class_hooks *hooks = &class_from_type(self->type)->hooks;
    hooks->finalize(runtime, self, hooks->context);
}

static void class_call_legacy_finalizer(struct runtime *runtime, struct object *self)
{
    const struct class_hooks *hooks = &class_from_type(self->type)->hooks;
    hooks->finalize_legacy(runtime, self, hooks->context);
}

static void class_set_type(struct class_object *self)
{
    const struct class_hooks *hooks = &self->hooks;
    unsigned flags = instance_type.flags | TYPE_IS_CLASS_INSTANCE;
    flags |= hooks->finalize == NULL ? 0u : (unsigned)TYPE_HAS_FINALIZER;
    flags |= hooks->finalize_legacy == NULL ? 0u : (unsigned)TYPE_HAS_LEGACY_FINALIZER;
    flags |= hooks->without_weakrefs ? 0u : (unsigned)TYPE_HAS_WEAKREFS;
    self->type = instance_type;
    self->type.name = str_bytes(self->name);
    self->type.flags = flags;
    self->type.finalize = hooks->finalize == NULL ? NULL : class_call_finalizer;
    self->type.finalize_legacy =
        hooks->finalize_legacy == NULL ? NULL : class_call_legacy_finalizer;
    self->type.weakrefs_offset = offsetof(struct instance_object, weakrefs);
}

struct object *(class_new)(struct runtime *runtime, const char *name,
                           const struct class_hooks *hooks)
{
    static const struct class_hooks no_hooks;
    struct object *name_str = (str_intern)(runtime, name, strlen(name));
    if (name_str == NULL) {
        return NULL;
    }
    struct class_object *self = runtime_alloc_container(runtime, &class_type, CLASS_BLOCK_BYTES);
    if (self == NULL) {
        object_decref(runtime, name_str);
        return NULL;
    }
    self->name = name_str;
    self->hooks = hooks == NULL ? no_hooks : *hooks;
    class_set_type(self);
    runtime_track(runtime, &self->base);
    return &self->base;
}

struct object *class_name(const struct object *class)
{
    return class_from(class)->name;
}

struct object *class_of_instance(const struct object *instance)
{
    return instance->type->flags & TYPE_IS_CLASS_INSTANCE ? &class_from_type(instance->type)->base
                                                          : NULL;
}

const struct type *class_instance_type(const struct object *class)
{
    return &class_from(class)->type;
}
