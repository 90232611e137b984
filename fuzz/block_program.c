#include "fuzz/block_program.h"

#include <string.h>

void block_entry_read(uint16_t entry, size_t *size, enum heap_type *type)
{
    static const enum heap_type plain[] = {HEAP_RAW, HEAP_STR, HEAP_INSTANCE, HEAP_BUFFER};
    size_t low = entry & 0xfff;
    *type = plain[low & 3];
    switch (entry >> 12) {
    case 0:
    case 1:
    case 2:
        *size = 1 + low % 128;
        break;
    case 3:
    case 4:
        *size = 1 + low % 512;
        break;
    case 5: /* near both thresholds */
        *size = (size_t)(low & 64 ? 512 : 256) + low % 33 - 16;
        break;
    case 6:
        *size = HEAP_INT_BYTES;
        *type = low & 1 ? HEAP_INT : HEAP_FLOAT;
        break;
    case 7:
        *size = low & 1 ? HEAP_LIST_BYTES : HEAP_DICT_BYTES;
        *type = low & 1 ? HEAP_LIST : HEAP_DICT;
        break;
    case 8:
    case 9:
        *size = HEAP_TUPLE_BYTES + 8 * (low % 22);
        *type = HEAP_TUPLE;
        break;
    case 10: /* typed blocks that have outgrown their list's size */
        *size = 8 + low % 64;
        *type = (enum heap_type)(HEAP_INT + low % 6);
        break;
    case 11:
        *size = 513 + low;
        break;
    case 12: /* near powers of two */
        *size = ((size_t)8 << low % 14) + (low >> 8) % 3 - 1;
        break;
    case 13: /* near the capacity of a pool */
        *size = (size_t)(low & 64 ? 16384 : 4096) - 48 + low % 65 - 32;
        break;
    case 14:
        *size = 32 * (low + 1);
        break;
    default:
        *size = low % 17;
    }
}

void block_program_begin(struct block_program *program, const uint8_t *data, size_t size)
{
    palette_read(&program->palette, data, size);
    program->first = 0;
    program->live = 0;
    program->unused_count = 0;
    program->fresh = 0;
    program->live_bytes = 0;
    program->next = 0;
    program->steps = 0;
    program->burst_left = 0;
}

/* ---------------------------------------------------------------- the table */
/* Adds a block. false: the table or the allowance is full. */
static bool block_add(struct block_program *program, size_t size, enum heap_type type,
                      struct block_step *step)
{
    if (program->live == BLOCK_SLOTS || program->live_bytes + size > BLOCK_LIVE_BYTES_MAX) {
        return false;
    }
    uint32_t slot =
        program->unused_count != 0 ? program->unused[--program->unused_count] : program->fresh++;
    uint32_t position = (program->first + program->live++) & (BLOCK_SLOTS - 1);
    program->order[position] = (uint16_t)slot;
    program->slots[slot] = (struct block_slot){
        .size = (uint32_t)size, .type = (uint8_t)type, .position = position, .live = true};
    program->live_bytes += size;
    *step = (struct block_step){.kind = BLOCK_ALLOC, .slot = slot, .size = size};
    return true;
}

/* Removes the live block at that place of the order. The newest block takes its place. */
static uint32_t block_take(struct block_program *program, uint32_t at)
{
    uint32_t mask = BLOCK_SLOTS - 1;
    uint32_t position = (program->first + at) & mask;
    uint32_t slot = program->order[position];
    if (at == 0) {
        program->first = (program->first + 1) & mask;
    } else {
        uint16_t newest = program->order[(program->first + program->live - 1) & mask];
        program->order[position] = newest;
        program->slots[newest].position = position;
    }
    program->live--;
    program->slots[slot].live = false;
    program->live_bytes -= program->slots[slot].size;
    program->unused[program->unused_count++] = (uint16_t)slot;
    return slot;
}

static bool block_free(struct block_program *program, uint32_t at, struct block_step *step)
{
    if (at >= program->live) {
        return false;
    }
    uint32_t slot = block_take(program, at);
    *step =
        (struct block_step){.kind = BLOCK_FREE, .slot = slot, .size = program->slots[slot].size};
    return true;
}

void block_program_refused_alloc(struct block_program *program, uint32_t slot)
{
    uint32_t position = program->slots[slot].position;
    (void)block_take(program, (position - program->first) & (BLOCK_SLOTS - 1));
}

void block_program_refused_resize(struct block_program *program, uint32_t slot, size_t old_size)
{
    program->live_bytes += old_size - program->slots[slot].size;
    program->slots[slot].size = (uint32_t)old_size;
}

bool block_program_drain(struct block_program *program, struct block_step *step)
{
    return program->live != 0 && block_free(program, program->live - 1, step);
}

