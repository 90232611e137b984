/* The bias: who has it, and what the program does to containers that have it. See ours.h. */
#include "gc/objects.h"
#include "gc/policies/ours.h"

bool ours_is_guarded(const struct object *object)
{
    if (object->type->layout == TYPE_LAYOUT_TUPLE) {
        const struct tuple_object *tuple = (const struct tuple_object *)object;
        for (size_t i = 0; i < tuple->length; i++) {
            if (tuple->items[i] == NULL) {
                return false;
            }
        }
        return true;
    }
    return (object->type->flags & TYPE_IS_GUARDED) != 0;
}

void ours_dismiss(struct runtime *runtime, struct object *object, unsigned mark)
{
    if (!object_is_biased(object)) {
        object_bias(object);
        runtime->collector.registry.marks[object->index] |= (uint8_t)(OURS_MARK_BIASED | mark);
    }
}

void ours_enqueue_seen(struct runtime *runtime, uint32_t index)
{
    struct ours *ours = ours_of(runtime);
    uint8_t *mark = &runtime->collector.registry.marks[index];
    if (ours->seen.length < ours->seen.committed) {
        ours->seen.items[ours->seen.length++] = index;
        *mark |= OURS_MARK_QUEUED;
    } else {
        *mark &= (uint8_t)~OURS_MARK_QUEUED;
        ours_suspect(ours, index);
    }
    ours_hurry(runtime);
}

/* A biased member has been touched. Was that after T0, it was alive then. Frozen ones are none. */
static void ours_see(struct runtime *runtime, uint32_t index)
{
    struct ours *ours = ours_of(runtime);
    if (index >= ours->members || index < ours->begin) {
        return;
    }
    if (ours->phase >= OURS_ROOTS && ours->phase <= OURS_MARK) {
        ours_reach(runtime, index);
    } else if (ours->phase == OURS_SWEEP &&
               !(runtime->collector.registry.marks[index] & OURS_MARK_REACHED)) {
        ours_rescue(runtime, index);
    }
}

void ours_take_bias(struct runtime *runtime, struct object *object)
{
    object_unbias(object);
    ours_set_known(object, OURS_FLAG_LOST);
    runtime->collector.registry.marks[object->index] &=
        (uint8_t) ~(OURS_MARK_BIASED | OURS_MARK_LEAF);
}

void ours_lose(struct runtime *runtime, struct object *object)
{
    const struct ours *ours = ours_of(runtime);
    uint32_t index = object->index;
    if (ours->phase == OURS_BIAS && index < ours->cursor && index >= ours->begin) {
        ours_reach(runtime, index); /* not biased at T0, so that nothing can be said of it */
    }
    ours_see(runtime, index);
    ours_take_bias(runtime, object);
}

/* A whole collection has the marks of all that is in its sight, and looks at it anyway. */
static void ours_lose_meanwhile(struct runtime *runtime, struct object *object)
{
    if (object->index < ours_of(runtime)->begin) {
        ours_take_bias(runtime, object); /* a frozen one, whose marks stay */
    } else {
        object_unbias(object);
    }
}

void ours_unbias(struct runtime *runtime, struct object *object)
{
    uint32_t index = object->index;
    if (index == 0) {
        object_unbias(object); /* no longer tracked */
        return;
    }
    if (ours_of(runtime)->collecting_all) {
        ours_lose_meanwhile(runtime, object);
        return;
    }
    ours_lose(runtime, object);
    if (!(runtime->collector.registry.marks[index] & OURS_MARK_QUEUED)) {
        ours_enqueue_seen(runtime, index);
    }
}

/* The biased container's fields are about to change. It stays biased: whatever this takes away from
 * others they hear of themselves. Before T0 that says nothing about the container: it may be
 * garbage by then. */
static void ours_change(struct runtime *runtime, struct object *container)
{
    if (ours_of(runtime)->collecting_all) {
        ours_lose_meanwhile(runtime, container);
        return;
    }
    ours_see(runtime, container->index);
    runtime->collector.registry.marks[container->index] &= (uint8_t)~OURS_MARK_LEAF;
}

void ours_written(struct runtime *runtime, struct object *container, struct object *item)
{
    bool stored = container != NULL && object_is_biased(container);
    if (stored) {
        ours_change(runtime, container);
    }
    if (item != NULL && object_is_biased(item)) {
        ours_unbias(runtime, item);
    } else if (item != NULL && stored) {
        ours_set_known(item, OURS_FLAG_HELD);
    }
}

void ours_gained(struct runtime *runtime, struct object *container, struct object *item)
{
    ours_change(runtime, container);
    if (!object_is_biased(item)) {
        ours_set_known(item, OURS_FLAG_HELD);
    }
}
