/* The latency pass: a probe worker times single calls of the contract and puts the times into
 * histograms. allocators/probe_latency.h says which calls are timed, and how.
 *
 * Main thread only, while no other thread is in the heap. Workers that are no probes have no such
 * pass. */
#ifndef HEAPMILL_WORKLOADS_LATENCY_H
#define HEAPMILL_WORKLOADS_LATENCY_H

#include <stdint.h>

#include "common/json_writer.h"

enum { LATENCY_EVERY_DEFAULT = 16, LATENCY_EVERY_MAX = 1000000 };

#ifdef HEAPMILL_PROBE
/* Chooses the timer and measures its cost. Call before the timed part. */
void latency_open(uint32_t every, uint64_t seed);

/* Begin and end the time in which calls are timed. */
void latency_start(void);
void latency_stop(void);

/* Writes the member `latency` of a record (results/FORMAT.md). */
void latency_write(struct json_writer *writer);
#endif

#endif
