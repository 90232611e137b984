/* Reads traces (docs/trace-format.md), in any program: a worker too, in whose measured heap nothing
 * of it may be.
 *
 * All memory comes from the caller's `take`, at opening. Whatever the file says, nothing is written
 * outside of it, and it is bounded: about 2.5 MiB and 20 bytes for each block that the file says
 * was alive at once, of which there are at most TRACE_SLOTS_MAX. One thread. */
#ifndef HEAPMILL_TRACES_READER_H
#define HEAPMILL_TRACES_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "traces/format.h"

/* Zeroed memory of that size; NULL: refused. */
typedef void *trace_take_memory(void *context, size_t bytes);

struct trace_event {
    uint64_t size;     /* asked for; of a give: that of the block */
    uint64_t old_size; /* of a resize: before it */
    uint32_t slot;
    uint32_t site; /* 0: not recorded */
    uint16_t thread;
    uint8_t operation; /* TRACE_TAKE to TRACE_GIVE */
    uint8_t member;
    uint8_t alignment_log2; /* of an aligned take; else 0 */
};

struct trace_totals {
    uint64_t events;
    uint64_t takes;
    uint32_t slots; /* blocks alive at once, at most */
    uint64_t frames;
    uint64_t file_bytes;
    bool whole; /* the end frame is there */
};

struct trace_reader {
    int fd;
    const char *path;           /* borrowed: for messages */
    struct trace_totals totals; /* as the frames' headers say */
    uint64_t offset;            /* of the next frame in the file */
    uint64_t readable_bytes;    /* behind the last whole frame */
    /* What has been read so far. */
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

/* Opens the file and goes through the headers of its frames. What lies behind a damaged or cut
 * frame is left out, and totals.whole is false then. STATUS_NOT_FOUND, STATUS_IO; STATUS_INVALID:
 * this is no trace, or one of a later version; STATUS_CORRUPT: there is not one whole frame;
 * STATUS_NO_MEMORY. path is borrowed. After an error there is nothing to close. */
enum status trace_reader_open(struct trace_reader *reader, const char *path,
                              trace_take_memory *take, void *context, struct error *error);
void trace_reader_close(struct trace_reader *reader); /* the memory stays the caller's */

/* The next events, at most TRACE_FRAME_EVENTS_MAX; *count is 0 at the end. *events is valid until
 * the next call. STATUS_CORRUPT: a frame is not what its checksums say, or it gives back a block
 * that is not there. */
enum status trace_reader_next(struct trace_reader *reader, const struct trace_event **events,
                              size_t *count, struct error *error);

/* Is the slot's block alive after the events that were read? *size is what was asked for. slot is
 * less than reader->slots. */
bool trace_reader_is_alive(const struct trace_reader *reader, uint32_t slot, uint64_t *size);

/* To the first event again. */
void trace_reader_rewind(struct trace_reader *reader);

/* The text of the first frame of a JSON kind; *text is valid until the next call and not
 * terminated. *bytes is 0 where there is none. */
enum status trace_reader_text(struct trace_reader *reader, enum trace_frame_kind kind,
                              const char **text, size_t *bytes, struct error *error);

/* take over os_map: for programs that measure nothing. context is a struct trace_arena, all zero at
 * first. */
struct trace_arena {
    struct {
        void *address;
        size_t bytes;
    } parts[8];
    size_t count;
};
void *trace_arena_take(void *arena, size_t bytes);
void trace_arena_release(struct trace_arena *arena);

/* "malloc", "free"…; "?" of a number that is none. */
const char *trace_member_name(unsigned member);

/* Where a trace that is named without a '/' lies: among the reference traces. path gets it. False:
 * there is none of that name. */
bool trace_find_reference(const char *name, char *path, size_t size);

#endif
