/* What ours.h claims, verified. */
#include "gc/objects.h"
#include "gc/policies/ours.h"

static int ours_check_container(struct object *referent, void *context)
{
    (void)context;
    return referent->index != 0;
}

struct ours_check_references {
    uint32_t begin;
    size_t broken;
};

/* Invariant 3. */
static int ours_check_referent(struct object *referent, void *context)
{
    struct ours_check_references *references = context;
    if (referent->index >= references->begin && !object_is_biased(referent) &&
        !ours_is_known(referent)) {
        references->broken +=
            object_report(referent, "not known, though a biased container refers to it");
    }
    return 0;
}

static size_t ours_check_one(const struct ours *ours, struct object *object, uint8_t mark)
{
    size_t broken = 0;
    bool biased = object_is_biased(object);
    if (biased != ((mark & OURS_MARK_BIASED) != 0)) {
        broken += object_report(object, "biased in one place and not in the other");
    }
    if (biased && !ours_is_guarded(object)) {
        broken += object_report(object, "biased, though its writes are not seen");
    }
    if (mark & OURS_MARK_LEAF &&
        (!biased || object->type->traverse(object, ours_check_container, NULL) != 0)) {
        broken += object_report(object, "called a leaf, and it refers to a container");
    }
    /* Of frozen ones, and of references to them, nothing is claimed: a cycle over all of them
     * begins when they are unfrozen. */
    if (biased && object->index >= ours->begin && ours->phase != OURS_BIAS && !ours->is_open) {
        struct ours_check_references references = {ours->begin, 0};
        object->type->traverse(object, ours_check_referent, &references);
        broken += references.broken;
    }
    bool is_member = object->index >= ours->begin && object->index < ours->members;
    if (is_member && ours->phase >= OURS_ROOTS && ours->phase <= OURS_MARK && !biased &&
        !(mark & OURS_MARK_REACHED)) {
        broken += object_report(object, "neither biased nor reached in a cycle");
    }
    return broken;
}

size_t ours_check(const struct runtime *runtime)
{
    const struct ours *ours = ours_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    size_t broken = 0;
    if (ours->examined > registry->starts[0] || ours->fresh > ours->examined ||
        ours->members > registry->starts[0] || ours->seen.length > ours->seen.committed ||
        ours->seen_taken > ours->seen.length) {
        broken += object_report(NULL, "the collector's ranges are out of order");
    }
    for (uint32_t i = 1; i < registry->length; i++) {
        struct object *object = registry_object(registry, i);
        if (object != NULL && i < registry->starts[0]) {
            broken += ours_check_one(ours, object, registry->marks[i]);
        } else if (object != NULL && object_is_biased(object)) {
            broken += object_report(object, "new, and biased");
        }
    }
    return broken;
}
