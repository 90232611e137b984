/* Floating garbage: what is dead and not yet found by the collector, and for how long.
 *
 * Only a workload knows when it drops the last reference to a cycle, so it says so (run_garbage);
 * what the collector has freed its own count says, read after each of its pauses. The difference
 * floats. Ages are told in operations, calls of the contract's alloc: what is freed is taken to be
 * what has been dead for longest, which is exact when all of it goes and otherwise makes the
 * collector look as if it went by age. Costs a few ns at a death and at a pause, so that it is
 * there in every pass. */
#ifndef HEAPMILL_WORKLOADS_FLOATING_H
#define HEAPMILL_WORKLOADS_FLOATING_H

#include "common/histogram.h"
#include "gc/object.h"
#include "gc/pauses.h"

enum { FLOATING_BATCHES = 16384 }; /* deaths that may be waiting; more are added to the last one */

/* What died at one moment. */
struct floating_batch {
    uint64_t containers;
    uint64_t bytes;
    uint64_t died_at; /* in operations */
};

struct floating {
    struct runtime *runtime;
    uint64_t collected; /* the collector's count, as far as it has been taken off */
    uint64_t containers;
    uint64_t bytes; /* as the workload said; a part of a batch has its part of them */
    uint64_t containers_peak;
    uint64_t bytes_peak;
    uint64_t died;         /* containers, since the figures began */
    struct histogram ages; /* in operations, of each batch when the last of it was freed */
    uint64_t first;        /* batches so far that are all freed: the oldest one's ordinal */
    uint64_t next;         /* batches so far */
    struct floating_batch batches[FLOATING_BATCHES];
};

/* Begins to keep books of the runtime, whose pauses tell it what is freed. floating is zeroed
 * memory that must outlive the runtime's last pause. */
void floating_open(struct floating *floating, struct runtime *runtime);
/* The figures begin now; what floats goes on floating. */
void floating_reset(struct floating *floating);
/* So many containers have become garbage now. */
void floating_add(struct floating *floating, uint64_t containers, uint64_t bytes);
/* Takes off what the collector has freed since the last time. */
void floating_update(struct floating *floating);

#endif
