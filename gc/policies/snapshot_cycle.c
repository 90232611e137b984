/* A cycle up to its verdict: which members were garbage at T0.
 *
 * SNAPSHOT_BIAS biases all members. Then references from members to members are counted, and each
 * member's count is compared with the references counted for it. A member with more has a reference
 * from outside; it is reached, with all that it refers to. Both steps are correct although the
 * program runs meanwhile, because whatever it does to a biased member is noticed (snapshot.h).
 * Counting passes over references as they were at T0: a container that is written is reached by
 * that, and no longer counted. A reference to an unreached member cannot go away after T0, so its
 * count can only be larger than at T0: the comparison errs on the side of the living.
 *
 * Members that are certainly alive save work, because neither they nor what they refer to must be
 * counted or compared. So what the program touches right after T0 is followed first
 * (SNAPSHOT_ROOTS). In a connected heap that is almost everything. */
#include <string.h>

#include "gc/objects.h"
#include "gc/policies/snapshot.h"
#include "gc/referents.h"

/* ---------------------------------------------------------------- fetching ahead */

/* Prefetches what a cycle is about to touch: an object, its vector or table, and their first
 * referents, each some entries before its turn. */

enum {
    /* In the queue: how many entries ahead objects, vectors and referents are prefetched. */
    SNAPSHOT_FETCH_ENTRY = 16,
    SNAPSHOT_FETCH_OBJECT = 12,
    SNAPSHOT_FETCH_VECTOR = 6,
    SNAPSHOT_FETCH_REFERENT = 3,
    SNAPSHOT_FETCH_VALUES = 4, /* for a dict */
    SNAPSHOT_CACHE_LINE = 64,
};

static inline void snapshot_fetch_vector(const struct object *object)
{
    if (registry_is_hole(object)) {
        return;
    }
    if (object->type == &dict_type) {
        /* An empty one has no table. C adds nothing to NULL; a prefetch tolerates any address. */
        const uintptr_t keys = (uintptr_t)((const struct dict_object *)object)->keys;
        __builtin_prefetch((const void *)keys);
        __builtin_prefetch((const void *)(keys + SNAPSHOT_CACHE_LINE));
    } else {
        referents_fetch_vector(object);
    }
}

static inline void snapshot_fetch_first(const struct object *object)
{
    if (registry_is_hole(object)) {
        return;
    }
    if (object->type->traverse == instance_type.traverse) {
        __builtin_prefetch(((const struct instance_object *)object)->attributes);
    } else if (object->type == &dict_type) {
        struct object *key = NULL;
        struct object *value = NULL;
        size_t position = 0;
        while (position < SNAPSHOT_FETCH_VALUES && dict_next(object, &position, &key, &value)) {
            __builtin_prefetch(value);
        }
    } else {
        referents_fetch_first(object);
    }
}

/* Prefetches in a pass over the registry. */
static inline void snapshot_fetch_entries(const struct registry *registry,
                                          const struct snapshot *snapshot)
{
    if (snapshot->cursor + SNAPSHOT_FETCH_OBJECT < snapshot->members) {
        __builtin_prefetch(registry->entries[snapshot->cursor + SNAPSHOT_FETCH_OBJECT]);
        snapshot_fetch_vector(registry->entries[snapshot->cursor + SNAPSHOT_FETCH_VECTOR]);
        snapshot_fetch_first(registry->entries[snapshot->cursor + SNAPSHOT_FETCH_REFERENT]);
    }
}

/* Prefetches in the queue of a cycle. */
static inline void snapshot_fetch(const struct registry *registry, const struct snapshot *snapshot)
{
    const uint32_t *queue = snapshot->queue.items;
    uint32_t taken = snapshot->taken;
    if (taken + SNAPSHOT_FETCH_ENTRY < snapshot->queue.length) {
        __builtin_prefetch(&registry->entries[queue[taken + SNAPSHOT_FETCH_ENTRY]]);
        __builtin_prefetch(registry->entries[queue[taken + SNAPSHOT_FETCH_OBJECT]]);
        snapshot_fetch_vector(registry->entries[queue[taken + SNAPSHOT_FETCH_VECTOR]]);
        snapshot_fetch_first(registry->entries[queue[taken + SNAPSHOT_FETCH_REFERENT]]);
    }
}

