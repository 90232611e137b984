#include "gc/registry.h"

#include <string.h>

#include "common/os_memory.h"
#include "gc/objects.h"

enum {
    /* Less than this much address space is no registry. */
    REGISTRY_ENTRIES_MIN = 1 << 16,
};

static size_t registry_bytes_of(size_t entries)
{
    return entries * (sizeof(struct object *) + sizeof(uint32_t) + sizeof(uint8_t));
}

uint64_t registry_bytes(const struct registry *registry)
{
    return registry_bytes_of(registry->committed);
}

/* Adds memory for count more entries. What one array got stays with it when another is refused. */
static bool registry_commit(struct registry *registry, uint32_t count)
{
    uint32_t from = registry->committed;
    if (registry->limit - from < count ||
        !os_commit_scratch(registry->entries + from, count * sizeof(struct object *)) ||
        !os_commit_scratch(registry->numbers + from, count * sizeof(uint32_t)) ||
        !os_commit_scratch(registry->marks + from, count * sizeof(uint8_t))) {
        return false;
    }
    registry->committed += count;
    registry_set_room(registry, registry->wish);
    return true;
}

bool registry_open(struct registry *registry)
{
    *registry = (struct registry){.length = 1, .wish = UINT32_MAX, .starts = {1, 1, 1}};
    for (size_t entries = REGISTRY_ENTRIES_MAX; entries >= REGISTRY_ENTRIES_MIN; entries /= 2) {
        void *space = os_reserve_scratch(registry_bytes_of(entries));
        if (space != NULL) {
            registry->limit = (uint32_t)entries;
            registry->entries = space;
            registry->numbers = (uint32_t *)(registry->entries + entries);
            registry->marks = (uint8_t *)(registry->numbers + entries);
            break;
        }
    }
    if (registry->entries == NULL) {
        return false;
    }
    if (!registry_commit(registry, REGISTRY_STEP)) {
        registry_close(registry);
        return false;
    }
    registry->entries[0] = (struct object *)(uintptr_t)1;
    return true;
}

void registry_close(struct registry *registry)
{
    if (registry->entries != NULL) {
        os_unmap(registry->entries, registry_bytes_of(registry->limit));
        registry->entries = NULL;
    }
}

static void registry_move(struct registry *registry, uint32_t to, struct object *object)
{
    registry->entries[to] = object;
    object->index = to;
}

#ifdef GC_THREADS
bool registry_grow(struct registry *registry)
{
    while (registry->committed - registry->length < REGISTRY_CLAIM) {
        if (!registry_commit(registry, REGISTRY_STEP)) {
            return false;
        }
    }
    gc_own->entry_next = registry->length;
    gc_own->entry_end = registry->length + REGISTRY_CLAIM;
    for (uint32_t i = gc_own->entry_next; i < gc_own->entry_end; i++) {
        registry->entries[i] = (struct object *)(uintptr_t)1;
    }
    registry->length += REGISTRY_CLAIM;
    registry->holes += REGISTRY_CLAIM;
    return true;
}
#else
/* Takes out all holes and keeps the order: every container moves up. */
static void registry_slide(struct registry *registry)
{
    uint32_t to = 1;
    uint32_t starts[GC_GENERATIONS];
    memcpy(starts, registry->starts, sizeof(starts));
    for (uint32_t from = 1; from < registry->length; from++) {
        for (int i = 0; i < GC_GENERATIONS; i++) {
            if (registry->starts[i] == from) {
                starts[i] = to;
            }
        }
        struct object *object = registry_object(registry, from);
        if (object != NULL) {
            registry_move(registry, to++, object);
        }
    }
    for (int i = 0; i < GC_GENERATIONS; i++) {
        registry->starts[i] = registry->starts[i] == registry->length ? to : starts[i];
    }
    registry->length = to;
    registry->holes = 0;
    registry->free = 0;
}

bool registry_grow(struct registry *registry)
{
    if (registry->holes > registry->length / 2 && registry->pins == 0) {
        registry_slide(registry);
        return true;
    }
    return registry_commit(registry, REGISTRY_STEP);
}
#endif

