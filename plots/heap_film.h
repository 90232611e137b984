/* The maps of a worker's file in memory. Internal to plots/. */
#ifndef HEAPMILL_PLOTS_HEAP_FILM_H
#define HEAPMILL_PLOTS_HEAP_FILM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

enum { FILM_LIVE, FILM_CACHED, FILM_FREE, FILM_FRESH, FILM_STATES };

/* Tiles of memory outside the arenas are gathered in groups of as many, whose ordinals begin at
 * FILM_OUTSIDE. */
enum { FILM_OUTSIDE_TILES = 64 };
#define FILM_OUTSIDE (SIZE_MAX / 2)

/* A pool, or a block that a free list carved into objects. */
struct film_tile {
    uint64_t offset; /* in its arena */
    size_t bytes;
    size_t block_bytes; /* 0: it serves no size class yet */
    const char *runs;   /* the film's */
    size_t blocks[FILM_STATES];
};

struct film_arena {
    size_t ordinal; /* in order of mapping; FILM_OUTSIDE and above: a group */
    size_t bytes;
    struct film_tile *tiles;
    size_t tile_count;
};

struct film_frame {
    uint64_t operations;
    const char *phase; /* the film's; "-" before the first */
    uint64_t blocks_live, usable_bytes, held_bytes, large_blocks, large_bytes, cached_blocks;
    struct film_arena *arenas;
    size_t arena_count;
};

struct film {
    char *text;
    struct film_frame *frames;
    size_t frame_count;
};

/* The film is the caller's in each case (film_release). */
enum status film_read(struct film *film, const char *path, struct error *error);
void film_release(struct film *film);

/* Steps through runs, "262L1F": the length of the next run and its state; false at the end. */
bool film_next_run(const char **runs, size_t *length, int *state);

#endif
