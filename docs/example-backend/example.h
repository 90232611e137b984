/* The back end `example`: powers of two from one reservation, to be copied by whoever brings an
 * allocator of their own. CONTRIBUTING.md, "Add a back end", says what to do with it.
 *
 * Algorithm: segregated storage with sizes of 2^k (Wilson, Johnstone, Neely and Boles, "Dynamic
 * storage allocation: a survey and critical review", 1995, 3.7). An address range is reserved at
 * the first need and cut into chunks of 1 MiB. A chunk serves one size, and blocks lie at multiples
 * of it, so that a block of 2^k bytes is aligned to 2^k. Larger requests are runs of chunks, first
 * fit. The chunk's entry in a table says what is in it, which is how a bare address is understood.
 *
 * Threads: one lock. A thread keeps one free block of each size for itself.
 *
 * Expected fragmentation: internally up to half; externally a chunk stays with its size for ever.
 *
 * Limits: 16 GiB in all, and nothing goes back to the system before close. A thread keeps blocks of
 * the first heap alone that it called; in the child of a fork, those of the other threads are lost.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <pthread.h>

#include "allocators/heap.h"

/* What this one can do; allocators/heap.h has the list. Together they say that it can be malloc by
 * itself. A back end for small blocks and one thread would have HEAP_CAN_FREE_UNSIZED and
 * HEAP_CAN_USABLE_SIZE alone, and define EXAMPLE_OWNED_MAX: preload/locked.h says how. */
#define EXAMPLE_CAPABILITIES                                                                       \
    (HEAP_IS_WHOLE | HEAP_CAN_STATS | HEAP_CAN_CHECK | HEAP_CAN_COEXIST | HEAP_KEEPS_CONTENTS)
#define EXAMPLE_ALIGNMENT 16

#define EXAMPLE_CHUNK_BYTES ((size_t)1 << 20)
enum {
    EXAMPLE_CHUNKS = 1 << 14,
    EXAMPLE_CLASSES = 16, /* 2^4 to 2^19 bytes */
    EXAMPLE_CLASS_BITS = 4,
    EXAMPLE_CHUNK_FREE = 0, /* what is in a chunk; a size class c is c + 1 */
    EXAMPLE_CHUNK_RUN = 100,
    EXAMPLE_CHUNK_REST, /* of a run, behind its first chunk */
};

struct example_heap {
    uint64_t id; /* of this opening; a thread's cache of another heap is none of ours */
    struct heap_os os;
    pthread_mutex_t mutex; /* holds all below, but for `cached` */
    unsigned char *mapping;
    unsigned char *base;                   /* NULL: nothing was reserved yet */
    size_t chunks_touched;                 /* none beyond was ever used */
    void *free[EXAMPLE_CLASSES];           /* each block's first word is the next */
    size_t freed[EXAMPLE_CLASSES];         /* blocks in that list */
    size_t out[EXAMPLE_CLASSES];           /* blocks handed out, cached ones included */
    unsigned char *carve[EXAMPLE_CLASSES]; /* what is left of the newest chunk */
    unsigned char *carve_end[EXAMPLE_CLASSES];
    size_t runs;
    size_t run_bytes;
    size_t cached[EXAMPLE_CLASSES]; /* blocks in threads' caches; atomic */
    unsigned char kind[EXAMPLE_CHUNKS];
    uint16_t run_chunks[EXAMPLE_CHUNKS];
};

/* What a thread keeps for itself, of one heap. */
struct example_cache {
    uint64_t id; /* 0: of none yet */
    void *blocks[EXAMPLE_CLASSES];
};
extern _Thread_local struct example_cache example_cache;

/* The contract's slow operations: allocators/backend.h says what they do. */
enum status example_open(struct example_heap *heap, const struct heap_options *options,
                         struct error *error);
