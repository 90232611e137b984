/* pymalloc's verification of single frees, in builds with HEAPMILL_CHECKED: misuse ends in fatal()
 * before it can do damage. */
#include "allocators/pymalloc_arena.h"

#ifdef HEAPMILL_CHECKED

#include "allocators/backend.h"

/* Large blocks are malloc's, which finds a double free by itself. */
static void pymalloc_verify_large(const struct pymalloc_heap *heap, const void *block, size_t size)
{
    if (heap->large_blocks == 0 || (size != SIZE_MAX && size <= PYMALLOC_THRESHOLD)) {
        fatal(HEAP_FATAL_NOT_OURS);
    }
    if (size != SIZE_MAX && size > heap->os.usable_size(heap->os.context, (void *)block)) {
        fatal(HEAP_FATAL_WRONG_SIZE);
    }
}

/* Is block the beginning of a block of a carved pool that was handed out at least once? The header
 * is read only where block is in an arena, so that it is mapped. */
static bool pymalloc_verify_place(const struct pymalloc_heap *heap, const void *block)
{
    const struct pymalloc_pool *pool = pymalloc_pool_of(block);
    if (pool->arena_index >= heap->arena_slots) {
        return false;
    }
    const struct pymalloc_arena *arena = &heap->arenas[pool->arena_index];
    const unsigned char *at = (const unsigned char *)pool;
    if (arena->address == 0 || at < pymalloc_arena_first_pool(arena) || at >= arena->pool_next) {
        return false;
    }
    size_t offset = (size_t)((const unsigned char *)block - at);
    return offset >= PYMALLOC_POOL_OVERHEAD && offset < pool->offset_next &&
           (offset - PYMALLOC_POOL_OVERHEAD) % pymalloc_class_bytes(pool->size_class) == 0;
}

/* Is it in its pool's free list? The list is shorter than the pool's number of blocks. */
static bool pymalloc_verify_is_free(const struct pymalloc_pool *pool, const void *block)
{
    const void *free_block = pool->free_block;
    for (size_t i = 0; free_block != NULL && i < PYMALLOC_BLOCKS_MAX; i++) {
        if (free_block == block) {
            return true;
        }
        free_block = pymalloc_word_read(free_block);
    }
    return pool->live == 0;
}

void pymalloc_verify_free(const struct pymalloc_heap *heap, const void *block, size_t size)
{
    if (!pymalloc_owns(heap, block)) {
        pymalloc_verify_large(heap, block, size);
        return;
    }
    if (!pymalloc_verify_place(heap, block)) {
        fatal(HEAP_FATAL_NOT_OURS);
    }
    const struct pymalloc_pool *pool = pymalloc_pool_of(block);
    if (pymalloc_verify_is_free(pool, block)) {
        fatal(HEAP_FATAL_DOUBLE_FREE);
    }
    if (size == SIZE_MAX) {
        return;
    }
    /* A block that was shrunk in place is larger than its size's class, by less than a quarter. */
    size_t bytes = pymalloc_class_bytes(pool->size_class);
    bool of_class = pymalloc_class_of(size == 0 ? 1 : size) == pool->size_class;
    if (size > bytes || !(of_class || 4 * size > 3 * bytes)) {
        fatal(HEAP_FATAL_WRONG_SIZE);
    }
}

#else
/* C wants a declaration in every translation unit. */
typedef int pymalloc_verify_is_not_compiled;
#endif
