#include "fuzz/campaign/trace_seeds.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "common/host/text.h"
#include "fuzz/block_program.h"
#include "traces/reader.h"

enum {
    SEEDS_SIZES = (1 << 17) + 1, /* no entry is larger */
    SEEDS_NEAR = 32,
    SEEDS_WEIGHT = 14, /* of what the program does, against 1 of what it does not */
};

#define SEEDS_NO_ENTRY UINT32_MAX

struct seeds {
    struct trace_reader reader;
    uint32_t entry_of[SEEDS_SIZES]; /* by size; SEEDS_NO_ENTRY */
    struct trace_event *events;     /* of the stretch */
    size_t event_count;
    /* The program that is being made. */
    uint8_t *program;
    size_t bytes;
    struct palette palette;
    size_t sizes[PALETTE_ENTRIES];
    /* The player's table of live blocks, as block_program.c keeps it; which slots are in it. */
    uint32_t order[PALETTE_OPERATIONS_MAX];
    size_t live;
};

/* A trace by its path, or a reference trace by its name. */
static enum status seeds_open(struct trace_reader *reader, const char *trace,
                              struct trace_arena *arena, struct error *error)
{
    char found[4096];
    bool reference = trace_find_reference(trace, found, sizeof(found));
    return trace_reader_open(reader, reference ? found : trace, trace_arena_take, arena, error);
}

enum status fuzz_trace_check(const char *trace, const char *target, struct error *error)
{
    struct trace_reader reader;
    struct trace_arena arena = {.count = 0};
    if (strcmp(target, "block_ops") != 0 && strcmp(target, "differential") != 0) {
        return error_set(error, STATUS_INVALID,
                         "--from: block_ops and differential play what a trace says; %s does not",
                         target);
    }
    enum status status = seeds_open(&reader, trace, &arena, error);
    if (status == STATUS_OK) {
        trace_reader_close(&reader);
    }
    trace_arena_release(&arena);
    return status;
}

/* Entries of raw blocks first: a trace knows no types. */
static void seeds_list_entries(struct seeds *seeds)
{
    for (size_t i = 0; i < SEEDS_SIZES; i++) {
        seeds->entry_of[i] = SEEDS_NO_ENTRY;
    }
    for (uint32_t entry = 0; entry <= UINT16_MAX; entry++) {
        size_t size;
        enum heap_type type;
        block_entry_read((uint16_t)entry, &size, &type);
        if (size < SEEDS_SIZES && (type == HEAP_RAW || seeds->entry_of[size] == SEEDS_NO_ENTRY)) {
            seeds->entry_of[size] = entry;
        }
    }
}

/* The entry that is nearest to the size; *size becomes what it means. */
static uint16_t seeds_entry(const struct seeds *seeds, size_t *size)
{
    size_t below = *size < SEEDS_SIZES ? *size : SEEDS_SIZES - 1, above = below;
    for (;;) {
        if (seeds->entry_of[below] != SEEDS_NO_ENTRY) {
            *size = below;
            return (uint16_t)seeds->entry_of[below];
        }
        if (seeds->entry_of[above] != SEEDS_NO_ENTRY) {
            *size = above;
            return (uint16_t)seeds->entry_of[above];
        }
        below -= below > 0;
        above += above < SEEDS_SIZES - 1;
    }
}

/* ------------------------------------------------------------------------------ a program */

