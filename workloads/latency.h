/* The latency pass: single calls of the contract, timed by a probe worker and put into histograms.
 * See allocators/probe_latency.h for which calls and how.
 *
 * Main thread only, while no other thread is in the heap. In workers that are no probes there is
 * none of it. */
#ifndef HEAPMILL_WORKLOADS_LATENCY_H
#define HEAPMILL_WORKLOADS_LATENCY_H

#include <stdint.h>

#include "common/json_writer.h"

enum { LATENCY_EVERY_DEFAULT = 16, LATENCY_EVERY_MAX = 1000000 };

#ifdef HEAPMILL_PROBE
/* Chooses and measures the timer; before the timed part. */
void latency_open(uint32_t every, uint64_t seed);

/* Begins and ends the stretch in which calls are timed. */
void latency_start(void);
void latency_stop(void);

/* Adds the member `latency` of a record (results/FORMAT.md). */
void latency_write(struct json_writer *writer);
#endif

#endif
