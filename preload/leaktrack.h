/* libheapmill-leaktrack.so: which blocks of a program are still there at its end, who asked for
 * them, and whether anything points at them. `heapmill leaks -- CMD` preloads it.
 *
 * leaktrack_watch.h watches the malloc family, each call of which is passed on to the next library;
 * leaktrack_books.c keeps the live blocks and the call sites; leaktrack_scan.c decides at exit
 * which live blocks are reachable; leaktrack_report.c writes the answer.
 *
 * All of it is behind one lock, leaktrack_lock, that leaktrack_watch.h takes; what is below is
 * called with it held, and never calls malloc: its memory is mapped. */
#ifndef HEAPMILL_PRELOAD_LEAKTRACK_H
#define HEAPMILL_PRELOAD_LEAKTRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LEAKTRACK_FRAMES_MAX = 12,   /* of a call site: the innermost */
    LEAKTRACK_SITES_MAX = 16384, /* later ones are booked on site 0, "any other" */
    LEAKTRACK_SAMPLES_MAX = 32,  /* when they are full, every second one goes */
};

/* One call site: a stack of return addresses. */
struct leaktrack_site {
    void *frames[LEAKTRACK_FRAMES_MAX];
    uint32_t depth;
    uint64_t live_blocks;
    uint64_t live_bytes;
    uint64_t leaked_blocks; /* filled by leaktrack_scan */
    uint64_t leaked_bytes;
    uint64_t samples[LEAKTRACK_SAMPLES_MAX]; /* live bytes at each sample */
};

struct leaktrack_block {
    uintptr_t address; /* 0: an empty slot; 1: one that was emptied */
    size_t bytes;
    uint64_t birth; /* the number of the allocation */
    uint32_t site;
};

struct leaktrack_sample {
    uint64_t time_ns; /* since the first call */
    uint64_t live_blocks;
    uint64_t live_bytes;
};

/* The books, which leaktrack_scan and leaktrack_report read. */
struct leaktrack_books {
    struct leaktrack_block *blocks; /* open addressing, linear probing; a power of two of slots */
    size_t slots;
    size_t used; /* slots that are not empty, emptied ones included */
    uint64_t live_blocks;
    uint64_t live_bytes;
    uint64_t live_bytes_peak;
    uint64_t allocations;
    uint64_t inherited; /* allocations that were made before the fork: the parent's affair */
    uint64_t unbooked;  /* blocks that no memory was left to book */
    uint32_t site_count;
    uint32_t sample_count;
    uint64_t sample_interval_ns;
    uint64_t start_ns;
    struct leaktrack_sample samples[LEAKTRACK_SAMPLES_MAX];
    struct leaktrack_site sites[LEAKTRACK_SITES_MAX];
};

extern struct leaktrack_books leaktrack_books;

/* Books a block under the stack of its caller. */
void leaktrack_add(void *block, size_t bytes, void *const *frames, uint32_t depth);
/* Forgets a block; one that was never booked is passed over. */
void leaktrack_remove(void *block);
/* Notes the live bytes of every site now. */
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
