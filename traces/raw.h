/* What libheapmill-recorder.so leaves for `heapmill trace record`, which turns it into traces while
 * the program runs: files DIRECTORY/PID.SERIES.CHUNK, all numbers decimal. A series is one program
 * in one process: exec begins another. A chunk is a head of RAW_HEAD_BYTES and RAW_SLOTS slots; a
 * chunk is done when the next one of its series is there. Of the last one, slots whose first word
 * is 0 were not written, and end it. Whoever has read a chunk removes it; of the first one the
 * empty file stays, so that its name is not taken again.
 *
 * The file is mapped shared: what was stored is there however the process ends. */
#ifndef HEAPMILL_TRACES_RAW_H
#define HEAPMILL_TRACES_RAW_H

#include <stdint.h>

#define RAW_DIRECTORY_VARIABLE "HEAPMILL_RECORDER_DIRECTORY"
#define RAW_SITES_VARIABLE "HEAPMILL_RECORDER_SITES"
#define RAW_MAGIC UINT64_C(0x3177617265636172) /* "rcerawr1" */

enum {
    RAW_HEAD_BYTES = 4096,
    RAW_SLOTS = (1 << 18) - RAW_HEAD_BYTES / 16,
    RAW_CHUNK_BYTES = RAW_HEAD_BYTES + RAW_SLOTS * 16, /* 4 MiB */
    /* How far a program may be ahead: 1 GiB of files. Then it waits, so long at most. */
    RAW_CHUNKS_AHEAD = 256,
    RAW_WAIT_MS_MAX = 30000,
    RAW_COMMAND_BYTES = 2048,
    RAW_PROGRAM_BYTES = 1024,
    RAW_TIME_EVERY = 256, /* events between two looks at the clock */
};

struct raw_head {
    uint64_t magic;
    uint64_t time_ns; /* of the series' begin, of CLOCK_REALTIME */
    uint32_t pid;
    uint32_t parent;
    uint32_t series;
    uint32_t chunk;
    char program[RAW_PROGRAM_BYTES]; /* /proc/self/exe */
    char command[RAW_COMMAND_BYTES]; /* /proc/self/cmdline: words with zeros between */
};
_Static_assert(sizeof(struct raw_head) <= RAW_HEAD_BYTES, "the head fits");

/* A slot. word[0]: address, in 48 bits; member, in 6; kind, in 2; log2 of the alignment, in 6.
 * word[1]: size, in 48 bits; thread, in 16. */
struct raw_slot {
    uint64_t word[2];
};

enum raw_kind {
    RAW_TOOK,
    RAW_GIVES,
    RAW_KEEPS,
    RAW_NOTE, /* member RAW_TIME: the address is in us since the series' begin; RAW_SITE: a hash, of
                 the RAW_TOOK before it */
};
enum { RAW_TIME, RAW_SITE };

#define RAW_LOW48 ((UINT64_C(1) << 48) - 1)

static inline uint64_t raw_word0(uint64_t address, unsigned member, enum raw_kind kind,
                                 unsigned alignment_log2)
{
    return (address & RAW_LOW48) | (uint64_t)member << 48 | (uint64_t)kind << 54 |
           (uint64_t)alignment_log2 << 56;
}

#endif
