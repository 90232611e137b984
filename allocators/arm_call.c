/* The arms `call` and `call-sized`: the bound back end behind ordinary functions, compiled on their
 * own so that no caller can see through them. `call` has neither size nor type, as malloc has not.
 */
#include "allocators/backend.h"

#if HEAPMILL_ARM == HEAPMILL_ARM_CALL
void *heap_call_alloc(struct heap *heap, size_t size)
{
    return HEAP_SOURCE(alloc)(&heap->source, size, HEAP_RAW);
}

void heap_call_free(struct heap *heap, void *block)
{
    HEAP_SOURCE(free_unsized)(&heap->source, block);
}

void *heap_call_resize(struct heap *heap, void *block, size_t new_size)
{
    size_t old_size = HEAP_SOURCE(usable_size)(&heap->source, block, 0);
    return HEAP_SOURCE(resize)(&heap->source, block, old_size, new_size, HEAP_RAW);
}
#elif HEAPMILL_ARM == HEAPMILL_ARM_CALL_SIZED
void *heap_call_sized_alloc(struct heap *heap, size_t size, enum heap_type type)
{
    return HEAP_SOURCE(alloc)(&heap->source, size, type);
}

void heap_call_sized_free(struct heap *heap, void *block, size_t size, enum heap_type type)
{
    HEAP_SOURCE(free)(&heap->source, block, size, type);
}

void *heap_call_sized_resize(struct heap *heap, void *block, size_t old_size, size_t new_size,
                             enum heap_type type)
{
    return HEAP_SOURCE(resize)(&heap->source, block, old_size, new_size, type);
}
#endif
