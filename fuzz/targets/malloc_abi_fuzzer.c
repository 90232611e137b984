/* malloc_abi: the malloc family as a program sees it, of any library, as a black box.
 *
 * HEAPMILL_FUZZ_LIBRARY=./libmine.so names the library (loaded beside the process's own malloc, so
 * that the harness does not depend on what it tests); LD_PRELOAD does as well. Nothing is rebuilt.
 *
 * Promises, and where they are made: alignment for any type that fits (C17 7.22.3), to what
 * posix_memalign and aligned_alloc were asked (POSIX), to a page (valloc, pvalloc: glibc); calloc's
 * zeroes; contents through realloc; NULL and ENOMEM when nothing that large can be had, the old
 * block untouched; overflow of calloc and reallocarray noticed; EINVAL of posix_memalign, which
 * leaves the pointer alone or sets it to NULL then (POSIX.1-2017: "or a null pointer"), and sets
 * errno in no failure (Linux manual page; errno after a success is unspecified); free and
 * free_sized (C23) keep errno (POSIX.1-2024); the usable size is usable. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/block_program.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutator.h"
#include "fuzz/oracle.h"
#include "fuzz/targets/malloc_abi_family.h"

enum {
    ABI_EDGE_BYTES = 512,    /* what is filled at both ends of a large block */
    ABI_OVERLAP_BLOCKS = 64, /* so many of the newest are compared with each new one */
    ABI_PAGE_BYTES = 4096,
    ABI_RSS_PERIOD = 512,        /* executions between two looks at the resident memory */
    ABI_RSS_BYTES_MAX = 1 << 30, /* a run has 24 MiB live at most, and frees all */
};

/* Beyond any address space, and hidden from the compiler, which would warn. */
static volatile size_t abi_huge = SIZE_MAX / 2 + 1;

static struct block_program abi_program;
static uint8_t abi_next_fill;

/* ---------------------------------------------------------------- contents */
static size_t abi_filled_head(const struct block_slot *slot)
{
    return slot->usable < ABI_EDGE_BYTES ? slot->usable : ABI_EDGE_BYTES;
}

