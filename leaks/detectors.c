/* The table of leak detectors, and the detectors inside the workers. */
#include "leaks/detectors.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "leaks/outside.h"
#include "leaks/worker.h"

static enum status leaks_run_own(const struct leaks_detector *detector, const char *programs,
                                 const struct leaks_case *each, json_t **record,
                                 struct error *error)
{
    bool keeps_books = strcmp(detector->name, "ledger") == 0;
    char *program = text_format("heapmill-leak-%s%s", each->backend, keeps_books ? ".ledger" : "");
    struct leaks_worker worker = {
        .programs = programs, .program = program, .each = each, .detector = detector->name};
    enum status status = leaks_worker_start(&worker, record, error);
    free(program);
    return status;
}

static bool leaks_ledger_applicable(const char *kind, const char *backend, const char **reason)
{
    (void)backend;
    *reason = "the cache is reachable from the program's globals";
    return strcmp(kind, "growing_cache") != 0;
}

static bool leaks_collector_applicable(const char *kind, const char *backend, const char **reason)
{
    (void)backend;
    *reason = strcmp(kind, "traverse_hole") == 0
                  ? "a reference that traverse does not visit looks like a name"
                  : "no cycle of garbage: counts keep the objects alive, or it is no object";
    return strcmp(kind, "cycle_collector_off") == 0;
}

static bool leaks_growth_applicable(const char *kind, const char *backend, const char **reason)
{
    (void)kind;
    (void)backend;
    *reason = "";
    return true;
}

static const struct leaks_detector leaks_own_ledger = {
    .name = "ledger", .applicable = leaks_ledger_applicable, .run = leaks_run_own};
static const struct leaks_detector leaks_own_collector = {
    .name = "collector", .applicable = leaks_collector_applicable, .run = leaks_run_own};
static const struct leaks_detector leaks_own_growth = {
    .name = "growth", .applicable = leaks_growth_applicable, .run = leaks_run_own};
const struct leaks_detector leaks_detector_none = {
    .name = "none", .applicable = leaks_growth_applicable, .run = leaks_run_own};

const struct leaks_detector *const leaks_detector_table[] = {
    &leaks_own_ledger,
    &leaks_own_collector,
    &leaks_own_growth,
    &leaks_outside_lsan,
    &leaks_outside_lsan_annotated,
    &leaks_outside_memcheck,
    &leaks_outside_memcheck_annotated,
    &leaks_outside_heaptrack,
    NULL,
};
