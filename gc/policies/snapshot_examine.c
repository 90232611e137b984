/* Examines new containers, each once while it is still in the processor's cache.
 *
 * A container that refers to no container is a leaf, and is dismissed. So is one that refers only
 * to dismissed ones, unless it is known (SNAPSHOT_FLAG_KNOWN). A heap that only grows pays for
 * nothing else. The others are queued, and those of them that are not known are examined together:
 * references among them are counted; those that have no other references, and are not reached from
 * one that has, are garbage. Living ones are dismissed, and what they refer to becomes known if it
 * is not biased (0010-incremental-collector.md, lemma 3). */
#include <string.h>

#include "gc/introspect.h"
#include "gc/objects.h"
#include "gc/policies/snapshot.h"
#include "gc/referents.h"

/* Frees garbage, given by ascending indices, at once, with all effects of its finalizers. */
static void snapshot_free_few(struct runtime *runtime, uint32_t *indices, uint32_t length)
{
    struct registry *registry = &runtime->collector.registry;
    struct gc_trash trash = {.indices = indices};
    if (indices[length - 1] >= registry->starts[0]) {
        snapshot_seal(runtime); /* a callback or a finalizer made them in this slice */
    }
    for (uint32_t i = 0; i < length; i++) {
        struct object *object = registry->entries[indices[i]];
        snapshot_lose(runtime, object); /* a finalizer may bring it back */
        gc_trash_add(&trash, object);
    }
    uint64_t freed = gc_trash_dispose(runtime, &trash);
    (void)collector_count_trash(runtime, 0, &trash, freed);
    snapshot_of(runtime)->suspects += freed < length; /* some were brought back, unbiased */
}

/* ---------------------------------------------------------------- one look */
struct snapshot_view {
    const uint8_t *marks;
    unsigned look;
    uint32_t references;
};

static inline unsigned snapshot_look_referent(const uint8_t *marks, const struct object *referent)
{
    if (referent->index == 0) {
        return 0;
    }
    if (!object_is_biased(referent)) {
        return SNAPSHOT_LOOK_INNER | SNAPSHOT_LOOK_OPEN;
    }
    return marks[referent->index] & SNAPSHOT_MARK_LEAF ? SNAPSHOT_LOOK_LEAVES : SNAPSHOT_LOOK_INNER;
}

static int snapshot_view_referent(struct object *referent, void *context)
{
    struct snapshot_view *view = context;
    view->look |= snapshot_look_referent(view->marks, referent);
    return ++view->references > SNAPSHOT_LOOK_REFERENCES;
}

static inline unsigned snapshot_look_vector(const uint8_t *marks, struct object *const *items,
                                            size_t length, int64_t *budget)
{
    unsigned look = 0;
    if (length > SNAPSHOT_LOOK_REFERENCES) {
        *budget -= SNAPSHOT_LOOK_REFERENCES;
        return SNAPSHOT_LOOK_LARGE;
    }
    *budget -= (int64_t)length;
    for (size_t i = 0; i < length; i++) {
        if (items[i] == NULL) {
            return look | SNAPSHOT_LOOK_UNFILLED;
        }
        look |= snapshot_look_referent(marks, items[i]);
    }
    return look;
}

static inline __attribute__((always_inline)) unsigned
snapshot_look_inline(const uint8_t *marks, struct object *object, int64_t *budget)
{
    if (object->type == &list_type) {
        const struct list_object *list = (const struct list_object *)object;
        return snapshot_look_vector(marks, list->items, list->length, budget);
    }
    if (object->type == &tuple_type) {
        const struct tuple_object *tuple = (const struct tuple_object *)object;
        return snapshot_look_vector(marks, tuple->items, tuple->length, budget);
    }
    struct snapshot_view view = {marks, 0, 0};
    bool whole = object->type->traverse(object, snapshot_view_referent, &view) == 0;
    *budget -= view.references;
    view.look |= whole ? 0 : SNAPSHOT_LOOK_LARGE;
    view.look |= object->type->flags & TYPE_IS_GUARDED ? 0 : SNAPSHOT_LOOK_UNGUARDED;
    return view.look;
}

