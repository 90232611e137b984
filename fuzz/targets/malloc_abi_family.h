/* The malloc family of the allocator under test. */
#ifndef HEAPMILL_FUZZ_MALLOC_ABI_FAMILY_H
#define HEAPMILL_FUZZ_MALLOC_ABI_FAMILY_H

#include <stddef.h>

/* Members are NULL where the library has no such function; malloc and free are always there. */
struct malloc_abi_family {
    void *(*malloc)(size_t size);
    void (*free)(void *block);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
    void *(*reallocarray)(void *block, size_t count, size_t size);
    int (*posix_memalign)(void **result, size_t alignment, size_t size);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    void *(*valloc)(size_t size);
    void *(*pvalloc)(size_t size);
    size_t (*usable_size)(void *block);
};

/* Of the library that HEAPMILL_FUZZ_LIBRARY names, loaded beside the process's own malloc;
 * without it the process's own, which LD_PRELOAD may have replaced. Ends the process with a message
 * when the library cannot be loaded or has no malloc. */
const struct malloc_abi_family *malloc_abi_family_get(void);

#endif
