/* pymalloc's fast paths: what an object runtime would compile into its own code. Included by
 * allocators/pymalloc.h alone, which explains the algorithm.
 *
 * Compiled with HEAPMILL_CHECKED (the tests and fuzzers, never a timed worker), each free is
 * verified first and misuse ends in fatal(). Under AddressSanitizer a block is addressable for as
 * many bytes as were asked for, and not at all while it is free. */
#ifndef HEAPMILL_ALLOCATORS_PYMALLOC_INLINE_H
#define HEAPMILL_ALLOCATORS_PYMALLOC_INLINE_H

#if defined(__SANITIZE_ADDRESS__)
#define PYMALLOC_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PYMALLOC_ASAN 1
#endif
#endif

/* HEAPMILL_UNANNOTATED: as a pool allocator is that knows nothing of AddressSanitizer. */
#if defined(PYMALLOC_ASAN) && !defined(HEAPMILL_UNANNOTATED)
#include <sanitizer/asan_interface.h>
#define PYMALLOC_POISON(address, bytes) __asan_poison_memory_region(address, bytes)
#define PYMALLOC_UNPOISON(address, bytes) __asan_unpoison_memory_region(address, bytes)
#define PYMALLOC_NO_ASAN __attribute__((no_sanitize("address")))
#else
#define PYMALLOC_POISON(address, bytes) ((void)0)
#define PYMALLOC_UNPOISON(address, bytes) ((void)0)
#define PYMALLOC_NO_ASAN
#endif

/* The slow paths: out of line, so that the fast ones stay small wherever they are inlined. */
#define PYMALLOC_SLOW __attribute__((noinline))

/* A block of the class from a pool that the class had no hold of; NULL when no arena is to be had.
 */
PYMALLOC_SLOW void *pymalloc_alloc_from_new_pool(struct pymalloc_heap *heap, uint32_t size_class);
/* The list of the pool has run out: carves one more block, or takes the full pool out of its ring.
 */
PYMALLOC_SLOW void pymalloc_pool_extend(struct pymalloc_pool *pool);
/* A full pool has a free block again: to the front of its ring. */
PYMALLOC_SLOW void pymalloc_pool_relink(struct pymalloc_heap *heap, struct pymalloc_pool *pool);
/* The pool has become empty: back to its arena, and the arena to the system if that was the last.
 */
PYMALLOC_SLOW void pymalloc_pool_release(struct pymalloc_heap *heap, struct pymalloc_pool *pool);
/* Requests of 0 bytes or more than THRESHOLD, and the blocks that the system malloc gave for them.
 */
PYMALLOC_SLOW void *pymalloc_alloc_large(struct pymalloc_heap *heap, size_t size);
PYMALLOC_SLOW void pymalloc_free_large(struct pymalloc_heap *heap, void *block);
/* fatal() unless block is live, and of the size when that is not SIZE_MAX. */
PYMALLOC_SLOW void pymalloc_verify_free(const struct pymalloc_heap *heap, const void *block,
                                        size_t size);

#ifndef HEAPMILL_CHECKED
#define pymalloc_verify_free(heap, block, size) ((void)0)
#endif

static inline size_t pymalloc_class_bytes(uint32_t size_class)
{
    return ((size_t)size_class + 1) * PYMALLOC_ALIGNMENT;
}

/* The class that serves size, 1 to THRESHOLD. */
static inline uint32_t pymalloc_class_of(size_t size)
{
    return (uint32_t)((size - 1) / PYMALLOC_ALIGNMENT);
}

static inline struct pymalloc_pool *pymalloc_pool_of_link(struct pymalloc_link *link)
{
    return (struct pymalloc_pool *)(void *)((unsigned char *)link -
                                            offsetof(struct pymalloc_pool, link));
}

/* The pool that block is in, if it is in one. */
static inline struct pymalloc_pool *pymalloc_pool_of(const void *block)
{
    return (struct pymalloc_pool *)((uintptr_t)block & ~(uintptr_t)(PYMALLOC_POOL_BYTES - 1));
}

/* A free block's first word is the next free block. The memory was the caller's, under whatever
 * type. */
typedef void *__attribute__((may_alias)) pymalloc_word;

PYMALLOC_NO_ASAN static inline void *pymalloc_word_read(const void *block)
{
    return *(const pymalloc_word *)block;
}

PYMALLOC_NO_ASAN static inline void pymalloc_word_write(void *block, void *next)
{
    *(pymalloc_word *)block = next;
}

#if PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX
#define PYMALLOC_RADIX_TOP(address)                                                                \
    ((address) >> (PYMALLOC_ADDRESS_BITS - PYMALLOC_INNER_BITS) & (PYMALLOC_INNER_SLOTS - 1))
#define PYMALLOC_RADIX_MIDDLE(address)                                                             \
    ((address) >> (PYMALLOC_ARENA_BITS + PYMALLOC_LEAF_BITS) & (PYMALLOC_INNER_SLOTS - 1))
#define PYMALLOC_RADIX_LEAF(address) ((address) >> PYMALLOC_ARENA_BITS & (PYMALLOC_LEAF_SLOTS - 1))

