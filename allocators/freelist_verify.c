/* freelist's verification of single frees, in builds with HEAPMILL_CHECKED: misuse ends in fatal()
 * before it can do damage. */
#include "allocators/backend.h"

#include "allocators/freelist.h"

#ifdef HEAPMILL_CHECKED
static bool freelist_is_cached(const struct freelist_heap *heap, const void *block)
{
    for (int list = 0; list < FREELIST_COUNT; list++) {
        for (const struct freelist_link *cached = heap->lists[list].head; cached != NULL;
             cached = cached->next) {
            if (cached == block) {
                return true;
            }
        }
    }
    return false;
}

/* The list whose carved block the address lies in, and whether it is where a slot begins. */
static int freelist_carved_owner(const struct freelist_heap *heap, const void *block, bool *slot)
{
    for (int list = FREELIST_INTS; list <= FREELIST_FLOATS; list++) {
        for (const struct freelist_carved *carved = heap->carved[list]; carved != NULL;
             carved = carved->next) {
            size_t offset = (size_t)((uintptr_t)block - (uintptr_t)carved->slots);
            if (offset < sizeof(carved->slots)) {
                *slot = offset % FREELIST_SLOT_BYTES == 0;
                return list;
            }
        }
    }
    *slot = false;
    return FREELIST_NONE;
}

struct freelist_search {
    const void *block;
    bool found;
};

static void freelist_visit_search(void *context, const struct heap_region *region)
{
    struct freelist_search *search = context;
    search->found |= region->kind == HEAP_REGION_BLOCK_LIVE && region->address == search->block;
}

void freelist_verify_free(const struct freelist_heap *heap, const void *block, size_t size,
                          int list)
{
    /* The mark makes it likely, the list certain. */
    if (size >= FREELIST_SLOT_BYTES && freelist_is_marked(heap, block) &&
        freelist_is_cached(heap, block)) {
        fatal(HEAP_FATAL_DOUBLE_FREE);
    }
    bool slot;
    int owner = freelist_carved_owner(heap, block, &slot);
    if (owner != FREELIST_NONE && (owner != list || !slot)) {
        fatal(slot ? HEAP_FATAL_WRONG_SIZE : HEAP_FATAL_NOT_OURS);
    }
    if (owner == FREELIST_NONE && freelist_is_carved(list)) {
        struct freelist_search search = {.block = block};
        FREELIST_BELOW(walk)(&heap->under, freelist_visit_search, &search);
        fatal(search.found ? HEAP_FATAL_WRONG_SIZE : HEAP_FATAL_NOT_OURS);
    }
    if (owner == FREELIST_NONE && list != FREELIST_NONE) {
        FREELIST_BELOW(verify_free)(&heap->under, block, size);
    }
}
#endif
