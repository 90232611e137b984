#include "workloads/heap_map.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEAP_MAP_LINE_MAX = 256 };

/* Moments are doubles on the command line, which are exact only up to this. */
static const double HEAP_MAP_MOMENT_MAX = 9007199254740992.0;

/* The text that is not written yet, and the current run of equal blocks. */
struct heap_map_writer {
    struct heap_map *map;
    size_t length;
    enum heap_region_kind kind;
    uint64_t run; /* in blocks; 0: there is no run */
    bool in_pool;
    uintptr_t arena;
    char text[1 << 16];
};

static struct heap_map_writer heap_map_writer;

enum status heap_map_parse(struct heap_map *map, const char *text, struct error *error)
{
    map->moment_count = 0;
    for (const char *at = text;; at++) {
        char *end;
        double moment = strtod(at, &end);
        bool whole = end != at && moment >= 0 && moment <= HEAP_MAP_MOMENT_MAX &&
                     moment == floor(moment) && (*end == ',' || *end == '\0');
        bool later = map->moment_count == 0 ||
                     (whole && (uint64_t)moment > map->moments[map->moment_count - 1]);
        if (!whole || !later || map->moment_count == HEAP_MAP_MOMENTS_MAX) {
            return error_set(error, STATUS_INVALID,
                             "--map-at: '%s' is not a list of at most %d ascending numbers of "
                             "operations, as 0,1000,2e4",
                             text, HEAP_MAP_MOMENTS_MAX);
        }
        map->moments[map->moment_count++] = (uint64_t)moment;
        at = end;
        if (*at == '\0') {
            return STATUS_OK;
        }
    }
}

static void heap_map_flush(struct heap_map_writer *writer)
{
    for (size_t done = 0; done < writer->length && !writer->map->failed;) {
        ssize_t written = write(writer->map->fd, writer->text + done, writer->length - done);
        if (written < 0 && errno != EINTR) {
            writer->map->failed = true;
        }
        done += written > 0 ? (size_t)written : 0;
    }
    writer->length = 0;
}

__attribute__((format(printf, 2, 3))) static void heap_map_write(struct heap_map_writer *writer,
                                                                 const char *format, ...)
{
    if (sizeof(writer->text) - writer->length < HEAP_MAP_LINE_MAX) {
        heap_map_flush(writer);
    }
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(writer->text + writer->length, HEAP_MAP_LINE_MAX, format, arguments);
    va_end(arguments);
    writer->length += (size_t)length < HEAP_MAP_LINE_MAX ? (size_t)length : HEAP_MAP_LINE_MAX - 1;
}

static void heap_map_end_run(struct heap_map_writer *writer)
{
    static const char letters[] = {
        [HEAP_REGION_BLOCK_LIVE] = 'L',
        [HEAP_REGION_BLOCK_FREE] = 'F',
        [HEAP_REGION_BLOCK_CACHED] = 'C',
        [HEAP_REGION_BLOCK_FRESH] = 'N',
    };
    if (writer->run > 0) {
        heap_map_write(writer, "%" PRIu64 "%c", writer->run, letters[writer->kind]);
    }
    writer->run = 0;
}

static void heap_map_end_pool(struct heap_map_writer *writer)
{
    heap_map_end_run(writer);
    if (writer->in_pool) {
        heap_map_write(writer, "\n");
    }
    writer->in_pool = false;
}

static void heap_map_visit(void *context, const struct heap_region *region)
{
    struct heap_map_writer *writer = context;
    uintptr_t address = (uintptr_t)region->address;
    switch (region->kind) {
    case HEAP_REGION_ARENA:
        heap_map_end_pool(writer);
        writer->arena = address;
        heap_map_write(writer, "arena\t%zu\t%zu\n", region->arena, region->bytes);
        break;
    case HEAP_REGION_POOL:
        heap_map_end_pool(writer);
        writer->in_pool = true;
        heap_map_write(writer, "pool\t%" PRIuPTR "\t%zu\t%zu\t", address - writer->arena,
                       region->bytes, region->block_bytes);
        break;
    case HEAP_REGION_LARGE:
        heap_map_end_pool(writer);
        writer->in_pool = region->block_bytes > 0;
        heap_map_write(writer, "large\t0\t%zu\t%zu\t%s", region->bytes, region->block_bytes,
                       writer->in_pool ? "" : "1L\n");
        break;
    default:
        if (region->kind != writer->kind) {
            heap_map_end_run(writer);
        }
        writer->kind = region->kind;
        writer->run++;
        break;
    }
}

static void heap_map_take(struct heap_map *map, const struct heap *heap, uint64_t operations)
{
    struct heap_map_writer *writer = &heap_map_writer;
    struct heap_stats stats;
    writer->map = map;
    heap_stats(heap, &stats);
    heap_map_write(writer, "map\t%" PRIu64 "\t%s\t%zu\t%zu\t%zu\t%zu\t%zu\t%zu\n", operations,
                   map->phase == NULL ? "-" : map->phase, stats.blocks_live, stats.usable_bytes,
                   stats.held_bytes, stats.large_blocks, stats.large_bytes, stats.cached_blocks);
    heap_walk(heap, heap_map_visit, writer);
    heap_map_end_pool(writer);
    heap_map_write(writer, "end\n");
    heap_map_flush(writer);
}

void heap_map_mark(struct heap_map *map, const struct heap *heap, const char *label,
                   uint64_t operations)
{
    bool due = map->next < map->moment_count && map->moments[map->next] <= operations;
    if (due) {
        heap_map_take(map, heap, operations);
    }
    while (map->next < map->moment_count && map->moments[map->next] <= operations) {
        map->next++;
    }
    /* A label names the phase that begins now; a map shows the phase before. */
    map->phase = label != NULL ? label : map->phase;
}
