/* Classes: a name, a base, attributes, the finalizers, and the type of the instances. */
#include "gc/class.h"

#include <string.h>

#include "gc/objects.h"
#include "gc/runtime.h"

struct class_object {
    struct object base;
    struct object *name;
    struct object *base_class;       /* NULL: none */
    struct object *attributes;       /* a dict; NULL: no attribute yet */
    struct weakref_object *weakrefs; /* to the class: the first of its list, or NULL */
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
    const struct class_object *class = class_from(self);
    int result = visit(class->name, context);
    if (result == 0 && class->base_class != NULL) {
        result = visit(class->base_class, context);
    }
    if (result == 0 && class->attributes != NULL) {
        result = visit(class->attributes, context);
    }
    return result;
}

/* The base stays: it is older than the class, so that only attributes make a cycle. */
static void class_clear(struct runtime *runtime, struct object *self)
{
    struct object *attributes = class_from(self)->attributes;
    runtime_written(runtime, self);
    class_from(self)->attributes = NULL;
    object_xdecref(runtime, attributes);
}

static void class_dealloc(struct runtime *runtime, struct object *self)
{
    object_xdecref(runtime, class_from(self)->attributes);
    object_xdecref(runtime, class_from(self)->base_class);
    object_decref(runtime, class_from(self)->name);
    runtime_free_container(runtime, self, CLASS_BLOCK_BYTES);
}

const struct type class_type = {
    .name = "class",
    .size = CLASS_BLOCK_BYTES,
    .heap_type = HEAP_INSTANCE,
    .flags = TYPE_IS_CONTAINER | TYPE_IS_GUARDED | TYPE_HAS_WEAKREFS,
    .traverse = class_traverse,
    .clear = class_clear,
    .dealloc = class_dealloc,
    .weakrefs_offset = offsetof(struct class_object, weakrefs),
};

/* ---------------------------------------------------------------- the instances' type */
static struct class_object *class_from_type(const struct type *type)
{
    return (struct class_object *)((uintptr_t)type - offsetof(struct class_object, type));
}

/* Each finalizer goes with the context of the class that has it. */
static void class_call_finalizer(struct runtime *runtime, struct object *self)
{
    const struct class_object *class = class_from_type(self->type);
    while (class->hooks.finalize == NULL) {
        class = class_from(class->base_class);
    }
    class->hooks.finalize(runtime, self, class->hooks.context);
}

static void class_call_legacy_finalizer(struct runtime *runtime, struct object *self)
{
    const struct class_object *class = class_from_type(self->type);
    while (class->hooks.finalize_legacy == NULL) {
        class = class_from(class->base_class);
    }
    class->hooks.finalize_legacy(runtime, self, class->hooks.context);
}

static void class_set_type(struct class_object *self)
{
    const struct class_hooks *hooks = &self->hooks;
    self->type = self->base_class == NULL ? instance_type : class_from(self->base_class)->type;
    self->type.name = str_bytes(self->name);
    self->type.flags |= TYPE_IS_CLASS_INSTANCE;
    self->type.flags |= hooks->without_weakrefs ? 0u : (unsigned)TYPE_HAS_WEAKREFS;
    self->type.weakrefs_offset = offsetof(struct instance_object, weakrefs);
    if (hooks->finalize != NULL) {
        self->type.flags |= TYPE_HAS_FINALIZER;
        self->type.finalize = class_call_finalizer;
    }
    if (hooks->finalize_legacy != NULL) {
        self->type.flags |= TYPE_HAS_LEGACY_FINALIZER;
        self->type.finalize_legacy = class_call_legacy_finalizer;
    }
}

struct object *(class_new_derived)(struct runtime *runtime, const char *name, struct object *base,
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
    self->base_class = base == NULL ? NULL : object_incref(base);
    self->attributes = NULL;
    self->weakrefs = NULL;
    self->hooks = hooks == NULL ? no_hooks : *hooks;
    class_set_type(self);
    runtime_track(runtime, &self->base);
    return &self->base;
}

struct object *(class_new)(struct runtime *runtime, const char *name,
                           const struct class_hooks *hooks)
{
    return (class_new_derived)(runtime, name, NULL, hooks);
}

/* ---------------------------------------------------------------- attributes */
struct object *class_base(const struct object *class)
{
    return class_from(class)->base_class;
}

bool class_is_derived(const struct object *class, const struct object *ancestor)
{
    while (class != NULL && class != ancestor) {
        class = class_base(class);
    }
    return class != NULL;
}

bool(class_set_attribute)(struct runtime *runtime, struct object *class, struct object *name,
                          struct object *value)
{
    return instance_set_in(runtime, class, &class_from(class)->attributes, name, value);
}

bool class_delete_attribute(struct runtime *runtime, struct object *class, struct object *name)
{
    struct object *attributes = class_from(class)->attributes;
    return attributes != NULL && dict_delete(runtime, attributes, name);
}

struct object *class_attribute(const struct object *class, struct object *name)
{
    for (; class != NULL; class = class_base(class)) {
        const struct object *attributes = class_from(class)->attributes;
        struct object *value = attributes == NULL ? NULL : dict_get(attributes, name);
        if (value != NULL) {
            return value;
        }
    }
    return NULL;
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
