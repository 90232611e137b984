/* Runs the process of a leak worker: its arguments, its environment, its last line. */
#include "leaks/worker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/process.h"
#include "common/host/text.h"

enum { LEAKS_WORKER_ARGUMENTS_MAX = 24 };

static void leaks_worker_add_time(json_t *record, const char *name, uint64_t nanoseconds)
{
    double seconds = json_number_value(json_object_get(record, name));
    (void)json_object_set_new(record, name, json_real(seconds + (double)nanoseconds / 1e9));
}

/* The last line that is an object, since a tool may print before and after it; NULL: there is
 * none. */
static json_t *leaks_worker_last_object(const char *output)
{
    json_t *record = NULL;
    for (const char *line = output; line != NULL && *line != '\0';) {
        if (*line == '{') {
            json_t *object = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
            if (object != NULL) {
                json_decref(record);
                record = object;
            }
        }
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return record;
}

static enum status leaks_worker_read(const char *program, const struct process_result *result,
                                     json_t **record, struct error *error)
{
    if (result->interrupted) {
        return error_set(error, STATUS_INTERRUPTED, "interrupted");
    }
    if (result->exit_code == 0 && result->signal == 0) {
        *record = leaks_worker_last_object(result->output);
    }
    if (*record == NULL) {
        return error_set(error, STATUS_IO, "%s failed (exit status %d, signal %d): %s", program,
                         result->exit_code, result->signal, result->stderr_tail);
    }
    (void)json_object_del(*record, "first_report_s");
    leaks_worker_add_time(*record, "process_s", result->cpu_ns);
    leaks_worker_add_time(*record, "first_report_s", result->wall_ns);
    return STATUS_OK;
}

/* The environment has PATH, which tools need. */
static enum status leaks_worker_spawn(const char *const *arguments, const char *sanitizer_options,
                                      struct process_result *result, struct error *error)
{
    const char *path = getenv("PATH");
    char *search = text_format("PATH=%s", path == NULL ? "/usr/bin:/bin" : path);
    const char *options =
        sanitizer_options == NULL ? "ASAN_OPTIONS=detect_leaks=0" : sanitizer_options;
    const char *environment[] = {"LANG=C", search, options, NULL};
    struct process_request request = {
        .arguments = arguments, .environment = environment, .timeout_s = LEAKS_WORKER_TIMEOUT_S};
    enum status status = process_run(&request, result, error);
    free(search);
    return status;
}

enum status leaks_worker_start(const struct leaks_worker *worker, json_t **record,
                               struct error *error)
{
    const struct leaks_case *each = worker->each;
    char *path = text_format("%s/%s", worker->programs, worker->program);
    char *rate = text_format("%.17g", each->rate);
    char *number = text_format("%" PRIu64, each->number);
    char *seed = text_format("%" PRIu64, each->seed);
    const char *const own[] = {path, "--kind",     each->kind,       "--rate",
                               rate, "--number",   number,           "--seed",
                               seed, "--detector", worker->detector, each->clean ? "--clean" : NULL,
                               NULL};
    const char *arguments[LEAKS_WORKER_ARGUMENTS_MAX] = {NULL};
    size_t count = 0;
    for (size_t i = 0; worker->wrapper != NULL && worker->wrapper[i] != NULL; i++) {
        arguments[count++] = worker->wrapper[i];
    }
    memcpy(&arguments[count], own, sizeof(own));
    struct process_result result;
    *record = NULL;
    enum status status = access(path, X_OK) == 0 ? STATUS_OK : STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        status = leaks_worker_spawn(arguments, worker->sanitizer_options, &result, error);
    }
    if (status == STATUS_OK) {
        status = leaks_worker_read(worker->program, &result, record, error);
        process_result_free(&result);
    } else if (status == STATUS_NOT_FOUND) {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "%s is not built: ninja %s (a sanitized build has no programs for "
                           "detectors from outside)",
                           path, worker->program);
    }
    free(path);
    free(rate);
    free(number);
    free(seed);
    return status;
}

enum status leaks_worker_read_tool(const char *const *arguments, json_t *record, char **text,
                                   struct error *error)
{
    struct process_result result;
    *text = NULL;
    enum status status = leaks_worker_spawn(arguments, NULL, &result, error);
    if (status != STATUS_OK) {
        return status;
    }
    if (result.interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else if (result.exit_code != 0 || result.signal != 0) {
        status = error_set(error, STATUS_IO, "%s failed (exit status %d, signal %d): %s",
                           arguments[0], result.exit_code, result.signal, result.stderr_tail);
    } else {
        *text = text_format("%s", result.output);
        leaks_worker_add_time(record, "process_s", result.cpu_ns);
        leaks_worker_add_time(record, "first_report_s", result.wall_ns);
    }
    process_result_free(&result);
    return status;
}
