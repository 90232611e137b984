/* Cells: a header and one field. */
#include "gc/cell.h"

#include "gc/own_type.h"

struct cell_object {
    struct object base;
    struct object *value; /* NULL: cleared */
};

static struct cell_object *cell_of(const struct object *object)
{
    return (struct cell_object *)(uintptr_t)object;
}

static int cell_traverse(struct object *self, object_visit *visit, void *context)
{
    struct object *value = cell_of(self)->value;
    return value == NULL ? 0 : visit(value, context);
}

static void cell_clear(struct runtime *runtime, struct object *self)
{
    own_type_store(runtime, self, &cell_of(self)->value, NULL);
}

static void cell_discard(struct runtime *runtime, struct object *self)
{
    own_type_free(runtime, self, sizeof(struct cell_object));
}

static void cell_dealloc(struct runtime *runtime, struct object *self)
{
    cell_clear(runtime, self);
    cell_discard(runtime, self);
}

static const struct type cell_type = {
    .name = "cell",
    .size = OWN_TYPE_CONTAINER_BYTES + sizeof(struct cell_object),
    .heap_type = HEAP_INSTANCE,
    .flags = TYPE_IS_CONTAINER | TYPE_IS_GUARDED,
    .traverse = cell_traverse,
    .clear = cell_clear,
    .dealloc = cell_dealloc,
    .discard = cell_discard,
};

struct object *(cell_new)(struct runtime *runtime, struct object *value)
{
    struct cell_object *self = own_type_alloc(runtime, &cell_type, sizeof(*self));
    if (self == NULL) {
        return NULL;
    }
    self->value = object_incref(value);
    own_type_track(runtime, &self->base);
    return &self->base;
}

struct object *cell_value(const struct object *cell)
{
    return cell_of(cell)->value;
}

void cell_set(struct runtime *runtime, struct object *cell, struct object *value)
{
    own_type_store(runtime, cell, &cell_of(cell)->value, value);
}
