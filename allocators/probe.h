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

/* Calls are counted by size: in steps of 16 bytes up to 512, where size classes are, and by powers
 * of two above. */
enum {
    HEAP_PROBE_STEP_BYTES = 16,
    HEAP_PROBE_STEPS = 32,
    HEAP_PROBE_SIZES = HEAP_PROBE_STEPS + 39, /* 512 << 39 is beyond any address space */
};

static inline unsigned heap_probe_size_index(size_t size)
{
    size_t last = size == 0 ? 0 : size - 1;
    if (last < (size_t)HEAP_PROBE_STEP_BYTES * HEAP_PROBE_STEPS) {
        return (unsigned)(last / HEAP_PROBE_STEP_BYTES);
    }
    unsigned doublings = 63u - (unsigned)__builtin_clzll(last >> 9);
    unsigned index = HEAP_PROBE_STEPS + doublings;
    return index < HEAP_PROBE_SIZES ? index : HEAP_PROBE_SIZES - 1;
}

/* The largest size that is counted there, in bytes. */
static inline uint64_t heap_probe_size_max(unsigned index)
{
    return index < HEAP_PROBE_STEPS ? (uint64_t)HEAP_PROBE_STEP_BYTES * (index + 1)
                                    : UINT64_C(512) << (index - HEAP_PROBE_STEPS + 1);
}

/* Totals of one process since it started; live and usable are of this moment, in bytes. */
struct heap_probe {
    uint64_t allocs;
    uint64_t frees;
    uint64_t resizes;
    uint64_t live_blocks;
    uint64_t live_bytes;   /* as asked */
    uint64_t usable_bytes; /* what the live blocks can hold */
    /* By the size asked for; a resized block is freed under its last size. */
    uint64_t allocs_by_size[HEAP_PROBE_SIZES];
    uint64_t frees_by_size[HEAP_PROBE_SIZES];
    uint64_t slow_allocs; /* calls that left the fast path: probe_slow.h */
    uint64_t slow_frees;
    uint64_t slow_resizes;
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

/* Not in the latency pass, which does not report it: asking reads the metadata of the block, which
 * then is in the cache when the timed free needs it, in some back ends and not in others. */
static inline size_t heap_probe_usable(struct heap *heap, void *block, size_t size)
{
    return heap_latency.every > 0 ? 0 : HEAP_SOURCE(usable_size)(&heap->source, block, size);
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

/* Was the call that just ended marked? */
static inline void heap_probe_take_slow(uint64_t *counter)
{
    if (heap_slow_path) {
        heap_slow_path = false;
        heap_probe_count(counter, 1);
    }
}

static inline void heap_probe_alloc(struct heap *heap, void *block, size_t size,
                                    enum heap_type type)
{
    (void)type;
    heap_probe_take_slow(&heap_probe.slow_allocs);
    if (block != NULL) {
        heap_probe_count(&heap_probe.allocs, 1);
        heap_probe_count(&heap_probe.allocs_by_size[heap_probe_size_index(size)], 1);
        heap_probe_add(heap, block, size);
    }
}

static inline void heap_probe_free(struct heap *heap, void *block, size_t size, enum heap_type type)
{
    (void)type;
    heap_probe_count(&heap_probe.frees, 1);
    heap_probe_count(&heap_probe.frees_by_size[heap_probe_size_index(size)], 1);
    heap_probe_subtract(heap, block, size);
}

static inline void heap_probe_free_end(void)
{
    heap_probe_take_slow(&heap_probe.slow_frees);
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
    heap_probe_take_slow(&heap_probe.slow_resizes);
    if (moved != NULL) {
        heap_probe_add(heap, moved, new_size);
    } else {
        heap_probe_add(heap, block, old_size);
    }
}
#else
#define heap_probe_alloc(heap, block, size, type) ((void)0)
#define heap_probe_free(heap, block, size, type) ((void)0)
#define heap_probe_free_end() ((void)0)
#define heap_probe_resize_begin(heap, block, old_size, type) ((void)0)
#define heap_probe_resize_end(heap, block, moved, old_size, new_size, type) ((void)0)
#endif

#endif
