#include "run/worker_executor.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "run/callgrind.h"
#include "run/plan.h"
#include "run/preflight.h"
#include "run/worker.h"
#include "run/worker_outcome.h"

/* A twin runs the program's layout twin: the same work at other addresses. */
static void worker_executor_describe(void *context, const struct selection_choice *choice, int twin,
                                     json_t *cell)
{
    const struct worker_executor *executor = context;
    const char *installed = choice->backend->installed;
    struct launch launch;
    registry_launch(choice->backend, choice->arm, &launch);
    char *layout = twin > 0
                       ? registry_layout_program(executor->registry, launch.program, (unsigned)twin)
                       : NULL;
    json_t *how =
        json_pack("{ss ss ss ss si}", "program", layout != NULL ? layout : launch.program, "probe",
                  launch.probe, "preload", launch.preload, "package",
                  installed != NULL ? installed : "", "layout", layout != NULL ? twin : 0);
    (void)json_object_update(cell, how);
    json_decref(how);
    free(layout);
    launch_free(&launch);
}

static enum status worker_executor_prepare(void *context, json_t *plan, bool resumed,
                                           struct error *error)
{
    struct worker_executor *executor = context;
    char *version = NULL;
    enum status status = resumed ? preflight_plan(plan, executor->registry, error) : STATUS_OK;
    if (status == STATUS_OK && plan_runs_pass(plan, RECORD_INSTRUCTIONS)) {
        free(executor->valgrind);
        status = callgrind_find(executor->registry, &executor->valgrind, &version, error);
    }
    if (status == STATUS_OK && version != NULL && !resumed) {
        (void)json_object_set_new(plan, "valgrind", json_string(version));
    }
    free(version);
    return status;
}

static struct worker worker_executor_worker(const struct worker_executor *executor,
                                            const json_t *cell, bool probe)
{
    return (struct worker){.registry = executor->registry,
                           .program = json_text_at(cell, probe ? "probe" : "program", ""),
                           .preload = json_text_at(cell, "preload", ""),
                           .collector = plan_collector(cell),
                           .env = json_object_get(cell, "env")};
}

/* The malloc worker is asked, so that all back ends of a group do the same work; in a plan with
 * cells of more work, of which all are copies of one, its own worker. */
static enum status worker_executor_calibrate(void *context, const json_t *plan, const json_t *cell,
                                             json_t **calibration, struct error *error)
{
    const struct worker_executor *executor = context;
    struct worker worker = {
        .registry = executor->registry, .program = "heapmill-run-malloc", .preload = ""};
    if (plan_has_extra_work(plan)) {
        worker = worker_executor_worker(executor, cell, false);
    }
    const struct worker_cell asked = {.workload = json_text_at(cell, "workload", ""),
                                      .params = json_object_get(cell, "params"),
                                      .threads = (unsigned)json_count_at(cell, "threads", 1)};
    enum status status =
        worker_calibrate(&worker, &asked, json_number_at(plan, "target_ms", 0), calibration, error);
    if (status == STATUS_OK && json_count_at(*calibration, "iterations", 0) < 1) {
        json_decref(*calibration);
        status = error_set(error, STATUS_UNSUPPORTED, "%s gave no iterations", worker.program);
    }
    return status;
}

static enum status worker_executor_run(void *context, const struct executor_cell *asked,
                                       json_t **outcome, struct error *error)
{
    const struct worker_executor *executor = context;
    const json_t *cell = asked->cell;
    bool counted = asked->pass == RECORD_INSTRUCTIONS;
    bool probe = asked->pass == RECORD_MEMORY || asked->pass == RECORD_LATENCY;
    const struct worker worker = worker_executor_worker(executor, cell, probe);
    const struct worker_cell worker_cell = {
        .workload = json_text_at(cell, "workload", ""),
        .params = json_object_get(cell, "params"),
        .threads = (unsigned)json_count_at(cell, "threads", 1),
        .iterations = json_count_at(cell, counted ? "instruction_iterations" : "iterations", 0),
        .warmup_iterations =
            json_count_at(cell, counted ? "instruction_warmup_iterations" : "warmup_iterations", 0),
        .seed = asked->seed,
        .extra_work = json_number_at(cell, "extra_work", 0),
        .pass = asked->pass,
        .latency_every = (uint32_t)json_count_at(asked->plan, "latency_every", 0),
        .valgrind = executor->valgrind,
        .timeout_s = json_number_at(asked->plan, "timeout_s", 0)};
    struct worker_run run = {.cell = cell,
                             .pass = asked->pass,
                             .iterations = worker_cell.iterations,
                             .timeout_s = worker_cell.timeout_s};
    struct process_result result;
    enum status status = worker_run_cell(&worker, &worker_cell, &result, &run.instructions, error);
    if (status != STATUS_OK) {
        return status;
    }
    if (result.interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else {
        *outcome = worker_outcome_make(&run, &result);
    }
    process_result_free(&result);
    return status;
}

void worker_executor_open(struct worker_executor *worker, const struct registry *registry)
{
    *worker = (struct worker_executor){.executor = {.context = worker,
                                                    .describe = worker_executor_describe,
                                                    .prepare = worker_executor_prepare,
                                                    .calibrate = worker_executor_calibrate,
                                                    .run = worker_executor_run},
                                       .registry = registry};
}

void worker_executor_close(struct worker_executor *worker)
{
    free(worker->valgrind);
    worker->valgrind = NULL;
}
