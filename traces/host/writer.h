/* Writes a trace (docs/trace-format.md), frame by frame: what has been written can be read,
 * whatever happens afterwards. One thread a writer. */
#ifndef HEAPMILL_TRACES_HOST_WRITER_H
#define HEAPMILL_TRACES_HOST_WRITER_H

#include <jansson.h>
#include <stdint.h>

#include "common/status.h"
#include "traces/format.h"

struct trace_writer;

/* How hard zstd tries: while a program runs, and for a file that is kept. */
enum { TRACE_LEVEL_FAST = 1, TRACE_LEVEL_SMALL = 19 };

/* Creates or empties the file and writes its description (an object; borrowed). STATUS_IO. */
enum status trace_writer_open(struct trace_writer **writer, const char *path,
                              const json_t *description, int level, struct error *error);

/* Each adds an event. A failure to write is kept and told by trace_writer_close.
 * The slot of the new block; UINT32_MAX when TRACE_SLOTS_MAX blocks are alive or size has more than
 * TRACE_SIZE_BITS bits: the event is then left out. alignment is a power of two, or 0 for
 * malloc's own. */
uint32_t trace_writer_take(struct trace_writer *writer, enum trace_member member, uint64_t size,
                           uint64_t alignment);
void trace_writer_resize(struct trace_writer *writer, enum trace_member member, uint32_t slot,
                         uint64_t size);
void trace_writer_give(struct trace_writer *writer, enum trace_member member, uint32_t slot);

/* The events that follow are this thread's; microseconds since the first; the call site of the last
 * event, a take or a resize. */
void trace_writer_thread(struct trace_writer *writer, uint32_t thread);
void trace_writer_time(struct trace_writer *writer, uint64_t time_us);
void trace_writer_site(struct trace_writer *writer, uint32_t site);

struct trace_written {
    uint64_t events;
    uint64_t takes;
    uint64_t live_bytes;
    uint64_t live_bytes_peak;
    uint64_t live_blocks;
    uint64_t bytes; /* of the file so far */
    uint32_t slots;
};
const struct trace_written *trace_writer_written(const struct trace_writer *writer);

/* Writes the rest and the end frame: the totals with what `more` adds (an object, borrowed, or
 * NULL). Frees the writer in each case. STATUS_IO. */
enum status trace_writer_close(struct trace_writer *writer, const json_t *more,
                               struct error *error);

#endif
