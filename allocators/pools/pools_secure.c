/* What makes `pools-secure` of `pools`: each by a parameter, all in vain against who may write
 * anywhere, as tags, bitmaps and the secret are not hidden.
 *
 *   VERIFY   An interior pointer is not at a block's beginning, a foreign one is not in a page, a
 *            sized free tells the page's class. Whether a block is in the caller's hands is said by
 *            its canary, which comes and goes with it, or, without CANARY, by a bit in the side
 *            table: who frees a block that is not has found a double free.
 *   ZERO     A freed block is zeroed, so that who reads it later finds nothing.
 *   WITNESS  A block that is handed out must be zero still: a write after free is found then.
 *   CANARY   Eight bytes behind each small block, a function of a secret and of the address, must
 *            be there when it is freed: an overflow is found then (as hardened_malloc's slab
 *            canaries).
 *   RANDOM   A page is begun at a random word, and what fills a stack is shuffled.
 *   DELAY    A freed block takes the place of one among so many that wait, drawn by lot, and that
 *            one is freed: so it is not the next to be handed out (hardened_malloc's random
 *            quarantine).
 *   GUARD    A large block lies between units that nobody may touch, and what its last unit has
 *            beyond the block's pages may not be touched either.
 *
 * What they cost, and what they find, is in docs/decisions/0018-pools.md; `heapmill misuse` shows
 * the latter. */
#include <string.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>

#include "allocators/pools/pools_internal.h"

/* Blocks are read and written as words and vectors, whatever their types are. */
typedef uint64_t pools_word __attribute__((may_alias));
typedef uint64_t pools_vector __attribute__((vector_size(16), may_alias));

/* ---------------------------------------------------------------- finding a block */
#if POOLS_HOOKS
/* The page, class and number of a small block. Passed by value, so that it stays in registers. */
struct pools_whereabouts {
    uint32_t unit; /* first unit of the page; of what is no small block, the unit that it is in */
    uint32_t tag;  /* of the unit that the block is in */
    uint32_t size_class; /* POOLS_CLASSES or more: no small block */
    uint32_t number;
    uint32_t bytes;
};

__attribute__((always_inline)) static inline struct pools_whereabouts
pools_locate(const struct pools_heap *heap, const void *block)
{
    uint32_t unit = pools_unit_of(heap, block);
    uint32_t tag = pools_tag_of(heap, unit), size_class = tag & ((1u << POOLS_TAG_BITS) - 1);
    if (size_class >= POOLS_CLASSES) {
        return (struct pools_whereabouts){unit, tag, size_class, 0, 0};
    }
    unit = pools_page_unit(heap, unit, size_class);
    return (struct pools_whereabouts){unit, tag, size_class,
                                      pools_number_of(heap, unit, size_class, block),
                                      heap->classes[size_class].bytes};
}
#endif

/* ---------------------------------------------------------------- CANARY */
#if POOLS_CANARY
static inline uint64_t pools_canary(const struct pools_heap *heap, const void *block)
{
    return (heap->secret ^ (uintptr_t)block) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline pools_word *pools_tail(void *block, uint32_t bytes)
{
    return (pools_word *)(void *)((unsigned char *)block + bytes - POOLS_TAIL);
}

/* Writes a canary. Memory that was never used is written before it is read, with one
 * read-modify-write instruction: otherwise the read would fault in the kernel's zero page, and the
 * write would fault again. */
static inline void pools_canary_put(const struct pools_heap *heap, void *block, uint32_t bytes)
{
    pools_word *tail = pools_tail(block, bytes);
    uint64_t canary = pools_canary(heap, block);
#if POOLS_WITNESS
    *tail ^= canary;
    __asm__("" : : : "memory");
    if (__builtin_expect(*tail != canary, 0)) {
        fatal(POOLS_FATAL_WRITTEN);
    }
#else
    *tail = canary;
#endif
}

/* Called for a wrong canary. A free block has none; this slow path can find out whether it is a
 * free block or an overflow. */
__attribute__((noreturn, cold)) static void pools_canary_is_wrong(const struct pools_heap *heap,
                                                                  const void *block)
{
    struct pools_whereabouts at = pools_locate(heap, block);
    struct pools_survey survey;
    pools_survey_page(heap, at.unit, &survey);
    bool is_free =
        pools_bit_is_set(survey.free, at.number) || pools_bit_is_set(survey.cached, at.number);
    fatal(POOLS_VERIFY && is_free ? HEAP_FATAL_DOUBLE_FREE : POOLS_FATAL_OVERFLOW);
}

/* Removes the canary with the block. If two threads free it at the same time, only one finds the
 * canary: it is an exchange if there are threads (__libc_single_threaded, glibc 2.32). */
static inline void pools_canary_take(const struct pools_heap *heap, void *block, uint32_t bytes)
{
    pools_word *tail = pools_tail(block, bytes);
    uint64_t found;
    if (__libc_single_threaded) {
        found = *tail;
        *tail = 0;
    } else {
        found = __atomic_exchange_n(tail, 0, __ATOMIC_RELAXED);
    }
    if (__builtin_expect(found != pools_canary(heap, block), 0)) {
        pools_canary_is_wrong(heap, block);
    }
}
#endif

/* ---------------------------------------------------------------- VERIFY */
#if POOLS_LIVE_BITS
/* Sets or clears the block's bit; returns its old value. */
static inline bool pools_live_set(struct pools_heap *heap, struct pools_whereabouts at,
                                  bool is_live)
{
    uint64_t *word = &heap->pages[at.unit].live[at.number / 64];
    uint64_t bit = (uint64_t)1 << (at.number % 64);
    uint64_t was = is_live ? __atomic_fetch_or(word, bit, __ATOMIC_RELAXED)
                           : __atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED);
    return (was & bit) != 0;
}
#endif

