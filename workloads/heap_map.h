/* Maps of the heap at chosen moments of a memory pass: the state of every arena, pool and block.
 *
 * The text is tab-separated; WORKER.md describes its lines. A map must not touch malloc, so the
 * text is written with write(2) from a static buffer. One per process; only the thread that marks
 * may use it. */
#ifndef HEAPMILL_WORKLOADS_HEAP_MAP_H
#define HEAPMILL_WORKLOADS_HEAP_MAP_H

#include "workloads/workload.h"

enum { HEAP_MAP_MOMENTS_MAX = 64 };

struct heap_map {
    uint64_t moments[HEAP_MAP_MOMENTS_MAX]; /* in operations of the timed part, ascending */
    size_t moment_count;
    size_t next;
    int fd;
    const char *phase; /* the last label; NULL: there was none yet */
    bool failed;       /* a write failed */
};

/* Reads "0,1000,2e4" into moments. STATUS_INVALID: not ascending whole numbers, or too many. */
enum status heap_map_parse(struct heap_map *map, const char *text, struct error *error);

/* Called at a moment at which the workload holds still. Writes a map if one is due; several due
 * maps become one. */
void heap_map_mark(struct heap_map *map, const struct heap *heap, const char *label,
                   uint64_t operations);

#endif
