/* The records of libheapmill-leaktrack.so: a hash table of live blocks by address, and one of call
 * sites by their frames. See leaktrack.h. */
#include <string.h>
#include <time.h>

#include "common/os_memory.h"
#include "preload/leaktrack.h"

enum {
    LEAKTRACK_SLOTS_FIRST = 1 << 14,
    LEAKTRACK_SITE_SLOTS = LEAKTRACK_SITES_MAX * 2,
    LEAKTRACK_CLOCK_EVERY = 64, /* allocations between two readings of the clock */
};

#define LEAKTRACK_EMPTIED ((uintptr_t)1)
#define LEAKTRACK_INTERVAL_FIRST_NS UINT64_C(1000000)

struct leaktrack_books leaktrack_books = {.site_count = 1};
static uint32_t leaktrack_site_slots[LEAKTRACK_SITE_SLOTS]; /* a site's number; 0: none */

/* The high bits of the product with 2^64 over the golden ratio (Knuth, TAOCP 3, 6.4). */
static size_t leaktrack_hash(uintptr_t value)
{
    return (size_t)(((uint64_t)value * UINT64_C(0x9E3779B97F4A7C15)) >> 20);
}

static uint64_t leaktrack_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void leaktrack_place(const struct leaktrack_block *block)
{
    size_t slot = leaktrack_hash(block->address) & (leaktrack_books.slots - 1);
    while (leaktrack_books.blocks[slot].address > LEAKTRACK_EMPTIED) {
        slot = (slot + 1) & (leaktrack_books.slots - 1);
    }
    leaktrack_books.used += leaktrack_books.blocks[slot].address == 0;
    leaktrack_books.blocks[slot] = *block;
}

/* Makes room so that at most half of the slots are used, and drops removed blocks. */
static bool leaktrack_make_room(void)
{
    struct leaktrack_books *books = &leaktrack_books;
    if ((books->used + 1) * 2 <= books->slots) {
        return true;
    }
    size_t slots = books->slots == 0 ? LEAKTRACK_SLOTS_FIRST : books->slots;
    while (books->live_blocks * 4 >= slots) {
        slots *= 2;
    }
    struct leaktrack_block *old = books->blocks;
    size_t old_slots = books->slots;
    struct leaktrack_block *blocks = os_map(slots * sizeof(*blocks));
    if (blocks == NULL) {
        return false;
    }
    books->blocks = blocks;
    books->slots = slots;
    books->used = 0;
    for (size_t i = 0; i < old_slots; i++) {
        if (old[i].address > LEAKTRACK_EMPTIED) {
            leaktrack_place(&old[i]);
        }
    }
    if (old != NULL) {
        os_unmap(old, old_slots * sizeof(*old));
    }
    return true;
}

/* The number of the site with these frames, which is added if it is new; 0: the table is full. */
static uint32_t leaktrack_site_of(void *const *frames, uint32_t depth)
{
    uintptr_t mixed = depth;
    for (uint32_t i = 0; i < depth; i++) {
        mixed = (mixed << 5 | mixed >> 59) ^ (uintptr_t)frames[i];
    }
    size_t slot = leaktrack_hash(mixed) & (LEAKTRACK_SITE_SLOTS - 1);
    for (; leaktrack_site_slots[slot] != 0; slot = (slot + 1) & (LEAKTRACK_SITE_SLOTS - 1)) {
        struct leaktrack_site *site = &leaktrack_books.sites[leaktrack_site_slots[slot]];
        if (site->depth == depth && memcmp(site->frames, frames, depth * sizeof(*frames)) == 0) {
            return leaktrack_site_slots[slot];
        }
    }
    if (leaktrack_books.site_count == LEAKTRACK_SITES_MAX) {
        return 0;
    }
    uint32_t number = leaktrack_books.site_count++;
    leaktrack_site_slots[slot] = number;
    leaktrack_books.sites[number].depth = depth;
    memcpy(leaktrack_books.sites[number].frames, frames, depth * sizeof(*frames));
    return number;
}

/* Keeps every second sample, of the totals and of each site. From now on samples are half as
 * frequent. */
static void leaktrack_thin_samples(void)
{
    struct leaktrack_books *books = &leaktrack_books;
    for (uint32_t i = 0; i < LEAKTRACK_SAMPLES_MAX / 2; i++) {
        books->samples[i] = books->samples[(size_t)2 * i + 1];
        for (uint32_t site = 0; site < books->site_count; site++) {
            books->sites[site].samples[i] = books->sites[site].samples[(size_t)2 * i + 1];
        }
    }
    books->sample_count = LEAKTRACK_SAMPLES_MAX / 2;
    books->sample_interval_ns *= 2;
    for (uint32_t site = 0; site < books->site_count; site++) {
        memset(&books->sites[site].samples[books->sample_count], 0,
               sizeof(books->sites[site].samples) / 2);
    }
}

void leaktrack_sample_now(void)
{
    struct leaktrack_books *books = &leaktrack_books;
    if (books->sample_count == LEAKTRACK_SAMPLES_MAX) {
        leaktrack_thin_samples();
    }
    uint32_t number = books->sample_count++;
    books->samples[number] =
        (struct leaktrack_sample){.time_ns = leaktrack_now_ns() - books->start_ns,
                                  .live_blocks = books->live_blocks,
                                  .live_bytes = books->live_bytes};
    for (uint32_t site = 0; site < books->site_count; site++) {
        books->sites[site].samples[number] = books->sites[site].live_bytes;
    }
}

static void leaktrack_sample_when_due(void)
{
    struct leaktrack_books *books = &leaktrack_books;
    if (books->start_ns == 0) {
        books->start_ns = leaktrack_now_ns();
        books->sample_interval_ns = LEAKTRACK_INTERVAL_FIRST_NS;
    }
    if (books->allocations % LEAKTRACK_CLOCK_EVERY != 0) {
        return;
    }
    uint64_t last = books->sample_count == 0 ? 0 : books->samples[books->sample_count - 1].time_ns;
    if (leaktrack_now_ns() - books->start_ns >= last + books->sample_interval_ns) {
        leaktrack_sample_now();
    }
}

void leaktrack_add(void *block, size_t bytes, void *const *frames, uint32_t depth)
{
    struct leaktrack_books *books = &leaktrack_books;
    books->allocations++;
    if (!leaktrack_make_room()) {
        books->unbooked++;
        return;
    }
    uint32_t site = leaktrack_site_of(frames, depth);
    leaktrack_place(&(struct leaktrack_block){
        .address = (uintptr_t)block, .bytes = bytes, .birth = books->allocations, .site = site});
    books->live_blocks++;
    books->live_bytes += bytes;
    if (books->live_bytes > books->live_bytes_peak) {
        books->live_bytes_peak = books->live_bytes;
    }
    books->sites[site].live_blocks++;
    books->sites[site].live_bytes += bytes;
    leaktrack_sample_when_due();
}

void leaktrack_remove(void *block)
{
    struct leaktrack_books *books = &leaktrack_books;
    if (books->slots == 0) {
        return;
    }
    size_t slot = leaktrack_hash((uintptr_t)block) & (books->slots - 1);
    while (books->blocks[slot].address != (uintptr_t)block) {
        if (books->blocks[slot].address == 0) {
            return;
        }
        slot = (slot + 1) & (books->slots - 1);
    }
    struct leaktrack_block *found = &books->blocks[slot];
    books->live_blocks--;
    books->live_bytes -= found->bytes;
    books->sites[found->site].live_blocks--;
    books->sites[found->site].live_bytes -= found->bytes;
    found->address = LEAKTRACK_EMPTIED;
}
