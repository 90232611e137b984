/* The manner of a library whose blocks are its own: glibc's malloc family, made of the verbs that
 * the adapter defines before it includes this header.
 *   void *adapter_alloc(size_t size);          0 counts as 1; aligned to FAMILY_ALIGNMENT
 *   void *adapter_alloc_zeroed(size_t size);
 *   void *adapter_alloc_aligned(size_t alignment, size_t size);   a power of two above
 *                                              FAMILY_ALIGNMENT
 *   void *adapter_resize(void *block, size_t size);   block is not NULL, size not 0
 *   void adapter_free(void *block);            not NULL; leaves errno alone
 *   void adapter_free_sized(void *block, size_t size);   the size is what the caller believes
 *   size_t adapter_usable_size(void *block);   not NULL; also of a block of libc's
 *   struct mallinfo2 adapter_info(void);       what it holds; and for glibc's controls
 *   bool adapter_trim(size_t pad);             was anything given back?
 *   int adapter_option(int parameter, int value);   as mallopt
 * Those that give a block return NULL with errno ENOMEM when there is none.
 *
 * What glibc does, and programs rely on (malloc.c of 2.36; aligned_alloc as of 2.38 there): malloc
 * of 0 gives a block; realloc to 0 frees and returns NULL; a product that overflows is ENOMEM; an
 * alignment that is no power of two is rounded up to one, but for posix_memalign, where it is
 * EINVAL. */
#ifndef HEAPMILL_PRELOAD_SERVE_H
#define HEAPMILL_PRELOAD_SERVE_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>

#include "common/status.h"
#include "preload/cxx.h"
#include "preload/family.h"

#define FACE_ASKS 1

/* glibc's memalign raises smaller alignments to this one, its MINSIZE. */
enum { SERVE_ALIGNMENT_MIN = 32 };

/* ---------------------------------------------------------------- allocation */
FACE_INLINE void *face_malloc(size_t size)
{
    return adapter_alloc(size);
}

FACE_INLINE void *face_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return adapter_alloc_zeroed(bytes);
}

static inline bool serve_is_power_of_two(size_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static __attribute__((noinline)) void *serve_alloc_aligned(size_t alignment, size_t size)
{
    if (alignment > SIZE_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    size_t power = SERVE_ALIGNMENT_MIN;
    while (power < alignment) {
        power *= 2;
    }
    return adapter_alloc_aligned(power, size);
}

FACE_INLINE void *face_memalign(size_t alignment, size_t size)
{
    return alignment <= FAMILY_ALIGNMENT ? adapter_alloc(size)
                                         : serve_alloc_aligned(alignment, size);
}

FACE_INLINE void *face_aligned_alloc(size_t alignment, size_t size)
{
#if __GLIBC_PREREQ(2, 38)
    if (!serve_is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
#endif
    return face_memalign(alignment, size);
}

FACE_INLINE int face_posix_memalign(void **result, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) != 0 || !serve_is_power_of_two(alignment)) {
        return EINVAL;
    }
    void *block = face_memalign(alignment, size);
    if (block == NULL) {
        return ENOMEM;
    }
    *result = block;
    return 0;
}

FACE_INLINE void *face_valloc(size_t size)
{
    return serve_alloc_aligned(FAMILY_PAGE_BYTES, size);
}

FACE_INLINE void *face_pvalloc(size_t size)
{
    size_t page = FAMILY_PAGE_BYTES;
    if (size > SIZE_MAX - (page - 1)) {
        errno = ENOMEM;
        return NULL;
    }
    return serve_alloc_aligned(page, (size + page - 1) & ~(page - 1));
}

/* ---------------------------------------------------------------- freeing and resizing */
FACE_INLINE void serve_give(void *block)
{
    if (block != NULL) {
        adapter_free(block);
    }
}

FACE_INLINE void *face_realloc(void *block, size_t size)
{
    if (block == NULL) {
        return adapter_alloc(size);
    }
    if (size == 0) {
        adapter_free(block);
        return NULL;
    }
    return adapter_resize(block, size);
}

FACE_INLINE void *face_reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return face_realloc(block, bytes);
}

/* ---------------------------------------------------------------- other names */
#define face___libc_malloc face_malloc
#define face___libc_calloc face_calloc
#define face___libc_memalign face_memalign
#define face___libc_valloc face_valloc
#define face___libc_pvalloc face_pvalloc
#define face___libc_realloc face_realloc

/* The C++ library decides what happens without memory (the new-handler, std::bad_alloc): its own
 * operator is called, which asks our malloc once more. */
static __attribute__((noinline, cold)) void *serve_cxx_operator(const char *name)
{
    void *function = cxx_symbol(name);
    if (function == NULL) {
        fatal("operator new is out of memory, and no C++ library is loaded that could say so");
    }
    return function;
}

