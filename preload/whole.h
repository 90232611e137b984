/* Whole: a back end that serves every size and alignment, and takes calls from any thread
 * (HEAP_IS_WHOLE), is malloc by itself. Only two kinds of blocks are glibc's: those from before the
 * heap was open, and those of a library that finds libc first (dlmopen). They are told apart by
 *  static inline bool S_owns(const struct S_heap *, const void *);
 * which the source defines beside the contract, and which is true for the blocks of the heap.
 *
 * Threads: heap_os.thread_begin is called when a thread first keeps something for itself in the
 * heap. S_thread_end is called when that thread has ended, after its own destructors or between
 * them (pthread_key_create): if a later destructor frees a block, the thread begins anew and is
 * ended once more. Fork: S_fork is called by pthread_atfork. S_owns, and S_usable_size of a live
 * block, take no lock that S_fork holds. */
#ifndef HEAPMILL_PRELOAD_WHOLE_H
#define HEAPMILL_PRELOAD_WHOLE_H

#include <string.h>

#include "preload/process_heap.h"

_Static_assert(HEAP_ALIGNMENT >= FAMILY_ALIGNMENT, "malloc owes 16 bytes to every block");

const char heapmill_preload_threads[] = "yes";

static pthread_key_t whole_key;

/* ---------------------------------------------------------------- threads and fork */
static void whole_thread_end(void *heap)
{
    (void)heap;
    HEAP_SOURCE(thread_end)(&process_heap.source);
}

static void whole_thread_begin(void *context)
{
    (void)context;
    int saved = errno;
    (void)pthread_setspecific(whole_key, &process_heap);
    errno = saved;
}

static void adapter_options(struct heap_options *options)
{
    if (pthread_key_create(&whole_key, whole_thread_end) == 0) {
        options->os.thread_begin = whole_thread_begin;
    }
}

/* Other libraries' fork handlers may run while the heap's locks are held for the fork. Then
 * allocations of the forking thread are served by libc, and blocks of the heap that it frees wait
 * in a list, linked through their first words, until the fork is done. Other threads wait for the
 * locks and notice nothing. */
static void *whole_waiting;

static void adapter_fork_prepare(void)
{
    HEAP_SOURCE(fork)(&process_heap.source, HEAP_FORK_PREPARE);
    process_heap_forker = pthread_self();
    process_heap_state = PROCESS_HEAP_FORKING;
}

static void whole_fork_end(enum heap_fork phase)
{
    HEAP_SOURCE(fork)(&process_heap.source, phase);
    void *waiting = whole_waiting;
    whole_waiting = NULL;
    process_heap_state = PROCESS_HEAP_OPEN;
    while (waiting != NULL) {
        void *block = waiting;
        memcpy(&waiting, block, sizeof(waiting));
        HEAP_SOURCE(free_unsized)(&process_heap.source, block);
    }
}

static void adapter_fork_parent(void)
{
    whole_fork_end(HEAP_FORK_PARENT);
}

static void adapter_fork_child(void)
{
    whole_fork_end(HEAP_FORK_CHILD);
}

/* Is this a block of the heap that the forking thread frees before the fork is done? */
static bool whole_must_wait(const void *block)
{
    return process_heap_state == PROCESS_HEAP_FORKING && !process_heap_is_open() &&
           HEAP_SOURCE(owns)(&process_heap.source, block);
}

static __attribute__((noinline, cold)) void whole_free_other(void *block)
{
    if (whole_must_wait(block)) {
        memcpy(block, &whole_waiting, sizeof(whole_waiting));
        whole_waiting = block;
    } else {
        process_heap_libc_free(block);
    }
}

static __attribute__((noinline, cold)) void *whole_resize_other(void *block, size_t size)
{
    if (!whole_must_wait(block)) {
        return process_heap_libc_realloc(block, size);
    }
    size_t old_bytes = HEAP_SOURCE(usable_size)(&process_heap.source, block, 0);
    void *moved = system_libc.malloc(size);
    if (moved != NULL) {
        memcpy(moved, block, old_bytes < size ? old_bytes : size);
        whole_free_other(block);
    }
    return moved;
}

/* ---------------------------------------------------------------- the verbs */
static inline bool whole_owns(const void *block)
{
    return process_heap_is_open() &&
           __builtin_expect(HEAP_SOURCE(owns)(&process_heap.source, block), true);
}

/* Out of line and called last, so that the caller needs no stack frame for it. */
static __attribute__((noinline, cold)) void *whole_no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

/* Sets errno if the block is NULL, which means exhaustion. */
static inline void *whole_answer(void *block)
{
    return __builtin_expect(block != NULL, true) ? block : whole_no_memory();
}

FACE_INLINE void *adapter_alloc(size_t size)
{
    if (!process_heap_is_open()) {
        return system_libc.malloc(size);
    }
    return whole_answer(HEAP_SOURCE(alloc)(&process_heap.source, size, HEAP_RAW));
}

static inline void *adapter_alloc_zeroed(size_t size)
{
    if (!process_heap_is_open()) {
        return system_libc.calloc(1, size);
    }
    void *block = whole_answer(HEAP_SOURCE(alloc)(&process_heap.source, size, HEAP_RAW));
    return block != NULL ? memset(block, 0, size) : NULL;
}

static inline void *adapter_alloc_aligned(size_t alignment, size_t size)
{
    if (!process_heap_is_open()) {
        return system_libc.memalign(alignment, size);
    }
    return whole_answer(
        HEAP_SOURCE(alloc_aligned)(&process_heap.source, alignment, size, HEAP_RAW));
}

FACE_INLINE void adapter_free(void *block)
{
    if (whole_owns(block)) {
        HEAP_SOURCE(free_unsized)(&process_heap.source, block);
    } else {
        whole_free_other(block);
    }
}

static inline void adapter_free_sized(void *block, size_t size)
{
    if (whole_owns(block)) {
        HEAP_SOURCE(free)(&process_heap.source, block, size, HEAP_RAW);
    } else {
        whole_free_other(block);
    }
}

static inline void *adapter_resize(void *block, size_t size)
{
    if (!whole_owns(block)) {
        return whole_resize_other(block, size);
    }
    size_t old_bytes = HEAP_SOURCE(usable_size)(&process_heap.source, block, 0);
    return whole_answer(
        HEAP_SOURCE(resize)(&process_heap.source, block, old_bytes, size, HEAP_RAW));
}

static inline size_t adapter_usable_size(void *block)
{
    return whole_owns(block) || whole_must_wait(block)
               ? HEAP_SOURCE(usable_size)(&process_heap.source, block, 0)
               : process_heap_libc_usable_size(block);
}

static inline bool adapter_trim(size_t pad)
{
    (void)pad;
    return process_heap_is_open() && process_heap_trim();
}

/* The heap has none of glibc's parameters. Programs that set them can ignore that. */
static inline int adapter_option(int parameter, int value)
{
    (void)process_heap_is_open();
    return system_libc.mallopt(parameter, value);
}

static void adapter_stats(struct heap_stats *stats)
{
    heap_stats(&process_heap, stats);
}

static inline struct mallinfo2 adapter_info(void)
{
    struct mallinfo2 info = {0};
    if (process_heap_is_open()) {
        process_heap_add_info(&info);
    }
    return info;
}

#include "preload/serve.h"

#endif
