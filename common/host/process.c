#include "common/host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host/process_tree.h"

enum {
    PROCESS_OUTPUT_MAX_BYTES = 16 << 20, /* a memory series of 200 samples takes about 20 KiB */
    PROCESS_DRAIN_MS = 200, /* wait for the pipes of an ended child, which a grandchild may hold */
    PROCESS_REAP_S = 2,     /* wait for the end of a killed child */
    PROCESS_EXEC_FAILED = 127,
    PROCESS_FD_FREE = 10,      /* above all descriptors that a child gets */
    PROCESS_RUNNING_MAX = 256, /* at the same time */
    PROCESS_AT_ONCE_MAX = 8,   /* of process_at_once: beyond, memory and the disk are in the way */
};

/* ---------------------------------------------------------------- signals */

/* The signal dispositions that heapmill changes, with their original values. A child in the
 * foreground gets the original ones, since `nohup` and similar programs rely on that. */
static struct process_signal {
    int number;
    bool changed;
    struct sigaction before;
} process_signals[] = {{.number = SIGINT},
                       {.number = SIGTERM},
                       {.number = SIGCHLD},
                       {.number = SIGPIPE},
                       {.number = SIGXFSZ}};
enum {
    SIGNAL_INT,
    SIGNAL_TERM,
    SIGNAL_CHILD,
    SIGNAL_PIPE,
    SIGNAL_FILE_SIZE,
    SIGNALS = sizeof(process_signals) / sizeof(process_signals[0]),
};

static volatile sig_atomic_t process_stop_asked;
static bool process_mask_changed;
static sigset_t process_mask_before;

static void process_on_stop(int number)
{
    (void)number;
    process_stop_asked = 1;
}

static void process_on_child(int number)
{
    (void)number; /* exists so that SIGCHLD ends ppoll */
}

static void process_handle(int index, void (*handler)(int))
{
    struct process_signal *entry = &process_signals[index];
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    (void)sigaction(entry->number, &action, entry->changed ? NULL : &entry->before);
    entry->changed = true;
}

static void process_block(const int *indexes, size_t count)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    for (size_t i = 0; i < count; i++) {
        sigaddset(&blocked, process_signals[indexes[i]].number);
    }
    (void)sigprocmask(SIG_BLOCK, &blocked, process_mask_changed ? NULL : &process_mask_before);
    process_mask_changed = true;
}

/* Handles SIGCHLD, so that the end of a child ends a wait. */
static void process_watch_children(void)
{
    if (!process_signals[SIGNAL_CHILD].changed) {
        process_handle(SIGNAL_CHILD, process_on_child);
        process_block((const int[]){SIGNAL_CHILD}, 1);
    }
}

void process_prepare_signals(void)
{
    process_watch_children();
    process_handle(SIGNAL_INT, process_on_stop);
    process_handle(SIGNAL_TERM, process_on_stop);
    process_handle(SIGNAL_PIPE,
                   SIG_IGN); /* writing to a closed pipe, or beyond the file size limit, is */
    process_handle(SIGNAL_FILE_SIZE, SIG_IGN); /* an error of write, not a death */
    process_block((const int[]){SIGNAL_INT, SIGNAL_TERM}, 2);
}

/* While a child is in the foreground, SIGINT is for the child alone, and heapmill ignores it. */
static void process_leave_interrupts(bool leave)
{
    static struct sigaction saved;
    if (leave) {
        (void)sigaction(SIGINT, NULL, &saved);
        process_handle(SIGNAL_INT, SIG_IGN);
    } else {
        (void)sigaction(SIGINT, &saved, NULL);
    }
}

bool process_interrupted(void)
{
    sigset_t pending;
    if (process_stop_asked == 0 && sigpending(&pending) == 0) {
        return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1;
    }
    return process_stop_asked != 0;
}

/* ---------------------------------------------------------------- in the child */

/* The pipes between heapmill and a child that is being started. [0] is heapmill's end. */
struct process_pipes {
    int output[2];
    int diagnostics[2];
    int failure[2]; /* a successful exec closes it; otherwise it carries a struct process_failure */
};

struct process_failure {
    int reason; /* errno */
    bool directory;
};

