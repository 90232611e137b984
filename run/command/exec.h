/* heapmill exec: runs a command under one allocator. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_EXEC_H
#define HEAPMILL_RUN_COMMAND_EXEC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

/* Strings are borrowed. */
struct exec_request {
    char **command;      /* ends with NULL */
    const char *backend; /* NAME{K=V,…}, or ./lib.so; NULL: the command's own malloc */
    bool stats; /* print the command's malloc statistics on stderr, at its end and at SIGUSR2 */
    bool json;
    bool debug; /* preload libheapmill-debug.so over the allocator */
    uint64_t fail_nth;
    uint64_t fail_every;
    bool fail_each;
    double timeout_s; /* of each run of fail_each */
};

/* Runs the command. If nothing has to be reported, heapmill becomes the command by exec and returns
 * only after an error; otherwise it runs the command in the foreground. *exit_status is the
 * command's exit status, or 128 + the signal that ended it; with fail_each it is 1 if the command
 * crashed. STATUS_NOT_FOUND: there is no such program; STATUS_INVALID: there is no such back end,
 * or it cannot be preloaded; STATUS_UNSUPPORTED: a library is missing. */
enum status exec_run(const struct exec_request *request, int *exit_status, struct error *error);

#endif
