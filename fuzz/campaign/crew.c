#include "fuzz/campaign/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host/process.h"
#include "fuzz/campaign/crew_tree.h"

enum { CREW_EXEC_FAILED = 127, CREW_REAP_MS = 2000, CREW_RUNNING_MAX = 256 };

/* Those that were started and not reaped yet; 0 is no child's. */
static pid_t crew_running[CREW_RUNNING_MAX];

static bool crew_is_running(pid_t pid)
{
    for (size_t i = 0; i < CREW_RUNNING_MAX; i++) {
        if (crew_running[i] == pid) {
            return true;
        }
    }
    return false;
}

/* Puts `to` in the place of `from`. */
static void crew_note(pid_t from, pid_t to)
{
    for (size_t i = 0; i < CREW_RUNNING_MAX; i++) {
        if (crew_running[i] == from) {
            crew_running[i] = to;
            return;
        }
    }
}

void crew_job_free(struct crew_job *job)
{
    text_list_free(&job->arguments);
    text_list_free(&job->settings);
    free(job->log);
    job->log = NULL;
}

/* The items with a NULL behind, borrowed. The caller frees the array. */
static char **crew_vector(const struct text_list *list)
{
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the array is one of pointers
    char **vector = text_grow(NULL, list->count + 1, sizeof(*vector));
    for (size_t i = 0; i < list->count; i++) {
        vector[i] = list->items[i];
    }
    vector[list->count] = NULL;
    return vector;
}

/* In the child. */
static void crew_become(const struct crew_job *job, pid_t parent, int failure)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, job->stop_signal);
    if (getppid() != parent) {
        _exit(CREW_EXEC_FAILED); /* it died before the request was made */
    }
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        (void)sigaction(number, &action, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int input = open("/dev/null", O_RDONLY);
    int log =
        job->log != NULL ? open(job->log, O_WRONLY | O_CREAT | O_APPEND, 0666) : STDERR_FILENO;
    if (input >= 0 && log >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
        dup2(log, STDERR_FILENO) >= 0) {
        for (size_t i = 0; i < job->settings.count; i++) {
            (void)putenv(job->settings.items[i]); /* this process's copy, which lives until exec */
        }
        char **arguments = crew_vector(&job->arguments);
        (void)execv(arguments[0], arguments);
    }
    int reason = errno;
    ssize_t ignored = write(failure, &reason, sizeof(reason));
    (void)ignored;
    _exit(CREW_EXEC_FAILED);
}

/* Waits for the exec; the child's errno, or 0 when it succeeded. */
static int crew_exec_errno(int failure)
{
    int reason = 0;
    ssize_t count;
    do {
        count = read(failure, &reason, sizeof(reason));
    } while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof(reason) ? reason : 0;
}

enum status crew_start(const struct crew_job *job, struct crew_member *member, struct error *error)
{
    int failure[2];
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (pipe2(failure, O_CLOEXEC) != 0) {
        return error_set(error, STATUS_IO, "a pipe could not be made: %m: raise `ulimit -n`");
    }
    pid_t parent = getpid();
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        crew_become(job, parent, failure[1]);
    }
    (void)close(failure[1]);
    int reason = child > 0 ? crew_exec_errno(failure[0]) : errno;
    (void)close(failure[0]);
    *member = (struct crew_member){.pid = child,
                                   .running = child > 0 && reason == 0,
                                   .stop_signal = job->stop_signal,
                                   .begin_ns = clock_wall_ns()};
    if (member->running) {
        crew_note(0, child);
    }
    if (child > 0 && reason != 0) {
        (void)waitpid(child, NULL, 0);
    }
    if (child < 0 || reason != 0) {
        return error_set(error, reason == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
                         "%s cannot be started: %s", job->arguments.items[0], strerror(reason));
    }
    return STATUS_OK;
}

/* The segments that a process made and nobody is attached to. afl-fuzz gives them back when it ends
 * in order, and cannot when it is killed. */
