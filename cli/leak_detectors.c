/* The table of leak detectors, and those that live in the workers. */
#include "cli/leak_detectors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/process.h"
#include "cli/text.h"

enum { LEAK_WORKER_TIMEOUT_S = 300 };

static enum status leak_worker_read(const char *program, const struct process_result *result,
                                    json_t **record, struct error *error)
{
    if (result->interrupted) {
        return error_set(error, STATUS_INTERRUPTED, "interrupted");
    }
    json_error_t where;
    *record = NULL;
    if (result->exit_code == 0 && result->signal == 0) {
        *record = json_loads(result->output, 0, &where);
    }
    if (*record == NULL) {
        return error_set(error, STATUS_IO, "%s failed (exit status %d, signal %d): %s", program,
                         result->exit_code, result->signal, result->stderr_tail);
    }
    return STATUS_OK;
}

enum status leak_worker_run(const struct registry *registry, const char *program,
                            const struct leak_case *each, const char *detector, json_t **record,
                            struct error *error)
{
    char *path = registry_program_path(registry, program);
    char *rate = text_format("%.17g", each->rate);
    char *number = text_format("%" PRIu64, each->number);
    char *seed = text_format("%" PRIu64, each->seed);
    const char *arguments[] = {path, "--kind",     each->kind, "--rate",
                               rate, "--number",   number,     "--seed",
                               seed, "--detector", detector,   each->clean ? "--clean" : NULL,
                               NULL};
    /* The planted leaks are no news to a sanitized build. */
    static const char *const environment[] = {"LANG=C", "ASAN_OPTIONS=detect_leaks=0", NULL};
    struct process_request request = {
        .arguments = arguments, .environment = environment, .timeout_s = LEAK_WORKER_TIMEOUT_S};
    struct process_result result;
    enum status status = process_run(&request, &result, error);
    if (status == STATUS_OK) {
        status = leak_worker_read(program, &result, record, error);
        process_result_free(&result);
    } else if (status == STATUS_NOT_FOUND) {
        status = error_set(error, STATUS_UNSUPPORTED, "%s is not built: ninja %s", path, program);
    }
    free(path);
    free(rate);
    free(number);
    free(seed);
    return status;
}

static enum status leak_run_own(const struct leak_detector *detector,
                                const struct registry *registry, const struct leak_case *each,
                                json_t **record, struct error *error)
{
    bool keeps_books = strcmp(detector->name, "ledger") == 0;
    char *program = text_format("heapmill-leak-%s%s", each->backend, keeps_books ? ".ledger" : "");
    enum status status = leak_worker_run(registry, program, each, detector->name, record, error);
    free(program);
    return status;
}

static bool leak_ledger_applicable(const char *kind, const char *backend, const char **reason)
{
    (void)backend;
    *reason = "the cache is reachable from the program's globals";
    return strcmp(kind, "growing_cache") != 0;
}

static bool leak_collector_applicable(const char *kind, const char *backend, const char **reason)
{
    (void)backend;
    *reason = strcmp(kind, "traverse_hole") == 0
                  ? "a reference that traverse does not visit looks like a name"
                  : "no cycle of garbage: counts keep the objects alive, or it is no object";
    return strcmp(kind, "cycle_collector_off") == 0;
}

static bool leak_growth_applicable(const char *kind, const char *backend, const char **reason)
{
    (void)kind;
    (void)backend;
    *reason = "";
    return true;
}

static const struct leak_detector leak_own_ledger = {
    .name = "ledger", .applicable = leak_ledger_applicable, .run = leak_run_own};
static const struct leak_detector leak_own_collector = {
    .name = "collector", .applicable = leak_collector_applicable, .run = leak_run_own};
static const struct leak_detector leak_own_growth = {
    .name = "growth", .applicable = leak_growth_applicable, .run = leak_run_own};
const struct leak_detector leak_detector_none = {
    .name = "none", .applicable = leak_growth_applicable, .run = leak_run_own};

const struct leak_detector *const leak_detector_table[] = {
    &leak_own_ledger,
    &leak_own_collector,
    &leak_own_growth,
    NULL,
};
