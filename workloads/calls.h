/* What a memory pass says of the contract's calls: how many of which size, and how many of them
 * left the back end's fast path. Probe workers count; in others there is nothing to read. */
#ifndef HEAPMILL_WORKLOADS_CALLS_H
#define HEAPMILL_WORKLOADS_CALLS_H

#include "allocators/backend.h"
#include "common/json_writer.h"

/* The probe's counters now, whole one by one; all 0 in a worker that is no probe. */
void calls_read(struct heap_probe *calls);

/* Less what there was before; live bytes and blocks are of no moment then, and stay. */
void calls_subtract(struct heap_probe *calls, const struct heap_probe *before);

/* The member `calls` of results/FORMAT.md. */
void calls_write(struct json_writer *writer, const struct heap_probe *calls);

#endif
