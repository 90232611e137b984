#include "allocators/sysmalloc.h"

#include <dlfcn.h>

enum status sysmalloc_open(struct sysmalloc_heap *heap, const struct heap_options *options,
                           struct error *error)
{
    (void)options;
    *heap = (struct sysmalloc_heap){0};
#ifdef SYSMALLOC_SIZED
    *(void **)&heap->free_sized_flags = dlsym(RTLD_DEFAULT, "sdallocx");
    *(void **)&heap->free_sized = dlsym(RTLD_DEFAULT, "mi_free_size");
    if (heap->free_sized == NULL) {
        *(void **)&heap->free_sized = dlsym(RTLD_DEFAULT, "tc_free_sized");
    }
    *(void **)&heap->class_size = dlsym(RTLD_DEFAULT, "tc_nallocx");
    if (heap->free_sized_flags == NULL && heap->free_sized == NULL) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "the malloc in force exports no sized free (sdallocx, mi_free_size or "
                         "tc_free_sized); use the arm preload instead of preload-sized");
    }
#else
    (void)error;
#endif
    return STATUS_OK;
}

/* Live blocks stay with the process: an opaque malloc cannot be asked to forget them. */
void sysmalloc_close(struct sysmalloc_heap *heap)
{
    (void)heap;
}

void sysmalloc_trim(struct sysmalloc_heap *heap)
{
    (void)heap;
}

void sysmalloc_stats(const struct sysmalloc_heap *heap, struct heap_stats *stats)
{
    (void)heap;
    *stats = (struct heap_stats){0};
}

void sysmalloc_walk(const struct sysmalloc_heap *heap, heap_visit *visit, void *context)
{
    (void)heap;
    (void)visit;
    (void)context;
}

size_t sysmalloc_check(const struct sysmalloc_heap *heap)
{
    (void)heap;
    return 0;
}