/* ---------------------------------------------------------------- up to the verdict */
enum {
    SNAPSHOT_WAIT_SLICES = 4, /* for which the program may touch something after T0 */
    SNAPSHOT_SCAN_LEAST = 32, /* references; less work is not worth an interruption */
    SNAPSHOT_EIGHT = 8,       /* entries whose marks are read as one word */
};

static const uint64_t snapshot_reached_eight = 0x0101010101010101u * SNAPSHOT_MARK_REACHED;
static const uint64_t snapshot_biased_eight = 0x0101010101010101u * SNAPSHOT_MARK_BIASED;

void snapshot_begin_cycle(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    snapshot->members = runtime->collector.registry.starts[0];
    snapshot->cursor = snapshot->begin;
    snapshot->scanning = 0;
    snapshot->taken = 0;
    snapshot->queue.length = 0;
    snapshot->suspects = 0;
    snapshot->waited = 0;
    snapshot->found = 0;
    snapshot->collected = 0;
    snapshot->uncollectable = 0;
    snapshot->phase = SNAPSHOT_BIAS;
}

static inline void snapshot_reach_inline(struct snapshot *snapshot, uint8_t *marks, uint32_t index)
{
    uint8_t mark = marks[index];
    if (!(mark & SNAPSHOT_MARK_REACHED)) {
        marks[index] = mark | SNAPSHOT_MARK_REACHED;
        if (!(mark & SNAPSHOT_MARK_LEAF)) {
            snapshot->queue.items[snapshot->queue.length++] = index;
        }
    }
}

void snapshot_reach(struct runtime *runtime, uint32_t index)
{
    snapshot_reach_inline(snapshot_of(runtime), runtime->collector.registry.marks, index);
}

/* ---------------------------------------------------------------- passing over references */
struct snapshot_pass {
    struct snapshot *snapshot;
    uint8_t *marks;
    uint32_t *numbers;
    uint32_t members;
};

static struct snapshot_pass snapshot_pass_of(struct runtime *runtime)
{
    struct registry *registry = &runtime->collector.registry;
    struct snapshot *snapshot = snapshot_of(runtime);
    return (struct snapshot_pass){snapshot, registry->marks, registry->numbers, snapshot->members};
}

static inline int snapshot_visit_count(struct object *referent, void *context)
{
    struct snapshot_pass *pass = context;
    uint32_t index = referent->index;
    if (index != 0) {
        pass->snapshot->has_containers = true;
        if (index < pass->members && !(pass->marks[index] & SNAPSHOT_MARK_REACHED)) {
            pass->numbers[index]++;
        }
    }
    return 0;
}

static inline int snapshot_visit_reach(struct object *referent, void *context)
{
    struct snapshot_pass *pass = context;
    uint32_t index = referent->index;
    if (index != 0 && index < pass->members) {
        snapshot_reach_inline(pass->snapshot, pass->marks, index);
    }
    return 0;
}

/* Passes over the references of a vector from *position on. true: to its end. */
static inline __attribute__((always_inline)) bool
snapshot_scan_vector(struct object *const *items, size_t length, size_t *position,
                     object_visit *visit, struct snapshot_pass *pass, int64_t *budget)
{
    size_t limit = *budget > SNAPSHOT_SCAN_LEAST ? (size_t)*budget : SNAPSHOT_SCAN_LEAST;
    size_t left = length > *position ? length - *position : 0; /* it may have become shorter */
    size_t count = left < limit ? left : limit;
    if (count > 0) { /* an empty list has no vector */
        referents_visit_vector(items + *position, count, visit, pass);
    }
    *position += count;
    *budget -= (int64_t)count;
    return count == left;
}

static inline bool snapshot_scan_dict(const struct object *dict, size_t *position,
                                      object_visit *visit, struct snapshot_pass *pass,
                                      int64_t *budget)
{
    struct object *key = NULL;
    struct object *value = NULL;
    for (int64_t count = 0; count < *budget || count < SNAPSHOT_SCAN_LEAST; count++) {
        if (!dict_next(dict, position, &key, &value)) {
            *budget -= count;
            return true;
        }
        (void)visit(value, pass); /* keys are atoms */
    }
    *budget = 0;
    return false;
}

/* Passes over an object's references from *position on. true: to the end. Objects of other types
 * are small. */
