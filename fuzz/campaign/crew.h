/* Several long-running children at once: the engines of a campaign.
 *
 * Each child leads a process group of its own, so that a terminal's Ctrl-C reaches heapmill alone.
 * Each gets its stop signal when heapmill dies, however it dies. For afl-fuzz that is SIGTERM, at
 * which it ends its fork server and gives its shared memory back; whatever survives a stop is
 * killed, and shared memory that a killed afl-fuzz left is removed here. What a child's children
 * leave behind is adopted by heapmill (PR_SET_CHILD_SUBREAPER) and ended too: AFL++'s fork server
 * begins a session of its own, which no signal to a group reaches.
 *
 * One thread. Call process_prepare_signals first: waiting is interrupted by SIGINT, SIGTERM and the
 * end of a child, and process_interrupted tells. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_CREW_H
#define HEAPMILL_FUZZ_CAMPAIGN_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/host/text.h"
#include "common/status.h"

struct crew_job {
    struct text_list arguments; /* [0] is the program's path */
    struct text_list settings;  /* "NAME=VALUE", over heapmill's own environment */
    char *log;       /* stdout and stderr are appended to this file; NULL: both go to our stderr */
    int stop_signal; /* SIGTERM, SIGINT or SIGKILL */
};

struct crew_member {
    pid_t pid;
    bool running;
    int stop_signal;
    int exit_code; /* once it has ended; 0 if by a signal */
    int signal;    /* 0 if it exited */
    uint64_t begin_ns;
    uint64_t end_ns;
    uint64_t cpu_ns; /* user and system, with its descendants: as of the last crew_poll */
};

void crew_job_free(struct crew_job *job);

/* STATUS_NOT_FOUND: no such program; STATUS_IO. */
enum status crew_start(const struct crew_job *job, struct crew_member *member, struct error *error);

/* Reaps those that have ended and brings all cpu_ns up to date. How many still run. */
size_t crew_poll(struct crew_member *members, size_t count);

/* Asks all to end, gives them so long, kills the rest with their descendants, reaps them, and
 * removes shared memory that they made and nobody uses. */
void crew_stop(struct crew_member *members, size_t count, double grace_s);

/* Starts one child and follows it to its end, an interruption or the time limit, at which it is
 * stopped. STATUS_OK: it ended, however badly. STATUS_INTERRUPTED; STATUS_BUSY: the time was over;
 * STATUS_NOT_FOUND, STATUS_IO. */
enum status crew_run(const struct crew_job *job, double time_s, struct crew_member *member,
                     struct error *error);

/* Until a signal comes, or so long. */
void crew_wait(double seconds);

#endif
