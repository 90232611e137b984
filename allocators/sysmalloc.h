/* The back end `malloc`: the process's own malloc, whichever library it lives in.
 *
 * Alone it is glibc's ptmalloc2 (Gloger, after Lea's dlmalloc): per-thread caches of 7 blocks a
 * size up to 1032 bytes, fast and small bins, and a top chunk that is trimmed from its end only, so
 * that one live block at the top keeps everything below it. With a library preloaded it is that
 * library; the worker asks where malloc lives and records the answer. All are reached through the
 * same PLT call, without size or type, which is what the arm `preload` means.
 *
 * Compiled with SYSMALLOC_SIZED, free is the sized one that the library exports (the arm
 * `preload-sized`): sdallocx of jemalloc, mi_free_size of mimalloc, tc_free_sized of tcmalloc.
 * Where it exports none (glibc, tbbmalloc), open fails with STATUS_UNSUPPORTED.
 *
 * gperftools' sized free puts a block in the list of the size's class, and its realloc leaves a
 * block that shrinks in its old class, and gives one that grows a larger class than its size's:
 * that free then spoils the lists, which threads soon crash over (2.10 and 2.16). So there the
 * sized arm moves a block that changes its class, and never calls realloc. */
#ifndef HEAPMILL_ALLOCATORS_SYSMALLOC_H
#define HEAPMILL_ALLOCATORS_SYSMALLOC_H

#include <malloc.h>
#include <string.h>

#include "allocators/heap.h"
#include "allocators/system.h"

/* A sized free must be told the alignment too (sdallocx), which the contract's is not. */
#ifdef SYSMALLOC_SIZED
#define SYSMALLOC_ALIGN_CAPABILITY 0
#else
#define SYSMALLOC_ALIGN_CAPABILITY HEAP_CAN_ALIGN
#endif
#define SYSMALLOC_CAPABILITIES                                                                     \
    (HEAP_CAN_FREE_UNSIZED | HEAP_CAN_USABLE_SIZE | SYSMALLOC_ALIGN_CAPABILITY |                   \
     HEAP_CAN_THREADS | HEAP_KEEPS_CONTENTS)

/* malloc's on x86-64 and arm64. Peers give 8 to blocks of 8 bytes, which the contract allows. */
#define SYSMALLOC_ALIGNMENT 16

struct sysmalloc_heap {
    /* One of the two, in the sized arm; both NULL otherwise. */
    void (*free_sized_flags)(void *block, size_t size, int flags); /* sdallocx */
    void (*free_sized)(void *block, size_t size);                  /* mi_free_size, tc_free_sized */
    /* tc_nallocx: the size of the class that serves size. NULL: realloc keeps to the size's class.
     */
    size_t (*class_size)(size_t size, int flags);
};

enum status sysmalloc_open(struct sysmalloc_heap *heap, const struct heap_options *options,
                           struct error *error);
void sysmalloc_close(struct sysmalloc_heap *heap);
void sysmalloc_trim(struct sysmalloc_heap *heap);
void sysmalloc_stats(const struct sysmalloc_heap *heap, struct heap_stats *stats);
void sysmalloc_walk(const struct sysmalloc_heap *heap, heap_visit *visit, void *context);
size_t sysmalloc_check(const struct sysmalloc_heap *heap);

static inline void sysmalloc_begin_run(struct sysmalloc_heap *heap)
{
    (void)heap;
}

static inline void *sysmalloc_alloc(struct sysmalloc_heap *heap, size_t size, enum heap_type type)
{
    (void)heap;
    (void)type;
    return system_malloc(size);
}

static inline void *sysmalloc_alloc_aligned(struct sysmalloc_heap *heap, size_t alignment,
                                            size_t size, enum heap_type type)
{
    (void)heap;
    (void)type;
    return system_memalign(alignment, size == 0 ? 1 : size); /* of 0, tbbmalloc gives nothing */
}

/* Threads and forks are malloc's own affair. */
static inline void sysmalloc_thread_end(struct sysmalloc_heap *heap)
{
    (void)heap;
}

static inline void sysmalloc_fork(struct sysmalloc_heap *heap, enum heap_fork phase)
{
    (void)heap;
    (void)phase;
}

static inline void sysmalloc_free_unsized(struct sysmalloc_heap *heap, void *block)
{
    (void)heap;
    system_free(block);
}

static inline void sysmalloc_free(struct sysmalloc_heap *heap, void *block, size_t size,
                                  enum heap_type type)
{
    (void)type;
#ifdef SYSMALLOC_SIZED
    if (heap->free_sized_flags != NULL) {
        heap->free_sized_flags(block, size == 0 ? 1 : size, 0);
    } else {
        heap->free_sized(block, size);
    }
#else
    (void)size;
    sysmalloc_free_unsized(heap, block);
#endif
}

#ifdef SYSMALLOC_SIZED
static inline void *sysmalloc_resize_by_class(struct sysmalloc_heap *heap, void *block,
                                              size_t old_size, size_t new_size)
{
    old_size = old_size == 0 ? 1 : old_size;
    if (heap->class_size(old_size, 0) == heap->class_size(new_size, 0)) {
        return block;
    }
    void *moved = system_malloc(new_size);
    if (moved != NULL) {
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
        sysmalloc_free(heap, block, old_size, HEAP_RAW);
    }
    return moved;
}
#endif

static inline void *sysmalloc_resize(struct sysmalloc_heap *heap, void *block, size_t old_size,
                                     size_t new_size, enum heap_type type)
{
    (void)old_size;
    (void)type;
    new_size = new_size == 0 ? 1 : new_size;
#ifdef SYSMALLOC_SIZED
    if (heap->class_size != NULL) {
        return sysmalloc_resize_by_class(heap, block, old_size, new_size);
    }
#else
    (void)heap;
#endif
    return system_realloc(block, new_size);
}

/* What `freelist` asks of the source under it. malloc cannot say whose a block is, and finds misuse
 * in free by itself. */
static inline bool sysmalloc_owns(const struct sysmalloc_heap *heap, const void *block)
{
    (void)heap;
    (void)block;
    return false;
}

static inline void sysmalloc_verify_free(const struct sysmalloc_heap *heap, const void *block,
                                         size_t size)
{
    (void)heap;
    (void)block;
    (void)size;
}

static inline size_t sysmalloc_usable_size(const struct sysmalloc_heap *heap, const void *block,
                                           size_t size)
{
    (void)heap;
    (void)size;
    return malloc_usable_size((void *)block);
}

#endif
