/* Ends the processes that a user's programs leave behind when SIGKILL ends heapmill. process.h
 * makes heapmill's own children die with it, but not their descendants. A guard is a process that
 * waits until heapmill has ended, in whatever way. Then it ends every process that has the guard's
 * mark in its environment, and those of the last named group.
 *
 * It does not find a process that leaves the group and clears its environment. One guard per
 * program. */
#ifndef HEAPMILL_COMMON_HOST_PROCESS_GUARD_H
#define HEAPMILL_COMMON_HOST_PROCESS_GUARD_H

#include <sys/types.h>

#include "common/status.h"

struct process_guard {
    char mark[64]; /* "HEAPMILL_RUN=…", in the environment of every guarded program */
    int pipe_fd;   /* to the guard; -1: there is no guard */
    pid_t pid;
};

/* Starts the guard. Call it before opening anything that another holder would keep locked.
 * STATUS_IO. */
enum status process_guard_start(struct process_guard *guard, struct error *error);

/* Names the process group that runs now; 0: none. */
void process_guard_watch(const struct process_guard *guard, pid_t group);

/* Ends the guard, and all processes that still have its mark. */
void process_guard_end(struct process_guard *guard);

#endif
