/* The back end `pymalloc`: CPython's small-object allocator, version by version.
 *
 * Algorithm (Vladimir Marangozov, August 2000; arenas that go back to the system: Tim Peters and
 * Evan Jones, 2006). Requests up to THRESHOLD bytes are rounded up to a size class, one class every
 * ALIGNMENT bytes. A pool is POOL_KIB of memory, aligned to its size, that serves one class: a
 * 48-byte header, then blocks, carved from low to high only as they are needed; freed blocks form a
 * last-in, first-out list in the pool. For each class there is a ring of the pools that are partly
 * used; a full pool is in no list; a pool that becomes empty goes back to its arena and may serve
 * another class next. An arena is ARENA_KIB from the system, cut into pools. The arenas with a free
 * pool are kept sorted, fewest free pools first, so that the fullest are filled up and the emptiest
 * get a chance to become wholly free and be unmapped. Larger requests go to the system malloc.
 *
 * The variants, and where CPython's Objects/obmalloc.c has their constants:
 *
 * - pymalloc-256, the classic description, 2.5 and 2.6: SMALL_REQUEST_THRESHOLD 256, ALIGNMENT 8,
 *   POOL_SIZE one page of 4 KiB, ARENA_SIZE 256 KiB. (2.3 and 2.4 never freed an arena. All these
 *   took arenas from malloc; here they come from heap_os.map, as CPython's own later did.)
 *
 * - pymalloc-3.7: SMALL_REQUEST_THRESHOLD 512, ALIGNMENT 16 (since 3.7.4, bpo-27987), pools and
 *   arenas as before; arenas sorted by linear search; address_in_range by the arena index that
 *   stands in the pool's header.
 *
 * - pymalloc-3.10: POOL_BITS 14 and ARENA_BITS 20 with the radix tree (bpo-37448); arenas sorted in
 *   constant time by search fingers (nfp2lasta, since 3.8, bpo-37029); the last usable arena is
 *   kept when it empties (since 3.8, bpo-37257). 3.11 is the same algorithm, and a test holds this
 *   one against libpython3.11, address by address.
 *
 * Expected fragmentation: internally at most ALIGNMENT - 1 bytes a block, plus the pool's header
 * and its tail; externally a pool stays with its class, and an arena with the process, while one of
 * its blocks lives.
 *
 * Where this differs from CPython, and why:
 *
 * - All state is in struct pymalloc_heap. CPython's is global.
 *
 * - A small request never falls back on the system malloc when an arena is refused, and a large
 *   block that shrinks to THRESHOLD or less moves into a pool: otherwise a sized free, which does
 *   no address lookup, could meet a small block outside the pools.
 *
 * - Size 0 is served as size 1, from a pool. CPython passes it to malloc.
 *
 * Limits: one thread. Large blocks are the system malloc's: walk does not visit them, close does
 * not release them, and a double free of one is the system malloc's to detect. */
#ifndef HEAPMILL_ALLOCATORS_PYMALLOC_H
#define HEAPMILL_ALLOCATORS_PYMALLOC_H

#include <assert.h>

#include "allocators/heap.h"
#include "allocators/probe_slow.h"

/* Words that parameters may have. */
#define PYMALLOC_LOOKUP_INDEX 1
#define PYMALLOC_LOOKUP_RADIX 2
#define PYMALLOC_ORDER_LINEAR 1
#define PYMALLOC_ORDER_FINGERS 2

/* The parameters; 3.10's where a line leaves one out. */
#ifndef PYMALLOC_THRESHOLD
#define PYMALLOC_THRESHOLD 512 /* bytes: the largest small request */
#endif
#ifndef PYMALLOC_ALIGNMENT
#define PYMALLOC_ALIGNMENT 16 /* bytes: of blocks, and between size classes */
#endif
#ifndef PYMALLOC_POOL_KIB
#define PYMALLOC_POOL_KIB 16
#endif
#ifndef PYMALLOC_ARENA_KIB
#define PYMALLOC_ARENA_KIB 1024
#endif
#ifndef PYMALLOC_LOOKUP
#define PYMALLOC_LOOKUP PYMALLOC_LOOKUP_RADIX
#endif
#ifndef PYMALLOC_ORDER
#define PYMALLOC_ORDER PYMALLOC_ORDER_FINGERS
#endif
#ifndef PYMALLOC_KEEP_LAST_ARENA
#define PYMALLOC_KEEP_LAST_ARENA 1
#endif

