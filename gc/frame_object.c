/* Frames: one block for each call of an interpreter. */
#include "gc/frame.h"

#include <string.h>

#include "gc/objects.h"
#include "gc/runtime.h"

static size_t frame_block_bytes(size_t slots)
{
    return sizeof(struct gc_head) + sizeof(struct frame_object) + slots * sizeof(struct object *);
}

static int frame_traverse(struct object *self, object_visit *visit, void *context)
{
    struct frame_object *frame = (struct frame_object *)self;
    int result = frame->back == NULL ? 0 : visit(&frame->back->base, context);
    for (size_t i = 0; result == 0 && i < frame->length; i++) {
        result = frame->slots[i] == NULL ? 0 : visit(frame->slots[i], context);
    }
    return result;
}

static void frame_clear(struct runtime *runtime, struct object *self)
{
    struct frame_object *frame = (struct frame_object *)self;
    for (size_t i = 0; i < frame->length; i++) {
        struct object *value = frame->slots[i];
        frame->slots[i] = NULL;
        object_xdecref(runtime, value);
    }
    struct frame_object *back = frame->back;
    frame->back = NULL;
    object_xdecref(runtime, back == NULL ? NULL : &back->base);
}

static void frame_dealloc(struct runtime *runtime, struct object *self)
{
    size_t length = ((struct frame_object *)self)->length;
    frame_clear(runtime, self);
    runtime_free_container(runtime, self, frame_block_bytes(length));
}

static void frame_discard(struct runtime *runtime, struct object *self)
{
    runtime_free_container(runtime, self, frame_block_bytes(((struct frame_object *)self)->length));
}

/* Its blocks are of no type that has a free list, as an instance's: CPython's own list of frames
 * (200 of them) is left out. */
const struct type frame_type = {
    .name = "frame",
    .size = sizeof(struct gc_head) + sizeof(struct frame_object),
    .heap_type = HEAP_INSTANCE,
    .flags = TYPE_IS_CONTAINER,
    .traverse = frame_traverse,
    .clear = frame_clear,
    .dealloc = frame_dealloc,
    .discard = frame_discard,
};

struct frame_object *(frame_new)(struct runtime *runtime, size_t slots)
{
    struct frame_object *self =
        runtime_alloc_container(runtime, &frame_type, frame_block_bytes(slots));
    if (self == NULL) {
        return NULL;
    }
    self->length = slots;
    self->back = NULL;
    self->position = 0;
    self->depth = 0;
    memset(self->slots, 0, slots * sizeof(struct object *));
    runtime_track(runtime, &self->base);
    return self;
}
