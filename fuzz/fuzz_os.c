#include "fuzz/fuzz_os.h"

#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/os_memory.h"
#include "common/rng.h"
#include "fuzz/asan.h"
#include "fuzz/oracle.h"

/* Below the addresses of libraries, heaps and sanitizers' shadows on x86-64 Linux, and across a
 * multiple of 2^38, where pymalloc's radix tree begins another middle node. */
#define FUZZ_OS_REGION_ADDRESS ((uintptr_t)0x104000000000 - (FUZZ_OS_REGION_BYTES / 16))

enum {
    FUZZ_OS_PAGE_BYTES = 4096,
    FUZZ_OS_SHIFT_BYTES = 7 * FUZZ_OS_PAGE_BYTES, /* offset of unaligned mappings; odd, in pages */
    FUZZ_OS_GRANULE_BYTES = 8,
    FUZZ_OS_ALLOC_MAGIC = 0x6d696c6c,
};

#define FUZZ_OS_CLAIM_WORDS (FUZZ_OS_REGION_BYTES / FUZZ_OS_GRANULE_BYTES / 64)

unsigned char *fuzz_os_region;

/* Global, as the region is. */
static struct {
    /* Bytes of the mapping that begins in the unit; its later units have size 1. 0: free. */
    size_t mapped[FUZZ_OS_UNITS];
    uint64_t claimed[FUZZ_OS_CLAIM_WORDS];
} fuzz_os_table;

struct fuzz_os_header {
    size_t bytes;
    uint64_t magic;
};

static_assert(sizeof(struct fuzz_os_header) == FUZZ_OS_ALLOC_HEADER_BYTES, "keeps alignment");

/* ---------------------------------------------------------------- refusals */
static bool fuzz_os_refuses(struct fuzz_os *os)
{
    bool refused = os->requests++ == os->refuse_at;
    if (os->refuse_rate != 0) {
        refused |= (rng_splitmix(&os->draws) & 255) < os->refuse_rate;
    }
    os->refusals += refused;
    return refused;
}

