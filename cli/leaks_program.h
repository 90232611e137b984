/* `heapmill leaks -- CMD…`: a user's own program under the leak tracker. */
#ifndef HEAPMILL_CLI_LEAKS_PROGRAM_H
#define HEAPMILL_CLI_LEAKS_PROGRAM_H

#include <stdbool.h>

/* Runs the command (arguments end with NULL) with libheapmill-leaktrack.so preloaded, on the back
 * end's preload library if backend is not NULL, and prints what it and the processes that it
 * started leaked: a text, or one JSON object. The command keeps its standard input and output; the
 * text goes to standard output behind the command's own.
 *
 * Returns EXIT_FINDING when something leaked; EXIT_CLEAN when the command ended by exit and nothing
 * did; EXIT_ENVIRONMENT when it could not be judged: not started, not tracked (linked statically,
 * set-user-ID), or ended by a signal or _exit; EXIT_USAGE for a back end that cannot be preloaded.
 * Call it before process_prepare_signals. */
int leaks_program(char *const *command, const char *backend, bool json);

#endif