/* ---------------------------------------------------------------- operations */
static bool block_alloc_entry(struct block_program *program, uint8_t argument, size_t offset,
                              struct block_step *step)
{
    size_t size;
    enum heap_type type;
    block_entry_read(program->palette.entries[argument & 3], &size, &type);
    if (offset != 0) {
        size = size + offset > 32 ? size + offset - 32 : 1;
        type = HEAP_RAW;
    }
    return block_add(program, size, type, step);
}

static uint32_t block_place(const struct block_program *program, uint8_t argument)
{
    return (uint32_t)((uint64_t)program->live * argument / 256);
}

static bool block_resize(struct block_program *program, uint32_t at, size_t size,
                         struct block_step *step)
{
    uint32_t slot = block_program_slot(program, at);
    size_t old = program->slots[slot].size;
    if (program->live_bytes - old + size > BLOCK_LIVE_BYTES_MAX) {
        return false;
    }
    program->live_bytes = program->live_bytes - old + size;
    program->resized_from = old;
    program->slots[slot].size = (uint32_t)size;
    *step = (struct block_step){.kind = BLOCK_RESIZE, .slot = slot, .size = size};
    return true;
}

static bool block_resize_entry(struct block_program *program, uint8_t argument,
                               struct block_step *step)
{
    if (program->live == 0) {
        return false;
    }
    size_t size;
    enum heap_type type;
    block_entry_read(program->palette.entries[argument & 3], &size, &type);
    return block_resize(program, block_place(program, argument & 0xfc), size, step);
}

static bool block_resize_near(struct block_program *program, uint8_t argument,
                              struct block_step *step)
{
    if (program->live == 0) {
        return false;
    }
    uint32_t at = block_place(program, argument & 0xf0);
    size_t size = program->slots[block_program_slot(program, at)].size;
    if ((argument & 15) == 15) {
        size = size * 3 / 4;
    } else if (argument & 8) {
        size += 1 + (argument & 7);
    } else {
        size = size > (argument & 7) ? size - (argument & 7) : 0;
    }
    return block_resize(program, at, size, step);
}

static void block_begin_burst(struct block_program *program, unsigned kind, uint8_t argument)
{
    program->burst_kind = kind;
    program->burst_argument = argument;
    program->burst_stride = 0;
    switch (kind) {
    case BLOCK_KIND_ALLOC_BURST:
        program->burst_left = (8u << (argument >> 2 & 7)) / 4 + (argument >> 5);
        break;
    case BLOCK_KIND_PAIRS:
        program->burst_left = 2 * (1 + (uint32_t)(argument >> 2)); /* steps */
        break;
    case BLOCK_KIND_FREE_BURST: /* forwards the places stay, as the newest moves up; backwards they
                                   go */
        program->burst_left = 2u << (argument & 7);
        program->burst_at = block_place(program, argument & 0xf0);
        program->burst_stride = argument & 8 ? 1 : 0;
        break;
    case BLOCK_KIND_FREE_COMB:
        program->burst_at = argument >> 2 & 7;
        program->burst_stride = 1 + (argument & 3);
        program->burst_left = program->live;
        break;
    default: /* BLOCK_KIND_FREE_ALL */
        program->burst_left = program->live;
        program->burst_at = 0;
    }
}

static bool block_continue_burst(struct block_program *program, struct block_step *step)
{
    program->burst_left--;
    switch (program->burst_kind) {
    case BLOCK_KIND_ALLOC_BURST:
        return block_alloc_entry(program, program->burst_argument, 0, step);
    case BLOCK_KIND_PAIRS:
        return program->burst_left % 2 == 1
                   ? block_alloc_entry(program, program->burst_argument, 0, step)
                   : program->live != 0 && block_free(program, program->live - 1, step);
    case BLOCK_KIND_FREE_ALL:
        return block_free(program, program->burst_argument & 1 ? 0 : program->live - 1, step);
    default:
        if (!block_free(program, program->burst_at, step)) {
            program->burst_left = 0; /* beyond the end */
            return false;
        }
        program->burst_at += program->burst_stride;
        return true;
    }
}

static bool block_inspect(unsigned kind, uint8_t argument, struct block_step *step)
{
    static const enum block_step_kind choices[][4] = {
        {BLOCK_CHECK, BLOCK_CHECK, BLOCK_WALK, BLOCK_WALK},
        {BLOCK_STATS, BLOCK_STATS, BLOCK_STATS, BLOCK_STATS},
        {BLOCK_TRIM, BLOCK_VERIFY, BLOCK_VERIFY, BLOCK_TRIM},
        {BLOCK_REFUSE, BLOCK_REFUSE, BLOCK_REFUSE, BLOCK_REFUSE},
    };
    *step = (struct block_step){.kind = choices[kind - BLOCK_KIND_CHECK_OR_WALK][argument & 3],
                                .size = argument >> 2};
    return true;
}

