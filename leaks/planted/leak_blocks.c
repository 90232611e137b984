/* An open-addressing table of the raw blocks that are alive, linear probing, at most half full;
 * deletion moves followers back (Knuth, volume 3, 6.4, algorithm R). Mapped outside the heap. */
#include "leaks/planted/leak_blocks.h"

#ifdef HEAPMILL_LEDGER

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/os_memory.h"
#include "common/status.h"

static struct leak_block *leak_blocks_slots;
static size_t leak_blocks_capacity; /* a power of two, or 0 */
static size_t leak_blocks_length;

static size_t leak_blocks_home(const void *address)
{
    return (size_t)(((uintptr_t)address >> 3) * 0x9e3779b97f4a7c15u >> 20) &
           (leak_blocks_capacity - 1);
}

static struct leak_block *leak_blocks_slot(const void *address)
{
    size_t i = leak_blocks_home(address);
    while (leak_blocks_slots[i].address != NULL && leak_blocks_slots[i].address != address) {
        i = (i + 1) & (leak_blocks_capacity - 1);
    }
    return &leak_blocks_slots[i];
}

static void leak_blocks_grow(void)
{
    struct leak_block *old = leak_blocks_slots;
    size_t old_capacity = leak_blocks_capacity;
    leak_blocks_capacity = old_capacity == 0 ? 4096 : old_capacity * 2;
    leak_blocks_slots = os_map_scratch(leak_blocks_capacity * sizeof(*leak_blocks_slots));
    if (leak_blocks_slots == NULL) {
        fatal("no memory for the books of raw blocks");
    }
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].address != NULL) {
            *leak_blocks_slot(old[i].address) = old[i];
        }
    }
    if (old != NULL) {
        os_unmap(old, old_capacity * sizeof(*old));
    }
}

void leak_blocks_birth(void *block, size_t bytes, const char *file, int line)
{
    if (2 * (leak_blocks_length + 1) > leak_blocks_capacity) {
        leak_blocks_grow();
    }
    *leak_blocks_slot(block) =
        (struct leak_block){.address = block, .bytes = bytes, .file = file, .line = line};
    leak_blocks_length++;
}

void leak_blocks_death(const void *block)
{
    size_t mask = leak_blocks_capacity - 1;
    struct leak_block *slot = leak_blocks_slot(block);
    if (slot->address == NULL) {
        fatal("a raw block is freed that the books do not have");
    }
    size_t hole = (size_t)(slot - leak_blocks_slots);
    leak_blocks_length--;
    for (size_t i = (hole + 1) & mask; leak_blocks_slots[i].address != NULL; i = (i + 1) & mask) {
        size_t home = leak_blocks_home(leak_blocks_slots[i].address);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            leak_blocks_slots[hole] = leak_blocks_slots[i];
            hole = i;
        }
    }
    leak_blocks_slots[hole].address = NULL;
}

/* ---------------------------------------------------------------- what is lost */
static int leak_blocks_compare(const void *left, const void *right)
{
    uintptr_t a = (uintptr_t)(*(struct leak_block *const *)left)->address;
    uintptr_t b = (uintptr_t)(*(struct leak_block *const *)right)->address;
    return (a > b) - (a < b);
}

struct leak_blocks_scan {
    struct leak_block **sorted;
    struct leak_block **pending; /* marked, not scanned yet */
    size_t length;
    size_t pending_count;
};

/* The block that the word points into; NULL: none. */
static struct leak_block *leak_blocks_at(const struct leak_blocks_scan *scan, uintptr_t word)
{
    size_t low = 0;
    size_t high = scan->length;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct leak_block *block = scan->sorted[middle];
        if (word < (uintptr_t)block->address) {
            high = middle;
        } else if (word >= (uintptr_t)block->address + block->bytes) {
            low = middle + 1;
        } else {
            return block;
        }
    }
    return NULL;
}

static void leak_blocks_mark(struct leak_blocks_scan *scan, const void *region, size_t bytes)
{
    const char *from = region;
    for (size_t i = 0; i + sizeof(uintptr_t) <= bytes; i += sizeof(uintptr_t)) {
        uintptr_t word;
        memcpy(&word, from + i, sizeof(word));
        struct leak_block *block = leak_blocks_at(scan, word);
        if (block != NULL && !block->reached) {
            block->reached = true;
            scan->pending[scan->pending_count++] = block;
        }
    }
}

bool leak_blocks_find_lost(void *const *roots, size_t root_count, leak_blocks_visit *visit,
                           void *context)
{
    struct leak_blocks_scan scan = {.length = 0};
    size_t bytes = (leak_blocks_length + 1) * sizeof(struct leak_block *);
    struct leak_block **arrays = os_map_scratch(2 * bytes);
    if (arrays == NULL) {
        return false;
    }
    scan.sorted = arrays;
    scan.pending = arrays + leak_blocks_length + 1;
    for (size_t i = 0; i < leak_blocks_capacity; i++) {
        if (leak_blocks_slots[i].address != NULL) {
            leak_blocks_slots[i].reached = false;
            scan.sorted[scan.length++] = &leak_blocks_slots[i];
        }
    }
    qsort(scan.sorted, scan.length, sizeof(struct leak_block *), leak_blocks_compare);
    leak_blocks_mark(&scan, roots, root_count * sizeof(*roots));
    while (scan.pending_count > 0) {
        struct leak_block *block = scan.pending[--scan.pending_count];
        leak_blocks_mark(&scan, block->address, block->bytes);
    }
    for (size_t i = 0; i < scan.length; i++) {
        if (!scan.sorted[i]->reached) {
            visit(scan.sorted[i], context);
        }
    }
    os_unmap(arrays, 2 * bytes);
    return true;
}

#endif