#if POOLS_VERIFY
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

/* A block that was shrunk in place is larger than its size's class, but by less than a quarter. */
static inline void pools_verify_size(const struct pools_heap *heap, struct pools_whereabouts at,
                                     size_t size)
{
    size_t room = at.bytes - POOLS_TAIL;
    if (size > room ||
        (pools_class_at(size + POOLS_TAIL) != at.size_class && 4 * size <= 3 * room &&
         !__atomic_load_n(&heap->pages[at.unit].is_lax, __ATOMIC_RELAXED))) {
        fatal(HEAP_FATAL_WRONG_SIZE);
    }
}

/* Finds a block at a place where one can begin. A large one has then passed the check. */
__attribute__((always_inline)) static inline struct pools_whereabouts
pools_verify_place(const struct pools_heap *heap, const void *block, size_t size)
{
    size_t unit = ((uintptr_t)block - (uintptr_t)heap->base) >> POOLS_UNIT_SHIFT;
    if (__builtin_expect(unit >= __atomic_load_n(&heap->top, __ATOMIC_RELAXED), 0)) {
        fatal(HEAP_FATAL_NOT_OURS);
    }
    struct pools_whereabouts at = pools_locate(heap, block);
    if (__builtin_expect(at.tag >> POOLS_TAG_BITS == 0, 0)) {
        if (at.tag != POOLS_TAG_RUN) {
            fatal(at.tag == POOLS_TAG_FREE ? HEAP_FATAL_DOUBLE_FREE : HEAP_FATAL_NOT_OURS);
        }
        pools_verify_run(heap, at.unit, block, size);
        return at;
    }
    const unsigned char *first = pools_address_of(heap, at.unit);
    if (at.number >= heap->classes[at.size_class].capacity ||
        block != first + (size_t)at.number * at.bytes) {
        fatal(HEAP_FATAL_NOT_OURS);
    }
    return at;
}

void pools_verify(const struct pools_heap *heap, void *block, size_t size)
{
    struct pools_whereabouts at = pools_verify_place(heap, block, size);
    if (at.size_class >= POOLS_CLASSES) {
        return;
    }
#if POOLS_CANARY
    POOLS_UNPOISON(pools_tail(block, at.bytes), POOLS_TAIL);
    if (*pools_tail(block, at.bytes) != pools_canary(heap, block)) {
        pools_canary_is_wrong(heap, block);
    }
    POOLS_POISON(pools_tail(block, at.bytes), POOLS_TAIL);
#else
    uint64_t live = __atomic_load_n(&heap->pages[at.unit].live[at.number / 64], __ATOMIC_RELAXED);
    if ((live >> (at.number % 64) & 1) == 0) {
        fatal(HEAP_FATAL_DOUBLE_FREE);
    }
#endif
    if (size != SIZE_MAX) {
        pools_verify_size(heap, at, size);
    }
}
#endif

/* ---------------------------------------------------------------- ZERO and WITNESS */
/* Zeroes by vectors of 16 bytes, of which every block consists. A small block needs no call, and
 * reading what was just written this way does not stall. */
enum { POOLS_VECTORS_MAX = 128 }; /* bytes; memset is faster beyond */

static_assert(sizeof(pools_vector) == POOLS_GRANULE, "blocks are whole vectors");

#if POOLS_ZERO
static inline void pools_zero(void *block, uint32_t bytes)
{
    static const pools_vector zeros = {0, 0};
    if (bytes > POOLS_VECTORS_MAX) {
        memset(block, 0, bytes);
        return;
    }
    /* A zero that the compiler does not know; otherwise it would store two words, or call
     * memset. */
    pools_vector *vectors = block, zero = *(const volatile pools_vector *)&zeros;
    for (uint32_t i = 0; i < bytes / sizeof(vectors[0]); i++) {
        vectors[i] = zero;
    }
}
#endif