static bool abi_is_filled(const unsigned char *bytes, size_t size, uint8_t fill)
{
    return size == 0 || (bytes[0] == fill && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* The first bytes, as many as both kept says and were filled; and the end of what is usable. */
static void abi_expect_kept(const struct block_slot *slot, const unsigned char *address,
                            size_t kept)
{
    size_t head = abi_filled_head(slot);
    FUZZ_EXPECT(abi_is_filled(address, kept < head ? kept : head, slot->fill), "contents",
                "the first bytes of a live block of %u have changed", slot->size);
    if (kept == slot->usable) {
        FUZZ_EXPECT(abi_is_filled(address + slot->usable - head, head, slot->fill), "contents",
                    "the last bytes of a live block of %u have changed", slot->size);
    }
}

static void abi_expect_contents(void)
{
    for (uint32_t i = 0; i < abi_program.live; i++) {
        const struct block_slot *slot = &abi_program.slots[block_program_slot(&abi_program, i)];
        abi_expect_kept(slot, slot->address, slot->usable);
    }
}

static void abi_expect_apart(const struct block_slot *slot)
{
    uint32_t live = abi_program.live;
    for (uint32_t i = live > ABI_OVERLAP_BLOCKS ? live - ABI_OVERLAP_BLOCKS : 0; i < live; i++) {
        const struct block_slot *other = &abi_program.slots[block_program_slot(&abi_program, i)];
        if (other != slot && other->address != NULL) {
            bool apart = slot->address + slot->usable <= other->address ||
                         other->address + other->usable <= slot->address;
            FUZZ_EXPECT(apart, "overlap", "a block of %u bytes overlaps a live one of %u",
                        slot->size, other->size);
        }
    }
}

/* ---------------------------------------------------------------- blocks come */
/* Which function serves a block, and with which alignment, is drawn from its type and slot. */
static size_t abi_alignment(const struct block_slot *slot, uint32_t number)
{
    if (slot->type != HEAP_TUPLE && slot->type != HEAP_LIST && slot->type != HEAP_DICT) {
        return 1;
    }
    return (size_t)16 << (number + slot->size) % 9;
}

static void *abi_call_calloc(const struct malloc_abi_family *family, size_t size, bool splits)
{
    size_t count = splits && size % 4 == 0 ? 4 : 1;
    unsigned char *block = family->calloc(count, size / count);
    FUZZ_EXPECT(block == NULL || abi_is_filled(block, size, 0), "calloc",
                "%zu bytes of calloc's are not zero", size);
    return block;
}

static void *abi_call(const struct malloc_abi_family *family, const struct block_slot *slot,
                      size_t alignment)
{
    void *block = NULL;
    switch (slot->type) {
    case HEAP_STR:
    case HEAP_FLOAT:
        if (family->calloc != NULL) {
            return abi_call_calloc(family, slot->size, slot->type == HEAP_FLOAT);
        }
        break;
    case HEAP_INSTANCE:
        if (family->realloc != NULL) {
            return family->realloc(NULL, slot->size);
        }
        break;
    case HEAP_INT:
        if (family->reallocarray != NULL) {
            return family->reallocarray(NULL, 1, slot->size);
        }
        break;
    case HEAP_TUPLE:
        if (family->posix_memalign != NULL) {
            int saved = errno = EDOM;
            int result = family->posix_memalign(&block, alignment, slot->size);
            FUZZ_EXPECT(result == 0 || errno == saved, "posix_memalign", "it sets errno");
            FUZZ_EXPECT(result == 0 || result == ENOMEM, "posix_memalign", "it says %d", result);
            return result == 0 ? block : NULL;
        }
        break;
    case HEAP_LIST:
        if (family->aligned_alloc != NULL) {
            return family->aligned_alloc(alignment, heap_round_up(slot->size, alignment));
        }
        break;
    case HEAP_DICT:
        if (family->memalign != NULL) {
            return family->memalign(alignment, slot->size);
        }
        break;
    default:
        break;
    }
    return family->malloc(slot->size);
}

static bool abi_has_alignment(const struct malloc_abi_family *family, const struct block_slot *slot)
{
    return (slot->type == HEAP_TUPLE && family->posix_memalign != NULL) ||
           (slot->type == HEAP_LIST && family->aligned_alloc != NULL) ||
           (slot->type == HEAP_DICT && family->memalign != NULL);
}

/* The slot's block is at address now. */
static void abi_enter(const struct malloc_abi_family *family, struct block_slot *slot,
                      void *address, size_t alignment)
{
    size_t natural = slot->size >= 16 ? 16 : slot->size >= 8 ? 8 : 1;
    alignment = alignment > natural ? alignment : natural;
    FUZZ_EXPECT((uintptr_t)address % alignment == 0, "alignment",
                "a block of %u bytes is not aligned to %zu", slot->size, alignment);
    size_t usable = slot->size;
    if (family->malloc_usable_size != NULL) {
        usable = family->malloc_usable_size(address);
        FUZZ_EXPECT(usable >= slot->size && usable < UINT32_MAX, "usable-size",
                    "%zu bytes are usable of a block of %u", usable, slot->size);
    }
    slot->address = address;
    slot->usable = (uint32_t)usable;
    slot->fill = ++abi_next_fill;
    size_t head = abi_filled_head(slot);
    abi_expect_apart(slot);
    memset(slot->address, slot->fill, head);
    memset(slot->address + slot->usable - head, slot->fill, head);
}

static void abi_alloc(const struct malloc_abi_family *family, const struct block_step *step)
{
    struct block_slot *slot = &abi_program.slots[step->slot];
    size_t alignment = abi_has_alignment(family, slot) ? abi_alignment(slot, step->slot) : 1;
    errno = 0;
    void *address = abi_call(family, slot, alignment);
    if (address == NULL) {
        /* Of nothing, NULL is an answer too. */
        FUZZ_EXPECT(slot->size == 0 || slot->type == HEAP_TUPLE || errno == ENOMEM, "enomem",
                    "%u bytes are refused, and errno is %d", slot->size, errno);
        block_program_refused_alloc(&abi_program, step->slot);
        return;
    }
    abi_enter(family, slot, address, alignment);
}

/* ---------------------------------------------------------------- blocks go and change */
static void abi_free(const struct malloc_abi_family *family, const struct block_step *step)
{
    struct block_slot *slot = &abi_program.slots[step->slot];
    abi_expect_kept(slot, slot->address, slot->usable);
    errno = EDOM;
    /* Of a block of malloc's or realloc's; one of the aligned functions is not for free_sized. */
    if (family->free_sized != NULL && slot->type == HEAP_RAW) {
        family->free_sized(slot->address, slot->size);
    } else {
        family->free(slot->address);
    }
    FUZZ_EXPECT(errno == EDOM, "free-errno", "free has changed errno to %d", errno);
    slot->address = NULL;
}

static void abi_resize(const struct malloc_abi_family *family, const struct block_step *step)
{
    struct block_slot *slot = &abi_program.slots[step->slot];
    size_t old_size = abi_program.resized_from;
    abi_expect_kept(slot, slot->address, slot->usable);
    /* A size of 0 frees the block or does not, by the C library: not asked. */
    if (family->realloc == NULL || step->size == 0) {
        block_program_refused_resize(&abi_program, step->slot, old_size);
        return;
    }
    unsigned char *moved = slot->type == HEAP_INT && family->reallocarray != NULL
                               ? family->reallocarray(slot->address, step->size, 1)
                               : family->realloc(slot->address, step->size);
    if (moved == NULL) {
        block_program_refused_resize(&abi_program, step->slot, old_size);
        abi_expect_kept(slot, slot->address, slot->usable);
        return;
    }
    abi_expect_kept(slot, moved, old_size < step->size ? old_size : step->size);
    slot->address = NULL;
    abi_enter(family, slot, moved, 1);
}

/* ---------------------------------------------------------------- what must be refused */
static void abi_expect_overflow(const struct malloc_abi_family *family)
{
    errno = 0;
    FUZZ_EXPECT(family->malloc(abi_huge) == NULL && errno == ENOMEM, "enomem",
                "malloc of more than there is: errno %d", errno);
    if (family->calloc != NULL) {
        errno = 0;
        FUZZ_EXPECT(family->calloc(abi_huge, 4) == NULL && errno == ENOMEM, "overflow",
                    "calloc's product overflows: errno %d", errno);
    }
    if (family->malloc_usable_size != NULL) {
        FUZZ_EXPECT(family->malloc_usable_size(NULL) == 0, "usable-size", "NULL has a usable size");
    }
    family->free(NULL);
}

static void abi_expect_invalid(const struct malloc_abi_family *family)
{
    static const size_t wrong[] = {0, 1, 2, 4, 24, 48, 4095};
    for (size_t i = 0; family->posix_memalign != NULL && i < sizeof(wrong) / sizeof(wrong[0]);
         i++) {
        void *result = &abi_program;
        int said = family->posix_memalign(&result, wrong[i], 64);
        FUZZ_EXPECT(said == EINVAL, "posix_memalign", "an alignment of %zu: it says %d", wrong[i],
                    said);
        FUZZ_EXPECT(result == NULL || result == &abi_program, "posix_memalign",
                    "an alignment of %zu is refused, and the pointer is set", wrong[i]);
    }
}

static void abi_expect_pages(const struct malloc_abi_family *family, size_t size)
{
    void *(*const functions[])(size_t) = {family->valloc, family->pvalloc};
    for (int i = 0; i < 2; i++) {
        if (functions[i] != NULL) {
            unsigned char *block = functions[i](size);
            size_t owed = i == 0 ? size : heap_round_up(size, ABI_PAGE_BYTES);
            FUZZ_EXPECT((uintptr_t)block % ABI_PAGE_BYTES == 0, "alignment",
                        "valloc or pvalloc of %zu is not aligned to a page", size);
            if (block != NULL) {
                memset(block, 0xa5, owed);
                family->free(block);
            }
        }
    }
}

/* realloc to more than there is fails and leaves the oldest block as it was. */
static void abi_expect_refused_resize(const struct malloc_abi_family *family)
{
    if (abi_program.live == 0) {
        return;
    }
    const struct block_slot *slot = &abi_program.slots[block_program_slot(&abi_program, 0)];
    if (family->realloc != NULL) {
        errno = 0;
        FUZZ_EXPECT(family->realloc(slot->address, abi_huge) == NULL && errno == ENOMEM, "enomem",
                    "realloc to more than there is: errno %d", errno);
    }
    if (family->reallocarray != NULL) {
        errno = 0;
        FUZZ_EXPECT(family->reallocarray(slot->address, abi_huge, 4) == NULL && errno == ENOMEM,
                    "overflow", "reallocarray's product overflows: errno %d", errno);
    }
    abi_expect_kept(slot, slot->address, slot->usable);
}

/* What is resident although every run has freed all. */
static void abi_expect_bounded(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long total = 0;
    unsigned long resident = 0;
    bool read = file != NULL && fscanf(file, "%lu %lu", &total, &resident) == 2;
    if (file != NULL) {
        (void)fclose(file);
    }
    FUZZ_EXPECT(!read || resident * ABI_PAGE_BYTES < ABI_RSS_BYTES_MAX, "bounded",
                "%lu MiB are resident though nothing is live", resident * ABI_PAGE_BYTES >> 20);
}

/* ---------------------------------------------------------------- the program */
static void abi_step(const struct malloc_abi_family *family, const struct block_step *step)
{
    switch (step->kind) {
    case BLOCK_ALLOC:
        abi_alloc(family, step);
        break;
    case BLOCK_FREE:
        abi_free(family, step);
        break;
    case BLOCK_RESIZE:
        abi_resize(family, step);
        break;
    case BLOCK_CHECK:
        abi_expect_overflow(family);
        break;
    case BLOCK_STATS:
        abi_expect_refused_resize(family);
        break;
    case BLOCK_WALK:
        abi_expect_invalid(family);
        break;
    case BLOCK_REFUSE:
        abi_expect_pages(family, 1 + step->size * 333);
        break;
    default:
        abi_expect_contents();
    }
}

static void malloc_abi_run(const uint8_t *data, size_t size)
{
    const struct malloc_abi_family *family = malloc_abi_family_get();
    struct block_step step;
    fuzz_begin();
    abi_next_fill = 0;
    block_program_begin(&abi_program, data, size);
    while (block_program_next(&abi_program, &step)) {
        fuzz_count_operation();
        abi_step(family, &step);
    }
    abi_expect_contents();
    while (block_program_drain(&abi_program, &step)) {
        abi_free(family, &step);
    }
    if (fuzz_counters->executions % ABI_RSS_PERIOD == 0) {
        abi_expect_bounded();
    }
}

const struct fuzz_target fuzz_target_malloc_abi = {
    .name = "malloc_abi",
    .summary = "the malloc family of any library, as a black box, against POSIX and glibc",
    .format = "palette-1",
    .outlives_input = true,
    .run = malloc_abi_run,
    .print = block_program_print,
    .mutate = mutator_mutate,
    .cross = mutator_cross,
    .generate = palette_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    malloc_abi_run(data, size);
    return 0;
}
