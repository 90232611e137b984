/* When a cycle begins: when there are suspects, and enough may have become garbage since the last
 * one. Nobody can say how much that is. But garbage that is no older than the last cycle is among
 * the containers that are new since then, have lived to be looked at, and are still there; and as
 * long as cycles find next to nothing, half of those are taken to be alive, though not what the
 * heap has grown by. An eighth of everything that has been allocated counts beside, so that a
 * program whose heap does not grow is looked at as well. Once a cycle has found much, every
 * allocation counts.
 *
 * Containers that have been looked at are counted as they come; those that have died since are
 * taken off by a recount of the registry's new part, when it seems to be time, in slices. */
#include "gc/policies/ours.h"

enum {
    OURS_SIXTY_FOURTHS = 64,
    OURS_DISCOUNT = 8, /* allocations that count as one container */
    OURS_LIVING = 2,   /* and new containers that do */
    OURS_NEARLY = 8,   /* a recount that is so near is not repeated: 7 eighths are enough */
    OURS_RECOUNT_AT_ONCE = 32768, /* entries in one slice */
    OURS_RECOUNT_UNIT = 8,        /* entries that cost as much as a container */
};

void ours_rest(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    ours->allocated = 0;
    ours->survivors = 0;
    ours->tracked = registry_tracked(&runtime->collector.registry);
    ours->since = ours->fresh;
    ours->moved = 0;
    ours->recount = 0;
}

void ours_moved_entries(struct runtime *runtime)
{
    struct ours *ours = ours_of(runtime);
    ours->moved = ours->survivors;
    ours->since = ours->fresh;
    ours->recount = 0;
}

/* Goes on with the recount; true: `survivors` is right. */
static bool ours_recount(struct ours *ours, const struct registry *registry, int64_t *budget)
{
    if (ours->recount == 0) {
        ours->recount = ours->since;
        ours->recount_end = ours->examined;
        ours->recounted = ours->moved;
        ours->survivors = 0; /* those that come from now on */
    }
    uint32_t left = ours->recount_end - ours->recount;
    uint32_t count = left < OURS_RECOUNT_AT_ONCE ? left : OURS_RECOUNT_AT_ONCE;
    for (uint32_t i = 0; i < count; i++) {
        ours->recounted += !registry_is_hole(registry->entries[ours->recount + i]);
    }
    *budget -= count / OURS_RECOUNT_UNIT;
    ours->recount += count;
    if (ours->recount < ours->recount_end) {
        return false;
    }
    ours->survivors += ours->recounted;
    ours->recount = 0;
    return true;
}

static uint64_t ours_reason(const struct ours *ours, uint64_t tracked)
{
    uint64_t growth = tracked > ours->tracked ? tracked - ours->tracked : 0;
    uint64_t living = ours->survivors / OURS_LIVING;
    return (growth > living ? growth : living) + ours->allocated / OURS_DISCOUNT;
}

bool ours_is_due(struct runtime *runtime, int64_t *budget)
{
    struct ours *ours = ours_of(runtime);
    const struct registry *registry = &runtime->collector.registry;
    uint64_t tracked = registry_tracked(registry);
    uint64_t patience = tracked * ours->parameters->patience / OURS_SIXTY_FOURTHS;
    patience = patience > ours->parameters->floor ? patience : ours->parameters->floor;
    if (ours->suspects == 0) {
        return false;
    }
    if (ours->is_rich) {
        return ours->allocated >= patience;
    }
    if (ours->recount == 0 && ours_reason(ours, tracked) < patience) {
        return false;
    }
    return ours_recount(ours, registry, budget) &&
           ours_reason(ours, tracked) >= patience - patience / OURS_NEARLY;
}
