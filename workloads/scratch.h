/* Memory for the harness's own books, outside every measured heap.
 *
 * Shared anonymous mappings, so that they are not among the anonymous pages that a heap is charged
 * with, and populated, so that the timed part faults none of them in. Not thread-safe: one owner.
 */
#ifndef HEAPMILL_WORKLOADS_SCRATCH_H
#define HEAPMILL_WORKLOADS_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

struct scratch_mapping;

/* All zero is an empty one. */
struct scratch {
    struct scratch_mapping *newest;
    uint64_t mapped_bytes; /* all of it resident */
};

/* bytes of zeroed memory aligned to 64, the scratch's until scratch_release. Never NULL: when the
 * system refuses, the process ends with a message and exit status 3. */
void *scratch_take(struct scratch *scratch, size_t bytes);

/* Gives back everything that was taken. */
void scratch_release(struct scratch *scratch);

#endif
