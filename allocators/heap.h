/* The words that every back end and every user of one share. allocators/backend.h binds them to one
 * back end at compile time. */
#ifndef HEAPMILL_ALLOCATORS_HEAP_H
#define HEAPMILL_ALLOCATORS_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

/* What a block is for. An object runtime knows it at every call, and per-type free lists live on
 * it. Back ends without such lists ignore it. */
enum heap_type {
    HEAP_RAW = 0, /* not an object: block workloads, a preloaded malloc */
    HEAP_INT,
    HEAP_FLOAT,
    HEAP_STR,
    HEAP_TUPLE,
    HEAP_LIST,
    HEAP_DICT,
    HEAP_INSTANCE,
    HEAP_BUFFER, /* a container's own vector or table */
    HEAP_TYPE_COUNT
};

/* What a policy of reference counts (gc/refcount/) needs in an object's header beyond the 16 bytes
 * of plain counts. */
#ifndef HEAP_OBJECT_EXTRA_BYTES
#define HEAP_OBJECT_EXTRA_BYTES 0
#endif

/* Sizes in bytes that the object layer uses for blocks of a fixed-size type, on 64-bit machines:
 * gc/ asserts them. Containers carry a 16-byte collector header in the same block, as CPython's do.
 */
enum {
    HEAP_INT_BYTES = 24 + HEAP_OBJECT_EXTRA_BYTES,   /* count, type, value: as PyIntObject of 2.7 */
    HEAP_FLOAT_BYTES = 24 + HEAP_OBJECT_EXTRA_BYTES, /* as PyFloatObject */
    /* collector header; count, type, length, items, capacity */
    HEAP_LIST_BYTES = 16 + 40 + HEAP_OBJECT_EXTRA_BYTES,
    /* collector header; count, type, used, keys, version, spare */
    HEAP_DICT_BYTES = 16 + 48 + HEAP_OBJECT_EXTRA_BYTES,
    /* of the empty tuple; 8 more for each item */
    HEAP_TUPLE_BYTES = 16 + 24 + HEAP_OBJECT_EXTRA_BYTES,
};

/* What a back end can do beyond the contract's core (sized alloc, free, resize): its set of heap
 * capabilities. A cell, test or fuzz target that needs a missing one is "not applicable". Macros,
 * as the preprocessor asks for them too: of what a back end lacks, it defines nothing. */
#define HEAP_CAN_FREE_UNSIZED (1u << 0)  /* free_unsized: the block alone says its size */
#define HEAP_CAN_USABLE_SIZE (1u << 1)   /* usable_size is more than the asked size echoed */
#define HEAP_CAN_ALIGN (1u << 2)         /* alloc_aligned: alignment beyond S_ALIGNMENT */
#define HEAP_CAN_THREADS (1u << 3)       /* calls from several threads at once; thread_end, fork */
#define HEAP_CAN_STATS (1u << 4)         /* stats fills held_bytes: held_source is "stats" */
#define HEAP_CAN_WALK (1u << 5)          /* walk visits every arena, pool and block */
#define HEAP_CAN_CHECK (1u << 6)         /* check verifies something */
#define HEAP_CAN_DETECT_MISUSE (1u << 7) /* double free and wrong size end in fatal() */
#define HEAP_CAN_COEXIST (1u << 8)       /* two heaps in one process are independent */
#define HEAP_KEEPS_CONTENTS (1u << 9) /* a live block's bytes stay the caller's: all but `null` */
#define HEAP_MARKS_SLOW (1u << 10)    /* its slow paths say so to probes, see probe_slow.h */
/* It takes address space from heap_os.map, and blocks from its pools, ahead of need, and gives
 * parts of what it has back to the system without heap_os: held_bytes is less than what map gave, a
 * request may be refused when the space is full, and cached blocks need not have been live. */
#define HEAP_RESERVES (1u << 11)

