#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/rng.h"
#include "fuzz/asan.h"
#include "fuzz/oracle.h"
#include "fuzz/targets/malloc_abi_state.h"

enum {
    THREADS_STACK_BYTES = 2 << 20, /* includes the library's thread-local variables */
    THREADS_SIGNAL_BYTES = 32 << 10,
    RACE_ROUNDS = 300,
    RACE_BLOCKS = 24,
    RACE_MAILBOX = 8,
    RACE_BYTES_MAX = 6 << 10,
    STORM_THREADS = 32,
    STORM_BYTES = 1 << 20, /* per thread */
    FORK_CHILDREN = 3,     /* beside a thread that allocates */
};

static bool threads_start(pthread_t *thread, void *(*body)(void *), void *argument)
{
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, THREADS_STACK_BYTES);
    int failed = pthread_create(thread, &attributes, body, argument);
    (void)pthread_attr_destroy(&attributes);
    return failed == 0;
}

/* ---------------------------------------------------------------- players */
struct threads_player {
    struct abi_state *state;
    unsigned number;
    sem_t go;
    bool running;
    pthread_t thread;
};

static struct threads_player threads_players[ABI_PLAYERS];
static sem_t threads_back; /* a player has stopped, and the main thread decides */
static bool threads_over;  /* the program has ended */

static void *threads_player_run(void *argument)
{
    struct threads_player *player = argument;
    char stack[THREADS_SIGNAL_BYTES];
    fuzz_watch_thread(stack, sizeof(stack));
    for (bool leaves = false; !leaves;) {
        while (sem_wait(&player->go) != 0) {
        }
        if (player->state == NULL) {
            break;
        }
        threads_over = abi_state_play(player->state);
        leaves = player->state->player_leaves;
        player->running = !leaves;
        (void)sem_post(&threads_back);
    }
    return NULL;
}

static void threads_go_on(struct abi_state *state, struct threads_player *player)
{
    if (!player->running) {
        player->running = true;
        (void)sem_init(&player->go, 0, 0);
        if (!threads_start(&player->thread, threads_player_run, player)) {
            player->running = false;
            state->player = 0;
            return;
        }
    }
    player->state = state;
    fuzz_leave_call();
    (void)sem_post(&player->go);
    while (sem_wait(&threads_back) != 0) {
    }
    if (!player->running) {
        (void)pthread_join(player->thread, NULL);
    }
}

void abi_threads_play(struct abi_state *state)
{
    threads_over = false;
    (void)sem_init(&threads_back, 0, 0);
    while (!threads_over) {
        state->player_leaves = false;
        if (state->player == 0 || state->text != NULL) {
            threads_over = abi_state_play(state);
        } else {
            threads_go_on(state, &threads_players[state->player]);
        }
    }
    for (unsigned i = 1; i < ABI_PLAYERS; i++) {
        struct threads_player *player = &threads_players[i];
        if (player->running) {
            player->state = NULL;
            (void)sem_post(&player->go);
            (void)pthread_join(player->thread, NULL);
            player->running = false;
        }
    }
}

/* ---------------------------------------------------------------- errands of other threads */
struct threads_errand {
    struct abi_state *state;
    unsigned entry;
    uint32_t count;
};

static void *threads_run_free(void *argument)
{
    const struct threads_errand *errand = argument;
    char stack[THREADS_SIGNAL_BYTES];
    fuzz_watch_thread(stack, sizeof(stack));
    for (uint32_t i = 0; i < errand->count && errand->state->live > 0; i++) {
        abi_state_give(errand->state, 0);
    }
    return NULL;
}

static void *threads_run_take(void *argument)
{
    const struct threads_errand *errand = argument;
    char stack[THREADS_SIGNAL_BYTES];
    fuzz_watch_thread(stack, sizeof(stack));
    for (uint32_t i = 0; i < errand->count; i++) {
        const struct abi_request request = abi_request_of(errand->state, errand->entry, i % 64);
        abi_state_take(errand->state, &request);
    }
    return NULL;
}

static void threads_do(struct threads_errand *errand, void *(*body)(void *))
{
    pthread_t thread;
    if (errand->state->text != NULL) {
        (void)fputs("/* by a new thread, which ends then: */\n", errand->state->text);
        (void)body(errand);
        (void)fputs("/* the thread has ended */\n", errand->state->text);
    } else if (threads_start(&thread, body, errand)) {
        fuzz_leave_call();
        (void)pthread_join(thread, NULL);
    }
}

void abi_threads_free(struct abi_state *state, uint32_t count)
{
    struct threads_errand errand = {state, 0, count};
    threads_do(&errand, threads_run_free);
}

void abi_threads_take(struct abi_state *state, unsigned entry, uint32_t count)
{
    struct threads_errand errand = {state, entry, count};
    threads_do(&errand, threads_run_take);
}