static void registry_reverse(struct registry *registry, uint32_t begin, uint32_t end)
{
    for (; begin + 1 < end; begin++, end--) {
        struct object *first = registry->entries[begin];
        registry->entries[begin] = registry->entries[end - 1];
        registry->entries[end - 1] = first;
    }
}

/* Two ranges change places when each is reversed, and then both together. */
void registry_merge(struct registry *registry)
{
    const uint32_t middle = registry->starts[1];
    const uint32_t young = registry->starts[0];
    registry_seal(registry);
    if (middle == young || young == registry->length) {
        return;
    }
    registry_reverse(registry, middle, young);
    registry_reverse(registry, young, registry->length);
    registry_reverse(registry, middle, registry->length);
    for (uint32_t i = middle; i < registry->length; i++) {
        if (!registry_is_hole(registry->entries[i])) {
            registry->entries[i]->index = i;
        }
    }
}

/* Fills the holes of [begin, end) with containers from its end; returns its new end. */
static uint32_t registry_close_up(struct registry *registry, uint32_t begin, uint32_t end)
{
    uint32_t low = begin;
    for (;;) {
        while (low < end && !registry_is_hole(registry->entries[low])) {
            low++;
        }
        while (low < end && registry_is_hole(registry->entries[end - 1])) {
            end--;
        }
        if (low >= end) {
            return end;
        }
        registry_move(registry, low++, registry->entries[--end]);
    }
}

uint32_t registry_compact(struct registry *registry, uint32_t begin)
{
    registry_gather(registry);
    const uint32_t end = registry->starts[0];
    uint32_t young_end = registry_close_up(registry, end, registry->length);
    uint32_t new_end = registry_close_up(registry, begin, end);
    uint32_t gap = end - new_end;
    uint32_t young = young_end - end;
    /* The youngest move up into the gap: the last of them, as few as will do. */
    uint32_t moving = young < gap ? young : gap;
    for (uint32_t i = 0; i < moving; i++) {
        registry_move(registry, new_end + i, registry->entries[young_end - 1 - i]);
    }
    registry->holes -= registry->length - (new_end + young);
    registry->length = new_end + young;
    for (int i = 0; i < GC_GENERATIONS; i++) {
        registry->starts[i] = registry->starts[i] > begin ? new_end : registry->starts[i];
    }
    registry->starts[0] = new_end;
    registry->free = 0;
    return new_end;
}

#ifndef GC_THREADS
/* The holes that are chained are all those of the youngest range. */
static size_t registry_check_chain(const struct registry *registry, uint32_t young_holes)
{
    uint32_t chained = 0;
    uint32_t index = registry->free;
    while (index != 0) {
        if (index < registry->starts[0] || index >= registry->length ||
            !registry_is_hole(registry->entries[index]) || ++chained > young_holes) {
            return object_report(NULL, "the registry's chain of holes is broken");
        }
        index = (uint32_t)((uintptr_t)registry->entries[index] >> 1);
    }
    return chained == young_holes
               ? 0
               : object_report(NULL, "holes of the youngest containers are not chained");
}
#endif

bool registry_is_in_order(const struct registry *registry)
{
    return registry->starts[2] >= 1 && registry->starts[2] <= registry->starts[1] &&
           registry->starts[1] <= registry->starts[0] && registry->starts[0] <= registry->length &&
           registry->length <= registry->committed;
}

size_t registry_check(const struct registry *registry)
{
    size_t broken = 0;
    uint32_t holes = 0;
    uint32_t young_holes = 0;
    (void)young_holes;
    for (uint32_t i = 1; i < registry->length; i++) {
        const struct object *object = registry_object(registry, i);
        if (object == NULL) {
            holes++;
            young_holes += i >= registry->starts[0];
        } else if (object->index != i) {
            broken += object_report(object, "in the registry under another index than its own");
        } else if (!object_is_container(object)) {
            broken += object_report(object, "tracked, but no container");
        }
    }
    if (holes != registry->holes) {
        broken += object_report(NULL, "the registry has another number of holes than it says");
    }
    if (!registry_is_in_order(registry)) {
        broken += object_report(NULL, "the generations' ranges are out of order");
    }
#ifdef GC_THREADS
    return broken; /* the threads' chains were let go of */
#else
    return broken + registry_check_chain(registry, young_holes);
#endif
}