unsigned snapshot_look(const struct registry *registry, struct object *object, int64_t *budget)
{
    return snapshot_look_inline(registry->marks, object, budget);
}

/* ---------------------------------------------------------------- single containers */
/* Dismisses the container if the look's result allows it. Returns whether it did. */
static inline bool snapshot_try_dismiss(struct object *object, uint8_t *mark, unsigned look)
{
    if (look == 0) {
        *mark |= SNAPSHOT_MARK_BIASED | SNAPSHOT_MARK_LEAF;
    } else if (look == SNAPSHOT_LOOK_LEAVES ||
               (look <= SNAPSHOT_LOOK_DISMISSIBLE && !snapshot_is_known(object))) {
        *mark |= SNAPSHOT_MARK_BIASED;
    } else {
        return false;
    }
    object_bias(object);
    return true;
}

/* Looks at new containers. The newest are left for the next slice: the program is using them and
 * soon drops most of them, which it would have to report if they were biased. */
static void snapshot_look_at_new(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    uint32_t newest = snapshot->parameters->newest;
    uint32_t end =
        registry->starts[0] - snapshot->fresh > newest ? registry->starts[0] - newest : 0;
    while (snapshot->examined<end && * budget> 0) {
        uint32_t index = snapshot->examined++;
        struct object *object = registry_object(registry, index);
        --*budget;
        if (object == NULL || object_is_biased(object)) {
            continue;
        }
        snapshot->survivors++;
        unsigned look = snapshot_look_inline(registry->marks, object, budget);
        if (!snapshot_try_dismiss(object, &registry->marks[index], look) &&
            look & SNAPSHOT_LOOK_ON_CYCLE) {
            snapshot_enqueue_seen(runtime, index);
        }
    }
}

static void snapshot_look_at_newest_later(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    while (snapshot->examined + snapshot->parameters->newest >= registry->starts[0] &&
           snapshot->examined < registry->starts[0]) {
        uint32_t index = snapshot->examined++;
        struct object *object = registry_object(registry, index);
        if (object != NULL && !object_is_biased(object) &&
            !(registry->marks[index] & SNAPSHOT_MARK_QUEUED)) {
            snapshot_enqueue_seen(runtime, index);
            snapshot->survivors++;
            snapshot->put_off++;
        }
    }
}

/* ---------------------------------------------------------------- containers that refer to each
 * other */
struct snapshot_youth {
    uint8_t *marks;
    uint32_t *numbers;
    uint32_t sealed;
    uint32_t length;
    uint32_t alive; /* in `order` */
    uint32_t members[SNAPSHOT_YOUTH_MAX];
    uint32_t order[SNAPSHOT_YOUTH_MAX];
};

static bool snapshot_is_young(const struct snapshot *snapshot, const struct object *object,
                              uint32_t index, uint8_t mark)
{
    bool is_free =
        index >= snapshot->members || snapshot->phase == SNAPSHOT_BIAS; /* its number is valid */
    return index >= snapshot->begin && is_free && object != NULL && mark & SNAPSHOT_MARK_QUEUED &&
           !object_is_biased(object) && !snapshot_is_known(object);
}

/* Collects those in the queue that can be examined together, by ascending index. */
static void snapshot_youth_gather(struct runtime *runtime, struct snapshot_youth *youth,
                                  int64_t *budget)
{
    const struct snapshot *snapshot = snapshot_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    uint32_t last = 0;
    int64_t references = SNAPSHOT_YOUTH_REFERENCES;
    uint32_t left = snapshot->seen.length - snapshot->seen_taken;
    uint32_t end =
        snapshot->seen_taken + (left < 2 * SNAPSHOT_YOUTH_MAX ? left : 2 * SNAPSHOT_YOUTH_MAX);
    for (uint32_t i = snapshot->seen_taken; i < end && references > 0; i++) {
        uint32_t index = snapshot->seen.items[i];
        if (index <= last || index >= registry->starts[0]) {
            continue;
        }
        struct object *object = registry_object(registry, index);
        if (youth->length < snapshot->parameters->youth_max &&
            snapshot_is_young(snapshot, object, index, registry->marks[index])) {
            unsigned look = snapshot_look_inline(registry->marks, object, &references);
            if (snapshot_try_dismiss(object, &registry->marks[index], look) ||
                look & SNAPSHOT_LOOK_NO_YOUTH) {
                continue;
            }
            registry->marks[index] |= SNAPSHOT_MARK_YOUNG;
            registry->numbers[index] = 0;
            youth->members[youth->length++] = index;
            last = index;
        }
    }
    *budget -= youth->length + 3 * (SNAPSHOT_YOUTH_REFERENCES - references);
}

