/* The fast paths of `pools`: what an object runtime would compile into its own code. Included by
 * pools.h alone, which explains the algorithm.
 *
 * Under AddressSanitizer a block is addressable for as many bytes as were asked for, and not at all
 * while it is free. */
#ifndef HEAPMILL_ALLOCATORS_POOLS_POOLS_INLINE_H
#define HEAPMILL_ALLOCATORS_POOLS_POOLS_INLINE_H

#if defined(__SANITIZE_ADDRESS__)
#define POOLS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOLS_ASAN 1
#endif
#endif

#ifdef POOLS_ASAN
#include <sanitizer/asan_interface.h>
#define POOLS_POISON(address, bytes) __asan_poison_memory_region(address, bytes)
#define POOLS_UNPOISON(address, bytes) __asan_unpoison_memory_region(address, bytes)
#else
#define POOLS_POISON(address, bytes) ((void)0)
#define POOLS_UNPOISON(address, bytes) ((void)0)
#endif

/* The slow paths: out of line, so that the fast ones stay small wherever they are inlined. */
#define POOLS_SLOW __attribute__((noinline))

/* The stack is empty, or the thread has no local in this heap yet. NULL: no memory. */
POOLS_SLOW void *pools_alloc_refill(struct pools_heap *heap, uint32_t size_class);
POOLS_SLOW void *pools_alloc_run(struct pools_heap *heap, size_t alignment, size_t size);
/* The stack of the block's class is full, or closed. */
POOLS_SLOW void pools_free_to_page(struct pools_heap *heap, struct pools_local *local,
                                   uint32_t size_class, void *block);
/* A block of another thread's page or a large one; or the thread has no local yet. */
POOLS_SLOW void pools_free_other(struct pools_heap *heap, void *block);

#if POOLS_VERIFY
/* fatal() unless block is live, and of the size when that is not SIZE_MAX. */
POOLS_SLOW void pools_verify(const struct pools_heap *heap, void *block, size_t size);
#else
#define pools_verify(heap, block, size) ((void)0)
#endif
#if POOLS_HOOKS
/* A block of the class goes to the caller; one comes back, with a size that is verified when it is
 * not SIZE_MAX. */
POOLS_SLOW void pools_hook_taken(struct pools_heap *heap, void *block, uint32_t size_class);
POOLS_SLOW void pools_free_hooked(struct pools_heap *heap, void *block, size_t size);
#else
#define pools_hook_taken(heap, block, size_class) ((void)0)
#define pools_free_hooked(heap, block, size) pools_give(heap, block)
#endif

static inline bool pools_owns(const struct pools_heap *heap, const void *block)
{
    return ((uintptr_t)block - (uintptr_t)heap->base) >> POOLS_UNIT_SHIFT < heap->units;
}

static inline uint32_t pools_unit_of(const struct pools_heap *heap, const void *block)
{
    return (uint32_t)(((uintptr_t)block - (uintptr_t)heap->base) >> POOLS_UNIT_SHIFT);
}

/* An owner may change while another thread looks (invariant 2); either value serves it. */
static inline uint32_t pools_tag_of(const struct pools_heap *heap, uint32_t unit)
{
    return __atomic_load_n(&heap->tags[unit], __ATOMIC_RELAXED);
}

/* A constant size needs no table. */
static inline uint32_t pools_class_of(const struct pools_heap *heap, size_t size)
{
    return __builtin_constant_p(size) ? pools_class_at(size)
                                      : heap->class_of[(size + POOLS_GRANULE - 1) / POOLS_GRANULE];
}

/* Is pools_mine of this heap? A process that has it preloaded has no other; there, and before a
 * thread's first call, the local is one of nobody with empty stacks and no pages. */
static inline bool pools_mine_is_of(const struct pools_heap *heap)
{
#ifdef HEAPMILL_PRELOAD
    (void)heap;
    return true;
#else
    return pools_mine.id == heap->id;
#endif
}

static inline void *pools_alloc(struct pools_heap *heap, size_t size, enum heap_type type)
{
    (void)type;
    if (__builtin_expect(size > POOLS_SMALL_MAX - POOLS_TAIL, 0)) {
        return pools_alloc_run(heap, 1, size);
    }
    uint32_t size_class = pools_class_of(heap, size + POOLS_TAIL);
    void *block = NULL;
    if (__builtin_expect(pools_mine_is_of(heap), 1)) {
        struct pools_stack *stack = &pools_mine.local->stacks[size_class];
        void **top = stack->top;
        block = *top;
        stack->top = top - (block != NULL);
    }
    if (__builtin_expect(block == NULL, 0)) {
        block = pools_alloc_refill(heap, size_class);
        if (block == NULL) {
            return NULL;
        }
    }
    pools_hook_taken(heap, block, size_class);
    POOLS_UNPOISON(block, size == 0 ? 1 : size);
    return block;
}

/* The block is nobody's from now on. */
static inline void pools_give(struct pools_heap *heap, void *block)
{
    struct pools_local *local = pools_mine.local;
    uint32_t size_class = pools_tag_of(heap, pools_unit_of(heap, block));
    if (__builtin_expect(!pools_mine_is_of(heap) || (size_class ^= local->tag) >= POOLS_CLASSES,
                         0)) {
        pools_free_other(heap, block);
        return;
    }
    struct pools_stack *stack = &local->stacks[size_class];
    void **top = stack->top;
    POOLS_POISON(block, heap->classes[size_class].bytes);
    if (__builtin_expect(top >= stack->end, 0)) {
        pools_free_to_page(heap, local, size_class, block);
        return;
    }
    top[1] = block;
    stack->top = top + 1;
}

static inline void pools_free_unsized(struct pools_heap *heap, void *block)
{
    pools_free_hooked(heap, block, SIZE_MAX);
}

/* The tag says what the size says, and whose the page is too. */
static inline void pools_free(struct pools_heap *heap, void *block, size_t size,
                              enum heap_type type)
{
    (void)type;
    (void)size;
    pools_free_hooked(heap, block, size);
}

static inline size_t pools_usable_size(const struct pools_heap *heap, const void *block,
                                       size_t size)
{
    (void)size;
    uint32_t unit = pools_unit_of(heap, block);
    uint32_t size_class = pools_tag_of(heap, unit) & ((1u << POOLS_TAG_BITS) - 1);
    return size_class < POOLS_CLASSES ? heap->classes[size_class].bytes - POOLS_TAIL
                                      : heap->pages[unit].run_bytes;
}

#endif
