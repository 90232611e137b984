/* The numbers of the trace format, version 1. docs/trace-format.md documents it byte by byte; that
 * page and this header are to say the same. Everything is little-endian.
 *
 * Blocks have no addresses in a trace but slots: a new block takes the slot that was given back
 * last, or the next new one. So a replay needs a table of as many places as there were blocks alive
 * at once, and small numbers come back often, which compresses well. */
#ifndef HEAPMILL_TRACES_FORMAT_H
#define HEAPMILL_TRACES_FORMAT_H

#include <stdint.h>

#define TRACE_MAGIC "hmtrace"
#define TRACE_SUFFIX ".hmtrace"

enum {
    TRACE_VERSION = 1,
    TRACE_MAGIC_BYTES = 8, /* TRACE_MAGIC and the version as one byte */
    TRACE_HEADER_BYTES = 32,
    TRACE_FRAME_EVENTS_MAX = 32768,
    TRACE_FRAME_CODES_MAX = 4 * TRACE_FRAME_EVENTS_MAX,
    TRACE_RAW_BYTES_MAX = 1 << 20,
    TRACE_STORED_BYTES_MAX = (1 << 20) + (1 << 13), /* what zstd makes of that at the worst */
    TRACE_SLOTS_MAX = 1 << 25,                      /* blocks alive at once */
    TRACE_THREADS_MAX = 1 << 16,
    TRACE_ALIGNMENT_LOG2_MAX = 32,
    TRACE_SIZE_BITS = 48,
};

enum trace_frame_kind {
    TRACE_FRAME_DESCRIPTION = 1, /* JSON: what was recorded, where */
    TRACE_FRAME_EVENTS = 2,
    TRACE_FRAME_END = 3, /* JSON: totals; without it the recording was cut off */
};

/* The columns of an event frame, each preceded in the frame's head by its length in bytes. */
enum trace_column {
    TRACE_CODES,      /* a byte an event: operation << 5 | member */
    TRACE_SIZES,      /* LEB128, bytes asked for: of takes and resizes */
    TRACE_SLOTS,      /* LEB128 of the zigzag distance from the slot last touched: of the others */
    TRACE_ALIGNMENTS, /* a byte, log2: of aligned takes */
    TRACE_CONTROLS,   /* LEB128: thread numbers and passed microseconds */
    TRACE_SITES,      /* 4 bytes each: hashes of call sites */
    TRACE_COLUMNS,
};

enum trace_operation {
    TRACE_TAKE = 0,
    TRACE_TAKE_ALIGNED = 1,
    TRACE_RESIZE = 2, /* the block keeps its slot */
    TRACE_GIVE = 3,
    TRACE_THREAD = 4, /* control: the events that follow are this thread's */
    TRACE_TIME = 5,   /* control: so many microseconds have passed */
    TRACE_SITE = 6,   /* control: the call site of the take or resize before it */
};

/* Which function was called. Numbers are of the format: never renumbered. */
enum trace_member {
    TRACE_MALLOC = 0,
    TRACE_CALLOC = 1,
    TRACE_ALIGNED_ALLOC = 2,
    TRACE_MEMALIGN = 3,
    TRACE_VALLOC = 4,
    TRACE_PVALLOC = 5,
    TRACE_POSIX_MEMALIGN = 6,
    TRACE_NEW = 7,
    TRACE_NEW_ARRAY = 8,
    TRACE_REALLOC = 9,
    TRACE_REALLOCARRAY = 10,
    TRACE_FREE = 11,
    TRACE_FREE_SIZED = 12,
    TRACE_DELETE = 13,
    TRACE_DELETE_ARRAY = 14,
    TRACE_UNKNOWN = 15, /* of a converted trace that does not say */
    TRACE_MEMBERS,
};

/* The bytes that count as live of a block: a block of 0 bytes is one too, and every replay asks
 * for 1. */
static inline uint64_t trace_live_bytes(uint64_t size)
{
    return size == 0 ? 1 : size;
}

static inline uint32_t trace_load_u32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static inline void trace_store_u32(unsigned char *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
}

/* FNV-1a, 32 bits (Fowler, Noll, Vo), of a frame's header but its last four bytes. */
static inline uint32_t trace_header_sum(const unsigned char *header)
{
    uint32_t sum = UINT32_C(2166136261);
    for (int i = 0; i < TRACE_HEADER_BYTES - 4; i++) {
        sum = (sum ^ header[i]) * UINT32_C(16777619);
    }
    return sum;
}

#endif
