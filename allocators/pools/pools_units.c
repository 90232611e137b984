/* Units of `pools`: which are used, which are free and still hold memory, and which hold none. */
#include <string.h>
#include <sys/mman.h>

#include "allocators/pools/pools_internal.h"

static void pools_bits_set(uint64_t *bits, uint32_t first, uint32_t count, bool value)
{
    for (uint32_t i = first; i < first + count; i++) {
        uint64_t bit = (uint64_t)1 << (i % 64);
        bits[i / 64] = value ? bits[i / 64] | bit : bits[i / 64] & ~bit;
    }
}

/* ---------------------------------------------------------------- huge pages */
/* Only after small blocks fill 64 MiB may more arenas have huge pages. An arena that is begun and
 * not filled then wastes at most 6%. */
enum { POOLS_HUGE_AFTER_UNITS = 16 * POOLS_ARENA_UNITS };

static bool pools_huge_advise(const struct pools_heap *heap, uint32_t arena, int advice)
{
    void *address = pools_address_of(heap, arena * POOLS_ARENA_UNITS);
    return madvise(address, (size_t)POOLS_ARENA_UNITS << POOLS_UNIT_SHIFT, advice) == 0;
}

/* Called when a page of small blocks begins the arena. */
static void pools_huge_earn(struct pools_heap *heap, uint32_t arena)
{
    size_t small = heap->used_units - (heap->run_bytes >> POOLS_UNIT_SHIFT);
    if (POOLS_HUGE && heap->os_is_own && small >= POOLS_HUGE_AFTER_UNITS &&
        pools_huge_advise(heap, arena, MADV_HUGEPAGE)) {
        heap->huge[arena / 64] |= (uint64_t)1 << (arena % 64);
    }
}

/* Called when memory of the arena was given back. Otherwise the kernel might fill the gaps with
 * huge pages again. */
static void pools_huge_lose(struct pools_heap *heap, uint32_t arena)
{
    if (pools_bit_is_set(heap->huge, arena)) {
        (void)pools_huge_advise(heap, arena, MADV_NOHUGEPAGE);
        heap->huge[arena / 64] &= ~((uint64_t)1 << (arena % 64));
    }
}

/* ---------------------------------------------------------------- units */
/* The memory may contain anything, so entries are written before they are read, when top passes
 * them. */
static void pools_units_raise(struct pools_heap *heap, uint32_t top, bool is_page)
{
    for (uint32_t unit = heap->top; unit < top; unit++) {
        if (unit % 64 == 0) {
            heap->used[unit / 64] = 0;
            heap->dirty[unit / 64] = 0;
        }
        if (unit % (64 * POOLS_ARENA_UNITS) == 0) {
            heap->huge[unit / (64 * POOLS_ARENA_UNITS)] = 0;
        }
        if (unit % POOLS_ARENA_UNITS == 0) {
            heap->arena_held[unit / POOLS_ARENA_UNITS] = 0;
            if (is_page) {
                pools_huge_earn(heap, unit / POOLS_ARENA_UNITS);
            }
        }
        __atomic_store_n(&heap->tags[unit], POOLS_TAG_FREE, __ATOMIC_RELAXED);
        heap->pages[unit].is_mailed = 0;
        heap->pages[unit].mail_next = 0;
    }
    if (top > heap->top) {
        __atomic_store_n(&heap->top, top,
                         __ATOMIC_RELAXED); /* pools_verify reads them without the lock */
    }
}

/* The first free unit; if there are any, one that holds memory. */
static uint32_t pools_units_find_one(const struct pools_heap *heap)
{
    const uint64_t *bits = heap->dirty_units > 0 ? heap->dirty : heap->used;
    uint64_t flip = heap->dirty_units > 0 ? 0 : UINT64_MAX;
    for (uint32_t word = 0; word * 64 < heap->top; word++) {
        uint64_t found = bits[word] ^ flip;
        if (found != 0) {
            uint32_t unit = word * 64 + (uint32_t)__builtin_ctzll(found);
            return unit < heap->units ? unit : POOLS_NONE;
        }
    }
    return heap->top < heap->units ? heap->top : POOLS_NONE;
}

