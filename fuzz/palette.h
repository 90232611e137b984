/* The input format "palette-1" of targets that play programs of operations.
 *
 * Random bytes that name any size and any operation make programs that do a little of everything,
 * and few bugs need that. Here a header first narrows the program down, and is itself drawn at
 * random (swarm testing: Groce, Zhang, Eide, Chen and Regehr, ISSTA 2012): at most four palette
 * entries (sizes and types, to an allocator), and how often each of sixteen kinds of operation
 * comes. Then come operations of two bytes, so that a mutation changes one of them and leaves the
 * rest in place.
 *
 *   byte 0       flags, the target's
 *   byte 1       fault injection, the target's
 *   bytes 2–9    four entries, 16 bits each, little-endian
 *   bytes 10–17  sixteen weights of 4 bits, the low half first; all zero counts as all equal
 *   then         operations: a byte that selects the kind by the weights, and an argument
 *
 * An input that ends early goes on with zero bytes to the end of the header; half an operation at
 * the end is ignored. Every byte string is a program. */
#ifndef HEAPMILL_FUZZ_PALETTE_H
#define HEAPMILL_FUZZ_PALETTE_H

#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"

enum {
    PALETTE_ENTRIES = 4,
    PALETTE_KINDS = 16,
    PALETTE_AT_FLAGS = 0,
    PALETTE_AT_FAULTS = 1,
    PALETTE_AT_ENTRIES = 2,
    PALETTE_AT_WEIGHTS = PALETTE_AT_ENTRIES + 2 * PALETTE_ENTRIES,
    PALETTE_HEADER_BYTES = PALETTE_AT_WEIGHTS + PALETTE_KINDS / 2,
    PALETTE_OPERATION_BYTES = 2,
    PALETTE_OPERATIONS_MAX = 8192, /* further operations are ignored */
};

struct palette {
    uint8_t flags;
    uint8_t faults;
    uint16_t entries[PALETTE_ENTRIES];
    uint8_t kind_of[256];      /* for an operation's first byte */
    const uint8_t *operations; /* points into the caller's bytes */
    size_t count;
};

/* Reads the header; data must outlive the palette. */
void palette_read(struct palette *palette, const uint8_t *data, size_t size);

static inline unsigned palette_kind(const struct palette *palette, size_t index)
{
    return palette->kind_of[palette->operations[PALETTE_OPERATION_BYTES * index]];
}

static inline uint8_t palette_argument(const struct palette *palette, size_t index)
{
    return palette->operations[PALETTE_OPERATION_BYTES * index + 1];
}

/* Draws an input of that many operations (fewer if capacity is too small); returns its size. */
size_t palette_generate(uint8_t *data, size_t capacity, size_t operations, struct rng *rng);

/* Draws a header into data[0 … PALETTE_HEADER_BYTES − 1]. */
void palette_generate_header(uint8_t *data, struct rng *rng);

#endif
