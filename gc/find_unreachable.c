/* Which containers of a range nothing outside of the range keeps alive.
 *
 * The algorithm of Neil Schemenauer and Tim Peters (CPython 3.11, Modules/gcmodule.c,
 * deduce_unreachable): what remains of a count when the references from inside the range are taken
 * off is references from outside; those containers are alive, and so is all that they refer to.
 * What makes it fast is that the objects are looked at once, by the sweep:
 *
 *  - The arithmetic is done in a byte for each container beside the heap. The sweep adds each
 *    container's count to its own byte and takes one off the byte of each referent: modulo 32, in
 *    any order, so that copying the counts needs no pass of its own. A count too large for that
 *    goes to registry.numbers.
 *  - The next containers, their vectors and their referents are fetched while this one is looked
 *    at.
 *  - The items of a long list are swept while the list is, as they are in cache then.
 *  - Marking what is alive hardly looks at objects again. A container without referents in the
 *    range is marked a leaf. The index of a single referent is noted, from which the next may be
 *    found in the same way. A long list whose items are neighbours in the registry, in order, is a
 *    run. So long lists of things that were made one after the other, and chains, are followed in
 *    the dense arrays. */
#include "gc/find.h"
#include "gc/objects.h"
#include "gc/referents.h"
#include "gc/runtime.h"
#include "gc/trash.h"

enum {
    FIND_NEAR = GC_IS_CHECKED ? 0 : 64, /* entries: a step that stays in cache */
    FIND_PATIENCE = 1024, /* see struct find; and a share of the range: the chain is much of it */
    FIND_PATIENCE_SHARE = 64,
    FIND_PATIENCE_CHECKED = 2, /* so that small tests get there */
};

/* ---------------------------------------------------------------- marking */
static void find_enqueue(struct find *find, uint32_t index)
{
    find->numbers[index] = 0;
    if (find->queue_last == 0) {
        find->queue_first = index;
    } else {
        find->numbers[find->queue_last] = index;
    }
    find->queue_last = index;
}

/* Of no use, it is not tried again in this collection. */
static __attribute__((noinline)) uint32_t find_follow_far(struct find *find, uint32_t index)
{
    struct gc_range range = {find->begin, find->end};
    bool was_useful;
    index = find_chains_follow(find->marks, find->numbers, range, index, &was_useful);
    find->patience = was_useful ? find->patience : UINT32_MAX;
    return index;
}

/* The container of that index is alive; so is what it refers to, as far as indices alone tell. The
 * first on that way whose referents must be looked up in the object is looked at in its turn: when
 * marking comes to it, or from the queue when that is over. */
static inline void find_follow(struct find *find, uint32_t index)
{
    uint32_t far = 0;
    for (;;) {
        uint8_t mark = find->marks[index];
        if ((mark & FIND_COUNT) != 0) {
            return;
        }
        find->marks[index] = mark | FIND_ALIVE;
        if ((mark & FIND_RUN) == FIND_SINGLE) {
            uint32_t next = find->numbers[index];
            far += next - index + FIND_NEAR > 2 * FIND_NEAR;
            index =
                __builtin_expect(far > find->patience, false) ? find_follow_far(find, next) : next;
            continue;
        }
        if (!(mark & FIND_LEAF) && index < find->passed) {
            find_enqueue(find, index);
        }
        return;
    }
}

static inline int find_mark(struct object *referent, void *context)
{
    struct find *find = context;
    if (find_is_inside(find, referent->index)) {
        find_follow(find, referent->index);
    }
    return 0;
}

/* Marks what the container of that index refers to, with another look at the object. */
static void find_mark_referents(struct find *find, uint32_t index)
{
    struct object *object = find->entries[index];
    if ((find->marks[index] & FIND_RUN) != FIND_RUN) {
        referents_visit(object, find_mark, find);
        return;
    }
    const struct list_object *list = (const struct list_object *)object;
    const uint32_t first = list->items[0]->index;
    for (uint32_t i = 0; i < list->length; i++) {
        find_follow(find, first + i);
    }
}

/* A container is passed through once: when marking comes to it and it is known to be alive, or from
 * the queue. A single referent has been followed already, unless the count was above zero from the
 * sweep. */
static void find_mark_alive(struct find *find)
{
    for (uint32_t i = find->begin; i < find->end; i++) {
        uint8_t mark = find->marks[i];
        if ((mark & FIND_SOLE) == FIND_LEAF || (mark & FIND_COUNT) == 0) {
            continue;
        }
        find->passed = i + 1;
        if ((mark & FIND_RUN) == FIND_SINGLE) {
            find_follow(find, find->numbers[i]);
        } else {
            find_mark_referents(find, i);
        }
    }
    find->passed = find->end;
    while (find->queue_first != 0) {
        uint32_t index = find->queue_first;
        uint32_t next = find->numbers[index];
        if (next == 0) {
            find->queue_last = 0;
        } else {
            __builtin_prefetch(find->entries[next]);
        }
        find->queue_first = next;
        find_mark_referents(find, index);
    }
}

/* ---------------------------------------------------------------- the results */
static void find_gather(const struct find *find, struct gc_trash *trash)
{
    const unsigned not_plain = TYPE_NEEDS_CARE | TYPE_IS_WEAKREF | TYPE_IS_CLASS_INSTANCE;
    trash->range = (struct gc_range){find->begin, find->end};
    trash->plain &= !(find->type_flags & not_plain) && !find->any_undiscarded;
    uint32_t i = find->begin;
    while ((i = gc_next_unmarked(find->marks, i, find->end)) < find->end) {
        if (trash->plain) {
            trash->length++;
        } else {
            gc_trash_add(trash, find->entries[i]);
        }
        i++;
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
    const uint8_t wanted = FIND_TUPLE | FIND_LEAF;
    for (uint32_t i = find->begin; find->any_tuple && i < find->end; i++) {
        struct object *object = find->entries[i];
        if ((find->marks[i] & wanted) == wanted && (find->marks[i] & FIND_COUNT) != 0 &&
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
        object_add_stopped(referent, -1);
    }
    return 0;
}

static int find_check_put_back(struct object *referent, void *context)
{
    object_add_stopped(referent, find_is_inside(context, referent->index));
    return 0;
}

/* No container has fewer references than there are to it: counted in the objects themselves, since
 * a byte modulo 32 would hide it. As the assertion in CPython's visit_decref. */
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
        .patience = GC_IS_CHECKED ? FIND_PATIENCE_CHECKED
                                  : FIND_PATIENCE + (range.end - range.begin) / FIND_PATIENCE_SHARE,
    };
    if (GC_IS_CHECKED) {
        find_check_counts(registry, range);
    }
    find_sweep(&find);
    find_mark_alive(&find);
    find_gather(&find, trash);
    find_untrack_tuples(runtime, &find);
    return range.end - range.begin - find.holes;
}