static int seeds_by_size(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

/* The most frequent sizes that are asked for, in four entries. */
static void seeds_choose_entries(struct seeds *seeds)
{
    uint64_t *asked = text_zeroed(seeds->event_count + 1, sizeof(*asked));
    size_t count = 0, most[PALETTE_ENTRIES] = {0};
    for (size_t i = 0; i < seeds->event_count; i++) {
        if (seeds->events[i].operation != TRACE_GIVE) {
            asked[count++] = seeds->events[i].size;
        }
    }
    qsort(asked, count, sizeof(*asked), seeds_by_size);
    memset(seeds->sizes, 0, sizeof(seeds->sizes));
    for (size_t begin = 0, end = 0; begin < count; begin = end) {
        while (end < count && asked[end] == asked[begin]) {
            end++;
        }
        size_t times = end - begin, size = asked[begin];
        for (int i = 0; i < PALETTE_ENTRIES; i++) { /* sorted in */
            if (times > most[i]) {
                size_t other_times = most[i], other_size = seeds->sizes[i];
                most[i] = times;
                seeds->sizes[i] = size;
                times = other_times;
                size = other_size;
            }
        }
    }
    for (int i = 0; i < PALETTE_ENTRIES; i++) {
        uint16_t entry = seeds_entry(seeds, &seeds->sizes[i]);
        seeds->program[PALETTE_AT_ENTRIES + 2 * i] = (uint8_t)entry;
        seeds->program[PALETTE_AT_ENTRIES + 2 * i + 1] = (uint8_t)(entry >> 8);
    }
    free(asked);
}

static void seeds_choose_weights(struct seeds *seeds)
{
    static const enum block_kind used[] = {BLOCK_KIND_ALLOC,       BLOCK_KIND_ALLOC_NEAR,
                                           BLOCK_KIND_FREE_AT,     BLOCK_KIND_FREE_NEWEST,
                                           BLOCK_KIND_FREE_OLDEST, BLOCK_KIND_RESIZE};
    unsigned weights[PALETTE_KINDS];
    for (int i = 0; i < PALETTE_KINDS; i++) {
        weights[i] = 1;
    }
    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
        weights[used[i]] = SEEDS_WEIGHT;
    }
    for (int i = 0; i < PALETTE_KINDS; i += 2) {
        seeds->program[PALETTE_AT_WEIGHTS + i / 2] = (uint8_t)(weights[i] | weights[i + 1] << 4);
    }
}

static void seeds_add(struct seeds *seeds, enum block_kind kind, size_t argument)
{
    unsigned byte = 0;
    while (seeds->palette.kind_of[byte] != kind) {
        byte++;
    }
    seeds->program[seeds->bytes++] = (uint8_t)byte;
    seeds->program[seeds->bytes++] = (uint8_t)argument;
}

static void seeds_take(struct seeds *seeds, uint32_t slot, size_t size)
{
    size_t nearest = 0, distance = SIZE_MAX;
    for (size_t i = 0; i < PALETTE_ENTRIES; i++) {
        size_t entry = seeds->sizes[i], far = size > entry ? size - entry : entry - size;
        if (far < distance) {
            nearest = i;
            distance = far;
        }
    }
    if (distance > 0 && distance < SEEDS_NEAR) { /* the size plus argument >> 2, plus 1 less 32 */
        seeds_add(seeds, BLOCK_KIND_ALLOC_NEAR,
                  nearest | (size + SEEDS_NEAR - 1 - seeds->sizes[nearest]) << 2);
    } else {
        seeds_add(seeds, BLOCK_KIND_ALLOC, nearest);
    }
    seeds->order[seeds->live++] = slot;
}

/* The slot's place in the table; seeds->live: it is not there. */
static size_t seeds_find(const struct seeds *seeds, uint32_t slot)
{
    size_t at = 0;
    while (at < seeds->live && seeds->order[at] != slot) {
        at++;
    }
    return at;
}

static void seeds_give(struct seeds *seeds, size_t at)
{
    size_t last = seeds->live - 1;
    if (at == last) {
        seeds_add(seeds, BLOCK_KIND_FREE_NEWEST, 0);
    } else if (at == 0) {
        seeds_add(seeds, BLOCK_KIND_FREE_OLDEST, 0);
    } else {
        size_t argument = (at * 256 + last) / seeds->live; /* rounded up */
        argument = argument < 256 ? argument : 255;
        seeds_add(seeds, BLOCK_KIND_FREE_AT, argument);
        at = seeds->live * argument / 256;
    }
    if (at == 0) {
        memmove(seeds->order, seeds->order + 1, last * sizeof(*seeds->order));
    } else {
        seeds->order[at] = seeds->order[last];
    }
    seeds->live = last;
}