static inline __attribute__((always_inline)) bool
snapshot_scan_object(struct object *object, size_t *position, object_visit *visit,
                     struct snapshot_pass *pass, int64_t *budget)
{
    --*budget;
    if (object->type->layout == TYPE_LAYOUT_LIST) {
        const struct list_object *list = (const struct list_object *)object;
        return snapshot_scan_vector(list->items, list->length, position, visit, pass, budget);
    }
    if (object->type->layout == TYPE_LAYOUT_TUPLE) {
        const struct tuple_object *tuple = (const struct tuple_object *)object;
        return snapshot_scan_vector(tuple->items, tuple->length, position, visit, pass, budget);
    }
    if (object->type == &dict_type) {
        return snapshot_scan_dict(object, position, visit, pass, budget);
    }
    (void)object->type->traverse(object, visit, pass);
    *budget -= 2;
    return true;
}

/* Suspends an object, with which the next slice continues. Whoever moves its references meanwhile
 * clears the flag. */
static void snapshot_suspend(struct snapshot *snapshot, struct object *object, size_t position)
{
    snapshot->scanning = object->index;
    snapshot->position = position;
    gc_head_of(object)->flags |= GC_FLAG_SLICED;
}

/* The container that the last slice suspended, and *position in it; NULL: none. */
static struct object *snapshot_resume(struct runtime *runtime, size_t *position)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct object *object = snapshot->scanning == 0
                                ? NULL
                                : registry_object(&runtime->collector.registry, snapshot->scanning);
    snapshot->scanning = 0;
    if (object != NULL) {
        bool in_place = gc_head_of(object)->flags & GC_FLAG_SLICED;
        gc_head_of(object)->flags &= ~(uint32_t)GC_FLAG_SLICED;
        *position = in_place ? snapshot->position : 0;
    }
    return object;
}

