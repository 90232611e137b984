/* Floating garbage: dead objects that the collector has not found yet, and how long they have been
 * dead.
 *
 * Only a workload knows when it drops the last reference to a cycle, so it reports that
 * (run_garbage). The collector's own count, read after each pause, tells how much it has freed. The
 * difference floats. Ages are in operations, which are calls of the contract's alloc. Freed objects
 * are assumed to be those that have been dead for longest; that is exact if all are freed, and
 * otherwise makes the collector look as if it went by age. It costs a few ns at a death and at a
 * pause, so every pass has it. */
#ifndef HEAPMILL_WORKLOADS_FLOATING_H
#define HEAPMILL_WORKLOADS_FLOATING_H

#include "common/histogram.h"
#include "gc/object.h"
#include "gc/pauses.h"

enum { FLOATING_BATCHES = 16384 }; /* deaths that can wait; further ones are added to the last */

/* Containers that died at the same moment. */
struct floating_batch {
    uint64_t containers;
    uint64_t bytes;
    uint64_t died_at; /* in operations */
};

struct floating {
    struct runtime *runtime;
    uint64_t collected; /* the part of the collector's count that has been subtracted */
    uint64_t containers;
    uint64_t bytes; /* as the workload reports them; a part of a batch has a proportional part */
    uint64_t containers_peak;
    uint64_t bytes_peak;
    uint64_t died;         /* containers, since measuring began */
    struct histogram ages; /* in operations; of each batch when its last container was freed */
    uint64_t first;        /* ordinal of the oldest batch that is not freed */
    uint64_t next;         /* number of batches so far */
    struct floating_batch batches[FLOATING_BATCHES];
};

/* Begins to follow the runtime, whose pauses then report what is freed. floating must be zeroed,
 * and must outlive the runtime's last pause. */
void floating_open(struct floating *floating, struct runtime *runtime);
/* Begins to measure now; floating garbage stays. */
void floating_reset(struct floating *floating);
/* Adds containers that have become garbage now. */
void floating_add(struct floating *floating, uint64_t containers, uint64_t bytes);
/* How long each batch that is not all freed has been dead by now, in operations: what of an age is
 * known of garbage that was never freed. waiting is zeroed. */
void floating_waiting(const struct floating *floating, struct histogram *waiting);
/* Subtracts what the collector has freed since the last call. */
void floating_update(struct floating *floating);

#endif
