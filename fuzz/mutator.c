#include "fuzz/mutator.h"

#include <stdbool.h>
#include <string.h>

#include "fuzz/palette.h"

/* The input that is being mutated, as a header and an array of operations. */
struct mutator_program {
    uint8_t *header;
    uint8_t *operations;
    size_t count;
    size_t capacity; /* in operations */
    struct rng *rng;
};

static size_t mutator_below(struct mutator_program *program, size_t bound)
{
    return (size_t)rng_below(program->rng, bound);
}

static uint8_t *mutator_at(struct mutator_program *program, size_t index)
{
    return program->operations + PALETTE_OPERATION_BYTES * index;
}

/* A random length, mostly short and sometimes as long as limit, which is above 0. */
static size_t mutator_length(struct mutator_program *program, size_t limit)
{
    size_t longest = (size_t)1 << mutator_below(program, 11);
    return 1 + mutator_below(program, longest < limit ? longest : limit);
}

/* Opens a gap of length operations before index. Returns its length, which may be shorter. */
static size_t mutator_open_gap(struct mutator_program *program, size_t index, size_t length)
{
    size_t room = program->capacity - program->count;
    length = length < room ? length : room;
    memmove(mutator_at(program, index + length), mutator_at(program, index),
            (program->count - index) * PALETTE_OPERATION_BYTES);
    program->count += length;
    return length;
}

static void mutator_delete(struct mutator_program *program)
{
    size_t first = mutator_below(program, program->count);
    size_t length = mutator_length(program, program->count - first);
    memmove(mutator_at(program, first), mutator_at(program, first + length),
            (program->count - first - length) * PALETTE_OPERATION_BYTES);
    program->count -= length;
}

static void mutator_insert(struct mutator_program *program)
{
    size_t index = mutator_below(program, program->count + 1);
    size_t length = mutator_open_gap(program, index, mutator_length(program, 16));
    /* New operations, or one of them repeated: loops fill pools. */
    uint64_t draw = rng_next(program->rng);
    bool repeat = draw >> 63;
    for (size_t i = 0; i < length; i++) {
        draw = repeat ? draw : rng_next(program->rng);
        memcpy(mutator_at(program, index + i), &draw, PALETTE_OPERATION_BYTES);
    }
}

/* Repeats a range up to 64 times after itself. */
static void mutator_repeat(struct mutator_program *program)
{
    size_t first = mutator_below(program, program->count);
    size_t length = mutator_length(program, program->count - first);
    size_t times = (size_t)1 << mutator_below(program, 7);
    for (size_t i = 0; i < times && program->count + length <= program->capacity; i++) {
        (void)mutator_open_gap(program, first + length, length);
        memcpy(mutator_at(program, first + length), mutator_at(program, first),
               length * PALETTE_OPERATION_BYTES);
    }
}

/* Copies a nibble of one argument of the pattern to another argument. */
static void mutator_relate(struct mutator_program *program, uint8_t *operations, size_t length)
{
    uint64_t draw = rng_next(program->rng);
    uint8_t *to = &operations[mutator_below(program, length) * PALETTE_OPERATION_BYTES + 1];
    uint8_t from = operations[mutator_below(program, length) * PALETTE_OPERATION_BYTES + 1];
    uint8_t value = draw & 1 ? from >> 4 : from & 15;
    *to = (uint8_t)(draw & 2 ? (*to & 0x0f) | value << 4 : (*to & 0xf0) | value);
}

/* Inserts a loop: two to four operations, new or from the program, that are repeated. Related
 * arguments let one operation continue with the result of another. */
