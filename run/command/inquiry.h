/* Finds out what must be known of a command before it is measured. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_INQUIRY_H
#define HEAPMILL_RUN_COMMAND_INQUIRY_H

#include <jansson.h>

#include "common/status.h"
#include "run/command/command_executor.h"

/* Runs the command as it is and under libheapmill-tally.so. Adds to spec, which becomes the plan's
 * `try`: reference (how it ends and what it prints), compare_output, malloc (which library serves
 * it, and how much was asked of it), brings_malloc, python, memory_source, notes.
 * STATUS_UNSUPPORTED: a preloaded allocator would not be used, or the command fails as it is; the
 * message says why and gives the remedy. Other errors as command_run. */
enum status inquiry_make(struct command_executor *command, json_t *spec, double timeout_s,
                         struct error *error);

#endif
