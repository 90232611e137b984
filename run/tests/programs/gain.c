/* A program of which it is known what an allocator can gain, for the tests of `heapmill try`.
 *   gain PATTERN [SCALE]
 * exchange    threads free each other's blocks
 * fragments   a large live set, of which every other block goes, and larger ones come
 * nothing     works without any allocation
 * flaky       prints another line in every run
 * library     prints the name of LD_PRELOAD's first library: another output under each allocator
 * die         ends by a signal where anything is preloaded
 * tree        starts two children that allocate beside each other
 * serve       says that it is ready and works until SIGTERM
 * escape      starts a child in a session of its own that goes on for a minute */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXCHANGE_SLOTS = 4096, EXCHANGE_THREADS = 2 };

static void *_Atomic exchange_slots[EXCHANGE_SLOTS];
static size_t scale = 1;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void *exchange(void *argument)
{
    uint64_t state = (uintptr_t)argument;
    for (size_t i = 0; i < scale * 400000; i++) {
        size_t size = 16 + next_random(&state) % 400;
        char *block = malloc(size);
        if (block == NULL) {
            abort();
        }
        block[0] = 1;
        void **slot = (void **)&exchange_slots[next_random(&state) % EXCHANGE_SLOTS];
        free(__atomic_exchange_n(slot, block, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

static void run_exchange(void)
{
    pthread_t threads[EXCHANGE_THREADS];
    for (uintptr_t i = 0; i < EXCHANGE_THREADS; i++) {
        (void)pthread_create(&threads[i], NULL, exchange, (void *)(i + 1));
    }
    for (size_t i = 0; i < EXCHANGE_THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

static void run_fragments(void)
{
    size_t count = scale * 60000;
    uint64_t state = 7;
    char **blocks = calloc(count, sizeof(*blocks));
    for (size_t round = 0; round < 6 && blocks != NULL; round++) {
        for (size_t i = 0; i < count; i++) {
            if (blocks[i] == NULL) {
                size_t size = (24u << (round % 4)) + next_random(&state) % 200;
                blocks[i] = malloc(size);
                memset(blocks[i], 1, size);
                __asm__ volatile("" : : "r"(blocks[i]) : "memory");
            }
        }
        for (size_t i = round % 2; i < count; i += 2) {
            free(blocks[i]);
            blocks[i] = NULL;
        }
    }
}

static void run_nothing(void)
{
    volatile uint64_t state = 1;
    for (size_t i = 0; i < scale * 20000000; i++) {
        state = state * 3 + 1;
    }
}

static void run_tree(void)
{
    for (int i = 0; i < 2; i++) {
        if (fork() == 0) {
            char *block = malloc(scale << 23);
            memset(block, 1, scale << 23);
            __asm__ volatile("" : : "r"(block) : "memory"); /* it is wanted, says this */
            (void)usleep(100000);
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {
    }
}

static void run_escape(void)
{
    if (fork() == 0) {
        (void)setsid();
        (void)close(STDOUT_FILENO);
        (void)close(STDERR_FILENO);
        (void)sleep(60);
        _exit(0);
    }
    (void)usleep((useconds_t)scale * 50000);
}

static volatile sig_atomic_t serve_ends;

static void serve_end(int number)
{
    (void)number;
    serve_ends = 1;
}

static void run_serve(void)
{
    char *volatile block = malloc(scale << 20);
    (void)signal(SIGTERM, serve_end);
    if (block != NULL) {
        memset(block, 1, scale << 20);
    }
    (void)printf("now ready\n");
    (void)fflush(stdout);
    while (!serve_ends) {
        (void)usleep(1000);
    }
    free(block);
}

int main(int argc, char **argv)
{
    const char *pattern = argc > 1 ? argv[1] : "";
    const char *preload = getenv("LD_PRELOAD");
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    scale = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    if (strcmp(pattern, "exchange") == 0) {
        run_exchange();
    } else if (strcmp(pattern, "fragments") == 0) {
        run_fragments();
    } else if (strcmp(pattern, "nothing") == 0) {
        run_nothing();
    } else if (strcmp(pattern, "tree") == 0) {
        run_tree();
    } else if (strcmp(pattern, "serve") == 0) {
        run_serve();
    } else if (strcmp(pattern, "escape") == 0) {
        run_escape();
    } else if (strcmp(pattern, "flaky") == 0) {
        (void)printf("%ld\n", now.tv_nsec);
    } else if (strcmp(pattern, "library") == 0) {
        bool ours = preload != NULL && strstr(preload, "tally") == NULL;
        (void)printf("first\n%s\n", ours ? preload : "none");
    } else if (strcmp(pattern, "die") == 0 && preload != NULL && strstr(preload, "tally") == NULL) {
        (void)raise(SIGSEGV);
    }
    (void)printf("done\n");
    return 0;
}
