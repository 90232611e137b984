/* malloc_abi's running program: its live blocks, and the verbs of its operations. One thread at a
 * time plays it; the play moves between threads. */
#ifndef HEAPMILL_FUZZ_MALLOC_ABI_STATE_H
#define HEAPMILL_FUZZ_MALLOC_ABI_STATE_H

#include <stdio.h>

#include "fuzz/palette.h"
#include "fuzz/targets/malloc_abi_block.h"

enum {
    ABI_BLOCKS_MAX = 4096,
    ABI_PLAYERS = 3,                /* the main thread, and two more if needed */
    ABI_LIVE_BYTES_MAX = 256 << 20, /* at the same time */
};

struct abi_state {
    struct palette palette;
    size_t next; /* index of the next operation */
    struct abi_block blocks[ABI_BLOCKS_MAX];
    uint32_t names[ABI_BLOCKS_MAX]; /* for the text: block 12 is b12 */
    uint32_t name_next;
    uint32_t live;
    size_t live_bytes;
    size_t work_bytes_left; /* how much may still be requested: most inputs should be cheap */
    unsigned costly_left;   /* operations that take a millisecond or more */
    bool storm_left;        /* an operation that takes a hundred milliseconds */
    unsigned player;        /* the thread that continues */
    bool player_leaves;     /* the playing thread ends when another has taken over */
    bool careful;           /* compare all contents after each operation */
    FILE *text;             /* if set, nothing is executed, and the program is written here as C */
};

/* The request of a palette entry. A variation from 0 to 63 changes the size, or chooses the
 * alignment. */
struct abi_request abi_request_of(const struct abi_state *state, unsigned entry,
                                  unsigned variation);

void abi_state_take(struct abi_state *state, const struct abi_request *request);
void abi_state_give(struct abi_state *state, uint32_t at);
void abi_state_resize(struct abi_state *state, uint32_t at, size_t size, bool by_array);
void abi_state_check(const struct abi_state *state, const char *after);

/* Plays until the program ends or another thread must continue. true: it has ended. */
bool abi_state_play(struct abi_state *state);

/* ---------------------------------------------------------------- threads and children */
/* Plays the whole program, each part in the thread that it names. */
void abi_threads_play(struct abi_state *state);

/* Starts a thread that frees the oldest `count` blocks, or allocates as many of the entry, and
 * ends. */
void abi_threads_free(struct abi_state *state, uint32_t count);
void abi_threads_take(struct abi_state *state, unsigned entry, uint32_t count);

/* Two threads allocate, resize, free and exchange blocks at the same time. */
void abi_threads_race(const struct abi_state *state, uint64_t seed);

/* Threads come and go; their memory must not be lost. */
void abi_threads_storm(const struct abi_state *state, unsigned entry, unsigned kind);

/* A child checks all blocks, frees some and allocates others. beside_threads: another thread
 * allocates meanwhile. */
void abi_fork(struct abi_state *state, bool beside_threads);

#endif
