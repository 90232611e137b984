/* Passes each call on to the function of the same name in the next library, for adapters that only
 * watch. Arguments are unchanged, and so is everything that the program sees. An allocator may
 * implement one of its functions by another, which then comes back here: such a call is passed on
 * but not watched.
 *
 * Before it includes this header, the adapter defines the following functions. They are called
 * between watch_begin and watch_end, and all keep errno.
 *  bool watch_begin(void): must this call be watched? If so, no other call of this thread is
 *    watched until watch_end.
 *  void watch_end(void);
 *  void watch_took(enum family_member, void *block, size_t bytes, size_t alignment): a block was
 *    given out; alignment 0 is malloc's own.
 *  void watch_gives(enum family_member, void *block): a block is about to be taken back or moved.
 *  void watch_keeps(enum family_member, void *block): the block could not be moved, and stays.
 *  void *watch_last(void): the block of this thread's last watch_took.
 * face_NAME, which is part of the exported function, calls watch_took. In a stack that is walked
 * there, the next frame is the program's call. */
#ifndef HEAPMILL_PRELOAD_FORWARD_H
#define HEAPMILL_PRELOAD_FORWARD_H

#include <errno.h>

#include "preload/early.h"
#include "preload/next.h"

/* The program finds these members in the next library. */
#define FACE_ASKS 0

#define FORWARD_TAKE_(name, parameters, arguments, bytes, alignment)                               \
    FACE_INLINE void *face_##name parameters                                                       \
    {                                                                                              \
        if (!next_is_ready()) {                                                                    \
            return early_alloc(bytes, alignment);                                                  \
        }                                                                                          \
        bool watched = watch_begin();                                                              \
        void *block = next.name arguments;                                                         \
        if (watched) {                                                                             \
            if (block != NULL) {                                                                   \
                watch_took(FAMILY_##name, block, bytes, alignment);                                \
            }                                                                                      \
            watch_end();                                                                           \
        }                                                                                          \
        return block;                                                                              \
    }

/* Reports the block before it moves: afterwards another thread may already have its address. */
#define FORWARD_RESIZE_(name, parameters, arguments, old, bytes)                                   \
    FACE_INLINE void *face_##name parameters                                                       \
    {                                                                                              \
        bool early = early_is(old);                                                                \
        if (!early && !next_is_ready()) {                                                          \
            return early_alloc(bytes, 0);                                                          \
        }                                                                                          \
        bool watched = watch_begin();                                                              \
        if (watched && old != NULL && !early) {                                                    \
            watch_gives(FAMILY_##name, old);                                                       \
        }                                                                                          \
        void *moved = !early            ? next.name arguments                                      \
                      : next_is_ready() ? early_move(old, next.malloc(bytes), bytes)               \
                                        : early_move(old, early_alloc(bytes, 0), bytes);           \
        if (watched) {                                                                             \
            if (moved != NULL && !early_is(moved)) {                                               \
                watch_took(FAMILY_##name, moved, bytes, 0);                                        \
            } else if (old != NULL && !early && bytes != 0) {                                      \
                watch_keeps(FAMILY_##name, old);                                                   \
            }                                                                                      \
            watch_end();                                                                           \
        }                                                                                          \
        return moved;                                                                              \
    }

#define FORWARD_ALIGN_(name, parameters, arguments, bytes, alignment)                              \
    FACE_INLINE int face_##name parameters                                                         \
    {                                                                                              \
        if (!next_is_ready()) {                                                                    \
            return ENOMEM;                                                                         \
        }                                                                                          \
        bool watched = watch_begin();                                                              \
        int error = next.name arguments;                                                           \
        if (watched) {                                                                             \
            if (error == 0) {                                                                      \
                watch_took(FAMILY_##name, *result, bytes, alignment);                              \
            }                                                                                      \
            watch_end();                                                                           \
        }                                                                                          \
        return error;                                                                              \
    }

/* Finds a member that was not looked up at the start, when it is called. The allocations of the
 * lookup are not the program's. */
static __attribute__((noinline, cold)) void *forward_find(const char *name)
{
    bool watched = watch_begin();
    int saved = errno;
    void *function = next_find(name);
    errno = saved;
    if (watched) {
        watch_end();
    }
    return function;
}

/* An operator may throw, so it is called unwatched. The C++ library's operator calls malloc, which
 * is watched; another allocator's operator may not. */
#define FORWARD_NEW_(name, parameters, arguments, bytes, alignment)                                \
    FACE_INLINE void *face_##name parameters                                                       \
    {                                                                                              \
        if (next.name == NULL) {                                                                   \
            *(void **)&next.name = forward_find(#name);                                            \
        }                                                                                          \
        if (next.name == NULL) {                                                                   \
            abort(); /* cannot happen: the caller has a C++ library */                             \
        }                                                                                          \
        void *block = next.name arguments;                                                         \
        if (block != NULL && block != watch_last() && watch_begin()) {                             \
            watch_took(FAMILY_##name, block, bytes, alignment);                                    \
            watch_end();                                                                           \
        }                                                                                          \
        return block;                                                                              \
    }

#define FORWARD_GIVE_(name, parameters, arguments, old)                                            \
    FACE_INLINE void face_##name parameters                                                        \
    {                                                                                              \
        if (old == NULL || early_is(old) || !next_is_ready()) {                                    \
            return;                                                                                \
        }                                                                                          \
        if (next.name == NULL) {                                                                   \
            *(void **)&next.name = forward_find(#name);                                            \
        }                                                                                          \
        bool watched = watch_begin();                                                              \
        if (watched) {                                                                             \
            watch_gives(FAMILY_##name, old);                                                       \
        }                                                                                          \
        if (next.name != NULL) {                                                                   \
            next.name arguments;                                                                   \
        } else if (next.free != NULL) {                                                            \
            next.free(old);                                                                        \
        }                                                                                          \
        if (watched) {                                                                             \
            watch_end();                                                                           \
        }                                                                                          \
    }

FAMILY(FORWARD_TAKE_, FORWARD_RESIZE_, FORWARD_ALIGN_, FORWARD_NEW_, FORWARD_GIVE_, FAMILY_SKIP)

#endif
