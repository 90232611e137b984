/* Constants for whoever designs an allocator or a runtime: `heapmill trace advise`. One thread. */
#ifndef HEAPMILL_TRACES_HOST_ADVISE_H
#define HEAPMILL_TRACES_HOST_ADVISE_H

#include <jansson.h>

#include "common/host/document.h"
#include "common/status.h"

/* Chooses on the first half of the trace's takes and checks on the second. Answers with
 *   classes    [{count, waste, waste_checked, sizes: […]}…]: for 4, 8, 16, 32 size classes up to
 *              1024 bytes, multiples of 16, those that waste least: waste is usable less asked, as
 * a part of asked, over all takes they serve; and of two usual choices, every 16 bytes and powers
 * of two, with `name` caps       [{size, takes, hits_unbounded, cap, hits, hits_checked}…]: of each
 * size (rounded up to 16) with 1% of the takes: the least power of two to cap a free list of it
 * with that keeps 95% of the hits which one without a cap has. Hits are parts of takes;
 * hits_checked is null of a size that the second half does not have thresholds
 * [{threshold, takes, live_bytes}…]: the parts of the takes, and of the bytes live at the peak of
 * them, that pools up to so many bytes would have NULL after an error: as the reader's. The
 * caller's. */
json_t *trace_advise(const char *path, struct error *error);

struct document *trace_advise_document(const json_t *advice);

#endif