static void process_restore_signals(bool foreground)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG && !foreground; number++) {
        (void)sigaction(number, &action, NULL);
    }
    for (size_t i = 0; i < SIGNALS && foreground; i++) {
        if (process_signals[i].changed) {
            (void)sigaction(process_signals[i].number, &process_signals[i].before, NULL);
        }
    }
    (void)sigprocmask(SIG_SETMASK,
                      foreground && process_mask_changed ? &process_mask_before : &none, NULL);
}

/* Gives the child its descriptors. They are first moved above the numbers that they get, so that
 * none is overwritten while it is still needed. */
static bool process_set_descriptors(const struct process_request *request,
                                    struct process_pipes *pipes)
{
    pipes->failure[1] = fcntl(pipes->failure[1], F_DUPFD_CLOEXEC, PROCESS_FD_FREE);
    if (pipes->failure[1] < 0 || request->stdio == PROCESS_FOREGROUND) {
        return pipes->failure[1] >= 0;
    }
    int input = open(request->input != NULL ? request->input : "/dev/null", O_RDONLY | O_CLOEXEC);
    int output = request->output_fd != 0 ? request->output_fd : pipes->output[1];
    int diagnostics = pipes->diagnostics[1];
    if (request->stdio == PROCESS_LOG) {
        output = request->log != NULL
                     ? open(request->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)
                     : STDERR_FILENO;
        diagnostics = output;
    }
    output = fcntl(output, F_DUPFD_CLOEXEC, PROCESS_FD_FREE);
    diagnostics = fcntl(diagnostics, F_DUPFD_CLOEXEC, PROCESS_FD_FREE);
    bool record = request->stdio == PROCESS_RECORD;
    bool done = input >= 0 && output >= 0 && diagnostics >= 0;
    done = done && dup2(input, STDIN_FILENO) >= 0 && dup2(diagnostics, STDERR_FILENO) >= 0;
    done = done && dup2(record ? diagnostics : output, STDOUT_FILENO) >= 0;
    return done && (!record || dup2(output, PROCESS_RECORD_FD) >= 0);
}

/* Puts the child into a cgroup. If that is refused, the child stays in heapmill's own. */
static void process_join_cgroup(const char *path)
{
    int fd = path != NULL ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        ssize_t ignored = write(fd, "0", 1); /* 0 is the writing process */
        (void)ignored;
        (void)close(fd);
    }
}

/* Runs in the child, between fork and exec. */
static void process_become(const struct process_request *request, struct process_pipes *pipes,
                           int stop_signal, pid_t parent)
{
    bool foreground = request->stdio == PROCESS_FOREGROUND;
    if (!foreground) {
        (void)setpgid(0, 0);
    }
    (void)prctl(PR_SET_PDEATHSIG, stop_signal);
    if (getppid() != parent) {
        _exit(PROCESS_EXEC_FAILED); /* heapmill died before the death signal was set */
    }
    process_restore_signals(foreground);
    process_join_cgroup(request->cgroup);
    if (request->fixed_addresses) {
        (void)personality(
            ADDR_NO_RANDOMIZE); /* a sandbox may refuse this; the counts then differ */
    }
    struct process_failure failure = {.directory = false};
    if (process_set_descriptors(request, pipes)) {
        failure.directory = request->directory != NULL && chdir(request->directory) != 0;
        for (size_t i = 0; request->settings != NULL && request->settings[i] != NULL; i++) {
            (void)putenv((char *)request->settings[i]); /* a copy, which lives until exec */
        }
        if (!failure.directory) {
            /* Only for historical reasons exec does not take const strings. */
            (void)execvpe(request->arguments[0], (char *const *)request->arguments,
                          request->environment != NULL ? (char *const *)request->environment
                                                       : environ);
        }
    }
    failure.reason = errno;
    ssize_t ignored = write(pipes->failure[1], &failure, sizeof(failure));
    (void)ignored;
    _exit(PROCESS_EXEC_FAILED);
}

/* ---------------------------------------------------------------- starting */
static void process_close(int *descriptor)
{
    if (*descriptor >= 0) {
        (void)close(*descriptor);
        *descriptor = -1;
    }
}

static void process_close_pipes(struct process_pipes *pipes)
{
    for (int i = 0; i < 2; i++) {
        process_close(&pipes->output[i]);
        process_close(&pipes->diagnostics[i]);
        process_close(&pipes->failure[i]);
    }
}

