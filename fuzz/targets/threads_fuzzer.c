/* threads: one program of block operations, played in turns by several threads over one heap.
 *
 * The threads are real, since a heap tells them apart by what is theirs, but one alone runs at a
 * time: a stretch of steps, then another's. Who is next, how long a stretch is and when a thread
 * ends are drawn from the input's first bytes, so that a run is a function of its input. Blocks so
 * come from one thread and go by another, threads leave blocks, pages and messages behind, and
 * others take over what they left. What happens within an operation while another is under way is
 * not for this target: the conformance tests let threads run freely, under ThreadSanitizer too.
 *
 * Oracles: no two live blocks overlap; contents are kept; check finds no broken invariant, and
 * stats count what lives, whoever holds it; when all is freed nothing is live. */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "allocators/backend.h"
#include "fuzz/block_program.h"
#include "fuzz/fuzz_os.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutator.h"
#include "fuzz/oracle.h"

enum { THREADS_ACTORS = 4, THREADS_STRETCH_MAX = 64, THREADS_ENDS_BYTES = 32 };

#if HEAP_CAPABILITIES & HEAP_CAN_THREADS
static struct threads_state {
    struct heap heap;
    struct fuzz_os os;
    struct block_program program;
    uint64_t draws;
    bool is_over; /* the program has ended */
    unsigned stretches;
    /* What the actor that runs is to do. */
    unsigned stretch;
    bool ends;
} threads;

static struct threads_actor {
    pthread_t thread;
    sem_t go;
    sem_t done;
} threads_actors[THREADS_ACTORS]; /* the first is the main thread; they outlive an input */

/* ---------------------------------------------------------------- contents */
static size_t threads_edge(size_t size)
{
    return size < THREADS_ENDS_BYTES ? size : THREADS_ENDS_BYTES;
}

static void threads_fill(struct block_slot *slot, size_t size)
{
    slot->fill = (unsigned char)rng_splitmix(&threads.draws);
    memset(slot->address, slot->fill, threads_edge(size));
    memset(slot->address + size - threads_edge(size), slot->fill, threads_edge(size));
}

FUZZ_ORACLE static void threads_expect_kept(const struct block_slot *slot, size_t old_size,
                                            size_t size)
{
    for (size_t i = 0; i < threads_edge(size); i++) {
        FUZZ_EXPECT(slot->address[i] == slot->fill, "contents", "byte %zu of %zu has changed", i,
                    size);
        FUZZ_EXPECT(size < old_size || slot->address[size - 1 - i] == slot->fill, "contents",
                    "byte %zu of %zu has changed", size - 1 - i, size);
    }
}

/* ---------------------------------------------------------------- steps */
static void threads_enter(struct block_slot *slot, void *address, size_t size)
{
    slot->address = address;
    fuzz_os_claim(address, size == 0 ? 1 : size);
    threads_fill(slot, size);
}

static void threads_free(const struct block_step *step)
{
    struct block_slot *slot = &threads.program.slots[step->slot];
    threads_expect_kept(slot, step->size, step->size);
    fuzz_os_release(slot->address, step->size == 0 ? 1 : step->size);
    heap_free(&threads.heap, slot->address, step->size, (enum heap_type)slot->type);
}

static void threads_alloc(const struct block_step *step)
{
    struct block_slot *slot = &threads.program.slots[step->slot];
    void *address = heap_alloc(&threads.heap, step->size, (enum heap_type)slot->type);
    if (address == NULL) {
        block_program_refused_alloc(&threads.program, step->slot);
    } else {
        threads_enter(slot, address, step->size);
    }
}

static void threads_resize(const struct block_step *step)
{
    struct block_slot *slot = &threads.program.slots[step->slot];
    size_t old_size = threads.program.resized_from;
    threads_expect_kept(slot, old_size, old_size);
    fuzz_os_release(slot->address, old_size == 0 ? 1 : old_size);
    void *moved =
        heap_resize(&threads.heap, slot->address, old_size, step->size, (enum heap_type)slot->type);
    if (moved == NULL) {
        block_program_refused_resize(&threads.program, step->slot, old_size);
        fuzz_os_claim(slot->address, old_size == 0 ? 1 : old_size);
        return;
    }
    slot->address = moved;
    size_t kept = old_size < step->size ? old_size : step->size;
    threads_expect_kept(slot, old_size, kept);
    threads_enter(slot, moved, step->size);
}

