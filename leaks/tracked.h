/* Runs a user's own program under the leak tracker. */
#ifndef HEAPMILL_LEAKS_TRACKED_H
#define HEAPMILL_LEAKS_TRACKED_H

#include <jansson.h>

#include "common/status.h"

/* The result for a command and the processes that it started. The caller calls
 * leaks_tracked_release. */
struct leaks_tracked {
    int exit_code; /* 0 if a signal ended it */
    int signal;
    json_t *processes;   /* an array of leaktrack_file_read's objects, with `pid` */
    const json_t *first; /* the command's own process among them; NULL: it was not tracked */
};

/* Runs the command (arguments end with NULL) with libheapmill-leaktrack.so preloaded; if backend is
 * not NULL, its preload library serves the command. The command keeps the standard streams and the
 * terminal. STATUS_INVALID: that back end cannot be preloaded; STATUS_UNSUPPORTED: this build has
 * no tracker; STATUS_NOT_FOUND: there is no such command; STATUS_IO. Call this before
 * process_prepare_signals. */
enum status leaks_track(char *const *command, const char *backend, struct leaks_tracked *tracked,
                        struct error *error);
void leaks_tracked_release(struct leaks_tracked *tracked);

#endif
