/* libheapmill-NAME.so: a back end in the place of malloc, by LD_PRELOAD.
 *
 * Requests up to the source's S_OWNED_MAX are the back end's. Larger ones, alignments beyond 16 and
 * whatever is asked for before the heap is open are glibc's own malloc's, under its internal names.
 * A block that comes back is told apart by S_owns, the back end's address lookup. So a source that
 * is to be preloaded defines, besides the contract, the constant S_OWNED_MAX (the largest request
 * that is served from its own arenas) and
 *   static inline bool S_owns(const struct S_heap *, const void *);
 *
 * Alignment: malloc owes 16 bytes to whatever can hold a type that needs them. Where the back end's
 * own alignment is 8, requests beyond 8 bytes are rounded up to a multiple of 16, which in its
 * pools are aligned to 16 (their headers are a multiple of 16 too). So preloaded, such a back end
 * has half of its size classes.
 *
 * Threads: one lock around the back end, not taken while the process has a single thread
 * (__libc_single_threaded, glibc 2.32). Fork: the lock is held across it. Signals: as malloc, none
 * of this may be called from a handler that interrupted it. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/single_threaded.h>

#include "allocators/backend.h"
#include "allocators/system.h"
#include "common/os_memory.h"

#define PRELOAD_EXPORT __attribute__((visibility("default")))

enum { PRELOAD_ALIGNMENT = 16, PRELOAD_PAGE_BYTES = 4096 };

enum preload_state { PRELOAD_CLOSED, PRELOAD_OPENING, PRELOAD_OPEN };

static struct heap preload_heap;
static _Atomic(enum preload_state) preload_state;
static pthread_mutex_t preload_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Which back end this library is: `heapmill doctor` and curious users look it up. */
PRELOAD_EXPORT extern const char heapmill_preload_name[];
const char heapmill_preload_name[] = HEAPMILL_BACKEND_NAME;

/* How it serves several threads, for `heapmill list` and for the records of threaded cells. */
PRELOAD_EXPORT extern const char heapmill_preload_threads[];
const char heapmill_preload_threads[] = "single lock";

/* ---------------------------------------------------------------- opening */
/* free keeps errno (POSIX 2024), and giving an arena back is the only part of it that could change
 * it. */
static void preload_unmap(void *context, void *address, size_t size)
{
    (void)context;
    int saved = errno;
    os_unmap(address, size);
    errno = saved;
}

/* Opens the heap at the first call, which may come before any constructor has run. What opening
 * itself allocates (dlsym may), and other threads meanwhile, is served by glibc. */
__attribute__((noinline, cold)) static bool preload_open(void)
{
    enum preload_state expected = PRELOAD_CLOSED;
    if (!atomic_compare_exchange_strong(&preload_state, &expected, PRELOAD_OPENING)) {
        return expected == PRELOAD_OPEN;
    }
    int saved = errno;
    struct heap_options options = {.os = {.unmap = preload_unmap}};
    (void)system_usable_size(NULL); /* looks the function up, now that nothing is locked */
    bool opened = heap_open(&preload_heap, &options, NULL) == STATUS_OK;
    /* A heap that could not be opened stays so: glibc serves the process. */
    atomic_store_explicit(&preload_state, opened ? PRELOAD_OPEN : PRELOAD_OPENING,
                          memory_order_release);
    errno = saved;
    return opened;
}

static inline bool preload_is_open(void)
{
    return __builtin_expect(
               atomic_load_explicit(&preload_state, memory_order_acquire) == PRELOAD_OPEN, true) ||
           preload_open();
}

/* ---------------------------------------------------------------- the lock */
/* Whether it was taken: a process that has one thread now cannot get a second before the unlock. */
static inline bool preload_lock(void)
{
    if (__libc_single_threaded) {
        return false;
    }
    (void)pthread_mutex_lock(&preload_mutex);
    return true;
}

static inline void preload_unlock(bool locked)
{
    if (locked) {
        (void)pthread_mutex_unlock(&preload_mutex);
    }
}

static void preload_fork_prepare(void)
{
    (void)pthread_mutex_lock(&preload_mutex);
}

static void preload_fork_parent(void)
{
    (void)pthread_mutex_unlock(&preload_mutex);
}