static inline int snapshot_youth_count(struct object *referent, void *context)
{
    struct snapshot_youth *youth = context;
    uint32_t index = referent->index;
    if (index != 0 && index < youth->sealed && youth->marks[index] & SNAPSHOT_MARK_YOUNG) {
        youth->numbers[index]++;
    } else if (!object_is_biased(referent)) {
        snapshot_set_known(referent, SNAPSHOT_FLAG_HELD);
    }
    return 0;
}

static inline void snapshot_youth_revive(struct snapshot_youth *youth, uint32_t index)
{
    youth->marks[index] &= (uint8_t)~SNAPSHOT_MARK_YOUNG;
    youth->order[youth->alive++] = index;
}

static inline int snapshot_youth_reach(struct object *referent, void *context)
{
    struct snapshot_youth *youth = context;
    uint32_t index = referent->index;
    if (index != 0 && index < youth->sealed && youth->marks[index] & SNAPSHOT_MARK_YOUNG) {
        snapshot_youth_revive(youth, index);
    }
    return 0;
}

/* Dismisses those with references from elsewhere, and those among them to which they lead. */
static void snapshot_youth_mark(struct runtime *runtime, struct snapshot_youth *youth)
{
    struct object *const *entries = runtime->collector.registry.entries;
    for (uint32_t i = 0; i < youth->length; i++) {
        referents_visit(entries[youth->members[i]], snapshot_youth_count, youth);
    }
    for (uint32_t i = 0; i < youth->length; i++) {
        uint32_t index = youth->members[i];
        if (object_getrefcount(entries[index]) > (int64_t)youth->numbers[index]) {
            snapshot_youth_revive(youth, index);
        }
    }
    for (uint32_t i = 0; i < youth->alive; i++) {
        struct object *object = entries[youth->order[i]];
        snapshot_dismiss(runtime, object, 0);
        referents_visit(object, snapshot_youth_reach, youth);
    }
}

static void snapshot_examine_youth(struct runtime *runtime, int64_t *budget)
{
    struct registry *registry = &runtime->collector.registry;
    struct snapshot_youth youth;
    youth.marks = registry->marks;
    youth.numbers = registry->numbers;
    youth.sealed = registry->starts[0];
    youth.length = 0;
    youth.alive = 0;
    snapshot_youth_gather(runtime, &youth, budget);
    snapshot_youth_mark(runtime, &youth);
    if (youth.alive == youth.length) {
        return;
    }
    uint32_t length = 0;
    for (uint32_t i = 0; i < youth.length; i++) {
        uint32_t index = youth.members[i];
        if (registry->marks[index] & SNAPSHOT_MARK_YOUNG) {
            registry->marks[index] &= (uint8_t)~SNAPSHOT_MARK_YOUNG;
            youth.order[length++] = index;
        }
    }
    *budget -= 2 * (int64_t)length;
    snapshot_free_few(runtime, youth.order, length);
}

/* Candidates: leaves are dismissed. Others are examined with everything that they lead to, if that
 * is little.
 *
 * The set E of all containers that a candidate leads to, including itself, is closed: if the
 * candidate is on a cycle, the whole cycle is in E. Each member's references from E are counted. A
 * member with more references is assumed to be alive, with all that it leads to. The others are
 * referred to only by each other: they are garbage. This is Bacon and Rajan's trial deletion
 * ("Concurrent Cycle Collection in Reference Counted Systems", ECOOP 2001), but exact and bounded:
 * counts are kept beside the objects, so that nothing must be undone if it is abandoned.
 *
 * If E contains no garbage, none of it is in garbage that keeps itself alive, and all of it is
 * dismissed (0010-incremental-collector.md, lemma 2). */

