#include "example.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "allocators/heap_os.h"

static_assert(EXAMPLE_CHUNKS <= UINT16_MAX, "a run's length is 16 bits");
static_assert((1 << (EXAMPLE_CLASSES + EXAMPLE_CLASS_BITS)) == 1 << 20, "classes end at a chunk");

_Thread_local struct example_cache example_cache;

/* ---------------------------------------------------------------- opening and closing */
enum status example_open(struct example_heap *heap, const struct heap_options *options,
                         struct error *error)
{
    static uint64_t openings;
    (void)error; /* the range is reserved at the first need: nothing can fail here */
    memset(heap, 0, sizeof(*heap));
    heap->id = __atomic_add_fetch(&openings, 1, __ATOMIC_RELAXED);
    heap->os = heap_os_resolve(options == NULL ? NULL : &options->os);
    heap->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    return STATUS_OK;
}

void example_close(struct example_heap *heap)
{
    if (heap->mapping != NULL) {
        heap->os.unmap(heap->os.context, heap->mapping, (EXAMPLE_CHUNKS + 1) * EXAMPLE_CHUNK_BYTES);
    }
    memset(heap, 0, sizeof(*heap));
}

static bool example_reserve(struct example_heap *heap)
{
    if (heap->base == NULL) {
        heap->mapping = heap->os.map(heap->os.context, (EXAMPLE_CHUNKS + 1) * EXAMPLE_CHUNK_BYTES);
        if (heap->mapping != NULL) {
            uintptr_t skip = -(uintptr_t)heap->mapping % EXAMPLE_CHUNK_BYTES;
            heap->base = heap->mapping + skip;
        }
    }
    return heap->base != NULL;
}

/* ---------------------------------------------------------------- chunks. All with the lock held
 */
/* First fit: the first of so many free chunks at a multiple of alignment; EXAMPLE_CHUNKS: none. */
static size_t example_find_chunks(struct example_heap *heap, size_t count, size_t alignment)
{
    size_t run = 0;
    if (!example_reserve(heap)) {
        return EXAMPLE_CHUNKS;
    }
    for (size_t i = 0; i < EXAMPLE_CHUNKS; i++) {
        uintptr_t address = (uintptr_t)heap->base + i * EXAMPLE_CHUNK_BYTES;
        bool begins = run > 0 || (address & (alignment - 1)) == 0;
        run = heap->kind[i] == EXAMPLE_CHUNK_FREE && begins ? run + 1 : 0;
        if (run == count) {
            heap->chunks_touched = i + 1 > heap->chunks_touched ? i + 1 : heap->chunks_touched;
            return i + 1 - count;
        }
    }
    return EXAMPLE_CHUNKS;
}

static void *example_carve(struct example_heap *heap, size_t size_class)
{
    if (heap->carve[size_class] == heap->carve_end[size_class]) {
        size_t chunk = example_find_chunks(heap, 1, EXAMPLE_CHUNK_BYTES);
        if (chunk == EXAMPLE_CHUNKS) {
            return NULL;
        }
        heap->kind[chunk] = (unsigned char)(size_class + 1);
        heap->carve[size_class] = heap->base + chunk * EXAMPLE_CHUNK_BYTES;
        heap->carve_end[size_class] = heap->carve[size_class] + EXAMPLE_CHUNK_BYTES;
    }
    void *block = heap->carve[size_class];
    heap->carve[size_class] += example_class_bytes(size_class);
    return block;
}

/* ---------------------------------------------------------------- blocks */
void *example_alloc_shared(struct example_heap *heap, size_t size_class)
{
    (void)pthread_mutex_lock(&heap->mutex);
    void *block = heap->free[size_class];
    if (block != NULL) {
        memcpy(&heap->free[size_class], block, sizeof(void *));
        heap->freed[size_class]--;
    } else {
        block = example_carve(heap, size_class);
    }
    heap->out[size_class] += block != NULL;
    (void)pthread_mutex_unlock(&heap->mutex);
    return block;
}

static void example_push(struct example_heap *heap, void *block, size_t size_class)
{
    memcpy(block, &heap->free[size_class], sizeof(void *));
    heap->free[size_class] = block;
    heap->freed[size_class]++;
    heap->out[size_class]--;
}

/* The first block that a thread frees makes its cache this heap's. */
void example_free_shared(struct example_heap *heap, void *block, size_t size_class)
{
    (void)pthread_mutex_lock(&heap->mutex);
    example_push(heap, block, size_class);
    (void)pthread_mutex_unlock(&heap->mutex);
    if (example_cache.id == 0) {
        example_cache.id = heap->id;
        if (heap->os.thread_begin != NULL) {
            heap->os.thread_begin(heap->os.context);
        }
    }
}

void *example_alloc_run(struct example_heap *heap, size_t alignment, size_t size)
{
    size_t chunks = size / EXAMPLE_CHUNK_BYTES + (size % EXAMPLE_CHUNK_BYTES != 0);
    chunks += chunks == 0;
    if (chunks > EXAMPLE_CHUNKS) {
        return NULL;
    }
    (void)pthread_mutex_lock(&heap->mutex);
    void *block = NULL;
    size_t first = example_find_chunks(heap, chunks, alignment);
    if (first != EXAMPLE_CHUNKS) {
        memset(&heap->kind[first], EXAMPLE_CHUNK_REST, chunks);
        heap->kind[first] = EXAMPLE_CHUNK_RUN;
        heap->run_chunks[first] = (uint16_t)chunks;
        heap->runs++;
        heap->run_bytes += chunks * EXAMPLE_CHUNK_BYTES;
        block = heap->base + first * EXAMPLE_CHUNK_BYTES;
    }
    (void)pthread_mutex_unlock(&heap->mutex);
    return block;
}

