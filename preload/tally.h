/* libheapmill-tally.so: counts what a program asks of malloc, and finds the library that serves its
 * malloc. `heapmill try` runs a command under it once, to check that a preloaded allocator would be
 * used at all; `heapmill exec --stats` shows its figures.
 *
 * Each process (and each program that a process becomes by exec) maps its own file,
 * HEAPMILL_TALLY_DIRECTORY/PID.NUMBER.tally, and counts in it. So the figures can be read at any
 * time, and remain however the process ends. */
#ifndef HEAPMILL_PRELOAD_TALLY_H
#define HEAPMILL_PRELOAD_TALLY_H

#include <stddef.h>
#include <stdint.h>

#define TALLY_MAGIC "heapmill-tally-1"
#define TALLY_DIRECTORY "HEAPMILL_TALLY_DIRECTORY"

enum {
    TALLY_SMALL_STEP = 16,
    TALLY_SMALL_CLASSES = 32,                 /* steps of 16 bytes up to 512 */
    TALLY_CLASSES = TALLY_SMALL_CLASSES + 40, /* and powers of two above */
    TALLY_NAME_BYTES = 512,
};

/* A class of usable sizes. Live blocks are those allocated minus those freed. */
struct tally_class {
    uint64_t allocated;
    uint64_t freed;
};

/* The content of the file. Counters change atomically; each is correct by itself, but they need not
 * belong to the same moment. */
struct tally {
    char magic[sizeof(TALLY_MAGIC)];
    int32_t pid;
    uint64_t allocations; /* a block that realloc moved counts again */
    uint64_t frees;
    uint64_t asked_bytes; /* of all allocations */
    uint64_t live_blocks; /* since the first call; includes blocks of a fork's parent */
    uint64_t live_bytes;  /* usable */
    uint64_t live_bytes_peak;
    struct tally_class classes[TALLY_CLASSES];
    char program[TALLY_NAME_BYTES]; /* /proc/self/exe */
    char owner[TALLY_NAME_BYTES]; /* the file of the malloc that the program calls: this library, or
                                     an executable with its own */
    char below[TALLY_NAME_BYTES]; /* the file of the malloc that serves the calls */
    /* Set at an orderly exit if the back end is heapmill's own; otherwise zero. */
    uint64_t ended;
    uint64_t held_bytes;
    uint64_t held_bytes_peak;
    uint64_t arenas_live;
    uint64_t arenas_mapped;
    uint64_t arenas_unmapped;
    uint64_t pools_live;
    uint64_t pools_free;
};

static inline size_t tally_class_of(size_t usable)
{
    if (usable <= TALLY_SMALL_CLASSES * TALLY_SMALL_STEP) {
        return usable == 0 ? 0 : (usable - 1) / TALLY_SMALL_STEP;
    }
    size_t power = (size_t)(64 - __builtin_clzl(usable - 1)) - 10; /* 513…1024 is the first */
    size_t class = TALLY_SMALL_CLASSES + power;
    return class < TALLY_CLASSES ? class : TALLY_CLASSES - 1;
}

/* The largest usable size of a class. */
static inline uint64_t tally_class_bytes(size_t class)
{
    return class < TALLY_SMALL_CLASSES ? (class + 1) * TALLY_SMALL_STEP
                                       : UINT64_C(1024) << (class - TALLY_SMALL_CLASSES);
}

#endif
