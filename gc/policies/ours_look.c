/* New containers, each looked at once while it is still in the processor's cache.
 *
 * One that refers to no container is a leaf and dismissed; so is one that refers to dismissed ones
 * only, unless it is known (OURS_FLAG_KNOWN). That is all that a heap which only grows pays for.
 * The rest are queued, and the unknown ones among them examined together: the references among them
 * are counted, and those that have no others, nor are reached from one that has, are garbage. What
 * is alive is dismissed, and what it refers to and is not biased becomes known
 * (0010-incremental-collector.md, lemma 3). */
#include "gc/objects.h"
#include "gc/policies/ours.h"
#include "gc/referents.h"

/* ---------------------------------------------------------------- one look */
struct ours_view {
    const uint8_t *marks;
    unsigned look;
    uint32_t references;
};

static inline unsigned ours_look_referent(const uint8_t *marks, const struct object *referent)
{
    if (referent->index == 0) {
        return 0;
    }
    if (!object_is_biased(referent)) {
        return OURS_LOOK_INNER | OURS_LOOK_OPEN;
    }
    return marks[referent->index] & OURS_MARK_LEAF ? OURS_LOOK_LEAVES : OURS_LOOK_INNER;
}

static int ours_view_referent(struct object *referent, void *context)
{
    struct ours_view *view = context;
    view->look |= ours_look_referent(view->marks, referent);
    return ++view->references > OURS_LOOK_REFERENCES;
}

static inline unsigned ours_look_vector(const uint8_t *marks, struct object *const *items,
                                        size_t length, int64_t *budget)
{
    unsigned look = 0;
    if (length > OURS_LOOK_REFERENCES) {
        *budget -= OURS_LOOK_REFERENCES;
        return OURS_LOOK_LARGE;
    }
    *budget -= (int64_t)length;
    for (size_t i = 0; i < length; i++) {
        if (items[i] == NULL) {
            return look | OURS_LOOK_UNFILLED;
        }
        look |= ours_look_referent(marks, items[i]);
    }
    return look;
}

static inline __attribute__((always_inline)) unsigned
ours_look_inline(const uint8_t *marks, struct object *object, int64_t *budget)
{
    if (object->type == &list_type) {
        const struct list_object *list = (const struct list_object *)object;
        return ours_look_vector(marks, list->items, list->length, budget);
    }
    if (object->type == &tuple_type) {
        const struct tuple_object *tuple = (const struct tuple_object *)object;
        return ours_look_vector(marks, tuple->items, tuple->length, budget);
    }
    struct ours_view view = {marks, 0, 0};
    bool whole = object->type->traverse(object, ours_view_referent, &view) == 0;
    *budget -= view.references;
    view.look |= whole ? 0 : OURS_LOOK_LARGE;
    view.look |= object->type->flags & TYPE_IS_GUARDED ? 0 : OURS_LOOK_UNGUARDED;
    return view.look;
}

unsigned ours_look(const struct registry *registry, struct object *object, int64_t *budget)
{
    return ours_look_inline(registry->marks, object, budget);
}

/* ---------------------------------------------------------------- each by itself */
/* Dismisses the container if what was found at it allows that. */
static inline bool ours_settle(struct object *object, uint8_t *mark, unsigned look)
{
    if (look == 0) {
        *mark |= OURS_MARK_BIASED | OURS_MARK_LEAF;
    } else if (look == OURS_LOOK_LEAVES ||
               (look <= OURS_LOOK_DISMISSIBLE && !ours_is_known(object))) {
        *mark |= OURS_MARK_BIASED;
    } else {
        return false;
    }
    object_bias(object);
    return true;
}

/* The newest are left for the next slice: the program has them in its hands, and lets go of most of
 * them soon, which it would have to hear of if they were biased. */
void ours_look_at_new(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    uint32_t newest = ours->parameters->newest;
    uint32_t end = registry->starts[0] - ours->fresh > newest ? registry->starts[0] - newest : 0;
    while (ours->examined<end && * budget> 0) {
        uint32_t index = ours->examined++;
        struct object *object = registry_object(registry, index);
        --*budget;
        if (object == NULL || object_is_biased(object)) {
            continue;
        }
        ours->survivors++;
        unsigned look = ours_look_inline(registry->marks, object, budget);
        if (!ours_settle(object, &registry->marks[index], look) && look & OURS_LOOK_ON_CYCLE) {
            ours_enqueue_seen(runtime, index);
        }
    }
}

void ours_look_at_newest_later(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    while (ours->examined + ours->parameters->newest >= registry->starts[0] &&
           ours->examined < registry->starts[0]) {
        uint32_t index = ours->examined++;
        struct object *object = registry_object(registry, index);
        if (object != NULL && !object_is_biased(object) &&
            !(registry->marks[index] & OURS_MARK_QUEUED)) {
            ours_enqueue_seen(runtime, index);
            ours->survivors++;
            ours->put_off++;
        }
    }
}