void example_free_run(struct example_heap *heap, void *block)
{
    (void)pthread_mutex_lock(&heap->mutex);
    size_t first = example_chunk_of(heap, block), chunks = heap->run_chunks[first];
    memset(&heap->kind[first], EXAMPLE_CHUNK_FREE, chunks);
    heap->runs--;
    heap->run_bytes -= chunks * EXAMPLE_CHUNK_BYTES;
    (void)pthread_mutex_unlock(&heap->mutex);
}

void *example_resize(struct example_heap *heap, void *block, size_t old_size, size_t new_size,
                     enum heap_type type)
{
    size_t usable = example_usable_size(heap, block, old_size);
    if (new_size <= usable && new_size > usable / 2) {
        return block;
    }
    void *moved = example_alloc(heap, new_size, type);
    if (moved != NULL) {
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
        example_free_unsized(heap, block);
    }
    return moved;
}

/* ---------------------------------------------------------------- threads and fork */
void example_thread_end(struct example_heap *heap)
{
    if (example_cache.id != heap->id) {
        return;
    }
    (void)pthread_mutex_lock(&heap->mutex);
    for (size_t i = 0; i < EXAMPLE_CLASSES; i++) {
        if (example_cache.blocks[i] != NULL) {
            example_push(heap, example_cache.blocks[i], i);
            __atomic_fetch_sub(&heap->cached[i], 1, __ATOMIC_RELAXED);
        }
    }
    (void)pthread_mutex_unlock(&heap->mutex);
    example_cache = (struct example_cache){0};
}

void example_fork(struct example_heap *heap, enum heap_fork phase)
{
    if (phase == HEAP_FORK_PREPARE) {
        (void)pthread_mutex_lock(&heap->mutex);
    } else if (phase == HEAP_FORK_PARENT) {
        (void)pthread_mutex_unlock(&heap->mutex);
    } else {
        heap->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    }
}

/* What this thread keeps for itself. */
void example_trim(struct example_heap *heap)
{
    example_thread_end(heap);
}

/* ---------------------------------------------------------------- what can be asked */
void example_stats(const struct example_heap *heap, struct heap_stats *stats)
{
    struct example_heap *locked = (struct example_heap *)heap;
    *stats = (struct heap_stats){0};
    (void)pthread_mutex_lock(&locked->mutex);
    for (size_t i = 0; i < EXAMPLE_CLASSES; i++) {
        size_t cached = __atomic_load_n(&heap->cached[i], __ATOMIC_RELAXED);
        stats->blocks_live += heap->out[i] - cached;
        stats->usable_bytes += (heap->out[i] - cached) * example_class_bytes(i);
        stats->cached_blocks += cached;
        stats->cached_bytes += cached * example_class_bytes(i);
    }
    stats->blocks_live += heap->runs;
    stats->usable_bytes += heap->run_bytes;
    stats->large_blocks = heap->runs;
    stats->large_bytes = heap->run_bytes;
    stats->held_bytes = heap->chunks_touched * EXAMPLE_CHUNK_BYTES;
    stats->held_bytes_peak = stats->held_bytes;
    (void)pthread_mutex_unlock(&locked->mutex);
}

void example_walk(const struct example_heap *heap, heap_visit *visit, void *context)
{
    (void)heap; /* HEAP_CAN_WALK is not among the capabilities */
    (void)visit;
    (void)context;
}

/* Each class: the blocks that are out, free or not yet carved are those of its chunks. */
static size_t example_check_class(const struct example_heap *heap, size_t size_class)
{
    size_t bytes = example_class_bytes(size_class), chunks = 0, listed = 0, wrong = 0;
    for (size_t i = 0; i < EXAMPLE_CHUNKS; i++) {
        chunks += heap->kind[i] == size_class + 1;
    }
    for (void *block = heap->free[size_class]; block != NULL && listed <= heap->freed[size_class];
         memcpy(&block, block, sizeof(void *)), listed++) {
        if (!example_owns(heap, block) || (uintptr_t)block % bytes != 0 ||
            heap->kind[example_chunk_of(heap, block)] != size_class + 1) {
            (void)fprintf(stderr, "example: %p is in the list of %zu bytes\n", block, bytes);
            return wrong + 1;
        }
    }
    size_t left = (size_t)(heap->carve_end[size_class] - heap->carve[size_class]) / bytes;
    if (listed != heap->freed[size_class] ||
        listed + left + heap->out[size_class] != chunks * (EXAMPLE_CHUNK_BYTES / bytes)) {
        (void)fprintf(stderr, "example: the blocks of %zu bytes do not add up\n", bytes);
        wrong++;
    }
    return wrong;
}

size_t example_check(const struct example_heap *heap)
{
    struct example_heap *locked = (struct example_heap *)heap;
    size_t wrong = 0;
    (void)pthread_mutex_lock(&locked->mutex);
    for (size_t i = 0; i < EXAMPLE_CLASSES; i++) {
        wrong += example_check_class(heap, i);
    }
    (void)pthread_mutex_unlock(&locked->mutex);
    return wrong;
}
