/* The system malloc, for back ends that pass large requests on to it.
 *
 * In a worker the linker wraps the malloc family so that a call which did not come through the
 * contract is counted as stray; the real functions are reached by the names below. In a preload
 * library malloc is the library's own function, so glibc's is reached by its internal name. */
#ifndef HEAPMILL_ALLOCATORS_SYSTEM_H
#define HEAPMILL_ALLOCATORS_SYSTEM_H

#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#if defined(HEAPMILL_PRELOAD)
#include <dlfcn.h>
#endif

#if defined(HEAPMILL_PRELOAD)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);
#define system_malloc __libc_malloc
#define system_realloc __libc_realloc
#define system_free __libc_free
#elif defined(HEAPMILL_WRAPPED)
void *__real_malloc(size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
#define system_malloc __real_malloc
#define system_realloc __real_realloc
#define system_free __real_free
#else
#define system_malloc malloc
#define system_realloc realloc
#define system_free free
#endif

/* The bytes that a block of system_malloc's can hold; 0 for NULL. glibc has no internal name for
 * it, so a preload library, whose own malloc_usable_size would be found first, looks for the next
 * one. The first call does that, and belongs where nothing is locked. */
static inline size_t system_usable_size(void *block)
{
#if defined(HEAPMILL_PRELOAD)
    static size_t (*next)(void *block);
    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "malloc_usable_size");
    }
    return next(block);
#else
    return malloc_usable_size(block);
#endif
}

#endif