void example_close(struct example_heap *heap);
void example_trim(struct example_heap *heap);
void example_stats(const struct example_heap *heap, struct heap_stats *stats);
void example_walk(const struct example_heap *heap, heap_visit *visit, void *context);
size_t example_check(const struct example_heap *heap);
void example_thread_end(struct example_heap *heap);
void example_fork(struct example_heap *heap, enum heap_fork phase);
void *example_resize(struct example_heap *heap, void *block, size_t old_size, size_t new_size,
                     enum heap_type type);

/* The slow paths. */
void *example_alloc_shared(struct example_heap *heap, size_t size_class);
void example_free_shared(struct example_heap *heap, void *block, size_t size_class);
void *example_alloc_run(struct example_heap *heap, size_t alignment, size_t size);
void example_free_run(struct example_heap *heap, void *block);

static inline void example_begin_run(struct example_heap *heap)
{
    (void)heap;
}

static inline size_t example_class_bytes(size_t size_class)
{
    return (size_t)1 << (size_class + EXAMPLE_CLASS_BITS);
}

/* EXAMPLE_CLASSES or more: a run. */
static inline size_t example_class_of(size_t size)
{
    return size <= (size_t)1 << EXAMPLE_CLASS_BITS
               ? 0
               : (size_t)(64 - EXAMPLE_CLASS_BITS - __builtin_clzll(size - 1));
}

/* Chunks that no address of ours is in have numbers beyond EXAMPLE_CHUNKS. */
static inline size_t example_chunk_of(const struct example_heap *heap, const void *block)
{
    return ((uintptr_t)block - (uintptr_t)heap->base) / EXAMPLE_CHUNK_BYTES;
}

static inline bool example_owns(const struct example_heap *heap, const void *block)
{
    return heap->base != NULL && example_chunk_of(heap, block) < EXAMPLE_CHUNKS;
}

static inline void *example_alloc(struct example_heap *heap, size_t size, enum heap_type type)
{
    (void)type;
    size_t size_class = example_class_of(size);
    if (__builtin_expect(size_class >= EXAMPLE_CLASSES, 0)) {
        return example_alloc_run(heap, EXAMPLE_CHUNK_BYTES, size);
    }
    void *block = example_cache.blocks[size_class];
    if (block == NULL || example_cache.id != heap->id) {
        return example_alloc_shared(heap, size_class);
    }
    example_cache.blocks[size_class] = NULL;
    __atomic_fetch_sub(&heap->cached[size_class], 1, __ATOMIC_RELAXED);
    return block;
}

/* A block of a power of two is aligned to its size. */
static inline void *example_alloc_aligned(struct example_heap *heap, size_t alignment, size_t size,
                                          enum heap_type type)
{
    size_t bytes = size < alignment ? alignment : size;
    return bytes <= EXAMPLE_CHUNK_BYTES / 2 ? example_alloc(heap, bytes, type)
                                            : example_alloc_run(heap, alignment, size);
}

static inline void example_free_unsized(struct example_heap *heap, void *block)
{
    unsigned char kind = heap->kind[example_chunk_of(heap, block)];
    if (__builtin_expect(kind >= EXAMPLE_CHUNK_RUN, 0)) {
        example_free_run(heap, block);
        return;
    }
    size_t size_class = (size_t)kind - 1;
    if (example_cache.blocks[size_class] != NULL || example_cache.id != heap->id) {
        example_free_shared(heap, block, size_class);
        return;
    }
    example_cache.blocks[size_class] = block;
    __atomic_fetch_add(&heap->cached[size_class], 1, __ATOMIC_RELAXED);
}

/* An aligned block may be larger than its size says: the table knows. */
static inline void example_free(struct example_heap *heap, void *block, size_t size,
                                enum heap_type type)
{
    (void)size;
    (void)type;
    example_free_unsized(heap, block);
}

static inline size_t example_usable_size(const struct example_heap *heap, const void *block,
                                         size_t size)
{
    (void)size;
    size_t chunk = example_chunk_of(heap, block);
    unsigned char kind = heap->kind[chunk];
    return kind >= EXAMPLE_CHUNK_RUN ? heap->run_chunks[chunk] * EXAMPLE_CHUNK_BYTES
                                     : example_class_bytes((size_t)kind - 1);
}

#endif
