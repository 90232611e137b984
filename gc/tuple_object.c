/* Tuples: items in the same block as the header. */
#include <string.h>

#include "gc/objects.h"
#include "gc/runtime.h"

static size_t tuple_block_bytes(size_t length)
{
    return HEAP_TUPLE_BYTES + length * sizeof(struct object *);
}

static struct tuple_object *tuple_of(const struct object *object)
{
    return (struct tuple_object *)(uintptr_t)object;
}

/* From the last item to the first, as tupletraverse of 3.11. */
static int tuple_traverse(struct object *self, object_visit *visit, void *context)
{
    struct tuple_object *tuple = tuple_of(self);
    for (size_t i = tuple->length; i-- > 0;) {
        int result = tuple->items[i] == NULL ? 0 : visit(tuple->items[i], context);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

/* CPython's tuples have no such function, as Python code cannot make a cycle of tuples alone; here
 * tuple_give_item can. */
static void tuple_clear(struct runtime *runtime, struct object *self)
{
    struct tuple_object *tuple = tuple_of(self);
    for (size_t i = tuple->length; i-- > 0;) {
        struct object *item = tuple->items[i];
        tuple->items[i] = NULL;
        object_xdecref(runtime, item);
    }
}

/* From the last item to the first, as tupledealloc of 3.11. */
static void tuple_dealloc(struct runtime *runtime, struct object *self)
{
    struct tuple_object *tuple = tuple_of(self);
    for (size_t i = tuple->length; i-- > 0;) {
        if (tuple->items[i] != NULL) {
            object_decref_nested(runtime, tuple->items[i]);
        }
    }
    runtime_free_container(runtime, self, tuple_block_bytes(tuple->length));
}

static void tuple_discard(struct runtime *runtime, struct object *self)
{
    runtime_free_container(runtime, self, tuple_block_bytes(tuple_of(self)->length));
}

const struct type tuple_type = {
    .name = "tuple",
    .size = HEAP_TUPLE_BYTES,
    .heap_type = HEAP_TUPLE,
    .flags = TYPE_IS_CONTAINER | TYPE_COUNTS_NESTING,
    .layout = TYPE_LAYOUT_TUPLE,
    .traverse = tuple_traverse,
    .clear = tuple_clear,
    .dealloc = tuple_dealloc,
    .discard = tuple_discard,
};

struct object *tuple_new_empty(struct runtime *runtime)
{
    struct tuple_object *self = runtime_alloc_untracked(runtime, &tuple_type, tuple_block_bytes(0));
    if (self == NULL) {
        return NULL;
    }
    self->length = 0;
    return &self->base;
}

struct object *(tuple_new)(struct runtime *runtime, size_t length)
{
    if (length == 0) {
        return object_incref(runtime->empty_tuple);
    }
    struct tuple_object *self =
        runtime_alloc_container(runtime, &tuple_type, tuple_block_bytes(length));
    if (self == NULL) {
        return NULL;
    }
    self->length = length;
    memset(self->items, 0, length * sizeof(struct object *));
    runtime_track(runtime, &self->base);
    return &self->base;
}

void tuple_give_item(struct object *tuple, size_t index, struct object *item)
{
    OBJECT_ASSERT(tuple->type == &tuple_type);
    OBJECT_ASSERT(index < tuple_of(tuple)->length);
    OBJECT_ASSERT(tuple_of(tuple)->items[index] == NULL);
    tuple_of(tuple)->items[index] = item;
}

struct object *tuple_item(const struct object *tuple, size_t index)
{
    OBJECT_ASSERT(tuple->type == &tuple_type);
    OBJECT_ASSERT(index < tuple_of(tuple)->length);
    return tuple_of(tuple)->items[index];
}

void tuple_set_item(struct object *tuple, size_t index, struct object *item)
{
    tuple_give_item(tuple, index, object_incref(item));
}

size_t tuple_length(const struct object *tuple)
{
    OBJECT_ASSERT(tuple->type == &tuple_type);
    return tuple_of(tuple)->length;
}
