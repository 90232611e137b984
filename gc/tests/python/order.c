#include "gc/tests/python/order.h"

#include <stdlib.h>
#include <string.h>

#include "gc/introspect.h"
#include "gc/objects.h"
#include "gc/policies/generational.h"
#include "gc/runtime.h"
#include "gc/trash.h"

/* ---------------------------------------------------------------- lists */
struct order_list {
    uint32_t *items; /* indices in the registry */
    uint32_t length;
};

static struct order_list order_list_new(size_t capacity)
{
    struct order_list list = {.items = calloc(capacity + 1, sizeof(uint32_t))};
    if (list.items == NULL) {
        abort();
    }
    return list;
}

static void order_append(struct order_list *list, uint32_t index)
{
    list->items[list->length++] = index;
}

/* Appends the containers of [begin, end). */
static void order_append_range(const struct registry *registry, struct order_list *list,
                               uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        if (registry_object(registry, i) != NULL) {
            order_append(list, i);
        }
    }
}

/* ---------------------------------------------------------------- deduce_unreachable */
enum order_mark { ORDER_NONE, ORDER_MEMBER, ORDER_TENTATIVE, ORDER_DONE };

struct order_pass {
    struct registry *registry;
    struct order_list work; /* the members, and behind them those that were moved back */
};

static uint32_t *order_refs(const struct object *object)
{
    return &gc_head_of(object)->number;
}

static int order_visit_decref(struct object *referent, void *context)
{
    const struct order_pass *pass = context;
    if (referent->index != 0 && pass->registry->marks[referent->index] == ORDER_MEMBER) {
        --*order_refs(referent);
    }
    return 0;
}

static int order_visit_reachable(struct object *referent, void *context)
{
    struct order_pass *pass = context;
    uint8_t *mark = &pass->registry->marks[referent->index];
    if (referent->index == 0 || *mark == ORDER_NONE || *mark == ORDER_DONE) {
        return 0;
    }
    if (*mark == ORDER_TENTATIVE) {
        *mark = ORDER_MEMBER;
        *order_refs(referent) = 1;
        order_append(&pass->work, referent->index);
    } else if (*order_refs(referent) == 0) {
        *order_refs(referent) = 1;
    }
    return 0;
}

/* Divides members into those that something else keeps alive and the rest, each in CPython's order.
 * Marks and numbers are clean before and afterwards. */
static void order_deduce(struct registry *registry, const struct order_list *members,
                         struct order_list *reachable, struct order_list *unreachable)
{
    struct order_pass pass = {registry, order_list_new((size_t)members->length * 2)};
    for (uint32_t k = 0; k < members->length; k++) {
        struct object *object = registry->entries[members->items[k]];
        registry->marks[object->index] = ORDER_MEMBER;
        *order_refs(object) = (uint32_t)object_getrefcount(object);
        order_append(&pass.work, object->index);
    }
    for (uint32_t k = 0; k < members->length; k++) {
        struct object *object = registry->entries[members->items[k]];
        object->type->traverse(object, order_visit_decref, &pass);
    }
    struct order_list tentative = order_list_new(members->length);
    for (uint32_t k = 0; k < pass.work.length; k++) {
        struct object *object = registry->entries[pass.work.items[k]];
        if (*order_refs(object) != 0) {
            registry->marks[object->index] = ORDER_DONE;
            order_append(reachable, object->index);
            object->type->traverse(object, order_visit_reachable, &pass);
        } else {
            registry->marks[object->index] = ORDER_TENTATIVE;
            order_append(&tentative, object->index);
        }
    }
    for (uint32_t k = 0; k < tentative.length; k++) {
        if (registry->marks[tentative.items[k]] == ORDER_TENTATIVE) {
            order_append(unreachable, tentative.items[k]);
        }
    }
    for (uint32_t k = 0; k < members->length; k++) {
        registry->marks[members->items[k]] = ORDER_NONE;
        *order_refs(registry->entries[members->items[k]]) = 0;
    }
    free(tentative.items);
    free(pass.work.items);
}