/* ---------------------------------------------------------------- mappings */
static bool fuzz_os_has_gap(uint32_t unit, uint32_t units)
{
    for (uint32_t i = unit; i < unit + units; i++) {
        if (fuzz_os_table.mapped[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Finds a gap; FUZZ_OS_UNITS: there is none. */
static uint32_t fuzz_os_find_gap(struct fuzz_os *os, uint32_t units)
{
    uint32_t places = FUZZ_OS_UNITS - units + 1;
    uint32_t start = os->placement == FUZZ_OS_ROTATING ? os->next_unit : 0;
    for (uint32_t i = 0; i < places; i++) {
        uint32_t unit = os->placement == FUZZ_OS_HIGHEST ? places - 1 - i : (start + i) % places;
        if (fuzz_os_has_gap(unit, units)) {
            os->next_unit = unit + units;
            return unit;
        }
    }
    return FUZZ_OS_UNITS;
}

static void *fuzz_os_map(void *context, size_t size)
{
    struct fuzz_os *os = context;
    if (fuzz_os_refuses(os)) {
        return NULL;
    }
    size_t shift = os->is_unaligned ? FUZZ_OS_SHIFT_BYTES : 0;
    void *address = NULL;
    if (size > FUZZ_OS_REGION_BYTES / 4) {
        address = os_map(size);
    } else {
        uint32_t units = (uint32_t)((size + shift + FUZZ_OS_UNIT_BYTES - 1) / FUZZ_OS_UNIT_BYTES);
        uint32_t unit = fuzz_os_find_gap(os, units);
        if (unit == FUZZ_OS_UNITS) {
            return NULL;
        }
        for (uint32_t i = 1; i < units; i++) {
            fuzz_os_table.mapped[unit + i] = 1;
        }
        fuzz_os_table.mapped[unit] = size;
        address = fuzz_os_region + (size_t)unit * FUZZ_OS_UNIT_BYTES + shift;
        FUZZ_UNPOISON(address, size);
    }
    if (address != NULL) {
        os->mappings++;
        os->held_bytes += size;
    }
    return address;
}

static void fuzz_os_unmap(void *context, void *address, size_t size)
{
    struct fuzz_os *os = context;
    if (fuzz_os_is_in_region(address)) {
        size_t offset = (size_t)((unsigned char *)address - fuzz_os_region);
        uint32_t unit = (uint32_t)(offset / FUZZ_OS_UNIT_BYTES);
        size_t shift = os->is_unaligned ? FUZZ_OS_SHIFT_BYTES : 0;
        FUZZ_EXPECT(
            offset % FUZZ_OS_UNIT_BYTES == shift && fuzz_os_table.mapped[unit] == size && size > 1,
            "os-unmap", "unmap of %zu bytes at offset %zu, where no such mapping is", size, offset);
        fuzz_os_table.mapped[unit] = 0;
        for (uint32_t i = unit + 1; i < FUZZ_OS_UNITS && fuzz_os_table.mapped[i] == 1; i++) {
            fuzz_os_table.mapped[i] = 0;
        }
        FUZZ_POISON(address, size);
    } else {
        os_unmap(address, size);
    }
    os->mappings--;
    os->held_bytes -= size;
}

/* ---------------------------------------------------------------- blocks of malloc's */
static struct fuzz_os_header *fuzz_os_header_of(void *block)
{
    struct fuzz_os_header *header = (struct fuzz_os_header *)block - 1;
    FUZZ_EXPECT(!fuzz_os_is_in_region(block) && header->magic == FUZZ_OS_ALLOC_MAGIC, "os-block",
                "%p is given back to the system, which did not give it", block);
    return header;
}

static void *fuzz_os_resize(void *context, void *block, size_t size)
{
    struct fuzz_os *os = context;
    if (size > SIZE_MAX / 2 || fuzz_os_refuses(os)) {
        return NULL;
    }
    struct fuzz_os_header *header = block == NULL ? NULL : fuzz_os_header_of(block);
    size_t old = header == NULL ? 0 : header->bytes;
    struct fuzz_os_header *moved = realloc(header, size + sizeof(*header));
    if (moved == NULL) {
        return NULL;
    }
    *moved = (struct fuzz_os_header){.bytes = size, .magic = FUZZ_OS_ALLOC_MAGIC};
    os->allocs += block == NULL;
    os->held_bytes += size - old;
    return moved + 1;
}

static void *fuzz_os_alloc(void *context, size_t size)
{
    return fuzz_os_resize(context, NULL, size);
}

static void fuzz_os_free(void *context, void *block)
{
    struct fuzz_os *os = context;
    if (block != NULL) {
        struct fuzz_os_header *header = fuzz_os_header_of(block);
        os->held_bytes -= header->bytes;
        os->allocs--;
        header->magic = 0;
        free(header);
    }
}

static size_t fuzz_os_usable_size(void *context, void *block)
{
    (void)context;
    return block == NULL ? 0 : fuzz_os_header_of(block)->bytes;
}

/* ---------------------------------------------------------------- begin and end */
/* An input's large blocks live for a millisecond. malloc would give their pages back to the kernel
 * and fault them in again each time, which would cost more than all the rest. */
static void fuzz_os_keep_pages(void)
{
#ifndef FUZZ_ASAN
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    (void)mallopt(M_MMAP_THRESHOLD, 32 << 20);
    (void)mallopt(M_TOP_PAD, 1 << 20);
#endif
}

static void fuzz_os_reserve(void)
{
    void *address =
        mmap((void *)FUZZ_OS_REGION_ADDRESS, FUZZ_OS_REGION_BYTES, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (address == MAP_FAILED) {
        (void)fputs("heapmill-fuzz: the region at 0x104000000000 cannot be had; another placement "
                    "is used, and runs are less alike\n",
                    stderr);
        address = os_map(FUZZ_OS_REGION_BYTES + FUZZ_OS_UNIT_BYTES);
        if (address == NULL) {
            (void)fputs("heapmill-fuzz: no address space: lift ulimit -v\n", stderr);
            exit(3);
        }
        uintptr_t unit = FUZZ_OS_UNIT_BYTES;
        address = (void *)(((uintptr_t)address + unit - 1) / unit * unit);
    }
    fuzz_os_region = address;
    fuzz_os_keep_pages();
    FUZZ_POISON(address, FUZZ_OS_REGION_BYTES);
}

void fuzz_os_begin(struct fuzz_os *os, enum fuzz_os_placement placement, bool is_unaligned)
{
    if (fuzz_os_region == NULL) {
        fuzz_os_reserve();
    }
    *os = (struct fuzz_os){
        .hooks = {.map = fuzz_os_map,
                  .unmap = fuzz_os_unmap,
                  .alloc = fuzz_os_alloc,
                  .resize = fuzz_os_resize,
                  .free = fuzz_os_free,
                  .usable_size = fuzz_os_usable_size,
                  .context = os},
        .placement = placement,
        .is_unaligned = is_unaligned,
        .refuse_at = UINT64_MAX,
    };
}

void fuzz_os_expect_balanced(const struct fuzz_os *os)
{
    FUZZ_EXPECT(os->mappings == 0 && os->allocs == 0 && os->held_bytes == 0, "conservation",
                "after close %zu mappings and %zu blocks, %zu bytes, are not given back",
                os->mappings, os->allocs, os->held_bytes);
}

/* ---------------------------------------------------------------- claims */
/* The bits of word `word` for granules first to last, inclusive. */
static uint64_t fuzz_os_mask(size_t word, size_t first, size_t last)
{
    uint64_t mask = ~UINT64_C(0);
    if (word == first / 64) {
        mask &= ~UINT64_C(0) << first % 64;
    }
    if (word == last / 64) {
        mask &= ~UINT64_C(0) >> (63 - last % 64);
    }
    return mask;
}

void fuzz_os_claim(const void *block, size_t bytes)
{
    if (!fuzz_os_is_in_region(block)) {
        return;
    }
    size_t offset = (size_t)((const unsigned char *)block - fuzz_os_region);
    FUZZ_EXPECT(fuzz_os_table.mapped[offset / FUZZ_OS_UNIT_BYTES] != 0 &&
                    fuzz_os_table.mapped[(offset + bytes - 1) / FUZZ_OS_UNIT_BYTES] != 0,
                "unmapped", "a block of %zu bytes at offset %zu lies in no arena", bytes, offset);
    size_t first = offset / FUZZ_OS_GRANULE_BYTES;
    size_t last = (offset + bytes - 1) / FUZZ_OS_GRANULE_BYTES;
    for (size_t word = first / 64; word <= last / 64; word++) {
        uint64_t mask = fuzz_os_mask(word, first, last);
        FUZZ_EXPECT((fuzz_os_table.claimed[word] & mask) == 0, "overlap",
                    "a block of %zu bytes at offset %zu overlaps a live one", bytes, offset);
        fuzz_os_table.claimed[word] |= mask;
    }
}

void fuzz_os_release(const void *block, size_t bytes)
{
    if (!fuzz_os_is_in_region(block)) {
        return;
    }
    size_t offset = (size_t)((const unsigned char *)block - fuzz_os_region);
    size_t first = offset / FUZZ_OS_GRANULE_BYTES;
    size_t last = (offset + bytes - 1) / FUZZ_OS_GRANULE_BYTES;
    for (size_t word = first / 64; word <= last / 64; word++) {
        fuzz_os_table.claimed[word] &= ~fuzz_os_mask(word, first, last);
    }
}

bool fuzz_os_is_claimed(const void *block, size_t bytes)
{
    size_t offset = (size_t)((const unsigned char *)block - fuzz_os_region);
    size_t first = offset / FUZZ_OS_GRANULE_BYTES;
    size_t last = (offset + bytes - 1) / FUZZ_OS_GRANULE_BYTES;
    bool claimed = false;
    for (size_t word = first / 64; word <= last / 64; word++) {
        claimed |= (fuzz_os_table.claimed[word] & fuzz_os_mask(word, first, last)) != 0;
    }
    return claimed;
}