#define PYMALLOC_POOL_BYTES ((size_t)PYMALLOC_POOL_KIB * 1024)
#define PYMALLOC_ARENA_BYTES ((size_t)PYMALLOC_ARENA_KIB * 1024)
#define PYMALLOC_POOLS_MAX (PYMALLOC_ARENA_KIB / PYMALLOC_POOL_KIB) /* in one arena */
#define PYMALLOC_CLASSES (PYMALLOC_THRESHOLD / PYMALLOC_ALIGNMENT)
#define PYMALLOC_ARENA_SLOTS_INITIAL 16 /* INITIAL_ARENA_OBJECTS, obmalloc.c 2.5 to 3.11 */
#define PYMALLOC_CLASS_NONE 0xffffu     /* DUMMY_SIZE_IDX: a pool that has served no class yet */

/* A link of the ring of one class's partly used pools; the rings' heads are in the heap. In an
 * empty pool only next is used, for its arena's list. */
struct pymalloc_link {
    struct pymalloc_link *next;
    struct pymalloc_link *previous;
};

/* The header at the start of each pool: struct pool_header of obmalloc.c, with its layout. */
struct pymalloc_pool {
    size_t live;      /* blocks handed out */
    void *free_block; /* the first of the list; NULL if and only if the pool is full */
    struct pymalloc_link link;
    uint32_t arena_index;
    uint32_t size_class;
    uint32_t offset_next; /* bytes from the header to the first block never carved */
    uint32_t offset_last; /* the largest offset at which a block still fits */
};

#define PYMALLOC_POOL_OVERHEAD                                                                     \
    ((sizeof(struct pymalloc_pool) + PYMALLOC_ALIGNMENT - 1) / PYMALLOC_ALIGNMENT *                \
     PYMALLOC_ALIGNMENT)
#define PYMALLOC_BLOCKS_MAX                                                                        \
    ((PYMALLOC_POOL_BYTES - PYMALLOC_POOL_OVERHEAD) / PYMALLOC_ALIGNMENT) /* in one pool */

/* A slot of the arena table: struct arena_object of obmalloc.c. */
struct pymalloc_arena {
    uintptr_t address;        /* 0: the slot is unused */
    unsigned char *pool_next; /* the first pool not yet carved */
    uint16_t pools_free;      /* in the list below, or not yet carved */
    uint16_t pools_total;
    uint32_t ordinal; /* how many arenas were mapped before it */
    struct pymalloc_link *free_pools;
    struct pymalloc_arena *next; /* of the usable arenas, or of the unused slots */
    struct pymalloc_arena *previous;
};

static_assert(sizeof(void *) == 8, "the address splits below are for 64-bit machines");
static_assert(sizeof(struct pymalloc_pool) == 48, "as sizeof(struct pool_header)");
static_assert(sizeof(struct pymalloc_arena) == 56 - 8, "as sizeof(struct arena_object)");
static_assert((PYMALLOC_ALIGNMENT & (PYMALLOC_ALIGNMENT - 1)) == 0, "a power of two");
static_assert(PYMALLOC_ALIGNMENT >= (int)sizeof(void *), "a free block holds a pointer");
static_assert(PYMALLOC_THRESHOLD % PYMALLOC_ALIGNMENT == 0, "the last class ends at the threshold");
static_assert((PYMALLOC_POOL_KIB & (PYMALLOC_POOL_KIB - 1)) == 0, "a pool is found by masking");
static_assert(PYMALLOC_ARENA_KIB % PYMALLOC_POOL_KIB == 0, "an arena is a whole number of pools");
static_assert((PYMALLOC_ARENA_KIB & (PYMALLOC_ARENA_KIB - 1)) == 0, "the radix tree masks it");
static_assert(PYMALLOC_POOL_BYTES >= 4096, "heap_os.map promises pages, pools are no smaller");
static_assert(PYMALLOC_POOL_BYTES - PYMALLOC_POOL_OVERHEAD >= 2 * PYMALLOC_THRESHOLD,
              "a pool of one block would be full and empty at once");
static_assert(PYMALLOC_POOLS_MAX >= 4 && PYMALLOC_POOLS_MAX < 65536, "counts are 16 bits");
static_assert(PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX || PYMALLOC_POOL_KIB == 4,
              "the index lookup reads the header of a pool that may not be one: same page only");

#if PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX
/* How an address is split, as obmalloc.c 3.10 and 3.11 ship: IGNORE_BITS 0, so 15, 15, 14 and 20
 * bits for 1 MiB arenas (MAP_TOP_BITS, MAP_MID_BITS, MAP_BOT_BITS, ARENA_BITS; all 64 bits are
 * covered). The fuzzers pass 48, which is IGNORE_BITS 16: user space has no more, and with nodes of
 * 8 KiB instead of 256 a heap opens in a microsecond. */
