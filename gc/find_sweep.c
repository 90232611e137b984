/* The sweep of collector_find_unreachable: the one look at each object. find_unreachable.c says
 * what it is for.
 *
 * Marks are bytes, and a store of a byte may change anything as far as a compiler knows: so the
 * tables are passed by value, and what is counted for one container is not in memory. */
#include <string.h>

#include "gc/find.h"
#include "gc/objects.h"
#include "gc/referents.h"

enum {
    SWEEP_LONG = 16, /* items of a list that are worth sweeping with it, and */
    SWEEP_SHORT = 4, /* the items that each of those may have */
    SWEEP_FETCH_OBJECT = 24,
    SWEEP_FETCH_VECTOR = 12,
    SWEEP_FETCH_REFERENT = 6,
};

struct sweep {
    struct find *find;
    struct object *const *entries;
    uint8_t *marks;
    uint32_t *numbers;
    uint32_t begin;
    uint32_t span;
};

/* Of one container: its referents in the range, and the index of the last of them. */
struct sweep_inner {
    uint32_t count;
    uint32_t last;
};

#define SWEEP_INLINE static inline __attribute__((always_inline))

SWEEP_INLINE bool sweep_is_inside(struct sweep sweep, uint32_t index)
{
    return index - sweep.begin < sweep.span;
}

static __attribute__((noinline)) void sweep_add_wide(struct find *find, uint32_t index,
                                                     uint32_t difference)
{
    if ((find->marks[index] & FIND_COUNT) != FIND_WIDE) {
        find->marks[index] |= FIND_WIDE;
        find->numbers[index] = 0;
    }
    find->numbers[index] += difference;
    find->any_wide = true;
}

SWEEP_INLINE struct sweep_inner sweep_subtract(struct sweep sweep, const struct object *referent,
                                               struct sweep_inner inner)
{
    uint32_t index = referent->index;
    if (sweep_is_inside(sweep, index)) {
        inner.last = index;
        inner.count++;
        if (__builtin_expect(object_getrefcount(referent) < FIND_WIDE_MIN, true)) {
            sweep.marks[index] = (uint8_t)(sweep.marks[index] - FIND_ONE);
        } else {
            sweep_add_wide(sweep.find, index, UINT32_MAX);
        }
    }
    return inner;
}

SWEEP_INLINE struct sweep_inner sweep_subtract_items(struct sweep sweep,
                                                     struct object *const *items, size_t length)
{
    struct sweep_inner inner = {0, 0};
    for (size_t i = 0; i < length; i++) {
        inner = sweep_subtract(sweep, items[i], inner);
    }
    return inner;
}

/* ---------------------------------------------------------------- other types */
struct sweep_context {
    struct sweep sweep;
    struct sweep_inner inner;
};

static inline int sweep_visit(struct object *referent, void *context)
{
    struct sweep_context *one = context;
    one->inner = sweep_subtract(one->sweep, referent, one->inner);
    return 0;
}

static __attribute__((noinline)) struct sweep_inner sweep_any(struct sweep sweep,
                                                              struct object *object)
{
    struct sweep_context one = {sweep, {0, 0}};
    referents_visit(object, sweep_visit, &one);
    return one.inner;
}

/* ---------------------------------------------------------------- the container itself */
static __attribute__((noinline)) void sweep_note_type(struct find *find, const struct type *type)
{
    find->type_last = type;
    find->type_flags |= type->flags;
    find->any_undiscarded |= type->discard == NULL;
}

/* Of a container with one referent in the range. */
SWEEP_INLINE bool sweep_is_sole(const struct object *object)
{
    return (object->type->layout == TYPE_LAYOUT_LIST &&
            ((const struct list_object *)object)->length == 1) ||
           (object->type->layout == TYPE_LAYOUT_TUPLE &&
            ((const struct tuple_object *)object)->length == 1);
}

/* Adds the container's own count, and notes what it is. */
SWEEP_INLINE void sweep_add_own(struct sweep sweep, uint32_t index, const struct object *object,
                                struct sweep_inner inner, uint8_t note)
{
    int64_t count = object_getrefcount(object);
    const struct type *type = object->type;
    if (__builtin_expect(type != sweep.find->type_last, false)) {
        sweep_note_type(sweep.find, type);
    }
    if (inner.count == 0) {
        note |= FIND_LEAF;
        if (type->layout == TYPE_LAYOUT_TUPLE) {
            note |= FIND_TUPLE;
            sweep.find->any_tuple = true;
        }
    }
    if (__builtin_expect(count >= FIND_WIDE_MIN, false)) {
        sweep_add_wide(sweep.find, index, (uint32_t)count);
        sweep.marks[index] |= note;
        return;
    }
    if (inner.count == 1) {
        sweep.numbers[index] = inner.last;
        note |= sweep_is_sole(object) ? FIND_SOLE : FIND_SINGLE;
    }
    sweep.marks[index] = (uint8_t)((sweep.marks[index] + (uint32_t)count * FIND_ONE) | note);
}

