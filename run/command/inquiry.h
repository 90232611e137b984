/* What has to be known of a command before it is measured. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_INQUIRY_H
#define HEAPMILL_RUN_COMMAND_INQUIRY_H

#include <jansson.h>

#include "common/status.h"
#include "run/command/command_executor.h"

/* Runs the command as it is and under libheapmill-tally.so, and adds to spec, which becomes the
 * plan's `try`: reference (how it ends and what it prints), compare_output, malloc (where it lives,
 * what was asked of it), brings_malloc, python, memory_source, notes. STATUS_UNSUPPORTED: an
 * allocator that is preloaded would not be in force, or the command fails as it is; the message
 * says why and what helps. Otherwise as command_run. */
enum status inquiry_make(struct command_executor *command, json_t *spec, double timeout_s,
                         struct error *error);

#endif
