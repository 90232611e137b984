/* What pymalloc's white-box tests share: a heap over an os whose every service is counted, may be
 * made to fail, and may give arenas that are not aligned to their pools. */
#ifndef HEAPMILL_ALLOCATORS_TESTS_PYMALLOC_FIXTURE_H
#define HEAPMILL_ALLOCATORS_TESTS_PYMALLOC_FIXTURE_H

/* cmocka.h needs these three before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "allocators/backend.h"
#include "common/os_memory.h"

/* Blocks of one class that fill an arena, at least. */
#define FIXTURE_BLOCK_BYTES PYMALLOC_THRESHOLD
#define FIXTURE_PER_POOL ((PYMALLOC_POOL_BYTES - PYMALLOC_POOL_OVERHEAD) / FIXTURE_BLOCK_BYTES)
#define FIXTURE_PER_ARENA (FIXTURE_PER_POOL * PYMALLOC_POOLS_MAX)

struct fixture {
    struct heap heap;
    size_t calls;      /* of map and alloc, failed ones too */
    size_t fail_at;    /* the call that fails, from 1; 0: none */
    size_t mapped;     /* arenas given and not returned */
    size_t blocks;     /* from alloc, and not returned */
    size_t base_shift; /* bytes by which arenas miss the alignment of their size */
    uintptr_t last_mapped;
};

static inline bool fixture_refuses(struct fixture *fixture)
{
    fixture->calls++;
    return fixture->calls == fixture->fail_at;
}

/* Arenas aligned to their size, plus the shift: the alignment that mmap gives is chance. */
static void *fixture_map(void *context, size_t size)
{
    struct fixture *fixture = context;
    if (fixture_refuses(fixture)) {
        return NULL;
    }
    unsigned char *region = os_map(3 * size);
    assert_non_null(region);
    unsigned char *aligned = region + (size - (uintptr_t)region % size) % size;
    unsigned char *address = aligned + fixture->base_shift;
    if (address != region) {
        os_unmap(region, (size_t)(address - region));
    }
    os_unmap(address + size, (size_t)(region + 3 * size - (address + size)));
    fixture->mapped++;
    fixture->last_mapped = (uintptr_t)address;
    return address;
}

static void fixture_unmap(void *context, void *address, size_t size)
{
    struct fixture *fixture = context;
    fixture->mapped--;
    os_unmap(address, size);
}

static void *fixture_alloc(void *context, size_t size)
{
    struct fixture *fixture = context;
    if (fixture_refuses(fixture)) {
        return NULL;
    }
    fixture->blocks++;
    return malloc(size);
}

static void *fixture_resize(void *context, void *block, size_t size)
{
    return fixture_refuses(context) ? NULL : realloc(block, size);
}

static void fixture_free(void *context, void *block)
{
    struct fixture *fixture = context;
    fixture->blocks--;
    free(block);
}

static inline void fixture_open(struct fixture *fixture, size_t base_shift)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->base_shift = base_shift;
    struct heap_options options = {.os = {.map = fixture_map,
                                          .unmap = fixture_unmap,
                                          .alloc = fixture_alloc,
                                          .resize = fixture_resize,
                                          .free = fixture_free,
                                          .context = fixture}};
    struct error error;
    assert_int_equal(heap_open(&fixture->heap, &options, &error), STATUS_OK);
}

/* Closes a healthy heap; everything must have gone back. */
static inline void fixture_close(struct fixture *fixture)
{
    assert_int_equal(heap_check(&fixture->heap), 0);
    heap_close(&fixture->heap);
    assert_int_equal(fixture->mapped, 0);
    assert_int_equal(fixture->blocks, 0);
}

static inline void *fixture_take(struct fixture *fixture, size_t size)
{
    void *block = heap_alloc(&fixture->heap, size, HEAP_RAW);
    assert_non_null(block);
    memset(block, 0xa5, size);
    return block;
}

static inline struct heap_stats fixture_stats(const struct fixture *fixture)
{
    struct heap_stats stats;
    heap_stats(&fixture->heap, &stats);
    return stats;
}

#endif
