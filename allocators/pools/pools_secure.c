/* What makes `pools-secure` of `pools`: each by a parameter, all in vain against who may write
 * anywhere, as tags, bitmaps and the secret are not hidden.
 *
 *   VERIFY   A bit for each block says whether it is in the caller's hands, in the side table,
 * which an overflow does not reach. A free takes the bit away; who finds none has found a double
 * free, an interior pointer is not at a block's beginning, a foreign one is not in a page, and a
 * sized free tells the page's class. ZERO     A freed block is zeroed, so that who reads it later
 * finds nothing. WITNESS  A block that is handed out must be zero still: a write after free is
 * found then. CANARY   Eight bytes behind each small block, a function of a secret and of the
 * address, must be there when it is freed: an overflow is found then (as hardened_malloc's slab
 * canaries). RANDOM   A page is begun at a random word, and what fills a stack is shuffled. DELAY
 * A freed block takes the place of one among so many that wait, drawn by lot, and that one is
 * freed: so it is not the next to be handed out (hardened_malloc's random quarantine). GUARD    A
 * large block lies between units that nobody may touch, and what its last unit has beyond the
 * block's pages may not be touched either.
 *
 * What they cost, and what they find, is in docs/decisions/0018-pools.md; `heapmill misuse` shows
 * the latter. */
#include <string.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>

#include "allocators/pools/pools_internal.h"

/* ---------------------------------------------------------------- VERIFY */
#if POOLS_HOOKS
/* A small block's page and number in it. */
struct pools_whereabouts {
    struct pools_page *page; /* NULL: it is a large one */
    uint32_t number;
    uint32_t bytes;
};

static inline struct pools_whereabouts pools_locate(const struct pools_heap *heap,
                                                    const void *block)
{
    uint32_t unit = pools_unit_of(heap, block);
    uint32_t size_class = pools_tag_of(heap, unit) & ((1u << POOLS_TAG_BITS) - 1);
    if (size_class >= POOLS_CLASSES) {
        return (struct pools_whereabouts){NULL, 0, 0};
    }
    unit = pools_page_unit(heap, unit, size_class);
    return (struct pools_whereabouts){&heap->pages[unit],
                                      pools_number_of(heap, unit, size_class, block),
                                      heap->classes[size_class].bytes};
}
#endif

#if POOLS_VERIFY
/* Sets or clears the block's bit; what it was. Other threads may write to the word, if there are
 * any (__libc_single_threaded, glibc 2.32), and an atomic operation costs as much as all the rest.
 */
static bool pools_live_set(const struct pools_whereabouts *at, bool is_live)
{
    uint64_t *word = &at->page->live[at->number / 64], bit = (uint64_t)1 << (at->number % 64), was;
    if (__libc_single_threaded) {
        was = *word;
        *word = is_live ? was | bit : was & ~bit;
    } else {
        was = is_live ? __atomic_fetch_or(word, bit, __ATOMIC_RELAXED)
                      : __atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED);
    }
    return (was & bit) != 0;
}

static void pools_verify_run(const struct pools_heap *heap, uint32_t unit, const void *block,
                             size_t size)
{
    const struct pools_page *page = &heap->pages[unit];
    if (block != pools_address_of(heap, unit)) {
        fatal(HEAP_FATAL_NOT_OURS);
    }
    size_t slack = POOLS_GUARD ? POOLS_SYSTEM_PAGE : POOLS_UNIT_BYTES;
    if (size != SIZE_MAX &&
        (size > page->run_bytes || (!page->is_lax && page->run_bytes - size >= slack))) {
        fatal(HEAP_FATAL_WRONG_SIZE);
    }
}

static inline struct pools_whereabouts pools_verify_block(const struct pools_heap *heap,
                                                          const void *block, size_t size)
{
    struct pools_whereabouts at = pools_locate(heap, block);
    uint32_t unit = (uint32_t)(at.page - heap->pages);
    const unsigned char *first = pools_address_of(heap, unit);
    if (at.number >= at.page->capacity || block != first + (size_t)at.number * at.bytes) {
        fatal(HEAP_FATAL_NOT_OURS);
    }
    uint64_t live = __atomic_load_n(&at.page->live[at.number / 64], __ATOMIC_RELAXED);
    if ((live >> (at.number % 64) & 1) == 0) {
        fatal(HEAP_FATAL_DOUBLE_FREE);
    }
    if (size == SIZE_MAX) {
        return at;
    }
    /* A block that was shrunk in place is larger than its size's class, by less than a quarter. */
    size_t room = at.bytes - POOLS_TAIL;
    bool may_be_larger = __atomic_load_n(&at.page->is_lax, __ATOMIC_RELAXED) || 4 * size > 3 * room;
    if (size > room ||
        (pools_class_bytes(pools_class_at(size + POOLS_TAIL)) != at.bytes && !may_be_larger)) {
        fatal(HEAP_FATAL_WRONG_SIZE);
    }
    return at;
}

