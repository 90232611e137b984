#include "fuzz/palette.h"

#include <string.h>

static void palette_read_weights(struct palette *palette, const uint8_t *weights)
{
    unsigned sum = 0;
    unsigned weight_of[PALETTE_KINDS];
    for (unsigned kind = 0; kind < PALETTE_KINDS; kind++) {
        weight_of[kind] = kind % 2 == 0 ? weights[kind / 2] & 15u : weights[kind / 2] >> 4;
        sum += weight_of[kind];
    }
    unsigned before = 0;
    for (unsigned kind = 0; kind < PALETTE_KINDS; kind++) {
        unsigned after = before + (sum == 0 ? 1 : weight_of[kind]);
        unsigned total = sum == 0 ? PALETTE_KINDS : sum;
        unsigned first = before * 256 / total;
        memset(&palette->kind_of[first], (int)kind, after * 256 / total - first);
        before = after;
    }
}

void palette_read(struct palette *palette, const uint8_t *data, size_t size)
{
    uint8_t header[PALETTE_HEADER_BYTES] = {0};
    memcpy(header, data, size < sizeof(header) ? size : sizeof(header));
    palette->flags = header[PALETTE_AT_FLAGS];
    palette->faults = header[PALETTE_AT_FAULTS];
    for (int i = 0; i < PALETTE_ENTRIES; i++) {
        const uint8_t *entry = &header[PALETTE_AT_ENTRIES + 2 * i];
        palette->entries[i] = (uint16_t)(entry[0] | entry[1] << 8);
    }
    palette_read_weights(palette, &header[PALETTE_AT_WEIGHTS]);
    palette->operations = NULL;
    palette->count = 0;
    if (size > PALETTE_HEADER_BYTES) {
        palette->operations = data + PALETTE_HEADER_BYTES;
        palette->count = (size - PALETTE_HEADER_BYTES) / PALETTE_OPERATION_BYTES;
        if (palette->count > PALETTE_OPERATIONS_MAX) {
            palette->count = PALETTE_OPERATIONS_MAX;
        }
    }
}

void palette_generate_header(uint8_t *data, struct rng *rng)
{
    for (int i = 0; i < PALETTE_HEADER_BYTES; i++) {
        data[i] = (uint8_t)rng_next(rng);
    }
    if (rng_below(rng, 4) != 0) {
        data[PALETTE_AT_FAULTS] = 0;
    }
    /* Entries may be equal, so there are often fewer than four sizes. */
    unsigned sizes = 1 + (unsigned)rng_below(rng, PALETTE_ENTRIES);
    for (unsigned i = sizes; i < PALETTE_ENTRIES; i++) {
        memcpy(&data[PALETTE_AT_ENTRIES + 2 * i], &data[PALETTE_AT_ENTRIES + 2 * (i % sizes)], 2);
    }
    /* Omits half of the kinds. */
    for (int i = 0; i < PALETTE_KINDS / 2; i++) {
        uint64_t draw = rng_next(rng);
        data[PALETTE_AT_WEIGHTS + i] &= (uint8_t)((draw & 1 ? 0x0f : 0) | (draw & 2 ? 0xf0 : 0));
    }
}

size_t palette_generate(uint8_t *data, size_t capacity, size_t operations, struct rng *rng)
{
    if (capacity < PALETTE_HEADER_BYTES) {
        return 0;
    }
    palette_generate_header(data, rng);
    size_t size = PALETTE_HEADER_BYTES + PALETTE_OPERATION_BYTES * operations;
    if (size > capacity) {
        size = capacity;
    }
    for (size_t i = PALETTE_HEADER_BYTES; i < size; i++) {
        data[i] = (uint8_t)rng_next(rng);
    }
    return size;
}
