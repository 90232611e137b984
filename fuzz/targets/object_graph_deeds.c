#include "fuzz/targets/object_graph_deeds.h"

#include "fuzz/landmark.h"
#include "fuzz/targets/object_graph_shadow.h"
#include "gc/runtime.h"

enum deed {
    DEED_KEEP,      /* makes containers and keeps them, or releases all that it has */
    DEED_LITTER,    /* makes cyclic garbage */
    DEED_COLLECT,   /* any generation; does nothing inside a collection */
    DEED_FREEZE,    /* freezes, unfreezes, or both */
    DEED_CALLBACKS, /* adds or removes a callback of collections */
    DEED_LOOK,      /* visits all containers, and asks weak references for their referents */
    DEEDS,
};

enum {
    DEEDS_DEPTH_MAX = 3,
    DEEDS_LITTER_MAX = 8,
};

FUZZ_LANDMARKS(deeds)

static unsigned deed_draw(struct shadow *shadow, unsigned bound)
{
    return (unsigned)rng_below(&shadow->deeds.rng, bound);
}

/* ---------------------------------------------------------------- making */
static struct object *deed_new_list(struct shadow *shadow)
{
    shadow->is_exact &= !shadow->is_automatic; /* the allocation may have collected */
    return list_new(shadow->runtime);
}

static void deed_let_go(struct shadow *shadow)
{
    struct graph_deeds *deeds = &shadow->deeds;
    while (deeds->kept_count > 0) {
        object_decref(shadow->runtime, deeds->kept[--deeds->kept_count]);
    }
}

static void deed_keep(struct shadow *shadow)
{
    struct graph_deeds *deeds = &shadow->deeds;
    if (deeds->kept_count > 0 && deed_draw(shadow, 2) == 0) {
        deed_let_go(shadow);
        return;
    }
    for (unsigned i = 0; i < deeds->burst && deeds->kept_count < DEEDS_KEPT; i++) {
        struct object *list = deed_new_list(shadow);
        if (list == NULL) {
            return;
        }
        if (deeds->kept_count == DEEDS_KEPT) {
            object_decref(shadow->runtime,
                          list); /* a collection has called other deeds meanwhile */
            return;
        }
        deeds->kept[deeds->kept_count++] = list;
    }
}

static void deed_litter(struct shadow *shadow)
{
    for (unsigned i = deed_draw(shadow, DEEDS_LITTER_MAX); i > 0; i--) {
        struct object *list = deed_new_list(shadow);
        if (list != NULL) {
            shadow->is_exact = false;
            shadow->deeds.made_garbage = true;
            (void)list_append(shadow->runtime, list, list);
            object_decref(shadow->runtime, list);
        }
    }
}

/* ---------------------------------------------------------------- the collector */
static void deed_collect(struct shadow *shadow)
{
    bool is_inside = shadow->runtime->collector.collecting;
    shadow->watch.asked++;
    uint64_t collected = gc_collect(shadow->runtime, (int)deed_draw(shadow, GC_GENERATIONS));
    shadow->watch.asked--;
    FUZZ_EXPECT(!is_inside || collected == 0, "collect", "a collection inside another one");
    shadow->is_exact &= is_inside;
}

static void deed_freeze(struct shadow *shadow)
{
    unsigned how = deed_draw(shadow, 3);
    if (how != 0) {
        gc_freeze(shadow->runtime);
        shadow->is_frozen = true;
    }
    if (how != 1) {
        gc_unfreeze(shadow->runtime);
        shadow->is_frozen = false;
    }
}

static void deed_called(struct runtime *runtime, const struct gc_event *event, void *context)
{
    struct shadow *shadow = &object_graph_shadow;
    const bool *is_added = context;
    (void)runtime;
    (void)event;
    FUZZ_EXPECT(*is_added, "callback", "a callback is called after its removal");
    graph_deed(shadow);
}