#ifndef PYMALLOC_ADDRESS_BITS
#define PYMALLOC_ADDRESS_BITS 64
#endif
#define PYMALLOC_ARENA_BITS (__builtin_ctzll((unsigned long long)PYMALLOC_ARENA_KIB * 1024))
#define PYMALLOC_INNER_BITS ((PYMALLOC_ADDRESS_BITS - PYMALLOC_ARENA_BITS + 2) / 3)
#define PYMALLOC_LEAF_BITS (PYMALLOC_ADDRESS_BITS - PYMALLOC_ARENA_BITS - 2 * PYMALLOC_INNER_BITS)
#define PYMALLOC_INNER_SLOTS (1u << PYMALLOC_INNER_BITS)
#define PYMALLOC_LEAF_SLOTS (1u << PYMALLOC_LEAF_BITS)

/* Covers one stretch of ARENA_BYTES that begins at a multiple of ARENA_BYTES. An arena that is not
 * aligned to its size covers the end of one stretch and the beginning of the next. arena_coverage_t
 * of obmalloc.c. */
struct pymalloc_coverage {
    int32_t tail_high; /* from this offset up it is an arena's; −1: all of it; 0: none */
    int32_t tail_low;  /* below this offset it is an arena's; 0: none */
};

struct pymalloc_radix_leaf {
    struct pymalloc_coverage stretches[PYMALLOC_LEAF_SLOTS];
};

struct pymalloc_radix_middle {
    struct pymalloc_radix_leaf *leaves[PYMALLOC_INNER_SLOTS];
};
#endif

struct pymalloc_heap {
    struct pymalloc_link partial[PYMALLOC_CLASSES]; /* usedpools: ring heads */
    struct pymalloc_arena *arenas; /* the table; its slots never move while in use */
    uint32_t arena_slots;
    struct pymalloc_arena *unused_slots;  /* singly linked */
    struct pymalloc_arena *usable_arenas; /* with a free pool; doubly linked, fewest free first */
#if PYMALLOC_ORDER == PYMALLOC_ORDER_FINGERS
    /* The last usable arena with that many free pools, or NULL: nfp2lasta. */
    struct pymalloc_arena *fingers[PYMALLOC_POOLS_MAX + 1];
#endif
#if PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX
    struct pymalloc_radix_middle *radix[PYMALLOC_INNER_SLOTS];
#endif
    struct heap_os os; /* no member is NULL */
    size_t arenas_live;
    size_t arenas_mapped;
    size_t arenas_unmapped;
    size_t large_blocks;
    size_t large_bytes; /* as heap_os.usable_size says */
    size_t table_bytes; /* the arena table and the radix nodes */
    size_t held_bytes_peak;
};

#ifdef HEAPMILL_CHECKED
#define PYMALLOC_MISUSE_CAPABILITY HEAP_CAN_DETECT_MISUSE
#else
#define PYMALLOC_MISUSE_CAPABILITY 0
#endif
#define PYMALLOC_CAPABILITIES                                                                      \
    (HEAP_CAN_FREE_UNSIZED | HEAP_CAN_USABLE_SIZE | HEAP_CAN_STATS | HEAP_CAN_WALK |               \
     HEAP_CAN_CHECK | HEAP_CAN_COEXIST | HEAP_KEEPS_CONTENTS | HEAP_MARKS_SLOW |                   \
     PYMALLOC_MISUSE_CAPABILITY)

/* What preload/locked.h asks of a source. */
#define PYMALLOC_OWNED_MAX PYMALLOC_THRESHOLD

/* The contract's slow operations: allocators/backend.h says what they do. */
enum status pymalloc_open(struct pymalloc_heap *heap, const struct heap_options *options,
                          struct error *error);
void pymalloc_close(struct pymalloc_heap *heap);
void pymalloc_trim(struct pymalloc_heap *heap);

static inline void pymalloc_begin_run(struct pymalloc_heap *heap)
{
    (void)heap;
}

void pymalloc_stats(const struct pymalloc_heap *heap, struct heap_stats *stats);
void pymalloc_walk(const struct pymalloc_heap *heap, heap_visit *visit, void *context);
size_t pymalloc_check(const struct pymalloc_heap *heap);
void *pymalloc_resize(struct pymalloc_heap *heap, void *block, size_t old_size, size_t new_size,
                      enum heap_type type);

#include "allocators/pymalloc_inline.h"

#endif
