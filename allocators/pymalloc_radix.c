/* pymalloc's radix tree over addresses: which memory is an arena's. obmalloc.c 3.10, bpo-37448, by
 * Neil Schemenauer. The lookup itself is in allocators/pymalloc_inline.h. */
#include "allocators/pymalloc_arena.h"

#if PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX

#include <string.h>

static_assert(PYMALLOC_ARENA_BITS < 31, "offsets in an arena are int32_t");

static void *pymalloc_radix_new_node(struct pymalloc_heap *heap, size_t bytes)
{
    void *node = heap->os.alloc(heap->os.context, bytes);
    if (node != NULL) {
        memset(node, 0, bytes);
        heap->table_bytes += bytes;
        pymalloc_note_held(heap);
    }
    return node;
}

/* The coverage of the stretch that address is in; its nodes are made when missing. NULL: no memory.
 */
static struct pymalloc_coverage *pymalloc_radix_reach(struct pymalloc_heap *heap, uintptr_t address)
{
    struct pymalloc_radix_middle **middle = &heap->radix[PYMALLOC_RADIX_TOP(address)];
    if (*middle == NULL) {
        *middle = pymalloc_radix_new_node(heap, sizeof(**middle));
        if (*middle == NULL) {
            return NULL;
        }
    }
    struct pymalloc_radix_leaf **leaf = &(*middle)->leaves[PYMALLOC_RADIX_MIDDLE(address)];
    if (*leaf == NULL) {
        *leaf = pymalloc_radix_new_node(heap, sizeof(**leaf));
        if (*leaf == NULL) {
            return NULL;
        }
    }
    return &(*leaf)->stretches[PYMALLOC_RADIX_LEAF(address)];
}

bool pymalloc_radix_enter(struct pymalloc_heap *heap, uintptr_t address)
{
    int32_t tail = (int32_t)(address & (PYMALLOC_ARENA_BYTES - 1));
    struct pymalloc_coverage *high = pymalloc_radix_reach(heap, address);
    if (high == NULL) {
        return false;
    }
    if (tail == 0) {
        high->tail_high = -1;
        return true;
    }
    struct pymalloc_coverage *low = pymalloc_radix_reach(heap, address + PYMALLOC_ARENA_BYTES);
    if (low == NULL) {
        return false;
    }
    high->tail_high = tail;
    low->tail_low = tail;
    return true;
}

void pymalloc_radix_forget(struct pymalloc_heap *heap, uintptr_t address)
{
    /* The nodes are there since the arena was entered, so that reaching them cannot fail. */
    pymalloc_radix_reach(heap, address)->tail_high = 0;
    if ((address & (PYMALLOC_ARENA_BYTES - 1)) != 0) {
        pymalloc_radix_reach(heap, address + PYMALLOC_ARENA_BYTES)->tail_low = 0;
    }
}

void pymalloc_radix_close(struct pymalloc_heap *heap)
{
    for (size_t i = 0; i < PYMALLOC_INNER_SLOTS; i++) {
        if (heap->radix[i] == NULL) {
            continue;
        }
        for (size_t j = 0; j < PYMALLOC_INNER_SLOTS; j++) {
            if (heap->radix[i]->leaves[j] != NULL) {
                heap->os.free(heap->os.context, heap->radix[i]->leaves[j]);
            }
        }
        heap->os.free(heap->os.context, heap->radix[i]);
    }
}

/* Most of a leaf is empty, and stretches are passed over by the line: the checkers call this often.
 */
static void pymalloc_radix_count_leaf(const struct pymalloc_radix_leaf *leaf, size_t *high,
                                      size_t *low)
{
    enum { LINE = 64 };
    static const struct pymalloc_coverage empty[LINE];
    static_assert(PYMALLOC_LEAF_SLOTS % LINE == 0, "a leaf is whole lines");
    for (size_t i = 0; i < PYMALLOC_LEAF_SLOTS; i++) {
        if (i % LINE == 0 && memcmp(&leaf->stretches[i], empty, sizeof(empty)) == 0) {
            i += LINE - 1;
            continue;
        }
        *high += leaf->stretches[i].tail_high != 0;
        *low += leaf->stretches[i].tail_low != 0;
    }
}

/* Looks at a thousand pointers, nearly all of them null, for each check: sanitizers need not. */
__attribute__((no_sanitize("address", "undefined"))) void
pymalloc_radix_count(const struct pymalloc_heap *heap, size_t *high, size_t *low)
{
    *high = 0;
    *low = 0;
    for (size_t i = 0; i < PYMALLOC_INNER_SLOTS; i++) {
        const struct pymalloc_radix_middle *middle = heap->radix[i];
        for (size_t j = 0; middle != NULL && j < PYMALLOC_INNER_SLOTS; j++) {
            if (middle->leaves[j] != NULL) {
                pymalloc_radix_count_leaf(middle->leaves[j], high, low);
            }
        }
    }
}

#else
/* C wants a declaration in every translation unit. */
typedef int pymalloc_radix_is_not_compiled;
#endif