static void deed_switch_callback(struct shadow *shadow, unsigned slot)
{
    struct graph_deeds *deeds = &shadow->deeds;
    deeds->is_added[slot] = !deeds->is_added[slot];
    if (deeds->is_added[slot]) {
        deeds->callbacks[slot] = (struct gc_callback){deed_called, &deeds->is_added[slot], NULL};
        gc_add_callback(shadow->runtime, &deeds->callbacks[slot]);
    } else {
        gc_remove_callback(shadow->runtime, &deeds->callbacks[slot]);
    }
}

/* ---------------------------------------------------------------- looking */
static int deed_visit(struct object *object, void *context)
{
    (void)context;
    FUZZ_EXPECT(gc_is_tracked(object) && !gc_is_hidden(object), "visit",
                "what a collection has found to be garbage is visited");
    return 0;
}

static void deed_look(struct shadow *shadow)
{
    (void)gc_visit_objects(shadow->runtime, -1, deed_visit, NULL);
    for (int i = 0; i < SHADOW_WEAKREFS; i++) {
        const struct object *weakref = shadow->weakrefs[i].object;
        struct object *referent = weakref == NULL ? NULL : weakref_get(shadow->runtime, weakref);
        if (referent != NULL) {
            FUZZ_EXPECT(!gc_is_in_trash(referent) || shadow->runtime->collector.collecting,
                        "weakref", "a weak reference leads to trash");
            object_decref(shadow->runtime, referent);
        }
    }
}

/* ---------------------------------------------------------------- one of them */
static enum deed deed_choose(struct shadow *shadow)
{
    unsigned kinds = shadow->deeds.kinds;
    for (unsigned left = deed_draw(shadow, (unsigned)__builtin_popcount(kinds)); left > 0; left--) {
        kinds &= kinds - 1;
    }
    return (enum deed)__builtin_ctz(kinds);
}

void graph_deed(struct shadow *shadow)
{
    struct graph_deeds *deeds = &shadow->deeds;
    if (deeds->kinds == 0 || deeds->depth == DEEDS_DEPTH_MAX || shadow->runtime->save_all ||
        deed_draw(shadow, 2) == 0) {
        return;
    }
    deeds->depth++;
    landmark_deeds(deeds->depth);
    switch (deed_choose(shadow)) {
    case DEED_KEEP:
        deed_keep(shadow);
        break;
    case DEED_LITTER:
        deed_litter(shadow);
        break;
    case DEED_COLLECT:
        deed_collect(shadow);
        break;
    case DEED_FREEZE:
        deed_freeze(shadow);
        break;
    case DEED_CALLBACKS:
        deed_switch_callback(shadow, deed_draw(shadow, DEEDS_CALLBACKS));
        break;
    default:
        deed_look(shadow);
    }
    deeds->depth--;
}

void graph_deeds_open(struct shadow *shadow, const struct palette *palette)
{
    static const unsigned bursts[4] = {1, 40, 1000, DEEDS_KEPT};
    struct graph_deeds *deeds = &shadow->deeds;
    deeds->kinds = palette->faults & ((1u << DEEDS) - 1);
    deeds->burst = bursts[palette->faults >> 6];
    deeds->depth = 0;
    deeds->made_garbage = false;
    deeds->kept_count = 0;
    rng_seed(&deeds->rng, palette->entries[0]);
    for (unsigned i = 0; i < DEEDS_CALLBACKS; i++) {
        deeds->is_added[i] = false;
        if (deeds->kinds & (1u << DEED_CALLBACKS) && i % 2 == 0) {
            deed_switch_callback(shadow, i);
        }
    }
}

void graph_deeds_close(struct shadow *shadow)
{
    struct graph_deeds *deeds = &shadow->deeds;
    deeds->kinds = 0;
    for (unsigned i = 0; i < DEEDS_CALLBACKS; i++) {
        if (deeds->is_added[i]) {
            deed_switch_callback(shadow, i);
        }
    }
    deed_let_go(shadow);
}
