/* Decodes a palette input (fuzz/palette.h) into a program of block operations. block_ops,
 * differential and malloc_abi play it, each over its own allocator.
 *
 * The program keeps the table of live blocks and chooses the block of each operation; the player
 * keeps the addresses, in the table's slots. Bursts are unrolled: each step is one call. The steps
 * depend only on the input, and on which allocations were refused. */
#ifndef HEAPMILL_FUZZ_BLOCK_PROGRAM_H
#define HEAPMILL_FUZZ_BLOCK_PROGRAM_H

#include <stdbool.h>
#include <stdio.h>

#include "allocators/heap.h"
#include "fuzz/oracle.h"
#include "fuzz/palette.h"

enum {
    BLOCK_SLOTS = 8192,      /* the most live blocks; a power of two */
    BLOCK_STEPS_MAX = 65536, /* the most steps of one input */
    BLOCK_LIVE_BYTES_MAX = 24 << 20,
};

/* Flags of the input's first byte. */
enum block_flag {
    BLOCK_FLAG_UNSIZED = 1u << 0,     /* frees do not pass the size, if the back end allows it */
    BLOCK_FLAG_UNALIGNED = 1u << 1,   /* arenas do not begin where a unit does */
    BLOCK_FLAG_CHECK_SHIFT = 2,       /* two bits: how often the heap is checked */
    BLOCK_FLAG_CLOSE_LIVE = 1u << 4,  /* close must release some small blocks */
    BLOCK_FLAG_PLACEMENT_SHIFT = 5,   /* two bits: enum fuzz_os_placement */
    BLOCK_FLAG_TRIM_AT_END = 1u << 7, /* the heap is trimmed when everything is free */
};

/* The sixteen kinds of operation of the format. */
enum block_kind {
    BLOCK_KIND_ALLOC,       /* of an entry: argument & 3 */
    BLOCK_KIND_ALLOC_NEAR,  /* of an entry's size plus argument >> 2, minus 32 */
    BLOCK_KIND_ALLOC_BURST, /* 2 to 263 blocks of an entry */
    BLOCK_KIND_FREE_AT,     /* the block at argument / 256 of the order */
    BLOCK_KIND_FREE_NEWEST,
    BLOCK_KIND_FREE_OLDEST,
    BLOCK_KIND_FREE_BURST,  /* 2 to 256 blocks, from a place on */
    BLOCK_KIND_FREE_COMB,   /* every second to fifth block */
    BLOCK_KIND_RESIZE,      /* to the size of an entry */
    BLOCK_KIND_RESIZE_NEAR, /* to its own size plus or minus 1 to 8, or times 3/4 */
    BLOCK_KIND_PAIRS,       /* 1 to 64 times: allocates an entry and frees it at once */
    BLOCK_KIND_CHECK_OR_WALK,
    BLOCK_KIND_STATS,
    BLOCK_KIND_TRIM, /* one time in four; otherwise it verifies contents */
    BLOCK_KIND_REFUSE,
    BLOCK_KIND_FREE_ALL, /* if the argument is below 64; otherwise it replaces the oldest block */
};

enum block_step_kind {
    BLOCK_ALLOC,  /* slot is new; its size and type are set */
    BLOCK_FREE,   /* slot has just been removed from the live ones */
    BLOCK_RESIZE, /* resizes slot to size */
    BLOCK_CHECK,
    BLOCK_STATS,
    BLOCK_WALK,
    BLOCK_TRIM,
    BLOCK_VERIFY, /* verifies the contents of all blocks */
    BLOCK_REFUSE, /* the system refuses request number `size` from now, counted from 0 */
};

struct block_step {
    enum block_step_kind kind;
    uint32_t slot;
    size_t size;
};

struct block_slot {
    unsigned char *address; /* for the player */
    uint32_t size;          /* as requested */
    uint32_t usable;        /* for the player */
    uint32_t position;      /* in the order */
    uint8_t type;           /* enum heap_type */
    uint8_t fill;           /* for the player */
    bool live;
};

struct block_program {
    struct palette palette;
    struct block_slot slots[BLOCK_SLOTS];
    uint16_t order[BLOCK_SLOTS]; /* ring of live slots, oldest first until one is removed */
    uint32_t first;
    uint32_t live;
    uint16_t unused[BLOCK_SLOTS]; /* stack of slots that are free again */
    uint32_t unused_count;
    uint32_t fresh; /* slots from this one on were never used */
    size_t live_bytes;
    size_t resized_from; /* the size before the last resize */
    size_t next;         /* index of the next operation */
    size_t steps;
    /* The burst that is running. */
    unsigned burst_kind;
    uint32_t burst_left;
    uint32_t burst_at;
    uint32_t burst_stride;
    uint8_t burst_argument;
};

/* data must outlive the program. The table's old content is discarded. */
FUZZ_ORACLE void block_program_begin(struct block_program *program, const uint8_t *data,
                                     size_t size);
/* Gets the next step. false: the input has ended; blocks may still be live. */
FUZZ_ORACLE bool block_program_next(struct block_program *program, struct block_step *step);
/* Tells the program that its last step, an allocation or a resize, was refused. */
FUZZ_ORACLE void block_program_refused_alloc(struct block_program *program, uint32_t slot);
FUZZ_ORACLE void block_program_refused_resize(struct block_program *program, uint32_t slot,
                                              size_t old_size);
/* Removes any live block, for the end of an input. false: there is none. */
FUZZ_ORACLE bool block_program_drain(struct block_program *program, struct block_step *step);

/* The slot of the live block at that place in the order. */
static inline uint32_t block_program_slot(const struct block_program *program, uint32_t position)
{
    return program->order[(program->first + position) & (BLOCK_SLOTS - 1)];
}

/* The fuzz_target.print of targets that play such programs. */
void block_program_print(const uint8_t *data, size_t size, FILE *out);

/* Decodes a palette entry into a size in bytes and a type. */
void block_entry_read(uint16_t entry, size_t *size, enum heap_type *type);

#endif
