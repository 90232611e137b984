/* The manner of a library that watches: each call is passed on to the function of the same name in
 * the next library, with the arguments as they came, and nothing that the program sees is changed.
 * An allocator may implement one of its functions by another, which then comes back to us: such a
 * call is passed on and not watched.
 *
 * The adapter defines before it includes this header
 *   bool watch_begin(void);   is this call, of this thread, to be watched? Until watch_end no other
 *                             call of this thread is
 *   void watch_end(void);
 *   void watch_took(enum family_member, void *block, size_t bytes, size_t alignment);
 *                             a block was given out; alignment 0 is malloc's own
 *   void watch_gives(enum family_member, void *block);   a block is about to be taken back or moved
 *   void watch_keeps(enum family_member, void *block);   but it could not be moved, and stays
 *   void *watch_last(void);   the block of this thread's last watch_took
 * between watch_begin and watch_end; all leave errno alone. watch_took is called by face_NAME,
 * which is part of the exported function: a stack that is walked there has the program's call above
 * it. */
#ifndef HEAPMILL_PRELOAD_FORWARD_H
#define HEAPMILL_PRELOAD_FORWARD_H

#include <errno.h>

#include "preload/early.h"
#include "preload/next.h"

/* The program finds the next library's. */
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

/* The block is given up before it moves: afterwards another thread may have its address already. */
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

/* What a member that was not looked up at the start is found by, once it is called; what that
 * itself allocates is not the program's. */
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

/* An operator may throw, and so is called unwatched. The C++ library's calls malloc, which was
 * watched then; another allocator's may not. */
#define FORWARD_NEW_(name, parameters, arguments, bytes, alignment)                                \
    FACE_INLINE void *face_##name parameters                                                       \
    {                                                                                              \
        if (next.name == NULL) {                                                                   \
            *(void **)&next.name = forward_find(#name);                                            \
        }                                                                                          \
        if (next.name == NULL) {                                                                   \
            abort(); /* whoever calls it has such a library */                                     \
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