#define SERVE_NEW_(name, parameters, arguments, bytes, alignment)                                  \
    FACE_INLINE void *face_##name parameters                                                       \
    {                                                                                              \
        void *block = face_memalign(alignment, bytes);                                             \
        if (__builtin_expect(block == NULL, 0)) {                                                  \
            void *(*function)parameters;                                                           \
            *(void **)&function = serve_cxx_operator(#name);                                       \
            block = function arguments;                                                            \
        }                                                                                          \
        return block;                                                                              \
    }
/* free has its own inlined copy of this; the other functions share this one. */
static __attribute__((noinline)) void serve_give_shared(void *block)
{
    serve_give(block);
}

/* These have the size, which an adapter may check. Their rows are not used. */
#define face_free_sized face_row_free_sized
#define face_free_aligned_sized face_row_free_aligned_sized
#define face__ZdlPvm face_row__ZdlPvm
#define face__ZdaPvm face_row__ZdaPvm
#define face__ZdlPvmSt11align_val_t face_row__ZdlPvmSt11align_val_t
#define face__ZdaPvmSt11align_val_t face_row__ZdaPvmSt11align_val_t

#define SERVE_GIVE_(name, parameters, arguments, block)                                            \
    FACE_INLINE void face_##name parameters                                                        \
    {                                                                                              \
        if (__builtin_strcmp(#name, "free") == 0) {                                                \
            serve_give(block);                                                                     \
        } else {                                                                                   \
            serve_give_shared(block);                                                              \
        }                                                                                          \
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter" /* sizes, and std::nothrow */
FAMILY(FAMILY_SKIP, FAMILY_SKIP, FAMILY_SKIP, SERVE_NEW_, SERVE_GIVE_, FAMILY_SKIP)
#pragma GCC diagnostic pop
#undef face_free_sized
#undef face_free_aligned_sized
#undef face__ZdlPvm
#undef face__ZdaPvm
#undef face__ZdlPvmSt11align_val_t
#undef face__ZdaPvmSt11align_val_t

static __attribute__((noinline)) void face_free_sized(void *block, size_t size)
{
    if (block != NULL) {
        adapter_free_sized(block, size);
    }
}
#define face__ZdlPvm face_free_sized
#define face__ZdaPvm face_free_sized
#define face_free_aligned_sized(block, alignment, size)                                            \
    ((void)(alignment), face_free_sized(block, size))
#define face__ZdlPvmSt11align_val_t(block, size, alignment)                                        \
    face_free_aligned_sized(block, alignment, size)
#define face__ZdaPvmSt11align_val_t(block, size, alignment)                                        \
    face_free_aligned_sized(block, alignment, size)

/* ---------------------------------------------------------------- questions */
FACE_INLINE size_t face_malloc_usable_size(void *block)
{
    return block == NULL ? 0 : adapter_usable_size(block);
}

FACE_INLINE int face_malloc_trim(size_t pad)
{
    return adapter_trim(pad);
}

FACE_INLINE int face_mallopt(int parameter, int value)
{
    return adapter_option(parameter, value);
}

FACE_INLINE struct mallinfo2 face_mallinfo2(void)
{
    return adapter_info();
}

/* Values above 2 GiB wrap, as in glibc; mallinfo2 exists for that. */
FACE_INLINE struct mallinfo face_mallinfo(void)
{
    struct mallinfo2 info = adapter_info();
    return (struct mallinfo){.arena = (int)info.arena,
                             .ordblks = (int)info.ordblks,
                             .hblks = (int)info.hblks,
                             .hblkhd = (int)info.hblkhd,
                             .uordblks = (int)info.uordblks,
                             .fordblks = (int)info.fordblks,
                             .keepcost = (int)info.keepcost};
}

/* Prints those of glibc's elements that are sums. */
FACE_INLINE int face_malloc_info(int options, FILE *file)
{
    if (options != 0) {
        return EINVAL;
    }
    struct mallinfo2 info = adapter_info();
    (void)fprintf(file,
                  "<malloc version=\"1\">\n"
                  "<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n"
                  "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
                  "<system type=\"current\" size=\"%zu\"/>\n</malloc>\n",
                  info.ordblks, info.fordblks, info.hblks, info.hblkhd, info.arena);
    return 0;
}

FACE_INLINE void face_malloc_stats(void)
{
    struct mallinfo2 info = adapter_info();
    (void)fprintf(stderr,
                  HEAPMILL_BACKEND_NAME ":\nsystem bytes     = %10zu\nin use bytes     = %10zu\n",
                  info.arena + info.hblkhd, info.uordblks + info.hblkhd);
}

#endif
