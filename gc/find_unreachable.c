/* Which containers of a range nothing outside of the range keeps alive.
 *
 * The algorithm of Neil Schemenauer and Tim Peters (CPython 3.11, Modules/gcmodule.c,
 * deduce_unreachable): what remains of a count when the references from inside the range are taken
 * off is references from outside; those containers are alive, and so is all that they refer to. The
 * arithmetic is not done in the objects but in a byte for each beside them:
 *
 *  - One sweep adds each container's count to its own byte and takes one off the byte of each
 *    referent. Modulo 64, in any order, so that copying the counts needs no pass of its own. A
 *    count too large for that goes to registry.numbers.
 *  - A container without referents inside the range is marked a leaf meanwhile: marking what is
 *    alive need not look at it again.
 *  - Marking goes through the bytes in order, and comes back at last to those that were found alive
 *    after it had passed them. */
#include <string.h>

#include "gc/objects.h"
#include "gc/referents.h"
#include "gc/runtime.h"
#include "gc/trash.h"

enum {
    FIND_COUNT = 0x3f, /* modulo 64 while sweeping; above zero: alive */
    FIND_WIDE = 0x3f,  /* while sweeping: the count is in registry.numbers */
    FIND_TUPLE = 0x40, /* a leaf tuple, which may be untracked */
    FIND_LEAF = 0x80,
    FIND_WIDE_MIN = 62, /* counts from here on are wide */
    FIND_FETCH_OBJECT = 24,
    FIND_FETCH_VECTOR = 12,
    FIND_FETCH_REFERENT = 6,
};

struct find {
    struct object *const *entries;
    uint8_t *marks;
    uint32_t *numbers;
    uint32_t begin;
    uint32_t end;
    uint32_t passed; /* marking: entries below this have been passed */
    uint32_t *queue; /* of those found alive after that: in numbers */
    uint32_t queue_length;
    bool inner; /* the container being swept has a referent in the range */
    bool any_wide;
    bool any_tuple;
    uint64_t examined;
};

static inline bool find_is_inside(const struct find *find, uint32_t index)
{
    return index - find->begin < find->end - find->begin;
}

/* ---------------------------------------------------------------- the sweep */
static void find_add_wide(struct find *find, uint32_t index, uint32_t difference)
{
    if ((find->marks[index] & FIND_COUNT) != FIND_WIDE) {
        find->marks[index] |= FIND_WIDE;
        find->numbers[index] = 0;
    }
    find->numbers[index] += difference;
    find->any_wide = true;
}

static inline int find_subtract(struct object *referent, void *context)
{
    struct find *find = context;
    uint32_t index = referent->index;
    if (find_is_inside(find, index)) {
        find->inner = true;
        if (__builtin_expect(object_getrefcount(referent) < FIND_WIDE_MIN, true)) {
            uint8_t mark = find->marks[index];
            find->marks[index] = (uint8_t)((mark & ~FIND_COUNT) | ((mark - 1) & FIND_COUNT));
        } else {
            find_add_wide(find, index, UINT32_MAX);
        }
    }
    return 0;
}

/* Adds the container's own count, and notes what it is. */
static inline void find_add_own(struct find *find, uint32_t index, const struct object *object)
{
    int64_t count = object_getrefcount(object);
    if (__builtin_expect(count < FIND_WIDE_MIN, true)) {
        uint8_t mark = find->marks[index];
        find->marks[index] = (uint8_t)((mark + count) & FIND_COUNT);
    } else {
        find_add_wide(find, index, (uint32_t)count);
    }
    if (!find->inner) {
        find->marks[index] |= FIND_LEAF;
        if (object->type->layout == TYPE_LAYOUT_TUPLE) {
            find->marks[index] |= FIND_TUPLE;
            find->any_tuple = true;
        }
    }
}

/* Three distances: by the time that a referent is looked at, its container's vector and before that
 * the container have been fetched. Entries beyond the end are not read. */
static inline void find_fetch(const struct find *find, uint32_t i)
{
    const struct object *object = find->entries[i + FIND_FETCH_OBJECT];
    __builtin_prefetch(object);
    object = find->entries[i + FIND_FETCH_VECTOR];
    if (!registry_is_hole(object)) {
        referents_fetch_vector(object);
    }
    object = find->entries[i + FIND_FETCH_REFERENT];
    if (!registry_is_hole(object)) {
        referents_fetch_first(object);
    }
}

static inline void find_sweep_one(struct find *find, uint32_t i)
{
    struct object *object = find->entries[i];
    if (registry_is_hole(object)) {
        find->marks[i] = FIND_LEAF | 1; /* nothing to do, and no garbage */
        return;
    }
    find->inner = false;
    referents_visit(object, find_subtract, find);
    find_add_own(find, i, object);
    find->examined++;
}

static void find_sweep(struct find *find)
{
    uint32_t i = find->begin;
    memset(find->marks + i, 0, find->end - i);
    if (find->end - i > FIND_FETCH_OBJECT) {
        for (; i < find->end - FIND_FETCH_OBJECT; i++) {
            find_fetch(find, i);
            find_sweep_one(find, i);
        }
    }
    for (; i < find->end; i++) {
        find_sweep_one(find, i);
    }
}