/* The candidate's surroundings. A member's index in them is the number in its header. */
struct snapshot_trial {
    const struct registry *registry;
    uint32_t begin; /* entries below are frozen */
    uint32_t length;
    uint32_t limit;
    uint32_t references; /* passed so far */
    uint32_t alive; /* those in `order` that are reached from one with references from outside */
    struct object *objects[SNAPSHOT_TRIAL_MAX];
    uint32_t internal[SNAPSHOT_TRIAL_MAX]; /* references from members */
    bool is_alive[SNAPSHOT_TRIAL_MAX];
    uint32_t order[SNAPSHOT_TRIAL_MAX];
};

/* The index of a container in the trial; length: it is not in it. */
static uint32_t snapshot_trial_find(const struct snapshot_trial *trial, const struct object *object)
{
    uint32_t place = gc_head_of(object)->number;
    return place < trial->length && trial->objects[place] == object ? place : trial->length;
}

/* Does the trial end here? At atoms and leaves, which are on no cycle and lead to nothing, and at
 * frozen containers, which are not examined. */
static bool snapshot_trial_is_end(const struct snapshot_trial *trial, const struct object *object)
{
    uint32_t index = object->index;
    return index < trial->begin ||
           (object_is_biased(object) && trial->registry->marks[index] & SNAPSHOT_MARK_LEAF);
}

/* ---------------------------------------------------------------- the passes */
static int snapshot_trial_gather(struct object *referent, void *context)
{
    struct snapshot_trial *trial = context;
    if (++trial->references > SNAPSHOT_TRIAL_REFERENCES) {
        return 1;
    }
    if (snapshot_trial_is_end(trial, referent)) {
        return 0;
    }
    uint32_t place = snapshot_trial_find(trial, referent);
    if (place == trial->length) {
        if (trial->length == trial->limit) {
            return 1;
        }
        trial->objects[place] = referent;
        trial->internal[place] = 0;
        trial->is_alive[place] = false;
        gc_head_of(referent)->number = place;
        trial->length++;
    }
    trial->internal[place]++;
    return 0;
}

/* Collects the surroundings. false: they exceed the limit. */
static bool snapshot_trial_expand(struct snapshot_trial *trial, struct object *candidate)
{
    trial->objects[0] = candidate;
    trial->internal[0] = 0;
    trial->is_alive[0] = false;
    gc_head_of(candidate)->number = 0;
    trial->length = 1;
    for (uint32_t i = 0; i < trial->length; i++) {
        struct object *object = trial->objects[i];
        if (object->type->traverse(object, snapshot_trial_gather, trial) != 0) {
            return false;
        }
    }
    return true;
}

static void snapshot_trial_revive(struct snapshot_trial *trial, uint32_t place)
{
    if (!trial->is_alive[place]) {
        trial->is_alive[place] = true;
        trial->order[trial->alive++] = place;
    }
}

static int snapshot_trial_visit_alive(struct object *referent, void *context)
{
    struct snapshot_trial *trial = context;
    if (!snapshot_trial_is_end(trial, referent)) {
        snapshot_trial_revive(trial, snapshot_trial_find(trial, referent));
    }
    return 0;
}

/* Marks members with references from outside, and what they lead to. */
static void snapshot_trial_mark(struct snapshot_trial *trial)
{
    trial->alive = 0;
    for (uint32_t i = 0; i < trial->length; i++) {
        if (object_getrefcount(trial->objects[i]) > (int64_t)trial->internal[i]) {
            snapshot_trial_revive(trial, i);
        }
    }
    for (uint32_t i = 0; i < trial->alive && trial->alive < trial->length; i++) {
        struct object *object = trial->objects[trial->order[i]];
        (void)object->type->traverse(object, snapshot_trial_visit_alive, trial);
    }
}

/* Frees the members that are not alive, fewer than SNAPSHOT_TRIAL_MAX, at once, with all effects of
 * their finalizers. */
