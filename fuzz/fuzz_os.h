/* The operating system that fuzzed heaps live on: hooks (struct heap_os) over one region at a fixed
 * address, so that an input gives the same addresses in every run and process. It knows all that a
 * heap holds, refuses requests on demand, and reports misuse of itself as findings.
 *
 * One region for the process; one heap at a time unless the heaps share a fuzz_os. */
#ifndef HEAPMILL_FUZZ_FUZZ_OS_H
#define HEAPMILL_FUZZ_FUZZ_OS_H

#include <stdbool.h>

#include "allocators/heap.h"

enum {
    FUZZ_OS_UNIT_BYTES = 256 << 10, /* what the region is cut into */
    FUZZ_OS_UNITS = 640,
    FUZZ_OS_ALLOC_HEADER_BYTES = 16,
};

#define FUZZ_OS_REGION_BYTES ((size_t)FUZZ_OS_UNIT_BYTES * FUZZ_OS_UNITS)

/* Where the next mapping is placed. */
enum fuzz_os_placement {
    FUZZ_OS_LOWEST,  /* the lowest gap that is large enough */
    FUZZ_OS_HIGHEST, /* arenas come in falling order */
    FUZZ_OS_ROTATING /* an address is used again late */
};

struct fuzz_os {
    struct heap_os hooks;
    enum fuzz_os_placement placement;
    bool is_unaligned; /* mappings begin a few pages into a unit */
    /* Requests (map, alloc, resize) are refused with this probability, in 256ths; and the one
     * numbered refuse_at. */
    unsigned refuse_rate;
    uint64_t refuse_at;
    uint64_t draws; /* state of the refusals by rate */
    uint64_t requests;
    uint64_t refusals;
    size_t held_bytes; /* mapped and allocated, as asked */
    size_t mappings;
    size_t allocs;
    uint32_t next_unit; /* of FUZZ_OS_ROTATING */
};

/* Fills os: nothing held, nothing refused. Finds the region, the first time. */
void fuzz_os_begin(struct fuzz_os *os, enum fuzz_os_placement placement, bool is_unaligned);
/* A finding unless everything has been given back. */
void fuzz_os_expect_balanced(const struct fuzz_os *os);

extern unsigned char *fuzz_os_region;

static inline bool fuzz_os_is_in_region(const void *address)
{
    return (uintptr_t)address - (uintptr_t)fuzz_os_region < FUZZ_OS_REGION_BYTES;
}

/* A bit for each 8 bytes of the region: is it part of a block that was handed out? The first that
 * is set already, or that lies in no mapping, is a finding. Does nothing for blocks outside. */
void fuzz_os_claim(const void *block, size_t bytes);
void fuzz_os_release(const void *block, size_t bytes);
/* Whether any of the bytes, which lie in the region, is. */
bool fuzz_os_is_claimed(const void *block, size_t bytes);

#endif
