/* The heap of a process into which a back end's library is preloaded. It is opened at the first
 * call of the family, which may come before any constructor has run, and is never closed.
 *
 * The adapter that includes this defines
 *  static const char heapmill_preload_threads[]: how it serves several threads
 *  void adapter_options(struct heap_options *): called at open
 *  void adapter_fork_prepare(void), _parent(void), _child(void): for pthread_atfork
 *  void adapter_stats(struct heap_stats *): of the open heap */
#ifndef HEAPMILL_PRELOAD_PROCESS_HEAP_H
#define HEAPMILL_PRELOAD_PROCESS_HEAP_H

#include <dlfcn.h>
#include <errno.h>
#include <gnu/lib-names.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "allocators/backend.h"
#include "allocators/system.h"
#include "common/os_memory.h"
#include "preload/early.h"

enum process_heap_state {
    PROCESS_HEAP_CLOSED,
    PROCESS_HEAP_OPENING,
    PROCESS_HEAP_OPEN,
    PROCESS_HEAP_FORKING, /* open, but not for the forking thread (process_heap_forker) */
};

static struct heap process_heap;
static _Atomic(enum process_heap_state) process_heap_state;

static pthread_t process_heap_forker;
static bool process_heap_libc_is_found;

static void adapter_options(struct heap_options *options);
static void adapter_fork_prepare(void);
static void adapter_fork_parent(void);
static void adapter_fork_child(void);
static void adapter_stats(struct heap_stats *);

/* The back end of this library, for `heapmill doctor` and for users. */
FACE_EXPORT extern const char heapmill_preload_name[];
const char heapmill_preload_name[] = HEAPMILL_BACKEND_NAME;

/* How it serves several threads, for `heapmill list` and for the records of threaded cells. */
FACE_EXPORT extern const char heapmill_preload_threads[];

/* Unmaps an arena and restores errno: free must keep it (POSIX 2024), and only this part of free
 * could change it. */
static void process_heap_unmap(void *context, void *address, size_t size)
{
    (void)context;
    int saved = errno;
    os_unmap(address, size);
    errno = saved;
}

/* ---------------------------------------------------------------- libc's own */
static bool process_heap_open(void);

/* Used until libc's functions are found; the first call of any of them does that. */
static void *process_heap_early_malloc(size_t size)
{
    (void)process_heap_open();
    return process_heap_libc_is_found ? system_libc.malloc(size) : early_alloc(size, 0);
}

static void *process_heap_early_calloc(size_t count, size_t size)
{
    (void)process_heap_open();
    return process_heap_libc_is_found ? system_libc.calloc(count, size)
                                      : early_alloc(family_product(count, size), 0);
}

static void *process_heap_early_realloc(void *block, size_t size)
{
    void *moved = process_heap_early_malloc(size);
    return block == NULL ? moved : early_move(block, moved, size);
}

static void *process_heap_early_memalign(size_t alignment, size_t size)
{
    (void)process_heap_open();
    return process_heap_libc_is_found ? system_libc.memalign(alignment, size)
                                      : early_alloc(size, alignment);
}

static void process_heap_early_free(void *block)
{
    (void)block;
}

static size_t process_heap_early_usable_size(void *block)
{
    return early_room(block);
}

struct system_libc system_libc = {
    .malloc = process_heap_early_malloc,
    .calloc = process_heap_early_calloc,
    .realloc = process_heap_early_realloc,
    .memalign = process_heap_early_memalign,
    .free = process_heap_early_free,
    .malloc_usable_size = process_heap_early_usable_size,
};

