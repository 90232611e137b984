/* A palette input (fuzz/palette.h) as a program of block operations: what block_ops, differential
 * and malloc_abi play, each over its own allocator.
 *
 * The program keeps the table of live blocks and chooses which one an operation is about; whoever
 * plays it keeps the addresses, in the table's slots. Bursts are unrolled: each step is one call.
 * What it yields depends on the input alone, and on which allocations were refused. */
#ifndef HEAPMILL_FUZZ_BLOCK_PROGRAM_H
#define HEAPMILL_FUZZ_BLOCK_PROGRAM_H

#include <stdbool.h>
#include <stdio.h>

#include "allocators/heap.h"
#include "fuzz/oracle.h"
#include "fuzz/palette.h"

enum {
    BLOCK_SLOTS = 8192,      /* blocks alive at once; a power of two */
    BLOCK_STEPS_MAX = 65536, /* of one input */
    BLOCK_LIVE_BYTES_MAX = 24 << 20,
};

/* Flags of the input's first byte. */
enum block_flag {
    BLOCK_FLAG_UNSIZED = 1u << 0,     /* frees do not say the size, where the back end allows it */
    BLOCK_FLAG_UNALIGNED = 1u << 1,   /* arenas begin somewhere in a unit of the region */
    BLOCK_FLAG_CHECK_SHIFT = 2,       /* two bits: how often the heap is checked */
    BLOCK_FLAG_CLOSE_LIVE = 1u << 4,  /* small blocks are left for close to release */
    BLOCK_FLAG_PLACEMENT_SHIFT = 5,   /* two bits: enum fuzz_os_placement */
    BLOCK_FLAG_TRIM_AT_END = 1u << 7, /* trimmed when everything is free */
};

/* The sixteen kinds of operation of the format. */
enum block_kind {
    BLOCK_KIND_ALLOC,       /* of an entry: argument & 3 */
    BLOCK_KIND_ALLOC_NEAR,  /* of an entry's size plus argument >> 2, less 32 */
    BLOCK_KIND_ALLOC_BURST, /* 2 to 263 blocks of an entry */
    BLOCK_KIND_FREE_AT,     /* argument / 256 of the way through the order */
    BLOCK_KIND_FREE_NEWEST,
    BLOCK_KIND_FREE_OLDEST,
    BLOCK_KIND_FREE_BURST,  /* 2 to 256 blocks from a place on */
    BLOCK_KIND_FREE_COMB,   /* every second to fifth block */
    BLOCK_KIND_RESIZE,      /* to an entry's size */
    BLOCK_KIND_RESIZE_NEAR, /* to its own size plus or minus 1 to 8, or times 3/4 */
    BLOCK_KIND_PAIRS,       /* 1 to 64 times: allocate an entry and free it at once */
    BLOCK_KIND_CHECK_OR_WALK,
    BLOCK_KIND_STATS,
    BLOCK_KIND_TRIM, /* one time in four; else it verifies contents */
    BLOCK_KIND_REFUSE,
    BLOCK_KIND_FREE_ALL, /* when the argument is below 64; else it replaces the oldest block */
};

enum block_step_kind {
    BLOCK_ALLOC,  /* slot is new; its size and type are set */
    BLOCK_FREE,   /* slot has just left the table of live ones */
    BLOCK_RESIZE, /* of slot, to size */
    BLOCK_CHECK,
    BLOCK_STATS,
    BLOCK_WALK,
    BLOCK_TRIM,
    BLOCK_VERIFY, /* contents of all blocks */
    BLOCK_REFUSE, /* the system refuses its request number `size` from now, counted from 0 */
};

struct block_step {
    enum block_step_kind kind;
    uint32_t slot;
    size_t size;
};

struct block_slot {
    unsigned char *address; /* the player's */
    uint32_t size;          /* as asked */
    uint32_t usable;        /* the player's */
    uint32_t position;      /* in the order */
    uint8_t type;           /* enum heap_type */
    uint8_t fill;           /* the player's */
    bool live;
};

struct block_program {
    struct palette palette;
    struct block_slot slots[BLOCK_SLOTS];
    uint16_t order[BLOCK_SLOTS]; /* ring of live slots, oldest first until one is taken out */
    uint32_t first;
    uint32_t live;
    uint16_t unused[BLOCK_SLOTS]; /* stack of slots that were used */
    uint32_t unused_count;
    uint32_t fresh; /* slots from here on were never used */
    size_t live_bytes;
    size_t resized_from; /* the old size, of the last resize */
    size_t next;         /* operation */
    size_t steps;
    /* The burst under way. */
    unsigned burst_kind;
    uint32_t burst_left;
    uint32_t burst_at;
    uint32_t burst_stride;
    uint8_t burst_argument;
};

/* data must outlive the program. The table's earlier content is forgotten. */
FUZZ_ORACLE void block_program_begin(struct block_program *program, const uint8_t *data,
                                     size_t size);
/* false: the input has ended. Blocks may be live still. */
FUZZ_ORACLE bool block_program_next(struct block_program *program, struct block_step *step);
/* The allocation, or the resize from old_size, that was the last step was refused. */
FUZZ_ORACLE void block_program_refused_alloc(struct block_program *program, uint32_t slot);
FUZZ_ORACLE void block_program_refused_resize(struct block_program *program, uint32_t slot,
                                              size_t old_size);
/* Takes any live block out, for the end; false: there is none. */
FUZZ_ORACLE bool block_program_drain(struct block_program *program, struct block_step *step);

/* The slot of the live block at that place in the order. */
static inline uint32_t block_program_slot(const struct block_program *program, uint32_t position)
{
    return program->order[(program->first + position) & (BLOCK_SLOTS - 1)];
}

/* What fuzz_target.print wants of targets that play such programs. */
void block_program_print(const uint8_t *data, size_t size, FILE *out);

/* The size in bytes and the type that a palette entry means. */
void block_entry_read(uint16_t entry, size_t *size, enum heap_type *type);

#endif
