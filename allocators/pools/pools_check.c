/* The checker of `pools`: verifies the invariants of pools.h. No other thread may call the heap
 * meanwhile. */
#include <stdio.h>

#include "allocators/pools/pools_internal.h"

static size_t pools_broken(const char *what, uint32_t unit)
{
    (void)fprintf(stderr, "pools: unit %u: %s\n", unit, what);
    return 1;
}

/* ---------------------------------------------------------------- pages */
/* Checks invariants 3 and 4. */
static size_t pools_check_blocks(const struct pools_heap *heap, uint32_t unit)
{
    const struct pools_page *page = &heap->pages[unit];
    struct pools_survey survey;
    pools_survey_page(heap, unit, &survey);
    size_t wrong = 0;
    uint32_t count = 0, bound = 0, distinct = 0;
    for (uint32_t word = 0; word < page->words; word++) {
        count += (uint32_t)__builtin_popcountll(page->free[word]);
        bound += (page->free[word] & page->remote[word]) != 0;
        distinct += (uint32_t)__builtin_popcountll(survey.cached[word] & ~survey.free[word]);
    }
    wrong += count == page->free_count ? 0 : pools_broken("free blocks are miscounted", unit);
    wrong += bound == 0 ? 0 : pools_broken("a block was freed here and elsewhere", unit);
    wrong += distinct == survey.cached_count
                 ? 0
                 : pools_broken("a block is on a stack twice, or free as well", unit);
    bool past =
        page->capacity % 64 != 0 && survey.free[page->words - 1] >> (page->capacity % 64) != 0;
    return wrong + (past ? pools_broken("a block beyond the last is free", unit) : 0);
}

/* Checks invariants 2 and 5; and of 6, that an owner was told of its page's remote frees. */
static size_t pools_check_page(const struct pools_heap *heap, uint32_t unit)
{
    const struct pools_page *page = &heap->pages[unit];
    uint32_t tag = heap->tags[unit], size_class = tag & ((1u << POOLS_TAG_BITS) - 1);
    uint32_t number = tag >> POOLS_TAG_BITS;
    if (size_class >= POOLS_CLASSES || number > heap->local_count ||
        page->size_class != size_class || page->capacity != heap->classes[size_class].capacity) {
        return pools_broken("its tag and its page disagree", unit);
    }
    size_t wrong = 0;
    for (uint32_t i = 1; i < 1u << heap->classes[size_class].unit_shift; i++) {
        wrong += heap->tags[unit + i] == tag ? 0 : pools_broken("another tag in a page", unit);
    }
    const struct pools_bin *bin = &pools_owner_of(heap, tag)->bins[size_class];
    if (!page->is_listed && bin->current != unit && page->free_count >= page->relink_at) {
        wrong += pools_broken("a page with room is not listed", unit);
    }
    if (page->is_listed && (page->free_count == 0 || page->free_count == page->capacity)) {
        wrong += pools_broken("a full or an empty page is listed", unit);
    }
    uint64_t remote = 0;
    for (uint32_t word = 0; word < page->words; word++) {
        remote |= page->remote[word];
    }
    if (remote != 0 && page->is_mailed == 0) {
        wrong += pools_broken("blocks were freed elsewhere, and its owner was not told", unit);
    }
    return wrong + pools_check_blocks(heap, unit);
}

/* ---------------------------------------------------------------- units */
static size_t pools_check_units(const struct pools_heap *heap)
{
    size_t wrong = 0;
    uint32_t used = 0, dirty = 0;
    for (uint32_t unit = 0; unit < heap->top; unit++) {
        bool is_used = pools_bit_is_set(heap->used, unit);
        bool is_dirty = pools_bit_is_set(heap->dirty, unit);
        used += is_used;
        dirty += is_dirty;
        wrong += is_used && is_dirty ? pools_broken("used, and free", unit) : 0;
        wrong += is_used == (heap->tags[unit] != POOLS_TAG_FREE)
                     ? 0
                     : pools_broken("its tag does not say whether it is used", unit);
    }
    if (used != heap->used_units || dirty != heap->dirty_units) {
        wrong += pools_broken("units are miscounted", heap->top);
    }
    return wrong;
}