/* false: libc is not where it is expected. That cannot happen in a process that runs on it. */
static bool process_heap_find_libc(void)
{
    struct system_libc found;
    void *libc = dlopen(LIBC_SO, RTLD_LAZY | RTLD_NOLOAD);
    if (libc == NULL) {
        return false;
    }
#define FIND_(name)                                                                                \
    *(void **)&found.name = dlsym(libc, #name);                                                    \
    if (found.name == NULL) {                                                                      \
        return false;                                                                              \
    }
    FIND_(malloc)
    FIND_(calloc)
    FIND_(realloc)
    FIND_(memalign)
    FIND_(free)
    FIND_(malloc_usable_size)
    FIND_(malloc_trim)
    FIND_(mallopt)
    FIND_(mallinfo2)
#undef FIND_
    (void)dlclose(libc); /* libc stays loaded */
    system_libc = found;
    process_heap_libc_is_found = true;
    return true;
}

/* Frees a block that is not the heap's, with libc's free. */
static inline void process_heap_libc_free(void *block)
{
    if (__builtin_expect(!early_is(block), true)) {
        system_libc.free(block);
    }
}

static inline void *process_heap_libc_realloc(void *block, size_t size)
{
    return __builtin_expect(!early_is(block), true)
               ? system_libc.realloc(block, size)
               : early_move(block, system_libc.malloc(size), size);
}

static inline size_t process_heap_libc_usable_size(void *block)
{
    return early_is(block) ? early_room(block) : system_libc.malloc_usable_size(block);
}

/* ---------------------------------------------------------------- opening */
/* Opens the heap. Until it is open, allocations of this function and of other threads are served by
 * early.h, then by libc. The fork handlers are registered here, not in a constructor, which would
 * run after those of the program's libraries: handlers that are registered first run last before a
 * fork and first after it, so that other handlers may allocate. */
static __attribute__((noinline, cold)) bool process_heap_open(void)
{
    enum process_heap_state expected = PROCESS_HEAP_CLOSED;
    if (!atomic_compare_exchange_strong(&process_heap_state, &expected, PROCESS_HEAP_OPENING)) {
        return expected == PROCESS_HEAP_OPEN ||
               (expected == PROCESS_HEAP_FORKING && process_heap_forker != pthread_self());
    }
    int saved = errno;
    if (!process_heap_find_libc()) {
        fatal("libc's own malloc is not to be found");
    }
    struct heap_options options = {.os = {.unmap = process_heap_unmap}};
    adapter_options(&options);
    bool opened =
        heap_open(&process_heap, &options, NULL) == STATUS_OK &&
        pthread_atfork(adapter_fork_prepare, adapter_fork_parent, adapter_fork_child) == 0;
    /* If opening failed, the heap stays closed, and glibc serves the process. */
    atomic_store_explicit(&process_heap_state, opened ? PROCESS_HEAP_OPEN : PROCESS_HEAP_OPENING,
                          memory_order_release);
    errno = saved;
    return opened;
}

static inline bool process_heap_is_open(void)
{
    return __builtin_expect(atomic_load_explicit(&process_heap_state, memory_order_acquire) ==
                                PROCESS_HEAP_OPEN,
                            true) ||
           process_heap_open();
}

/* Trims the heap. Returns whether memory was given back. The caller serialises this. */
static inline bool process_heap_trim(void)
{
    struct heap_stats before, after;
    heap_stats(&process_heap, &before);
    heap_trim(&process_heap);
    heap_stats(&process_heap, &after);
    return after.held_bytes < before.held_bytes;
}

/* Adds what the heap holds. The caller serialises this. */
static inline void process_heap_add_info(struct mallinfo2 *info)
{
    struct heap_stats stats;
    heap_stats(&process_heap, &stats);
    info->arena += stats.held_bytes;
    info->uordblks += stats.usable_bytes;
    info->fordblks += stats.held_bytes - stats.usable_bytes;
    info->ordblks += stats.pools_free;
}

/* Statistics for libheapmill-tally.so, at the program's end. */
FACE_EXPORT void heapmill_preload_stats(struct heap_stats *stats);
FACE_EXPORT void heapmill_preload_stats(struct heap_stats *stats)
{
    if (process_heap_is_open()) {
        adapter_stats(stats);
    }
}

#endif
