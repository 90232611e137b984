/* Reads traces (docs/trace-format.md). A worker uses it too, so it must not allocate from the
 * measured heap.
 *
 * All memory comes from the caller's `take`, when the reader is opened. Whatever the file contains,
 * nothing is written outside that memory, and its size is bounded: about 2.5 MiB, and 20 bytes for
 * each block of the file's peak of live blocks, of which there are at most TRACE_SLOTS_MAX. One
 * thread. */
#ifndef HEAPMILL_TRACES_READER_H
#define HEAPMILL_TRACES_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "traces/format.h"

/* Allocates zeroed memory of that size; NULL: refused. */
typedef void *trace_take_memory(void *context, size_t bytes);

struct trace_event {
    uint64_t size;     /* requested bytes; for a give: those of the block */
    uint64_t old_size; /* for a resize: the size before it */
    uint32_t slot;
    uint32_t site; /* 0: not recorded */
    uint16_t thread;
    uint8_t operation; /* TRACE_TAKE to TRACE_GIVE */
    uint8_t member;
    uint8_t alignment_log2; /* for an aligned take; otherwise 0 */
};

struct trace_totals {
    uint64_t events;
    uint64_t takes;
    uint32_t slots; /* the most live blocks */
    uint64_t frames;
    uint64_t file_bytes;
    bool whole; /* the file has its end frame */
};

struct trace_reader {
    int fd;
    const char *path;           /* for messages; borrowed */
    struct trace_totals totals; /* from the frames' headers */
    uint64_t offset;            /* of the next frame in the file */
    uint64_t readable_bytes;    /* end of the last complete frame */
    /* The position. */
    uint64_t events;
    uint64_t live_blocks;
    uint64_t live_bytes;
    uint64_t live_bytes_peak;
    uint64_t time_us;
    uint32_t slots;
    uint32_t threads; /* the largest thread number + 1 */
    /* Private. */
    uint32_t thread;
    uint32_t last_slot;
    uint32_t free_count;
    uint64_t *sizes;      /* by slot; TRACE_SLOT_FREE */
    uint32_t *free_slots; /* a stack */
    unsigned char *stored;
    unsigned char *raw;
    size_t raw_bytes;
    struct trace_event *batch;
    void *inflater;
};

/* Opens the file and reads the headers of its frames. What follows a damaged or cut frame is
 * ignored, and totals.whole is then false. STATUS_NOT_FOUND, STATUS_IO; STATUS_INVALID: the file is
 * no trace, or is of a later version; STATUS_CORRUPT: it has no complete frame; STATUS_NO_MEMORY.
 * path is borrowed. After an error there is nothing to close. */
enum status trace_reader_open(struct trace_reader *reader, const char *path,
                              trace_take_memory *take, void *context, struct error *error);
void trace_reader_close(struct trace_reader *reader); /* the caller keeps the memory */

/* Reads the next events, at most TRACE_FRAME_EVENTS_MAX; *count is 0 at the end. *events is valid
 * until the next call. STATUS_CORRUPT: a frame violates its checksums, or frees a block that does
 * not exist. */
enum status trace_reader_next(struct trace_reader *reader, const struct trace_event **events,
                              size_t *count, struct error *error);

/* Is the slot's block live after the events that were read? *size is its requested size. slot must
 * be below reader->slots. */
bool trace_reader_is_alive(const struct trace_reader *reader, uint32_t slot, uint64_t *size);

/* Goes back to the first event. */
void trace_reader_rewind(struct trace_reader *reader);

/* Reads the text of the first frame of a JSON kind. *text is valid until the next call, and is not
 * terminated. *bytes is 0 if there is none. */
enum status trace_reader_text(struct trace_reader *reader, enum trace_frame_kind kind,
                              const char **text, size_t *bytes, struct error *error);

/* A take over os_map, for programs that measure nothing. context is a struct trace_arena that
 * begins zeroed. */
struct trace_arena {
    struct {
        void *address;
        size_t bytes;
    } parts[8];
    size_t count;
};
void *trace_arena_take(void *arena, size_t bytes);
void trace_arena_release(struct trace_arena *arena);

/* "malloc", "free" and so on; "?" for an unknown number. */
const char *trace_member_name(unsigned member);

/* Finds a trace that is named without a '/', among the reference traces. path gets its place.
 * false: there is none of that name. */
bool trace_find_reference(const char *name, char *path, size_t size);

#endif