/* What is used is part of a page or of a run, but for the guards of runs. */
static size_t pools_check_owners(const struct pools_heap *heap)
{
    size_t guards = 0;
    enum pools_what what;
    for (uint32_t unit = 0, next; unit < heap->top; unit = next) {
        next = pools_walk_next(heap, unit, &what);
        guards += what == POOLS_CLEAN && pools_tag_of(heap, unit) != POOLS_TAG_FREE;
    }
    return guards == 2u * POOLS_GUARD * heap->runs
               ? 0
               : pools_broken("units are used by nobody", heap->top);
}

/* ---------------------------------------------------------------- lists and mail */
/* Checks invariant 3: which blocks a stack may have. */
static size_t pools_check_stack(const struct pools_heap *heap, const struct pools_local *local,
                                uint32_t size_class)
{
    const struct pools_class *one = &heap->classes[size_class];
    uint32_t count = pools_stack_count(heap, local, size_class), tag = local->tag | size_class;
    if (count > one->stack) {
        return pools_broken("a stack is too high", POOLS_NONE);
    }
    bool may_mix = local->is_mixed[size_class] && one->bytes % POOLS_LINE_BYTES == 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t unit = pools_unit_of(heap, local->pointers[one->stack_at + i]);
        uint32_t found = unit < heap->top ? heap->tags[unit] : POOLS_TAG_FREE;
        if (found != tag && !(may_mix && found >> POOLS_TAG_BITS != 0 &&
                              (found & ((1u << POOLS_TAG_BITS) - 1)) == size_class)) {
            return pools_broken("a stack has a block that is not its own", unit);
        }
    }
    return 0;
}

static size_t pools_check_bin(const struct pools_heap *heap, const struct pools_local *local,
                              uint32_t size_class, uint32_t *listed)
{
    const struct pools_bin *bin = &local->bins[size_class];
    uint32_t previous = POOLS_NONE, tag = local->tag | size_class;
    for (uint32_t unit = bin->first; unit != POOLS_NONE; unit = heap->pages[unit].next) {
        const struct pools_page *page = unit < heap->top ? &heap->pages[unit] : NULL;
        if (page == NULL || heap->tags[unit] != tag || !page->is_listed ||
            page->previous != previous || bin->current == unit) {
            return pools_broken("a list is broken here", unit);
        }
        previous = unit;
        ++*listed;
    }
    if (bin->last != previous) {
        return pools_broken("a bin's list has a wrong end", previous);
    }
    if (bin->current != POOLS_NONE &&
        (bin->current >= heap->top || heap->tags[bin->current] != tag)) {
        return pools_broken("a bin's page is another's", bin->current);
    }
    return pools_check_stack(heap, local, size_class);
}

/* Checks invariant 6, as far as possible: there are as many flags as pages in the mail. */
static size_t pools_check_mail(const struct pools_heap *heap)
{
    uint32_t flags = 0, mailed = 0;
    for (uint32_t unit = 0; unit < heap->top; unit++) {
        flags += heap->pages[unit].is_mailed;
    }
    for (uint32_t i = 0; i < heap->local_count; i++) {
        for (uint32_t next = heap->locals[i].mail; next != 0 && mailed <= flags;
             next = heap->pages[next - 1].mail_next) {
            mailed++;
        }
    }
    return flags == mailed ? 0 : pools_broken("mail is lost, or comes twice", heap->top);
}

size_t pools_check(const struct pools_heap *heap)
{
    pools_lock(heap);
    size_t wrong = pools_check_units(heap) + pools_check_owners(heap) + pools_check_mail(heap);
    uint32_t listed = 0, flagged = 0;
    for (uint32_t i = 0; i < heap->local_count; i++) {
        for (uint32_t size_class = 0; size_class < POOLS_CLASSES; size_class++) {
            wrong += pools_check_bin(heap, &heap->locals[i], size_class, &listed);
        }
    }
    enum pools_what what;
    for (uint32_t unit = 0, next; wrong == 0 && unit < heap->top; unit = next) {
        next = pools_walk_next(heap, unit, &what);
        if (what == POOLS_PAGE) {
            wrong += pools_check_page(heap, unit);
            flagged += heap->pages[unit].is_listed;
        }
    }
    if (wrong == 0 && listed != flagged) {
        wrong += pools_broken("pages say that they are listed and are not", heap->top);
    }
    pools_unlock(heap);
    return wrong;
}