static void crew_remove_segments(pid_t maker)
{
    char line[512];
    FILE *file = fopen("/proc/sysvipc/shm", "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        long fields[7]; /* key shmid perms size cpid lpid nattch */
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

static void crew_reap(struct crew_member *member, int status, const struct rusage *usage)
{
    uint64_t micros =
        ((uint64_t)usage->ru_utime.tv_sec + (uint64_t)usage->ru_stime.tv_sec) * UINT64_C(1000000) +
        (uint64_t)usage->ru_utime.tv_usec + (uint64_t)usage->ru_stime.tv_usec;
    member->running = false;
    crew_note(member->pid, 0);
    member->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    member->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    member->end_ns = clock_wall_ns();
    /* What a descendant used that the child never waited for is only in the last look. */
    member->cpu_ns = micros * 1000 > member->cpu_ns ? micros * 1000 : member->cpu_ns;
    crew_remove_segments(member->pid);
}

/* Ends and reaps the children of heapmill that it did not start: what members that have ended left
 * behind. */
static void crew_end_orphans(void)
{
    struct crew_tree tree;
    crew_tree_read(&tree);
    for (size_t i = 0; i < tree.count; i++) {
        const struct crew_process *process = &tree.processes[i];
        if (process->parent == getpid() && !crew_is_running(process->pid)) {
            (void)kill(process->pid, SIGKILL);
            (void)waitpid(process->pid, NULL, 0);
        }
    }
    crew_tree_free(&tree);
}

size_t crew_poll(struct crew_member *members, size_t count)
{
    size_t running = 0;
    struct crew_tree tree;
    crew_tree_read(&tree);
    for (size_t i = 0; i < count; i++) {
        struct crew_member *member = &members[i];
        if (!member->running) {
            continue;
        }
        uint64_t used = crew_tree_cpu_ns(&tree, member->pid);
        member->cpu_ns = used > member->cpu_ns ? used : member->cpu_ns;
        int status = 0;
        struct rusage usage = {0};
        if (wait4(member->pid, &status, WNOHANG, &usage) == member->pid) {
            crew_reap(member, status, &usage);
        }
        running += member->running;
    }
    crew_tree_free(&tree);
    return running;
}

void crew_wait(double seconds)
{
    struct timespec wait = {.tv_sec = (time_t)seconds};
    wait.tv_nsec = (long)((seconds - (double)wait.tv_sec) * 1e9);
    sigset_t none;
    sigemptyset(&none);
    (void)ppoll(NULL, 0, &wait, &none);
}

/* Polls until none runs or the time is over. */
static size_t crew_await(struct crew_member *members, size_t count, double seconds)
{
    uint64_t end = clock_wall_ns() + (uint64_t)(seconds * 1e9);
    size_t running = crew_poll(members, count);
    while (running > 0 && clock_wall_ns() < end) {
        crew_wait(0.02);
        running = crew_poll(members, count);
    }
    return running;
}

void crew_stop(struct crew_member *members, size_t count, double grace_s)
{
    for (size_t i = 0; i < count; i++) {
        if (members[i].running) {
            (void)kill(members[i].pid, members[i].stop_signal);
        }
    }
    if (crew_await(members, count, grace_s) > 0) {
        struct crew_tree tree;
        crew_tree_read(&tree);
        for (size_t i = 0; i < count; i++) {
            if (members[i].running) {
                crew_tree_kill(&tree, members[i].pid);
            }
        }
        crew_tree_free(&tree);
        (void)crew_await(members, count, CREW_REAP_MS / 1e3);
    }
    crew_end_orphans();
    for (size_t i = 0; i < count; i++) {
        crew_remove_segments(members[i].pid); /* the fork server may have been attached till now */
    }
}

enum status crew_run(const struct crew_job *job, double time_s, struct crew_member *member,
                     struct error *error)
{
    enum status status = crew_start(job, member, error);
    if (status != STATUS_OK) {
        return status;
    }
    uint64_t end = member->begin_ns + (uint64_t)(time_s * 1e9);
    while (crew_poll(member, 1) > 0 && !process_interrupted() && clock_wall_ns() < end) {
        double left = (double)(end - clock_wall_ns()) / 1e9;
        crew_wait(left < 1 ? left : 1);
    }
    bool running = member->running;
    crew_stop(member, 1, 1);
    if (running && process_interrupted()) {
        return error_set(error, STATUS_INTERRUPTED, "interrupted");
    }
    return running ? error_set(error, STATUS_BUSY, "%s did not end within %.0f s",
                               job->arguments.items[0], time_s)
                   : STATUS_OK;
}
