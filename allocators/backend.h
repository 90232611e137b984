/* The one contract of all back ends, bound at compile time.
 *
 * A translation unit that includes this header is compiled for one back end: CMake's
 * heapmill_backend() passes
 *   HEAPMILL_SOURCE          the source's name, which prefixes its functions (pymalloc)
 *   HEAPMILL_SOURCE_HEADER   its header ("allocators/pymalloc.h")
 *   HEAPMILL_SOURCE_CAPABILITIES, HEAPMILL_SOURCE_ALIGNMENT
 *                            names of its constants (PYMALLOC_CAPABILITIES …)
 *   HEAPMILL_BACKEND_NAME    the variant's name ("pymalloc-3.10")
 *   HEAPMILL_ARM             HEAPMILL_ARM_INLINE, _CALL or _CALL_SIZED
 * and the variant's parameters (PYMALLOC_THRESHOLD=512 …).
 *
 * A source S defines in S.h the type `struct S_heap`, the constants `S_CAPABILITIES` and
 * `S_ALIGNMENT` (in bytes, of every block that is at least as large), and
 *   static inline void *S_alloc(struct S_heap *, size_t size, enum heap_type);
 *   static inline void S_free(struct S_heap *, void *, size_t size, enum heap_type);
 *   static inline void *S_resize(struct S_heap *, void *, size_t old_size, size_t new_size,
 *                                enum heap_type);
 *   static inline void S_free_unsized(struct S_heap *, void *);     fatal() if it cannot
 *   static inline size_t S_usable_size(const struct S_heap *, const void *, size_t size);
 * and in S.c
 *   enum status S_open(struct S_heap *, const struct heap_options *, struct error *);
 *   void S_close(struct S_heap *);
 *   void S_begin_run(struct S_heap *);        the set-up is over; may be inline
 *   void S_trim(struct S_heap *);             empties caches; what a full collection calls
 *   void S_stats(const struct S_heap *, struct heap_stats *);
 *   void S_walk(const struct S_heap *, heap_visit *, void *context);
 *   size_t S_check(const struct S_heap *);
 * With HEAP_CAN_ALIGN also
 *   void *S_alloc_aligned(struct S_heap *, size_t alignment, size_t size, enum heap_type);
 * and with HEAP_CAN_THREADS
 *   void S_thread_end(struct S_heap *);
 *   void S_fork(struct S_heap *, enum heap_fork);
 *
 * The contract:
 *  - open fills caller-owned storage (up to 300 KiB, by back end: not for a small stack);
 * everything is released by close, live blocks too, but for large blocks that the back end had from
 * heap_os.alloc and does not keep books of. After a failed open there is nothing to close. State
 * lives in struct heap alone.
 *  - alloc: size 0 counts as 1. The block is aligned to S_ALIGNMENT: 16, or 8 where the variant's
 *    is 8. NULL means exhaustion only, and leaves the heap as it was. Contents are undefined.
 *  - free: block is not NULL; size and type are those of alloc or of the last resize.
 *  - resize: contents up to the smaller size are kept; on NULL the old block is untouched. block is
 *    not NULL, new_size 0 counts as 1.
 *  - alloc_aligned: as alloc, and the block's address is a multiple of alignment, a power of two.
 * It is freed and resized as any other; when resize moves it, the alignment is lost.
 *  - begin_run: what was allocated so far lives until its free; what follows is the run. Only
 *    `null` must know, as it reuses memory by the clock. A second call means nothing.
 *  - check returns the number of broken invariants and prints each to standard error; 0 is healthy.
 *    Timed runs never call it.
 *  - Misuse that is detected ends in fatal() with one of the HEAP_FATAL_ texts.
 *  - One heap belongs to one thread at a time unless the back end has HEAP_CAN_THREADS.
 *  - thread_end: the calling thread ends. What it kept for itself goes back to where other threads
 *    find it; its live blocks stay. The thread may still call the heap: what it keeps from then on
 *    is announced by heap_os.thread_begin again, and ended by another call of this.
 *  - fork: PREPARE leaves no lock of the back end's in the hands of another thread, PARENT lets go
 *    of what PREPARE took. In the CHILD all blocks are live, those of the threads that are no more
 *    too, and the heap works. Nothing is called between PREPARE and the other two.
 *
 * The heap_ functions below add to every arm alike: a compiler barrier after alloc and before free,
 * so that no pair is deleted or forwarded, and the count of allocations. */
#ifndef HEAPMILL_ALLOCATORS_BACKEND_H
#define HEAPMILL_ALLOCATORS_BACKEND_H

#include "allocators/heap.h"

#define HEAPMILL_ARM_INLINE 0
#define HEAPMILL_ARM_CALL 1
#define HEAPMILL_ARM_CALL_SIZED 2

#ifndef HEAPMILL_ARM
#define HEAPMILL_ARM HEAPMILL_ARM_INLINE
#endif

#include HEAPMILL_SOURCE_HEADER

