/* Candidates: dismissed when they are leaves, and else examined with all that they lead to, when
 * that is little.
 *
 * What a candidate leads to, the candidate included, is a closed set E: if the candidate is on a
 * cycle, the whole cycle is in E. Each member's references from E are counted; one with more
 * references than that is alive for all that E knows, as is what it leads to. The others are
 * referred to by each other alone: garbage. This is Bacon and Rajan's trial deletion ("Concurrent
 * Cycle Collection in Reference Counted Systems", ECOOP 2001), but exact and bounded: counts are
 * kept beside the objects, so that giving up costs nothing to undo.
 *
 * When E holds no garbage, none of it is in garbage that keeps itself alive, and all of it is
 * dismissed (0010-incremental-collector.md, lemma 2). */
#include <string.h>

#include "gc/introspect.h"
#include "gc/objects.h"
#include "gc/policies/ours.h"
#include "gc/referents.h"

/* The candidate's surroundings. A member finds its own place through its header's number. */
struct ours_trial {
    const struct registry *registry;
    uint32_t begin; /* what is below is frozen */
    uint32_t length;
    uint32_t limit;
    uint32_t references; /* passed over so far */
    uint32_t alive;      /* of `order`, reached from one with references from outside */
    struct object *objects[OURS_TRIAL_MAX];
    uint32_t internal[OURS_TRIAL_MAX]; /* references from members */
    bool is_alive[OURS_TRIAL_MAX];
    uint32_t order[OURS_TRIAL_MAX];
};

/* The place of a container in the trial; length: it is not in it. */
static uint32_t ours_trial_find(const struct ours_trial *trial, const struct object *object)
{
    uint32_t place = gc_head_of(object)->number;
    return place < trial->length && trial->objects[place] == object ? place : trial->length;
}

/* An atom, or a leaf: on no cycle, and leads to nothing. Or frozen, and looked at by nobody. */
static bool ours_trial_is_end(const struct ours_trial *trial, const struct object *object)
{
    uint32_t index = object->index;
    return index < trial->begin ||
           (object_is_biased(object) && trial->registry->marks[index] & OURS_MARK_LEAF);
}

