#include "fuzz/campaign/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/shm.h>

void crew_job_free(struct crew_job *job)
{
    text_list_free(&job->arguments);
    text_list_free(&job->settings);
    free(job->log);
    job->log = NULL;
}

static struct process_request crew_request(const struct crew_job *job)
{
    return (struct process_request){.arguments = process_vector(&job->arguments),
                                    .settings = process_vector(&job->settings),
                                    .stdio = PROCESS_LOG,
                                    .log = job->log,
                                    .stop_signal = job->stop_signal,
                                    .whole_tree = true};
}

enum status crew_start(const struct crew_job *job, struct process *member, struct error *error)
{
    const struct process_request request = crew_request(job);
    process_free(member);
    return process_start(&request, member, error);
}

/* Removes the shared memory segments that a process made and that nobody is attached to. afl-fuzz
 * removes them when it ends normally, but not when it is killed. */
static void crew_remove_segments(pid_t maker)
{
    char line[512];
    FILE *file = fopen("/proc/sysvipc/shm", "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        long fields[7]; /* fields: key shmid perms size cpid lpid nattch */
        char *rest = line;
        char *end = line;
        size_t count = 0;
        for (; count < 7; count++, rest = end) {
            fields[count] = strtol(rest, &end, 10);
            if (end == rest) {
                break;
            }
        }
        if (count == 7 && fields[4] == maker && fields[6] == 0) {
            (void)shmctl((int)fields[1], IPC_RMID, NULL);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

size_t crew_wait(struct process *members, size_t count, double seconds)
{
    bool *ran = text_grow(NULL, count + 1, sizeof(*ran));
    for (size_t i = 0; i < count; i++) {
        ran[i] = members[i].running;
    }
    size_t running = process_wait(members, count, seconds);
    for (size_t i = 0; i < count; i++) {
        if (ran[i] && !members[i].running) {
            crew_remove_segments(members[i].pid);
        }
    }
    free(ran);
    return running;
}

void crew_stop(struct process *members, size_t count, double grace_s)
{
    process_stop(members, count, grace_s);
    for (size_t i = 0; i < count; i++) {
        crew_remove_segments(members[i].pid); /* the fork server may have been attached until now */
    }
}

enum status crew_run(const struct crew_job *job, double time_s, struct process_result *result,
                     struct error *error)
{
    struct process_request request = crew_request(job);
    request.timeout_s = time_s;
    request.grace_s = 1;
    enum status status = process_run(&request, result, error);
    if (status == STATUS_OK && result->interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else if (status == STATUS_OK && result->timed_out) {
        status = error_set(error, STATUS_BUSY, "%s did not end within %.0f s",
                           job->arguments.items[0], time_s);
    }
    process_result_free(result);
    return status;
}