/* ---------------------------------------------------------------- reaching */
/* Passes over the references of all reached members. true: the queue is empty. */
static bool snapshot_drain(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    struct snapshot_pass pass = snapshot_pass_of(runtime);
    size_t position = 0;
    struct object *object = snapshot_resume(runtime, &position);
    while (object != NULL || snapshot->taken < snapshot->queue.length) {
        if (*budget <= 0) {
            if (object != NULL) {
                snapshot_suspend(snapshot, object, position);
            }
            return false;
        }
        if (object == NULL) {
            snapshot_fetch(registry, snapshot);
            object = registry_object(registry, snapshot->queue.items[snapshot->taken++]);
            position = 0;
            --*budget;
        }
        if (object != NULL &&
            snapshot_scan_object(object, &position, snapshot_visit_reach, &pass, budget)) {
            object = NULL;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- the passes over all members */
/* Are the next eight entries members that all have the mark? Then they can be skipped. */
static inline bool snapshot_next_eight(const struct snapshot *snapshot, const uint8_t *marks,
                                       uint64_t mark)
{
    uint64_t eight = 0;
    if (snapshot->cursor + sizeof(eight) > snapshot->members) {
        return false;
    }
    memcpy(&eight, marks + snapshot->cursor, sizeof(eight));
    return (eight & mark) == mark;
}

static void snapshot_bias_one(struct runtime *runtime, uint32_t index, int64_t *budget)
{
    struct registry *registry = &runtime->collector.registry;
    struct object *object = registry_object(registry, index);
    uint8_t *mark = &registry->marks[index];
    registry->numbers[index] = 0;
    *mark &= (uint8_t)~SNAPSHOT_MARK_REACHED;
    if (object == NULL || *mark & SNAPSHOT_MARK_BIASED) {
        return;
    }
    if (snapshot_is_guarded(object)) {
        *mark |= SNAPSHOT_MARK_BIASED |
                 (snapshot_look(registry, object, budget) == 0 ? SNAPSHOT_MARK_LEAF : 0);
        object_bias(object);
    } else {
        snapshot_reach(runtime, index);
        snapshot_set_known(object, SNAPSHOT_FLAG_LOST);
        if (object->type->layout == TYPE_LAYOUT_TUPLE && !(*mark & SNAPSHOT_MARK_QUEUED)) {
            snapshot_enqueue_seen(runtime, index); /* it may have been filled by then */
        }
    }
}

/* T0: all existing containers are members. Not yet if containers were made that the pass has not
 * seen, and there is no room to queue them. */
static bool snapshot_is_time(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    if (snapshot->members < registry->length) {
        *budget = 0; /* in the next slice */
        return false;
    }
    snapshot->examined = snapshot->members;
    snapshot->fresh = snapshot->members;
    snapshot->is_open = false;
    return true;
}

static bool snapshot_bias(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    while (snapshot->cursor<snapshot->members && * budget> 0) {
        --*budget;
        if (snapshot_next_eight(snapshot, registry->marks, snapshot_biased_eight)) {
            uint64_t eight = 0;
            memcpy(&eight, registry->marks + snapshot->cursor, sizeof(eight));
            eight &= ~snapshot_reached_eight;
            memcpy(registry->marks + snapshot->cursor, &eight, sizeof(eight));
            memset(registry->numbers + snapshot->cursor, 0,
                   SNAPSHOT_EIGHT * sizeof(*registry->numbers));
            snapshot->cursor += sizeof(eight);
        } else {
            if (snapshot->cursor + SNAPSHOT_FETCH_OBJECT < snapshot->members) {
                __builtin_prefetch(registry->entries[snapshot->cursor + SNAPSHOT_FETCH_OBJECT]);
            }
            snapshot_bias_one(runtime, snapshot->cursor, budget);
            snapshot->cursor++;
        }
    }
    return snapshot->cursor == snapshot->members && snapshot_is_time(runtime, budget);
}

/* Counts the references of unreached members. A member that is written between two slices is
 * reached by that: the rest of it is not counted, and the counted references are those of T0, as
 * they should be. */
static bool snapshot_count(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    struct snapshot_pass pass = snapshot_pass_of(runtime);
    size_t position = 0;
    struct object *object = snapshot_resume(runtime, &position);
    for (;;) {
        if (object != NULL && !(registry->marks[object->index] & SNAPSHOT_MARK_REACHED)) {
            snapshot->has_containers |= position > 0;
            if (!snapshot_scan_object(object, &position, snapshot_visit_count, &pass, budget)) {
                snapshot_suspend(snapshot, object, position);
                return false;
            }
            registry->marks[object->index] |= snapshot->has_containers ? 0 : SNAPSHOT_MARK_LEAF;
        }
        while (snapshot_next_eight(snapshot, registry->marks, snapshot_reached_eight) &&
               *budget > 0) {
            snapshot->cursor += sizeof(uint64_t);
            --*budget;
        }
        if (snapshot->cursor == snapshot->members || *budget <= 0) {
            return snapshot->cursor == snapshot->members;
        }
        --*budget;
        snapshot_fetch_entries(registry, snapshot);
        object = registry_object(registry, snapshot->cursor++);
        position = 0;
        snapshot->has_containers = false;
    }
}

/* Reaches the members with more references than were counted, and what they refer to. */
static bool snapshot_mark(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    while (snapshot_drain(runtime, budget)) {
        if (snapshot->cursor == snapshot->members) {
            return true;
        }
        while (snapshot->taken == snapshot->queue.length &&
               snapshot->cursor<snapshot->members && * budget> 0) {
            --*budget;
            if (snapshot_next_eight(snapshot, registry->marks, snapshot_reached_eight)) {
                snapshot->cursor += sizeof(uint64_t);
                continue;
            }
            uint32_t index = snapshot->cursor++;
            if (snapshot->cursor + SNAPSHOT_FETCH_OBJECT < snapshot->members) {
                __builtin_prefetch(registry->entries[snapshot->cursor + SNAPSHOT_FETCH_OBJECT]);
            }
            struct object *object = registry_object(registry, index);
            if (object != NULL && !(registry->marks[index] & SNAPSHOT_MARK_REACHED) &&
                object_getrefcount(object) > (int64_t)registry->numbers[index]) {
                snapshot_reach(runtime, index);
            }
        }
        if (*budget <= 0) {
            return false;
        }
    }
    return false;
}

/* Reaches what was touched since T0, and what it refers to. */
static bool snapshot_follow_roots(struct runtime *runtime, int64_t *budget)
{
    if (!snapshot_drain(runtime, budget)) {
        return false;
    }
    if (snapshot_of(runtime)->waited++ < SNAPSHOT_WAIT_SLICES) {
        *budget = 0;
        return false;
    }
    return true;
}

/* A cycle after the verdict: frees the trash in slices, and closes the registry's holes.
 *
 * gc_trash_free frees everything at once. In slices the trash must look intact to others until its
 * last container has dropped its references. So the collector first takes a reference to each
 * container, then clears each (a long list in parts), then drops its references. Nothing else
 * refers to the trash, so nothing else changes it meanwhile.
 *
 * Only gc_trash_process, at the end of SNAPSHOT_SWEEP, runs the program's code (weak references and
 * finalizers), and it runs at once. */

enum {
    SNAPSHOT_CLEAR_UNITS = 4, /* the cost of clearing a container, beside its references */
    SNAPSHOT_FETCH_TRASH = 12,
};

/* ---------------------------------------------------------------- sweeping */
/* Finalizers and their callers take references to the trash and drop them. For a biased container
 * that would be a rescue, of this container alone. So trash is unbiased before they run. */
static void snapshot_process(struct runtime *runtime)
{
    const struct snapshot *snapshot = snapshot_of(runtime);
    const struct gc_trash *trash = &snapshot->trash;
    if (trash->type_flags & (TYPE_NEEDS_CARE | TYPE_IS_WEAKREF) || runtime->save_all) {
        for (uint32_t k = 0; k < trash->length; k++) {
            snapshot_take_bias(runtime, runtime->collector.registry.entries[trash->indices[k]]);
        }
    }
    gc_trash_process(runtime, &snapshot_of(runtime)->trash);
}

/* Makes the unreached members trash. Eight reached ones are skipped at once. */
static bool snapshot_sweep(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    if (snapshot->cursor == snapshot->begin) {
        snapshot->trash = (struct gc_trash){.indices = registry->numbers};
    }
    while (snapshot->cursor<snapshot->members && * budget> 0) {
        --*budget;
        uint64_t eight = 0;
        if (snapshot->cursor + sizeof(eight) <= snapshot->members) {
            memcpy(&eight, registry->marks + snapshot->cursor, sizeof(eight));
        }
        if ((~eight & 0x0101010101010101u * SNAPSHOT_MARK_REACHED) == 0) {
            snapshot->cursor += sizeof(eight);
            continue;
        }
        uint32_t index = snapshot->cursor++;
        struct object *object = registry_object(registry, index);
        if (object != NULL && !(registry->marks[index] & SNAPSHOT_MARK_REACHED)) {
            gc_trash_add(&snapshot->trash, object);
        }
    }
    if (snapshot->cursor < snapshot->members) {
        return false;
    }
    snapshot->found = snapshot->trash.length;
    if (snapshot->trash.length > 0) {
        snapshot_process(runtime);
    }
    return true;
}

void snapshot_rescue(struct runtime *runtime, uint32_t index)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    for (uint32_t k = 0; k < snapshot->trash.length; k++) {
        struct object *object = gc_trash_object(&runtime->collector.registry, &snapshot->trash, k);
        if (object != NULL) {
            gc_trash_keep(object);
        }
    }
    snapshot->trash.length = 0;
    snapshot->phase = SNAPSHOT_MARK;
    snapshot->cursor = snapshot->members; /* the comparison is done; index still leads somewhere */
    snapshot_reach(runtime, index);
}

/* ---------------------------------------------------------------- freeing */
static struct object *snapshot_next_trash(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    if (snapshot->cursor + SNAPSHOT_FETCH_TRASH < snapshot->trash.length) {
        __builtin_prefetch(
            registry->entries[snapshot->trash.indices[snapshot->cursor + SNAPSHOT_FETCH_TRASH]]);
    }
    return gc_trash_object(registry, &snapshot->trash, snapshot->cursor);
}

static bool snapshot_keep(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    uint32_t kept = 0;
    for (; snapshot->cursor<snapshot->trash.length && * budget> 0; snapshot->cursor++, --*budget) {
        struct object *object = snapshot_next_trash(runtime);
        if (object == NULL) {
            snapshot
                ->suspects++; /* a finalizer may have brought it back: its bias proves nothing */
            continue;
        }
        snapshot_take_bias(runtime, object);
        object_incref(object);
        kept++;
    }
    snapshot->kept += kept;
    return snapshot->cursor == snapshot->trash.length;
}

/* Removes the last items of a list, as far as the budget allows. true: only its vector is left. */
static bool snapshot_clear_items(struct runtime *runtime, struct list_object *list, int64_t *budget)
{
    while (list->length > 0 && *budget > 0) {
        struct object *item = list->items[--list->length];
        object_decref(runtime, item);
        --*budget;
    }
    return list->length == 0;
}

static bool snapshot_clear(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    while (snapshot->cursor<snapshot->trash.length && * budget> 0) {
        struct object *object = snapshot_next_trash(runtime);
        if (object != NULL && object->type->layout == TYPE_LAYOUT_LIST &&
            !snapshot_clear_items(runtime, (struct list_object *)object, budget)) {
            return false;
        }
        if (object != NULL) {
            object->type->clear(runtime, object);
        }
        *budget -= SNAPSHOT_CLEAR_UNITS;
        snapshot->cursor++;
    }
    return snapshot->cursor == snapshot->trash.length;
}

static bool snapshot_drop(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    for (; snapshot->cursor<snapshot->trash.length && * budget> 0; snapshot->cursor++) {
        struct object *object = snapshot_next_trash(runtime);
        if (object != NULL) {
            gc_trash_keep(object);
            object_decref(runtime, object);
        }
        *budget -= SNAPSHOT_CLEAR_UNITS;
    }
    if (snapshot->cursor < snapshot->trash.length) {
        return false;
    }
    gc_trash_finish(runtime, &snapshot->trash);
    snapshot->collected +=
        collector_count_trash(runtime, GC_GENERATIONS - 1, &snapshot->trash, snapshot->kept);
    snapshot->uncollectable += snapshot->trash.uncollectable;
    snapshot->kept = 0;
    snapshot->trash.length = 0;
    return true;
}

/* ---------------------------------------------------------------- closing up */
#define SNAPSHOT_HOLE ((struct object *)(uintptr_t)1) /* odd, so it is no chained entry */

static void snapshot_move_entry(struct runtime *runtime, uint32_t from, uint32_t to)
{
    struct registry *registry = &runtime->collector.registry;
    struct object *object = registry->entries[from];
    registry->entries[to] = object;
    object->index = to;
    registry->marks[to] = registry->marks[from];
    registry->entries[from] = SNAPSHOT_HOLE;
    if (registry->marks[to] & SNAPSHOT_MARK_QUEUED) {
        snapshot_enqueue_seen(runtime, to);
    }
}

uint32_t snapshot_close_holes(struct runtime *runtime, uint32_t begin, int64_t *budget)
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
            snapshot_move_entry(runtime, --end, low++);
        }
    }
    registry->holes -= registry->length - end;
    registry->length = end;
    registry->starts[1] = registry->starts[GC_GENERATIONS - 1]; /* what was unfrozen is no older */
    registry->starts[0] = end;
    snapshot_of(runtime)->sealed = end;
    return low;
}

