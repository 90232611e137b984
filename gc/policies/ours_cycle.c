/* A cycle, up to the verdict: which members were garbage at T0.
 *
 * OURS_BIAS biases all members. Then references are counted from members to members, and each
 * member's count is compared with what was counted for it: one with more has a reference from
 * outside, and it and all that it leads to are reached. Both are right in spite of what the program
 * does meanwhile, because what it does to a biased member is seen (ours.h). Counting passes over
 * references as they were at T0: a container that is written is reached by that, and not counted
 * any more. No reference to an unseen member goes away after T0, so that its count can only be
 * larger than at T0: the comparison errs on the side of the living.
 *
 * Members that are certainly alive save work, as they and what they lead to need neither be counted
 * nor compared: so what the program touches right after T0 is followed first (OURS_ROOTS). In a
 * heap that hangs together, that is nearly everything. */
#include <string.h>

#include "gc/objects.h"
#include "gc/policies/ours.h"
#include "gc/policies/ours_fetch.h"
#include "gc/referents.h"

enum {
    OURS_WAIT_SLICES = 4, /* for the program to touch something after T0 */
    OURS_SCAN_LEAST = 32, /* references: less is not worth an interruption */
    OURS_EIGHT = 8,       /* entries whose marks are looked at in one word */
};

static const uint64_t ours_reached_eight = 0x0101010101010101u * OURS_MARK_REACHED;
static const uint64_t ours_biased_eight = 0x0101010101010101u * OURS_MARK_BIASED;

void ours_begin_cycle(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    ours->members = runtime->collector.registry.starts[0];
    ours->cursor = ours->begin;
    ours->scanning = 0;
    ours->taken = 0;
    ours->queue.length = 0;
    ours->suspects = 0;
    ours->waited = 0;
    ours->found = 0;
    ours->collected = 0;
    ours->uncollectable = 0;
    ours->phase = OURS_BIAS;
}

static inline void ours_reach_inline(struct ours *ours, uint8_t *marks, uint32_t index)
{
    uint8_t mark = marks[index];
    if (!(mark & OURS_MARK_REACHED)) {
        marks[index] = mark | OURS_MARK_REACHED;
        if (!(mark & OURS_MARK_LEAF)) {
            ours->queue.items[ours->queue.length++] = index;
        }
    }
}

void ours_reach(struct runtime *runtime, uint32_t index)
{
    ours_reach_inline(ours_of(runtime), runtime->collector.registry.marks, index);
}

/* ---------------------------------------------------------------- passing over references */
struct ours_pass {
    struct ours *ours;
    uint8_t *marks;
    uint32_t *numbers;
    uint32_t members;
};

static struct ours_pass ours_pass_of(struct runtime *runtime)
{
    struct registry *registry = &runtime->collector.registry;
    struct ours *ours = ours_of(runtime);
    return (struct ours_pass){ours, registry->marks, registry->numbers, ours->members};
}

static inline int ours_visit_count(struct object *referent, void *context)
{
    struct ours_pass *pass = context;
    uint32_t index = referent->index;
    if (index != 0) {
        pass->ours->has_containers = true;
        if (index < pass->members && !(pass->marks[index] & OURS_MARK_REACHED)) {
            pass->numbers[index]++;
        }
    }
    return 0;
}

static inline int ours_visit_reach(struct object *referent, void *context)
{
    struct ours_pass *pass = context;
    uint32_t index = referent->index;
    if (index != 0 && index < pass->members) {
        ours_reach_inline(pass->ours, pass->marks, index);
    }
    return 0;
}

/* The references of a vector from *position on; true: to its end. */
static inline __attribute__((always_inline)) bool
ours_scan_vector(struct object *const *items, size_t length, size_t *position, object_visit *visit,
                 struct ours_pass *pass, int64_t *budget)
{
    size_t limit = *budget > OURS_SCAN_LEAST ? (size_t)*budget : OURS_SCAN_LEAST;
    size_t left = length > *position ? length - *position : 0; /* it may have got shorter */
    size_t count = left < limit ? left : limit;
    if (count > 0) { /* an empty list has no vector */
        referents_visit_vector(items + *position, count, visit, pass);
    }
    *position += count;
    *budget -= (int64_t)count;
    return count == left;
}

static inline bool ours_scan_dict(const struct object *dict, size_t *position, object_visit *visit,
                                  struct ours_pass *pass, int64_t *budget)
{
    struct object *key = NULL;
    struct object *value = NULL;
    for (int64_t count = 0; count < *budget || count < OURS_SCAN_LEAST; count++) {
        if (!dict_next(dict, position, &key, &value)) {
            *budget -= count;
            return true;
        }
        (void)visit(value, pass); /* keys are atoms */
    }
    *budget = 0;
    return false;
}

