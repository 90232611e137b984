/* Memory for the harness's own tables, outside every measured heap.
 *
 * It consists of shared anonymous mappings, which are not among the anonymous pages that count as a
 * heap's. They are populated, so that the timed part has no page faults in them. Not thread-safe:
 * one owner. */
#ifndef HEAPMILL_WORKLOADS_SCRATCH_H
#define HEAPMILL_WORKLOADS_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

struct scratch_mapping;

/* A zeroed structure is empty. */
struct scratch {
    struct scratch_mapping *newest;
    uint64_t mapped_bytes; /* all of them resident */
};

/* Allocates zeroed bytes, aligned to 64, which live until scratch_release. Never returns NULL: if
 * the system refuses, the process ends with a message and exit status 3. */
void *scratch_take(struct scratch *scratch, size_t bytes);

/* Frees all of it. */
void scratch_release(struct scratch *scratch);

#endif
