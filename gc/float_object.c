/* Floats: a double in a 24-byte block. */
#include "gc/objects.h"
#include "gc/runtime.h"

static void float_dealloc(struct runtime *runtime, struct object *self)
{
    runtime_free_atom(runtime, self, sizeof(struct float_object));
}

const struct type float_type = {
    .name = "float",
    .size = sizeof(struct float_object),
    .heap_type = HEAP_FLOAT,
    .dealloc = float_dealloc,
};

struct object *(float_new)(struct runtime *runtime, double value)
{
    struct float_object *self =
        runtime_alloc_atom(runtime, &float_type, sizeof(struct float_object));
    if (self == NULL) {
        return NULL;
    }
    self->value = value;
    return &self->base;
}

double float_value(const struct object *object)
{
    OBJECT_ASSERT(object->type == &float_type);
    return ((const struct float_object *)object)->value;
}