/* Where a block is that passed; page NULL: it is a large one. */
static inline struct pools_whereabouts pools_verified(const struct pools_heap *heap,
                                                      const void *block, size_t size)
{
    uint32_t unit = pools_owns(heap, block) ? pools_unit_of(heap, block) : POOLS_NONE;
    if (unit >= __atomic_load_n(&heap->top, __ATOMIC_RELAXED)) {
        fatal(HEAP_FATAL_NOT_OURS);
    }
    uint32_t tag = pools_tag_of(heap, unit);
    if (tag >> POOLS_TAG_BITS != 0) {
        return pools_verify_block(heap, block, size);
    }
    if (tag != POOLS_TAG_RUN) {
        fatal(tag == POOLS_TAG_FREE ? HEAP_FATAL_DOUBLE_FREE : HEAP_FATAL_NOT_OURS);
    }
    pools_verify_run(heap, unit, block, size);
    return (struct pools_whereabouts){NULL, 0, 0};
}

void pools_verify(const struct pools_heap *heap, const void *block, size_t size)
{
    (void)pools_verified(heap, block, size);
}
#endif

/* ---------------------------------------------------------------- CANARY, ZERO, WITNESS */
#if POOLS_CANARY
static uint64_t pools_canary(const struct pools_heap *heap, const void *block)
{
    return (heap->secret ^ (uintptr_t)block) * UINT64_C(0x9e3779b97f4a7c15);
}
#endif

#if POOLS_WITNESS
/* By words, which what was just zeroed in words or more can be read by without a stall. */
static bool pools_is_zero(const void *block, size_t bytes)
{
    const uint64_t *words = block;
    uint64_t found = 0;
    for (size_t i = 0; i < bytes / sizeof(words[0]); i++) {
        found |= words[i];
    }
    return found == 0;
}
#endif

#if POOLS_HOOKS
void pools_hook_taken(struct pools_heap *heap, void *block)
{
    struct pools_whereabouts at = pools_locate(heap, block);
    (void)at; /* ZERO alone has nothing to do here */
#if POOLS_VERIFY
    (void)pools_live_set(&at, true);
#endif
    POOLS_UNPOISON(block, at.bytes);
#if POOLS_WITNESS
    if (!pools_is_zero(block, at.bytes)) {
        fatal(POOLS_FATAL_WRITTEN);
    }
#endif
#if POOLS_CANARY
    uint64_t canary = pools_canary(heap, block);
    __builtin_memcpy((unsigned char *)block + at.bytes - POOLS_TAIL, &canary, sizeof(canary));
#endif
    POOLS_POISON(block, at.bytes);
}

void pools_hook_given(struct pools_heap *heap, void *block, size_t size)
{
#if POOLS_VERIFY
    struct pools_whereabouts at = pools_verified(heap, block, size);
#else
    struct pools_whereabouts at = pools_locate(heap, block);
    (void)size;
#endif
    if (at.page == NULL) {
        return;
    }
#if POOLS_VERIFY
    if (!pools_live_set(&at, false)) {
        fatal(HEAP_FATAL_DOUBLE_FREE);
    }
#endif
    POOLS_UNPOISON(block, at.bytes);
#if POOLS_CANARY
    uint64_t found;
    __builtin_memcpy(&found, (unsigned char *)block + at.bytes - POOLS_TAIL, sizeof(found));
    if (found != pools_canary(heap, block)) {
        fatal(POOLS_FATAL_OVERFLOW);
    }
#endif
#if POOLS_ZERO
    memset(block, 0, at.bytes);
#endif
    POOLS_POISON(block, at.bytes);
}
#endif

/* ---------------------------------------------------------------- RANDOM, DELAY */
#if POOLS_DELAY || POOLS_RANDOM
/* xorshift64* (Marsaglia 2003, Vigna 2016). */
uint32_t pools_lot(struct pools_local *local)
{
    local->lots ^= local->lots >> 12;
    local->lots ^= local->lots << 25;
    local->lots ^= local->lots >> 27;
    return (uint32_t)(local->lots * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}
#endif

#if POOLS_DELAY
void *pools_delay(struct pools_heap *heap, void *block)
{
    struct pools_local *local = pools_local_get(heap);
    uint32_t tag = pools_tag_of(heap, pools_unit_of(heap, block));
    if (local == NULL || tag >> POOLS_TAG_BITS == 0) {
        return block;
    }
    void **place = &local->delayed[pools_lot(local) & (POOLS_DELAY - 1)];
    void *waited = *place;
    *place = block;
    return waited;
}

void pools_delay_end(struct pools_heap *heap, struct pools_local *local)
{
    for (uint32_t i = 0; i < POOLS_DELAY; i++) {
        void *block = local->delayed[i];
        local->delayed[i] = NULL;
        pools_give(heap, block);
    }
}
#endif

#if POOLS_RANDOM
void pools_shuffle(struct pools_local *local, void **pointers, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = (uint32_t)((uint64_t)pools_lot(local) * i >> 32);
        void *pointer = pointers[i - 1];
        pointers[i - 1] = pointers[other];
        pointers[other] = pointer;
    }
}
#endif

/* ---------------------------------------------------------------- GUARD */
#if POOLS_GUARD
/* A process may have so many mappings and no more: then there is no guard. */
void pools_guard(const struct pools_heap *heap, uint32_t unit, bool is_guarded)
{
    const struct pools_page *page = &heap->pages[unit];
    unsigned char *block = pools_address_of(heap, unit);
    unsigned char *end = block + (((size_t)page->run_units + 1) << POOLS_UNIT_SHIFT);
    int access = is_guarded ? PROT_NONE : PROT_READ | PROT_WRITE;
    (void)mprotect(block - POOLS_UNIT_BYTES, POOLS_UNIT_BYTES, access);
    (void)mprotect(block + page->run_bytes, (size_t)(end - block) - page->run_bytes, access);
}
#endif