/* ---------------------------------------------------------------- other phases */
/* untrack_tuples: an untracked tuple in a tuple is as good as an atom. */
static int order_visit_tracked(struct object *item, void *context)
{
    (void)context;
    return object_is_container(item) && (!object_is(item, &tuple_type) || item->index != 0);
}

static void order_untrack_tuples(struct runtime *runtime, struct order_list *survivors)
{
    uint32_t kept = 0;
    for (uint32_t k = 0; k < survivors->length; k++) {
        struct object *object = runtime->collector.registry.entries[survivors->items[k]];
        if (object_is(object, &tuple_type) &&
            object->type->traverse(object, order_visit_tracked, NULL) == 0) {
            runtime_untrack(runtime, object);
        } else {
            survivors->items[kept++] = survivors->items[k];
        }
    }
    survivors->length = kept;
}

static int order_visit_legacy(struct object *referent, void *context)
{
    struct order_pass *pass = context;
    if (referent->index != 0 && pass->registry->marks[referent->index] == ORDER_MEMBER) {
        pass->registry->marks[referent->index] = ORDER_DONE;
        order_append(&pass->work, referent->index);
    }
    return 0;
}

/* move_legacy_finalizers and move_legacy_finalizer_reachable: takes them out of trash. */
static void order_set_aside(struct registry *registry, struct order_list *trash,
                            struct order_list *aside)
{
    struct order_pass pass = {registry, order_list_new(trash->length)};
    for (uint32_t k = 0; k < trash->length; k++) {
        const struct object *object = registry->entries[trash->items[k]];
        bool is_legacy = (object->type->flags & TYPE_HAS_LEGACY_FINALIZER) != 0;
        registry->marks[object->index] = is_legacy ? ORDER_DONE : ORDER_MEMBER;
        if (is_legacy) {
            order_append(&pass.work, object->index);
        }
    }
    for (uint32_t k = 0; k < pass.work.length; k++) {
        struct object *object = registry->entries[pass.work.items[k]];
        object->type->traverse(object, order_visit_legacy, &pass);
    }
    uint32_t kept = 0;
    for (uint32_t k = 0; k < trash->length; k++) {
        bool is_member = registry->marks[trash->items[k]] == ORDER_MEMBER;
        registry->marks[trash->items[k]] = ORDER_NONE;
        if (is_member) {
            trash->items[kept++] = trash->items[k];
        }
    }
    trash->length = kept;
    *aside = pass.work;
}

/* Enters the objects of list at `to` and behind it. Returns where they end. */
static uint32_t order_place(struct registry *registry, struct object *const *objects,
                            uint32_t length, uint32_t to)
{
    for (uint32_t k = 0; k < length; k++) {
        registry->entries[to + k] = objects[k];
        objects[k]->index = to + k;
    }
    return to + length;
}

static struct object **order_objects(const struct registry *registry, const struct order_list *list)
{
    struct object **objects = calloc((size_t)list->length + 1, sizeof(*objects));
    if (objects == NULL) {
        abort();
    }
    for (uint32_t k = 0; k < list->length; k++) {
        objects[k] = registry->entries[list->items[k]];
    }
    return objects;
}

/* Everything from begin on is what list says, in its order, and ends there. */
static void order_rewrite(struct registry *registry, uint32_t begin, const struct order_list *list)
{
    struct object **objects = order_objects(registry, list);
    registry->holes -= registry->length - begin - list->length;
    registry->length = order_place(registry, objects, list->length, begin);
    registry->free = 0;
    for (int i = 0; i < GC_GENERATIONS; i++) {
        if (registry->starts[i] > registry->length) {
            registry->starts[i] = registry->length;
        }
    }
    free(objects);
}

/* ---------------------------------------------------------------- a collection */
static bool order_has(const struct order_list *list, uint32_t index)
{
    for (uint32_t i = 0; i < list->length; i++) {
        if (list->items[i] == index) {
            return true;
        }
    }
    return false;
}