/* First fit by address. */
static uint32_t pools_units_find(const struct pools_heap *heap, uint32_t count, uint32_t alignment)
{
    if (count > heap->units) {
        return POOLS_NONE;
    }
    for (uint32_t unit = 0; unit <= heap->units - count;) {
        uint32_t run = 0;
        while (run < count &&
               (unit + run >= heap->top || !pools_bit_is_set(heap->used, unit + run))) {
            run = unit + run >= heap->top ? count : run + 1;
        }
        if (run >= count) {
            return unit;
        }
        uint64_t next = ((uint64_t)unit + run) / alignment * alignment + alignment;
        if (next > heap->units) {
            break;
        }
        unit = (uint32_t)next;
        /* Skips units that are all used, a word at a time. */
        while (unit % 64 == 0 && alignment <= 64 && unit + 64 <= heap->top &&
               heap->used[unit / 64] == UINT64_MAX) {
            unit += 64;
        }
    }
    return POOLS_NONE;
}

/* Counts what an arena holds, unit by unit. */
static void pools_units_hold(struct pools_heap *heap, uint32_t unit)
{
    heap->arenas_mapped += heap->arena_held[unit / POOLS_ARENA_UNITS]++ == 0;
}

static void pools_units_let_go(struct pools_heap *heap, uint32_t unit)
{
    heap->arenas_unmapped += --heap->arena_held[unit / POOLS_ARENA_UNITS] == 0;
}

static void pools_units_use(struct pools_heap *heap, uint32_t unit, uint32_t count, uint32_t tag)
{
    pools_units_raise(heap, unit + count, tag >> POOLS_TAG_BITS != 0);
    for (uint32_t i = unit; i < unit + count; i++) {
        if (pools_bit_is_set(heap->dirty, i)) {
            heap->dirty_units--;
        } else {
            pools_units_hold(heap, i);
        }
        __atomic_store_n(&heap->tags[i], tag, __ATOMIC_RELAXED);
    }
    pools_bits_set(heap->dirty, unit, count, false);
    pools_bits_set(heap->used, unit, count, true);
    heap->used_units += count;
    uint32_t held = heap->used_units + heap->dirty_units;
    heap->held_units_peak = held > heap->held_units_peak ? held : heap->held_units_peak;
    pools_pace(heap);
}

uint32_t pools_units_take(struct pools_heap *heap, uint32_t count, uint32_t alignment, uint32_t tag)
{
    uint32_t unit = count == 1 && alignment == 1 ? pools_units_find_one(heap)
                                                 : pools_units_find(heap, count, alignment);
    if (unit != POOLS_NONE) {
        pools_units_use(heap, unit, count, tag);
    }
    return unit;
}

bool pools_units_extend(struct pools_heap *heap, uint32_t unit, uint32_t count, uint32_t tag)
{
    if (count > heap->units - unit) {
        return false;
    }
    for (uint32_t i = unit; i < unit + count && i < heap->top; i++) {
        if (pools_bit_is_set(heap->used, i)) {
            return false;
        }
    }
    pools_units_use(heap, unit, count, tag);
    return true;
}

void pools_units_release(struct pools_heap *heap, uint32_t unit, uint32_t count)
{
    for (uint32_t i = unit; i < unit + count; i++) {
        __atomic_store_n(&heap->tags[i], POOLS_TAG_FREE, __ATOMIC_RELAXED);
    }
    POOLS_POISON(pools_address_of(heap, unit), (size_t)count << POOLS_UNIT_SHIFT);
    pools_bits_set(heap->used, unit, count, false);
    pools_bits_set(heap->dirty, unit, count, true);
    heap->used_units -= count;
    heap->dirty_units += count;
    pools_pace(heap);
}

void pools_units_clean(struct pools_heap *heap, uint32_t unit, uint32_t count)
{
    for (uint32_t i = unit; i < unit + count; i++) {
        if (pools_bit_is_set(heap->dirty, i)) { /* an epoch may have ended when it was released */
            pools_units_let_go(heap, i);
            pools_bits_set(heap->dirty, i, 1, false);
            heap->dirty_units--;
        }
    }
    for (uint32_t arena = unit / POOLS_ARENA_UNITS; arena * POOLS_ARENA_UNITS < unit + count;
         arena++) {
        pools_huge_lose(heap, arena);
    }
}

void pools_units_purge(struct pools_heap *heap, uint32_t count)
{
    uint32_t unit = heap->top;
    while (count > 0 && unit > 0) {
        if (unit % 64 == 0 && heap->dirty[unit / 64 - 1] == 0) {
            unit -= 64;
            continue;
        }
        uint32_t end = unit;
        while (unit > 0 && count > 0 && pools_bit_is_set(heap->dirty, unit - 1)) {
            unit--;
            count--;
        }
        if (unit < end) {
            (void)madvise(pools_address_of(heap, unit), (size_t)(end - unit) << POOLS_UNIT_SHIFT,
                          MADV_DONTNEED);
            pools_units_clean(heap, unit, end - unit);
        } else {
            unit--;
        }
    }
}
