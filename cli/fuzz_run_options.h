/* The command line of `heapmill fuzz run`. */
#ifndef HEAPMILL_CLI_FUZZ_RUN_OPTIONS_H
#define HEAPMILL_CLI_FUZZ_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/host/text.h"

struct run_arguments {
    const char *target;
    const char *backend; /* NULL: the default; a path: a library */
    const char *bug;
    const char *engine;
    char *output;
    double time_s;
    uint64_t jobs;
    uint64_t operations; /* 0: each engine's own */
    uint64_t seed;
    uint64_t disk_bytes_max;
    uint64_t findings_max;
    bool fast;
    bool resume;
    bool json;
    bool chosen; /* an option was given that a resumed campaign has fixed already */
    struct text_list extra;
};

/* Fills what the user said over what is there already; strings are argv's but for output and extra,
 * which are the caller's in each case. An exit status: EXIT_CLEAN, or EXIT_USAGE, told on stderr.
 */
int fuzz_run_parse(int argc, char **argv, struct run_arguments *arguments);

#endif
