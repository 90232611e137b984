/* Locked over glibc: a back end for small blocks and one thread, as an object runtime uses it, in
 * place of malloc.
 *
 * The back end serves requests up to the source's S_OWNED_MAX. libc's own malloc serves larger
 * ones, alignments beyond 16, and all requests before the heap is open. S_owns, the back end's
 * address lookup, tells whose block is freed. So beside the contract, a source that can be
 * preloaded defines the constant S_OWNED_MAX (the largest request that it serves from its own
 * arenas) and
 *  static inline bool S_owns(const struct S_heap *, const void *);
 *
 * Alignment: malloc guarantees 16 bytes for every block, and programs keep flags in the low four
 * bits. If the back end's own alignment is 8, requests are rounded up to a multiple of 16; such
 * blocks are aligned to 16 in its pools (their headers are a multiple of 16 too). So a preloaded
 * back end of this kind has half of its size classes.
 *
 * Threads: one lock around the back end, which is not taken while the process has a single thread.
 * Signals: as with malloc, none of this may be called from a handler that interrupted it. */
#ifndef HEAPMILL_PRELOAD_LOCKED_H
#define HEAPMILL_PRELOAD_LOCKED_H

#include <string.h>

#include "preload/fork_lock.h"
#include "preload/process_heap.h"

const char heapmill_preload_threads[] = "single lock";

static struct fork_lock locked_lock = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void adapter_options(struct heap_options *options)
{
    (void)options;
}

static void adapter_fork_prepare(void)
{
    fork_lock_prepare(&locked_lock);
}

static void adapter_fork_parent(void)
{
    fork_lock_parent(&locked_lock);
}

static void adapter_fork_child(void)
{
    fork_lock_child(&locked_lock);
}

/* ---------------------------------------------------------------- the back end's blocks */
static inline size_t locked_round(size_t size)
{
    if (HEAP_ALIGNMENT < FAMILY_ALIGNMENT) {
        size += size == 0;
        size = (size + FAMILY_ALIGNMENT - 1) & ~(size_t)(FAMILY_ALIGNMENT - 1);
    }
    return size;
}

/* These two functions decide the speed, and are compiled twice: without the lock inside malloc and
 * free, and with the lock out of line. So a process with one thread does not pay for the lock. */
FACE_INLINE void *locked_source_alloc(size_t size)
{
    return HEAP_SOURCE(alloc)(&process_heap.source, locked_round(size), HEAP_RAW);
}

static __attribute__((noinline)) void *locked_alloc_threaded(size_t size)
{
    bool locked = fork_lock_take(&locked_lock);
    void *block = locked_source_alloc(size);
    fork_lock_release(&locked_lock, locked);
    return block;
}

/* NULL: the request is too large for the back end, or the back end is exhausted or not open. */
FACE_INLINE void *locked_alloc(size_t size)
{
    if (size > HEAPMILL_SOURCE_OWNED_MAX || !process_heap_is_open()) {
        return NULL;
    }
    return __builtin_expect(__libc_single_threaded, true) ? locked_source_alloc(size)
                                                          : locked_alloc_threaded(size);
}

/* Frees the block if it is the back end's. Returns whether it is. */
FACE_INLINE bool locked_source_free(void *block)
{
    bool owned = HEAP_SOURCE(owns)(&process_heap.source, block);
    if (__builtin_expect(owned, true)) {
        HEAP_SOURCE(free_unsized)(&process_heap.source, block);
    }
    return owned;
}

static __attribute__((noinline)) bool locked_free_threaded(void *block)
{
    bool locked = fork_lock_take(&locked_lock);
    bool owned = locked_source_free(block);
    fork_lock_release(&locked_lock, locked);
    return owned;
}

/* The usable bytes of the block; 0: it is not the back end's. The heap must be open and locked. */
static inline size_t locked_owned_bytes(const void *block)
{
    return HEAP_SOURCE(owns)(&process_heap.source, block)
               ? HEAP_SOURCE(usable_size)(&process_heap.source, block, 0)
               : 0;
}

/* ---------------------------------------------------------------- the verbs */
FACE_INLINE void *adapter_alloc(size_t size)
{
    void *block = locked_alloc(size);
    return __builtin_expect(block != NULL, true) ? block : system_libc.malloc(size);
}

static inline void *adapter_alloc_zeroed(size_t size)
{
    void *block = locked_alloc(size);
    return block != NULL ? memset(block, 0, size) : system_libc.calloc(1, size);
}

static inline void *adapter_alloc_aligned(size_t alignment, size_t size)
{
    return system_libc.memalign(alignment, size);
}

FACE_INLINE void adapter_free(void *block)
{
    if (process_heap_is_open() && __builtin_expect(__builtin_expect(__libc_single_threaded, true)
                                                       ? locked_source_free(block)
                                                       : locked_free_threaded(block),
                                                   true)) {
        return;
    }
    process_heap_libc_free(block);
}

static inline void adapter_free_sized(void *block, size_t size)
{
    (void)size;
    adapter_free(block);
}

static inline void *adapter_resize(void *block, size_t size)
{
    size_t old_bytes = 0;
    void *moved = NULL;
    if (process_heap_is_open()) {
        bool locked = fork_lock_take(&locked_lock);
        old_bytes = locked_owned_bytes(block);
        if (old_bytes != 0 && size <= HEAPMILL_SOURCE_OWNED_MAX) {
            moved = HEAP_SOURCE(resize)(&process_heap.source, block, old_bytes, locked_round(size),
                                        HEAP_RAW);
        }
        fork_lock_release(&locked_lock, locked);
    }
    if (old_bytes == 0) {
        return process_heap_libc_realloc(block, size);
    }
    if (moved == NULL) {
        moved = system_libc.malloc(size);
        if (moved != NULL) {
            memcpy(moved, block, old_bytes < size ? old_bytes : size);
            adapter_free(block);
        }
    }
    return moved;
}

static inline size_t adapter_usable_size(void *block)
{
    size_t bytes = 0;
    if (process_heap_is_open()) {
        bool locked = fork_lock_take(&locked_lock);
        bytes = locked_owned_bytes(block);
        fork_lock_release(&locked_lock, locked);
    }
    return bytes != 0 ? bytes : process_heap_libc_usable_size(block);
}

static inline bool adapter_trim(size_t pad)
{
    bool given = false;
    if (process_heap_is_open()) {
        bool locked = fork_lock_take(&locked_lock);
        given = process_heap_trim();
        fork_lock_release(&locked_lock, locked);
    }
    return system_libc.malloc_trim(pad) != 0 || given;
}

static inline int adapter_option(int parameter, int value)
{
    (void)process_heap_is_open();
    return system_libc.mallopt(parameter, value);
}

static void adapter_stats(struct heap_stats *stats)
{
    bool locked = fork_lock_take(&locked_lock);
    heap_stats(&process_heap, stats);
    fork_lock_release(&locked_lock, locked);
}

static inline struct mallinfo2 adapter_info(void)
{
    bool open = process_heap_is_open();
    struct mallinfo2 info = system_libc.mallinfo2();
    if (open) {
        bool locked = fork_lock_take(&locked_lock);
        process_heap_add_info(&info);
        fork_lock_release(&locked_lock, locked);
    }
    return info;
}

#include "preload/serve.h"

#endif
