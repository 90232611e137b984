/* Pages of `pools`: how blocks move from them to a thread's stack, and back. */
#include <string.h>

#include "allocators/pools/pools_internal.h"

enum { POOLS_RELINK = 16 }; /* a page is listed again when this part (1/16) of it is free */

/* ---------------------------------------------------------------- lists */
static void pools_bin_add(struct pools_heap *heap, struct pools_bin *bin, uint32_t unit)
{
    struct pools_page *page = &heap->pages[unit];
    page->is_listed = true;
    page->next = POOLS_NONE;
    page->previous = bin->last;
    if (bin->last == POOLS_NONE) {
        bin->first = unit;
    } else {
        heap->pages[bin->last].next = unit;
    }
    bin->last = unit;
}

void pools_bin_remove(struct pools_heap *heap, struct pools_bin *bin, uint32_t unit)
{
    struct pools_page *page = &heap->pages[unit];
    page->is_listed = false;
    if (page->previous == POOLS_NONE) {
        bin->first = page->next;
    } else {
        heap->pages[page->previous].next = page->next;
    }
    if (page->next == POOLS_NONE) {
        bin->last = page->previous;
    } else {
        heap->pages[page->next].previous = page->previous;
    }
}

/* ---------------------------------------------------------------- taking pages */
static void pools_page_init(struct pools_heap *heap, uint32_t unit, uint32_t size_class)
{
    struct pools_page *page = &heap->pages[unit];
    uint32_t capacity = heap->classes[size_class].capacity;
    page->size_class = (uint8_t)size_class;
    page->capacity = capacity;
    page->free_count = capacity;
    page->relink_at = capacity < POOLS_RELINK ? 1 : capacity / POOLS_RELINK;
    page->words = (capacity + 63) / 64;
    page->cursor = 0;
    page->fresh = 0;
    page->is_listed = false;
    page->is_lax = false;
    for (uint32_t word = 0; word < page->words; word++) {
        page->free[word] = UINT64_MAX;
        page->remote[word] = 0;
#if POOLS_LIVE_BITS
        page->live[word] = 0;
#endif
    }
    if (capacity % 64 != 0) {
        page->free[page->words - 1] = ((uint64_t)1 << (capacity % 64)) - 1;
    }
}

/* Takes an unused page, or one of an ended thread; POOLS_NONE: there is no memory. */
static uint32_t pools_page_take(struct pools_heap *heap, struct pools_local *local,
                                uint32_t size_class)
{
    uint32_t count = 1u << heap->classes[size_class].unit_shift;
    pools_lock(heap);
    uint32_t unit = heap->orphans == 0 ? POOLS_NONE : pools_orphan_page(heap, local, size_class);
    if (unit == POOLS_NONE) {
        unit = pools_units_take(heap, count, count, local->tag | size_class);
        if (unit != POOLS_NONE) {
            pools_page_init(heap, unit, size_class);
            if (POOLS_WITNESS && !heap->os_is_own) {
                POOLS_UNPOISON(pools_address_of(heap, unit), (size_t)count << POOLS_UNIT_SHIFT);
                memset(pools_address_of(heap, unit), 0, (size_t)count << POOLS_UNIT_SHIFT);
            }
            POOLS_POISON(pools_address_of(heap, unit), (size_t)count << POOLS_UNIT_SHIFT);
        }
    }
    pools_unlock(heap);
    return unit;
}

/* The page for the bin's next blocks: the one that was listed first. */
static uint32_t pools_page_next(struct pools_heap *heap, struct pools_local *local,
                                uint32_t size_class)
{
    struct pools_bin *bin = &local->bins[size_class];
    pools_mail_read(heap, local, false);
    uint32_t unit = bin->first;
    if (unit != POOLS_NONE) {
        pools_bin_remove(heap, bin, unit);
    } else {
        unit = pools_page_take(heap, local, size_class);
    }
    if (unit != POOLS_NONE) {
#if POOLS_RANDOM
        heap->pages[unit].cursor = pools_lot(local) % heap->pages[unit].words;
#else
        heap->pages[unit].cursor = 0;
#endif
    }
    return unit;
}

/* ---------------------------------------------------------------- blocks leave a page */
/* Fills the stack from a word whose free blocks are all neighbours, as in a new or drained page, so
 * that their addresses need only additions. Returns the rest of the word. */
static uint64_t pools_page_fill_run(uint64_t bits, unsigned char *first, size_t bytes, void **stack,
                                    uint32_t *room)
{
    uint32_t number = (uint32_t)__builtin_ctzll(bits);
    uint32_t count = (uint32_t)__builtin_popcountll(bits);
    count = count < *room ? count : *room;
    unsigned char *block = first + number * bytes;
    for (uint32_t i = 1; i <= count; i++, block += bytes) {
        stack[*room - i] = block;
    }
    *room -= count;
    uint32_t end = number + count;
    return end == 64 ? 0 : bits >> end << end;
}

