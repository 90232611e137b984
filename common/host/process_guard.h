/* Ends what a user's programs leave behind when heapmill is killed by SIGKILL. process.h sees to it
 * that heapmill's own children die with it; their descendants do not. A guard is a process that
 * waits until heapmill has ended, in whatever way, and then ends every process that carries the
 * guard's mark in its environment, and those of the group that was named last.
 *
 * What leaves the group and clears its environment too is not found. One guard a program. */
#ifndef HEAPMILL_COMMON_HOST_PROCESS_GUARD_H
#define HEAPMILL_COMMON_HOST_PROCESS_GUARD_H

#include <sys/types.h>

#include "common/status.h"

struct process_guard {
    char mark[64]; /* "HEAPMILL_RUN=…": a setting of every program that it guards */
    int pipe_fd;   /* to the guard; -1: there is none */
    pid_t pid;
};

/* Call it before anything is opened that a second holder would keep locked. STATUS_IO. */
enum status process_guard_start(struct process_guard *guard, struct error *error);

/* The process group that runs now; 0: none does. */
void process_guard_watch(const struct process_guard *guard, pid_t group);

/* Ends the guard, and what carries its mark still. */
void process_guard_end(struct process_guard *guard);

#endif
