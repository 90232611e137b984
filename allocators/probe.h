/* What a probe worker records at every call of the contract, and a timed worker does not.
 *
 * A probe worker (heapmill-probe-NAME) is the same code compiled with HEAPMILL_PROBE: it serves the
 * memory pass, where bytes are counted call by call, and the latency pass (probe_latency.h). Timed
 * workers compile these functions to nothing, so counting never disturbs a time. Included by
 * allocators/backend.h alone.
 *
 * Counters are added to by relaxed atomics, since a block that one thread took may be given back by
 * another; a reader beside running threads uses heap_probe_read, and sees each counter whole but
 * not all of them at one moment. */
#ifndef HEAPMILL_ALLOCATORS_PROBE_H
#define HEAPMILL_ALLOCATORS_PROBE_H

/* Totals of one process since it started; live and usable are of this moment, in bytes. */
struct heap_probe {
    uint64_t allocs;
    uint64_t frees;
    uint64_t resizes;
    uint64_t live_blocks;
    uint64_t live_bytes;   /* as asked */
    uint64_t usable_bytes; /* what the live blocks can hold */
};

static inline uint64_t heap_probe_read(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

#ifdef HEAPMILL_PROBE
extern struct heap_probe heap_probe;

static inline void heap_probe_count(uint64_t *counter, uint64_t amount)
{
    (void)__atomic_fetch_add(counter, amount, __ATOMIC_RELAXED);
}

static inline size_t heap_probe_usable(struct heap *heap, void *block, size_t size)
{
    return HEAP_SOURCE(usable_size)(&heap->source, block, size);
}

static inline void heap_probe_add(struct heap *heap, void *block, size_t size)
{
    heap_probe_count(&heap_probe.live_blocks, 1);
    heap_probe_count(&heap_probe.live_bytes, size);
    heap_probe_count(&heap_probe.usable_bytes, heap_probe_usable(heap, block, size));
}

static inline void heap_probe_subtract(struct heap *heap, void *block, size_t size)
{
    heap_probe_count(&heap_probe.live_blocks, (uint64_t)-1);
    heap_probe_count(&heap_probe.live_bytes, -(uint64_t)size);
    heap_probe_count(&heap_probe.usable_bytes, -(uint64_t)heap_probe_usable(heap, block, size));
}

static inline void heap_probe_alloc(struct heap *heap, void *block, size_t size,
                                    enum heap_type type)
{
    (void)type;
    if (block != NULL) {
        heap_probe_count(&heap_probe.allocs, 1);
        heap_probe_add(heap, block, size);
    }
}

static inline void heap_probe_free(struct heap *heap, void *block, size_t size, enum heap_type type)
{
    (void)type;
    heap_probe_count(&heap_probe.frees, 1);
    heap_probe_subtract(heap, block, size);
}

/* The old block's usable size must be asked before the call: afterwards it may be gone. */
static inline void heap_probe_resize_begin(struct heap *heap, void *block, size_t old_size,
                                           enum heap_type type)
{
    (void)type;
    heap_probe_count(&heap_probe.resizes, 1);
    heap_probe_subtract(heap, block, old_size);
}

static inline void heap_probe_resize_end(struct heap *heap, void *block, void *moved,
                                         size_t old_size, size_t new_size, enum heap_type type)
{
    (void)type;
    if (moved != NULL) {
        heap_probe_add(heap, moved, new_size);
    } else {
        heap_probe_add(heap, block, old_size);
    }
}
#else
#define heap_probe_alloc(heap, block, size, type) ((void)0)
#define heap_probe_free(heap, block, size, type) ((void)0)
#define heap_probe_resize_begin(heap, block, old_size, type) ((void)0)
#define heap_probe_resize_end(heap, block, moved, old_size, new_size, type) ((void)0)
#endif

#endif
