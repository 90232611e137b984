/* See region.h. */
#include "gc/policies/region.h"

#include <stdlib.h>

#include "common/os_memory.h"
#include "gc/objects.h"
#include "gc/referents.h"

enum { REGION_STEP = 16384 };

bool region_open(struct region *region, uint32_t limit)
{
    size_t bytes = (size_t)limit * 2 * sizeof(uint32_t);
    *region = (struct region){.limit = limit, .members = os_reserve_scratch(bytes)};
    region->alive = region->members == NULL ? NULL : region->members + limit;
    return region->members != NULL;
}

void region_close(struct region *region)
{
    os_unmap(region->members, (size_t)region->limit * 2 * sizeof(uint32_t));
}

bool region_begin(struct region *region, const struct registry *registry)
{
    size_t bytes = REGION_STEP * sizeof(uint32_t);
    region->length = 0;
    region->expanded = 0;
    while (region->committed < registry->length) {
        if (!os_commit_scratch(region->members + region->committed, bytes) ||
            !os_commit_scratch(region->alive + region->committed, bytes)) {
            return false;
        }
        region->committed += REGION_STEP;
    }
    return true;
}

void region_add(struct runtime *runtime, struct region *region, uint32_t index)
{
    struct registry *registry = &runtime->collector.registry;
    if (index >= registry->starts[GC_GENERATIONS - 1] && /* not frozen */
        !(registry->marks[index] & REGION_MEMBER)) {
        registry->marks[index] |= REGION_MEMBER;
        registry->numbers[index] = 0;
        region->members[region->length++] = index;
    }
}

/* ---------------------------------------------------------------- passes */
struct region_pass {
    struct runtime *runtime;
    struct region *region;
    uint8_t *marks;
    uint32_t *numbers;
};

static struct region_pass region_pass_of(struct runtime *runtime, struct region *region)
{
    struct registry *registry = &runtime->collector.registry;
    return (struct region_pass){runtime, region, registry->marks, registry->numbers};
}

static inline int region_visit_expand(struct object *referent, void *context)
{
    struct region_pass *pass = context;
    uint32_t index = referent->index;
    if (index != 0 && (pass->marks[index] & pass->region->mask) == pass->region->wanted) {
        region_add(pass->runtime, pass->region, index);
    }
    return 0;
}

void region_expand(struct runtime *runtime, struct region *region)
{
    struct region_pass pass = region_pass_of(runtime, region);
    while (region->expanded < region->length) {
        uint32_t index = region->members[region->expanded++];
        referents_visit(runtime->collector.registry.entries[index], region_visit_expand, &pass);
    }
}

static inline int region_visit_count(struct object *referent, void *context)
{
    struct region_pass *pass = context;
    uint32_t index = referent->index;
    if (index != 0 && pass->marks[index] & REGION_MEMBER) {
        pass->numbers[index]++;
    }
    return 0;
}

static inline void region_revive(struct region_pass *pass, uint32_t index)
{
    if ((pass->marks[index] & (REGION_MEMBER | REGION_ALIVE)) == REGION_MEMBER) {
        pass->marks[index] |= REGION_ALIVE;
        pass->region->alive[pass->region->alive_length++] = index;
    }
}

static inline int region_visit_alive(struct object *referent, void *context)
{
    if (referent->index != 0) {
        region_revive(context, referent->index);
    }
    return 0;
}

static void region_mark(struct runtime *runtime, struct region *region)
{
    struct region_pass pass = region_pass_of(runtime, region);
    struct object *const *entries = runtime->collector.registry.entries;
    for (uint32_t k = 0; k < region->length; k++) {
        referents_visit(entries[region->members[k]], region_visit_count, &pass);
    }
    region->alive_length = 0;
    for (uint32_t k = 0; k < region->length; k++) {
        uint32_t index = region->members[k];
        if (object_getrefcount(entries[index]) > (int64_t)pass.numbers[index]) {
            region_revive(&pass, index);
        }
    }
    for (uint32_t k = 0; k < region->alive_length; k++) {
        referents_visit(entries[region->alive[k]], region_visit_alive, &pass);
    }
}

/* ---------------------------------------------------------------- the verdict */
static int region_compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

struct gc_outcome region_collect(struct runtime *runtime, struct region *region, int generation)
{
    struct registry *registry = &runtime->collector.registry;
    region_mark(runtime, region);
    uint32_t garbage = 0;
    for (uint32_t k = 0; k < region->length; k++) {
        uint32_t index = region->members[k];
        if (!(registry->marks[index] & REGION_ALIVE)) {
            region->alive[garbage++] = index; /* the vector is not needed any more */
        }
        registry->marks[index] &= (uint8_t) ~(REGION_MEMBER | REGION_ALIVE);
    }
    struct gc_outcome outcome = {.examined = region->length, .unreachable = garbage};
    if (garbage == 0) {
        return outcome;
    }
    qsort(region->alive, garbage, sizeof(*region->alive), region_compare);
    struct gc_trash trash = {.indices = registry->numbers};
    for (uint32_t k = 0; k < garbage; k++) {
        struct object *object = registry->entries[region->alive[k]];
        object_unbias(object);
        gc_trash_add(&trash, object);
    }
    uint64_t freed = gc_trash_dispose(runtime, &trash);
    outcome.collected = collector_count_trash(runtime, generation, &trash, freed);
    outcome.uncollectable = trash.uncollectable;
    return outcome;
}
