/* `heapmill leaks -- CMD…`: a user's own program under the leak tracker. */
#ifndef HEAPMILL_CLI_LEAKS_PROGRAM_H
#define HEAPMILL_CLI_LEAKS_PROGRAM_H

#include <stdbool.h>

/* Runs the command (arguments end with NULL) with libheapmill-leaktrack.so preloaded; if backend is
 * not NULL, its preload library serves the command. Then prints what the command and the processes
 * that it started leaked, as text or as one JSON object. The command keeps its standard input and
 * output; the text goes to standard output after the command's own.
 *
 * Returns EXIT_FINDING if something leaked; EXIT_CLEAN if the command ended by exit and nothing
 * leaked; EXIT_ENVIRONMENT if it could not be judged: not started, not tracked (linked statically,
 * set-user-ID), or ended by a signal or _exit; EXIT_USAGE for a back end that cannot be preloaded.
 * Call this before process_prepare_signals. */
int leaks_program(char *const *command, const char *backend, bool json);

#endif