/* Runs one operation of the input. false: it has no effect here. */
static bool block_operate(struct block_program *program, unsigned kind, uint8_t argument,
                          struct block_step *step)
{
    switch (kind) {
    case BLOCK_KIND_ALLOC:
        return block_alloc_entry(program, argument, 0, step);
    case BLOCK_KIND_ALLOC_NEAR:
        return block_alloc_entry(program, argument, 1 + (argument >> 2), step);
    case BLOCK_KIND_FREE_AT:
        return block_free(program, block_place(program, argument), step);
    case BLOCK_KIND_FREE_NEWEST:
        return program->live != 0 && block_free(program, program->live - 1, step);
    case BLOCK_KIND_FREE_OLDEST:
        return block_free(program, 0, step);
    case BLOCK_KIND_RESIZE:
        return block_resize_entry(program, argument, step);
    case BLOCK_KIND_RESIZE_NEAR:
        return block_resize_near(program, argument, step);
    case BLOCK_KIND_CHECK_OR_WALK:
    case BLOCK_KIND_STATS:
    case BLOCK_KIND_TRIM:
    case BLOCK_KIND_REFUSE:
        return block_inspect(kind, argument, step);
    case BLOCK_KIND_FREE_ALL:
        if (argument >= 64) {
            return block_free(program, 0, step);
        }
        break;
    default:
        break;
    }
    block_begin_burst(program, kind, argument);
    return false;
}

bool block_program_next(struct block_program *program, struct block_step *step)
{
    while (program->steps < BLOCK_STEPS_MAX) {
        bool yields;
        if (program->burst_left != 0) {
            yields = block_continue_burst(program, step);
        } else if (program->next < program->palette.count) {
            size_t at = program->next++;
            yields = block_operate(program, palette_kind(&program->palette, at),
                                   palette_argument(&program->palette, at), step);
        } else {
            return false;
        }
        if (yields) {
            program->steps++;
            return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------- as text */
static const char *const block_type_names[HEAP_TYPE_COUNT] = {
    "raw", "int", "float", "str", "tuple", "list", "dict", "instance", "buffer"};

static void block_print_step(const struct block_program *program, const struct block_step *step,
                             FILE *out)
{
    switch (step->kind) {
    case BLOCK_ALLOC:
        (void)fprintf(out, "alloc   block %u, %zu bytes, %s\n", step->slot, step->size,
                      block_type_names[program->slots[step->slot].type]);
        break;
    case BLOCK_FREE:
        (void)fprintf(out, "free    block %u\n", step->slot);
        break;
    case BLOCK_RESIZE:
        (void)fprintf(out, "resize  block %u to %zu bytes\n", step->slot, step->size);
        break;
    case BLOCK_REFUSE:
        (void)fprintf(out, "refuse  the system's request %zu from now\n", step->size);
        break;
    default: {
        static const char *const names[] = {[BLOCK_CHECK] = "check",
                                            [BLOCK_STATS] = "stats",
                                            [BLOCK_WALK] = "walk",
                                            [BLOCK_TRIM] = "trim",
                                            [BLOCK_VERIFY] = "verify"};
        (void)fprintf(out, "%s\n", names[step->kind]);
    }
    }
}

void block_program_print(const uint8_t *data, size_t size, FILE *out)
{
    static struct block_program program;
    block_program_begin(&program, data, size);
    unsigned flags = program.palette.flags;
    (void)fprintf(out, "# palette-1, %zu operations; %s frees; arenas %s; faults %u/256%s%s\n",
                  program.palette.count, flags & BLOCK_FLAG_UNSIZED ? "unsized" : "sized",
                  flags & BLOCK_FLAG_UNALIGNED ? "unaligned" : "aligned",
                  program.palette.faults < 128 ? 0u : program.palette.faults - 127u,
                  flags & BLOCK_FLAG_CLOSE_LIVE ? "; closed with live blocks" : "",
                  flags & BLOCK_FLAG_TRIM_AT_END ? "; trimmed at the end" : "");
    for (int i = 0; i < PALETTE_ENTRIES; i++) {
        size_t bytes;
        enum heap_type type;
        block_entry_read(program.palette.entries[i], &bytes, &type);
        (void)fprintf(out, "# entry %d: %zu bytes, %s\n", i, bytes, block_type_names[type]);
    }
    struct block_step step;
    while (block_program_next(&program, &step)) {
        block_print_step(&program, &step, out);
    }
}
