/* heapmill exec: a command under one allocator. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_EXEC_H
#define HEAPMILL_RUN_COMMAND_EXEC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

/* Strings are borrowed. */
struct exec_request {
    char **command;      /* ends with NULL */
    const char *backend; /* NAME{K=V,…}, or ./lib.so; NULL: what the command has */
    bool stats;          /* what it asked of malloc, on stderr: at its end, and at SIGUSR2 */
    bool json;
    bool debug; /* libheapmill-debug.so over the allocator */
    uint64_t fail_nth;
    uint64_t fail_every;
    bool fail_each;
    double timeout_s; /* of each run of fail_each */
};

/* Becomes the command where nothing is to be told of it, and returns only after an error; else runs
 * it in the foreground. *exit_status is the command's, 128 and the signal where one ended it; with
 * fail_each it is 1 where the command crashed. STATUS_NOT_FOUND: no such program; STATUS_INVALID:
 * no such back end, or none that can be preloaded; STATUS_UNSUPPORTED: a library is missing. */
enum status exec_run(const struct exec_request *request, int *exit_status, struct error *error);

#endif
