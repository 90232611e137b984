/* malloc_abi's program under way: its live blocks, and the verbs of which operations are made.
 * Whoever plays has it alone; the play moves from thread to thread. */
#ifndef HEAPMILL_FUZZ_MALLOC_ABI_STATE_H
#define HEAPMILL_FUZZ_MALLOC_ABI_STATE_H

#include <stdio.h>

#include "fuzz/palette.h"
#include "fuzz/targets/malloc_abi_block.h"

enum {
    ABI_BLOCKS_MAX = 4096,
    ABI_PLAYERS = 3,                /* the main thread, and two more when they are wanted */
    ABI_LIVE_BYTES_MAX = 256 << 20, /* at once */
};

struct abi_state {
    struct palette palette;
    size_t next; /* operation */
    struct abi_block blocks[ABI_BLOCKS_MAX];
    uint32_t names[ABI_BLOCKS_MAX]; /* for the text: block 12 is b12 */
    uint32_t name_next;
    uint32_t live;
    size_t live_bytes;
    size_t work_bytes_left; /* what may still be asked for: most inputs are to be cheap */
    unsigned costly_left;   /* operations that take a millisecond and more */
    bool storm_left;        /* one that takes a hundred */
    unsigned player;        /* who is to go on */
    bool player_leaves;     /* the thread that plays ends, once another has taken over */
    bool careful;           /* all contents are compared after each operation */
    FILE *text;             /* nothing is executed: the program is written there, as C */
};

/* The request of a palette entry; variation 0 to 63 moves the size, or chooses the alignment. */
struct abi_request abi_request_of(const struct abi_state *state, unsigned entry,
                                  unsigned variation);

void abi_state_take(struct abi_state *state, const struct abi_request *request);
void abi_state_give(struct abi_state *state, uint32_t at);
void abi_state_resize(struct abi_state *state, uint32_t at, size_t size, bool by_array);
void abi_state_check(const struct abi_state *state, const char *after);

/* Plays until the program ends, or another thread is to go on. True: it has ended. */
bool abi_state_play(struct abi_state *state);

/* ---------------------------------------------------------------- threads and children */
/* Plays the whole program, each part in the thread that it names. */
void abi_threads_play(struct abi_state *state);

/* By a new thread, which ends: the oldest `count` blocks are freed; or as many of the entry come.
 */
void abi_threads_free(struct abi_state *state, uint32_t count);
void abi_threads_take(struct abi_state *state, unsigned entry, uint32_t count);

/* Two threads allocate, resize, free and hand blocks to each other at once. */
void abi_threads_race(const struct abi_state *state, uint64_t seed);

/* Threads that come and go: what they had must not be lost. */
void abi_threads_storm(const struct abi_state *state, unsigned entry, unsigned kind);

/* A child checks all blocks, frees some and allocates others; beside_threads: while another thread
 * allocates. */
void abi_fork(struct abi_state *state, bool beside_threads);

#endif
