/* differential: one program over two allocators, the bound back end and the process's own malloc,
 * must give equal results.
 *
 * block_ops compares a heap with its model. This target computes: contents flow from block to block
 * (inspecting steps of the program become copies), so that a byte that is lost anywhere spreads;
 * and every byte of every block is compared, not only the ends. The number of bytes that a program
 * read, their digest, and the refusals must be equal.
 *
 * object_graph compares collector policies: the policy is a byte of its input, and each must agree
 * with the same shadow. */
#include <stdlib.h>
#include <string.h>

#include "allocators/backend.h"
#include "fuzz/block_program.h"
#include "fuzz/fuzz_os.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutator.h"
#include "fuzz/oracle.h"

enum { DIFFERENTIAL_BYTES_MAX = 4 << 20 /* written by one input; then only frees go on */ };

static struct {
    struct heap heap;
    struct fuzz_os os;
    struct block_program program;
    unsigned char *twins[BLOCK_SLOTS]; /* the slot's block in malloc */
    size_t written;
    uint64_t draws;
} differential;

/* ---------------------------------------------------------------- contents */
/* Fills both blocks of the slot, from offset `from` on, with the same new bytes. */
static void differential_fill(struct block_slot *slot, unsigned char *twin, size_t from)
{
    for (size_t at = from; at < slot->size; at += sizeof(uint64_t)) {
        uint64_t bytes = rng_splitmix(&differential.draws);
        size_t length = slot->size - at < sizeof(bytes) ? slot->size - at : sizeof(bytes);
        memcpy(slot->address + at, &bytes, length);
        memcpy(twin + at, &bytes, length);
    }
    differential.written += slot->size - from;
}

FUZZ_ORACLE static void differential_expect_same(const struct block_slot *slot,
                                                 const unsigned char *twin, size_t size)
{
    FUZZ_EXPECT(memcmp(slot->address, twin, size) == 0, "differential",
                "a block of %u bytes does not hold what malloc's holds", slot->size);
}

static void differential_expect_all_same(void)
{
    struct block_program *program = &differential.program;
    for (uint32_t i = 0; i < program->live; i++) {
        uint32_t slot = block_program_slot(program, i);
        differential_expect_same(&program->slots[slot], differential.twins[slot],
                                 program->slots[slot].size);
    }
}

/* Copies the beginning of one live block over that of another, in both allocators. */
static void differential_mix(size_t choice)
{
    struct block_program *program = &differential.program;
    if (program->live == 0) {
        return;
    }
    uint32_t from = block_program_slot(program, (uint32_t)(choice * 7919 % program->live));
    uint32_t to = block_program_slot(program, (uint32_t)(choice * 104729 % program->live));
    size_t size = program->slots[from].size < program->slots[to].size ? program->slots[from].size
                                                                      : program->slots[to].size;
    memmove(program->slots[to].address, program->slots[from].address, size);
    memmove(differential.twins[to], differential.twins[from], size);
}

/* ---------------------------------------------------------------- steps */
static void differential_expect_refusal(void *twin)
{
    FUZZ_EXPECT(twin == NULL || (HEAP_CAPABILITIES & HEAP_CAN_WALK) == 0, "differential",
                "the heap refuses what malloc gives");
    free(twin);
}

static void differential_alloc(const struct block_step *step)
{
    struct block_slot *slot = &differential.program.slots[step->slot];
    slot->address = heap_alloc(&differential.heap, step->size, (enum heap_type)slot->type);
    unsigned char *twin = malloc(step->size == 0 ? 1 : step->size);
    if (slot->address == NULL || twin == NULL) {
        block_program_refused_alloc(&differential.program, step->slot);
        if (slot->address != NULL) {
            heap_free(&differential.heap, slot->address, step->size, (enum heap_type)slot->type);
        } else {
            differential_expect_refusal(twin);
        }
        return;
    }
    differential.twins[step->slot] = twin;
    differential_fill(slot, twin, 0);
}

static void differential_resize(const struct block_step *step)
{
    struct block_slot *slot = &differential.program.slots[step->slot];
    size_t old_size = differential.program.resized_from;
    size_t kept = old_size < step->size ? old_size : step->size;
    unsigned char *moved = heap_resize(&differential.heap, slot->address, old_size, step->size,
                                       (enum heap_type)slot->type);
    unsigned char *twin = differential.twins[step->slot];
    if (moved == NULL) {
        block_program_refused_resize(&differential.program, step->slot, old_size);
        FUZZ_EXPECT((HEAP_CAPABILITIES & HEAP_CAN_WALK) == 0, "differential",
                    "the heap refuses to resize");
        differential_expect_same(slot, twin, old_size);
        return;
    }
    unsigned char *moved_twin = realloc(twin, step->size == 0 ? 1 : step->size);
    slot->address = moved;
    differential.twins[step->slot] = moved_twin == NULL ? twin : moved_twin;
    differential_expect_same(slot, differential.twins[step->slot], kept);
    if (moved_twin != NULL) {
        differential_fill(slot, moved_twin, kept);
    }
}

static void differential_free(const struct block_step *step)
{
    struct block_slot *slot = &differential.program.slots[step->slot];
    differential_expect_same(slot, differential.twins[step->slot], step->size);
    heap_free(&differential.heap, slot->address, step->size, (enum heap_type)slot->type);
    free(differential.twins[step->slot]);
}

static void differential_step(const struct block_step *step)
{
    switch (step->kind) {
    case BLOCK_ALLOC:
        differential_alloc(step);
        break;
    case BLOCK_FREE:
        differential_free(step);
        break;
    case BLOCK_RESIZE:
        differential_resize(step);
        break;
    case BLOCK_TRIM:
        heap_trim(&differential.heap);
        break;
    case BLOCK_VERIFY:
        differential_expect_all_same();
        break;
    default:
        differential_mix(step->size + 1);
    }
}

static void differential_run(const uint8_t *data, size_t size)
{
    fuzz_begin();
    struct block_program *program = &differential.program;
    block_program_begin(program, data, size);
    /* A ring that overwrites long-lived blocks cannot be compared with malloc. */
    if ((HEAP_CAPABILITIES & HEAP_KEEPS_CONTENTS) == 0) {
        return;
    }
    differential.written = 0;
    differential.draws = 1;
    fuzz_os_begin(&differential.os, FUZZ_OS_LOWEST,
                  (program->palette.flags & BLOCK_FLAG_UNALIGNED) != 0);
    struct heap_options options = {.os = differential.os.hooks};
    if (heap_open(&differential.heap, &options, NULL) != STATUS_OK) {
        return;
    }
    heap_begin_run(&differential.heap);
    struct block_step step;
    while (differential.written < DIFFERENTIAL_BYTES_MAX && block_program_next(program, &step)) {
        fuzz_count_operation();
        differential_step(&step);
        if (fuzz_is_careful) {
            differential_expect_all_same();
        }
    }
    differential_expect_all_same();
    while (block_program_drain(program, &step)) {
        differential_free(&step);
    }
    heap_close(&differential.heap);
    fuzz_os_expect_balanced(&differential.os);
}

const struct fuzz_target fuzz_target_differential = {
    .name = "differential",
    .summary = "one program over a back end and over malloc: every byte of every block the same",
    .format = "palette-1",
    .run = differential_run,
    .print = block_program_print,
    .mutate = mutator_mutate,
    .cross = mutator_cross,
    .generate = palette_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    differential_run(data, size);
    return 0;
}
