/* jemalloc's functions beside the malloc family (its manual, "Non-standard API"), made of
 * face_NAME. A program that is linked to jemalloc mixes them with the family: Debian 13's
 * redis-server asks malloc_usable_size about a block of mallocx. If heapmill did not export them,
 * that block would be jemalloc's and the question would go to the wrong allocator.
 *
 * Of the flags, the alignment and MALLOCX_ZERO are used. Arenas and thread caches are ignored. */
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

/* NULL: the block is unchanged. */
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

/* Returns the block's size. xallocx never moves a block, and is free not to resize it. */
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
    (void)size; /* jemalloc allows any size from the requested one to that of nallocx */
    (void)flags;
    face_free(block);
}

/* The size that a caller can rely on. */
FACE_EXPORT size_t nallocx(size_t size, int flags)
{
    (void)flags;
    return size;
}

#endif
