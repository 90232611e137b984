#include "run/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/host/process.h"

/* --describe touches almost no heap, and a calibration is a few timed runs. A worker that takes
 * longer than this hangs. */
static const double WORKER_DESCRIBE_TIMEOUT_S = 20;
static const double WORKER_CALIBRATE_TIMEOUT_S = 120;

static void worker_keep_variable(struct text_list *environment, const char *name)
{
    const char *value = getenv(name);
    if (value != NULL) {
        text_list_add(environment, text_format("%s=%s", name, value));
    }
}

/* Adds LD_PRELOAD if there is anything to preload. A clock that stands still comes first, so that
 * the allocator after it finds it too. */
static void worker_add_preload(const struct worker *worker, bool still,
                               struct text_list *environment)
{
    char *clock =
        still ? registry_preload_path(worker->registry, CALLGRIND_CLOCK) : text_format("%s", "");
    char *own = worker->preload[0] != '\0'
                    ? registry_preload_path(worker->registry, worker->preload)
                    : text_format("%s", "");
    if (clock[0] != '\0' || own[0] != '\0') {
        const char *colon = clock[0] != '\0' && own[0] != '\0' ? ":" : "";
        text_list_add(environment, text_format("LD_PRELOAD=%s%s%s", clock, colon, own));
    }
    free(clock);
    free(own);
}

/* Makes the worker's environment. A fixed one has the cell's own variables and nothing of
 * heapmill's, because the environment lies on the worker's stack and moves what comes after it. */
static void worker_environment(const struct worker *worker, bool fixed,
                               struct text_list *environment)
{
    if (!fixed) {
        worker_keep_variable(environment, "PATH");
        worker_keep_variable(environment, "HOME");
        worker_keep_variable(environment, "LANG");
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)worker->env, name, value)
    {
        /* Plans of older versions have the collector there. */
        if (strcmp(name, "collector") != 0) {
            text_list_add(environment, text_format("%s=%s", name, json_string_value(value)));
        }
    }
    worker_add_preload(worker, fixed, environment);
}

/* How a worker is run: to answer on its stdout, to run a cell, or to run a cell whose instructions
 * are counted. */
enum worker_way { WORKER_ASKED, WORKER_MEASURED, WORKER_COUNTED };

/* A worker's process before it is started. */
struct worker_start {
    struct text_list arguments;
    struct text_list environment;
};

static void worker_start_free(struct worker_start *start)
{
    text_list_free(&start->environment);
    text_list_free(&start->arguments);
}

/* Takes the arguments; the request borrows from start. */
static struct process_request worker_start_make(const struct worker *worker,
                                                struct text_list *arguments, double timeout_s,
                                                enum worker_way way, struct worker_start *start)
{
    *start = (struct worker_start){.arguments = *arguments};
    *arguments = (struct text_list){0};
    worker_environment(worker, way == WORKER_COUNTED, &start->environment);
    text_list_add(&start->environment, NULL);
    text_list_add(&start->arguments, NULL);
    return (struct process_request){
        .arguments = (const char *const *)start->arguments.items,
        .environment = (const char *const *)start->environment.items,
        .timeout_s = timeout_s,
        .stdio = way != WORKER_ASKED ? PROCESS_RECORD : PROCESS_CAPTURE,
        .fixed_addresses = way == WORKER_COUNTED,
    };
}

/* Runs the worker with arguments, which this frees. */
static enum status worker_run(const struct worker *worker, struct text_list *arguments,
                              double timeout_s, enum worker_way way, struct process_result *result,
                              struct error *error)
{
    struct worker_start start;
    const struct process_request request =
        worker_start_make(worker, arguments, timeout_s, way, &start);
    enum status status = process_run(&request, result, error);
    if (status != STATUS_OK) {
        process_result_free(result);
    }
    worker_start_free(&start);
    return status;
}

static void worker_add_program(const struct worker *worker, struct text_list *arguments)
{
    text_list_add(arguments, registry_program_path(worker->registry, worker->program));
}

static void worker_add_workload(const struct worker_cell *cell, struct text_list *arguments)
{
    text_list_add(arguments, text_format("--workload"));
    text_list_add(arguments, text_format("%s", cell->workload));
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)cell->params, name, value)
    {
        char *text = text_of_json(value);
        text_list_add(arguments, text_format("--param"));
        text_list_add(arguments, text_format("%s=%s", name, text));
        free(text);
    }
    if (cell->threads > 1) {
        text_list_add(arguments, text_format("--threads"));
        text_list_add(arguments, text_format("%u", cell->threads));
    }
}

/* Returns the last line of text that is not blank. *length is set to its length. */
static const char *worker_last_line(const char *text, int *length)
{
    size_t end = strlen(text);
    while (end > 0 && strchr(" \t\r\n", text[end - 1]) != NULL) {
        end--;
    }
    size_t begin = end;
    while (begin > 0 && text[begin - 1] != '\n') {
        begin--;
    }
    size_t count = end - begin;
    *length = count > 300 ? 300 : (int)count;
    return text + begin;
}

