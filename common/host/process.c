#include "common/host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host/text.h"

enum {
    PROCESS_OUTPUT_MAX_BYTES = 16 << 20, /* a memory series of 200 samples takes about 20 KiB */
    PROCESS_DRAIN_MS =
        200, /* for the pipes of a child that has ended; a grandchild may hold them */
    PROCESS_EXEC_FAILED = 127,
};

static volatile sig_atomic_t process_stop_asked;

static void process_on_stop(int number)
{
    (void)number;
    process_stop_asked = 1;
}

static void process_on_child(int number)
{
    (void)number; /* only there so that SIGCHLD ends ppoll */
}

void process_prepare_signals(void)
{
    struct sigaction action = {.sa_handler = process_on_stop};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    action.sa_handler = process_on_child;
    (void)sigaction(SIGCHLD, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL); /* a closed pipe and a file that may not grow are */
    (void)sigaction(SIGXFSZ, &action, NULL); /* errors of write, not deaths */
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &blocked, NULL);
}

bool process_interrupted(void)
{
    sigset_t pending;
    if (process_stop_asked == 0 && sigpending(&pending) == 0) {
        return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1;
    }
    return process_stop_asked != 0;
}

/* What is open towards a running child. */
struct process_pipes {
    int output[2];
    int diagnostics[2]; /* the child's stderr */
    int failure[2];     /* closed by a successful exec; carries errno of one that failed */
};

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

static enum status process_open_pipes(struct process_pipes *pipes, struct error *error)
{
    *pipes = (struct process_pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    if (pipe2(pipes->output, O_CLOEXEC) != 0 || pipe2(pipes->diagnostics, O_CLOEXEC) != 0 ||
        pipe2(pipes->failure, O_CLOEXEC) != 0) {
        process_close_pipes(pipes);
        return error_set(error, STATUS_IO, "a pipe could not be made: %m: raise `ulimit -n`");
    }
    return STATUS_OK;
}

/* Gives the child its descriptors; they may not be overwritten while they are still needed, so all
 * are first moved above the ones that they go to. */
static bool process_set_descriptors(const struct process_request *request,
                                    struct process_pipes *pipes)
{
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int output = fcntl(pipes->output[1], F_DUPFD_CLOEXEC, 10);
    int diagnostics = fcntl(pipes->diagnostics[1], F_DUPFD_CLOEXEC, 10);
    pipes->failure[1] = fcntl(pipes->failure[1], F_DUPFD_CLOEXEC, 10);
    bool done = input >= 0 && output >= 0 && diagnostics >= 0 && pipes->failure[1] >= 0;
    done = done && dup2(input, STDIN_FILENO) >= 0 && dup2(diagnostics, STDERR_FILENO) >= 0;
    done = done && dup2(request->record_fd ? diagnostics : output, STDOUT_FILENO) >= 0;
    return done && (!request->record_fd || dup2(output, PROCESS_RECORD_FD) >= 0);
}

/* In the child, between fork and exec. */
static void process_become(const struct process_request *request, struct process_pipes *pipes,
                           pid_t parent)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(PROCESS_EXEC_FAILED); /* it died before the request was made */
    }
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        (void)sigaction(number, &action, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (request->fixed_addresses) {
        (void)personality(ADDR_NO_RANDOMIZE); /* a sandbox may refuse: counts then tell */
    }
    if (process_set_descriptors(request, pipes)) {
        /* execve takes its strings as not const for historical reasons only. */
        (void)execve(request->arguments[0], (char *const *)request->arguments,
                     (char *const *)request->environment);
    }
    int reason = errno;
    ssize_t ignored = write(pipes->failure[1], &reason, sizeof(reason));
    (void)ignored;
    _exit(PROCESS_EXEC_FAILED);
}