/* Puts blocks of the page below the `room` entries of the stack, so that they pop in the order of
 * their addresses. Returns the entries that are left. */
static uint32_t pools_page_fill(struct pools_heap *heap, uint32_t unit, void **stack, uint32_t room)
{
    struct pools_page *page = &heap->pages[unit];
    size_t bytes = heap->classes[page->size_class].bytes;
    unsigned char *base = pools_address_of(heap, unit);
    uint32_t word = page->cursor, before = room;
    for (; word < page->words; word++) {
        uint64_t bits = page->free[word];
        unsigned char *first = base + (size_t)word * 64 * bytes;
        if (bits != 0 && (bits & (bits + (bits & -bits))) == 0) {
            bits = pools_page_fill_run(bits, first, bytes, stack, &room);
        }
        for (; bits != 0 && room > 0; bits &= bits - 1) {
            stack[--room] = first + (size_t)__builtin_ctzll(bits) * bytes;
        }
        page->free[word] = bits;
        if (room == 0) {
            break;
        }
    }
    page->cursor = word;
    page->fresh = word < page->fresh ? page->fresh : word < page->words ? word + 1 : page->words;
    page->free_count -= before - room;
    return room;
}

/* Fills half of the empty stack, so that there is room for frees too. */
static void pools_stack_fill(struct pools_heap *heap, struct pools_local *local,
                             uint32_t size_class)
{
    struct pools_bin *bin = &local->bins[size_class];
    void **bottom = pools_stack_bottom(heap, local, size_class);
    uint32_t wanted = (heap->classes[size_class].stack + 1) / 2, room = wanted;
    while (room > 0) {
        if (bin->current == POOLS_NONE) {
            bin->current = pools_page_next(heap, local, size_class);
            if (bin->current == POOLS_NONE) {
                break;
            }
        }
        struct pools_page *page = &heap->pages[bin->current];
        room = pools_page_fill(heap, bin->current, bottom + 1, room);
        if (room > 0 && page->free_count < page->relink_at) {
            bin->current = POOLS_NONE;
        } else if (room > 0) {
            page->cursor = 0; /* blocks came back before the cursor */
        }
    }
    if (room > 0) {
        memmove(bottom + 1, bottom + 1 + room, (wanted - room) * sizeof(bottom[0]));
    }
    pools_shuffle(local, bottom + 1, wanted - room);
    local->stacks[size_class].top = bottom + (wanted - room);
}

void *pools_alloc_refill(struct pools_heap *heap, uint32_t size_class)
{
    heap_slow_mark();
    struct pools_local *local = pools_local_get(heap);
    if (local == NULL) {
        return NULL;
    }
    struct pools_stack *stack = &local->stacks[size_class];
    if (*stack->top == NULL) {
        pools_stack_fill(heap, local, size_class);
    }
    return *stack->top == NULL ? NULL : *stack->top--;
}

/* ---------------------------------------------------------------- blocks return to a page */
static void pools_page_release(struct pools_heap *heap, struct pools_local *local, uint32_t unit,
                               bool locked)
{
    struct pools_page *page = &heap->pages[unit];
    if (page->is_listed) {
        pools_bin_remove(heap, &local->bins[page->size_class], unit);
    }
    if (!locked) {
        pools_lock(heap);
    }
    pools_units_release(heap, unit, 1u << heap->classes[page->size_class].unit_shift);
    if (!locked) {
        pools_unlock(heap);
    }
}

/* Called when more blocks of a page that is not current are free: lists or releases it if
 * necessary. */
static void pools_page_settle(struct pools_heap *heap, struct pools_local *local, uint32_t unit,
                              bool locked)
{
    struct pools_page *page = &heap->pages[unit];
    if (page->free_count == page->capacity) {
        pools_page_release(heap, local, unit, locked);
    } else if (!page->is_listed && page->free_count >= page->relink_at) {
        pools_bin_add(heap, &local->bins[page->size_class], unit);
    }
}