/* Passes over an object's references, from *position on; true: to the end. Objects of other types
 * are small. */
static inline __attribute__((always_inline)) bool
ours_scan_object(struct object *object, size_t *position, object_visit *visit,
                 struct ours_pass *pass, int64_t *budget)
{
    --*budget;
    if (object->type->layout == TYPE_LAYOUT_LIST) {
        const struct list_object *list = (const struct list_object *)object;
        return ours_scan_vector(list->items, list->length, position, visit, pass, budget);
    }
    if (object->type->layout == TYPE_LAYOUT_TUPLE) {
        const struct tuple_object *tuple = (const struct tuple_object *)object;
        return ours_scan_vector(tuple->items, tuple->length, position, visit, pass, budget);
    }
    if (object->type == &dict_type) {
        return ours_scan_dict(object, position, visit, pass, budget);
    }
    (void)object->type->traverse(object, visit, pass);
    *budget -= 2;
    return true;
}

/* The object is not done: the next slice goes on with it. Whoever gives the references new
 * positions meanwhile takes the flag off. */
static void ours_suspend(struct ours *ours, struct object *object, size_t position)
{
    ours->scanning = object->index;
    ours->position = position;
    gc_head_of(object)->flags |= GC_FLAG_SLICED;
}

/* The container that the last slice was not done with, and *position in it; NULL: none. */
static struct object *ours_resume(struct runtime *runtime, size_t *position)
{
    struct ours *ours = ours_of(runtime);
    struct object *object =
        ours->scanning == 0 ? NULL : registry_object(&runtime->collector.registry, ours->scanning);
    ours->scanning = 0;
    if (object != NULL) {
        bool in_place = gc_head_of(object)->flags & GC_FLAG_SLICED;
        gc_head_of(object)->flags &= ~(uint32_t)GC_FLAG_SLICED;
        *position = in_place ? ours->position : 0;
    }
    return object;
}