/* ---------------------------------------------------------------- long lists */
/* An item of a long list at entry `list_index`, which sweep_subtract has just looked at. */
SWEEP_INLINE void sweep_item(struct sweep sweep, uint32_t list_index, struct object *item)
{
    uint32_t index = item->index;
    const struct list_object *list = (const struct list_object *)item;
    if (sweep_is_inside(sweep, index) && !(sweep.marks[index] & FIND_SWEPT) &&
        item->type->layout == TYPE_LAYOUT_LIST && list->length <= SWEEP_SHORT &&
        index > list_index) {
        struct sweep_inner inner = sweep_subtract_items(sweep, list->items, list->length);
        sweep_add_own(sweep, index, item, inner, FIND_SWEPT);
    }
}

static __attribute__((noinline)) void sweep_long(struct sweep sweep, uint32_t list_index,
                                                 const struct list_object *list)
{
    struct object *const *items = list->items;
    const size_t length = list->length;
    const uint32_t first = items[0]->index;
    struct sweep_inner inner = {0, 0};
    bool in_order = true;
    for (size_t i = 0; i < length; i++) {
        struct object *item = items[i];
        if (i + SWEEP_FETCH_OBJECT < length) {
            __builtin_prefetch(items[i + SWEEP_FETCH_OBJECT]);
            referents_fetch_vector(items[i + SWEEP_FETCH_VECTOR]);
        }
        inner = sweep_subtract(sweep, item, inner);
        in_order &= item->index == first + i;
        sweep_item(sweep, list_index, item);
    }
    bool is_run = in_order && inner.count == length;
    sweep_add_own(sweep, list_index, &list->base, inner, is_run ? FIND_RUN : 0);
}

/* ---------------------------------------------------------------- all of them */
/* Three distances: by the time that a referent is looked at, its container's vector and before that
 * the container have been fetched. */
SWEEP_INLINE void sweep_fetch(struct sweep sweep, uint32_t i)
{
    struct object *const *entries = sweep.entries + i;
    const uint8_t *marks = sweep.marks + i;
    if (!(marks[SWEEP_FETCH_OBJECT] & FIND_SWEPT)) {
        __builtin_prefetch(entries[SWEEP_FETCH_OBJECT]);
    }
    const struct object *object = entries[SWEEP_FETCH_VECTOR];
    if (!(marks[SWEEP_FETCH_VECTOR] & FIND_SWEPT) && !registry_is_hole(object)) {
        referents_fetch_vector(object);
    }
    object = entries[SWEEP_FETCH_REFERENT];
    if (!(marks[SWEEP_FETCH_REFERENT] & FIND_SWEPT) && !registry_is_hole(object)) {
        referents_fetch_first(object);
    }
}

SWEEP_INLINE void sweep_one(struct sweep sweep, uint32_t i)
{
    struct object *object = sweep.entries[i];
    uint8_t mark = sweep.marks[i];
    if (mark & FIND_SWEPT) {
        sweep.marks[i] = mark & (uint8_t)~FIND_SWEPT;
        return;
    }
    if (__builtin_expect(registry_is_hole(object), false)) {
        sweep.marks[i] = FIND_LEAF | FIND_ALIVE; /* nothing to do, and no garbage */
        sweep.find->holes++;
        return;
    }
    struct sweep_inner inner;
    if (object->type->layout == TYPE_LAYOUT_LIST) {
        const struct list_object *list = (const struct list_object *)object;
        if (list->length >= SWEEP_LONG) {
            sweep_long(sweep, i, list);
            return;
        }
        inner = sweep_subtract_items(sweep, list->items, list->length);
    } else {
        inner = sweep_any(sweep, object);
    }
    sweep_add_own(sweep, i, object, inner, 0);
}

/* A wide count becomes 1 or 0: numbers are needed for marking's queue. */
static void sweep_narrow(struct find *find)
{
    for (uint32_t i = find->begin; find->any_wide && i < find->end; i++) {
        if ((find->marks[i] & FIND_COUNT) == FIND_WIDE) {
            find->marks[i] = (uint8_t)((find->marks[i] & ~FIND_COUNT) |
                                       (find->numbers[i] != 0 ? FIND_ALIVE : 0));
        }
    }
}

void find_sweep(struct find *find)
{
    const struct sweep sweep = {find,          find->entries, find->marks,
                                find->numbers, find->begin,   find->end - find->begin};
    const uint32_t end = find->end;
    uint32_t i = find->begin;
    memset(find->marks + i, 0, end - i);
    if (end - i > SWEEP_FETCH_OBJECT) {
        for (; i < end - SWEEP_FETCH_OBJECT; i++) {
            sweep_fetch(sweep, i);
            sweep_one(sweep, i);
        }
    }
    for (; i < end; i++) {
        sweep_one(sweep, i);
    }
    sweep_narrow(find);
}
