/* The operating system of fuzzed heaps: hooks (struct heap_os) over one region at a fixed address,
 * so that an input gives the same addresses in every run and process. It knows everything that a
 * heap holds, refuses requests on demand, and reports misuse of itself as findings.
 *
 * The process has one region. There is one heap at a time, unless heaps share a fuzz_os. */
#ifndef HEAPMILL_FUZZ_FUZZ_OS_H
#define HEAPMILL_FUZZ_FUZZ_OS_H

#include <stdbool.h>

#include "allocators/heap.h"

enum {
    FUZZ_OS_UNIT_BYTES = 256 << 10, /* the region consists of such units */
    FUZZ_OS_UNITS = 640,
    FUZZ_OS_ALLOC_HEADER_BYTES = 16,
};

#define FUZZ_OS_REGION_BYTES ((size_t)FUZZ_OS_UNIT_BYTES * FUZZ_OS_UNITS)

/* Where the next mapping is placed. */
enum fuzz_os_placement {
    FUZZ_OS_LOWEST,  /* the lowest gap that is large enough */
    FUZZ_OS_HIGHEST, /* arenas get descending addresses */
    FUZZ_OS_ROTATING /* an address is reused late */
};

struct fuzz_os {
    struct heap_os hooks;
    enum fuzz_os_placement placement;
    bool is_unaligned; /* mappings begin a few pages after the beginning of a unit */
    /* Requests (map, alloc, resize) are refused with this probability, in 256ths; and so is request
     * number refuse_at. */
    unsigned refuse_rate;
    uint64_t refuse_at;
    uint64_t draws; /* state of the random refusals */
    uint64_t requests;
    uint64_t refusals;
    size_t held_bytes; /* mapped and allocated bytes, as requested */
    size_t mappings;
    size_t allocs;
    uint32_t next_unit; /* for FUZZ_OS_ROTATING */
};

/* Initialises os: nothing is held or refused. The first call finds the region. */
void fuzz_os_begin(struct fuzz_os *os, enum fuzz_os_placement placement, bool is_unaligned);
/* Reports a finding unless everything has been given back. */
void fuzz_os_expect_balanced(const struct fuzz_os *os);

extern unsigned char *fuzz_os_region;

static inline bool fuzz_os_is_in_region(const void *address)
{
    return (uintptr_t)address - (uintptr_t)fuzz_os_region < FUZZ_OS_REGION_BYTES;
}

/* Marks the block's granules of 8 bytes in the region as handed out. It is a finding if one is
 * already marked or lies in no mapping. Ignores blocks outside the region. */
void fuzz_os_claim(const void *block, size_t bytes);
void fuzz_os_release(const void *block, size_t bytes);
/* Whether any of the bytes, which lie in the region, is. */
bool fuzz_os_is_claimed(const void *block, size_t bytes);

#endif
