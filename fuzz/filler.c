#include "fuzz/filler.h"

#include <stdbool.h>
#include <string.h>

void filler_note(struct filler *filler, const uint8_t *data, size_t size)
{
    if (size <= PALETTE_HEADER_BYTES) {
        return;
    }
    const uint8_t *operations = data + PALETTE_HEADER_BYTES;
    size_t count = (size - PALETTE_HEADER_BYTES) / PALETTE_OPERATION_BYTES;
    count = count < FILLER_OPERATIONS ? count : FILLER_OPERATIONS;
    size_t first = FILLER_OPERATIONS - filler->next;
    first = first < count ? first : count;
    memcpy(&filler->operations[filler->next * PALETTE_OPERATION_BYTES], operations,
           first * PALETTE_OPERATION_BYTES);
    memcpy(filler->operations, operations + first * PALETTE_OPERATION_BYTES,
           (count - first) * PALETTE_OPERATION_BYTES);
    filler->next = (filler->next + count) % FILLER_OPERATIONS;
    filler->count += count;
    filler->count = filler->count < FILLER_OPERATIONS ? filler->count : FILLER_OPERATIONS;
}

/* Appends a run of the noted operations, which may belong to several programs. Returns the
 * remaining room. */
static size_t filler_append(const struct filler *filler, uint8_t *at, size_t room, struct rng *rng)
{
    size_t from = (size_t)rng_below(rng, filler->count);
    size_t length = filler->count - from;
    length = length < room ? length : room;
    memcpy(at, &filler->operations[from * PALETTE_OPERATION_BYTES],
           length * PALETTE_OPERATION_BYTES);
    return room - length;
}

size_t filler_fit(const struct filler *filler, uint8_t *data, size_t size, size_t capacity,
                  struct rng *rng)
{
    uint64_t choice = rng_below(rng, 8);
    if (size < PALETTE_HEADER_BYTES || capacity < size || filler->count == 0 || choice < 2) {
        return size;
    }
    size_t room = (capacity - PALETTE_HEADER_BYTES) / PALETTE_OPERATION_BYTES;
    size_t length = (size_t)16 << rng_below(rng, 7);
    length = length < room ? length : room;
    size_t count = (size - PALETTE_HEADER_BYTES) / PALETTE_OPERATION_BYTES;
    bool cuts = choice == 2;
    if (cuts ? count < length : count > length) {
        return size;
    }
    while (count < length) {
        uint8_t *end = data + PALETTE_HEADER_BYTES + count * PALETTE_OPERATION_BYTES;
        count = length - filler_append(filler, end, length - count, rng);
    }
    return PALETTE_HEADER_BYTES + length * PALETTE_OPERATION_BYTES;
}
