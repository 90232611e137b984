/* Runs one child process to its end, and says everything about how that went.
 *
 * The child is the leader of a process group of its own, so that a terminal's Ctrl-C reaches
 * heapmill alone and a kill reaches whatever the child has started. It has the parent-death signal
 * SIGKILL: no child outlives heapmill. Its standard input is /dev/null.
 *
 * SIGINT and SIGTERM end the child and make process_run return; process_interrupted tells. One
 * thread only: the parent-death signal is tied to the thread that forked. */
#ifndef HEAPMILL_COMMON_HOST_PROCESS_H
#define HEAPMILL_COMMON_HOST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

enum {
    PROCESS_STDERR_TAIL_BYTES = 4096, /* what a record keeps, results/FORMAT.md */
    PROCESS_RECORD_FD = 3,
};

struct process_request {
    const char *const *arguments;   /* [0] is the program's path; ends with NULL */
    const char *const *environment; /* "NAME=VALUE", the whole of it; ends with NULL */
    double timeout_s;               /* the process group is killed after it */
    /* true: output is what the child writes to PROCESS_RECORD_FD, and its stdout joins its stderr;
     * false: output is its stdout. */
    bool record_fd;
    bool fixed_addresses; /* no address space layout randomisation */
};

struct process_result {
    int exit_code; /* 0 when it ended by a signal */
    int signal;    /* 0 when it exited */
    bool timed_out;
    bool interrupted; /* killed because heapmill was asked to stop */
    char *output;     /* zero-terminated; cut at PROCESS_OUTPUT_MAX_BYTES */
    size_t output_bytes;
    char stderr_tail[PROCESS_STDERR_TAIL_BYTES + 1];
    uint64_t wall_ns; /* from fork to reaping */
    uint64_t cpu_ns;  /* user and system, of the child and its reaped children */
    uint64_t faults_minor;
    uint64_t faults_major;
};

/* Blocks SIGINT, SIGTERM and SIGCHLD except while waiting in process_run, from here to the end of
 * the program: a signal is then never lost and never between two steps. Call it once, before the
 * first process_run. */
void process_prepare_signals(void);

/* Has SIGINT or SIGTERM come, now or during a process_run? */
bool process_interrupted(void);

/* STATUS_OK: the child was started and has ended, however badly: see result, which is released by
 * process_result_free. STATUS_NOT_FOUND: there is no such program; STATUS_IO: it could not be
 * started. */
enum status process_run(const struct process_request *request, struct process_result *result,
                        struct error *error);
void process_result_free(struct process_result *result);

#endif
