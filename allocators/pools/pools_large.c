/* Large blocks of `pools`, which are runs of units, and resizing. */
#include <string.h>
#include <sys/mman.h>

#include "allocators/pools/pools_internal.h"

/* From here on moving a block's pages is cheaper than copying them. */
enum { POOLS_REMAP_UNITS = 16 };

static uint32_t pools_units_for(size_t size)
{
    return size == 0 ? 1 : (uint32_t)((size - 1) >> POOLS_UNIT_SHIFT) + 1;
}

/* ---------------------------------------------------------------- runs */
/* Units at a multiple of alignment, which is more than the base has: as many more as may be needed
 * are taken, and those on both sides go back. Locked. */
static uint32_t pools_units_take_far(struct pools_heap *heap, uint32_t count, size_t alignment)
{
    uint32_t step = (uint32_t)(alignment >> POOLS_UNIT_SHIFT);
    if (count > heap->units - step) {
        return POOLS_NONE;
    }
    uint32_t unit = pools_units_take(heap, count + step, 1, POOLS_TAG_REST);
    if (unit == POOLS_NONE) {
        return POOLS_NONE;
    }
    uintptr_t skip = -(uintptr_t)pools_address_of(heap, unit) & (alignment - 1);
    uint32_t before = (uint32_t)(skip >> POOLS_UNIT_SHIFT);
    if (before > 0) {
        pools_units_release(heap, unit, before);
    }
    pools_units_release(heap, unit + before + count, step - before);
    return unit + before;
}

void *pools_alloc_run(struct pools_heap *heap, size_t alignment, size_t size)
{
    heap_slow_mark();
    size_t limit = (size_t)heap->units << POOLS_UNIT_SHIFT;
    if (size > limit || alignment > limit) {
        return NULL;
    }
    uint32_t count = pools_units_for(size);
    uint32_t step = alignment <= POOLS_UNIT_BYTES ? 1 : (uint32_t)(alignment >> POOLS_UNIT_SHIFT);
    pools_lock(heap);
    uint32_t unit = step <= POOLS_ARENA_UNITS ? pools_units_take(heap, count, step, POOLS_TAG_REST)
                                              : pools_units_take_far(heap, count, alignment);
    if (unit != POOLS_NONE) {
        __atomic_store_n(&heap->tags[unit], POOLS_TAG_RUN, __ATOMIC_RELAXED);
        heap->pages[unit].run_units = count;
        heap->pages[unit].is_lax = alignment > 1;
        heap->runs++;
        heap->run_units += count;
    }
    pools_unlock(heap);
    if (unit == POOLS_NONE) {
        return NULL;
    }
    void *block = pools_address_of(heap, unit);
    POOLS_UNPOISON(block, size == 0 ? 1 : size);
    return block;
}

void pools_free_run(struct pools_heap *heap, uint32_t unit)
{
    pools_lock(heap);
    uint32_t count = heap->pages[unit].run_units;
    heap->runs--;
    heap->run_units -= count;
    pools_units_release(heap, unit, count);
    pools_unlock(heap);
}

/* Grows or shrinks the run where it is; false: there is no room behind it. */
static bool pools_run_fit(struct pools_heap *heap, uint32_t unit, uint32_t count)
{
    struct pools_page *page = &heap->pages[unit];
    pools_lock(heap);
    uint32_t old = page->run_units;
    bool fits = true;
    if (count < old) {
        pools_units_release(heap, unit + count, old - count);
    } else if (count > old) {
        fits = pools_units_extend(heap, unit + old, count - old, POOLS_TAG_REST);
    }
    if (fits) {
        heap->run_units += count;
        heap->run_units -= old;
        page->run_units = count;
    }
    pools_unlock(heap);
    return fits;
}

/* Moves the pages of memory themselves, and leaves empty ones (Linux 5.7 and later; false before).
 */
static bool pools_remap(const struct pools_heap *heap, void *from, void *to, size_t bytes)
{
    return heap->os_is_own && bytes >= (size_t)POOLS_REMAP_UNITS << POOLS_UNIT_SHIFT &&
           mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) !=
               MAP_FAILED;
}

/* ---------------------------------------------------------------- resizing */
/* Can the block of the class stay where it is? It may lose a quarter. */
static bool pools_stays(const struct pools_heap *heap, uint32_t size_class, size_t new_size)
{
    size_t bytes = heap->classes[size_class].bytes;
    return new_size <= bytes &&
           (4 * new_size > 3 * bytes || pools_class_of(heap, new_size) == size_class);
}

static void *pools_move(struct pools_heap *heap, void *block, size_t old_size, size_t new_size,
                        enum heap_type type)
{
    size_t usable = pools_usable_size(heap, block, old_size);
    void *moved = pools_alloc(heap, new_size, type);
    if (moved == NULL) {
        return NULL;
    }
    POOLS_UNPOISON(block, usable); /* old_size may be all of it */
    size_t bytes = usable < new_size ? usable : new_size;
    bytes = old_size < bytes ? old_size : bytes;
    bool both_large = usable > POOLS_SMALL_MAX && new_size > POOLS_SMALL_MAX;
    size_t whole = heap_round_up(bytes, POOLS_UNIT_BYTES);
    if (!both_large || !pools_remap(heap, block, moved, whole)) {
        memcpy(moved, block, bytes);
    }
    pools_verify_given(heap, block);
    pools_give(heap, block);
    return moved;
}

void *pools_resize(struct pools_heap *heap, void *block, size_t old_size, size_t new_size,
                   enum heap_type type)
{
    pools_verify(heap, block, old_size);
    uint32_t unit = pools_unit_of(heap, block);
    uint32_t size_class = pools_tag_of(heap, unit) & ((1u << POOLS_TAG_BITS) - 1);
    bool stays = false;
    if (size_class < POOLS_CLASSES) {
        stays = pools_stays(heap, size_class, new_size);
    } else if (new_size > POOLS_SMALL_MAX && new_size <= (size_t)heap->units << POOLS_UNIT_SHIFT) {
        stays = pools_run_fit(heap, unit, pools_units_for(new_size));
    }
    if (stays) {
        POOLS_POISON(block, pools_usable_size(heap, block, old_size));
        POOLS_UNPOISON(block, new_size == 0 ? 1 : new_size);
        return block;
    }
    return pools_move(heap, block, old_size, new_size, type);
}

/* ---------------------------------------------------------------- alignment */
/* A class whose blocks all lie at multiples of alignment: that of the power of two at the latest.
 */
void *pools_alloc_aligned(struct pools_heap *heap, size_t alignment, size_t size,
                          enum heap_type type)
{
    if (alignment <= POOLS_ALIGNMENT) {
        return pools_alloc(heap, size, type);
    }
    if (size > POOLS_SMALL_MAX || alignment > POOLS_SMALL_MAX) {
        return pools_alloc_run(heap, alignment, size);
    }
    uint32_t size_class = pools_class_at(size < alignment ? alignment : size);
    while (heap->classes[size_class].bytes % alignment != 0) {
        size_class++;
    }
    size_t bytes = heap->classes[size_class].bytes;
    void *block = pools_alloc(heap, bytes, type);
    if (block != NULL) {
        heap->pages[pools_page_unit(heap, pools_unit_of(heap, block), size_class)].is_lax = true;
        POOLS_POISON(block, bytes);
        POOLS_UNPOISON(block, size == 0 ? 1 : size);
    }
    return block;
}
