/* The system malloc, for back ends that pass large requests on to it.
 *
 * In a worker the linker wraps the malloc family so that a call which did not come through the
 * contract is counted as stray; the real functions are reached by the names below. In a preload
 * library malloc is the library's own function, and libc's is reached by its address. */
#ifndef HEAPMILL_ALLOCATORS_SYSTEM_H
#define HEAPMILL_ALLOCATORS_SYSTEM_H

#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(HEAPMILL_PRELOAD)
/* libc's own functions, found at open by preload/process_heap.h. Its internal names (__libc_malloc)
 * will not do: a program may be linked to an allocator that has them too. */
struct system_libc {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    void (*free)(void *block);
    size_t (*malloc_usable_size)(void *block);
    int (*malloc_trim)(size_t pad);
    int (*mallopt)(int parameter, int value);
    struct mallinfo2 (*mallinfo2)(void);
};
extern struct system_libc system_libc;
#define system_malloc system_libc.malloc
#define system_memalign system_libc.memalign
#define system_realloc system_libc.realloc
#define system_free system_libc.free
#elif defined(HEAPMILL_WRAPPED)
void *__real_malloc(size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
#define system_malloc __real_malloc
#define system_memalign memalign /* not wrapped */
#define system_realloc __real_realloc
#define system_free __real_free
#else
#define system_malloc malloc
#define system_memalign memalign
#define system_realloc realloc
#define system_free free
#endif

/* The bytes that a block of system_malloc's can hold; 0 for NULL. */
static inline size_t system_usable_size(void *block)
{
#if defined(HEAPMILL_PRELOAD)
    return system_libc.malloc_usable_size(block);
#else
    return malloc_usable_size(block);
#endif
}

#endif