/* The end of what came, in a buffer of fixed size. */
static void process_keep_tail(struct process_result *result, size_t *kept, const char *bytes,
                              size_t count)
{
    if (count > PROCESS_STDERR_TAIL_BYTES) {
        bytes += count - PROCESS_STDERR_TAIL_BYTES;
        count = PROCESS_STDERR_TAIL_BYTES;
    }
    size_t over =
        *kept + count > PROCESS_STDERR_TAIL_BYTES ? *kept + count - PROCESS_STDERR_TAIL_BYTES : 0;
    memmove(result->stderr_tail, result->stderr_tail + over, *kept - over);
    memcpy(result->stderr_tail + *kept - over, bytes, count);
    *kept += count - over;
    result->stderr_tail[*kept] = '\0';
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

/* Reads what has come; closes the descriptor at its end. */
static void process_drain(struct process_result *result, size_t *kept, struct process_pipes *pipes,
                          bool output)
{
    char bytes[16384];
    int *descriptor = output ? &pipes->output[0] : &pipes->diagnostics[0];
    ssize_t count = read(*descriptor, bytes, sizeof(bytes));
    if (count > 0 && output) {
        process_keep_output(result, bytes, (size_t)count);
    } else if (count > 0) {
        process_keep_tail(result, kept, bytes, (size_t)count);
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
        process_close(descriptor);
    }
}

/* Waits for bytes, the child's end, a signal, or the deadline, whichever is first. */
static void process_wait_event(struct process_result *result, size_t *kept,
                               struct process_pipes *pipes, uint64_t deadline_ns)
{
    struct pollfd watched[2] = {{.fd = pipes->output[0], .events = POLLIN},
                                {.fd = pipes->diagnostics[0], .events = POLLIN}};
    uint64_t now = clock_wall_ns();
    uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
    struct timespec wait = {.tv_sec = (time_t)(left / 1000000000u),
                            .tv_nsec = (long)(left % 1000000000u)};
    sigset_t none;
    sigemptyset(&none);
    if (ppoll(watched, 2, &wait, &none) > 0) {
        for (int i = 0; i < 2; i++) {
            if (watched[i].revents != 0) {
                process_drain(result, kept, pipes, i == 0);
            }
        }
    }
}

static uint64_t process_timeval_ns(struct timeval value)
{
    return ((uint64_t)value.tv_sec * 1000000u + (uint64_t)value.tv_usec) * 1000u;
}

/* Takes the ended child's exit status and figures. */
static void process_reap(pid_t child, struct process_result *result)
{
    int status = 0;
    struct rusage usage = {0};
    while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result->cpu_ns = process_timeval_ns(usage.ru_utime) + process_timeval_ns(usage.ru_stime);
    result->faults_minor = (uint64_t)usage.ru_minflt;
    result->faults_major = (uint64_t)usage.ru_majflt;
}

/* Follows the child until it has been reaped and its pipes are read. */
static void process_follow(pid_t child, const struct process_request *request,
                           struct process_pipes *pipes, struct process_result *result)
{
    uint64_t begin = clock_wall_ns();
    uint64_t deadline = begin + (uint64_t)(request->timeout_s * 1e9);
    size_t kept = 0;
    bool ended = false;
    bool killed = false;
    while (!ended) {
        siginfo_t info = {.si_pid = 0};
        /* Not reaped yet: its process group's number cannot be another's when it is killed below.
         */
        if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == child) {
            ended = true;
            result->wall_ns = clock_wall_ns() - begin;
            continue;
        }
        bool late = clock_wall_ns() >= deadline;
        if (!killed && (late || process_interrupted())) {
            result->interrupted = process_interrupted();
            result->timed_out = !result->interrupted;
            (void)kill(-child, SIGKILL);
            killed = true;
            deadline += UINT64_C(1) << 60;
        }
        process_wait_event(result, &kept, pipes, deadline);
    }
    (void)kill(-child, SIGKILL); /* whatever the child has left behind in its group */
    process_reap(child, result);
    deadline = clock_wall_ns() + PROCESS_DRAIN_MS * UINT64_C(1000000);
    while ((pipes->output[0] >= 0 || pipes->diagnostics[0] >= 0) && clock_wall_ns() < deadline) {
        process_wait_event(result, &kept, pipes, deadline);
    }
}

/* Waits for the exec; the child's errno, or 0 when it succeeded. */
static int process_exec_errno(struct process_pipes *pipes)
{
    int reason = 0;
    ssize_t count;
    do {
        count = read(pipes->failure[0], &reason, sizeof(reason));
    } while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof(reason) ? reason : 0;
}

enum status process_run(const struct process_request *request, struct process_result *result,
                        struct error *error)
{
    struct process_pipes pipes;
    *result = (struct process_result){0};
    result->output = text_format("%s", "");
    enum status status = process_open_pipes(&pipes, error);
    if (status != STATUS_OK) {
        return status;
    }
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        process_become(request, &pipes, parent);
    }
    if (child < 0) {
        process_close_pipes(&pipes);
        return error_set(error, STATUS_IO, "a process could not be started: %m: raise `ulimit -u`");
    }
    process_close(&pipes.output[1]);
    process_close(&pipes.diagnostics[1]);
    process_close(&pipes.failure[1]);
    int reason = process_exec_errno(&pipes);
    process_follow(child, request, &pipes, result);
    process_close_pipes(&pipes);
    if (reason != 0) {
        return error_set(error, reason == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s",
                         request->arguments[0], strerror(reason));
    }
    return STATUS_OK;
}

void process_result_free(struct process_result *result)
{
    free(result->output);
    result->output = NULL;
}