/* Appends those of `items` that are tracked still and not in list yet. */
static void order_append_alive(const struct registry *registry, struct order_list *list,
                               const struct order_list *items)
{
    for (uint32_t k = 0; k < items->length; k++) {
        if (registry_object(registry, items->items[k]) != NULL &&
            !order_has(list, items->items[k])) {
            order_append(list, items->items[k]);
        }
    }
}

/* The merged list of the generations up to `oldest`: itself, then 0, then 1. */
static struct order_list order_merge(const struct registry *registry, int oldest)
{
    struct order_list members = order_list_new(registry->length);
    uint32_t end = oldest == 0 ? registry->length : registry->starts[oldest - 1];
    order_append_range(registry, &members, registry->starts[oldest], end);
    for (int i = 0; i < oldest; i++) {
        end = i == 0 ? registry->length : registry->starts[i - 1];
        order_append_range(registry, &members, registry->starts[i], end);
    }
    return members;
}

/* Survivors and trash take the places from begin on, in this order. */
static void order_lay_out(struct registry *registry, uint32_t begin, struct order_list *survivors,
                          struct order_list *trash)
{
    struct order_list all = order_list_new((size_t)survivors->length + trash->length);
    for (uint32_t k = 0; k < survivors->length + trash->length; k++) {
        order_append(&all, k < survivors->length ? survivors->items[k]
                                                 : trash->items[k - survivors->length]);
    }
    order_rewrite(registry, begin, &all);
    for (uint32_t k = 0; k < survivors->length; k++) {
        survivors->items[k] = begin + k;
    }
    for (uint32_t k = 0; k < trash->length; k++) {
        trash->items[k] = begin + survivors->length + k;
    }
    free(all.items);
}

struct order_found {
    struct order_list survivors;
    struct order_list trash;
    struct order_list aside; /* by legacy finalizers; also in trash */
};

static struct order_found order_find(struct runtime *runtime, int oldest)
{
    struct registry *registry = &runtime->collector.registry;
    const uint32_t begin = registry->starts[oldest];
    struct order_list members = order_merge(registry, oldest);
    struct order_found found = {.survivors = order_list_new(members.length),
                                .trash = order_list_new(members.length)};
    registry_seal(registry);
    memset(registry->marks, ORDER_NONE, registry->length);
    order_deduce(registry, &members, &found.survivors, &found.trash);
    order_untrack_tuples(runtime, &found.survivors);
    order_lay_out(registry, begin, &found.survivors, &found.trash);
    registry_seal(registry);
    struct order_list others = order_list_new(found.trash.length);
    for (uint32_t k = 0; k < found.trash.length; k++) {
        order_append(&others, found.trash.items[k]);
    }
    order_set_aside(registry, &others, &found.aside);
    free(others.items);
    free(members.items);
    return found;
}

/* Appends the members of the trash that are tracked still and were not set aside. */
static void order_append_others(const struct registry *registry, struct order_list *list,
                                const struct order_found *found)
{
    for (uint32_t k = 0; k < found->trash.length; k++) {
        uint32_t index = found->trash.items[k];
        if (registry_object(registry, index) != NULL && !order_has(&found->aside, index) &&
            !order_has(list, index)) {
            order_append(list, index);
        }
    }
}

/* The members of the trash that are neither dead nor set aside, deduced anew after the finalizers:
 * those that were brought back, in CPython's order. */
static void order_find_resurrected(struct registry *registry, const struct order_found *found,
                                   struct order_list *resurrected)
{
    struct order_list members = order_list_new(found->trash.length);
    struct order_list unreachable = order_list_new(found->trash.length);
    order_append_others(registry, &members, found);
    order_deduce(registry, &members, resurrected, &unreachable);
    free(members.items);
    free(unreachable.items);
}

