/* Makes synthetic traces after a real one: `heapmill trace synth`. One thread.
 *
 * The fit has no parametric model. The real trace is cut into SYNTH_PHASES phases of equally many
 * takes. Of the blocks born in each phase, SYNTH_SAMPLES are drawn at random (Vitter's algorithm
 * R), with their sizes and their lifetimes in takes. In each phase the synthetic trace draws its
 * blocks from these. So sizes, lifetimes, their relation, and phases are preserved; the order of
 * events within a phase is not. A resized block has its last size from the beginning. Threads are
 * not preserved. */
#ifndef HEAPMILL_TRACES_HOST_SYNTH_H
#define HEAPMILL_TRACES_HOST_SYNTH_H

#include <jansson.h>
#include <stdint.h>

#include "common/status.h"

struct trace_synthesis {
    const char *input;
    const char *output;
    double length; /* how many times as many takes, with as many live blocks */
    double scale;  /* how many times as many live blocks, and takes */
    uint64_t seed;
};

/* Writes the trace. *fit is a new reference to {real: {takes, live_bytes_peak}, synthetic: {…},
 * sizes_distance, lifetimes_distance, curve_distance}. The first two distances are Kolmogorov and
 * Smirnov's, between the distributions by powers of two. The last one is the mean distance of the
 * curves of live bytes relative to the peak, each curve with its own length and height. Errors as
 * the reader's and the writer's. */
enum status trace_synth(const struct trace_synthesis *synthesis, json_t **fit, struct error *error);

#endif
