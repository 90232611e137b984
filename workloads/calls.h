/* Counts the calls of the contract in a memory pass: how many of which size, and how many left the
 * back end's fast path. Only probe workers count; in others all counts are 0. */
#ifndef HEAPMILL_WORKLOADS_CALLS_H
#define HEAPMILL_WORKLOADS_CALLS_H

#include "allocators/backend.h"
#include "common/json_writer.h"

/* Reads the probe's counters, each of them atomically; all are 0 in a worker that is no probe. */
void calls_read(struct heap_probe *calls);

/* Subtracts the counts before. Live bytes and blocks are not changed. */
void calls_subtract(struct heap_probe *calls, const struct heap_probe *before);

/* Writes the member `calls` (results/FORMAT.md). */
void calls_write(struct json_writer *writer, const struct heap_probe *calls);

#endif