/* Numbers are needed for the queue from here on: a wide count becomes 1 or 0. */
static void find_narrow(struct find *find)
{
    for (uint32_t i = find->begin; find->any_wide && i < find->end; i++) {
        if ((find->marks[i] & FIND_COUNT) == FIND_WIDE) {
            find->marks[i] = (uint8_t)((find->marks[i] & ~FIND_COUNT) | (find->numbers[i] != 0));
        }
    }
}

/* ---------------------------------------------------------------- marking */
static inline int find_mark(struct object *referent, void *context)
{
    struct find *find = context;
    uint32_t index = referent->index;
    if (find_is_inside(find, index)) {
        uint8_t mark = find->marks[index];
        if ((mark & FIND_COUNT) == 0) {
            find->marks[index] = mark | 1;
            if (index < find->passed && !(mark & FIND_LEAF)) {
                find->queue[find->queue_length++] = index;
            }
        }
    }
    return 0;
}

static void find_mark_queued(struct find *find)
{
    for (uint32_t k = 0; k < find->queue_length; k++) {
        if (k + FIND_FETCH_REFERENT < find->queue_length) {
            const struct object *next = find->entries[find->queue[k + FIND_FETCH_REFERENT]];
            __builtin_prefetch(next);
        }
        referents_visit(find->entries[find->queue[k]], find_mark, find);
    }
}

/* A container is passed through once: when the sweep comes to it and it is known to be alive, or
 * from the queue. */
static void find_mark_alive(struct find *find)
{
    for (uint32_t i = find->begin; i < find->end; i++) {
        uint8_t mark = find->marks[i];
        find->passed = i + 1;
        if (!(mark & FIND_LEAF) && (mark & FIND_COUNT) != 0) {
            referents_visit(find->entries[i], find_mark, find);
        }
    }
    find_mark_queued(find);
}

/* ---------------------------------------------------------------- the results */
static void find_gather(const struct find *find, struct gc_trash *trash)
{
    for (uint32_t i = find->begin; i < find->end; i++) {
        if ((find->marks[i] & FIND_COUNT) == 0) {
            gc_trash_add(trash, find->entries[i]);
        }
    }
}

/* A tuple that is complete and whose items can never be part of a cycle: atoms, and tuples that
 * are untracked themselves. As _PyTuple_MaybeUntrack, Objects/tupleobject.c, 3.11. */
static bool find_is_atomic(const struct tuple_object *tuple)
{
    for (size_t i = 0; i < tuple->length; i++) {
        const struct object *item = tuple->items[i];
        if (item == NULL || item->index != 0 ||
            (object_is_container(item) && item->type->layout != TYPE_LAYOUT_TUPLE)) {
            return false;
        }
    }
    return true;
}

static void find_untrack_tuples(struct runtime *runtime, const struct find *find)
{
    const uint8_t wanted = FIND_TUPLE;
    for (uint32_t i = find->begin; find->any_tuple && i < find->end; i++) {
        struct object *object = find->entries[i];
        if ((find->marks[i] & wanted) && (find->marks[i] & FIND_COUNT) != 0 &&
            find_is_atomic((const struct tuple_object *)object)) {
            runtime_untrack(runtime, object);
        }
    }
}

/* ---------------------------------------------------------------- checked builds */
static int find_check_take_off(struct object *referent, void *context)
{
    if (find_is_inside(context, referent->index)) {
        if (object_getrefcount(referent) == 0) {
            object_fail_count(referent);
        }
        referent->refcount--;
    }
    return 0;
}

static int find_check_put_back(struct object *referent, void *context)
{
    referent->refcount += find_is_inside(context, referent->index);
    return 0;
}

/* No container has fewer references than there are to it: counted in the objects themselves, since
 * a byte modulo 64 would hide it. As the assertion in CPython's visit_decref. */
static void find_check_counts(const struct registry *registry, struct gc_range range)
{
    struct find find = {.begin = range.begin, .end = range.end};
    object_visit *const visits[] = {find_check_take_off, find_check_put_back};
    for (size_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = range.begin; i < range.end; i++) {
            struct object *object = registry_object(registry, i);
            if (object != NULL) {
                object->type->traverse(object, visits[pass], &find);
            }
        }
    }
}

uint64_t collector_find_unreachable(struct runtime *runtime, struct gc_range range,
                                    struct gc_trash *trash)
{
    const struct registry *registry = &runtime->collector.registry;
    struct find find = {
        .entries = registry->entries,
        .marks = registry->marks,
        .numbers = registry->numbers,
        .begin = range.begin,
        .end = range.end,
        .queue = registry->numbers + range.begin,
    };
    if (GC_IS_CHECKED) {
        find_check_counts(registry, range);
    }
    find_sweep(&find);
    find_narrow(&find);
    find_mark_alive(&find);
    find_gather(&find, trash);
    find_untrack_tuples(runtime, &find);
    return find.examined;
}
