/* The table of leak detectors, and those that live in the workers. */
#include "cli/leak_detectors.h"

#include <stdlib.h>
#include <string.h>

#include "cli/leak_outside.h"
#include "cli/leak_worker.h"
#include "common/host/text.h"

static enum status leak_run_own(const struct leak_detector *detector,
                                const struct registry *registry, const struct leak_case *each,
                                json_t **record, struct error *error)
{
    bool keeps_books = strcmp(detector->name, "ledger") == 0;
    char *program = text_format("heapmill-leak-%s%s", each->backend, keeps_books ? ".ledger" : "");
    struct leak_worker worker = {
        .registry = registry, .program = program, .each = each, .detector = detector->name};
    enum status status = leak_worker_start(&worker, record, error);
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
    &leak_outside_lsan,
    &leak_outside_lsan_annotated,
    &leak_outside_memcheck,
    &leak_outside_memcheck_annotated,
    &leak_outside_heaptrack,
    NULL,
};