static void preload_fork_child(void)
{
    preload_mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

/* Registered first, so that the lock is taken after all other prepare handlers have run, which may
 * allocate. */
__attribute__((constructor)) static void preload_start(void)
{
    (void)preload_is_open();
    (void)pthread_atfork(preload_fork_prepare, preload_fork_parent, preload_fork_child);
}

/* ---------------------------------------------------------------- the back end's blocks */
static inline size_t preload_round(size_t size)
{
    size += size == 0;
    if (HEAP_ALIGNMENT < PRELOAD_ALIGNMENT && size > HEAP_ALIGNMENT) {
        size = (size + PRELOAD_ALIGNMENT - 1) & ~(size_t)(PRELOAD_ALIGNMENT - 1);
    }
    return size;
}

/* NULL: too large for the back end, or it is exhausted or not open. */
static inline void *preload_alloc(size_t size)
{
    if (size > HEAPMILL_SOURCE_OWNED_MAX || !preload_is_open()) {
        return NULL;
    }
    bool locked = preload_lock();
    void *block = HEAP_SOURCE(alloc)(&preload_heap.source, preload_round(size), HEAP_RAW);
    preload_unlock(locked);
    return block;
}

/* What the block can hold; 0: it is not the back end's. */
static size_t preload_owned_bytes(const void *block)
{
    if (!preload_is_open()) {
        return 0;
    }
    bool locked = preload_lock();
    size_t bytes = 0;
    if (HEAP_SOURCE(owns)(&preload_heap.source, block)) {
        bytes = HEAP_SOURCE(usable_size)(&preload_heap.source, block, 0);
    }
    preload_unlock(locked);
    return bytes;
}

/* realloc of a block of the back end's, to a size within its reach. */
static void *preload_resize_owned(void *block, size_t old_bytes, size_t size)
{
    bool locked = preload_lock();
    void *moved =
        HEAP_SOURCE(resize)(&preload_heap.source, block, old_bytes, preload_round(size), HEAP_RAW);
    preload_unlock(locked);
    return moved;
}

static void *preload_memalign(size_t alignment, size_t size)
{
    if (alignment <= PRELOAD_ALIGNMENT) {
        return malloc(size < alignment ? alignment : size);
    }
    return __libc_memalign(alignment, size);
}

/* ---------------------------------------------------------------- the malloc family */
PRELOAD_EXPORT void *malloc(size_t size)
{
    void *block = preload_alloc(size);
    return __builtin_expect(block != NULL, true) ? block : __libc_malloc(size);
}

PRELOAD_EXPORT void free(void *block)
{
    if (block == NULL) {
        return;
    }
    if (preload_is_open()) {
        bool locked = preload_lock();
        bool owned = HEAP_SOURCE(owns)(&preload_heap.source, block);
        if (__builtin_expect(owned, true)) {
            HEAP_SOURCE(free_unsized)(&preload_heap.source, block);
        }
        preload_unlock(locked);
        if (__builtin_expect(owned, true)) {
            return;
        }
    }
    __libc_free(block);
}

PRELOAD_EXPORT void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = preload_alloc(bytes);
    return block != NULL ? memset(block, 0, bytes) : __libc_calloc(count, size);
}

PRELOAD_EXPORT void *realloc(void *block, size_t size)
{
    if (block == NULL) {
        return malloc(size);
    }
    size_t old_bytes = preload_owned_bytes(block);
    if (old_bytes == 0) {
        return __libc_realloc(block, size);
    }
    if (size == 0) { /* as glibc's */
        free(block);
        return NULL;
    }
    void *moved = NULL;
    if (size <= HEAPMILL_SOURCE_OWNED_MAX) {
        moved = preload_resize_owned(block, old_bytes, size);
    }
    if (moved == NULL) {
        moved = __libc_malloc(size);
        if (moved != NULL) {
            memcpy(moved, block, old_bytes < size ? old_bytes : size);
            free(block);
        }
    }
    return moved;
}

PRELOAD_EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

/* Returns the error and leaves errno and, on failure, *result alone. */
PRELOAD_EXPORT int posix_memalign(void **result, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    int saved = errno;
    void *block = preload_memalign(alignment, size);
    errno = saved;
    if (block == NULL) {
        return ENOMEM;
    }
    *result = block;
    return 0;
}

PRELOAD_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return preload_memalign(alignment, size);
}

PRELOAD_EXPORT void *memalign(size_t alignment, size_t size)
{
    return preload_memalign(alignment, size);
}

PRELOAD_EXPORT void *valloc(size_t size)
{
    return __libc_memalign(PRELOAD_PAGE_BYTES, size);
}

PRELOAD_EXPORT void *pvalloc(size_t size)
{
    if (size > SIZE_MAX - PRELOAD_PAGE_BYTES) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_memalign(PRELOAD_PAGE_BYTES, heap_round_up(size, PRELOAD_PAGE_BYTES));
}

PRELOAD_EXPORT size_t malloc_usable_size(void *block)
{
    if (block == NULL) {
        return 0;
    }
    size_t bytes = preload_owned_bytes(block);
    return bytes != 0 ? bytes : system_usable_size(block);
}
