/* Leaks of raw blocks: lost by their user, by a thread that ends, and amid live ones of a pool. */
#include <pthread.h>
#include <string.h>

#include "leaks/planted/leak.h"

enum { BLOCKS_LOST_MAX_BYTES = 1024, BLOCKS_POOL_BYTES = 64, BLOCKS_THREAD_BYTES = 200 };

static void blocks_lost(struct leak_run *run)
{
    struct leak_program *program = &run->program;
    for (uint64_t i = 0; i < run->number; i++) {
        bool due = leak_is_due(run, i);
        size_t bytes = 16 + (size_t)rng_below(&run->rng, BLOCKS_LOST_MAX_BYTES);
        void *block = LEAK_AT(run, leak_alloc(program, bytes));
        if (block == NULL) {
            run->failed = "heap exhausted";
            return;
        }
        if (due) {
            leak_plant_block(run, bytes);
        } else {
            leak_free(program, block, bytes);
        }
    }
}

/* ---------------------------------------------------------------- at thread exit */
static _Thread_local void *blocks_of_thread;

struct blocks_thread {
    struct leak_run *run;
    bool due;
};

/* Each thread makes a buffer of its own; the twin's releases it before it ends. */
static void *blocks_thread_main(void *argument)
{
    const struct blocks_thread *thread = argument;
    struct leak_run *run = thread->run;
    blocks_of_thread = LEAK_AT(run, leak_alloc(&run->program, BLOCKS_THREAD_BYTES));
    if (blocks_of_thread == NULL) {
        run->failed = "heap exhausted";
    } else if (thread->due) {
        leak_plant_block(run, BLOCKS_THREAD_BYTES);
    } else {
        leak_free(&run->program, blocks_of_thread, BLOCKS_THREAD_BYTES);
    }
    return NULL;
}

/* The heap is one thread's at a time: the maker waits. */
static void blocks_thread_exit(struct leak_run *run)
{
    for (uint64_t i = 0; i < run->number && run->failed == NULL; i++) {
        struct blocks_thread argument = {.run = run, .due = leak_is_due(run, i)};
        pthread_t thread;
        if (pthread_create(&thread, NULL, blocks_thread_main, &argument) != 0) {
            run->failed = "a thread cannot be started";
            return;
        }
        (void)pthread_join(thread, NULL);
    }
}

/* ---------------------------------------------------------------- in a pool with live ones */
enum { BLOCKS_KEPT = LEAK_STATE_WORDS / 2 };

/* The program keeps a table of blocks in its static variables and renews them; a lost one is of
 * the same size class, and lies among them. */
static void blocks_in_live_pool(struct leak_run *run)
{
    struct leak_program *program = &run->program;
    for (uint64_t i = 0; i < run->number; i++) {
        bool due = leak_is_due(run, i);
        void **kept = &program->state[rng_below(&run->rng, BLOCKS_KEPT)];
        void *block = LEAK_AT(run, leak_alloc(program, BLOCKS_POOL_BYTES));
        if (block == NULL) {
            run->failed = "heap exhausted";
            return;
        }
        if (due) {
            leak_plant_block(run, BLOCKS_POOL_BYTES); /* it never gets into the table */
            continue;
        }
        if (*kept != NULL) {
            leak_free(program, *kept, BLOCKS_POOL_BYTES);
        }
        *kept = block;
    }
}

const struct leak_kind leak_kind_lost_block = {
    .name = "lost_block",
    .summary = "a raw block's address is forgotten",
    .step = blocks_lost,
};
const struct leak_kind leak_kind_thread_exit = {
    .name = "thread_exit",
    .summary = "a thread ends without releasing what its thread-local variable holds",
    .step = blocks_thread_exit,
};
const struct leak_kind leak_kind_live_pool = {
    .name = "live_pool",
    .summary = "a lost block in a pool whose other blocks are live",
    .step = blocks_in_live_pool,
};