static enum status process_open_pipes(const struct process_request *request,
                                      struct process_pipes *pipes, struct error *error)
{
    *pipes = (struct process_pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    bool piped = request->stdio == PROCESS_CAPTURE || request->stdio == PROCESS_RECORD;
    if (pipe2(pipes->failure, O_CLOEXEC) != 0 ||
        (piped &&
         (pipe2(pipes->output, O_CLOEXEC) != 0 || pipe2(pipes->diagnostics, O_CLOEXEC) != 0))) {
        process_close_pipes(pipes);
        return error_set(error, STATUS_IO, "a pipe could not be made: %m: raise `ulimit -n`");
    }
    return STATUS_OK;
}

/* Waits for the exec. The result is zero if it succeeded; otherwise it says what failed. */
static struct process_failure process_await_exec(int descriptor)
{
    struct process_failure failure = {0};
    ssize_t count;
    do {
        count = read(descriptor, &failure, sizeof(failure));
    } while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof(failure) ? failure : (struct process_failure){0};
}

static enum status process_refuse(const struct process_request *request,
                                  const struct process_failure *failure, struct error *error)
{
    if (failure->directory) {
        return error_set(error, STATUS_IO, "%s: %s", request->directory, strerror(failure->reason));
    }
    bool absent = failure->reason == ENOENT || failure->reason == EACCES;
    return error_set(error, absent ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s", request->arguments[0],
                     strerror(failure->reason));
}

/* Children that were started and not reaped yet; 0: a free entry. All other children of heapmill
 * were adopted. */
static pid_t process_known[PROCESS_RUNNING_MAX];

/* Replaces the entry `from` by `to`. false: there is no such entry. */
static bool process_note(pid_t from, pid_t to)
{
    for (size_t i = 0; i < PROCESS_RUNNING_MAX; i++) {
        if (process_known[i] == from) {
            process_known[i] = to;
            return true;
        }
    }
    return false;
}

/* Forks, and waits until the child runs its program or has failed to. */
static enum status process_fork(const struct process_request *request, struct process *process,
                                struct process_pipes *pipes, struct error *error)
{
    pid_t parent = getpid();
    if (request->stdio == PROCESS_LOG || request->stdio == PROCESS_FOREGROUND) {
        (void)fflush(NULL); /* heapmill's output comes before the child's */
    }
    if (process->foreground) {
        process_leave_interrupts(true);
    }
    process->begin_ns = clock_wall_ns();
    pid_t child = fork();
    if (child == 0) {
        process_become(request, pipes, process->stop_signal, parent);
    }
    process_close(&pipes->failure[1]);
    struct process_failure failure = {.reason = child < 0 ? errno : 0};
    if (child > 0) {
        failure = process_await_exec(pipes->failure[0]);
    }
    if (failure.reason != 0 && process->foreground) {
        process_leave_interrupts(false);
    }
    if (child < 0) {
        return error_set(error, STATUS_IO, "a process could not be started: %s: raise `ulimit -u`",
                         strerror(failure.reason));
    }
    if (failure.reason != 0) {
        (void)waitpid(child, NULL, 0);
        return process_refuse(request, &failure, error);
    }
    process->pid = child;
    process->running = true;
    return STATUS_OK;
}

enum status process_start(const struct process_request *request, struct process *process,
                          struct error *error)
{
    struct process_pipes pipes;
    *process = (struct process){
        .stop_signal = request->stop_signal != 0 ? request->stop_signal : SIGKILL,
        .foreground = request->stdio == PROCESS_FOREGROUND,
        .whole_tree = request->whole_tree,
        .output_fd = -1,
        .stderr_fd = -1,
    };
    enum status status = process_open_pipes(request, &pipes, error);
    if (status != STATUS_OK) {
        return status;
    }
    process_watch_children();
    if (request->whole_tree) {
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    }
    status = process_fork(request, process, &pipes, error);
    if (status == STATUS_OK) {
        process->output_fd = pipes.output[0];
        process->stderr_fd = pipes.diagnostics[0];
        pipes.output[0] = -1;
        pipes.diagnostics[0] = -1;
        process->result.output = text_format("%s", "");
        (void)process_note(0, process->pid);
    }
    process_close_pipes(&pipes);
    return status;
}

/* ---------------------------------------------------------------- following */

/* Keeps the last bytes in a buffer of fixed size. */
static void process_keep_tail(struct process_result *result, const char *bytes, size_t count)
{
    if (count > PROCESS_STDERR_TAIL_BYTES) {
        bytes += count - PROCESS_STDERR_TAIL_BYTES;
        count = PROCESS_STDERR_TAIL_BYTES;
    }
    size_t kept = result->stderr_bytes;
    size_t over =
        kept + count > PROCESS_STDERR_TAIL_BYTES ? kept + count - PROCESS_STDERR_TAIL_BYTES : 0;
    memmove(result->stderr_tail, result->stderr_tail + over, kept - over);
    memcpy(result->stderr_tail + kept - over, bytes, count);
    result->stderr_bytes = kept + count - over;
    result->stderr_tail[result->stderr_bytes] = '\0';
}

static void process_keep_output(struct process_result *result, const char *bytes, size_t count)
{
    size_t room = PROCESS_OUTPUT_MAX_BYTES - result->output_bytes;
    count = count < room ? count : room;
    result->output = text_grow(result->output, result->output_bytes + count + 1, 1);
    memcpy(result->output + result->output_bytes, bytes, count);
    result->output_bytes += count;
    result->output[result->output_bytes] = '\0';
}

/* Reads all available bytes. Closes the descriptor at its end. */
static void process_drain(struct process *process, int *descriptor)
{
    char bytes[16384];
    ssize_t count = read(*descriptor, bytes, sizeof(bytes));
    if (count > 0 && descriptor == &process->output_fd) {
        process_keep_output(&process->result, bytes, (size_t)count);
    } else if (count > 0) {
        process_keep_tail(&process->result, bytes, (size_t)count);
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
        process_close(descriptor);
    }
}

/* Waits for bytes, a child's end, a signal, or the given time. */
static void process_wait_event(struct process *processes, size_t count, uint64_t wait_ns)
{
    // NOLINTNEXTLINE(bugprone-sizeof-expression)
    struct pollfd *watched = text_grow(NULL, 2 * count + 1, sizeof(*watched));
    for (size_t i = 0; i < count; i++) {
        /* poll skips negative descriptors. An empty entry has zeros instead. */
        bool open = processes[i].pid != 0;
        watched[2 * i] =
            (struct pollfd){.fd = open ? processes[i].output_fd : -1, .events = POLLIN};
        watched[2 * i + 1] =
            (struct pollfd){.fd = open ? processes[i].stderr_fd : -1, .events = POLLIN};
    }
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / 1000000000u),
                            .tv_nsec = (long)(wait_ns % 1000000000u)};
    sigset_t none;
    sigemptyset(&none);
    if (ppoll(watched, 2 * count, &wait, &none) > 0) {
        for (size_t i = 0; i < 2 * count; i++) {
            struct process *process = &processes[i / 2];
            if (watched[i].revents != 0) {
                process_drain(process, i % 2 == 0 ? &process->output_fd : &process->stderr_fd);
            }
        }
    }
    free(watched);
}