/* The set of heap capabilities of the bound back end. */
#define HEAP_CAPABILITIES (HEAPMILL_SOURCE_CAPABILITIES)

#define HEAP_JOIN_(a, b) a##_##b
#define HEAP_JOIN(a, b) HEAP_JOIN_(a, b)
/* HEAP_SOURCE(alloc) is pymalloc_alloc. */
#define HEAP_SOURCE(verb) HEAP_JOIN(HEAPMILL_SOURCE, verb)

struct heap {
    struct HEAP_SOURCE(heap) source;
};

/* Calls of heap_alloc (and growing resizes are not counted) by this thread since it started. The
 * worker compares it with the number that the workload expects. */
extern _Thread_local uint64_t heap_allocations;

#include "allocators/probe_slow.h"

/* Before probe.h, which does not ask for usable sizes while calls are timed. */
#include "allocators/probe_latency.h"

#include "allocators/probe.h"

/* Fault injection: in test programs, which are compiled with HEAPMILL_FAULTS, the calls of alloc
 * and resize are numbered from 1, and those numbered first to last return NULL. */
#ifdef HEAPMILL_FAULTS
struct heap_faults {
    uint64_t calls;
    uint64_t first;
    uint64_t last;
};
extern _Thread_local struct heap_faults heap_faults;

static inline bool heap_fault_is_due(void)
{
    uint64_t call = ++heap_faults.calls;
    return call >= heap_faults.first && call <= heap_faults.last;
}
#else
#define heap_fault_is_due() false
#endif

/* Makes the compiler forget what it knows of *block and of memory, at no run-time cost. */
static inline void heap_barrier(void *block)
{
    __asm__ volatile("" : "+r"(block) : : "memory");
}

#ifdef HEAPMILL_ANNOTATE
#include "allocators/annotate.h"
#define heap_bound_alloc annotate_alloc
#define heap_bound_free annotate_free
#define heap_bound_resize annotate_resize
#define heap_bound_open annotate_open
#define heap_bound_close annotate_close
#else
#define annotate_slot(block) (block)
static inline enum status heap_bound_open(struct heap *heap, const struct heap_options *options,
                                          struct error *error)
{
    return HEAP_SOURCE(open)(&heap->source, options, error);
}
static inline void heap_bound_close(struct heap *heap)
{
    HEAP_SOURCE(close)(&heap->source);
}
#endif

#if (HEAP_CAPABILITIES & HEAP_CAN_ALIGN) && !defined(HEAPMILL_ANNOTATE)
static inline void *heap_bound_alloc_aligned(struct heap *heap, size_t alignment, size_t size,
                                             enum heap_type type)
{
    return HEAP_SOURCE(alloc_aligned)(&heap->source, alignment, size, type);
}
#else
#define heap_bound_alloc_aligned(heap, alignment, size, type)                                      \
    ((void)(heap), (void)(alignment), (void)(size), (void)(type), NULL)
#endif

#if defined(HEAPMILL_ANNOTATE)
#if HEAPMILL_ARM != HEAPMILL_ARM_INLINE
#error "annotated builds bind the back end inline"
#endif
#elif HEAPMILL_ARM == HEAPMILL_ARM_INLINE
static inline void *heap_bound_alloc(struct heap *heap, size_t size, enum heap_type type)
{
    return HEAP_SOURCE(alloc)(&heap->source, size, type);
}
static inline void heap_bound_free(struct heap *heap, void *block, size_t size, enum heap_type type)
{
    HEAP_SOURCE(free)(&heap->source, block, size, type);
}
static inline void *heap_bound_resize(struct heap *heap, void *block, size_t old_size,
                                      size_t new_size, enum heap_type type)
{
    return HEAP_SOURCE(resize)(&heap->source, block, old_size, new_size, type);
}
#else
/* Defined in allocators/arm_call.c: a translation unit of its own, no link-time optimisation. */
void *heap_call_alloc(struct heap *heap, size_t size);
void heap_call_free(struct heap *heap, void *block);
void *heap_call_resize(struct heap *heap, void *block, size_t new_size);
void *heap_call_sized_alloc(struct heap *heap, size_t size, enum heap_type type);
void heap_call_sized_free(struct heap *heap, void *block, size_t size, enum heap_type type);
void *heap_call_sized_resize(struct heap *heap, void *block, size_t old_size, size_t new_size,
                             enum heap_type type);

static inline void *heap_bound_alloc(struct heap *heap, size_t size, enum heap_type type)
{
#if HEAPMILL_ARM == HEAPMILL_ARM_CALL
    (void)type;
    return heap_call_alloc(heap, size);
#else
    return heap_call_sized_alloc(heap, size, type);
#endif
}
static inline void heap_bound_free(struct heap *heap, void *block, size_t size, enum heap_type type)
{
#if HEAPMILL_ARM == HEAPMILL_ARM_CALL
    (void)size;
    (void)type;
    heap_call_free(heap, block);
#else
    heap_call_sized_free(heap, block, size, type);
#endif
}
static inline void *heap_bound_resize(struct heap *heap, void *block, size_t old_size,
                                      size_t new_size, enum heap_type type)
{
#if HEAPMILL_ARM == HEAPMILL_ARM_CALL
    (void)old_size;
    (void)type;
    return heap_call_resize(heap, block, new_size);
#else
    return heap_call_sized_resize(heap, block, old_size, new_size, type);
#endif
}
#endif

