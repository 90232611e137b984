/* The birth ledger's books: a row for each place and type, an entry for each live object. */
#include "gc/ledger.h"

#ifdef HEAPMILL_LEDGER

#include <stdio.h>
#include <string.h>

#include "common/os_memory.h"
#include "gc/ledger_books.h"
#include "gc/objects.h"
#include "gc/runtime.h"

enum {
    LEDGER_ENTRIES_FIRST = 4096, /* a power of two */
    LEDGER_ROWS_FIRST = 256,     /* likewise */
};

static const struct ledger_site ledger_runtime_site = {"runtime", 0};

_Thread_local const struct ledger_site *ledger_place = &ledger_runtime_site;

/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): blocks are aligned, so the low
 * bits say little and the product's high bits are taken. */
static size_t ledger_hash(uint64_t value, size_t capacity)
{
    return (size_t)((value * 0x9e3779b97f4a7c15u) >> 32) & (capacity - 1);
}

/* ---------------------------------------------------------------- entries */
/* Where object is, or the free slot where it would be. */
static size_t ledger_probe(const struct ledger *ledger, const struct object *object)
{
    size_t slot = ledger_hash((uintptr_t)object, ledger->entry_capacity);
    while (ledger->entries[slot].object != NULL && ledger->entries[slot].object != object) {
        slot = (slot + 1) & (ledger->entry_capacity - 1);
    }
    return slot;
}

size_t ledger_slot_of(const struct ledger *ledger, const struct object *object)
{
    size_t slot = ledger_probe(ledger, object);
    return ledger->entries[slot].object == NULL ? SIZE_MAX : slot;
}

/* At most two thirds full. false: the system refuses memory. */
static bool ledger_make_room(struct ledger *ledger)
{
    if (ledger->entry_count * 3 < ledger->entry_capacity * 2) {
        return true;
    }
    struct ledger grown = *ledger;
    grown.entry_capacity *= 2;
    grown.entries = os_map_scratch(grown.entry_capacity * sizeof(*grown.entries));
    if (grown.entries == NULL) {
        return false;
    }
    for (size_t i = 0; i < ledger->entry_capacity; i++) {
        if (ledger->entries[i].object != NULL) {
            grown.entries[ledger_probe(&grown, ledger->entries[i].object)] = ledger->entries[i];
        }
    }
    os_unmap(ledger->entries, ledger->entry_capacity * sizeof(*ledger->entries));
    *ledger = grown;
    return true;
}

/* Frees a slot and moves those behind it that would not be found any more (Knuth's algorithm R of
 * the same section): no marks of the deleted remain. */
static void ledger_remove(struct ledger *ledger, size_t slot)
{
    size_t mask = ledger->entry_capacity - 1;
    size_t gap = slot;
    for (size_t next = (slot + 1) & mask; ledger->entries[next].object != NULL;
         next = (next + 1) & mask) {
        size_t home = ledger_hash((uintptr_t)ledger->entries[next].object, ledger->entry_capacity);
        if (((next - home) & mask) >= ((next - gap) & mask)) {
            ledger->entries[gap] = ledger->entries[next];
            gap = next;
        }
    }
    ledger->entries[gap].object = NULL;
    ledger->entry_count--;
}

/* ---------------------------------------------------------------- rows */
static uint32_t *ledger_row_slot(const struct ledger *ledger, const struct ledger_site *site,
                                 const struct type *type)
{
    size_t capacity = ledger->row_capacity * 2;
    size_t slot = ledger_hash((uintptr_t)site * 31 + (uintptr_t)type, capacity);
    for (;; slot = (slot + 1) & (capacity - 1)) {
        uint32_t *ordinal = &ledger->row_slots[slot];
        if (*ordinal == 0) {
            return ordinal;
        }
        const struct ledger_row *row = &ledger->rows[*ordinal - 1];
        /* A dead class's block may have become another class's: the name tells. */
        if (row->site == site && row->type == type &&
            strncmp(row->type_name, type->name, LEDGER_TYPE_NAME_BYTES - 1) == 0) {
            return ordinal;
        }
    }
}

static bool ledger_map_rows(struct ledger *ledger, size_t capacity)
{
    ledger->rows = os_map_scratch(capacity * sizeof(*ledger->rows));
    ledger->row_slots = os_map_scratch(capacity * 2 * sizeof(*ledger->row_slots));
    ledger->row_capacity = capacity;
    return ledger->rows != NULL && ledger->row_slots != NULL;
}

static void ledger_unmap_rows(const struct ledger *ledger)
{
    if (ledger->rows != NULL) {
        os_unmap(ledger->rows, ledger->row_capacity * sizeof(*ledger->rows));
    }
    if (ledger->row_slots != NULL) {
        os_unmap(ledger->row_slots, ledger->row_capacity * 2 * sizeof(*ledger->row_slots));
    }
}