static void snapshot_trial_free(struct runtime *runtime, const struct snapshot_trial *trial)
{
    uint32_t indices[SNAPSHOT_TRIAL_MAX];
    uint32_t length = 0;
    for (uint32_t i = 0; i < trial->length; i++) {
        uint32_t index = trial->objects[i]->index;
        if (!trial->is_alive[i]) {
            uint32_t place = length++;
            for (; place > 0 && indices[place - 1] > index; place--) {
                indices[place] = indices[place - 1];
            }
            indices[place] = index;
        }
    }
    snapshot_free_few(runtime, indices, length);
}

static bool snapshot_trial_dismissible(const struct runtime *runtime, const struct object *object)
{
    return object->index < runtime->collector.registry.starts[0] && snapshot_is_guarded(object);
}

/* Is a trial worth its cost? In a connected heap every trial fails. */
static bool snapshot_trial_is_worth_it(const struct snapshot *snapshot,
                                       struct snapshot_effort *effort)
{
    return snapshot->parameters->trial_max > 0 &&
           (effort->failures < SNAPSHOT_TRIAL_FAILURES ||
            ++effort->failures % SNAPSHOT_TRIAL_ONE_IN == SNAPSHOT_TRIAL_FAILURES);
}

static void snapshot_trial_learn(const struct snapshot *snapshot, struct snapshot_effort *effort,
                                 bool complete, uint32_t length)
{
    if (!complete) {
        effort->limit =
            effort->limit > 2 * SNAPSHOT_TRIAL_MIN ? effort->limit / 2 : SNAPSHOT_TRIAL_MIN;
        effort->failures += effort->failures < SNAPSHOT_TRIAL_FAILURES;
        return;
    }
    effort->failures = 0;
    if (length > effort->limit / 2 && effort->limit < snapshot->parameters->trial_max) {
        effort->limit *= 2;
    }
}

/* Runs a trial. true: the candidate was dismissed or freed. */
static bool snapshot_trial_run(struct runtime *runtime, struct object *candidate, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct snapshot_effort *effort = &snapshot->efforts[snapshot_has_lost(candidate)];
    struct snapshot_trial trial;
    if (!snapshot_trial_is_worth_it(snapshot, effort)) {
        return false;
    }
    trial.registry = &runtime->collector.registry;
    trial.begin = snapshot->begin;
    trial.limit = effort->limit;
    trial.references = 0;
    bool complete = snapshot_trial_expand(&trial, candidate);
    *budget -= trial.length + trial.references;
    snapshot_trial_learn(snapshot, effort, complete, trial.length);
    if (!complete) {
        return false;
    }
    snapshot_trial_mark(&trial);
    if (trial.alive < trial.length) {
        *budget -= 2 * (int64_t)trial.length;
        snapshot_trial_free(runtime, &trial);
        return true;
    }
    bool dismissed = snapshot_trial_dismissible(runtime, candidate);
    for (uint32_t i = 0; i < trial.length; i++) {
        if (snapshot_trial_dismissible(runtime, trial.objects[i])) {
            snapshot_dismiss(runtime, trial.objects[i], 0);
        } else {
            snapshot_set_known(trial.objects[i], SNAPSHOT_FLAG_HELD);
        }
    }
    return dismissed;
}

/* ---------------------------------------------------------------- candidates */
static void snapshot_examine_one(struct runtime *runtime, struct object *object, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    unsigned look = snapshot_look(&runtime->collector.registry, object, budget);
    bool is_hopeless = look & SNAPSHOT_LOOK_LARGE || !(look & SNAPSHOT_LOOK_INNER);
    uint8_t *mark = &runtime->collector.registry.marks[object->index];
    if (look & SNAPSHOT_LOOK_OPEN && !snapshot_has_lost(object) && !(*mark & SNAPSHOT_MARK_AGAIN)) {
        *mark |=
            SNAPSHOT_MARK_AGAIN; /* examined again when what it refers to has been looked at too */
        snapshot_enqueue_seen(runtime, object->index);
        return;
    }
    *mark &= (uint8_t)~SNAPSHOT_MARK_AGAIN;
    if (look <= SNAPSHOT_LOOK_LEAVES) {
        snapshot_dismiss(runtime, object, look == 0 ? SNAPSHOT_MARK_LEAF : 0);
    } else if (is_hopeless || !snapshot_trial_run(runtime, object, budget)) {
        if (look & SNAPSHOT_LOOK_UNFILLED && snapshot->unfilled < SNAPSHOT_UNFILLED_MAX) {
            snapshot->unfilled++; /* somebody will fill it unnoticed: it is examined again in the
                                     next slice */
            snapshot_enqueue_seen(runtime, object->index);
        } else if (!(look & SNAPSHOT_LOOK_UNGUARDED)) {
            snapshot_suspect(snapshot, object->index);
        }
    }
}

