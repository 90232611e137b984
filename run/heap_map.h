/* Maps of where a heap's arenas, pools and blocks lie at some moments of a workload. A probe writes
 * them. */
#ifndef HEAPMILL_RUN_HEAP_MAP_H
#define HEAPMILL_RUN_HEAP_MAP_H

#include <stdint.h>

#include "common/host/scratch.h"
#include "common/host/text.h"
#include "common/status.h"

enum { HEAP_MAP_FRAMES_MAX = 24 };

/* Strings are borrowed. */
struct heap_map_request {
    const char *backend;  /* one back end that can be walked: "NAME[:ARM]" */
    const char *workload; /* one workload */
    struct text_list parameters;
    const char *moments; /* "1000,50%": operations, or parts of the run; NULL: `frames` moments,
                            evenly spread */
    uint64_t frames;
    uint64_t iterations; /* 0: chosen by heapmill */
    uint64_t seed;
};

struct heap_map {
    char *path; /* the file that the probe wrote, see workloads/WORKER.md */
    char *backend;
    char *workload;
    char *parameters;       /* "p=1, q=2" */
    struct scratch scratch; /* the directory of that file */
};

/* Runs the workload once to count its operations, then again to make the maps. Call
 * heap_map_release after a failure too. STATUS_INVALID, STATUS_NOT_FOUND: the request is wrong, or
 * the back end has no map; STATUS_CORRUPT: the workload failed; STATUS_UNSUPPORTED, STATUS_IO:
 * something is missing. */
enum status heap_map_take(const struct heap_map_request *request, struct heap_map *map,
                          struct error *error);

/* Removes the file too. */
void heap_map_release(struct heap_map *map);

#endif
