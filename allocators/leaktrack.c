/* The face of libheapmill-leaktrack.so: malloc and its family, each passed on to the next library
 * (glibc, or another preloaded allocator) and booked. See leaktrack.h.
 *
 * A call that is made while this thread is already inside (the unwinder loads a library, the report
 * is being written) is passed on and not booked. What is asked for before the next malloc has been
 * looked up comes from a small static buffer, and is never given back. Signals: as malloc, none of
 * this may be called from a handler that interrupted it. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "allocators/leaktrack.h"

#define LEAKTRACK_EXPORT __attribute__((visibility("default")))

enum {
    LEAKTRACK_EARLY_BYTES = 1 << 16,
    LEAKTRACK_OWN_FRAMES = 2, /* leaktrack_note and the function that stands in for malloc */
};

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void (*free)(void *);
} leaktrack_next;

static pthread_mutex_t leaktrack_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool leaktrack_inside;
static bool leaktrack_is_on; /* a report was asked for and is not yet written */
static _Alignas(16) unsigned char leaktrack_early[LEAKTRACK_EARLY_BYTES];
static size_t leaktrack_early_used;

/* ---------------------------------------------------------------- the next library */
static void *leaktrack_early_alloc(size_t size)
{
    size_t bytes = (size + 15) & ~(size_t)15;
    if (bytes < size || bytes > LEAKTRACK_EARLY_BYTES - leaktrack_early_used) {
        return NULL;
    }
    leaktrack_early_used += bytes;
    return &leaktrack_early[leaktrack_early_used - bytes];
}

static bool leaktrack_is_early(const void *block)
{
    return (uintptr_t)block - (uintptr_t)leaktrack_early < LEAKTRACK_EARLY_BYTES;
}

static void *leaktrack_look_up(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) {
        abort(); /* no C library has malloc and not the others */
    }
    return function;
}

/* False while the looking up is under way, whose own calls the static buffer serves. The first call
 * comes before there are threads: the loader makes it. */
static bool leaktrack_is_ready(void)
{
    static bool begun, done;
    if (__builtin_expect(!begun, 0)) {
        begun = true;
        *(void **)&leaktrack_next.malloc = leaktrack_look_up("malloc");
        *(void **)&leaktrack_next.calloc = leaktrack_look_up("calloc");
        *(void **)&leaktrack_next.realloc = leaktrack_look_up("realloc");
        *(void **)&leaktrack_next.memalign = leaktrack_look_up("memalign");
        *(void **)&leaktrack_next.free = leaktrack_look_up("free");
        done = true;
    }
    return done;
}

/* ---------------------------------------------------------------- booking */
/* Books the block under the caller of the function that calls this. */
static __attribute__((noinline)) void leaktrack_note(void *block, size_t size)
{
    if (block == NULL || !leaktrack_is_on || leaktrack_inside) {
        return;
    }
    int saved = errno;
    void *frames[LEAKTRACK_FRAMES_MAX + LEAKTRACK_OWN_FRAMES];
    leaktrack_inside = true;
    int depth = backtrace(frames, LEAKTRACK_FRAMES_MAX + LEAKTRACK_OWN_FRAMES);
    depth = depth > LEAKTRACK_OWN_FRAMES ? depth - LEAKTRACK_OWN_FRAMES : 0;
    (void)pthread_mutex_lock(&leaktrack_mutex);
    leaktrack_add(block, size, frames + LEAKTRACK_OWN_FRAMES, (uint32_t)depth);
    (void)pthread_mutex_unlock(&leaktrack_mutex);
    leaktrack_inside = false;
    errno = saved;
}

/* Before the block goes back: afterwards another thread may have its address already. */
static void leaktrack_forget(void *block)
{
    if (leaktrack_is_on && !leaktrack_inside) {
        leaktrack_inside = true;
        (void)pthread_mutex_lock(&leaktrack_mutex);
        leaktrack_remove(block);
        (void)pthread_mutex_unlock(&leaktrack_mutex);
        leaktrack_inside = false;
    }
}

/* ---------------------------------------------------------------- malloc and its family */
LEAKTRACK_EXPORT void *malloc(size_t size)
{
    if (!leaktrack_is_ready()) {
        return leaktrack_early_alloc(size);
    }
    void *block = leaktrack_next.malloc(size);
    leaktrack_note(block, size);
    return block;
}

