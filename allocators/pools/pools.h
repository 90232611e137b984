/* The back end `pools`: heapmill's own general allocator, designed after its measurements.
 *
 * Algorithm. An address range is reserved at open and cut into units of 32 KiB. A page is one, four
 * or eight units that serve one size class; 72 classes, eight in each doubling, end at 32 KiB. What
 * a page has free is a bitmap in a side table, so neither a free nor a search touches the blocks
 * (Lea's and Berger's lessons on metadata; the bitmaps are those of CPython's forerunners and of
 * Go's runtime). Each thread has a heap of its own, a local: for each class a stack of up to 64
 * pointers, its current page, and a list of pages that have room. Larger requests are runs of
 * units, address-ordered first fit. Pages of a thread that has ended are taken by those that go on.
 *
 *   alloc   pops the stack. When that is empty it is filled with blocks of the current page, in the
 *           order of their addresses, from as many bitmap words as it takes.
 *   free    pushes to the stack if the block is of one of the thread's own pages, or if it fills
 *           whole cache lines, whoever's page it is of. When the stack is full, its older half goes
 *           back to the pages, as bits in their bitmaps.
 *   remote  other blocks of another thread's page wait in an outbox of 64. When a block goes back
 *           to such a page, its bit is set in the page's second bitmap, `remote`, one atomic or for
 *           each word, and a page that was not yet told of goes to its owner's mail. The owner
 *           reads the mail when it next needs a page.
 *
 * Invariants, which pools_check verifies:
 *   1. A unit is used, or free and dirty, or free and clean. Clean units cost nothing: the system
 *      has their memory. tags[unit] is 0 exactly if the unit is free.
 *   2. All units of a page have one tag, its class and its owner. An owner changes only while its
 *      thread is gone, under the heap's lock.
 *   3. A block of a page is in one place: the bitmap `free`, the bitmap `remote`, a stack, one
 *      outbox, or the caller's hands. Who finds it twice has found a double free. Only a stack that
 *      is marked as mixed may have blocks of another thread's pages, and no thread reuses one that
 *      shares a cache line with a neighbour.
 *   4. page->free_count is the number of bits in `free`. Only the owner writes either.
 *   5. A page that is neither current nor listed has fewer than relink_at free blocks; so a free
 *      that makes them relink_at is the one that lists it.
 *   6. A page is in one local's mail exactly while its is_mailed is set. The flag and the link
 *      outlive the page: a unit may be reused while an old message about it is under way, and the
 *      message is then merely about nothing.
 *   7. The lock holds units, pages of nobody and the table of locals. It is taken for each page and
 *      each run, never for a block.
 *
 * Expected fragmentation: internally at most an eighth (sizes to 128 bytes: 15 bytes a block);
 * externally a page stays with its class while one block lives, and up to a 16th of a page that is
 * not listed waits for company. The side table is 2.0% of what is used.
 *
 * Giving back (pools_pace.c): units that nobody needed for an epoch go back to the system, and a
 * large block at once if none as large was freed before (pools_large.c). Huge
 * pages (pools_units.c): whatever the system's policy, none but for arenas that a large heap
 * begins.
 *
 * Limits: RESERVE_MIB in all (256 GiB; less where the system refuses that much address space); 4096
 * threads at once. In the child of a fork what other threads had free stays unused, as nobody knows
 * in which state they were. A process that locks all its future memory (mlockall) gets the whole
 * reservation, and should not use this.
 *
 * The parameters below make `pools-secure` of it. docs/decisions/0018-pools.md has the reasons and
 * the measurements. */
#ifndef HEAPMILL_ALLOCATORS_POOLS_POOLS_H
#define HEAPMILL_ALLOCATORS_POOLS_POOLS_H

#include <assert.h>
#include <pthread.h>

#include "allocators/heap.h"
#include "allocators/pools/pools_classes.h"
#include "allocators/probe_slow.h"

#ifndef POOLS_RESERVE_MIB
#define POOLS_RESERVE_MIB 262144
#endif

#ifndef POOLS_LOCALS
#define POOLS_LOCALS 4096 /* the most threads */
#endif

#ifndef POOLS_HUGE
#define POOLS_HUGE 1 /* arenas of a large heap may have huge pages: pools_units.c */
#endif

