/* Large blocks of `pools` (runs of units), and resizing. */
#include <string.h>
#include <sys/mman.h>

#include "allocators/pools/pools_internal.h"

/* From this size on moving a block's pages is cheaper than copying it. */
enum { POOLS_REMAP_UNITS = 16 };

static uint32_t pools_units_for(size_t size)
{
    return size == 0 ? 1 : (uint32_t)((size - 1) >> POOLS_UNIT_SHIFT) + 1;
}

/* The capacity of a run for that many bytes: all of its units, or the part without guards. */
static size_t pools_run_room(size_t size)
{
    return heap_round_up(size == 0 ? 1 : size, POOLS_GUARD ? POOLS_SYSTEM_PAGE : POOLS_UNIT_BYTES);
}

/* ---------------------------------------------------------------- runs */
/* Takes units at a multiple of an alignment that exceeds the base's. It takes as many more as may
 * be necessary, and releases those on both sides. Locked. */
static uint32_t pools_units_take_far(struct pools_heap *heap, uint32_t count, size_t alignment)
{
    uint32_t step = (uint32_t)(alignment >> POOLS_UNIT_SHIFT), guards = 2 * POOLS_GUARD;
    if (count + guards > heap->units - step) {
        return POOLS_NONE;
    }
    uint32_t unit = pools_units_take(heap, count + guards + step, 1, POOLS_TAG_REST);
    if (unit == POOLS_NONE) {
        return POOLS_NONE;
    }
    uint32_t first = unit + POOLS_GUARD; /* the block would begin here */
    uintptr_t skip = -(uintptr_t)pools_address_of(heap, first) & (alignment - 1);
    uint32_t before = (uint32_t)(skip >> POOLS_UNIT_SHIFT);
    if (before > 0) {
        pools_units_release(heap, unit, before);
    }
    pools_units_release(heap, unit + before + count + guards, step - before);
    return first + before;
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
    uint32_t unit = POOLS_NONE;
    if (step > 1 && (POOLS_GUARD || step > POOLS_ARENA_UNITS)) {
        unit = pools_units_take_far(heap, count, alignment);
    } else {
        unit = pools_units_take(heap, count + 2 * POOLS_GUARD, step, POOLS_TAG_REST);
        unit += unit == POOLS_NONE ? 0 : POOLS_GUARD;
    }
    if (unit != POOLS_NONE) {
        struct pools_page *page = &heap->pages[unit];
        __atomic_store_n(&heap->tags[unit], POOLS_TAG_RUN, __ATOMIC_RELAXED);
        page->run_units = count;
        page->run_bytes = pools_run_room(size);
        page->is_lax = alignment > 1;
        heap->runs++;
        heap->run_bytes += page->run_bytes;
        pools_guard(heap, unit, true);
    }
    pools_unlock(heap);
    if (unit == POOLS_NONE) {
        return NULL;
    }
    void *block = pools_address_of(heap, unit);
    POOLS_UNPOISON(block, size == 0 ? 1 : size);
    return block;
}

/* The first of a size goes back to the system at once: most often it is a table that has outgrown
 * its memory, and will not be as small again. Who frees another as large takes and frees such ones
 * in turns, and they are kept for the next (as glibc's threshold of mmap moves). */
void pools_free_run(struct pools_heap *heap, uint32_t unit)
{
    struct pools_page *page = &heap->pages[unit];
    uint32_t count = page->run_units;
    bool is_returned =
        POOLS_ZERO || count > __atomic_load_n(&heap->kept_run_units, __ATOMIC_RELAXED);
    if (is_returned) {
        POOLS_UNPOISON(pools_address_of(heap, unit), page->run_bytes);
        (void)madvise(pools_address_of(heap, unit), page->run_bytes, MADV_DONTNEED);
    }
    pools_lock(heap);
    if (count > heap->kept_run_units) {
        __atomic_store_n(&heap->kept_run_units, count, __ATOMIC_RELAXED);
    }
    pools_guard(heap, unit, false);
    heap->runs--;
    heap->run_bytes -= page->run_bytes;
    pools_units_release(heap, unit - POOLS_GUARD, count + 2 * POOLS_GUARD);
    if (is_returned) {
        pools_units_clean(heap, unit - POOLS_GUARD, count + 2 * POOLS_GUARD);
    }
    pools_unlock(heap);
}

