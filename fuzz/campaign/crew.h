/* Starts the programs of fuzzing: engines, targets, compilers. common/host/process.h does the work;
 * a crew_job owns the strings of its request. afl-fuzz gets SIGTERM as its stop signal; then it
 * ends its fork server and removes its shared memory. If it is killed, its shared memory is removed
 * here. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_CREW_H
#define HEAPMILL_FUZZ_CAMPAIGN_CREW_H

#include "common/host/process.h"
#include "common/host/text.h"
#include "common/status.h"

struct crew_job {
    struct text_list arguments; /* [0] is the program's path */
    struct text_list settings;  /* "NAME=VALUE", added to heapmill's own environment */
    char *log;       /* file to which stdout and stderr are appended; NULL: heapmill's stderr */
    int stop_signal; /* SIGTERM, SIGINT or SIGKILL */
};

void crew_job_free(struct crew_job *job);

/* process_start, into *member. Follow the member with crew_wait, end it with crew_stop, and release
 * it with process_free. */
enum status crew_start(const struct crew_job *job, struct process *member, struct error *error);

/* process_wait. Then removes the shared memory of members that have ended. */
size_t crew_wait(struct process *members, size_t count, double seconds);

/* process_stop. Then removes shared memory that the members made and nobody uses. */
void crew_stop(struct process *members, size_t count, double grace_s);

/* process_run, with an error if the job does not end by itself. STATUS_OK: it ended, well or badly.
 * STATUS_INTERRUPTED; STATUS_BUSY: the time limit was reached; STATUS_NOT_FOUND, STATUS_IO. */
enum status crew_run(const struct crew_job *job, double time_s, struct process_result *result,
                     struct error *error);

#endif