/* A request so small that a thousand of them fit. */
static struct abi_request threads_request_of(const struct abi_state *state, unsigned entry,
                                             unsigned variation)
{
    struct abi_request request = abi_request_of(state, entry, variation);
    if (request.alignment > 4096) { /* some allocators map memory of that size */
        request.size = request.size == request.alignment ? 256 : request.size;
        request.alignment = 256;
    }
    if (request.size > RACE_BYTES_MAX) {
        request.size = request.alignment > 1 ? request.alignment : request.size % RACE_BYTES_MAX;
    }
    return request;
}

/* ---------------------------------------------------------------- a race */
struct threads_race {
    const struct abi_state *state;
    uint64_t seed;
};

static struct abi_block race_boxes[RACE_MAILBOX];
static atomic_uint race_locks[RACE_MAILBOX];

/* Puts the block into a box and takes the old one out. */
static void race_exchange(unsigned box, struct abi_block *block)
{
    while (atomic_exchange(&race_locks[box], 1) != 0) {
        (void)sched_yield();
    }
    struct abi_block other = race_boxes[box];
    race_boxes[box] = *block;
    *block = other;
    atomic_store(&race_locks[box], 0);
}

static void race_step(const struct abi_state *state, struct rng *rng, struct abi_block *block)
{
    if (block->address == NULL) {
        const struct abi_request request =
            threads_request_of(state, (unsigned)rng_below(rng, 4), (unsigned)rng_below(rng, 64));
        (void)abi_take(&request, block);
        return;
    }
    switch (rng_below(rng, 4)) {
    case 0:
    case 1:
        race_exchange((unsigned)rng_below(rng, RACE_MAILBOX), block);
        break;
    case 2:
        (void)abi_resize(block, 1 + (2 * block->size + rng_below(rng, 64)) % RACE_BYTES_MAX, false);
        break;
    default:
        abi_give(block);
    }
}

static void *race_run(void *argument)
{
    const struct threads_race *race = argument;
    struct abi_block blocks[RACE_BLOCKS] = {{.address = NULL}};
    char stack[THREADS_SIGNAL_BYTES];
    struct rng rng;
    fuzz_watch_thread(stack, sizeof(stack));
    rng_seed(&rng, race->seed);
    for (int i = 0; i < RACE_ROUNDS; i++) {
        race_step(race->state, &rng, &blocks[rng_below(&rng, RACE_BLOCKS)]);
    }
    for (int i = 0; i < RACE_BLOCKS; i++) {
        if (blocks[i].address != NULL) {
            abi_give(&blocks[i]);
        }
    }
    return NULL;
}

void abi_threads_race(const struct abi_state *state, uint64_t seed)
{
    pthread_t threads[2];
    struct threads_race races[2] = {{state, seed}, {state, seed + 0x9e37}};
    bool started[2];
    for (int i = 0; i < 2; i++) {
        started[i] = threads_start(&threads[i], race_run, &races[i]);
    }
    fuzz_leave_call();
    for (int i = 0; i < 2; i++) {
        if (started[i]) {
            (void)pthread_join(threads[i], NULL);
        }
    }
    for (int i = 0; i < RACE_MAILBOX; i++) {
        if (race_boxes[i].address != NULL) {
            abi_give(&race_boxes[i]);
        }
    }
}

/* ---------------------------------------------------------------- threads that come and go */
struct threads_storm {
    struct abi_request request;
    void **blocks;
    size_t count;
    bool takes;
    bool gives;
};

static void *storm_run(void *argument)
{
    const struct threads_storm *storm = argument;
    const struct abi_request *request = &storm->request;
    for (size_t i = 0; storm->takes && i < storm->count; i++) {
        struct abi_block block;
        storm->blocks[i] = abi_take(request, &block) ? block.address : NULL;
    }
    for (size_t i = 0; storm->gives && i < storm->count; i++) {
        struct abi_block block = {.address = storm->blocks[i], .call = request->call};
        if (block.address != NULL) {
            abi_give(&block); /* it has 0 bytes: there is nothing to compare */
        }
    }
    return NULL;
}

/* Resident memory, in bytes; 0 if unknown. */
static size_t storm_resident(void)
{
    char text[128];
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, sizeof(text) - 1) : 0;
    if (file >= 0) {
        (void)close(file);
    }
    if (length <= 0) {
        return 0;
    }
    text[length] = '\0';
    const char *second = strchr(text, ' ');
    return second != NULL ? strtoul(second, NULL, 10) * 4096 : 0;
}

