/* What the object workloads have in common: how many blocks gc/'s types take, for the exact models
 * behind expected_allocations, and upper estimates of their bytes for window_bytes.
 *
 * A model draws from a copy of run->rng. The runner calls it right before the run in question, so
 * the copy gives the same draws as that run. */
#ifndef HEAPMILL_WORKLOADS_OBJECTS_MODEL_H
#define HEAPMILL_WORKLOADS_OBJECTS_MODEL_H

#include "workloads/workload.h"

#define MODEL_HEAP_EXHAUSTED "heap exhausted"

/* Upper estimates of blocks in bytes, for window_bytes: gc/'s requests, rounded up to 16, with room
 * for a header as in malloc. */
enum {
    MODEL_INT_BYTES = HEAP_INT_BYTES + 16,
    MODEL_STR_BYTES = 64, /* of an empty string; its length is added */
    MODEL_LIST_BYTES = HEAP_LIST_BYTES + 16,
    MODEL_DICT_BYTES = HEAP_DICT_BYTES + 16,
    MODEL_INSTANCE_BYTES = 80,
    MODEL_FRAME_BYTES = 80,     /* of a frame without slots */
    MODEL_KEYS_BYTES_MIN = 224, /* of a dict with up to five entries */
    /* What automatic collection may leave uncollected, in containers allocated since the last full
     * collection: 700 net allocations a young collection, more than 10 of those an older one, more
     * than 10 of those a full one. */
    MODEL_FULL_COLLECTION_CONTAINERS = 701 * 11 * 11,
};

/* Containers of an instance with attributes: itself and its dict. In CPython from 3.11 on the
 * attributes are in the instance's own block, and there is no dict. */
#if defined(HEAPMILL_REFERENCE) && (!defined(CPYTHON_MINOR) || CPYTHON_MINOR >= 11)
enum { MODEL_INSTANCE_CONTAINERS = 1 };
#else
enum { MODEL_INSTANCE_CONTAINERS = 2 };
#endif

/* Blocks of int_new: none for the shared small ints. */
static inline uint64_t model_int_blocks(int64_t value)
{
    return value < -5 || value > 256 ? 1 : 0;
}

/* When a dict takes a new buffer: at the first entry, and whenever two thirds of its slots are used
 * up, including deleted entries. The new buffer has the smallest power of two of slots that is at
 * least 8 and at least three times its entries (USABLE_FRACTION and GROWTH_RATE,
 * Objects/dictobject.c, CPython 3.11). */
struct model_dict {
    uint64_t used;
    uint64_t usable; /* entries that still fit into the buffer */
};

/* Buffers, 0 or 1, for the insertion of a new key. A deletion is used-- and takes none. */
static inline uint64_t model_dict_insert(struct model_dict *dict)
{
    uint64_t buffers = 0;
    if (dict->usable == 0) {
        uint64_t slots = 8;
        while (slots < 3 * dict->used) {
            slots *= 2;
        }
        dict->usable = 2 * slots / 3 - dict->used;
        buffers = 1;
    }
    dict->used++;
    dict->usable--;
    return buffers;
}

/* Buffers that a dict takes one after the other until it has that many entries. */
static inline uint64_t model_dict_buffers(uint64_t entries)
{
    struct model_dict dict = {0};
    uint64_t buffers = 0;
    for (uint64_t i = 0; i < entries; i++) {
        buffers += model_dict_insert(&dict);
    }
    return buffers;
}

/* Size number index of count sizes whose logarithms are spread evenly between low and high: many
 * small, few large. Their sum is always equal, so that an iteration has a fixed number of
 * operations. */
static inline uint64_t model_spread_size(uint64_t index, uint64_t count, double low, double high)
{
    double rank = ((double)index + 0.5) / (double)count;
    return (uint64_t)(low * pow(high / low, rank));
}

/* A step of a checksum, which depends on the order, so that swapped results are found. */
static inline void model_check(struct run *run, uint64_t value)
{
    run->checksum = (run->checksum ^ value) * 0x100000001b3u;
}

/* For setup: reports an exhausted heap. */
static inline enum status model_exhausted(struct error *error)
{
    return error_set(error, STATUS_NO_MEMORY, MODEL_HEAP_EXHAUSTED);
}

#endif