FUZZ_ORACLE static void threads_expect_healthy(void)
{
    size_t broken = heap_check(&threads.heap);
    FUZZ_EXPECT(broken == 0, "check", "%zu invariants of the heap are broken", broken);
    struct heap_stats stats;
    heap_stats(&threads.heap, &stats);
    FUZZ_EXPECT(
        (HEAP_CAPABILITIES & HEAP_CAN_WALK) == 0 || stats.blocks_live == threads.program.live,
        "stats", "%zu blocks live, by the model %u", stats.blocks_live, threads.program.live);
}

static void threads_step(const struct block_step *step)
{
    switch (step->kind) {
    case BLOCK_ALLOC:
        threads_alloc(step);
        break;
    case BLOCK_FREE:
        threads_free(step);
        break;
    case BLOCK_RESIZE:
        threads_resize(step);
        break;
    case BLOCK_TRIM:
        heap_trim(&threads.heap);
        break;
    case BLOCK_REFUSE:
        break;
    default:
        threads_expect_healthy();
    }
}

/* ---------------------------------------------------------------- turns */
static void threads_play_stretch(void)
{
    struct block_step step;
    for (unsigned i = 0; i < threads.stretch && !threads.is_over; i++) {
        threads.is_over = !block_program_next(&threads.program, &step);
        if (!threads.is_over) {
            fuzz_count_operation();
            threads_step(&step);
        }
    }
    if (threads.ends) {
        heap_thread_end(&threads.heap);
    }
}

static void *threads_act(void *argument)
{
    struct threads_actor *actor = argument;
    for (;;) {
        while (sem_wait(&actor->go) != 0) {
        }
        threads_play_stretch();
        (void)sem_post(&actor->done);
    }
    return NULL;
}

/* Actor `who` plays so many steps, and ends if that is asked for. */
static void threads_turn(unsigned who, unsigned stretch, bool ends)
{
    threads.stretch = stretch;
    threads.ends = ends;
    if (who == 0) {
        threads_play_stretch();
        return;
    }
    (void)sem_post(&threads_actors[who].go);
    while (sem_wait(&threads_actors[who].done) != 0) {
    }
}

static void threads_begin_actors(void)
{
    for (unsigned i = 1; i < THREADS_ACTORS && threads_actors[i].thread == 0; i++) {
        (void)sem_init(&threads_actors[i].go, 0, 0);
        (void)sem_init(&threads_actors[i].done, 0, 0);
        FUZZ_EXPECT(
            pthread_create(&threads_actors[i].thread, NULL, threads_act, &threads_actors[i]) == 0,
            "environment", "a thread cannot be started");
    }
}

/* ---------------------------------------------------------------- one input */
/* The first actor frees what is left, whoever allocated it; then all end. */
static void threads_finish(void)
{
    struct block_step step;
    while (block_program_drain(&threads.program, &step)) {
        threads_free(&step);
    }
    for (unsigned i = 0; i < THREADS_ACTORS; i++) {
        threads_turn((i + threads.stretches) % THREADS_ACTORS, 0, true);
    }
    threads_expect_healthy();
    heap_close(&threads.heap);
    fuzz_os_expect_balanced(&threads.os);
}

static void threads_run(const uint8_t *data, size_t size)
{
    fuzz_begin();
    threads_begin_actors();
    block_program_begin(&threads.program, data, size);
    threads.is_over = false;
    threads.stretches = 0;
    threads.draws = threads.program.palette.flags + 257u * threads.program.palette.faults;
    fuzz_os_begin(&threads.os, FUZZ_OS_LOWEST, false);
    struct heap_options options = {.os = threads.os.hooks};
    if (heap_open(&threads.heap, &options, NULL) != STATUS_OK) {
        return;
    }
    while (!threads.is_over) {
        uint64_t draw = rng_splitmix(&threads.draws);
        threads_turn(draw % THREADS_ACTORS, 1 + (unsigned)(draw >> 8) % THREADS_STRETCH_MAX,
                     (draw >> 24 & 15) == 0);
        if (++threads.stretches % 32 == 0) {
            threads_expect_healthy();
        }
    }
    threads_expect_healthy();
    threads_finish();
}
#else
/* One thread is all that the back end may have: nothing to be played. */
static void threads_run(const uint8_t *data, size_t size)
{
    (void)data;
    (void)size;
    fuzz_begin();
}
#endif

const struct fuzz_target fuzz_target_threads = {
    .name = "threads",
    .summary = "one program in turns by several threads over one heap: remote frees, ends, orphans",
    .format = "palette-1",
    .run = threads_run,
    .print = block_program_print,
    .mutate = mutator_mutate,
    .cross = mutator_cross,
    .generate = palette_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    threads_run(data, size);
    return 0;
}
