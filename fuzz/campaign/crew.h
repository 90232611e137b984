/* The programs that fuzzing starts: engines, targets, compilers. common/host/process.h starts them;
 * a crew_job owns the strings of what is asked for there. afl-fuzz gets SIGTERM as its stop signal,
 * at which it ends its fork server and gives its shared memory back; that of a killed one is
 * removed here. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_CREW_H
#define HEAPMILL_FUZZ_CAMPAIGN_CREW_H

#include "common/host/process.h"
#include "common/host/text.h"
#include "common/status.h"

struct crew_job {
    struct text_list arguments; /* [0] is the program's path */
    struct text_list settings;  /* "NAME=VALUE", over heapmill's own environment */
    char *log;       /* stdout and stderr are appended to this file; NULL: both go to our stderr */
    int stop_signal; /* SIGTERM, SIGINT or SIGKILL */
};

void crew_job_free(struct crew_job *job);

/* process_start, in the place of what *member was: the member is followed by crew_wait, ended by
 * crew_stop, released by process_free. */
enum status crew_start(const struct crew_job *job, struct process *member, struct error *error);

/* process_wait; then removes shared memory of those that have ended. */
size_t crew_wait(struct process *members, size_t count, double seconds);

/* process_stop; then removes shared memory that they made and nobody uses. */
void crew_stop(struct process *members, size_t count, double grace_s);

/* process_run, with errors for what did not end by itself. STATUS_OK: it ended, however badly.
 * STATUS_INTERRUPTED; STATUS_BUSY: the time was over; STATUS_NOT_FOUND, STATUS_IO. */
enum status crew_run(const struct crew_job *job, double time_s, struct process_result *result,
                     struct error *error);

#endif
