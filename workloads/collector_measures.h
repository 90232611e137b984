/* What is measured of the collector over a cell's timed part, and written to its record. */
#ifndef HEAPMILL_WORKLOADS_COLLECTOR_MEASURES_H
#define HEAPMILL_WORKLOADS_COLLECTOR_MEASURES_H

#include "common/json_writer.h"
#include "workloads/floating.h"
#include "workloads/workload.h"

struct collector_measures {
    bool present;             /* the cell has a runtime */
    const char *collector;    /* the policy's name, a constant */
    struct gc_stats stats;    /* of the timed part; tracked and registry_bytes at its end */
    struct histogram cpu_ns;  /* of pauses */
    struct histogram visited; /* containers per pause */
    uint64_t cpu_ns_total;
    double utilisation[PAUSES_WINDOWS]; /* NAN: unknown */
    uint64_t floating_peak;             /* containers */
    uint64_t floating_bytes_peak;
    uint64_t floating_end;
    uint64_t died; /* containers, as the workload reports it; 0: it does not */
    struct histogram ages;
    struct histogram waiting; /* ages so far of what was never freed */
};

/* Called when the timed part begins. Does nothing without a runtime. */
void collector_measures_begin(struct collector_measures *measures, struct run *run);
/* Called when it has ended. */
void collector_measures_end(struct collector_measures *measures, struct run *run);

/* Writes the member "gc" of a record; writes nothing without a runtime. operations: of the timed
 * part. */
void collector_measures_write(struct json_writer *writer, const struct collector_measures *measures,
                              uint64_t operations);

#endif