/* ---------------------------------------------------------------- those that refer to each other
 */
struct ours_youth {
    uint8_t *marks;
    uint32_t *numbers;
    uint32_t sealed;
    uint32_t length;
    uint32_t alive; /* of `order` */
    uint32_t members[OURS_YOUTH_MAX];
    uint32_t order[OURS_YOUTH_MAX];
};

static bool ours_is_young(const struct ours *ours, const struct object *object, uint32_t index,
                          uint8_t mark)
{
    bool is_free = index >= ours->members || ours->phase == OURS_BIAS; /* its number is */
    return index >= ours->begin && is_free && object != NULL && mark & OURS_MARK_QUEUED &&
           !object_is_biased(object) && !ours_is_known(object);
}

/* Those of the queue that can be examined together, by ascending index. */
static void ours_youth_gather(struct runtime *runtime, struct ours_youth *youth, int64_t *budget)
{
    const struct ours *ours = ours_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    uint32_t last = 0;
    int64_t references = OURS_YOUTH_REFERENCES;
    uint32_t left = ours->seen.length - ours->seen_taken;
    uint32_t end = ours->seen_taken + (left < 2 * OURS_YOUTH_MAX ? left : 2 * OURS_YOUTH_MAX);
    for (uint32_t i = ours->seen_taken; i < end && references > 0; i++) {
        uint32_t index = ours->seen.items[i];
        if (index <= last || index >= registry->starts[0]) {
            continue;
        }
        struct object *object = registry_object(registry, index);
        if (youth->length < ours->parameters->youth_max &&
            ours_is_young(ours, object, index, registry->marks[index])) {
            unsigned look = ours_look_inline(registry->marks, object, &references);
            if (ours_settle(object, &registry->marks[index], look) || look & OURS_LOOK_NO_YOUTH) {
                continue;
            }
            registry->marks[index] |= OURS_MARK_YOUNG;
            registry->numbers[index] = 0;
            youth->members[youth->length++] = index;
            last = index;
        }
    }
    *budget -= youth->length + 3 * (OURS_YOUTH_REFERENCES - references);
}

static inline int ours_youth_count(struct object *referent, void *context)
{
    struct ours_youth *youth = context;
    uint32_t index = referent->index;
    if (index != 0 && index < youth->sealed && youth->marks[index] & OURS_MARK_YOUNG) {
        youth->numbers[index]++;
    } else if (!object_is_biased(referent)) {
        ours_set_known(referent, OURS_FLAG_HELD);
    }
    return 0;
}

static inline void ours_youth_revive(struct ours_youth *youth, uint32_t index)
{
    youth->marks[index] &= (uint8_t)~OURS_MARK_YOUNG;
    youth->order[youth->alive++] = index;
}

static inline int ours_youth_reach(struct object *referent, void *context)
{
    struct ours_youth *youth = context;
    uint32_t index = referent->index;
    if (index != 0 && index < youth->sealed && youth->marks[index] & OURS_MARK_YOUNG) {
        ours_youth_revive(youth, index);
    }
    return 0;
}

/* Dismisses those with references from elsewhere, and what they lead to among them. */
static void ours_youth_mark(struct runtime *runtime, struct ours_youth *youth)
{
    struct object *const *entries = runtime->collector.registry.entries;
    for (uint32_t i = 0; i < youth->length; i++) {
        referents_visit(entries[youth->members[i]], ours_youth_count, youth);
    }
    for (uint32_t i = 0; i < youth->length; i++) {
        uint32_t index = youth->members[i];
        if (object_getrefcount(entries[index]) > (int64_t)youth->numbers[index]) {
            ours_youth_revive(youth, index);
        }
    }
    for (uint32_t i = 0; i < youth->alive; i++) {
        struct object *object = entries[youth->order[i]];
        ours_dismiss(runtime, object, 0);
        referents_visit(object, ours_youth_reach, youth);
    }
}

void ours_examine_youth(struct runtime *runtime, int64_t *budget)
{
    struct registry *registry = &runtime->collector.registry;
    struct ours_youth youth;
    youth.marks = registry->marks;
    youth.numbers = registry->numbers;
    youth.sealed = registry->starts[0];
    youth.length = 0;
    youth.alive = 0;
    ours_youth_gather(runtime, &youth, budget);
    ours_youth_mark(runtime, &youth);
    if (youth.alive == youth.length) {
        return;
    }
    uint32_t length = 0;
    for (uint32_t i = 0; i < youth.length; i++) {
        uint32_t index = youth.members[i];
        if (registry->marks[index] & OURS_MARK_YOUNG) {
            registry->marks[index] &= (uint8_t)~OURS_MARK_YOUNG;
            youth.order[length++] = index;
        }
    }
    *budget -= 2 * (int64_t)length;
    ours_free_few(runtime, youth.order, length);
}
