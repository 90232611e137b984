/* What block_ops knows of its heap, and the oracles over that. */
#ifndef HEAPMILL_FUZZ_BLOCK_OPS_MODEL_H
#define HEAPMILL_FUZZ_BLOCK_OPS_MODEL_H

#include "allocators/backend.h"
#include "fuzz/block_program.h"
#include "fuzz/fuzz_os.h"
#include "fuzz/oracle.h"

/* Sizes (in words) and types that a back end may cache apart are counted apart; two under one key
 * would be allowed too few. What is larger is not cached by type. */
enum { BLOCK_OPS_CACHE_SIZES = 33, BLOCK_OPS_CACHE_KEYS = HEAP_TYPE_COUNT * BLOCK_OPS_CACHE_SIZES };

struct block_ops_model {
    struct heap heap;
    struct fuzz_os os;
    struct block_program program;
    size_t usable_bytes;  /* of all live blocks */
    uint64_t region_hash; /* of the addresses of live blocks in the region, summed */
    size_t small_blocks;  /* live, in the region */
    size_t live_peak;
    size_t resizes;
    uint32_t key_live[BLOCK_OPS_CACHE_KEYS];
    uint32_t key_peak[BLOCK_OPS_CACHE_KEYS];
    size_t cacheable_peak; /* the sum of key_peak */
    size_t next_check;     /* step before which the heap is not checked again */
    uint8_t next_fill;
};

#define BLOCK_OPS_CAN(capability) ((HEAP_CAPABILITIES & (capability)) != 0)

/* A block was handed out, of the slot's size: it must be aligned, usable, nobody else's. Fills it.
 */
void block_ops_enter(struct block_ops_model *model, struct block_slot *slot, void *address);
/* The block is about to be given back or resized: its contents must be what they were. */
void block_ops_leave(struct block_ops_model *model, struct block_slot *slot);
/* Contents of the first bytes of the slot's block, which kept them through a resize. */
void block_ops_expect_kept(const struct block_slot *slot, size_t bytes);

void block_ops_expect_healthy(struct block_ops_model *model);
void block_ops_expect_stats(struct block_ops_model *model);
void block_ops_expect_walk(struct block_ops_model *model);
void block_ops_expect_contents(struct block_ops_model *model);
/* Everything has been freed: no pool may be in use but by cached blocks, and no arena kept but one.
 */
void block_ops_expect_empty(struct block_ops_model *model);

#endif
