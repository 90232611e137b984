/* Ints: one machine word in a 24-byte block, as CPython 2.7's; the small ones are shared. */
#include "gc/objects.h"
#include "gc/runtime.h"

static void int_dealloc(struct runtime *runtime, struct object *self)
{
    runtime_free_atom(runtime, self, sizeof(struct int_object));
}

const struct type int_type = {
    .name = "int",
    .size = sizeof(struct int_object),
    .heap_type = HEAP_INT,
    .dealloc = int_dealloc,
};

struct object *int_new_unshared(struct runtime *runtime, int64_t value)
{
    struct int_object *self = runtime_alloc_atom(runtime, &int_type, sizeof(struct int_object));
    if (self == NULL) {
        return NULL;
    }
    self->value = value;
    return &self->base;
}

struct object *(int_new)(struct runtime *runtime, int64_t value)
{
    uint64_t index = (uint64_t)value - (uint64_t)RUNTIME_SMALL_INT_MIN;
    if (index < RUNTIME_SMALL_INTS) {
        return object_incref(runtime->small_ints[index]);
    }
    return int_new_unshared(runtime, value);
}

int64_t int_value(const struct object *object)
{
    OBJECT_ASSERT(object->type == &int_type);
    return ((const struct int_object *)object)->value;
}
