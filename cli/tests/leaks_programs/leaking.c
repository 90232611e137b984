/* A program that leaks as its arguments say: how many blocks of 104 bytes, and how it ends. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LEAKING_KEPT = 100, LEAKING_STEPS = 40 };

struct leaking_node {
    struct leaking_node *other;
    char text[96];
};

/* Reachable: by address, by an address inside, through a block; and by nothing but a mapping. */
static char *volatile leaking_kept[LEAKING_KEPT];
static _Thread_local char *volatile leaking_of_thread;
static struct leaking_node *volatile leaking_chain;

/* A ring of two is as lost as a single block. */
__attribute__((noinline)) static void leaking_lose(int count)
{
    for (int i = 0; i < count; i += 2) {
        struct leaking_node *volatile node = malloc(sizeof(*node));
        node->other = node;
        if (i + 1 < count) {
            node->other = malloc(sizeof(*node));
            node->other->other = node;
        }
        node = NULL;
    }
}

__attribute__((noinline)) static void leaking_keep(void)
{
    for (int i = 0; i < LEAKING_KEPT; i++) {
        leaking_kept[i] = (char *)malloc(50) + i % 50;
    }
    leaking_chain = malloc(sizeof(*leaking_chain));
    leaking_chain->other = malloc(sizeof(*leaking_chain));
    leaking_of_thread = malloc(300000); /* a mapping of its own */
    leaking_of_thread = realloc(leaking_of_thread, 600000);
    free(calloc(10, 10));
}

/* Overwrites what calls left below the stack pointer and in registers. */
__attribute__((noinline)) static void leaking_wipe(void)
{
    volatile char room[8192];
    memset((char *)room, 0, sizeof(room));
}

static void *leaking_thread(void *count)
{
    leaking_lose(*(int *)count);
    leaking_wipe();
    return NULL;
}

/* Grows what is pointed at, for 80 ms. */
static void leaking_grow(void)
{
    for (int i = 0; i < LEAKING_STEPS * 128; i++) {
        struct leaking_node *node = malloc(sizeof(*node));
        node->other = leaking_chain;
        leaking_chain = node;
        if (i % 128 == 0) {
            (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        }
    }
}

static int leaking_end(const char *how, char **rest)
{
    if (strcmp(how, "abort") == 0) {
        abort();
    } else if (strcmp(how, "_exit") == 0) {
        _exit(0);
    } else if (strcmp(how, "exec") == 0) {
        (void)execv(rest[0], rest);
        return 9;
    } else if (strcmp(how, "grow") == 0) {
        leaking_grow();
    }
    return strcmp(how, "status") == 0 ? 7 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fputs("usage: leaking COUNT exit|status|abort|_exit|exec|fork|thread|grow\n", stderr);
        return 2;
    }
    int count = atoi(argv[1]);
    leaking_keep();
    if (strcmp(argv[2], "thread") == 0) {
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
            (void)pthread_create(&threads[i], NULL, leaking_thread, &count);
        }
        for (int i = 0; i < 4; i++) {
            (void)pthread_join(threads[i], NULL);
        }
    } else if (strcmp(argv[2], "fork") != 0) {
        leaking_lose(count);
    } else if (fork() == 0) {
        leaking_lose(count);
    } else {
        (void)wait(NULL);
    }
    leaking_wipe();
    return leaking_end(argv[2], argv + 3);
}
