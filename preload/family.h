/* The malloc family: every function that a library which stands in for malloc has to bring along,
 * once. The face (preload/face.c), what it is made of, its tests and the fuzz target malloc_abi all
 * follow from this table.
 *
 *   FAMILY(TAKE, RESIZE, ALIGN, NEW, GIVE, ASK)
 *
 * expands one of its six arguments, each the name of a macro, for each member:
 *   TAKE(name, parameters, arguments, bytes, alignment)    gives a block of so many bytes; 0:
 * malloc's own alignment RESIZE(name, parameters, arguments, block, bytes)      may move the block
 *   ALIGN(name, parameters, arguments, bytes, alignment)   posix_memalign, which stores its block
 *   NEW(name, parameters, arguments, bytes, alignment)     C++'s operator new; malloc's blocks, but
 *                                                          the C++ library decides on failure
 *   GIVE(name, parameters, arguments, block)               takes the block back
 *   ASK(name, type, parameters, arguments)                 neither gives nor takes
 *
 * glibc's __libc_ names are here too, so that whoever calls them gets, and gives, blocks of the
 * same heap.
 *
 * C++'s operators stand under their names as the Itanium C++ ABI mangles them for a size_t that is
 * unsigned long; std::nothrow_t const & is a pointer and std::align_val_t a size_t. A program that
 * the operators are missing for would get them from its C++ library, which calls malloc and free:
 * they are here for speed, and because the allocator that is preloaded below may have its own. */
#ifndef HEAPMILL_PRELOAD_FAMILY_H
#define HEAPMILL_PRELOAD_FAMILY_H

#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* The alignment of valloc; pvalloc rounds up to it. */
#define FAMILY_PAGE_BYTES ((size_t)getpagesize())

/* The alignment that malloc guarantees for every block of any size: glibc's MALLOC_ALIGNMENT on
 * 64-bit machines. */
enum { FAMILY_ALIGNMENT = 16 };

/* The bytes of `count` items; SIZE_MAX, which cannot be allocated, if they exceed a size_t. */
static inline size_t family_product(size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes;
}