static bool ledger_grow_rows(struct ledger *ledger)
{
    struct ledger grown = *ledger;
    if (!ledger_map_rows(&grown, ledger->row_capacity * 2)) {
        ledger_unmap_rows(&grown);
        return false;
    }
    memcpy(grown.rows, ledger->rows, ledger->row_count * sizeof(*ledger->rows));
    for (size_t i = 0; i < ledger->row_count; i++) {
        const struct ledger_row *row = &grown.rows[i];
        size_t mask = grown.row_capacity * 2 - 1;
        size_t slot = ledger_hash((uintptr_t)row->site * 31 + (uintptr_t)row->type, mask + 1);
        while (grown.row_slots[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        grown.row_slots[slot] = (uint32_t)(i + 1);
    }
    ledger_unmap_rows(ledger);
    *ledger = grown;
    return true;
}

/* The row of that place and type, a new one if need be; NULL: memory was refused. */
static struct ledger_row *ledger_row_for(struct ledger *ledger, const struct ledger_site *site,
                                         const struct type *type)
{
    uint32_t *slot = ledger_row_slot(ledger, site, type);
    if (*slot != 0) {
        return &ledger->rows[*slot - 1];
    }
    if (ledger->row_count == ledger->row_capacity) {
        if (!ledger_grow_rows(ledger)) {
            return NULL;
        }
        slot = ledger_row_slot(ledger, site, type);
    }
    struct ledger_row *row = &ledger->rows[ledger->row_count++];
    *row = (struct ledger_row){.site = site, .type = type};
    snprintf(row->type_name, sizeof(row->type_name), "%s", type->name);
    *slot = (uint32_t)ledger->row_count;
    return row;
}

/* ---------------------------------------------------------------- births and deaths */
bool ledger_open(struct runtime *runtime)
{
    struct ledger *ledger = &runtime->ledger;
    ledger_place = &ledger_runtime_site;
    ledger->entry_capacity = LEDGER_ENTRIES_FIRST;
    ledger->entries = os_map_scratch(ledger->entry_capacity * sizeof(*ledger->entries));
    if (ledger->entries == NULL || !ledger_map_rows(ledger, LEDGER_ROWS_FIRST)) {
        ledger_close(runtime);
        return false;
    }
    return true;
}

void ledger_close(struct runtime *runtime)
{
    struct ledger *ledger = &runtime->ledger;
    if (ledger->entries != NULL) {
        os_unmap(ledger->entries, ledger->entry_capacity * sizeof(*ledger->entries));
    }
    ledger_unmap_rows(ledger);
    *ledger = (struct ledger){.entries = NULL};
}

void ledger_birth(struct runtime *runtime, const struct object *object, size_t bytes)
{
    struct ledger *ledger = &runtime->ledger;
    struct ledger_row *row = ledger_row_for(ledger, ledger_place, object->type);
    ledger->births++;
    if (row == NULL || !ledger_make_room(ledger)) {
        ledger->incomplete = true;
        return;
    }
    row->births++;
    row->live++;
    row->live_bytes += bytes;
    ledger->entries[ledger_probe(ledger, object)] =
        (struct ledger_entry){.object = object,
                              .birth = ledger->births,
                              .row = (uint32_t)(row - ledger->rows),
                              .bytes = (uint32_t)bytes};
    ledger->entry_count++;
}

void ledger_death(struct runtime *runtime, const struct object *object)
{
    struct ledger *ledger = &runtime->ledger;
    size_t slot = ledger_slot_of(ledger, object);
    if (slot != SIZE_MAX) {
        struct ledger_row *row = &ledger->rows[ledger->entries[slot].row];
        row->live--;
        row->live_bytes -= ledger->entries[slot].bytes;
        ledger_remove(ledger, slot);
    }
}

/* ---------------------------------------------------------------- reading */
bool ledger_is_complete(const struct runtime *runtime)
{
    return !runtime->ledger.incomplete;
}

size_t ledger_row_count(const struct runtime *runtime)
{
    return runtime->ledger.row_count;
}

const struct ledger_row *ledger_row_at(const struct runtime *runtime, size_t index)
{
    OBJECT_ASSERT(index < runtime->ledger.row_count);
    return &runtime->ledger.rows[index];
}

uint64_t ledger_live(const struct runtime *runtime)
{
    return runtime->ledger.entry_count;
}

void ledger_visit_live(const struct runtime *runtime, const struct ledger_row *row,
                       ledger_visit *visit, void *context)
{
    const struct ledger *ledger = &runtime->ledger;
    for (size_t i = 0; i < ledger->entry_capacity; i++) {
        const struct ledger_entry *entry = &ledger->entries[i];
        if (entry->object != NULL && (row == NULL || row == &ledger->rows[entry->row]) &&
            !visit((struct object *)(uintptr_t)entry->object, entry->birth, context)) {
            return;
        }
    }
}

const struct ledger_row *ledger_row_of(const struct runtime *runtime, const struct object *object)
{
    const struct ledger *ledger = &runtime->ledger;
    size_t slot = ledger_slot_of(ledger, object);
    return slot == SIZE_MAX ? NULL : &ledger->rows[ledger->entries[slot].row];
}

#endif