/* ---------------------------------------------------------------- reaching */
/* Passes over the references of all that is reached. true: nothing is left in the queue. */
static bool ours_drain(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    struct ours_pass pass = ours_pass_of(runtime);
    size_t position = 0;
    struct object *object = ours_resume(runtime, &position);
    while (object != NULL || ours->taken < ours->queue.length) {
        if (*budget <= 0) {
            if (object != NULL) {
                ours_suspend(ours, object, position);
            }
            return false;
        }
        if (object == NULL) {
            ours_fetch(registry, ours);
            object = registry_object(registry, ours->queue.items[ours->taken++]);
            position = 0;
            --*budget;
        }
        if (object != NULL &&
            ours_scan_object(object, &position, ours_visit_reach, &pass, budget)) {
            object = NULL;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- the passes over all members */
/* Whether the next eight entries are members that all have the mark: they can be skipped. */
static inline bool ours_next_eight(const struct ours *ours, const uint8_t *marks, uint64_t mark)
{
    uint64_t eight = 0;
    if (ours->cursor + sizeof(eight) > ours->members) {
        return false;
    }
    memcpy(&eight, marks + ours->cursor, sizeof(eight));
    return (eight & mark) == mark;
}

static void ours_bias_one(struct runtime *runtime, uint32_t index, int64_t *budget)
{
    struct registry *registry = &runtime->collector.registry;
    struct object *object = registry_object(registry, index);
    uint8_t *mark = &registry->marks[index];
    registry->numbers[index] = 0;
    *mark &= (uint8_t)~OURS_MARK_REACHED;
    if (object == NULL || *mark & OURS_MARK_BIASED) {
        return;
    }
    if (ours_is_guarded(object)) {
        *mark |= OURS_MARK_BIASED | (ours_look(registry, object, budget) == 0 ? OURS_MARK_LEAF : 0);
        object_bias(object);
    } else {
        ours_reach(runtime, index);
        ours_set_known(object, OURS_FLAG_LOST);
        if (object->type->layout == TYPE_LAYOUT_TUPLE && !(*mark & OURS_MARK_QUEUED)) {
            ours_enqueue_seen(runtime, index); /* it may have been filled by then */
        }
    }
}

/* All that there is now is a member: T0. Not when containers have been made that the pass has not
 * seen, and there is no room to queue them. */
static bool ours_is_time(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    if (ours->members < registry->length) {
        *budget = 0; /* in the next slice */
        return false;
    }
    ours->examined = ours->members;
    ours->fresh = ours->members;
    ours->is_open = false;
    return true;
}

static bool ours_bias(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    while (ours->cursor<ours->members && * budget> 0) {
        --*budget;
        if (ours_next_eight(ours, registry->marks, ours_biased_eight)) {
            uint64_t eight = 0;
            memcpy(&eight, registry->marks + ours->cursor, sizeof(eight));
            eight &= ~ours_reached_eight;
            memcpy(registry->marks + ours->cursor, &eight, sizeof(eight));
            memset(registry->numbers + ours->cursor, 0, OURS_EIGHT * sizeof(*registry->numbers));
            ours->cursor += sizeof(eight);
        } else {
            if (ours->cursor + OURS_FETCH_OBJECT < ours->members) {
                __builtin_prefetch(registry->entries[ours->cursor + OURS_FETCH_OBJECT]);
            }
            ours_bias_one(runtime, ours->cursor, budget);
            ours->cursor++;
        }
    }
    return ours->cursor == ours->members && ours_is_time(runtime, budget);
}

/* An unreached member's references. A member that is written between two slices of it is reached by
 * that: the rest of it is not counted, and what was counted are references of T0 as they should be.
 */
static bool ours_count(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    struct ours_pass pass = ours_pass_of(runtime);
    size_t position = 0;
    struct object *object = ours_resume(runtime, &position);
    for (;;) {
        if (object != NULL && !(registry->marks[object->index] & OURS_MARK_REACHED)) {
            ours->has_containers |= position > 0;
            if (!ours_scan_object(object, &position, ours_visit_count, &pass, budget)) {
                ours_suspend(ours, object, position);
                return false;
            }
            registry->marks[object->index] |= ours->has_containers ? 0 : OURS_MARK_LEAF;
        }
        while (ours_next_eight(ours, registry->marks, ours_reached_eight) && *budget > 0) {
            ours->cursor += sizeof(uint64_t);
            --*budget;
        }
        if (ours->cursor == ours->members || *budget <= 0) {
            return ours->cursor == ours->members;
        }
        --*budget;
        ours_fetch_entries(registry, ours);
        object = registry_object(registry, ours->cursor++);
        position = 0;
        ours->has_containers = false;
    }
}

/* Reaches the members that have more references than were counted, and what they lead to. */
static bool ours_mark(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    while (ours_drain(runtime, budget)) {
        if (ours->cursor == ours->members) {
            return true;
        }
        while (ours->taken == ours->queue.length && ours->cursor<ours->members && * budget> 0) {
            --*budget;
            if (ours_next_eight(ours, registry->marks, ours_reached_eight)) {
                ours->cursor += sizeof(uint64_t);
                continue;
            }
            uint32_t index = ours->cursor++;
            if (ours->cursor + OURS_FETCH_OBJECT < ours->members) {
                __builtin_prefetch(registry->entries[ours->cursor + OURS_FETCH_OBJECT]);
            }
            struct object *object = registry_object(registry, index);
            if (object != NULL && !(registry->marks[index] & OURS_MARK_REACHED) &&
                object_getrefcount(object) > (int64_t)registry->numbers[index]) {
                ours_reach(runtime, index);
            }
        }
        if (*budget <= 0) {
            return false;
        }
    }
    return false;
}

/* What has been touched since T0, and what that leads to. */
static bool ours_follow_roots(struct runtime *runtime, int64_t *budget)
{
    if (!ours_drain(runtime, budget)) {
        return false;
    }
    if (ours_of(runtime)->waited++ < OURS_WAIT_SLICES) {
        *budget = 0;
        return false;
    }
    return true;
}

/* ---------------------------------------------------------------- from phase to phase */
typedef bool ours_work(struct runtime *runtime, int64_t *budget);

static ours_work *const ours_phases[] = {
    [OURS_BIAS] = ours_bias,   [OURS_ROOTS] = ours_follow_roots, [OURS_COUNT] = ours_count,
    [OURS_MARK] = ours_mark,   [OURS_SWEEP] = ours_sweep,        [OURS_KEEP] = ours_keep,
    [OURS_CLEAR] = ours_clear, [OURS_DROP] = ours_drop,          [OURS_COMPACT] = ours_compact,
};

static void ours_next_phase(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    switch (ours->phase) {
    case OURS_SWEEP:
        ours->phase = ours->trash.length > 0 ? OURS_KEEP : OURS_IDLE;
        break;
    case OURS_DROP:
    case OURS_COMPACT:
        ours->phase = OURS_IDLE;
        break;
    default:
        ours->phase++;
        break;
    }
    ours->cursor = ours->phase >= OURS_KEEP ? 0 : ours->begin; /* of the trash, of the registry */
}

void ours_advance(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    while (ours->phase != OURS_IDLE && *budget > 0) {
        if (ours_phases[ours->phase](runtime, budget)) {
            ours_next_phase(runtime);
        }
    }
}
