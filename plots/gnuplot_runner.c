/* The script writes into .NAME-PID.tmp.svg and .png; only whole pictures get their real names. */
#include "plots/gnuplot_runner.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STDERR_TAIL = 600, VARIABLES_MAX = 512 };

static const struct {
    enum picture_format format;
    const char *suffix;
} pictures[] = {{PICTURE_SVG, "svg"}, {PICTURE_PNG, "png"}};
enum { PICTURES = sizeof pictures / sizeof pictures[0] };

/* The last bytes that the child said. */
struct tail {
    char text[STDERR_TAIL + 1];
    size_t length;
};

struct child {
    pid_t pid;
    int stderr_fd; /* closed by us when it has been read to its end */
    int exec_fd;   /* gives errno if exec failed, nothing if it went well */
};

static void tail_append(struct tail *tail, const char *bytes, size_t count)
{
    if (count > STDERR_TAIL) {
        bytes += count - STDERR_TAIL;
        count = STDERR_TAIL;
    }
    size_t over = tail->length + count > STDERR_TAIL ? tail->length + count - STDERR_TAIL : 0;
    memmove(tail->text, tail->text + over, tail->length - over);
    tail->length -= over;
    memcpy(tail->text + tail->length, bytes, count);
    tail->length += count;
    tail->text[tail->length] = '\0';
}

/* One line for an error message: control characters become spaces, the ends are trimmed. */
static const char *tail_as_line(struct tail *tail)
{
    for (size_t i = 0; i < tail->length; i++) {
        if ((unsigned char)tail->text[i] < ' ') {
            tail->text[i] = ' ';
        }
    }
    while (tail->length > 0 && tail->text[tail->length - 1] == ' ') {
        tail->text[--tail->length] = '\0';
    }
    return tail->text + strspn(tail->text, " ");
}

static void child_exec(const struct gnuplot_job *job, const char *variables, int stderr_fd,
                       int exec_fd)
{
    char script[NAME_MAX + 1];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null_fd = open("/dev/null", O_RDWR);
    if (null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 && dup2(null_fd, STDOUT_FILENO) >= 0 &&
        dup2(stderr_fd, STDERR_FILENO) >= 0 && chdir(job->directory) == 0) {
        snprintf(script, sizeof script, "%s.gp", job->name);
        /* -d leaves out the user's gnuplotrc: a picture must not depend on it. */
        execlp(job->program, job->program, "-d", "-e", variables, script, (char *)NULL);
    }
    int code = errno;
    ssize_t written = write(exec_fd, &code, sizeof code);
    _exit(written == sizeof code ? 127 : 126);
}

static enum status child_start(const struct gnuplot_job *job, const char *variables,
                               struct child *child, struct error *error)
{
    int stderr_pipe[2];
    int exec_pipe[2];
    if (pipe2(stderr_pipe, O_CLOEXEC) != 0) {
        return error_set(error, STATUS_IO, "cannot make a pipe: %s", strerror(errno));
    }
    if (pipe2(exec_pipe, O_CLOEXEC) != 0) {
        close(stderr_pipe[0]);
        close(stderr_pipe[1]);
        return error_set(error, STATUS_IO, "cannot make a pipe: %s", strerror(errno));
    }
    child->pid = fork();
    if (child->pid == 0) {
        child_exec(job, variables, stderr_pipe[1], exec_pipe[1]);
    }
    int code = errno;
    close(stderr_pipe[1]);
    close(exec_pipe[1]);
    child->stderr_fd = stderr_pipe[0];
    child->exec_fd = exec_pipe[0];
    if (child->pid < 0) {
        close(child->stderr_fd);
        close(child->exec_fd);
        return error_set(error, STATUS_IO, "cannot start a process: %s", strerror(code));
    }
    return STATUS_OK;
}

/* Reads what the child says until it closes its stderr; false when the time is over. */
static bool child_listen(const struct child *child, double timeout_s, struct tail *tail)
{
    uint64_t deadline_ns = clock_wall_ns() + (uint64_t)(timeout_s * 1e9);
    for (;;) {
        uint64_t now_ns = clock_wall_ns();
        if (now_ns >= deadline_ns) {
            return false;
        }
        struct pollfd waiting = {.fd = child->stderr_fd, .events = POLLIN};
        int ready = poll(&waiting, 1, (int)((deadline_ns - now_ns) / 1000000u) + 1);
        if (ready < 0 && errno != EINTR) {
            return false;
        }
        if (ready <= 0) {
            continue;
        }
        char bytes[1024];
        ssize_t count = read(child->stderr_fd, bytes, sizeof bytes);
        if (count <= 0) {
            return true;
        }
        tail_append(tail, bytes, (size_t)count);
    }
}