#if POOLS_WITNESS
static inline bool pools_is_zero(const void *block, uint32_t bytes)
{
    const pools_vector *vectors = block;
    uint32_t count = bytes / sizeof(vectors[0]), i = 0;
    /* The part of the last vector before the canary. */
    uint64_t rest = bytes % sizeof(vectors[0]) != 0 ? ((const pools_word *)block)[2 * count] : 0;
    pools_vector found = {rest, 0};
    for (; i + 4 <= count; i += 4) {
        found |= (vectors[i] | vectors[i + 1]) | (vectors[i + 2] | vectors[i + 3]);
    }
    for (; i < count; i++) {
        found |= vectors[i];
    }
    return (found[0] | found[1]) == 0;
}
#endif

/* ---------------------------------------------------------------- DELAY */
#if POOLS_DELAY || POOLS_RANDOM
/* xorshift64* (Marsaglia 2003, Vigna 2016). */
static inline uint64_t pools_lots(struct pools_local *local)
{
    local->lots ^= local->lots >> 12;
    local->lots ^= local->lots << 25;
    local->lots ^= local->lots >> 27;
    return local->lots * UINT64_C(0x2545f4914f6cdd1d);
}

uint32_t pools_lot(struct pools_local *local)
{
    return (uint32_t)(pools_lots(local) >> 32);
}
#endif

#if POOLS_DELAY
/* Takes a small block, and returns one that has waited; NULL: none is due. */
static inline void *pools_delay(struct pools_heap *heap, void *block)
{
    struct pools_local *local =
        pools_mine.id == heap->id ? pools_mine.local : pools_local_get(heap);
    if (local == NULL) {
        return block;
    }
    void **place = &local->delayed[(uint32_t)(pools_lots(local) >> 32) & (POOLS_DELAY - 1)];
    void *waited = *place;
    *place = block;
    return waited;
}

void pools_delay_end(struct pools_heap *heap, struct pools_local *local)
{
    for (uint32_t i = 0; i < POOLS_DELAY; i++) {
        void *block = local->delayed[i];
        local->delayed[i] = NULL;
        if (block != NULL) {
            pools_give(heap, block);
        }
    }
}
#endif

/* ---------------------------------------------------------------- called by the fast paths */
#if POOLS_HOOKS
void pools_hook_taken(struct pools_heap *heap, void *block, uint32_t size_class)
{
    uint32_t bytes = heap->classes[size_class].bytes;
    (void)block, (void)bytes; /* ZERO and DELAY alone do nothing here */
#if POOLS_LIVE_BITS
    struct pools_whereabouts at = pools_locate(heap, block);
    (void)pools_live_set(heap, at, true);
#endif
    POOLS_UNPOISON(block, bytes);
#if POOLS_CANARY
    pools_canary_put(heap, block, bytes);
#endif
#if POOLS_WITNESS
    if (__builtin_expect(!pools_is_zero(block, bytes - (uint32_t)POOLS_TAIL), 0)) {
        fatal(POOLS_FATAL_WRITTEN);
    }
#endif
    POOLS_POISON(block, bytes);
}

void pools_free_hooked(struct pools_heap *heap, void *block, size_t size)
{
#if POOLS_VERIFY
    struct pools_whereabouts at = pools_verify_place(heap, block, size);
#else
    struct pools_whereabouts at = pools_locate(heap, block);
#endif
    if (at.size_class < POOLS_CLASSES) {
        POOLS_UNPOISON(block, at.bytes);
#if POOLS_CANARY
        pools_canary_take(heap, block, at.bytes);
#elif POOLS_VERIFY
        if (!pools_live_set(heap, at, false)) {
            fatal(HEAP_FATAL_DOUBLE_FREE);
        }
#endif
#if POOLS_VERIFY
        if (size != SIZE_MAX) {
            pools_verify_size(heap, at, size);
        }
#endif
#if POOLS_ZERO
        pools_zero(block, at.bytes);
#endif
        POOLS_POISON(block, at.bytes);
#if POOLS_DELAY
        block = pools_delay(heap, block);
#endif
    }
    (void)size;
    if (!POOLS_DELAY || block != NULL) {
        pools_give(heap, block);
    }
}
#endif

/* ---------------------------------------------------------------- RANDOM */
#if POOLS_RANDOM
/* Fisher and Yates's shuffle with random numbers of 16 bits: with 64 places, one is at most a
 * thousandth likelier than another. */
void pools_shuffle(struct pools_local *local, void **pointers, uint32_t count)
{
    static_assert(POOLS_STACK <= 64, "16 bits are enough");
    uint64_t lots = 0;
    for (uint32_t i = count; i > 1; i--) {
        lots = lots >> 16 != 0 ? lots >> 16 : pools_lots(local);
        uint32_t other = (uint32_t)((lots & UINT16_MAX) * i >> 16);
        void *pointer = pointers[i - 1];
        pointers[i - 1] = pointers[other];
        pointers[other] = pointer;
    }
}
#endif

/* ---------------------------------------------------------------- GUARD */
#if POOLS_GUARD
/* The system limits the mappings of a process. At the limit there are no more guards. */
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
