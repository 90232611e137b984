/* The constants of the trace format, version 1. docs/trace-format.md documents the format byte by
 * byte, and must agree with this header. All numbers are little-endian.
 *
 * Blocks have no addresses in a trace, but slots: a new block takes the slot that was freed last,
 * or else the next unused one. So a replay needs a table with as many entries as there were live
 * blocks at the same time, and small numbers are frequent, which compresses well. */
#ifndef HEAPMILL_TRACES_FORMAT_H
#define HEAPMILL_TRACES_FORMAT_H

#include <stdint.h>

#define TRACE_MAGIC "hmtrace"
#define TRACE_SUFFIX ".hmtrace"

enum {
    TRACE_VERSION = 1,
    TRACE_MAGIC_BYTES = 8, /* TRACE_MAGIC, and the version as one byte */
    TRACE_HEADER_BYTES = 32,
    TRACE_FRAME_EVENTS_MAX = 32768,
    TRACE_FRAME_CODES_MAX = 4 * TRACE_FRAME_EVENTS_MAX,
    TRACE_RAW_BYTES_MAX = 1 << 20,
    TRACE_STORED_BYTES_MAX = (1 << 20) + (1 << 13), /* zstd's worst case for that */
    TRACE_SLOTS_MAX = 1 << 25,                      /* the most live blocks */
    TRACE_THREADS_MAX = 1 << 16,
    TRACE_ALIGNMENT_LOG2_MAX = 32,
    TRACE_SIZE_BITS = 48,
};

enum trace_frame_kind {
    TRACE_FRAME_DESCRIPTION = 1, /* JSON: what was recorded, and where */
    TRACE_FRAME_EVENTS = 2,
    TRACE_FRAME_END = 3, /* JSON: totals; if it is missing, the recording was cut off */
};

/* The columns of an event frame. The frame's head has the length of each in bytes. */
enum trace_column {
    TRACE_CODES,      /* a byte per event: operation << 5 | member */
    TRACE_SIZES,      /* LEB128, requested bytes: for takes and resizes */
    TRACE_SLOTS,      /* LEB128 of the zigzag distance from the slot last used: for the others */
    TRACE_ALIGNMENTS, /* a byte, log2: for aligned takes */
    TRACE_CONTROLS,   /* LEB128: thread numbers, and microseconds passed */
    TRACE_SITES,      /* 4 bytes each: hashes of call sites */
    TRACE_COLUMNS,
};

enum trace_operation {
    TRACE_TAKE = 0,
    TRACE_TAKE_ALIGNED = 1,
    TRACE_RESIZE = 2, /* the block keeps its slot */
    TRACE_GIVE = 3,
    TRACE_THREAD = 4, /* control: the next events are this thread's */
    TRACE_TIME = 5,   /* control: this many microseconds have passed */
    TRACE_SITE = 6,   /* control: the call site of the take or resize before it */
};

/* The function that was called. The format fixes the numbers: never renumber them. */
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
    TRACE_UNKNOWN = 15, /* in a converted trace that does not have it */
    TRACE_MEMBERS,
};

/* The live bytes of a block: a block of 0 bytes counts as 1, because every replay asks for 1. */
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

/* FNV-1a, 32 bits (Fowler, Noll, Vo), of a frame's header without its last four bytes. */
static inline uint32_t trace_header_sum(const unsigned char *header)
{
    uint32_t sum = UINT32_C(2166136261);
    for (int i = 0; i < TRACE_HEADER_BYTES - 4; i++) {
        sum = (sum ^ header[i]) * UINT32_C(16777619);
    }
    return sum;
}

#endif
