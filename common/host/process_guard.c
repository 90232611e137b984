#include "common/host/process_guard.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host/process.h"

enum {
    GUARD_ENVIRONMENT_BYTES = 1 << 20, /* several pages of strings; longer ones are cut */
    GUARD_SWEEPS_MAX = 50,             /* a process may start another while it is searched for */
    GUARD_PAUSE_MS = 20,
    GUARD_FIRST_FD = 3,
};

/* Does the process have the mark? buffer has room for GUARD_ENVIRONMENT_BYTES. */
static bool guard_is_marked(pid_t pid, const char *mark, char *buffer)
{
    char path[64];
    size_t length = strlen(mark) + 1;
    (void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t filled = 0;
    ssize_t count = 0;
    while (fd >= 0 && filled < GUARD_ENVIRONMENT_BYTES &&
           (count = read(fd, buffer + filled, GUARD_ENVIRONMENT_BYTES - filled)) > 0) {
        filled += (size_t)count;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return filled >= length && memmem(buffer, filled, mark, length) != NULL;
}

/* Kills all processes that have the mark; returns their number. A process that has ended but is not
 * reaped has no environment. */
static size_t guard_sweep(const char *mark, char *buffer)
{
    size_t found = 0;
    DIR *directory = opendir("/proc");
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        pid_t pid =
            isdigit((unsigned char)entry->d_name[0]) ? (pid_t)strtol(entry->d_name, NULL, 10) : 0;
        if (pid > 1 && pid != getpid() && guard_is_marked(pid, mark, buffer)) {
            found++;
            (void)kill(pid, SIGKILL);
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return found;
}

static void guard_end_all(const char *mark)
{
    char *buffer = malloc(GUARD_ENVIRONMENT_BYTES);
    const struct timespec pause = {.tv_nsec = GUARD_PAUSE_MS * 1000000L};
    for (int i = 0; buffer != NULL && i < GUARD_SWEEPS_MAX && guard_sweep(mark, buffer) > 0; i++) {
        (void)nanosleep(&pause, NULL);
    }
    free(buffer);
}

/* The guard's main function. It keeps none of heapmill's descriptors open. */
static void guard_live(const struct process_guard *guard, int pipe_fd)
{
    pid_t group = 0;
    pid_t next;
    ssize_t count;
    int kept = dup2(pipe_fd, STDIN_FILENO);
    (void)setsid();
    (void)close_range(STDOUT_FILENO, ~0u, 0);
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_IGN);
    }
    while ((count = read(kept, &next, sizeof(next))) == (ssize_t)sizeof(next) ||
           (count < 0 && errno == EINTR)) {
        group = count > 0 ? next : group;
    }
    if (group > 1) {
        (void)kill(-group, SIGKILL);
    }
    guard_end_all(guard->mark);
    _exit(0);
}

enum status process_guard_start(struct process_guard *guard, struct error *error)
{
    int ends[2];
    *guard = (struct process_guard){.pipe_fd = -1};
    (void)snprintf(guard->mark, sizeof(guard->mark), "HEAPMILL_RUN=%d.%llu", (int)getpid(),
                   (unsigned long long)clock_wall_ns());
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return error_set(error, STATUS_IO, "a pipe could not be made: %m: raise `ulimit -n`");
    }
    (void)fflush(NULL);
    guard->pid = fork();
    if (guard->pid == 0) {
        (void)close(ends[1]);
        guard_live(guard, ends[0]);
    }
    (void)close(ends[0]);
    if (guard->pid < 0) {
        (void)close(ends[1]);
        return error_set(error, STATUS_IO, "a process could not be started: %m: raise `ulimit -u`");
    }
    guard->pipe_fd = ends[1];
    process_keep(guard->pid);
    return STATUS_OK;
}

void process_guard_watch(const struct process_guard *guard, pid_t group)
{
    ssize_t ignored = guard->pipe_fd >= 0 ? write(guard->pipe_fd, &group, sizeof(group)) : 0;
    (void)ignored;
}

void process_guard_end(struct process_guard *guard)
{
    if (guard->pipe_fd >= 0) {
        process_guard_watch(guard, 0);
        (void)close(guard->pipe_fd);
        while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        guard->pipe_fd = -1;
    }
}