/* ---------------------------------------------------------------- the passes */
static int ours_trial_gather(struct object *referent, void *context)
{
    struct ours_trial *trial = context;
    if (++trial->references > OURS_TRIAL_REFERENCES) {
        return 1;
    }
    if (ours_trial_is_end(trial, referent)) {
        return 0;
    }
    uint32_t place = ours_trial_find(trial, referent);
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

/* false: there is more than the limit allows. */
static bool ours_trial_expand(struct ours_trial *trial, struct object *candidate)
{
    trial->objects[0] = candidate;
    trial->internal[0] = 0;
    trial->is_alive[0] = false;
    gc_head_of(candidate)->number = 0;
    trial->length = 1;
    for (uint32_t i = 0; i < trial->length; i++) {
        struct object *object = trial->objects[i];
        if (object->type->traverse(object, ours_trial_gather, trial) != 0) {
            return false;
        }
    }
    return true;
}

static void ours_trial_revive(struct ours_trial *trial, uint32_t place)
{
    if (!trial->is_alive[place]) {
        trial->is_alive[place] = true;
        trial->order[trial->alive++] = place;
    }
}

static int ours_trial_visit_alive(struct object *referent, void *context)
{
    struct ours_trial *trial = context;
    if (!ours_trial_is_end(trial, referent)) {
        ours_trial_revive(trial, ours_trial_find(trial, referent));
    }
    return 0;
}

/* Marks what is referred to from outside and what that leads to. */
static void ours_trial_mark(struct ours_trial *trial)
{
    trial->alive = 0;
    for (uint32_t i = 0; i < trial->length; i++) {
        if (object_getrefcount(trial->objects[i]) > (int64_t)trial->internal[i]) {
            ours_trial_revive(trial, i);
        }
    }
    for (uint32_t i = 0; i < trial->alive && trial->alive < trial->length; i++) {
        struct object *object = trial->objects[trial->order[i]];
        (void)object->type->traverse(object, ours_trial_visit_alive, trial);
    }
}

/* ---------------------------------------------------------------- the verdict */
void ours_free_few(struct runtime *runtime, uint32_t *indices, uint32_t length)
{
    struct registry *registry = &runtime->collector.registry;
    struct gc_trash trash = {.indices = indices};
    if (indices[length - 1] >= registry->starts[0]) {
        ours_seal(runtime); /* made in this slice, by a callback or a finalizer */
    }
    for (uint32_t i = 0; i < length; i++) {
        struct object *object = registry->entries[indices[i]];
        ours_lose(runtime, object); /* a finalizer may bring it back */
        gc_trash_add(&trash, object);
    }
    uint64_t freed = gc_trash_dispose(runtime, &trash);
    (void)collector_count_trash(runtime, 0, &trash, freed);
    ours_of(runtime)->suspects += freed < length; /* some have been brought back, not biased */
}

/* Frees the members that are not alive: fewer than OURS_TRIAL_MAX, in one go, with whatever their
 * finalizers do. */
static void ours_trial_free(struct runtime *runtime, const struct ours_trial *trial)
{
    uint32_t indices[OURS_TRIAL_MAX];
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
    ours_free_few(runtime, indices, length);
}

static bool ours_trial_dismissible(const struct runtime *runtime, const struct object *object)
{
    return object->index < runtime->collector.registry.starts[0] && ours_is_guarded(object);
}

/* In a heap that hangs together every trial fails. */
static bool ours_trial_is_worth_it(const struct ours *ours, struct ours_effort *effort)
{
    return ours->parameters->trial_max > 0 &&
           (effort->failures < OURS_TRIAL_FAILURES ||
            ++effort->failures % OURS_TRIAL_ONE_IN == OURS_TRIAL_FAILURES);
}

static void ours_trial_learn(const struct ours *ours, struct ours_effort *effort, bool complete,
                             uint32_t length)
{
    if (!complete) {
        effort->limit = effort->limit > 2 * OURS_TRIAL_MIN ? effort->limit / 2 : OURS_TRIAL_MIN;
        effort->failures += effort->failures < OURS_TRIAL_FAILURES;
        return;
    }
    effort->failures = 0;
    if (length > effort->limit / 2 && effort->limit < ours->parameters->trial_max) {
        effort->limit *= 2;
    }
}

/* true: the candidate has been dismissed or freed. */
static bool ours_trial_run(struct runtime *runtime, struct object *candidate, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    struct ours_effort *effort = &ours->efforts[ours_has_lost(candidate)];
    struct ours_trial trial;
    if (!ours_trial_is_worth_it(ours, effort)) {
        return false;
    }
    trial.registry = &runtime->collector.registry;
    trial.begin = ours->begin;
    trial.limit = effort->limit;
    trial.references = 0;
    bool complete = ours_trial_expand(&trial, candidate);
    *budget -= trial.length + trial.references;
    ours_trial_learn(ours, effort, complete, trial.length);
    if (!complete) {
        return false;
    }
    ours_trial_mark(&trial);
    if (trial.alive < trial.length) {
        *budget -= 2 * (int64_t)trial.length;
        ours_trial_free(runtime, &trial);
        return true;
    }
    bool dismissed = ours_trial_dismissible(runtime, candidate);
    for (uint32_t i = 0; i < trial.length; i++) {
        if (ours_trial_dismissible(runtime, trial.objects[i])) {
            ours_dismiss(runtime, trial.objects[i], 0);
        } else {
            ours_set_known(trial.objects[i], OURS_FLAG_HELD);
        }
    }
    return dismissed;
}

/* ---------------------------------------------------------------- candidates */
static void ours_examine_one(struct runtime *runtime, struct object *object, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    unsigned look = ours_look(&runtime->collector.registry, object, budget);
    bool is_hopeless = look & OURS_LOOK_LARGE || !(look & OURS_LOOK_INNER);
    uint8_t *mark = &runtime->collector.registry.marks[object->index];
    if (look & OURS_LOOK_OPEN && !ours_has_lost(object) && !(*mark & OURS_MARK_AGAIN)) {
        *mark |= OURS_MARK_AGAIN; /* when what it refers to has been looked at, too */
        ours_enqueue_seen(runtime, object->index);
        return;
    }
    *mark &= (uint8_t)~OURS_MARK_AGAIN;
    if (look <= OURS_LOOK_LEAVES) {
        ours_dismiss(runtime, object, look == 0 ? OURS_MARK_LEAF : 0);
    } else if (is_hopeless || !ours_trial_run(runtime, object, budget)) {
        if (look & OURS_LOOK_UNFILLED && ours->unfilled < OURS_UNFILLED_MAX) {
            ours->unfilled++; /* somebody is about to fill it, unseen: again in the next slice */
            ours_enqueue_seen(runtime, object->index);
        } else if (!(look & OURS_LOOK_UNGUARDED)) {
            ours_suspect(ours, object->index);
        }
    }
}

/* The queue's rest is for the next slice. */
static void ours_examine_queue(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    struct registry *registry = &runtime->collector.registry;
    struct ours_indices *seen = &ours->seen;
    uint32_t end = seen->length;
    ours->unfilled = 0;
    while (ours->seen_taken != end && *budget > 0 && !ours_is_disturbed(runtime)) {
        uint32_t index = seen->items[ours->seen_taken++];
        --*budget;
        if (index >= registry->starts[0] || !(registry->marks[index] & OURS_MARK_QUEUED)) {
            continue; /* its entry has been closed up since */
        }
        registry->marks[index] &= (uint8_t)~OURS_MARK_QUEUED;
        struct object *object = registry_object(registry, index);
        if (object != NULL && index >= ours->begin && !object_is_biased(object)) {
            ours_examine_one(runtime, object, budget);
        }
    }
    if (ours->seen_taken > seen->length / 2) { /* what moves is less than what has been taken */
        seen->length -= ours->seen_taken;
        memmove(seen->items, seen->items + ours->seen_taken, seen->length * sizeof(*seen->items));
        ours->seen_taken = 0;
    }
}

/* When all has been looked at, the new containers' holes are closed: not while a cycle biases one
 * container after the other, by index. */
static void ours_close_new_holes(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    if (ours->examined == registry->starts[0] && registry->starts[0] == registry->length &&
        ours->phase != OURS_BIAS) {
        int64_t unbounded = INT64_MAX;
        ours->examined = ours_close_holes(runtime, ours->fresh, &unbounded);
        ours->fresh = ours->examined;
    }
}

/* What this frees while a cycle is under way, the cycle announces; otherwise it is announced as a
 * collection of the youngest generation. Before anything is looked for, as those that are told may
 * get hold of anything. */
static void ours_examine_candidates(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    struct gc_stats *stats = &runtime->collector.stats;
    bool is_alone = ours->members == 0;
    if (is_alone) {
        introspect_notify(runtime, &(struct gc_event){GC_PHASE_START, 0, 0, 0});
    }
    uint64_t collected = stats->collected;
    uint64_t uncollectable = stats->uncollectable;
    if (!ours_is_disturbed(runtime)) {
        ours_examine_youth(runtime, budget);
    }
    ours_examine_queue(runtime, budget);
    collected = stats->collected - collected;
    uncollectable = stats->uncollectable - uncollectable;
    if (is_alone) {
        stats->collections[0] += collected > 0;
        introspect_notify(runtime, &(struct gc_event){GC_PHASE_STOP, 0, collected, uncollectable});
    } else {
        ours->collected += collected;
        ours->uncollectable += uncollectable;
    }
}

void ours_examine(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    ours_look_at_new(runtime, budget);
    if (ours->seen.length > ours->seen_taken && *budget > 0) {
        ours_examine_candidates(runtime, budget);
        if (ours_is_disturbed(runtime)) {
            return;
        }
    }
    ours->put_off = 0;
    ours_look_at_newest_later(runtime);
    ours_close_new_holes(runtime);
}