/* clang-format off */
#define FAMILY(TAKE, RESIZE, ALIGN, NEW, GIVE, ASK)                                                \
    TAKE(malloc, (size_t size), (size), size, 0)                                                   \
    TAKE(calloc, (size_t count, size_t size), (count, size), family_product(count, size), 0)       \
    TAKE(aligned_alloc, (size_t alignment, size_t size), (alignment, size), size, alignment)       \
    TAKE(memalign, (size_t alignment, size_t size), (alignment, size), size, alignment)            \
    TAKE(valloc, (size_t size), (size), size, FAMILY_PAGE_BYTES)                                   \
    TAKE(pvalloc, (size_t size), (size), size, FAMILY_PAGE_BYTES)                                  \
    RESIZE(realloc, (void *block, size_t size), (block, size), block, size)                        \
    RESIZE(reallocarray, (void *block, size_t count, size_t size), (block, count, size), block,    \
           family_product(count, size))                                                            \
    ALIGN(posix_memalign, (void **result, size_t alignment, size_t size),                          \
          (result, alignment, size), size, alignment)                                              \
    GIVE(free, (void *block), (block), block)                                                      \
    GIVE(free_sized, (void *block, size_t size), (block, size), block)                             \
    GIVE(free_aligned_sized, (void *block, size_t alignment, size_t size),                         \
         (block, alignment, size), block)                                                          \
    TAKE(__libc_malloc, (size_t size), (size), size, 0)                                            \
    TAKE(__libc_calloc, (size_t count, size_t size), (count, size), family_product(count, size),   \
         0)                                                                                        \
    TAKE(__libc_memalign, (size_t alignment, size_t size), (alignment, size), size, alignment)     \
    TAKE(__libc_valloc, (size_t size), (size), size, FAMILY_PAGE_BYTES)                            \
    TAKE(__libc_pvalloc, (size_t size), (size), size, FAMILY_PAGE_BYTES)                           \
    RESIZE(__libc_realloc, (void *block, size_t size), (block, size), block, size)                 \
    GIVE(__libc_free, (void *block), (block), block)                                               \
    ASK(malloc_usable_size, size_t, (void *block), (block))                                        \
    ASK(malloc_trim, int, (size_t pad), (pad))                                                     \
    ASK(mallopt, int, (int parameter, int value), (parameter, value))                              \
    ASK(mallinfo, struct mallinfo, (void), ())                                                     \
    ASK(mallinfo2, struct mallinfo2, (void), ())                                                   \
    ASK(malloc_info, int, (int options, FILE *file), (options, file))                              \
    ASK(malloc_stats, void, (void), ())                                                            \
    NEW(_Znwm, (size_t size), (size), size, 0)                                                     \
    NEW(_Znam, (size_t size), (size), size, 0)                                                     \
    NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow), size, 0)         \
    NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow), size, 0)         \
    NEW(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment), size, alignment) \
    NEW(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment), size, alignment) \
    NEW(_ZnwmSt11align_val_tRKSt9nothrow_t,                                                        \
        (size_t size, size_t alignment, const void *nothrow), (size, alignment, nothrow), size,    \
        alignment)                                                                                 \
    NEW(_ZnamSt11align_val_tRKSt9nothrow_t,                                                        \
        (size_t size, size_t alignment, const void *nothrow), (size, alignment, nothrow), size,    \
        alignment)                                                                                 \
    GIVE(_ZdlPv, (void *block), (block), block)                                                    \
    GIVE(_ZdaPv, (void *block), (block), block)                                                    \
    GIVE(_ZdlPvm, (void *block, size_t size), (block, size), block)                                \
    GIVE(_ZdaPvm, (void *block, size_t size), (block, size), block)                                \
    GIVE(_ZdlPvRKSt9nothrow_t, (void *block, const void *nothrow), (block, nothrow), block)        \
    GIVE(_ZdaPvRKSt9nothrow_t, (void *block, const void *nothrow), (block, nothrow), block)        \
    GIVE(_ZdlPvSt11align_val_t, (void *block, size_t alignment), (block, alignment), block)        \
    GIVE(_ZdaPvSt11align_val_t, (void *block, size_t alignment), (block, alignment), block)        \
    GIVE(_ZdlPvmSt11align_val_t, (void *block, size_t size, size_t alignment),                     \
         (block, size, alignment), block)                                                          \
    GIVE(_ZdaPvmSt11align_val_t, (void *block, size_t size, size_t alignment),                     \
         (block, size, alignment), block)                                                          \
    GIVE(_ZdlPvSt11align_val_tRKSt9nothrow_t,                                                      \
         (void *block, size_t alignment, const void *nothrow), (block, alignment, nothrow), block) \
    GIVE(_ZdaPvSt11align_val_tRKSt9nothrow_t,                                                      \
         (void *block, size_t alignment, const void *nothrow), (block, alignment, nothrow), block)
/* clang-format on */

/* Expands FAMILY with one macro X(name, type, parameters, arguments) for all kinds. */
#define FAMILY_AS_TAKE_(name, parameters, arguments, bytes, alignment)                             \
    FAMILY_EACH_(name, void *, parameters, arguments)
#define FAMILY_AS_RESIZE_(name, parameters, arguments, block, bytes)                               \
    FAMILY_EACH_(name, void *, parameters, arguments)
#define FAMILY_AS_ALIGN_(name, parameters, arguments, bytes, alignment)                            \
    FAMILY_EACH_(name, int, parameters, arguments)
#define FAMILY_AS_GIVE_(name, parameters, arguments, block)                                        \
    FAMILY_EACH_(name, void, parameters, arguments)
#define FAMILY_AS_ASK_(name, type, parameters, arguments)                                          \
    FAMILY_EACH_(name, type, parameters, arguments)
/* The includer defines FAMILY_EACH_ before and undefines it afterwards. */
#define FAMILY_ALL                                                                                 \
    FAMILY(FAMILY_AS_TAKE_, FAMILY_AS_RESIZE_, FAMILY_AS_ALIGN_, FAMILY_AS_TAKE_, FAMILY_AS_GIVE_, \
           FAMILY_AS_ASK_)

/* FAMILY_malloc and so on: a recorder writes them, and they are indexes into tables of members. */
#define FAMILY_EACH_(name, type, parameters, arguments) FAMILY_##name,
enum family_member { FAMILY_ALL FAMILY_MEMBERS };
#undef FAMILY_EACH_

/* Skips kinds of members that the includer does not need. */
#define FAMILY_SKIP(...)

#endif
