/* Synthetic traces after a real one: `heapmill trace synth`. One thread.
 *
 * The fit is not parametric. The real trace is cut into SYNTH_PHASES phases of as many takes; of
 * the blocks born in each, SYNTH_SAMPLES are kept at random (Vitter's algorithm R), each with its
 * size and its lifetime in takes. The synthetic trace draws, in each phase, blocks from those: so
 * sizes, lifetimes, what they have to do with each other, and phases are kept, and the order of
 * events within a phase is not. A block that was resized has its last size from the beginning.
 * Threads are not kept. */
#ifndef HEAPMILL_TRACES_HOST_SYNTH_H
#define HEAPMILL_TRACES_HOST_SYNTH_H

#include <jansson.h>
#include <stdint.h>

#include "common/status.h"

struct trace_synthesis {
    const char *input;
    const char *output;
    double length; /* times as many takes; the live set stays */
    double scale;  /* times as many blocks alive, and takes */
    uint64_t seed;
};

/* Writes the trace. *fit: {real: {takes, live_bytes_peak}, synthetic: {…}, sizes_distance,
 * lifetimes_distance, curve_distance}. The first two are Kolmogorov and Smirnov's, between the
 * distributions by power of two; the last is the mean distance of the curves of live bytes as a
 * part of the peak, each curve at its own length and height. The caller's. Errors as the reader's
 * and the writer's. */
enum status trace_synth(const struct trace_synthesis *synthesis, json_t **fit, struct error *error);

#endif
