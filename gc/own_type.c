/* Types that others define: the allocation and the writes of runtime.h, out of line. */
#include "gc/own_type.h"

#include <string.h>

#include "gc/objects.h"
#include "gc/runtime.h"

static_assert(OWN_TYPE_CONTAINER_BYTES == sizeof(struct gc_head), "the header before a container");

void *own_type_alloc(struct runtime *runtime, const struct type *type, size_t bytes)
{
    OBJECT_ASSERT(bytes >= sizeof(struct object));
    struct object *object =
        type->flags & TYPE_IS_CONTAINER
            ? runtime_alloc_container(runtime, type, sizeof(struct gc_head) + bytes)
            : runtime_alloc_atom(runtime, type, bytes);
    if (object != NULL) {
        object->index = 0;
        memset(object + 1, 0, bytes - sizeof(struct object));
    }
    return object;
}

void own_type_track(struct runtime *runtime, struct object *container)
{
    OBJECT_ASSERT(object_is_container(container) && container->index == 0);
    runtime_track(runtime, container);
}

void own_type_free(struct runtime *runtime, struct object *object, size_t bytes)
{
    if (object_is_container(object)) {
        runtime_free_container(runtime, object, sizeof(struct gc_head) + bytes);
    } else {
        runtime_free_atom(runtime, object, bytes);
    }
}

void own_type_store(struct runtime *runtime, struct object *container, struct object **field,
                    struct object *value)
{
    struct object *old = *field;
    if (value == NULL) {
        runtime_written(runtime, container);
        *field = NULL;
    } else {
        runtime_gained(runtime, container, value);
        *field = object_incref(value);
    }
    object_xdecref(runtime, old);
}
