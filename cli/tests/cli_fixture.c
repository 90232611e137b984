#include "cli/tests/cli_fixture.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "common/host/text.h"

static char fixture_directory[256];

static int fixture_remove_entry(const char *path, const struct stat *status, int flag,
                                struct FTW *ftw)
{
    (void)status;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void fixture_leave(void)
{
    (void)chdir("/");
    (void)nftw(fixture_directory, fixture_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void fixture_enter(void)
{
    const char *parent = getenv("TMPDIR");
    (void)snprintf(fixture_directory, sizeof(fixture_directory), "%s/heapmill-cli-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(fixture_directory));
    assert_int_equal(chdir(fixture_directory), 0);
    assert_int_equal(setenv("HOME", fixture_directory, 1), 0);
    assert_int_equal(atexit(fixture_leave), 0);
}

static void fixture_become(const char *const *arguments, size_t file_limit)
{
    const char *program = getenv("HEAPMILL_PROGRAM"); /* beside other libraries: scripts/mutants */
    const char *all[64] = {program != NULL ? program : HEAPMILL_PROGRAM};
    for (size_t i = 0; arguments[i] != NULL && i + 2 < sizeof(all) / sizeof(all[0]); i++) {
        all[i + 1] = arguments[i];
    }
    int out = open("out.txt", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    int err = open("err.txt", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (out < 0 || err < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) {
        _exit(125);
    }
    struct rlimit limit = {.rlim_cur = file_limit, .rlim_max = file_limit};
    if (file_limit > 0 && setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        _exit(125);
    }
    (void)execv(all[0], (char *const *)all);
    _exit(126);
}

pid_t fixture_start(const char *const *arguments, size_t file_limit)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        fixture_become(arguments, file_limit);
    }
    return pid;
}

int fixture_wait(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct fixture_outcome fixture_run(const char *const *arguments)
{
    struct fixture_outcome outcome = {.status = fixture_wait(fixture_start(arguments, 0))};
    outcome.out = fixture_read("out.txt");
    outcome.err = fixture_read("err.txt");
    return outcome;
}

void fixture_outcome_free(struct fixture_outcome *outcome)
{
    free(outcome->out);
    free(outcome->err);
}

void fixture_expect(struct fixture_outcome outcome, int status)
{
    if (outcome.status != status) {
        fail_msg("exit status %d, not %d\n%s%s", outcome.status, status, outcome.out, outcome.err);
    }
    fixture_outcome_free(&outcome);
}

json_t *fixture_json(const struct fixture_outcome *outcome, int status)
{
    json_error_t where;
    json_t *json = json_loads(outcome->out, 0, &where);
    if (json == NULL || outcome->status != status) {
        fail_msg("exit status %d, not %d, or no JSON (%s): %s\nstderr: %s", outcome->status, status,
                 where.text, outcome->out, outcome->err);
    }
    return json;
}

/* Reads all of a file, which may hold zeros (/proc/PID/environ). NULL if it cannot be read. */
static char *fixture_slurp(const char *path, size_t *length)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return NULL;
    }
    char *text = NULL;
    ssize_t count;
    *length = 0;
    do {
        text = text_grow(text, *length + 65537, 1);
        count = read(file, text + *length, 65536);
        *length += count > 0 ? (size_t)count : 0;
    } while (count > 0);
    text[*length] = '\0';
    (void)close(file);
    return text;
}

char *fixture_read(const char *path)
{
    size_t length = 0;
    char *text = fixture_slurp(path, &length);
    return text != NULL ? text : text_format("%s", "");
}

json_t *fixture_read_lines(const char *path)
{
    json_t *lines = json_array();
    char *text = fixture_read(path);
    char *line = text;
    char *end;
    while ((end = strchr(line, '\n')) != NULL) {
        json_t *json = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(json)) {
            fail_msg("%s has a torn line: %.*s", path, (int)(end - line), line);
        }
        (void)json_array_append_new(lines, json);
        line = end + 1;
    }
    free(text);
    return lines;
}

/* Is HOME of the process this test's directory? */
static bool fixture_owns(const char *pid)
{
    char *path = text_format("/proc/%s/environ", pid);
    char *home = text_format("HOME=%s", fixture_directory);
    size_t length = 0;
    char *environment = fixture_slurp(path, &length);
    bool owned = false;
    for (size_t i = 0; environment != NULL && i < length; i += strlen(environment + i) + 1) {
        owned = owned || strcmp(environment + i, home) == 0;
    }
    free(environment);
    free(home);
    free(path);
    return owned;
}

/* Has the process this name, or is name NULL? */
static bool fixture_is_named(const char *pid, const char *name)
{
    char *path = text_format("/proc/%s/comm", pid);
    char *own = fixture_read(path);
    bool named = name == NULL || strncmp(own, name, 15) == 0;
    free(own);
    free(path);
    return named;
}

/* Counts this test's processes of that name; *last is one of them. */
static size_t fixture_scan_processes(const char *name, pid_t *last)
{
    size_t count = 0;
    DIR *processes = opendir("/proc");
    assert_non_null(processes);
    const struct dirent *entry;
    while ((entry = readdir(processes)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (isdigit((unsigned char)entry->d_name[0]) && pid != getpid() &&
            fixture_owns(entry->d_name) && fixture_is_named(entry->d_name, name)) {
            *last = pid;
            count++;
        }
    }
    (void)closedir(processes);
    return count;
}

pid_t fixture_find_process(const char *name)
{
    pid_t found = 0;
    (void)fixture_scan_processes(name, &found);
    return found;
}

size_t fixture_count_processes(void)
{
    pid_t ignored = 0;
    size_t count = fixture_scan_processes(NULL, &ignored);
    for (int i = 0; i < 100 && count > 0; i++) {
        struct timespec moment = {.tv_nsec = 10000000};
        (void)nanosleep(&moment, NULL);
        count = fixture_scan_processes(NULL, &ignored);
    }
    return count;
}

const char *fixture_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

size_t fixture_count_records(const json_t *records, const char *name, const char *text)
{
    size_t count = 0;
    size_t index;
    json_t *record;
    json_array_foreach(records, index, record)
    {
        count += strcmp(fixture_text(record, name), text) == 0;
    }
    return count;
}
