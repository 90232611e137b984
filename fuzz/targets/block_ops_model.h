/* block_ops's model of its heap, with the oracles over it. */
#ifndef HEAPMILL_FUZZ_BLOCK_OPS_MODEL_H
#define HEAPMILL_FUZZ_BLOCK_OPS_MODEL_H

#include "allocators/backend.h"
#include "fuzz/block_program.h"
#include "fuzz/fuzz_os.h"
#include "fuzz/oracle.h"

/* Counts separately the sizes (in words) and types that a back end may cache separately; with two
 * of them under one key the bound would be too low. Larger blocks are not cached by type. */
enum { BLOCK_OPS_CACHE_SIZES = 33, BLOCK_OPS_CACHE_KEYS = HEAP_TYPE_COUNT * BLOCK_OPS_CACHE_SIZES };

struct block_ops_model {
    struct heap heap;
    struct fuzz_os os;
    struct block_program program;
    size_t usable_bytes;  /* of all live blocks */
    uint64_t region_hash; /* the sum of the hashes of live blocks' addresses in the region */
    size_t small_blocks;  /* live, in the region */
    size_t live_peak;
    size_t resizes;
    uint32_t key_live[BLOCK_OPS_CACHE_KEYS];
    uint32_t key_peak[BLOCK_OPS_CACHE_KEYS];
    size_t cacheable_peak; /* the sum over key_peak */
    size_t next_check;     /* the next check comes at this step or later */
    uint8_t next_fill;
};

#define BLOCK_OPS_CAN(capability) ((HEAP_CAPABILITIES & (capability)) != 0)

/* Enters a new block of the slot's size: it must be aligned and usable, and must not overlap
 * another. Fills it. */
void block_ops_enter(struct block_ops_model *model, struct block_slot *slot, void *address);
/* Called before the block is freed or resized: its contents must be unchanged. */
void block_ops_leave(struct block_ops_model *model, struct block_slot *slot);
/* Checks the first bytes of the slot's block, which must have survived a resize. */
void block_ops_expect_kept(const struct block_slot *slot, size_t bytes);

void block_ops_expect_healthy(struct block_ops_model *model);
void block_ops_expect_stats(struct block_ops_model *model);
void block_ops_expect_walk(struct block_ops_model *model);
void block_ops_expect_contents(struct block_ops_model *model);
/* Called when everything has been freed: only cached blocks may use pools, and at most one arena
 * may be kept. */
void block_ops_expect_empty(struct block_ops_model *model);

#endif