/* Parameters of `pools-secure`; each is 0 or 1, except DELAY. pools_secure.c explains them. */
#ifndef POOLS_VERIFY
#ifdef HEAPMILL_CHECKED
#define POOLS_VERIFY 1 /* each free is verified, and misuse ends in fatal() */
#else
#define POOLS_VERIFY 0
#endif
#endif
#ifndef POOLS_ZERO
#define POOLS_ZERO 0 /* a block is zeroed when it is freed */
#endif
#ifndef POOLS_WITNESS
#define POOLS_WITNESS 0 /* a block must still be zero when it is handed out. Needs ZERO. */
#endif
#ifndef POOLS_CANARY
#define POOLS_CANARY 0 /* 8 bytes after each small block must be unchanged */
#endif
#ifndef POOLS_RANDOM
#define POOLS_RANDOM 0 /* blocks of a page are handed out in random order */
#endif
#ifndef POOLS_DELAY
#define POOLS_DELAY 0 /* so many freed small blocks of a thread wait, and leave in random order */
#endif
#ifndef POOLS_GUARD
#define POOLS_GUARD 0 /* large blocks lie between pages that cannot be touched */
#endif
#define POOLS_HOOKS (POOLS_VERIFY || POOLS_ZERO || POOLS_WITNESS || POOLS_CANARY || POOLS_DELAY)
/* With canaries no live bits are needed: a canary exists exactly while its block is live. */
#define POOLS_LIVE_BITS (POOLS_VERIFY && !POOLS_CANARY)

static_assert(!POOLS_WITNESS || POOLS_ZERO, "what was not zeroed cannot be found changed");
static_assert((POOLS_DELAY & (POOLS_DELAY - 1)) == 0, "a lot is drawn by a mask");

#if POOLS_VERIFY
#define POOLS_MISUSE HEAP_CAN_DETECT_MISUSE
#else
#define POOLS_MISUSE 0
#endif
#define POOLS_CAPABILITIES                                                                         \
    (HEAP_IS_WHOLE | HEAP_CAN_STATS | HEAP_CAN_WALK | HEAP_CAN_CHECK | HEAP_CAN_COEXIST |          \
     HEAP_KEEPS_CONTENTS | HEAP_RESERVES | HEAP_MARKS_SLOW | POOLS_MISUSE)
#define POOLS_ALIGNMENT 16

enum {
    POOLS_OUTBOX = 64, /* remote frees that are delivered together */
    POOLS_WORDS = POOLS_UNIT_BYTES / POOLS_GRANULE / 64, /* of a page's bitmap */
    POOLS_ARENA_UNITS = 128, /* 4 MiB: an arena of the statistics, and the unit of huge pages */
    POOLS_LINE_BYTES = 64,   /* of the cache */
    /* Tags: an owner's number from 1 in the upper 24 bits, the class in the lower 8. */
    POOLS_TAG_BITS = 8,
    POOLS_TAG_FREE = 0,
    POOLS_TAG_RUN = 0xfe,  /* the first unit of a large block */
    POOLS_TAG_REST = 0xff, /* its other units */
};
#define POOLS_TAIL                                                                                 \
    (POOLS_CANARY ? sizeof(uint64_t) : 0) /* bytes at a block's end that belong to the allocator   \
                                           */
#define POOLS_NONE UINT32_MAX             /* no unit, no local */
#define POOLS_NOBODY 0xffffff00u          /* the tag of no owner */

static_assert((int)POOLS_CLASSES < (int)POOLS_TAG_RUN, "a class fits into a tag");

/* The side table's entry for a page or a run, at its first unit. */
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
struct pools_page {
    uint32_t free_count;
    uint32_t relink_at;
    uint32_t capacity;
    uint32_t words;
    uint32_t cursor; /* the word at which the next refill begins its search */
    uint32_t fresh;  /* no block in this word or a later one was ever handed out */
    uint32_t next;   /* in its local's list: a unit, or POOLS_NONE */
    uint32_t previous;
    uint8_t size_class;
    bool is_listed;
    bool is_lax; /* it served a request with alignment: a block may be larger than its size */
    uint32_t run_units; /* of a run, without guards */
    size_t run_bytes;   /* the run's capacity */
    uint64_t free[POOLS_WORDS];
#if POOLS_LIVE_BITS
    uint64_t live[POOLS_WORDS]; /* blocks in the caller's hands; atomic */
#endif
    /* Other threads write these members, so they are on cache lines of their own; atomic. */
    _Alignas(POOLS_LINE_BYTES) uint32_t mail_next;
    uint32_t is_mailed;
    uint64_t remote[POOLS_WORDS];
};