/* What is tracked now, in the order that CPython's lists have after the collection. */
static void order_leave(struct registry *registry, uint32_t begin, const struct order_found *found,
                        const struct order_list *resurrected)
{
    struct order_list left = order_list_new(registry->length);
    const uint32_t young = registry->starts[0];
    order_append_alive(registry, &left, &found->survivors);
    order_append_alive(registry, &left, resurrected);
    order_append_others(registry, &left, found);
    order_append_alive(registry, &left, &found->aside);
    const uint32_t end = begin + left.length;
    order_append_range(registry, &left, young, registry->length);
    order_rewrite(registry, begin, &left);
    for (int i = 0; i < GC_GENERATIONS; i++) {
        registry->starts[i] = registry->starts[i] == young ? end : registry->starts[i];
    }
    free(left.items);
}

static struct gc_outcome order_collect(struct runtime *runtime, int oldest, int generation)
{
    struct collector *collector = &runtime->collector;
    struct registry *registry = &collector->registry;
    struct gc_outcome outcome = {.begin = registry->starts[oldest]};
    pauses_begin(&collector->pauses);
    struct order_found found = order_find(runtime, oldest);
    if (oldest > 0) {
        registry->starts[1] = registry->starts[0];
    }
    struct gc_trash trash = {.indices = registry->numbers + outcome.begin};
    for (uint32_t k = 0; k < found.trash.length; k++) {
        gc_trash_add(&trash, registry->entries[found.trash.items[k]]);
    }
    trash.no_discard = true; /* CPython's way: cleared one by one */
    outcome.examined = found.survivors.length + found.trash.length;
    outcome.unreachable = found.trash.length;
    struct order_list resurrected = order_list_new(found.trash.length);
    uint64_t freed = 0;
    if (trash.length > 0) {
        gc_trash_process(runtime, &trash);
        order_find_resurrected(registry, &found, &resurrected);
        freed = gc_trash_free(runtime, &trash);
        gc_trash_finish(runtime, &trash);
    }
    order_leave(registry, outcome.begin, &found, &resurrected);
    outcome.uncollectable = trash.uncollectable;
    outcome.collected = collector_count_trash(runtime, generation, &trash, freed);
    collector->stats.collections[generation]++;
    collector->stats.objects_visited += outcome.examined;
    pauses_end(&collector->pauses, outcome.examined);
    free(resurrected.items);
    free(found.survivors.items);
    free(found.trash.items);
    free(found.aside.items);
    return outcome;
}

void order_forget_holes(struct runtime *runtime)
{
    if (runtime_policy(runtime) == &gc_policy_cpython_order) {
        runtime->collector.registry.free = 0;
    }
}

/* By its count, and not by the collector's hand: within a deallocation, which owns the one
 * reference. A member of the trash is none any more then. */
static bool order_dies_by_count(const struct runtime *runtime, const struct object *object)
{
    return RUNTIME_OWN(runtime)->dealloc_depth > 0 && object_getrefcount(object) == 1;
}

void order_track_anew(struct runtime *runtime, struct object *object)
{
    struct registry *registry = &runtime->collector.registry;
    if (runtime_policy(runtime) != &gc_policy_cpython_order ||
        !order_dies_by_count(runtime, object)) {
        return;
    }
    gc_head_of(object)->flags &= ~(uint32_t)(GC_FLAG_TRASH | GC_FLAG_ASIDE);
    runtime_untrack(runtime, object);
    registry->free = 0;
    if (registry_has_room(registry) || registry_grow(registry)) {
        runtime_track(runtime, object);
    }
}

static const struct generational_parameters order_parameters = {
    .thresholds = {700, 10, 10}, .quarter_rule = true, .collect = order_collect};

const struct gc_policy gc_policy_cpython_order = {
    .name = "cpython-order",
    .summary = "as generational-700, in the order of CPython's lists",
    .parameters = &order_parameters,
    .open = generational_open,
    .close = generational_close,
    .allocated = generational_allocated,
    .collect = generational_collect,
    .configured = collector_set_trigger_by_threshold,
    .counted = generational_counted,
};