/* Closes holes. Entries may be moved, because all new containers have been looked at and none has
 * come since. */
static bool snapshot_compact(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    if (snapshot->examined < registry->length) {
        *budget = 0; /* in the next slice */
        return false;
    }
    snapshot->cursor = snapshot_close_holes(runtime, snapshot->cursor, budget);
    snapshot->examined = registry->length;
    snapshot->fresh = registry->length;
    snapshot_moved_entries(runtime);
    return snapshot->cursor >= registry->length;
}

/* ---------------------------------------------------------------- from phase to phase */
typedef bool snapshot_work(struct runtime *runtime, int64_t *budget);

static snapshot_work *const snapshot_phases[] = {
    [SNAPSHOT_BIAS] = snapshot_bias,       [SNAPSHOT_ROOTS] = snapshot_follow_roots,
    [SNAPSHOT_COUNT] = snapshot_count,     [SNAPSHOT_MARK] = snapshot_mark,
    [SNAPSHOT_SWEEP] = snapshot_sweep,     [SNAPSHOT_KEEP] = snapshot_keep,
    [SNAPSHOT_CLEAR] = snapshot_clear,     [SNAPSHOT_DROP] = snapshot_drop,
    [SNAPSHOT_COMPACT] = snapshot_compact,
};

static void snapshot_next_phase(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    switch (snapshot->phase) {
    case SNAPSHOT_SWEEP:
        snapshot->phase = snapshot->trash.length > 0 ? SNAPSHOT_KEEP : SNAPSHOT_IDLE;
        break;
    case SNAPSHOT_DROP:
    case SNAPSHOT_COMPACT:
        snapshot->phase = SNAPSHOT_IDLE;
        break;
    default:
        snapshot->phase++;
        break;
    }
    snapshot->cursor = snapshot->phase >= SNAPSHOT_KEEP
                           ? 0
                           : snapshot->begin; /* of the trash, or of the registry */
}

void snapshot_advance(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    while (snapshot->phase != SNAPSHOT_IDLE && *budget > 0) {
        if (snapshot_phases[snapshot->phase](runtime, budget)) {
            snapshot_next_phase(runtime);
        }
    }
}
