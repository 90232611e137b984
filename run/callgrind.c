#include "run/callgrind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/host/process.h"

static const double CALLGRIND_VERSION_TIMEOUT_S = 20;

/* The first executable of that name in PATH; NULL: none. The caller frees. */
static char *callgrind_search_path(const char *name)
{
    const char *rest = getenv("PATH");
    while (rest != NULL && rest[0] != '\0') {
        size_t length = strcspn(rest, ":");
        char *path = text_format("%.*s/%s", (int)length, rest, name);
        if (length > 0 && access(path, X_OK) == 0) {
            return path;
        }
        free(path);
        rest += length + (rest[length] == ':');
    }
    return NULL;
}

/* Is this build fit to be counted? */
static enum status callgrind_check_build(const struct registry *registry, struct error *error)
{
    if (registry->sanitized) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "programs with sanitizers do not run under valgrind: count instructions "
                         "with a build without HEAPMILL_SANITIZE");
    }
    char *clock = registry_preload_path(registry, CALLGRIND_CLOCK);
    enum status status = STATUS_OK;
    if (access(clock, R_OK) != 0) {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "%s is missing: build the target heapmill-still-clock", clock);
    } else if (strpbrk(clock, " :") != NULL) {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "%s: LD_PRELOAD cannot name a path with a blank or a colon: build "
                           "elsewhere",
                           clock);
    }
    free(clock);
    return status;
}

enum status callgrind_find(const struct registry *registry, char **path, char **version,
                           struct error *error)
{
    *version = NULL;
    *path = NULL;
    enum status status = callgrind_check_build(registry, error);
    if (status != STATUS_OK) {
        return status;
    }
    *path = callgrind_search_path("valgrind");
    if (*path == NULL) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "instructions are counted by valgrind, which is not in PATH: "
                         "apt-get install valgrind, or leave out --metric instructions");
    }
    const char *const arguments[] = {*path, "--version", NULL};
    const char *const environment[] = {NULL};
    struct process_request request = {.arguments = arguments,
                                      .environment = environment,
                                      .timeout_s = CALLGRIND_VERSION_TIMEOUT_S};
    struct process_result result;
    status = process_run(&request, &result, error);
    if (status == STATUS_OK && result.interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else if (status == STATUS_OK && (result.exit_code != 0 || result.output_bytes == 0)) {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "%s --version does not run: install valgrind anew", *path);
    }
    if (status == STATUS_OK) {
        *version = text_format("%.*s", (int)strcspn(result.output, "\r\n"), result.output);
    } else {
        free(*path);
        *path = NULL;
    }
    process_result_free(&result);
    return status;
}

enum status callgrind_open(struct callgrind *callgrind, struct error *error)
{
    /* Reached by its name under /proc from the child, which does not inherit it. */
    callgrind->fd = memfd_create("callgrind", MFD_CLOEXEC);
    return callgrind->fd >= 0
               ? STATUS_OK
               : error_set(error, STATUS_IO, "no anonymous file for callgrind's counts: %s",
                           strerror(errno));
}

void callgrind_add_arguments(const struct callgrind *callgrind, const char *valgrind,
                             struct text_list *arguments)
{
    static const char *const options[] = {
        "--tool=callgrind", "--command-line-only=yes",
        "--quiet",          "--collect-atstart=no",
        "--dump-line=no",   "--toggle-collect=runner_timed_part",
        "--vgdb=no",        "--toggle-collect=threads_timed_work",
        "--fair-sched=try",
    };
    text_list_add(arguments, text_format("%s", valgrind));
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        text_list_add(arguments, text_format("%s", options[i]));
    }
    text_list_add(arguments,
                  text_format("--callgrind-out-file=/proc/%d/fd/%d", (int)getpid(), callgrind->fd));
    text_list_add(arguments, text_format("--"));
}

/* The file ends with "totals: COUNT"; a process that makes several dumps would have several. */
uint64_t callgrind_read(const struct callgrind *callgrind)
{
    char line[256];
    uint64_t count = 0;
    int fd = dup(callgrind->fd);
    FILE *file = fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 ? fdopen(fd, "r") : NULL;
    if (file == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return 0;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "totals: ", 8) == 0) {
            count = strtoull(line + 8, NULL, 10);
        }
    }
    (void)fclose(file);
    return count;
}

void callgrind_close(struct callgrind *callgrind)
{
    if (callgrind->fd >= 0) {
        (void)close(callgrind->fd);
    }
    callgrind->fd = -1;
}
