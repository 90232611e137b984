/* What tells a leak detector from outside about a back end's blocks. In builds with
 * HEAPMILL_ANNOTATE alone, which no timed program is; backend.h includes it in the place of its own
 * bindings, so that every source is annotated alike. Sources whose blocks are malloc's own need
 * none of it.
 *
 *   ANNOTATE_MEMCHECK  valgrind's mempool requests: each block is a chunk of its own. Arenas come
 *                      from malloc, as memcheck scans what is mapped as a root; it takes a malloc
 *                      block with chunks in it for no block at all. Redzones are of 0 bytes, as
 *                      blocks lie end to end. One block of malloc's is always there, as memcheck
 *                      otherwise says that no leaks are possible. What the back end writes into
 *                      free blocks is no error.
 *   ANNOTATE_ROOTS     LeakSanitizer, in place: arenas are root regions, so that what only a pool's
 *                      blocks point at is not called lost; free blocks are poisoned (by
 *                      pymalloc_inline.h), so that old pointers in them hide nothing. A block in a
 *                      pool is still no chunk: LeakSanitizer can never call one lost.
 *   ANNOTATE_SHADOW    LeakSanitizer, by shadow: the back end hands out its blocks and takes them
 *                      back as ever, but the program is given a malloc block in the place of each,
 *                      which LeakSanitizer knows. It so sees every block and the program's
 *                      pointers; it does not see what lies where in a pool.
 *
 * One heap of a thread at a time, as ever. Blocks that heap_walk visits are not those of the
 * program under ANNOTATE_SHADOW. */
#ifndef HEAPMILL_ALLOCATORS_ANNOTATE_H
#define HEAPMILL_ALLOCATORS_ANNOTATE_H

#include <stdlib.h>
#include <string.h>

#include "common/os_memory.h"

#define ANNOTATE_MEMCHECK 1
#define ANNOTATE_ROOTS 2
#define ANNOTATE_SHADOW 3

#if HEAPMILL_ANNOTATE == ANNOTATE_MEMCHECK
#include <valgrind/memcheck.h>
#else
#include <sanitizer/lsan_interface.h>
#endif

/* ---------------------------------------------------------------- the layers above
 * What they map for their tables holds pointers too; memcheck scans it unasked. A root region that
 * is no longer mapped is passed over (lsan_common.cpp, ProcessRootRegion), so that none is taken
 * back. */
#if HEAPMILL_ANNOTATE != ANNOTATE_MEMCHECK
static inline void *annotate_map_table(size_t size)
{
    void *table = os_map_scratch(size);
    if (table != NULL) {
        __lsan_register_root_region(table, size);
    }
    return table;
}
#define os_map_scratch annotate_map_table
#endif

/* ---------------------------------------------------------------- arenas */
#if HEAPMILL_ANNOTATE == ANNOTATE_MEMCHECK
static inline void *annotate_map(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}
static inline void annotate_unmap(void *context, void *address, size_t size)
{
    (void)context;
    (void)size;
    free(address);
}
#else
static inline void *annotate_map(void *context, size_t size)
{
    (void)context;
    void *arena = os_map(size);
    if (arena != NULL && HEAPMILL_ANNOTATE == ANNOTATE_ROOTS) {
        __lsan_register_root_region(arena, size);
    }
    return arena;
}
static inline void annotate_unmap(void *context, void *address, size_t size)
{
    (void)context;
    if (HEAPMILL_ANNOTATE == ANNOTATE_ROOTS) {
        __lsan_unregister_root_region(address, size);
    }
    os_unmap(address, size);
}
#endif

static inline enum status annotate_open(struct heap *heap, const struct heap_options *options,
                                        struct error *error)
{
    struct heap_options annotated = options == NULL ? (struct heap_options){0} : *options;
    if (annotated.os.map == NULL) {
        annotated.os.map = annotate_map;
        annotated.os.unmap = annotate_unmap;
    }
    enum status status = HEAP_SOURCE(open)(&heap->source, &annotated, error);
#if HEAPMILL_ANNOTATE == ANNOTATE_MEMCHECK
    static void *volatile annotate_sentinel;
    if (annotate_sentinel == NULL) {
        annotate_sentinel = malloc(1);
    }
    if (status == STATUS_OK) {
        VALGRIND_CREATE_MEMPOOL(heap, 0, 0);
    }
#endif
    return status;
}

static inline void annotate_close(struct heap *heap)
{
#if HEAPMILL_ANNOTATE == ANNOTATE_MEMCHECK
    VALGRIND_DESTROY_MEMPOOL(heap);
#endif
    HEAP_SOURCE(close)(&heap->source);
}

