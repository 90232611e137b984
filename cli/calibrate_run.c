#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench.h"
#include "cli/calibrate.h"
#include "run/experiment.h"
#include "run/worker_executor.h"

/* A slowed cell is a copy of a base's cell that does some per cent more work, in its own layouts.
 * Only the work differs, so the true slowdown is known exactly. */
enum { CALIBRATE_LAYOUT_SET = 3 }; /* the base and its twins have 0 to 2 */

static json_t *calibrate_slowed_cell(const json_t *base, double slowdown)
{
    json_t *cell = json_deep_copy(base);
    json_t *id = json_sprintf("%s+%g%%", json_string_value(json_object_get(base, "id")), slowdown);
    (void)json_object_set_new(cell, "id", id);
    (void)json_object_set_new(cell, "extra_work", json_real(slowdown));
    (void)json_object_set_new(cell, "layout_set", json_integer(CALIBRATE_LAYOUT_SET));
    return cell;
}

enum status calibrate_add_slowed(json_t *plan, const char *slowdowns, uint64_t number,
                                 struct error *error)
{
    struct text_list list = {0};
    enum status status = STATUS_OK;
    json_t *cells = json_array();
    size_t index;
    json_t *cell;
    text_split(&list, slowdowns, ',');
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        (void)json_array_append(cells, cell);
        if (json_integer_value(json_object_get(cell, "twin")) == 0 && status == STATUS_OK) {
            const char *text = list.count > 0 ? list.items[number++ % list.count] : "";
            char *end = NULL;
            double slowdown = strtod(text, &end);
            if (end == text || *end != '\0' || slowdown < 1 || slowdown > 100) {
                status = error_set(error, STATUS_INVALID,
                                   "--slowdowns %s: it wants per cents from 1 to 100, as 2,5",
                                   slowdowns);
            }
            (void)json_array_append_new(cells, calibrate_slowed_cell(cell, slowdown));
        }
    }
    (void)json_object_set_new(plan, "cells", cells);
    text_list_free(&list);
    return status;
}

/* Makes the options of `heapmill bench` for such a run, without its slowed cells. */
static enum status calibrate_bench_options(const struct calibrate_options *options, uint64_t number,
                                           const char *backend, struct bench_options *bench,
                                           struct error *error)
{
    bench_options_set_defaults(bench);
    bench->no_memory = true;
    bench->experiment.backends = backend;
    bench->experiment.base = backend;
    bench->experiment.workloads = options->workloads;
    for (size_t i = 0; i < options->parameters.count; i++) {
        text_list_add(&bench->experiment.parameters,
                      text_format("%s", options->parameters.items[i]));
    }
    bench->experiment.rounds = options->rounds;
    bench->experiment.one_layout = options->one_layout;
    bench->experiment.target_ms = options->target_ms;
    bench->experiment.seed = options->seed + number;
    enum status status = bench_options_check(bench, error);
    bench->experiment.argc = options->argc; /* the plan records what the user typed */
    bench->experiment.argv = options->argv;
    bench->experiment.name = "calibration";
    return status;
}

static enum status calibrate_make_plan(const struct calibrate_options *options,
                                       struct registry *registry, const struct executor *executor,
                                       uint64_t number, const char *backend, json_t **plan,
                                       struct error *error)
{
    struct bench_options bench;
    enum status status = calibrate_bench_options(options, number, backend, &bench, error);
    if (status == STATUS_OK) {
        status = experiment_plan(&bench.experiment, registry, executor, plan, error);
    }
    if (status == STATUS_OK) {
        status = calibrate_add_slowed(*plan, options->slowdowns, number, error);
    }
    options_free(bench_option_rows, &bench);
    return status;
}

enum status calibrate_check(const struct calibrate_options *options, struct registry *registry,
                            const char *backend, struct error *error)
{
    struct worker_executor worker;
    json_t *plan = NULL;
    worker_executor_open(&worker, registry);
    enum status status =
        calibrate_make_plan(options, registry, &worker.executor, 0, backend, &plan, error);
    json_decref(plan);
    worker_executor_close(&worker);
    return status;
}

enum status calibrate_run(const struct calibrate_options *options, struct registry *registry,
                          uint64_t number, const char *backend, const char *directory,
                          struct error *error)
{
    struct worker_executor worker;
    json_t *plan = NULL;
    struct store *store = NULL;
    double round_s = 0;
    char *path = text_format("%s/plan.json", directory);
    bool begun = access(path, F_OK) == 0;
    free(path);
    worker_executor_open(&worker, registry);
    const struct executor *executor = &worker.executor;
    enum status status =
        calibrate_make_plan(options, registry, executor, number, backend, &plan, error);
    if (status == STATUS_OK) {
        status = begun ? experiment_resume(directory, plan, executor, &store, &round_s, error)
                       : experiment_start(directory, plan, executor, &store, &round_s, error);
    }
    if (status == STATUS_OK) {
        status = experiment_go_on(store, executor, round_s, error);
    }
    json_decref(plan);
    store_close(store);
    worker_executor_close(&worker);
    return status;
}