/* Examines the queue; the rest is for the next slice. */
static void snapshot_examine_queue(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    struct snapshot_indices *seen = &snapshot->seen;
    uint32_t end = seen->length;
    snapshot->unfilled = 0;
    while (snapshot->seen_taken != end && *budget > 0 && !snapshot_is_disturbed(runtime)) {
        uint32_t index = seen->items[snapshot->seen_taken++];
        --*budget;
        if (index >= registry->starts[0] || !(registry->marks[index] & SNAPSHOT_MARK_QUEUED)) {
            continue; /* its entry was closed meanwhile */
        }
        registry->marks[index] &= (uint8_t)~SNAPSHOT_MARK_QUEUED;
        struct object *object = registry_object(registry, index);
        if (object != NULL && index >= snapshot->begin && !object_is_biased(object)) {
            snapshot_examine_one(runtime, object, budget);
        }
    }
    if (snapshot->seen_taken > seen->length / 2) { /* fewer entries move than were taken */
        seen->length -= snapshot->seen_taken;
        memmove(seen->items, seen->items + snapshot->seen_taken,
                seen->length * sizeof(*seen->items));
        snapshot->seen_taken = 0;
    }
}

/* Closes the holes of the new containers when all have been looked at, but not while a cycle biases
 * containers one after the other by index. */
static void snapshot_close_new_holes(struct runtime *runtime)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    if (snapshot->examined == registry->starts[0] && registry->starts[0] == registry->length &&
        snapshot->phase != SNAPSHOT_BIAS) {
        int64_t unbounded = INT64_MAX;
        snapshot->examined = snapshot_close_holes(runtime, snapshot->fresh, &unbounded);
        snapshot->fresh = snapshot->examined;
    }
}

/* Frees garbage candidates. During a cycle the cycle has announced this; otherwise it is announced
 * as a collection of the youngest generation, before anything is searched, because callbacks may
 * get hold of anything. */
static void snapshot_examine_candidates(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    struct gc_stats *stats = &runtime->collector.stats;
    bool is_alone = snapshot->members == 0;
    if (is_alone) {
        introspect_notify(runtime, &(struct gc_event){GC_PHASE_START, 0, 0, 0});
    }
    uint64_t collected = stats->collected;
    uint64_t uncollectable = stats->uncollectable;
    if (!snapshot_is_disturbed(runtime)) {
        snapshot_examine_youth(runtime, budget);
    }
    snapshot_examine_queue(runtime, budget);
    collected = stats->collected - collected;
    uncollectable = stats->uncollectable - uncollectable;
    if (is_alone) {
        stats->collections[0] += collected > 0;
        introspect_notify(runtime, &(struct gc_event){GC_PHASE_STOP, 0, collected, uncollectable});
    } else {
        snapshot->collected += collected;
        snapshot->uncollectable += uncollectable;
    }
}

void snapshot_examine(struct runtime *runtime, int64_t *budget)
{
    struct snapshot *snapshot = snapshot_of(runtime);
    snapshot_look_at_new(runtime, budget);
    if (snapshot->seen.length > snapshot->seen_taken && *budget > 0) {
        snapshot_examine_candidates(runtime, budget);
        if (snapshot_is_disturbed(runtime)) {
            return;
        }
    }
    snapshot->put_off = 0;
    snapshot_look_at_newest_later(runtime);
    snapshot_close_new_holes(runtime);
}