/* ---------------------------------------------------------------- blocks */
#if HEAPMILL_ANNOTATE == ANNOTATE_MEMCHECK
#define annotate_slot(block) (block)

static inline void *annotate_alloc(struct heap *heap, size_t size, enum heap_type type)
{
    VALGRIND_DISABLE_ERROR_REPORTING;
    void *block = HEAP_SOURCE(alloc)(&heap->source, size, type);
    VALGRIND_ENABLE_ERROR_REPORTING;
    if (block != NULL) {
        VALGRIND_MEMPOOL_ALLOC(heap, block, size == 0 ? 1 : size);
    }
    return block;
}

static inline void annotate_free(struct heap *heap, void *block, size_t size, enum heap_type type)
{
    VALGRIND_MEMPOOL_FREE(heap, block);
    VALGRIND_DISABLE_ERROR_REPORTING;
    HEAP_SOURCE(free)(&heap->source, block, size, type);
    VALGRIND_ENABLE_ERROR_REPORTING;
}

/* What the back end copied into memory that was free is not known to be there: what the old block
 * held counts as written, all of it. */
static inline void *annotate_resize(struct heap *heap, void *block, size_t old_size,
                                    size_t new_size, enum heap_type type)
{
    VALGRIND_DISABLE_ERROR_REPORTING;
    void *moved = HEAP_SOURCE(resize)(&heap->source, block, old_size, new_size, type);
    VALGRIND_ENABLE_ERROR_REPORTING;
    if (moved != NULL) {
        VALGRIND_MEMPOOL_CHANGE(heap, block, moved, new_size == 0 ? 1 : new_size);
        (void)VALGRIND_MAKE_MEM_NOACCESS(block, old_size);
        (void)VALGRIND_MAKE_MEM_UNDEFINED(moved, new_size);
        (void)VALGRIND_MAKE_MEM_DEFINED(moved, old_size < new_size ? old_size : new_size);
    }
    return moved;
}
#elif HEAPMILL_ANNOTATE == ANNOTATE_ROOTS
#define annotate_slot(block) (block)
#define annotate_alloc(heap, size, type) HEAP_SOURCE(alloc)(&(heap)->source, size, type)
#define annotate_free(heap, block, size, type) HEAP_SOURCE(free)(&(heap)->source, block, size, type)
#define annotate_resize(heap, block, old_size, new_size, type)                                     \
    HEAP_SOURCE(resize)(&(heap)->source, block, old_size, new_size, type)
#else
/* Before each shadow; 16 bytes, for the alignment. LeakSanitizer's figures contain it. */
struct annotate_header {
    void *slot; /* the back end's block */
    size_t spare;
};
_Static_assert(sizeof(struct annotate_header) == 16, "shadows are aligned as malloc's blocks");

static inline void *annotate_slot(const void *block)
{
    return ((const struct annotate_header *)block - 1)->slot;
}

/* The slot is noted; one that is malloc's own, a large block, is not lost when its shadow is. */
static inline void *annotate_note(struct annotate_header *header, void *slot)
{
    header->slot = slot;
    __lsan_ignore_object(slot);
    return header + 1;
}

static inline void *annotate_alloc(struct heap *heap, size_t size, enum heap_type type)
{
    void *slot = HEAP_SOURCE(alloc)(&heap->source, size, type);
    if (slot == NULL) {
        return NULL;
    }
    struct annotate_header *header = malloc(sizeof(*header) + size + (size == 0));
    if (header == NULL) {
        HEAP_SOURCE(free)(&heap->source, slot, size, type);
        return NULL;
    }
    return annotate_note(header, slot);
}

static inline void annotate_free(struct heap *heap, void *block, size_t size, enum heap_type type)
{
    HEAP_SOURCE(free)(&heap->source, annotate_slot(block), size, type);
    free((struct annotate_header *)block - 1);
}

/* The shadow moves first, by copying, so that a refusal of either leaves both as they were. */
static inline void *annotate_resize(struct heap *heap, void *block, size_t old_size,
                                    size_t new_size, enum heap_type type)
{
    struct annotate_header *header = malloc(sizeof(*header) + new_size + (new_size == 0));
    void *slot = header == NULL ? NULL
                                : HEAP_SOURCE(resize)(&heap->source, annotate_slot(block), old_size,
                                                      new_size, type);
    if (slot == NULL) {
        free(header);
        return NULL;
    }
    memcpy(header + 1, block, old_size < new_size ? old_size : new_size);
    free((struct annotate_header *)block - 1);
    return annotate_note(header, slot);
}
#endif

#endif
