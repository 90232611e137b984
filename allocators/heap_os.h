/* The defaults of struct heap_os: mmap for arenas, the system malloc for large blocks. */
#ifndef HEAPMILL_ALLOCATORS_HEAP_OS_H
#define HEAPMILL_ALLOCATORS_HEAP_OS_H

#include "allocators/heap.h"
#include "allocators/system.h"
#include "common/os_memory.h"

static inline void *heap_os_default_map(void *context, size_t size)
{
    (void)context;
    return os_map(size);
}

static inline void heap_os_default_unmap(void *context, void *address, size_t size)
{
    (void)context;
    os_unmap(address, size);
}

static inline void *heap_os_default_alloc(void *context, size_t size)
{
    (void)context;
    return system_malloc(size);
}

static inline void *heap_os_default_resize(void *context, void *block, size_t size)
{
    (void)context;
    return system_realloc(block, size);
}

static inline void heap_os_default_free(void *context, void *block)
{
    (void)context;
    system_free(block);
}

static inline size_t heap_os_default_usable_size(void *context, void *block)
{
    (void)context;
    return system_usable_size(block);
}

/* *os with its NULL members replaced by the defaults; os may be NULL. */
static inline struct heap_os heap_os_resolve(const struct heap_os *os)
{
    struct heap_os resolved = os == NULL ? (struct heap_os){0} : *os;
    if (resolved.map == NULL) {
        resolved.map = heap_os_default_map;
    }
    if (resolved.unmap == NULL) {
        resolved.unmap = heap_os_default_unmap;
    }
    if (resolved.alloc == NULL) {
        resolved.alloc = heap_os_default_alloc;
    }
    if (resolved.resize == NULL) {
        resolved.resize = heap_os_default_resize;
    }
    if (resolved.free == NULL) {
        resolved.free = heap_os_default_free;
    }
    if (resolved.usable_size == NULL) {
        resolved.usable_size = heap_os_default_usable_size;
    }
    return resolved;
}

#endif