static void mutator_insert_loop(struct mutator_program *program)
{
    uint8_t pattern[4 * PALETTE_OPERATION_BYTES];
    size_t length = 2 + mutator_below(program, 3);
    for (size_t i = 0; i < length; i++) {
        uint64_t draw = rng_next(program->rng);
        const void *from = draw >> 63 ? (void *)&draw
                                      : mutator_at(program, mutator_below(program, program->count));
        memcpy(pattern + i * PALETTE_OPERATION_BYTES, from, PALETTE_OPERATION_BYTES);
    }
    for (size_t i = mutator_below(program, 4); i > 0; i--) {
        mutator_relate(program, pattern, length);
    }
    size_t times = (size_t)4 << mutator_below(program, 5);
    size_t index = mutator_below(program, program->count + 1);
    for (size_t i = 0; i < times && program->count + length <= program->capacity; i++) {
        (void)mutator_open_gap(program, index, length);
        memcpy(mutator_at(program, index), pattern, length * PALETTE_OPERATION_BYTES);
    }
}

static void mutator_swap(struct mutator_program *program)
{
    uint8_t *a = mutator_at(program, mutator_below(program, program->count));
    uint8_t *b = mutator_at(program, mutator_below(program, program->count));
    uint8_t kept[PALETTE_OPERATION_BYTES];
    memcpy(kept, a, sizeof(kept));
    memmove(a, b, sizeof(kept));
    memcpy(b, kept, sizeof(kept));
}

static void mutator_move(struct mutator_program *program)
{
    size_t from = mutator_below(program, program->count);
    size_t length = mutator_length(program, program->count - from);
    size_t to = mutator_below(program, program->count - length + 1);
    uint8_t kept[64 * PALETTE_OPERATION_BYTES];
    length = length < 64 ? length : 64;
    memcpy(kept, mutator_at(program, from), length * PALETTE_OPERATION_BYTES);
    memmove(mutator_at(program, from), mutator_at(program, from + length),
            (program->count - from - length) * PALETTE_OPERATION_BYTES);
    memmove(mutator_at(program, to + length), mutator_at(program, to),
            (program->count - to - length) * PALETTE_OPERATION_BYTES);
    memcpy(mutator_at(program, to), kept, length * PALETTE_OPERATION_BYTES);
}

static void mutator_change_kind(struct mutator_program *program)
{
    mutator_at(program, mutator_below(program, program->count))[0] =
        (uint8_t)rng_next(program->rng);
}

static void mutator_change_argument(struct mutator_program *program)
{
    uint8_t *argument = &mutator_at(program, mutator_below(program, program->count))[1];
    uint64_t draw = rng_next(program->rng);
    switch (draw >> 62) {
    case 0:
        *argument = (uint8_t)draw;
        break;
    case 1:
        *argument = (uint8_t)(*argument ^ 1u << (draw & 7));
        break;
    default:
        *argument = (uint8_t)(*argument + (draw & 1 ? 1 : -1));
    }
}

/* Changes an entry's size and type, on which most depends: whether two entries share a class, a
 * list or a threshold. An entry's upper four bits say how to read the lower twelve. */
static void mutator_change_entry(struct mutator_program *program)
{
    uint64_t draw = rng_next(program->rng);
    uint8_t *at =
        &program->header[PALETTE_AT_ENTRIES + 2 * mutator_below(program, PALETTE_ENTRIES)];
    const uint8_t *other =
        &program->header[PALETTE_AT_ENTRIES + 2 * mutator_below(program, PALETTE_ENTRIES)];
    unsigned entry = (unsigned)(at[0] | at[1] << 8);
    unsigned step = 1u << (draw & 3);
    switch (draw >> 61) {
    case 0:
        entry = (unsigned)(draw >> 8);
        break;
    case 1:
    case 2:
        entry = draw & 4 ? entry + step : entry - step;
        break;
    case 3:
    case 4: /* near another entry: sizes of the same class, or of neighbouring ones */
        entry = (unsigned)(other[0] | other[1] << 8);
        entry = draw & 4 ? entry + step : entry - step;
        break;
    case 5:
        entry = (entry & 0xfff) | (unsigned)(draw & 0xf000);
        break;
    default:
        entry = (entry & 0xf000) | (unsigned)(draw >> 8 & 0xfff);
    }
    at[0] = (uint8_t)entry;
    at[1] = (uint8_t)(entry >> 8);
}