/* Waits for the child's end and says what was wrong with it. */
static enum status child_finish(const struct gnuplot_job *job, struct child *child,
                                struct error *error)
{
    struct tail tail = {.length = 0};
    bool in_time = child_listen(child, job->timeout_s, &tail);
    if (!in_time) {
        kill(child->pid, SIGKILL);
    }
    int how = 0;
    while (waitpid(child->pid, &how, 0) < 0 && errno == EINTR) {
    }
    int code = 0;
    ssize_t got = read(child->exec_fd, &code, sizeof code);
    close(child->exec_fd);
    close(child->stderr_fd);
    if (got == sizeof code && (code == ENOENT || code == EACCES)) {
        return error_set(error, STATUS_UNSUPPORTED, "cannot run '%s': %s", job->program,
                         strerror(code));
    }
    if (got == sizeof code) {
        return error_set(error, STATUS_IO, "cannot start '%s' in %s: %s", job->program,
                         job->directory, strerror(code));
    }
    if (!in_time) {
        return error_set(error, STATUS_IO, "%s %s.gp was not done after %.0f s and was killed",
                         job->program, job->name, job->timeout_s);
    }
    if (WIFSIGNALED(how)) {
        return error_set(error, STATUS_IO, "%s %s.gp was killed by signal %d (%s): %s",
                         job->program, job->name, WTERMSIG(how), strsignal(WTERMSIG(how)),
                         tail_as_line(&tail));
    }
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) {
        return error_set(error, STATUS_IO, "%s %s.gp failed: %s", job->program, job->name,
                         tail_as_line(&tail));
    }
    return STATUS_OK;
}

/* Whether the file begins and ends as a whole picture of its format does. gnuplot can exit with 0
 * and leave an empty or cut file, on a full disk for one. */
static bool picture_is_whole(const char *path, enum picture_format format)
{
    static const char png_end[] = "IEND\xae\x42\x60\x82";
    const char *wanted = format == PICTURE_PNG ? png_end : "</svg>";
    size_t wanted_length = strlen(wanted);
    FILE *file = fopen(path, "rb");
    if (!file) {
        return false;
    }
    char end[32] = "";
    long from = fseek(file, 0, SEEK_END) == 0 ? ftell(file) - (long)sizeof end : -1;
    bool read_end = from >= 0 && fseek(file, from, SEEK_SET) == 0 &&
                    fread(end, 1, sizeof end, file) == sizeof end;
    fclose(file);
    if (!read_end) {
        return false;
    }
    /* An SVG may end with white space. */
    size_t length = sizeof end;
    while (format == PICTURE_SVG && length > 0 && strchr("\r\n ", end[length - 1])) {
        length--;
    }
    return length >= wanted_length &&
           memcmp(end + length - wanted_length, wanted, wanted_length) == 0;
}

static void picture_path(char *path, const struct gnuplot_job *job, size_t picture, bool temporary)
{
    if (temporary) {
        snprintf(path, PATH_MAX, "%s/.%s-%ld.tmp.%s", job->directory, job->name, (long)getpid(),
                 pictures[picture].suffix);
    } else {
        snprintf(path, PATH_MAX, "%s/%s.%s", job->directory, job->name, pictures[picture].suffix);
    }
}

static enum status check_pictures(const struct gnuplot_job *job, struct error *error)
{
    for (size_t i = 0; i < PICTURES; i++) {
        char path[PATH_MAX];
        picture_path(path, job, i, true);
        if ((job->formats & pictures[i].format) && !picture_is_whole(path, pictures[i].format)) {
            return error_set(
                error, STATUS_IO,
                "%s %s.gp left no whole %s: is the disk full, or its terminal missing? "
                "(apt-get install gnuplot-nox)",
                job->program, job->name, pictures[i].suffix);
        }
    }
    return STATUS_OK;
}

static enum status publish_pictures(const struct gnuplot_job *job, struct error *error)
{
    for (size_t i = 0; i < PICTURES; i++) {
        char from[PATH_MAX];
        char to[PATH_MAX];
        picture_path(from, job, i, true);
        picture_path(to, job, i, false);
        if ((job->formats & pictures[i].format) && rename(from, to) != 0) {
            return error_set(error, STATUS_IO, "cannot write %s: %s", to, strerror(errno));
        }
    }
    return STATUS_OK;
}

void gnuplot_remove_pictures(const char *directory, const char *name)
{
    const struct gnuplot_job job = {.directory = directory, .name = name};
    for (size_t i = 0; i < PICTURES; i++) {
        char path[PATH_MAX];
        picture_path(path, &job, i, false);
        unlink(path);
    }
}

enum status gnuplot_run(const struct gnuplot_job *job, struct error *error)
{
    char variables[VARIABLES_MAX];
    int length = snprintf(variables, sizeof variables, "target='.%s-%ld.tmp'; formats='%s%s'",
                          job->name, (long)getpid(), (job->formats & PICTURE_SVG) ? "svg " : "",
                          (job->formats & PICTURE_PNG) ? "png" : "");
    if (length < 0 || (size_t)length >= sizeof variables) {
        return error_set(error, STATUS_INVALID, "the figure's name is too long: %s", job->name);
    }
    gnuplot_remove_pictures(job->directory, job->name);
    struct child child = {0};
    enum status status = child_start(job, variables, &child, error);
    if (status == STATUS_OK) {
        status = child_finish(job, &child, error);
    }
    if (status == STATUS_OK) {
        status = check_pictures(job, error);
    }
    if (status == STATUS_OK) {
        status = publish_pictures(job, error);
    }
    for (size_t i = 0; i < PICTURES; i++) {
        char path[PATH_MAX];
        picture_path(path, job, i, true);
        unlink(path);
    }
    if (status != STATUS_OK) {
        gnuplot_remove_pictures(job->directory, job->name);
    }
    return status;
}