char *worker_explain(const struct process_result *result, double timeout_s)
{
    int length = 0;
    const char *line = worker_last_line(result->stderr_tail, &length);
    const char *colon = length > 0 ? ": " : "";
    if (result->timed_out) {
        return text_format("did not end within %g s%s%.*s", timeout_s, colon, length, line);
    }
    if (result->signal != 0) {
        return text_format("ended by signal %d (%s)%s%.*s", result->signal,
                           strsignal(result->signal), colon, length, line);
    }
    return text_format("exited with %d%s%.*s", result->exit_code, colon, length, line);
}

/* Reads an answer, which is one JSON object, into *answer, and frees result. */
static enum status worker_take_answer(const struct worker *worker, struct process_result *result,
                                      double timeout_s, json_t **answer, struct error *error)
{
    enum status status = STATUS_OK;
    char *how = worker_explain(result, timeout_s);
    *answer = NULL;
    if (result->interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else if (result->timed_out || result->signal != 0 || result->exit_code != 0) {
        status = error_set(error, STATUS_UNSUPPORTED, "%s %s", worker->program, how);
    } else {
        json_error_t reason;
        *answer = json_loadb(result->output, result->output_bytes, JSON_DISABLE_EOF_CHECK, &reason);
        if (!json_is_object(*answer)) {
            json_decref(*answer);
            *answer = NULL;
            status = error_set(error, STATUS_UNSUPPORTED,
                               "%s did not answer with JSON (%s): build it again", worker->program,
                               reason.text);
        }
    }
    free(how);
    process_result_free(result);
    return status;
}

enum status worker_describe(const struct worker *worker, json_t **description, char **said,
                            struct error *error)
{
    struct text_list arguments = {0};
    struct process_result result;
    worker_add_program(worker, &arguments);
    text_list_add(&arguments, text_format("--describe"));
    enum status status =
        worker_run(worker, &arguments, WORKER_DESCRIBE_TIMEOUT_S, WORKER_ASKED, &result, error);
    if (status != STATUS_OK) {
        return status;
    }
    int length = 0;
    const char *line = worker_last_line(result.stderr_tail, &length);
    char *last = text_format("%.*s", length, line);
    status = worker_take_answer(worker, &result, WORKER_DESCRIBE_TIMEOUT_S, description, error);
    if (status == STATUS_OK && said != NULL) {
        *said = last;
    } else {
        free(last);
    }
    return status;
}

enum status worker_waste(const struct worker *worker, json_t **answer, struct error *error)
{
    struct text_list arguments = {0};
    struct process_result result;
    worker_add_program(worker, &arguments);
    text_list_add(&arguments, text_format("--waste"));
    enum status status =
        worker_run(worker, &arguments, WORKER_DESCRIBE_TIMEOUT_S, WORKER_ASKED, &result, error);
    return status != STATUS_OK
               ? status
               : worker_take_answer(worker, &result, WORKER_DESCRIBE_TIMEOUT_S, answer, error);
}

enum status worker_calibrate(const struct worker *worker, const struct worker_cell *cell,
                             double target_ms, json_t **calibration, struct error *error)
{
    struct text_list arguments = {0};
    struct process_result result;
    worker_add_program(worker, &arguments);
    text_list_add(&arguments, text_format("--calibrate"));
    worker_add_workload(cell, &arguments);
    text_list_add(&arguments, text_format("--target-ms"));
    text_list_add(&arguments, text_format("%g", target_ms));
    enum status status =
        worker_run(worker, &arguments, WORKER_CALIBRATE_TIMEOUT_S, WORKER_ASKED, &result, error);
    return status != STATUS_OK ? status
                               : worker_take_answer(worker, &result, WORKER_CALIBRATE_TIMEOUT_S,
                                                    calibration, error);
}

const char *worker_expected_owner(const struct worker *worker)
{
    if (worker->preload[0] != '\0') {
        const char *slash = strrchr(worker->preload, '/');
        return slash != NULL ? slash + 1 : worker->preload;
    }
    /* /etc/ld.so.preload can slip another malloc under the one that is called "malloc". */
    const char *slash = strrchr(worker->program, '/'); /* of a link: "layouts/PROGRAM.7" */
    const char *program = slash != NULL ? slash + 1 : worker->program;
    bool system = strncmp(program, "heapmill-run-malloc", strlen("heapmill-run-malloc")) == 0 ||
                  strncmp(program, "heapmill-probe-malloc", strlen("heapmill-probe-malloc")) == 0;
    return system && !worker->registry->sanitized ? "libc.so" : "";
}

static void worker_add_number(struct text_list *arguments, const char *option, uint64_t value)
{
    text_list_add(arguments, text_format("%s", option));
    text_list_add(arguments, text_format("%" PRIu64, value));
}

static void worker_add_cell(const struct worker *worker, const struct worker_cell *cell,
                            struct text_list *arguments)
{
    worker_add_program(worker, arguments);
    text_list_add(arguments, text_format("--cell"));
    worker_add_workload(cell, arguments);
    worker_add_number(arguments, "--iterations", cell->iterations);
    worker_add_number(arguments, "--warmup", cell->warmup_iterations);
    worker_add_number(arguments, "--seed", cell->seed);
    if (worker->collector != NULL && worker->collector[0] != '\0') {
        text_list_add(arguments, text_format("--collector"));
        text_list_add(arguments, text_format("%s", worker->collector));
    }
    if (cell->extra_work > 0) {
        text_list_add(arguments, text_format("--extra-work"));
        text_list_add(arguments, text_format("%g", cell->extra_work));
    }
    text_list_add(arguments, text_format("--pass"));
    text_list_add(arguments, text_format("%s", record_pass_word(cell->pass)));
    if (cell->pass == RECORD_LATENCY && cell->latency_every > 0) {
        worker_add_number(arguments, "--latency-every", cell->latency_every);
    }
    worker_add_number(arguments, "--record-fd", PROCESS_RECORD_FD);
    const char *owner = worker_expected_owner(worker);
    if (owner[0] != '\0') {
        text_list_add(arguments, text_format("--expect-malloc"));
        text_list_add(arguments, text_format("%s", owner));
    }
    for (size_t i = 0; cell->extra != NULL && cell->extra[i] != NULL; i++) {
        text_list_add(arguments, text_format("%s", cell->extra[i]));
    }
}

/* Returns STATUS_IO on failure. Call callgrind_close in either case. */
static enum status callgrind_open(struct callgrind *callgrind, struct error *error)
{
    /* The child reaches the file by its name under /proc and does not inherit it. */
    callgrind->fd = memfd_create("callgrind", MFD_CLOEXEC);
    return callgrind->fd >= 0
               ? STATUS_OK
               : error_set(error, STATUS_IO, "no anonymous file for callgrind's counts: %s",
                           strerror(errno));
}

/* Adds valgrind's path and options, before the worker's own command line. */
static void callgrind_add_arguments(const struct callgrind *callgrind, const char *valgrind,
                                    struct text_list *arguments)
{
    static const char *const options[] = {
        "--tool=callgrind", "--command-line-only=yes",
        "--quiet",          "--collect-atstart=no",
        "--dump-line=no",   "--toggle-collect=runner_timed_part",
        "--vgdb=no",        "--toggle-collect=threads_timed_work",
        "--fair-sched=try", "--toggle-collect=runner_aside_part",
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
static uint64_t callgrind_read(const struct callgrind *callgrind)
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

static void callgrind_close(struct callgrind *callgrind)
{
    if (callgrind->fd >= 0) {
        (void)close(callgrind->fd);
    }
    callgrind->fd = -1;
}

static enum status worker_count_cell(const struct worker *worker, const struct worker_cell *cell,
                                     struct process_result *result, uint64_t *instructions,
                                     struct error *error)
{
    struct text_list arguments = {0};
    struct callgrind callgrind;
    enum status status = callgrind_open(&callgrind, error);
    if (status == STATUS_OK) {
        callgrind_add_arguments(&callgrind, cell->valgrind, &arguments);
        worker_add_cell(worker, cell, &arguments);
        status = worker_run(worker, &arguments, cell->timeout_s, WORKER_COUNTED, result, error);
        *instructions = status == STATUS_OK ? callgrind_read(&callgrind) : 0;
    }
    callgrind_close(&callgrind);
    return status;
}

enum status worker_run_cell(const struct worker *worker, const struct worker_cell *cell,
                            struct process_result *result, uint64_t *instructions,
                            struct error *error)
{
    if (cell->pass == RECORD_INSTRUCTIONS) {
        return worker_count_cell(worker, cell, result, instructions, error);
    }
    struct text_list arguments = {0};
    worker_add_cell(worker, cell, &arguments);
    return worker_run(worker, &arguments, cell->timeout_s, WORKER_MEASURED, result, error);
}

enum status worker_run_cells(const struct worker *workers, const struct worker_cell *cells,
                             size_t count, struct process_result *results, struct error *error)
{
    struct worker_start *starts = text_grow(NULL, count, sizeof(*starts));
    struct process_request *requests = text_grow(NULL, count, sizeof(*requests));
    for (size_t i = 0; i < count; i++) {
        struct text_list arguments = {0};
        worker_add_cell(&workers[i], &cells[i], &arguments);
        requests[i] = worker_start_make(&workers[i], &arguments, cells[i].timeout_s,
                                        WORKER_MEASURED, &starts[i]);
    }
    enum status status = process_run_all(requests, results, count, process_at_once(), error);
    for (size_t i = 0; i < count; i++) {
        worker_start_free(&starts[i]);
        if (status != STATUS_OK) {
            process_result_free(&results[i]);
        }
    }
    free(starts);
    free(requests);
    return status;
}

static const double CALLGRIND_VERSION_TIMEOUT_S = 20;

/* Returns the first executable of that name in PATH, or NULL if there is none. The caller frees
 * it. */
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

/* Checks that this build can be counted. */
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
