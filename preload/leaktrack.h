/* libheapmill-leaktrack.so: finds the blocks that still exist when a program ends, who asked for
 * them, and whether anything points at them. `heapmill leaks -- CMD` preloads it.
 *
 * leaktrack_watch.h watches the malloc family and passes each call on to the next library;
 * leaktrack_books.c records the live blocks and the call sites; leaktrack_scan.c decides at exit
 * which live blocks are reachable; leaktrack_report.c writes the result.
 *
 * One lock, leaktrack_lock, protects all of it. leaktrack_watch.h takes it; the functions below are
 * called with it held. They never call malloc: their memory is mapped. */
#ifndef HEAPMILL_PRELOAD_LEAKTRACK_H
#define HEAPMILL_PRELOAD_LEAKTRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LEAKTRACK_FRAMES_MAX = 12,   /* of a call site: the innermost ones */
    LEAKTRACK_SITES_MAX = 16384, /* later sites are counted at site 0, "any other" */
    LEAKTRACK_SAMPLES_MAX = 32,  /* when the samples are full, every second one is dropped */
};

/* A call site: a stack of return addresses. */
struct leaktrack_site {
    void *frames[LEAKTRACK_FRAMES_MAX];
    uint32_t depth;
    uint64_t live_blocks;
    uint64_t live_bytes;
    uint64_t leaked_blocks; /* set by leaktrack_scan */
    uint64_t leaked_bytes;
    uint64_t samples[LEAKTRACK_SAMPLES_MAX]; /* live bytes at each sample */
};

struct leaktrack_block {
    uintptr_t address; /* 0: an empty slot; 1: a removed block */
    size_t bytes;
    uint64_t birth; /* number of the allocation */
    uint32_t site;
};

struct leaktrack_sample {
    uint64_t time_ns; /* since the first call */
    uint64_t live_blocks;
    uint64_t live_bytes;
};

/* The records, for leaktrack_scan and leaktrack_report. */
struct leaktrack_books {
    struct leaktrack_block *blocks; /* open addressing, linear probing; a power of two of slots */
    size_t slots;
    size_t used; /* slots that are not empty, with those of removed blocks */
    uint64_t live_blocks;
    uint64_t live_bytes;
    uint64_t live_bytes_peak;
    uint64_t allocations;
    uint64_t inherited; /* blocks that existed before the fork and belong to the parent */
    uint64_t unbooked;  /* blocks that could not be recorded for lack of memory */
    uint32_t site_count;
    uint32_t sample_count;
    uint64_t sample_interval_ns;
    uint64_t start_ns;
    struct leaktrack_sample samples[LEAKTRACK_SAMPLES_MAX];
    struct leaktrack_site sites[LEAKTRACK_SITES_MAX];
};

extern struct leaktrack_books leaktrack_books;

/* Records a block under the stack of its caller. */
void leaktrack_add(void *block, size_t bytes, void *const *frames, uint32_t depth);
/* Removes a block. Does nothing if it was never recorded. */
void leaktrack_remove(void *block);
/* Samples the live bytes of every site now. */
void leaktrack_sample_now(void);

/* Marks the blocks that can be reached and sums the others up by site. Conservative: any aligned
 * word that has the address of a block, or one inside it, counts as a pointer. False when the
 * address space could not be read: then nothing was judged. */
bool leaktrack_scan(void);

/* Appends "begin" for this process to its file; returns whether a file was asked for. */
bool leaktrack_report_begin(void);
/* Appends what was found, and "end" as the last line. judged: as leaktrack_scan said. */
void leaktrack_report_end(bool judged);

#endif
