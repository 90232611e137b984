/* Locked over glibc: a back end for small blocks and one thread, as an object runtime has it, in
 * the place of malloc.
 *
 * Requests up to the source's S_OWNED_MAX are the back end's. Larger ones, alignments beyond 16 and
 * whatever is asked for before the heap is open are libc's own malloc's.
 * A block that comes back is told apart by S_owns, the back end's address lookup. So a source that
 * is to be preloaded defines, besides the contract, the constant S_OWNED_MAX (the largest request
 * that is served from its own arenas) and
 *   static inline bool S_owns(const struct S_heap *, const void *);
 *
 * Alignment: malloc owes 16 bytes to every block, as programs keep flags in the low four bits.
 * Where the back end's own alignment is 8, requests are rounded up to a multiple of 16, which in
 * its pools are aligned to 16 (their headers are a multiple of 16 too). So preloaded, such a back
 * end has half of its size classes.
 *
 * Threads: one lock around the back end, not taken while the process has a single thread. Signals:
 * as malloc, none of this may be called from a handler that interrupted it. */
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

/* The two that count are compiled twice: without the lock into malloc and free themselves, and with
 * it, out of line, so that a process with one thread pays nothing for it. */
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

/* NULL: too large for the back end, or it is exhausted or not open. */
FACE_INLINE void *locked_alloc(size_t size)
{
    if (size > HEAPMILL_SOURCE_OWNED_MAX || !process_heap_is_open()) {
        return NULL;
    }
    return __builtin_expect(__libc_single_threaded, true) ? locked_source_alloc(size)
                                                          : locked_alloc_threaded(size);
}

/* Was it the back end's block? */
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

/* What the block can hold; 0: it is not the back end's. The heap is open, and locked. */
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