LEAKTRACK_EXPORT void *calloc(size_t count, size_t size)
{
    if (!leaktrack_is_ready()) {
        return leaktrack_early_alloc(count * size); /* the loader's own: no overflow; zeroed */
    }
    void *block = leaktrack_next.calloc(count, size);
    leaktrack_note(block, count * size);
    return block;
}

LEAKTRACK_EXPORT void free(void *block)
{
    if (block == NULL || leaktrack_is_early(block) || !leaktrack_is_ready()) {
        return;
    }
    leaktrack_forget(block);
    leaktrack_next.free(block);
}

/* A block of the static buffer moves out of it; what lies behind its end there is ours too. */
static void *leaktrack_move_early(const void *block, size_t size)
{
    void *moved = leaktrack_is_ready() ? leaktrack_next.malloc(size) : leaktrack_early_alloc(size);
    size_t room = (size_t)(leaktrack_early + LEAKTRACK_EARLY_BYTES - (const unsigned char *)block);
    if (moved != NULL) {
        memcpy(moved, block, size < room ? size : room);
    }
    return moved;
}

LEAKTRACK_EXPORT void *realloc(void *block, size_t size)
{
    void *moved;
    if (leaktrack_is_early(block)) {
        moved = leaktrack_move_early(block, size);
    } else if (!leaktrack_is_ready()) {
        return leaktrack_early_alloc(size);
    } else {
        if (block != NULL) {
            leaktrack_forget(block);
        }
        moved = leaktrack_next.realloc(block, size);
        if (moved == NULL && size != 0 && block != NULL) {
            /* The block is still there. Its size is not known any more: what was asked for is more
             * than it has, and a program out of memory is seldom asked about leaks. */
            leaktrack_note(block, 0);
        }
    }
    leaktrack_note(moved, size);
    return moved;
}

LEAKTRACK_EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

LEAKTRACK_EXPORT void *memalign(size_t alignment, size_t size)
{
    if (!leaktrack_is_ready()) {
        return NULL;
    }
    void *block = leaktrack_next.memalign(alignment, size);
    leaktrack_note(block, size);
    return block;
}

LEAKTRACK_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    if (!leaktrack_is_ready()) {
        return NULL;
    }
    void *block = leaktrack_next.memalign(alignment, size);
    leaktrack_note(block, size);
    return block;
}

LEAKTRACK_EXPORT int posix_memalign(void **result, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) {
        return EINVAL;
    }
    if (!leaktrack_is_ready()) {
        return ENOMEM;
    }
    void *block = leaktrack_next.memalign(alignment, size);
    leaktrack_note(block, size);
    *result = block == NULL ? *result : block;
    return block == NULL ? ENOMEM : 0;
}

/* ---------------------------------------------------------------- the process's life */
static void leaktrack_fork_prepare(void)
{
    (void)pthread_mutex_lock(&leaktrack_mutex);
}

static void leaktrack_fork_done(void)
{
    (void)pthread_mutex_unlock(&leaktrack_mutex);
}

/* A child owes its parent's blocks nothing: it reports on what it allocates itself. Its books go
 * on, so that what it frees is found. */
static void leaktrack_fork_child(void)
{
    leaktrack_mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    leaktrack_books.inherited = leaktrack_books.allocations;
    (void)leaktrack_report_begin();
}

__attribute__((constructor)) static void leaktrack_start(void)
{
    void *frames[1];
    (void)leaktrack_is_ready();
    (void)backtrace(frames, 1); /* loads the unwinder, which allocates */
    (void)pthread_atfork(leaktrack_fork_prepare, leaktrack_fork_done, leaktrack_fork_child);
    leaktrack_is_on = leaktrack_report_begin();
}

/* After main and the program's own destructors and atexit functions, as far as the loader's order
 * goes: a preloaded library is ended after the program that it was loaded with. */
__attribute__((destructor)) static void leaktrack_finish(void)
{
    if (!leaktrack_is_on) {
        return;
    }
    leaktrack_inside = true;
    (void)pthread_mutex_lock(&leaktrack_mutex);
    leaktrack_is_on = false;
    leaktrack_sample_now();
    leaktrack_report_end(leaktrack_scan());
    (void)pthread_mutex_unlock(&leaktrack_mutex);
}
