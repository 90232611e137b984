/* The leak tracker as an adapter of preload/face.c: records each call and passes it on to the next
 * library. See leaktrack.h.
 *
 * If this thread is already inside (the unwinder loads a library, the report is being written, the
 * next library calls itself), the call is passed on and not recorded. Signals: as with malloc, none
 * of this may be called from a handler that interrupted it. */
#ifndef HEAPMILL_PRELOAD_LEAKTRACK_WATCH_H
#define HEAPMILL_PRELOAD_LEAKTRACK_WATCH_H

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdatomic.h>

#include "preload/family.h"
#include "preload/fork_lock.h"
#include "preload/leaktrack.h"

enum { LEAKTRACK_OWN_FRAMES = 2 /* leaktrack_note and the function that replaces malloc */ };

static struct fork_lock leaktrack_lock = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static _Thread_local bool leaktrack_inside;
static _Thread_local uintptr_t
    leaktrack_last;                 /* ~address, so that it does not look like a pointer */
static atomic_bool leaktrack_is_on; /* a report was requested and is not written yet */

/* ---------------------------------------------------------------- recording */
/* Records the block under the caller of the function that calls this. */
static __attribute__((noinline)) void leaktrack_note(void *block, size_t size)
{
    int saved = errno;
    void *frames[LEAKTRACK_FRAMES_MAX + LEAKTRACK_OWN_FRAMES];
    int depth = backtrace(frames, LEAKTRACK_FRAMES_MAX + LEAKTRACK_OWN_FRAMES);
    depth = depth > LEAKTRACK_OWN_FRAMES ? depth - LEAKTRACK_OWN_FRAMES : 0;
    bool locked = fork_lock_take(&leaktrack_lock);
    leaktrack_add(block, size, frames + LEAKTRACK_OWN_FRAMES, (uint32_t)depth);
    fork_lock_release(&leaktrack_lock, locked);
    leaktrack_last = ~(uintptr_t)block;
    errno = saved;
}

static inline bool watch_begin(void)
{
    if (leaktrack_inside || !atomic_load_explicit(&leaktrack_is_on, memory_order_relaxed)) {
        return false;
    }
    leaktrack_inside = true;
    return true;
}

static inline void watch_end(void)
{
    leaktrack_inside = false;
}

static inline void watch_took(enum family_member member, void *block, size_t bytes,
                              size_t alignment)
{
    (void)member;
    (void)alignment;
    leaktrack_note(block, bytes);
}

static inline void watch_gives(enum family_member member, void *block)
{
    (void)member;
    bool locked = fork_lock_take(&leaktrack_lock);
    leaktrack_remove(block);
    fork_lock_release(&leaktrack_lock, locked);
}

/* Records a block that could not be resized. Its size is no longer known: less than was asked for.
 * A program that is out of memory is seldom examined for leaks. */
static inline void watch_keeps(enum family_member member, void *block)
{
    (void)member;
    leaktrack_note(block, 0);
}

static inline void *watch_last(void)
{
    return (void *)~leaktrack_last;
}

#include "preload/forward.h"

/* ---------------------------------------------------------------- the process's life */
static void leaktrack_fork_prepare(void)
{
    fork_lock_prepare(&leaktrack_lock);
}

static void leaktrack_fork_parent(void)
{
    fork_lock_parent(&leaktrack_lock);
}

/* A child does not report its parent's blocks, only its own. It keeps the records, so that frees of
 * the parent's blocks are found. */
static void leaktrack_fork_child(void)
{
    fork_lock_child(&leaktrack_lock);
    leaktrack_books.inherited = leaktrack_books.allocations;
    (void)leaktrack_report_begin();
}

__attribute__((constructor)) static void leaktrack_start(void)
{
    void *frames[1];
    (void)next_is_ready();
    (void)backtrace(frames, 1); /* loads the unwinder, which allocates */
    (void)pthread_atfork(leaktrack_fork_prepare, leaktrack_fork_parent, leaktrack_fork_child);
    leaktrack_is_on = leaktrack_report_begin();
}

/* Runs after main and after the program's own destructors and atexit functions, as far as the
 * loader's order allows: a preloaded library is ended after the program that it was loaded with.
 * Threads that still exist wait at their next call, so that memory is not unmapped while it is
 * read. */
__attribute__((destructor)) static void leaktrack_finish(void)
{
    if (!leaktrack_is_on) {
        return;
    }
    leaktrack_inside = true;
    bool locked = fork_lock_take(&leaktrack_lock);
    leaktrack_sample_now();
    leaktrack_report_end(leaktrack_scan());
    leaktrack_is_on = false;
    fork_lock_release(&leaktrack_lock, locked);
}

#endif