/* Is the address in one of the heap's arenas? arena_map_is_used of obmalloc.c 3.10. */
static inline bool pymalloc_owns(const struct pymalloc_heap *heap, const void *block)
{
    uintptr_t address = (uintptr_t)block;
    const struct pymalloc_radix_middle *middle = heap->radix[PYMALLOC_RADIX_TOP(address)];
    if (middle == NULL) {
        return false;
    }
    const struct pymalloc_radix_leaf *leaf = middle->leaves[PYMALLOC_RADIX_MIDDLE(address)];
    if (leaf == NULL) {
        return false;
    }
    struct pymalloc_coverage coverage = leaf->stretches[PYMALLOC_RADIX_LEAF(address)];
    int32_t offset = (int32_t)(address & (PYMALLOC_ARENA_BYTES - 1));
    return offset < coverage.tail_low || (offset >= coverage.tail_high && coverage.tail_high != 0);
}
#else
/* Is the address in one of the heap's arenas? address_in_range of obmalloc.c 3.7.
 *
 * If block is not ours, what is read as its pool's header is whatever lies at the start of block's
 * page: the page is mapped, since block is, but the word may be anybody's, or never written. Any
 * value of it gives the right answer, since the slot that it selects is then asked whether it
 * covers block. So the read is a volatile one, made once, that neither the compiler nor
 * AddressSanitizer may draw conclusions from. */
PYMALLOC_NO_ASAN static inline bool pymalloc_owns(const struct pymalloc_heap *heap,
                                                  const void *block)
{
    typedef uint32_t __attribute__((may_alias)) index_word;
    const unsigned char *page = (const unsigned char *)pymalloc_pool_of(block);
    size_t offset = offsetof(struct pymalloc_pool, arena_index);
    uint32_t index = *(const volatile index_word *)(const void *)(page + offset);
    return index < heap->arena_slots &&
           (uintptr_t)block - heap->arenas[index].address < PYMALLOC_ARENA_BYTES &&
           heap->arenas[index].address != 0;
}
#endif

/* A block of the class: from the first partly used pool, or from a new one. NULL: no memory. */
static inline void *pymalloc_alloc_small(struct pymalloc_heap *heap, uint32_t size_class)
{
    struct pymalloc_link *head = &heap->partial[size_class];
    struct pymalloc_link *link = head->next;
    if (__builtin_expect(link == head, 0)) {
        return pymalloc_alloc_from_new_pool(heap, size_class);
    }
    struct pymalloc_pool *pool = pymalloc_pool_of_link(link);
    void *block = pool->free_block;
    pool->live++;
    pool->free_block = pymalloc_word_read(block);
    if (__builtin_expect(pool->free_block == NULL, 0)) {
        pymalloc_pool_extend(pool);
    }
    return block;
}

/* Gives a live block back to its pool. */
static inline void pymalloc_free_small(struct pymalloc_heap *heap, struct pymalloc_pool *pool,
                                       void *block)
{
    PYMALLOC_POISON(block, pymalloc_class_bytes(pool->size_class));
    void *first = pool->free_block;
    pymalloc_word_write(block, first);
    pool->free_block = block;
    pool->live--;
    if (__builtin_expect(first == NULL, 0)) {
        pymalloc_pool_relink(heap, pool);
    } else if (__builtin_expect(pool->live == 0, 0)) {
        pymalloc_pool_release(heap, pool);
    }
}

static inline void *pymalloc_alloc(struct pymalloc_heap *heap, size_t size, enum heap_type type)
{
    (void)type;
    /* Size 0 wraps around and takes the slow way. */
    if (__builtin_expect(size - 1 >= PYMALLOC_THRESHOLD, 0)) {
        return pymalloc_alloc_large(heap, size);
    }
    void *block = pymalloc_alloc_small(heap, pymalloc_class_of(size));
    PYMALLOC_UNPOISON(block, block == NULL ? 0 : size);
    return block;
}

/* Knowing the size spares the address lookup: a small block can only be in a pool. */
static inline void pymalloc_free(struct pymalloc_heap *heap, void *block, size_t size,
                                 enum heap_type type)
{
    (void)type;
    pymalloc_verify_free(heap, block, size);
    if (__builtin_expect(size <= PYMALLOC_THRESHOLD, 1)) {
        pymalloc_free_small(heap, pymalloc_pool_of(block), block);
    } else {
        pymalloc_free_large(heap, block);
    }
}

static inline void pymalloc_free_unsized(struct pymalloc_heap *heap, void *block)
{
    pymalloc_verify_free(heap, block, SIZE_MAX);
    if (__builtin_expect(pymalloc_owns(heap, block), 1)) {
        pymalloc_free_small(heap, pymalloc_pool_of(block), block);
    } else {
        pymalloc_free_large(heap, block);
    }
}

static inline size_t pymalloc_usable_size(const struct pymalloc_heap *heap, const void *block,
                                          size_t size)
{
    (void)size;
    if (pymalloc_owns(heap, block)) {
        return pymalloc_class_bytes(pymalloc_pool_of(block)->size_class);
    }
    return heap->os.usable_size(heap->os.context, (void *)block);
}

#endif
