/* Describes a trace: `heapmill trace info`. One thread. */
#ifndef HEAPMILL_TRACES_HOST_INFO_H
#define HEAPMILL_TRACES_HOST_INFO_H

#include <jansson.h>

#include "common/host/document.h"
#include "common/status.h"

/* Reads the trace whole and answers with
 *   file, bytes, whole, description (as it was recorded), end (as the end frame says; null)
 *   totals      events, takes, resizes, gives, live_blocks, live_bytes, live_blocks_peak,
 *               live_bytes_peak, threads, remote_gives, seconds, bytes_per_event
 *   members     [{member, events}…], most first
 *   sizes       [{from, to, takes, share, bytes, mean_lifetime}…]: by power of two; lifetimes
 *               in takes
 *   takes_by_size  [n…]: takes of 0, 1, 2… bytes, up to INFO_SMALL_MAX
 *   common      [{size, takes, share}…]: the ten most frequent sizes
 *   lifetimes   [{from, to, blocks, share}…]: takes between a block's birth and its death
 *   reuse       [{from, to, takes, share}…]: takes between the death of a block and the next birth
 *               of one of its size, rounded up to 16 bytes; `to` null: there was none before
 *   alignments  [{alignment, takes}…]
 *   served      [{threshold, takes_share, bytes_share}…]: by pools for small blocks
 *   curve       [[events, live_bytes]…], about 100 points: the largest of each part
 *   sites       [{site, takes, bytes}…], the ten with most bytes, where they were recorded
 *   sampling    {one_in, takes_estimate, takes_error}: 95% of its estimates are within that error
 * NULL after an error: as the reader's. The caller's. */
json_t *trace_info(const char *path, struct error *error);

enum { INFO_SMALL_MAX = 1024 };

/* Makes `waste` [{backend, waste, asked}…] if it is missing, and adds a back end to it: how much
 * its size classes waste in takes of up to `count` bytes. waste is usable minus requested bytes,
 * relative to the requested bytes; asked is the requested bytes. usable: bytes of a block for
 * requests of 1, 2, … bytes. */
void trace_info_add_waste(json_t *info, const char *backend, const double *usable, size_t count);

/* The same for people. */
struct document *trace_info_document(const json_t *info);

#endif
