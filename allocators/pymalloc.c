#include "allocators/pymalloc.h"

#include <string.h>

#include "allocators/heap_os.h"
#include "allocators/pymalloc_arena.h"

enum status pymalloc_open(struct pymalloc_heap *heap, const struct heap_options *options,
                          struct error *error)
{
    (void)error; /* arenas are mapped at the first need: nothing can fail here */
    memset(heap, 0, sizeof(*heap));
    heap->os = heap_os_resolve(options == NULL ? NULL : &options->os);
    for (size_t i = 0; i < PYMALLOC_CLASSES; i++) {
        heap->partial[i].next = &heap->partial[i];
        heap->partial[i].previous = &heap->partial[i];
    }
    return STATUS_OK;
}

void pymalloc_close(struct pymalloc_heap *heap)
{
    for (uint32_t i = 0; i < heap->arena_slots; i++) {
        if (heap->arenas[i].address != 0) {
            pymalloc_arena_unmap(heap, &heap->arenas[i]);
        }
    }
    pymalloc_radix_close(heap);
    if (heap->arenas != NULL) {
        heap->os.free(heap->os.context, heap->arenas);
    }
    memset(heap, 0, sizeof(*heap));
}

/* pymalloc caches nothing that a full collection empties: the kept arena stays, as in CPython. */
void pymalloc_trim(struct pymalloc_heap *heap)
{
    (void)heap;
}

size_t pymalloc_held_bytes(const struct pymalloc_heap *heap)
{
    return heap->arenas_live * PYMALLOC_ARENA_BYTES + heap->large_bytes + heap->table_bytes;
}

void pymalloc_note_held(struct pymalloc_heap *heap)
{
    size_t held = pymalloc_held_bytes(heap);
    if (held > heap->held_bytes_peak) {
        heap->held_bytes_peak = held;
    }
}

static void pymalloc_large_add(struct pymalloc_heap *heap, void *block)
{
    heap->large_blocks++;
    heap->large_bytes += heap->os.usable_size(heap->os.context, block);
    pymalloc_note_held(heap);
}

void *pymalloc_alloc_large(struct pymalloc_heap *heap, size_t size)
{
    heap_slow_mark();
    if (size == 0) {
        return pymalloc_alloc(heap, 1, HEAP_RAW);
    }
    void *block = heap->os.alloc(heap->os.context, size);
    if (block != NULL) {
        pymalloc_large_add(heap, block);
    }
    return block;
}

void pymalloc_free_large(struct pymalloc_heap *heap, void *block)
{
    heap_slow_mark();
    heap->large_blocks--;
    heap->large_bytes -= heap->os.usable_size(heap->os.context, block);
    heap->os.free(heap->os.context, block);
}

static void *pymalloc_resize_large(struct pymalloc_heap *heap, void *block, size_t new_size)
{
    heap_slow_mark();
    size_t old_bytes = heap->os.usable_size(heap->os.context, block);
    void *moved = heap->os.resize(heap->os.context, block, new_size);
    if (moved != NULL) {
        heap->large_bytes -= old_bytes;
        heap->large_blocks--;
        pymalloc_large_add(heap, moved);
    }
    return moved;
}

/* A block stays where it is while it fits and is not shrunk by a quarter or more, as
 * pymalloc_realloc of obmalloc.c 2.5 to 3.11 decides: a copy costs time, a stay costs memory. */
static bool pymalloc_resize_stays(const struct pymalloc_pool *pool, size_t new_size)
{
    size_t bytes = pymalloc_class_bytes(pool->size_class);
    return new_size <= bytes && 4 * new_size > 3 * bytes;
}

void *pymalloc_resize(struct pymalloc_heap *heap, void *block, size_t old_size, size_t new_size,
                      enum heap_type type)
{
    bool small = old_size <= PYMALLOC_THRESHOLD;
    if (new_size == 0) {
        new_size = 1;
    }
    pymalloc_verify_free(heap, block, old_size);
    if (small) {
        struct pymalloc_pool *pool = pymalloc_pool_of(block);
        if (pymalloc_resize_stays(pool, new_size)) {
            PYMALLOC_POISON(block, pymalloc_class_bytes(pool->size_class));
            PYMALLOC_UNPOISON(block, new_size);
            return block;
        }
    } else if (new_size > PYMALLOC_THRESHOLD) {
        return pymalloc_resize_large(heap, block, new_size);
    }
    void *moved = pymalloc_alloc(heap, new_size, type);
    if (moved == NULL) {
        return NULL;
    }
    if (small) {
        /* Callers that do not know the asked size give the usable one. */
        PYMALLOC_UNPOISON(block, old_size);
    }
    memcpy(moved, block, old_size < new_size ? old_size : new_size);
    pymalloc_free(heap, block, old_size, type);
    return moved;
}