/* A back end with all of these can stand in for malloc by itself: see preload/whole.h. */
#define HEAP_IS_WHOLE                                                                              \
    (HEAP_CAN_FREE_UNSIZED | HEAP_CAN_USABLE_SIZE | HEAP_CAN_ALIGN | HEAP_CAN_THREADS)

/* What is said of misuse that is detected. */
#define HEAP_FATAL_DOUBLE_FREE "double free"
#define HEAP_FATAL_WRONG_SIZE "free with a wrong size"
#define HEAP_FATAL_NOT_OURS "free of a pointer that this heap did not hand out"
#define HEAP_FATAL_UNSIZED "this back end cannot free without a size"

/* What a back end with HEAP_CAN_THREADS is told about a fork of the process. */
enum heap_fork {
    HEAP_FORK_PREPARE, /* before it, in the thread that forks */
    HEAP_FORK_PARENT,  /* after it */
    HEAP_FORK_CHILD,   /* after it, in the child, whose only thread is the one that forked */
};

/* Where a back end's arenas and large blocks come from. The defaults are mmap and the system
 * malloc; tests fail them, the equality test numbers them, leak detectors want arenas from malloc.
 * Only slow paths call these. NULL members mean the default. */
struct heap_os {
    void *(*map)(void *context, size_t size); /* zeroed or not; aligned to 16; NULL: refused */
    void (*unmap)(void *context, void *address, size_t size);
    void *(*alloc)(void *context, size_t size);               /* large requests; as malloc */
    void *(*resize)(void *context, void *block, size_t size); /* as realloc */
    void (*free)(void *context, void *block);
    size_t (*usable_size)(void *context, void *block); /* of alloc's blocks, in bytes */
    /* Called by a back end with HEAP_CAN_THREADS when the calling thread begins to keep something
     * for itself in the heap, with no lock held; it may call the heap. Whoever opens the heap so
     * knows whose end to tell to heap_thread_end. May be called again after that. */
    void (*thread_begin)(void *context);
    void *context;
};

struct heap_options {
    struct heap_os os;
    /* An upper estimate of the bytes that are allocated while any block of the workload is alive:
     * `null` wraps its ring after that many and would hand out live memory sooner. 0: 64 MiB. */
    size_t window_bytes;
};

/* Counted by walking where that spares the fast path a counter: O(pools), never in a timed part. A
 * back end with HEAP_CAN_STATS but without HEAP_CAN_WALK counts held bytes and arenas only. */
struct heap_stats {
    size_t blocks_live;  /* handed out and not returned; blocks cached in free lists are not live */
    size_t usable_bytes; /* what those blocks can hold */
    size_t held_bytes;   /* from the OS and not given back, large blocks included */
    size_t held_bytes_peak;
    size_t arenas_live;
    size_t arenas_mapped;   /* ever */
    size_t arenas_unmapped; /* ever */
    size_t pools_live;      /* with at least one live block */
    size_t pools_free;
    size_t large_blocks;
    size_t large_bytes;
    size_t cached_blocks; /* in per-type free lists */
    size_t cached_bytes;
};

enum heap_region_kind {
    HEAP_REGION_ARENA,
    HEAP_REGION_POOL,
    HEAP_REGION_BLOCK_LIVE,
    HEAP_REGION_BLOCK_FREE,   /* on a pool's free list: was live once */
    HEAP_REGION_BLOCK_CACHED, /* in a per-type free list */
    HEAP_REGION_BLOCK_FRESH,  /* never handed out */
    HEAP_REGION_LARGE,
};

struct heap_region {
    enum heap_region_kind kind;
    const void *address;
    size_t bytes;
    size_t block_bytes; /* of a pool: its size class; else 0 */
    size_t arena;       /* ordinal of the arena, in order of mapping, from 0; SIZE_MAX: in none */
};

/* Called for each region, outer before inner. Must not call the heap. */
typedef void heap_visit(void *context, const struct heap_region *region);

/* value rounded up to a multiple of multiple (> 0). */
static inline size_t heap_round_up(size_t value, size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

#endif