static void mutator_change_header(struct mutator_program *program)
{
    uint64_t draw = rng_next(program->rng);
    uint8_t *byte = &program->header[mutator_below(program, PALETTE_HEADER_BYTES)];
    switch (draw >> 61) {
    case 0:
        *byte = (uint8_t)draw;
        break;
    case 1:
        *byte = (uint8_t)(*byte + (draw & 1 ? 1 : -1));
        break;
    case 2:
        *byte = 0;
        break;
    case 3: /* one kind of operation more often, or never */
        byte = &program->header[PALETTE_AT_WEIGHTS + mutator_below(program, PALETTE_KINDS / 2)];
        *byte = (uint8_t)(*byte ^ (draw & 255));
        break;
    default:
        *byte = (uint8_t)(*byte ^ 1u << (draw & 7));
    }
}

static void mutator_step(struct mutator_program *program)
{
    static void (*const steps[])(struct mutator_program *) = {
        mutator_insert,
        mutator_delete,
        mutator_repeat,
        mutator_insert_loop,
        mutator_swap,
        mutator_move,
        mutator_change_kind,
        mutator_change_argument,
        mutator_change_argument,
        mutator_change_header,
        mutator_change_entry,
    };
    if (program->count == 0) {
        mutator_insert(program);
    } else {
        steps[mutator_below(program, sizeof(steps) / sizeof(steps[0]))](program);
    }
}

size_t mutator_mutate(uint8_t *data, size_t size, size_t capacity, struct rng *rng)
{
    if (capacity < PALETTE_HEADER_BYTES + PALETTE_OPERATION_BYTES) {
        return size < capacity ? size : capacity;
    }
    if (size < PALETTE_HEADER_BYTES) {
        size_t operations = (size_t)1 << rng_below(rng, 8);
        return palette_generate(data, capacity, operations, rng);
    }
    struct mutator_program program = {
        .header = data,
        .operations = data + PALETTE_HEADER_BYTES,
        .count = (size - PALETTE_HEADER_BYTES) / PALETTE_OPERATION_BYTES,
        .capacity = (capacity - PALETTE_HEADER_BYTES) / PALETTE_OPERATION_BYTES,
        .rng = rng,
    };
    unsigned steps = 1u << rng_below(rng, 4);
    for (unsigned i = 0; i < steps; i++) {
        mutator_step(&program);
    }
    return PALETTE_HEADER_BYTES + program.count * PALETTE_OPERATION_BYTES;
}

/* Takes the header of one input, the beginning of a, and the end of b. */
size_t mutator_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                     size_t capacity, struct rng *rng)
{
    if (a_size < PALETTE_HEADER_BYTES || b_size < PALETTE_HEADER_BYTES ||
        capacity < PALETTE_HEADER_BYTES) {
        return 0;
    }
    size_t a_count = (a_size - PALETTE_HEADER_BYTES) / PALETTE_OPERATION_BYTES;
    size_t b_count = (b_size - PALETTE_HEADER_BYTES) / PALETTE_OPERATION_BYTES;
    memcpy(out, rng_below(rng, 2) == 0 ? a : b, PALETTE_HEADER_BYTES);
    size_t room = (capacity - PALETTE_HEADER_BYTES) / PALETTE_OPERATION_BYTES;
    size_t head = (size_t)rng_below(rng, a_count + 1);
    head = head < room ? head : room;
    size_t skipped = (size_t)rng_below(rng, b_count + 1);
    size_t tail = b_count - skipped;
    tail = tail < room - head ? tail : room - head;
    uint8_t *at = out + PALETTE_HEADER_BYTES;
    memcpy(at, a + PALETTE_HEADER_BYTES, head * PALETTE_OPERATION_BYTES);
    memcpy(at + head * PALETTE_OPERATION_BYTES,
           b + PALETTE_HEADER_BYTES + skipped * PALETTE_OPERATION_BYTES,
           tail * PALETTE_OPERATION_BYTES);
    return PALETTE_HEADER_BYTES + (head + tail) * PALETTE_OPERATION_BYTES;
}
