#include "fuzz/filler.h"

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

/* A stretch of what was noted, which may be of several programs. The room that is left. */
static size_t filler_append(const struct filler *filler, uint8_t *at, size_t room, struct rng *rng)
{
    size_t from = (size_t)rng_below(rng, filler->count);
    size_t length = filler->count - from;
    length = length < room ? length : room;
    memcpy(at, &filler->operations[from * PALETTE_OPERATION_BYTES],
           length * PALETTE_OPERATION_BYTES);
    return room - length;
}

size_t filler_extend(const struct filler *filler, uint8_t *data, size_t size, size_t capacity,
                     struct rng *rng)
{
    if (size < PALETTE_HEADER_BYTES || capacity < size || filler->count == 0 ||
        rng_below(rng, 4) == 0) {
        return size;
    }
    size_t room = (capacity - size) / PALETTE_OPERATION_BYTES;
    if (rng_below(rng, 3) != 0) {
        room = (size_t)rng_below(rng, room + 1);
    }
    uint8_t *end = data + size - (size - PALETTE_HEADER_BYTES) % PALETTE_OPERATION_BYTES;
    while (room > 0) {
        size_t left = filler_append(filler, end, room, rng);
        end += (room - left) * PALETTE_OPERATION_BYTES;
        room = left;
    }
    return (size_t)(end - data);
}