/* The stack of a class. The entry below its first one is NULL, so that a pop from an empty stack
 * yields NULL. */
struct pools_stack {
    void **top; /* the newest pointer; if the stack is empty, the NULL */
    void **end; /* a push is allowed while top is below end; if the stack is closed, end is its
                   bottom */
};

/* The pages of a class. */
struct pools_bin {
    uint32_t current; /* a page; POOLS_NONE: none */
    uint32_t first;   /* of the listed pages */
    uint32_t last;
};

/* A thread's heap. Only its thread writes to it, except to the mail. */
struct pools_local {
    uint32_t tag; /* its number, from 1, shifted by POOLS_TAG_BITS */
    uint32_t outbox_count;
    struct pools_stack stacks[POOLS_CLASSES];
    uint32_t mail;     /* atomic: unit + 1 of the newest page; 0: no mail */
    bool attends;      /* its stacks are closed: see pools_pace.c */
    uint32_t attended; /* frees since then */
    uint64_t attends_since_ms;
    const void *token; /* of the thread; NULL: an orphan. Protected by the lock. */
    struct pools_bin bins[POOLS_CLASSES];
    bool is_mixed[POOLS_CLASSES]; /* the stack may have blocks of other threads' pages */
    void *outbox[POOLS_OUTBOX];
#if POOLS_DELAY
    void *delayed[POOLS_DELAY];
#endif
#if POOLS_DELAY || POOLS_RANDOM
    uint64_t lots; /* state of random choices */
#endif
    void *pointers[POOLS_POINTERS]; /* of all stacks; class c's begin at its stack_at */
};

/* Ordered by who uses the members: the fast paths, all threads, the holder of the lock. */
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
struct pools_heap {
    /* The fast paths read these. */
    unsigned char *base; /* address of unit 0; aligned to an arena */
    uint32_t *tags;
    uint64_t id; /* of this opening of the heap */
    struct pools_page *pages;
    uint8_t class_of[POOLS_SMALL_MAX / POOLS_GRANULE + 1];
    struct pools_class classes[POOLS_CLASSES];

    struct heap_os os;
    bool os_is_own;  /* the memory is from mmap: it is zeroed, and mremap works */
    uint64_t secret; /* for canaries and random choices */
    unsigned char *mapping;
    size_t mapping_bytes;
    struct pools_local *locals;
    uint32_t units; /* number of units */

    pthread_mutex_t mutex; /* protects the members below, and what invariant 7 names */
    uint32_t top;   /* units from here on were never used, and their entries are not written yet */
    uint64_t *used; /* one bit per unit */
    uint64_t *dirty;
    uint16_t *arena_held; /* used and dirty units of each arena */
    uint64_t *huge;       /* one bit per arena: it may have huge pages */
    uint32_t used_units;
    uint32_t dirty_units;
    uint32_t held_units_peak;
    uint32_t local_count;
    uint32_t orphans;
    size_t runs;
    size_t run_bytes;
    uint32_t kept_run_units; /* of a large block that is not given back when it is freed, at most */
    size_t arenas_mapped;
    size_t arenas_unmapped;
    bool is_wasteful; /* atomic; see pools_pace.c */
    uint32_t epoch_dirty_min;
    uint32_t epoch_events;
    uint64_t epoch_began_ms;
};

/* The calling thread's local in the heap that it called last. */
struct pools_mine {
    uint64_t id;
    struct pools_local *local;
};
extern _Thread_local struct pools_mine pools_mine __attribute__((tls_model("initial-exec")));

/* The slow operations of the contract: see allocators/backend.h. */
enum status pools_open(struct pools_heap *heap, const struct heap_options *options,
                       struct error *error);
void pools_close(struct pools_heap *heap);
void pools_trim(struct pools_heap *heap);
void pools_stats(const struct pools_heap *heap, struct heap_stats *stats);
void pools_walk(const struct pools_heap *heap, heap_visit *visit, void *context);
size_t pools_check(const struct pools_heap *heap);
void pools_thread_end(struct pools_heap *heap);
void pools_fork(struct pools_heap *heap, enum heap_fork phase);
void *pools_alloc_aligned(struct pools_heap *heap, size_t alignment, size_t size,
                          enum heap_type type);
void *pools_resize(struct pools_heap *heap, void *block, size_t old_size, size_t new_size,
                   enum heap_type type);

static inline void pools_begin_run(struct pools_heap *heap)
{
    (void)heap;
}

#include "allocators/pools/pools_inline.h"

#endif