static void storm_round(struct threads_storm *storm, unsigned kind)
{
    pthread_t thread;
    struct threads_storm here = *storm;
    struct threads_storm there = *storm;
    there.takes = kind != 2;
    there.gives = kind != 1;
    here.takes = kind == 2;
    here.gives = kind == 1;
    if (kind == 3) { /* without threads: this thread frees everything again and again */
        (void)storm_run(&there);
        return;
    }
    if (here.takes) {
        here.gives = false;
        (void)storm_run(&here);
    }
    if (threads_start(&thread, storm_run, &there)) {
        fuzz_leave_call();
        (void)pthread_join(thread, NULL);
    } else {
        (void)storm_run(&there);
    }
    if (here.gives) {
        (void)storm_run(&here);
    }
}

/* Reports a loss if two rounds of threads each add more than half of a thread's memory for each
 * thread. What an allocator keeps for later is bounded, and is reused. */
void abi_threads_storm(const struct abi_state *state, unsigned entry, unsigned kind)
{
    static void *blocks[STORM_BYTES / 64];
    struct threads_storm storm = {.request = abi_request_of(state, entry, 0), .blocks = blocks};
    size_t size = storm.request.size;
    if (!fuzz_profile_holds(FUZZ_PROFILE_C) || size < 64 || size > STORM_BYTES / 8 ||
        storm.request.alignment > 4096) {
        return;
    }
    storm.count = STORM_BYTES / size;
    size_t resident[3];
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < STORM_THREADS; j++) {
            storm_round(&storm, kind);
        }
        resident[i] = storm_resident();
    }
#ifdef FUZZ_ASAN
    (void)resident; /* its quarantine keeps freed blocks */
#else
    size_t most = (size_t)STORM_THREADS * STORM_BYTES / 2;
    if (resident[0] != 0 && resident[1] > resident[0] + most && resident[2] > resident[1] + most) {
        static const char *const kinds[] = {"thread-exit", "thread-allocates", "thread-frees",
                                            "one-thread"};
        fuzz_deviate(&abi_lost, abi_call_name(storm.request.call), kinds[kind % 4],
                     "%d times %d MiB in blocks of %zu, all freed: %zu MiB more are resident",
                     STORM_THREADS, STORM_BYTES >> 20, size, (resident[2] - resident[1]) >> 20);
    }
#endif
}

/* ---------------------------------------------------------------- children */
static atomic_bool fork_over;

static void *fork_allocate(void *argument)
{
    const struct abi_state *state = argument;
    struct rng rng;
    rng_seed(&rng, state->next);
    while (!atomic_load(&fork_over)) {
        const struct abi_request request =
            threads_request_of(state, (unsigned)rng_below(&rng, 4), 0);
        struct abi_block block;
        if (abi_take(&request, &block)) {
            abi_give(&block);
        }
    }
    return NULL;
}

static _Noreturn void fork_child(struct abi_state *state)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    state->live -= fuzz_promise_instead != NULL ? state->live : 0; /* keeps only its own blocks */
    abi_state_check(state, "a fork, in the child");
    for (uint32_t i = 0; i < 8 && state->live > 0; i++) {
        abi_state_give(state, state->live / 2);
    }
    for (unsigned i = 0; i < 8; i++) {
        const struct abi_request request = threads_request_of(state, i % 4, i * 7);
        abi_state_take(state, &request);
    }
    for (uint32_t i = 0; i < 4 && state->live > 0; i++) {
        abi_state_resize(state, state->live - 1, 64 + 100 * i, false);
        abi_state_give(state, state->live - 1);
    }
    _exit(0);
}

static void fork_once(struct abi_state *state, const struct fuzz_promise *promise,
                      const char *class)
{
    int status = 0;
    fuzz_enter_call("fork", class);
    pid_t child = fork();
    if (child == 0) {
        fork_child(state);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    fuzz_leave_call();
    bool told = WIFEXITED(status) && WEXITSTATUS(status) == FUZZ_DEVIATION_EXIT;
    if (child > 0 && status != 0 && !told) {
        fuzz_deviate(promise, "fork", class, "the child ends by %s %d",
                     WIFSIGNALED(status) ? "signal" : "status",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    fuzz_progress();
}

void abi_fork(struct abi_state *state, bool beside_threads)
{
    pthread_t thread;
    if (!beside_threads) {
        fork_once(state, &abi_child, "alone");
        return;
    }
    atomic_store(&fork_over, false);
    if (!fuzz_profile_holds(FUZZ_PROFILE_GLIBC) ||
        fuzz_deviation_count(abi_threads_child.oracle, "fork", "beside-threads") > 0 ||
        !threads_start(&thread, fork_allocate, state)) {
        return;
    }
    fuzz_promise_instead = &abi_threads_child;
    for (int i = 0; i < FORK_CHILDREN; i++) {
        fork_once(state, &abi_threads_child, "beside-threads");
    }
    fuzz_promise_instead = NULL;
    atomic_store(&fork_over, true);
    (void)pthread_join(thread, NULL);
}
