#include "gc/reference_census.h"

#include "common/os_memory.h"

enum { CENSUS_CAPACITY_INITIAL = 1024 };

static void census_allocate(struct census *census, size_t capacity)
{
    *census = (struct census){.capacity = capacity};
    census->entries = os_map(capacity * sizeof(*census->entries));
    census->failed = census->entries == NULL;
}

void census_open(struct census *census)
{
    census_allocate(census, CENSUS_CAPACITY_INITIAL);
}

void census_close(struct census *census)
{
    os_unmap(census->entries, census->capacity * sizeof(*census->entries));
}

/* The slot of object, or the free one where it belongs. Fibonacci hashing (Knuth 6.4), as the
 * low bits of addresses are all alike. */
static struct census_entry *census_slot(const struct census *census, const struct object *object)
{
    uint64_t hash = (uint64_t)(uintptr_t)object * 0x9e3779b97f4a7c15u;
    size_t slot = (size_t)(hash >> 20) & (census->capacity - 1);
    while (census->entries[slot].object != NULL && census->entries[slot].object != object) {
        slot = (slot + 1) & (census->capacity - 1);
    }
    return &census->entries[slot];
}

static void census_grow(struct census *census)
{
    struct census grown;
    census_allocate(&grown, census->capacity * 2);
    if (grown.failed) {
        census->failed = true;
        return;
    }
    for (size_t i = 0; i < census->capacity; i++) {
        if (census->entries[i].object != NULL) {
            *census_slot(&grown, census->entries[i].object) = census->entries[i];
            grown.length++;
        }
    }
    census_close(census);
    *census = grown;
}

struct census_entry *census_entry_of(struct census *census, const struct object *object)
{
    if (!census->failed && census->length * 2 >= census->capacity) {
        census_grow(census);
    }
    if (census->failed) {
        return NULL;
    }
    struct census_entry *entry = census_slot(census, object);
    if (entry->object == NULL) {
        entry->object = object;
        census->length++;
    }
    return entry;
}