static void seeds_resize(struct seeds *seeds, size_t at, size_t size)
{
    size_t nearest = 0, distance = SIZE_MAX;
    for (size_t i = 0; i < PALETTE_ENTRIES; i++) {
        size_t entry = seeds->sizes[i], far = size > entry ? size - entry : entry - size;
        nearest = far < distance ? i : nearest;
        distance = far < distance ? far : distance;
    }
    size_t place = (at * 64 + seeds->live - 1) / seeds->live;
    seeds_add(seeds, BLOCK_KIND_RESIZE, (place < 64 ? place : 63) << 2 | nearest);
}

/* Makes the program of the stretch. */
static void seeds_cut(struct seeds *seeds)
{
    memset(seeds->program, 0, PALETTE_HEADER_BYTES);
    seeds_choose_entries(seeds);
    seeds_choose_weights(seeds);
    palette_read(&seeds->palette, seeds->program, PALETTE_HEADER_BYTES);
    seeds->bytes = PALETTE_HEADER_BYTES;
    seeds->live = 0;
    for (size_t i = 0; i < seeds->event_count; i++) {
        const struct trace_event *event = &seeds->events[i];
        if (event->operation <= TRACE_TAKE_ALIGNED) {
            seeds_take(seeds, event->slot, (size_t)trace_live_bytes(event->size));
            continue;
        }
        size_t at = seeds_find(seeds, event->slot);
        if (at < seeds->live && event->operation == TRACE_GIVE) {
            seeds_give(seeds, at);
        } else if (at < seeds->live) {
            seeds_resize(seeds, at, (size_t)event->size);
        }
    }
}

/* ------------------------------------------------------------------------------ the trace */

static enum status seeds_write(struct seeds *seeds, const char *directory, size_t number,
                               struct error *error)
{
    seeds_cut(seeds);
    char *path = text_format("%s/trace-%03zu", directory, number);
    enum status status = file_write(path, seeds->program, seeds->bytes, error);
    free(path);
    seeds->event_count = 0;
    return status;
}

/* Stretch k begins with event k × every. */
static enum status seeds_read(struct seeds *seeds, const char *directory, size_t operations,
                              uint64_t every, size_t *written, struct error *error)
{
    const struct trace_event *events;
    size_t count = 1;
    uint64_t done = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && count > 0 && *written < FUZZ_TRACE_SEEDS) {
        status = trace_reader_next(&seeds->reader, &events, &count, error);
        for (size_t i = 0; status == STATUS_OK && i < count && *written < FUZZ_TRACE_SEEDS; i++) {
            if (done++ % every < operations) {
                seeds->events[seeds->event_count++] = events[i];
            }
            if (seeds->event_count == operations) {
                status = seeds_write(seeds, directory, (*written)++, error);
            }
        }
    }
    if (status == STATUS_OK && *written == 0 && seeds->event_count > 0) {
        status = seeds_write(seeds, directory, (*written)++, error);
    }
    return status;
}

enum status fuzz_trace_seeds(const char *trace, const char *directory, size_t operations,
                             size_t *count, struct error *error)
{
    struct trace_arena arena = {.count = 0};
    struct seeds *seeds = text_zeroed(1, sizeof(*seeds));
    operations = operations < PALETTE_OPERATIONS_MAX ? operations : PALETTE_OPERATIONS_MAX;
    *count = 0;
    enum status status = seeds_open(&seeds->reader, trace, &arena, error);
    if (status == STATUS_OK) {
        uint64_t every = seeds->reader.totals.events / FUZZ_TRACE_SEEDS;
        every = every > operations ? every : operations;
        seeds->events = text_zeroed(operations, sizeof(*seeds->events));
        seeds->program =
            text_zeroed(PALETTE_HEADER_BYTES + PALETTE_OPERATION_BYTES * operations, 1);
        seeds_list_entries(seeds);
        status = file_make_directory(directory, error);
        if (status == STATUS_OK) {
            status = seeds_read(seeds, directory, operations, every, count, error);
        }
        if (status == STATUS_OK && *count == 0) {
            status = error_set(error, STATUS_INVALID, "%s has no events: record it again", trace);
        }
        free(seeds->events);
        free(seeds->program);
        trace_reader_close(&seeds->reader);
    }
    trace_arena_release(&arena);
    free(seeds);
    return status;
}
