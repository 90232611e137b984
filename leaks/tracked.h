/* A user's own program under the leak tracker. */
#ifndef HEAPMILL_LEAKS_TRACKED_H
#define HEAPMILL_LEAKS_TRACKED_H

#include <jansson.h>

#include "common/status.h"

/* What a command and the processes that it started left. leaks_tracked_release. */
struct leaks_tracked {
    int exit_code; /* 0 when it ended by a signal */
    int signal;
    json_t *processes;   /* an array of what leaktrack_file_read gives, with `pid` */
    const json_t *first; /* the command's own process, of processes; NULL: it was not tracked */
};

/* Runs the command (arguments end with NULL) with libheapmill-leaktrack.so preloaded, on the back
 * end's preload library if backend is not NULL. The command keeps the standard streams and the
 * terminal. STATUS_INVALID: that back end cannot be preloaded; STATUS_UNSUPPORTED: there is no
 * tracker in this build; STATUS_NOT_FOUND: no such command; STATUS_IO. Call it before
 * process_prepare_signals. */
enum status leaks_track(char *const *command, const char *backend, struct leaks_tracked *tracked,
                        struct error *error);
void leaks_tracked_release(struct leaks_tracked *tracked);

#endif