/* Grows or shrinks the run in place. false: there is no room after it. */
static bool pools_run_fit(struct pools_heap *heap, uint32_t unit, size_t size)
{
    struct pools_page *page = &heap->pages[unit];
    uint32_t count = pools_units_for(size);
    if (POOLS_GUARD) {
        return pools_run_room(size) == page->run_bytes;
    }
    pools_lock(heap);
    uint32_t old = page->run_units;
    bool fits = true;
    if (count < old) {
        pools_units_release(heap, unit + count, old - count);
    } else if (count > old) {
        fits = pools_units_extend(heap, unit + old, count - old, POOLS_TAG_REST);
    }
    if (fits) {
        heap->run_bytes += pools_run_room(size) - page->run_bytes;
        page->run_bytes = pools_run_room(size);
        page->run_units = count;
    }
    pools_unlock(heap);
    return fits;
}

/* Moves the pages of memory, and leaves empty ones (Linux 5.7 and later; false before that). */
static bool pools_remap(const struct pools_heap *heap, void *from, void *to, size_t bytes)
{
    return heap->os_is_own && bytes >= (size_t)POOLS_REMAP_UNITS << POOLS_UNIT_SHIFT &&
           mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) !=
               MAP_FAILED;
}

/* ---------------------------------------------------------------- resizing */
/* Can the block of the class stay in place? At most a quarter of it may be wasted. */
static bool pools_stays(const struct pools_heap *heap, uint32_t size_class, size_t new_size)
{
    size_t bytes = heap->classes[size_class].bytes - POOLS_TAIL;
    return new_size <= bytes &&
           (4 * new_size > 3 * bytes || pools_class_of(heap, new_size + POOLS_TAIL) == size_class);
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
    bool both_large =
        usable > POOLS_SMALL_MAX && pools_usable_size(heap, moved, new_size) > POOLS_SMALL_MAX;
    size_t whole = heap_round_up(bytes, POOLS_SYSTEM_PAGE);
    if (!both_large || !pools_remap(heap, block, moved, whole)) {
        memcpy(moved, block, bytes);
    }
    pools_free_unsized(heap, block);
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
        stays = pools_run_fit(heap, unit, new_size);
    }
    if (stays) {
        POOLS_POISON(block, pools_usable_size(heap, block, old_size));
        POOLS_UNPOISON(block, new_size == 0 ? 1 : new_size);
        return block;
    }
    return pools_move(heap, block, old_size, new_size, type);
}

/* ---------------------------------------------------------------- alignment */
/* Uses a class whose blocks all lie at multiples of alignment. At the latest that is the class of
 * the power of two. */
void *pools_alloc_aligned(struct pools_heap *heap, size_t alignment, size_t size,
                          enum heap_type type)
{
    if (alignment <= POOLS_ALIGNMENT) {
        return pools_alloc(heap, size, type);
    }
    if (size > POOLS_SMALL_MAX - POOLS_TAIL || alignment > POOLS_SMALL_MAX - POOLS_TAIL) {
        return pools_alloc_run(heap, alignment, size);
    }
    size_t least = size + POOLS_TAIL;
    uint32_t size_class = pools_class_at(least < alignment ? alignment : least);
    while (heap->classes[size_class].bytes % alignment != 0) {
        size_class++;
    }
    size_t bytes = heap->classes[size_class].bytes - POOLS_TAIL;
    void *block = pools_alloc(heap, bytes, type);
    if (block != NULL) {
        uint32_t unit = pools_page_unit(heap, pools_unit_of(heap, block), size_class);
        __atomic_store_n(&heap->pages[unit].is_lax, true, __ATOMIC_RELAXED);
        POOLS_POISON(block, bytes);
        POOLS_UNPOISON(block, size == 0 ? 1 : size);
    }
    return block;
}