/* heap_alloc for a tight loop: counts in the caller's local variable, which the compiler keeps in a
 * register, as its address goes nowhere. (A counter in memory adds a store to each call: nothing to
 * a pingpong, but 12% to a batch of 64 under an inlined free list.) The caller passes the sum on
 * with heap_add_tally. */
static inline void *heap_alloc_tallied(struct heap *heap, size_t size, enum heap_type type,
                                       uint64_t *tally)
{
    uint64_t begin = heap_latency_begin();
    void *block = heap_fault_is_due() ? NULL : heap_bound_alloc(heap, size, type);
    heap_barrier(block);
    heap_latency_end(HEAP_CALL_ALLOC, begin);
    ++*tally;
    heap_probe_alloc(heap, block, size, type);
    return block;
}

static inline void heap_add_tally(uint64_t tally)
{
    heap_allocations += tally;
}

static inline void *heap_alloc(struct heap *heap, size_t size, enum heap_type type)
{
    return heap_alloc_tallied(heap, size, type, &heap_allocations);
}

static inline void heap_free(struct heap *heap, void *block, size_t size, enum heap_type type)
{
    heap_probe_free(heap, block, size, type);
    heap_barrier(block);
    uint64_t begin = heap_latency_begin();
    heap_bound_free(heap, block, size, type);
    /* What free stored is not handed to the next alloc in registers: a loop would spare it the
     * loads. */
    __asm__ volatile("" : : : "memory");
    heap_latency_end(HEAP_CALL_FREE, begin);
    heap_probe_free_end();
}

static inline void *heap_resize(struct heap *heap, void *block, size_t old_size, size_t new_size,
                                enum heap_type type)
{
    heap_probe_resize_begin(heap, block, old_size, type);
    heap_barrier(block);
    uint64_t begin = heap_latency_begin();
    void *moved =
        heap_fault_is_due() ? NULL : heap_bound_resize(heap, block, old_size, new_size, type);
    heap_barrier(moved);
    heap_latency_end(HEAP_CALL_RESIZE, begin);
    heap_probe_resize_end(heap, block, moved, old_size, new_size, type);
    return moved;
}

/* NULL also where the back end cannot (HEAP_CAN_ALIGN). */
static inline void *heap_alloc_aligned(struct heap *heap, size_t alignment, size_t size,
                                       enum heap_type type)
{
    uint64_t begin = heap_latency_begin();
    void *block =
        heap_fault_is_due() ? NULL : heap_bound_alloc_aligned(heap, alignment, size, type);
    heap_barrier(block);
    heap_latency_end(HEAP_CALL_ALLOC, begin);
    ++heap_allocations;
    heap_probe_alloc(heap, block, size, type);
    return block;
}

/* The calling thread ends; nothing where threads are not the back end's affair. */
static inline void heap_thread_end(struct heap *heap)
{
#if HEAP_CAPABILITIES & HEAP_CAN_THREADS
    HEAP_SOURCE(thread_end)(&heap->source);
#else
    (void)heap;
#endif
}

static inline void heap_fork(struct heap *heap, enum heap_fork phase)
{
#if HEAP_CAPABILITIES & HEAP_CAN_THREADS
    HEAP_SOURCE(fork)(&heap->source, phase);
#else
    (void)heap;
    (void)phase;
#endif
}

static inline enum status heap_open(struct heap *heap, const struct heap_options *options,
                                    struct error *error)
{
    return heap_bound_open(heap, options, error);
}
static inline void heap_close(struct heap *heap)
{
    heap_bound_close(heap);
}
static inline void heap_begin_run(struct heap *heap)
{
    HEAP_SOURCE(begin_run)(&heap->source);
}
static inline void heap_trim(struct heap *heap)
{
    HEAP_SOURCE(trim)(&heap->source);
    heap_slow_forget();
}
static inline void heap_stats(const struct heap *heap, struct heap_stats *stats)
{
    HEAP_SOURCE(stats)(&heap->source, stats);
}
static inline void heap_walk(const struct heap *heap, heap_visit *visit, void *context)
{
    HEAP_SOURCE(walk)(&heap->source, visit, context);
}
static inline size_t heap_check(const struct heap *heap)
{
    return HEAP_SOURCE(check)(&heap->source);
}
static inline size_t heap_usable_size(const struct heap *heap, const void *block, size_t size)
{
    return HEAP_SOURCE(usable_size)(&heap->source, annotate_slot(block), size);
}
#define HEAP_ALIGNMENT ((size_t)(HEAPMILL_SOURCE_ALIGNMENT))

#endif
