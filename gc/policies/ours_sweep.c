/* A cycle, after the verdict: the trash is freed in slices, and the registry closed up.
 *
 * gc_trash_free frees everything in one go. In slices the trash must stay whole, as far as others
 * can see, until its last container has let go of the rest: each gets a reference of the
 * collector's own first, then each is cleared (a long list a part at a time), then the references
 * are dropped. Nothing else refers to the trash, so that nothing else changes it meanwhile.
 *
 * Only what runs the program's code is done at once: gc_trash_process, with weak references and
 * finalizers, at the end of OURS_SWEEP. */
#include <string.h>

#include "gc/objects.h"
#include "gc/policies/ours.h"

enum {
    OURS_CLEAR_UNITS = 4, /* what clearing a container costs beside its references */
    OURS_FETCH_TRASH = 12,
};

/* ---------------------------------------------------------------- sweeping */
/* Finalizers and what is done for them take references to the trash and drop them: to a biased
 * container that would be a rescue, of it alone. So the trash that they see is not biased. */
static void ours_process(struct runtime *runtime)
{
    const struct ours *ours = ours_of(runtime);
    const struct gc_trash *trash = &ours->trash;
    if (trash->type_flags & (TYPE_NEEDS_CARE | TYPE_IS_WEAKREF) || runtime->save_all) {
        for (uint32_t k = 0; k < trash->length; k++) {
            ours_take_bias(runtime, runtime->collector.registry.entries[trash->indices[k]]);
        }
    }
    gc_trash_process(runtime, &ours_of(runtime)->trash);
}

/* The unreached members become trash. Eight reached ones are passed over at once. */
bool ours_sweep(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    if (ours->cursor == ours->begin) {
        ours->trash = (struct gc_trash){.indices = registry->numbers};
    }
    while (ours->cursor<ours->members && * budget> 0) {
        --*budget;
        uint64_t eight = 0;
        if (ours->cursor + sizeof(eight) <= ours->members) {
            memcpy(&eight, registry->marks + ours->cursor, sizeof(eight));
        }
        if ((~eight & 0x0101010101010101u * OURS_MARK_REACHED) == 0) {
            ours->cursor += sizeof(eight);
            continue;
        }
        uint32_t index = ours->cursor++;
        struct object *object = registry_object(registry, index);
        if (object != NULL && !(registry->marks[index] & OURS_MARK_REACHED)) {
            gc_trash_add(&ours->trash, object);
        }
    }
    if (ours->cursor < ours->members) {
        return false;
    }
    ours->found = ours->trash.length;
    if (ours->trash.length > 0) {
        ours_process(runtime);
    }
    return true;
}

void ours_rescue(struct runtime *runtime, uint32_t index)
{
    struct ours *ours = ours_of(runtime);
    for (uint32_t k = 0; k < ours->trash.length; k++) {
        struct object *object = gc_trash_object(&runtime->collector.registry, &ours->trash, k);
        if (object != NULL) {
            gc_trash_keep(object);
        }
    }
    ours->trash.length = 0;
    ours->phase = OURS_MARK;
    ours->cursor = ours->members; /* the comparison is done; only what index leads to is left */
    ours_reach(runtime, index);
}

/* ---------------------------------------------------------------- freeing */
static struct object *ours_next_trash(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    if (ours->cursor + OURS_FETCH_TRASH < ours->trash.length) {
        __builtin_prefetch(registry->entries[ours->trash.indices[ours->cursor + OURS_FETCH_TRASH]]);
    }
    return gc_trash_object(registry, &ours->trash, ours->cursor);
}

bool ours_keep(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    uint32_t kept = 0;
    for (; ours->cursor<ours->trash.length && * budget> 0; ours->cursor++, --*budget) {
        struct object *object = ours_next_trash(runtime);
        if (object == NULL) {
            ours->suspects++; /* brought back by a finalizer, perhaps: its bias proves nothing */
            continue;
        }
        ours_take_bias(runtime, object);
        object_incref(object);
        kept++;
    }
    ours->kept += kept;
    return ours->cursor == ours->trash.length;
}

/* The last items of a list, as many as the budget allows; true: it is empty, but for its vector. */
static bool ours_clear_items(struct runtime *runtime, struct list_object *list, int64_t *budget)
{
    while (list->length > 0 && *budget > 0) {
        struct object *item = list->items[--list->length];
        object_decref(runtime, item);
        --*budget;
    }
    return list->length == 0;
}

bool ours_clear(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    while (ours->cursor<ours->trash.length && * budget> 0) {
        struct object *object = ours_next_trash(runtime);
        if (object != NULL && object->type->layout == TYPE_LAYOUT_LIST &&
            !ours_clear_items(runtime, (struct list_object *)object, budget)) {
            return false;
        }
        if (object != NULL) {
            object->type->clear(runtime, object);
        }
        *budget -= OURS_CLEAR_UNITS;
        ours->cursor++;
    }
    return ours->cursor == ours->trash.length;
}

bool ours_drop(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    for (; ours->cursor<ours->trash.length && * budget> 0; ours->cursor++) {
        struct object *object = ours_next_trash(runtime);
        if (object != NULL) {
            gc_trash_keep(object);
            object_decref(runtime, object);
        }
        *budget -= OURS_CLEAR_UNITS;
    }
    if (ours->cursor < ours->trash.length) {
        return false;
    }
    gc_trash_finish(runtime, &ours->trash);
    ours->collected += collector_count_trash(runtime, GC_GENERATIONS - 1, &ours->trash, ours->kept);
    ours->uncollectable += ours->trash.uncollectable;
    ours->kept = 0;
    ours->trash.length = 0;
    return true;
}

/* ---------------------------------------------------------------- closing up */
#define OURS_HOLE ((struct object *)(uintptr_t)1) /* an odd number: one that is not chained */

static void ours_move_entry(struct runtime *runtime, uint32_t from, uint32_t to)
{
    struct registry *registry = &runtime->collector.registry;
    struct object *object = registry->entries[from];
    registry->entries[to] = object;
    object->index = to;
    registry->marks[to] = registry->marks[from];
    registry->entries[from] = OURS_HOLE;
    if (registry->marks[to] & OURS_MARK_QUEUED) {
        ours_enqueue_seen(runtime, to);
    }
}

uint32_t ours_close_holes(struct runtime *runtime, uint32_t begin, int64_t *budget)
{
    struct registry *registry = &runtime->collector.registry;
    uint32_t low = begin;
    uint32_t end = registry->length;
    while (low<end && * budget> 0) {
        --*budget;
        if (registry_is_hole(registry->entries[end - 1])) {
            end--;
        } else if (!registry_is_hole(registry->entries[low])) {
            low++;
        } else {
            ours_move_entry(runtime, --end, low++);
        }
    }
    registry->holes -= registry->length - end;
    registry->length = end;
    registry->starts[1] = registry->starts[GC_GENERATIONS - 1]; /* what was unfrozen is no older */
    registry->starts[0] = end;
    ours_of(runtime)->sealed = end;
    return low;
}

/* The new containers have been looked at, and none has come since: entries may be moved. */
bool ours_compact(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    if (ours->examined < registry->length) {
        *budget = 0; /* in the next slice */
        return false;
    }
    ours->cursor = ours_close_holes(runtime, ours->cursor, budget);
    ours->examined = registry->length;
    ours->fresh = registry->length;
    ours_moved_entries(runtime);
    return ours->cursor >= registry->length;
}
