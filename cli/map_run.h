/* What `heapmill map` does once its command line is read. */
#ifndef HEAPMILL_CLI_MAP_RUN_H
#define HEAPMILL_CLI_MAP_RUN_H

#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"

enum { MAP_FRAMES_MAX = 24 };

/* Strings are borrowed, but for command and parameters, which are the owner's to free. */
struct map_request {
    const char *backend;
    const char *workload;
    struct text_list parameters;
    const char *moments; /* "1000,50%"; NULL: frames of them, evenly spread */
    uint64_t frames;
    uint64_t iterations; /* 0: chosen */
    uint64_t seed;
    const char *output;
    unsigned formats;
    char *command;
};

/* Runs the workload twice, first for its number of operations, then for the maps; draws; prints the
 * files' paths. STATUS_INVALID, STATUS_NOT_FOUND: wrong usage, or a back end without a map;
 * STATUS_CORRUPT: the workload failed; STATUS_UNSUPPORTED, STATUS_IO: something is missing. */
enum status map_run(const struct map_request *request, struct error *error);

#endif
