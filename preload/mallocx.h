/* jemalloc's functions beside the malloc family (its manual, "Non-standard API"), over face_NAME.
 * A program that is linked to jemalloc mixes them with the family: Debian 13's redis-server asks
 * malloc_usable_size about a block of mallocx's. If we did not export them, the block would be
 * jemalloc's and the question ours.
 *
 * Of the flags the alignment and MALLOCX_ZERO are heeded; arenas and thread caches are jemalloc's
 * matter. */
#ifndef HEAPMILL_PRELOAD_MALLOCX_H
#define HEAPMILL_PRELOAD_MALLOCX_H

#include <string.h>

enum { MALLOCX_LG_ALIGN = 63, MALLOCX_ZERO = 64 };

FACE_EXPORT void *mallocx(size_t size, int flags);
FACE_EXPORT void *rallocx(void *block, size_t size, int flags);
FACE_EXPORT size_t xallocx(void *block, size_t size, size_t extra, int flags);
FACE_EXPORT size_t sallocx(const void *block, int flags);
FACE_EXPORT void dallocx(void *block, int flags);
FACE_EXPORT void sdallocx(void *block, size_t size, int flags);
FACE_EXPORT size_t nallocx(size_t size, int flags);

FACE_EXPORT void *mallocx(size_t size, int flags)
{
    size_t alignment = (size_t)1 << (flags & MALLOCX_LG_ALIGN);
    bool zero = (flags & MALLOCX_ZERO) != 0;
    if (zero && alignment <= FAMILY_ALIGNMENT) {
        return face_calloc(1, size);
    }
    void *block = face_memalign(alignment, size);
    return zero && block != NULL ? memset(block, 0, size) : block;
}

/* NULL: the block is as it was. */
FACE_EXPORT void *rallocx(void *block, size_t size, int flags)
{
    size_t alignment = (size_t)1 << (flags & MALLOCX_LG_ALIGN);
    size_t old = face_malloc_usable_size(block);
    if (alignment > FAMILY_ALIGNMENT) {
        void *moved = mallocx(size, flags);
        if (moved != NULL) {
            memcpy(moved, block, old < size ? old : size);
            face_free(block);
        }
        return moved;
    }
    void *moved = face_realloc(block, size);
    if (moved != NULL && (flags & MALLOCX_ZERO) != 0 && old < size) {
        memset((char *)moved + old, 0, size - old);
    }
    return moved;
}

/* Never moves the block, and need not resize it: the size that it has. */
FACE_EXPORT size_t xallocx(void *block, size_t size, size_t extra, int flags)
{
    (void)size;
    (void)extra;
    return sallocx(block, flags);
}

FACE_EXPORT size_t sallocx(const void *block, int flags)
{
    (void)flags;
    return face_malloc_usable_size((void *)(uintptr_t)block);
}

FACE_EXPORT void dallocx(void *block, int flags)
{
    (void)flags;
    face_free(block);
}

FACE_EXPORT void sdallocx(void *block, size_t size, int flags)
{
    (void)size; /* jemalloc allows any between what was asked for and what nallocx says */
    (void)flags;
    face_free(block);
}

/* What a caller may count on. */
FACE_EXPORT size_t nallocx(size_t size, int flags)
{
    (void)flags;
    return size;
}

#endif
