/* Maps of the heap, taken at chosen moments of a memory pass: every arena, pool and block by state.
 *
 * The text, tab-separated, is written with write(2) from a static buffer, as a map must not touch
 * malloc: the lines are in WORKER.md. One per process; the thread that marks. */
#ifndef HEAPMILL_WORKLOADS_HEAP_MAP_H
#define HEAPMILL_WORKLOADS_HEAP_MAP_H

#include "workloads/workload.h"

enum { HEAP_MAP_MOMENTS_MAX = 64 };

struct heap_map {
    uint64_t moments[HEAP_MAP_MOMENTS_MAX]; /* in operations of the timed part, ascending */
    size_t moment_count;
    size_t next;
    int fd;
    const char *phase; /* the last label; NULL before the first */
    bool failed;       /* a write was refused */
};

/* Reads "0,1000,2e4" into moments. STATUS_INVALID: not ascending whole numbers, or too many. */
enum status heap_map_parse(struct heap_map *map, const char *text, struct error *error);

/* A moment at which the workload holds still: writes a map if one is due. Several that are due at
 * once become one. */
void heap_map_mark(struct heap_map *map, const struct heap *heap, const char *label,
                   uint64_t operations);

#endif