/* Sets the blocks' bits. */
static inline void pools_pages_put(struct pools_heap *heap, struct pools_local *local,
                                   uint32_t size_class, void *const *blocks, uint32_t count)
{
    const struct pools_class one = heap->classes[size_class];
    struct pools_page *pages = heap->pages;
    uintptr_t base = (uintptr_t)heap->base;
    uint32_t mask = ~((1u << one.unit_shift) - 1);
    size_t offset_mask = ((size_t)POOLS_UNIT_BYTES << one.unit_shift) - 1;
    for (uint32_t i = 0; i < count; i++) {
        uintptr_t at = (uintptr_t)blocks[i] - base;
        uint32_t unit = (uint32_t)(at >> POOLS_UNIT_SHIFT) & mask;
        uint64_t number = (at & offset_mask) * one.reciprocal >> 32;
        struct pools_page *page = &pages[unit];
        page->free[number / 64] |= (uint64_t)1 << (number % 64);
        uint32_t free_count = ++page->free_count;
        if (__builtin_expect(free_count == page->relink_at || free_count == page->capacity, 0) &&
            local->bins[size_class].current != unit) {
            pools_page_settle(heap, local, unit, false);
        }
    }
}

/* The same for blocks of any owners' pages; neighbours on the stack are handled together. */
static void pools_pages_put_mixed(struct pools_heap *heap, struct pools_local *local,
                                  uint32_t size_class, void *const *blocks, uint32_t count)
{
    uint32_t own = local->tag | size_class;
    for (uint32_t i = 0, from = 0; i < count; from = i) {
        bool is_own = pools_tag_of(heap, pools_unit_of(heap, blocks[i])) == own;
        while (++i < count &&
               (pools_tag_of(heap, pools_unit_of(heap, blocks[i])) == own) == is_own) {
        }
        if (is_own) {
            pools_pages_put(heap, local, size_class, blocks + from, i - from);
        } else {
            pools_deliver(heap, blocks + from, i - from);
        }
    }
}

/* Returns blocks of the thread's stack of the class, or blocks that would be put there, to their
 * pages. */
static void pools_stack_put(struct pools_heap *heap, struct pools_local *local, uint32_t size_class,
                            void *const *blocks, uint32_t count)
{
    if (__builtin_expect(local->is_mixed[size_class], 0)) {
        pools_pages_put_mixed(heap, local, size_class, blocks, count);
    } else {
        pools_pages_put(heap, local, size_class, blocks, count);
    }
}

/* Returns the older half of the stack to its pages, since recently freed blocks are warm. */
static void pools_stack_spill(struct pools_heap *heap, struct pools_local *local,
                              uint32_t size_class)
{
    void **bottom = pools_stack_bottom(heap, local, size_class);
    struct pools_stack *stack = &local->stacks[size_class];
    uint32_t count = (uint32_t)(stack->top - bottom), half = (count + 1) / 2;
    pools_stack_put(heap, local, size_class, bottom + 1, half);
    memmove(bottom + 1, bottom + 1 + half, (count - half) * sizeof(bottom[0]));
    stack->top = bottom + (count - half);
}

void pools_free_to_page(struct pools_heap *heap, struct pools_local *local, uint32_t size_class,
                        void *block)
{
    heap_slow_mark();
    if (!local->attends) {
        pools_stack_spill(heap, local, size_class);
    }
    pools_attend(heap, local);
    struct pools_stack *stack = &local->stacks[size_class];
    if (stack->top < stack->end) {
        *++stack->top = block;
    } else {
        pools_stack_put(heap, local, size_class, &block, 1);
    }
}

void pools_page_harvest(struct pools_heap *heap, struct pools_local *local, uint32_t unit,
                        bool locked)
{
    struct pools_page *page = &heap->pages[unit];
    for (uint32_t word = 0; word < page->words; word++) {
        if (__atomic_load_n(&page->remote[word], __ATOMIC_SEQ_CST) != 0) {
            uint64_t bits = __atomic_exchange_n(&page->remote[word], 0, __ATOMIC_ACQUIRE);
            page->free[word] |= bits;
            page->free_count += (uint32_t)__builtin_popcountll(bits);
        }
    }
    if (local->bins[page->size_class].current != unit) {
        pools_page_settle(heap, local, unit, locked);
    }
}

void pools_stacks_open(const struct pools_heap *heap, struct pools_local *local, bool are_open)
{
    for (uint32_t i = 0; i < POOLS_CLASSES; i++) {
        local->stacks[i].end =
            pools_stack_bottom(heap, local, i) + (are_open ? heap->classes[i].stack : 0);
    }
}

void pools_local_flush(struct pools_heap *heap, struct pools_local *local)
{
    for (uint32_t size_class = 0; size_class < POOLS_CLASSES; size_class++) {
        struct pools_bin *bin = &local->bins[size_class];
        void **bottom = pools_stack_bottom(heap, local, size_class);
        uint32_t count = pools_stack_count(heap, local, size_class);
        local->stacks[size_class].top = bottom;
        pools_stack_put(heap, local, size_class, bottom + 1, count);
        uint32_t unit = bin->current;
        bin->current = POOLS_NONE;
        if (unit != POOLS_NONE) {
            pools_page_settle(heap, local, unit, false);
        }
    }
}
