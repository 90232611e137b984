/* What is measured of the collector over a cell's timed part, and how a record says it. */
#ifndef HEAPMILL_WORKLOADS_COLLECTOR_MEASURES_H
#define HEAPMILL_WORKLOADS_COLLECTOR_MEASURES_H

#include "common/json_writer.h"
#include "workloads/floating.h"
#include "workloads/workload.h"

struct collector_measures {
    bool present;             /* the cell has a runtime */
    const char *collector;    /* the policy's name, a constant */
    struct gc_stats stats;    /* of the timed part; tracked and registry_bytes are at its end */
    struct histogram cpu_ns;  /* of pauses */
    struct histogram visited; /* containers a pause */
    uint64_t cpu_ns_total;
    double utilisation[PAUSES_WINDOWS]; /* NAN: not known */
    uint64_t floating_peak;             /* containers */
    uint64_t floating_bytes_peak;
    uint64_t floating_end;
    uint64_t died; /* containers, as the workload said; 0: it said nothing */
    struct histogram ages;
};

/* The timed part begins. Does nothing for a run without a runtime. */
void collector_measures_begin(struct collector_measures *measures, struct run *run);
/* It has ended. */
void collector_measures_end(struct collector_measures *measures, struct run *run);

/* Adds the member "gc" of a record; nothing if there was no runtime. operations: of the timed part.
 */
void collector_measures_write(struct json_writer *writer, const struct collector_measures *measures,
                              uint64_t operations);

#endif