static uint64_t process_timeval_ns(struct timeval value)
{
    return ((uint64_t)value.tv_sec * 1000000u + (uint64_t)value.tv_usec) * 1000u;
}

/* Takes the ended child's exit status and figures, and its last output. */
static void process_reap(struct process *process)
{
    struct process_result *result = &process->result;
    int status = 0;
    struct rusage usage = {0};
    result->wall_ns = clock_wall_ns() - process->begin_ns;
    if (!process->foreground) {
        (void)kill(-process->pid, SIGKILL); /* kills what the child left in its group */
    }
    while (wait4(process->pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    uint64_t used = process_timeval_ns(usage.ru_utime) + process_timeval_ns(usage.ru_stime);
    result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    /* CPU time of a descendant that the child never waited for was only seen by the last look. */
    result->cpu_ns = used > result->cpu_ns ? used : result->cpu_ns;
    result->faults_minor = (uint64_t)usage.ru_minflt;
    result->faults_major = (uint64_t)usage.ru_majflt;
    result->rss_bytes_peak = (uint64_t)usage.ru_maxrss * 1024;
    result->switches_voluntary = (uint64_t)usage.ru_nvcsw;
    result->switches_involuntary = (uint64_t)usage.ru_nivcsw;
    process->running = false;
    (void)process_note(process->pid, 0);
    if (process->foreground) {
        process_leave_interrupts(false);
    }
    uint64_t deadline = clock_wall_ns() + PROCESS_DRAIN_MS * UINT64_C(1000000);
    for (uint64_t now; (process->output_fd >= 0 || process->stderr_fd >= 0) &&
                       (now = clock_wall_ns()) < deadline;) {
        process_wait_event(process, 1, deadline - now);
    }
    process_close(&process->output_fd);
    process_close(&process->stderr_fd);
}

/* Reaps the children that have ended, and updates the CPU time of the others. Returns how many
 * still run. */
static size_t process_look(struct process *processes, size_t count)
{
    size_t running = 0;
    struct process_tree tree = {.count = 0};
    for (size_t i = 0; i < count; i++) {
        struct process *process = &processes[i];
        siginfo_t info = {.si_pid = 0};
        if (!process->running) {
            continue;
        }
        /* Reading all of /proc takes a millisecond or more, so this happens at most once a
         * second. */
        if (process->whole_tree && clock_wall_ns() - process->tree_ns >= UINT64_C(1000000000)) {
            process->tree_ns = clock_wall_ns();
            if (tree.count == 0) {
                process_tree_read(&tree);
            }
            uint64_t used = process_tree_cpu_ns(&tree, process->pid);
            process->result.cpu_ns = used > process->result.cpu_ns ? used : process->result.cpu_ns;
        }
        /* Reads the status without reaping. Until the child is reaped, its group's number cannot
         * belong to another group when that is killed. */
        if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == process->pid) {
            process_reap(process);
        }
        running += process->running;
    }
    process_tree_free(&tree);
    return running;
}

size_t process_wait(struct process *processes, size_t count, double seconds)
{
    size_t running = process_look(processes, count);
    if (seconds > 0 && (running > 0 || count == 0) && !process_interrupted()) {
        process_wait_event(processes, count, (uint64_t)(seconds * 1e9));
        running = process_look(processes, count);
    }
    return running;
}

/* ---------------------------------------------------------------- ending */

/* Waits until no child runs or the time is over. Signals do not end the wait. */
static size_t process_await(struct process *processes, size_t count, double seconds)
{
    uint64_t end = clock_wall_ns() + (uint64_t)(seconds * 1e9);
    size_t running = process_look(processes, count);
    for (uint64_t now; running > 0 && (now = clock_wall_ns()) < end;) {
        process_wait_event(processes, count, end - now);
        running = process_look(processes, count);
    }
    return running;
}

static void process_kill(struct process *process)
{
    if (process->whole_tree) {
        struct process_tree tree;
        process_tree_read(&tree);
        process_tree_kill(&tree, process->pid);
        process_tree_free(&tree);
    }
    (void)kill(process->foreground ? process->pid : -process->pid, SIGKILL);
}

/* Kills and reaps children that heapmill did not start. */
static void process_end_orphans(void)
{
    struct process_tree tree;
    process_tree_read(&tree);
    for (size_t i = 0; i < tree.count; i++) {
        const struct process_entry *entry = &tree.processes[i];
        if (entry->parent == getpid() && !process_note(entry->pid, entry->pid)) {
            (void)kill(entry->pid, SIGKILL);
            (void)waitpid(entry->pid, NULL, 0);
        }
    }
    process_tree_free(&tree);
}

void process_stop(struct process *processes, size_t count, double grace_s)
{
    bool trees = false;
    for (size_t i = 0; i < count; i++) {
        trees |= processes[i].whole_tree;
        if (processes[i].running && processes[i].stop_signal != SIGKILL) {
            (void)kill(processes[i].pid, processes[i].stop_signal);
        } else if (processes[i].running) {
            process_kill(&processes[i]);
        }
    }
    if (process_await(processes, count, grace_s) > 0) {
        for (size_t i = 0; i < count; i++) {
            if (processes[i].running) {
                process_kill(&processes[i]);
            }
        }
        (void)process_await(processes, count, PROCESS_REAP_S);
    }
    if (trees) {
        process_end_orphans();
    }
}

void process_keep(pid_t child)
{
    (void)process_note(0, child);
}

void process_free(struct process *process)
{
    if (process->running) {
        process_stop(process, 1, 0);
    }
    if (process->pid != 0) {
        process_close(&process->output_fd);
        process_close(&process->stderr_fd);
    }
    process_result_free(&process->result);
    *process = (struct process){.pid = 0};
}

void process_result_free(struct process_result *result)
{
    free(result->output);
    result->output = NULL;
}

/* How long a child may go on before it is looked at again; 0: its time is over. One with
 * descendants is looked at every second: what they used is forgotten when they end. */
static uint64_t process_time_left(const struct process_request *request,
                                  const struct process *process)
{
    const uint64_t second = UINT64_C(1000000000);
    uint64_t limit = request->timeout_s > 0 ? (uint64_t)(request->timeout_s * 1e9) : UINT64_MAX;
    uint64_t past = clock_wall_ns() - process->begin_ns;
    uint64_t left = past < limit ? limit - past : 0;
    return left > second && (process->whole_tree || left > 3600 * second) ? second : left;
}

/* Stops what still runs, and gives its result. */
static void process_conclude(const struct process_request *request, struct process *process,
                             struct process_result *result)
{
    if (process->running) {
        process->result.interrupted = process_interrupted();
        process->result.timed_out = !process->result.interrupted;
    }
    if (process->running || process->whole_tree) {
        process_stop(process, 1, request->grace_s);
    }
    *result = process->result;
    process->result.output = NULL;
    process_free(process);
}

/* Concludes those that have ended or must, and says how long the others may be left alone. */
static uint64_t process_conclude_some(const struct process_request *requests,
                                      struct process_result *results, struct process *processes,
                                      const size_t *whose, size_t count, bool all)
{
    uint64_t wait_ns = UINT64_MAX;
    (void)process_look(processes, count);
    for (size_t i = 0; i < count; i++) {
        if (processes[i].pid == 0) {
            continue;
        }
        uint64_t left_ns = process_time_left(&requests[whose[i]], &processes[i]);
        if (!processes[i].running || left_ns == 0 || all || process_interrupted()) {
            process_conclude(&requests[whose[i]], &processes[i], &results[whose[i]]);
            left_ns = 0;
        }
        wait_ns = left_ns < wait_ns ? left_ns : wait_ns;
    }
    return wait_ns;
}

enum status process_run_all(const struct process_request *requests, struct process_result *results,
                            size_t count, size_t at_once, struct error *error)
{
    struct process *processes = text_grow(NULL, at_once, sizeof(*processes));
    size_t *whose = text_grow(NULL, at_once, sizeof(*whose));
    enum status status = STATUS_OK;
    size_t next = 0;
    uint64_t wait_ns = 0;
    memset(processes, 0, at_once * sizeof(*processes));
    for (size_t i = 0; i < count; i++) {
        results[i] = (struct process_result){.output = NULL};
    }
    /* wait_ns is UINT64_MAX when none runs. */
    while (wait_ns != UINT64_MAX || (next < count && status == STATUS_OK)) {
        for (size_t i = 0; i < at_once && next < count && status == STATUS_OK; i++) {
            if (processes[i].pid == 0 && process_interrupted()) {
                results[next++].interrupted = true;
            } else if (processes[i].pid == 0) {
                whose[i] = next;
                status = process_start(&requests[next++], &processes[i], error);
                processes[i].pid = status == STATUS_OK ? processes[i].pid : 0;
            }
        }
        wait_ns = process_conclude_some(requests, results, processes, whose, at_once,
                                        status != STATUS_OK);
        if (wait_ns != 0 && wait_ns != UINT64_MAX) {
            process_wait_event(processes, at_once, wait_ns);
        }
    }
    for (size_t i = 0; i < count; i++) {
        results[i].output = results[i].output != NULL ? results[i].output : text_format("%s", "");
    }
    free(processes);
    free(whose);
    return status;
}

size_t process_at_once(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < 1 ? 1 : count > PROCESS_AT_ONCE_MAX ? PROCESS_AT_ONCE_MAX : (size_t)count;
}

enum status process_run(const struct process_request *request, struct process_result *result,
                        struct error *error)
{
    return process_run_all(request, result, 1, 1, error);
}

const char *const *process_vector(const struct text_list *list)
{
    static const char *const none[] = {NULL};
    return list->count > 0 ? (const char *const *)list->items : none;
}
