/* What libheapmill-recorder.so leaves for `heapmill trace record`, which turns it into traces while
 * the program runs: files DIRECTORY/PID.SERIES, both numbers decimal. A series is one program in
 * one process: exec begins another.
 *
 * A file is a head, in RAW_HEAD_BYTES, and chunks of slots. Chunks are used again and again, as a
 * fresh page costs far more than the events that fit into it. The recorder fills the lowest free
 * chunk, and says in `holds` which place it has in the series; whoever has read it makes it free.
 * Of a chunk that is not the last one begun, all slots are reserved, and a thread may still be
 * writing into its own. A slot is whole when it has its chunk's tag, which differs from that of the
 * chunk's filling before, and is never 0.
 *
 * The file is mapped shared: what was stored is there however the process ends. */
#ifndef HEAPMILL_TRACES_RAW_H
#define HEAPMILL_TRACES_RAW_H

#include <stdint.h>

#define RAW_DIRECTORY_VARIABLE "HEAPMILL_RECORDER_DIRECTORY"
#define RAW_SITES_VARIABLE "HEAPMILL_RECORDER_SITES"
#define RAW_MAGIC UINT64_C(0x3277617265636172) /* "rcerawr2" */

enum {
    /* How far a program may be ahead: 1 GiB. Then it waits, so long at most. */
    RAW_CHUNKS = 1024,
    RAW_WAIT_MS_MAX = 30000,
    RAW_CHUNK_BYTES = 1 << 20,
    RAW_CHUNK_HEAD_BYTES = 64,
    RAW_SLOTS = (RAW_CHUNK_BYTES - RAW_CHUNK_HEAD_BYTES) / 16,
    RAW_HEAD_BYTES = 8192,
    RAW_COMMAND_BYTES = 2048,
    RAW_PROGRAM_BYTES = 1024,
    RAW_TIME_EVERY = 256, /* slots between two looks at the clock */
};

struct raw_head {
    uint64_t magic;   /* stored last */
    uint64_t time_ns; /* of the series' begin, of CLOCK_REALTIME */
    uint32_t pid;
    uint32_t parent;
    uint32_t series;
    uint32_t begun;             /* chunks that were begun. Atomic */
    uint32_t holds[RAW_CHUNKS]; /* by chunk: the how-manieth it is, from 1 on; 0: free. Atomic */
    char program[RAW_PROGRAM_BYTES]; /* /proc/self/exe */
    char command[RAW_COMMAND_BYTES]; /* /proc/self/cmdline: words with zeros between */
};
_Static_assert(sizeof(struct raw_head) <= RAW_HEAD_BYTES, "the head fits");

/* A slot. word[0]: address, in 48 bits; member, in 6; kind, in 2; log2 of the alignment, in 6; tag,
 * in 2. word[1]: size, in 48 bits; thread, in 16. */
struct raw_slot {
    uint64_t word[2];
};

struct raw_chunk {
    uint64_t tag;  /* as in word[0] of its slots */
    uint32_t used; /* slots that were reserved, and refused beyond RAW_SLOTS. Atomic */
    unsigned char rest[RAW_CHUNK_HEAD_BYTES - 12];
    struct raw_slot slots[RAW_SLOTS];
};
_Static_assert(sizeof(struct raw_chunk) == RAW_CHUNK_BYTES, "a chunk is whole pages");

enum raw_kind {
    RAW_TOOK,
    RAW_GIVES,
    RAW_KEEPS,
    RAW_NOTE, /* member RAW_TIME: the address is in us since the series' begin; RAW_SITE: a hash, of
                 the RAW_TOOK before it; RAW_NOTHING: the chunk's last slot was one too few */
};
enum { RAW_TIME, RAW_SITE, RAW_NOTHING };

#define RAW_LOW48 ((UINT64_C(1) << 48) - 1)

enum { RAW_TAG_SHIFT = 62 };

static inline uint64_t raw_next_tag(uint64_t tag)
{
    return (((tag >> RAW_TAG_SHIFT) % 3) + 1) << RAW_TAG_SHIFT;
}

static inline uint64_t raw_word0(uint64_t address, unsigned member, enum raw_kind kind,
                                 unsigned alignment_log2)
{
    return (address & RAW_LOW48) | (uint64_t)member << 48 | (uint64_t)kind << 54 |
           (uint64_t)alignment_log2 << 56;
}

#endif
