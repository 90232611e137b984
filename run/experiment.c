#include "run/experiment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/against.h"
#include "run/plan.h"
#include "run/registry.h"
#include "run/rounds.h"
#include "run/selection.h"
#include "run/worker_executor.h"

/* The times are of a 2-core virtual machine of 2024 (AMD EPYC); 2 GiB of memory are enough. */
const struct matrix matrix_table[] = {
    {
        .name = "default",
        .summary = "a first look in half a minute: pymalloc and two peers against malloc",
        .backends = "malloc,pymalloc-3.10,mimalloc*,jemalloc*",
        .workloads = "pingpong,batch,churn,int_churn,binary_trees,json_documents",
        .parameters = {NULL},
        .rounds = 40,
        .target_ms = 8,
    },
    {
        .name = "quick",
        .summary =
            "every back end in its default arm on a choice of workloads, from small loops to "
            "256 MiB live, with sizes beyond 512 bytes and two threads, in five minutes",
        .backends = "*",
        .workloads = "pingpong,batch,churn,int_churn,binary_trees,json_documents,cyclic_graph,"
                     "type_shift,lru_cache,resize,larson",
        /* 48 000 blocks of 5.7 KiB on average are 263 MiB, which are taken in an eighth of a
         * second. A million objects of type_shift took as long as five other groups. */
        .parameters = {"batch.order=random", "churn.live+median=10000:64,48000:4096",
                       "type_shift.live=250000", "larson.largest=2000", NULL},
        .threads = "2",
        .rounds = 40,
        .rounds_heavy = 6, /* a round of that group takes 10 s where all others take 8 */
        .budget_s = 295,   /* the tables at the end are not of the budget */
        .target_ms = 8,
    },
    {
        .name = "pools",
        .summary = "the pools on small blocks: what CI counts the instructions of",
        .backends = "pymalloc-3.10:inline,freelist-2.7:inline",
        .workloads = "pingpong,batch,churn",
        .parameters = {"pingpong.size=64", "batch.order=fifo,random", "batch.live=2000",
                       "churn.live=2000", NULL},
        .rounds = 7,
        .target_ms = 20,
    },
    {
        .name = "real",
        .summary = "every back end in its default arm on traces of real programs",
        .backends = "*",
        .workloads = "trace:python-json,trace:python-web,trace:python-compile,trace:sqlite,"
                     "trace:redis,trace:gcc,trace:git,trace:perl,trace:node",
        .parameters = {NULL},
        .rounds = 11,
        .target_ms = 50,
    },
    {.name = NULL},
};

const struct matrix *matrix_find(const char *name)
{
    for (size_t i = 0; matrix_table[i].name != NULL; i++) {
        if (strcmp(matrix_table[i].name, name) == 0) {
            return &matrix_table[i];
        }
    }
    return NULL;
}

/* Finds the index of the base among the choices: --base, else malloc:preload, else the first. */
static enum status experiment_choose_base(const struct experiment *experiment,
                                          struct selection *selection, struct registry *registry,
                                          size_t *base, struct error *error)
{
    *base = 0;
    if (experiment->base != NULL) {
        return selection_require(selection, registry, experiment->base, base, error);
    }
    for (size_t i = selection->choice_count; i-- > 0;) {
        const struct selection_choice *choice = &selection->choices[i];
        if (strcmp(choice->backend->name, "malloc") == 0 && strcmp(choice->arm, "preload") == 0 &&
            choice->collector == NULL && json_object_size(choice->env) == 0) {
            *base = i;
        }
    }
    return STATUS_OK;
}

enum status experiment_plan(const struct experiment *experiment, struct registry *registry,
                            const struct executor *executor, json_t **plan, struct error *error)
{
    struct selection selection = {0};
    struct catalog catalog = {0};
    json_t *about = NULL;
    bool probes = experiment->passes[RECORD_MEMORY] || experiment->passes[RECORD_LATENCY];
    size_t base = 0;
    enum status status =
        selection_add_backends(&selection, registry, experiment->backends, experiment->arms, error);
    if (status == STATUS_OK) {
        status = catalog_open(&catalog, registry, error);
        status = status == STATUS_NOT_FOUND ? STATUS_UNSUPPORTED : status;
    }
    if (status == STATUS_OK) {
        status = selection_apply_collectors(&selection, &catalog, &experiment->parameters, error);
    }
    if (status == STATUS_OK) {
        status = experiment_choose_base(experiment, &selection, registry, &base, error);
    }
    if (status == STATUS_OK && experiment->against != NULL) {
        status = against_add(&selection, registry, experiment->against, probes, &about, error);
    }
    if (status == STATUS_OK) {
        status = selection_set_threads(&selection, experiment->threads, error);
    }
    if (status == STATUS_OK) {
        status = selection_add_workloads(&selection, &catalog, experiment->workloads,
                                         &experiment->parameters, error);
    }
    if (status == STATUS_OK) {
        status = preflight_selection(&selection, registry, probes, error);
    }
    if (status == STATUS_OK) {
        /* The base is looked for again, because some choices may have been left out. */
        status = experiment_choose_base(experiment, &selection, registry, &base, error);
    }
    if (status == STATUS_OK) {
        *plan = plan_build(experiment, executor, &selection, base);
        if (about != NULL) {
            (void)json_object_set(*plan, "against", about);
        }
    }
    if (status == STATUS_OK && executor->prepare != NULL) {
        status = executor->prepare(executor->context, *plan, false, error);
    }
    json_decref(about);
    catalog_close(&catalog);
    selection_free(&selection);
    return status;
}

/* Refuses a directory with a run in it before time is spent on calibration. store_create makes the
 * final decision. */
static enum status experiment_check_directory(const char *directory, struct error *error)
{
    char *plan = text_format("%s/plan.json", directory);
    enum status status = STATUS_OK;
    if (access(plan, F_OK) == 0) {
        status = error_set(
            error, STATUS_INVALID,
            "%s has a run already: go on with it (heapmill bench --resume %s), or give another "
            "directory with -o",
            directory, directory);
    } else if (errno == ENOTDIR || (access(directory, F_OK) == 0 && access(directory, W_OK) != 0)) {
        status = error_set(error, STATUS_IO, "%s: %m: give another directory with -o", directory);
    }
    free(plan);
    return status;
}

enum status experiment_start(const char *directory, json_t *plan, const struct executor *executor,
                             struct store **store, double *round_s, struct error *error)
{
    enum status status = experiment_check_directory(directory, error);
    uint64_t begin_ns = executor_now_ns(executor);
    if (status == STATUS_OK && isatty(STDERR_FILENO) == 1) {
        (void)fprintf(stderr, "heapmill: linking, and calibrating %zu groups…\n",
                      plan_count_groups(plan));
    }
    if (status == STATUS_OK && executor->begin != NULL) {
        status = executor->begin(executor->context, plan, error);
    }
    if (status == STATUS_OK) {
        status = plan_calibrate(plan, executor, round_s, error);
    }
    if (status == STATUS_OK) {
        double seconds = (double)(executor_now_ns(executor) - begin_ns) / 1e9;
        (void)json_object_set_new(plan, "prepared_s", json_real(seconds));
        status = store_create(directory, plan, store, error);
    }
    return status;
}

/* Checks that the run can continue on this machine, with the wanted plan. */
static enum status experiment_check_resumed(const json_t *plan, const json_t *wanted,
                                            const struct executor *executor, struct error *error)
{
    enum status status = wanted != NULL ? plan_compare(plan, wanted, error) : STATUS_OK;
    if (status == STATUS_OK) {
        status = plan_check_host(plan, error);
    }
    if (status == STATUS_OK && executor->prepare != NULL) {
        /* Nothing is added to the plan of an earlier session. */
        status = executor->prepare(executor->context, (json_t *)plan, true, error);
    }
    if (status == STATUS_OK && executor->begin != NULL) {
        status = executor->begin(executor->context, plan, error);
    }
    return status;
}

enum status experiment_resume(const char *directory, const json_t *wanted,
                              const struct executor *executor, struct store **store,
                              double *round_s, struct error *error)
{
    enum status status = store_resume(directory, store, error);
    if (status != STATUS_OK) {
        return status;
    }
    const json_t *plan = store_plan(*store);
    *round_s = plan_estimate_round_s(plan, RECORD_TIME);
    status = experiment_check_resumed(plan, wanted, executor, error);
    if (status == STATUS_OK && store_interrupted_count(*store) > 0) {
        (void)fprintf(stderr,
                      "heapmill: %s: the group that was cut short runs again; its %llu records are "
                      "in interrupted.jsonl\n",
                      directory, (unsigned long long)store_interrupted_count(*store));
    }
    return status;
}

enum status experiment_go_on(struct store *store, const struct executor *executor, double round_s,
                             struct error *error)
{
    double elapsed_s = 0;
    uint32_t rounds = 0;
    enum status status = store_read_elapsed(store, &elapsed_s, &rounds, error);
    if (status != STATUS_OK) {
        return status;
    }
    if (rounds > 0) {
        round_s = elapsed_s / (double)rounds;
    }
    if (store_record_count(store) == 0) {
        elapsed_s = json_number_value(json_object_get(store_plan(store), "prepared_s"));
    }
    status = rounds_run(store, executor, round_s, elapsed_s, error);
    return status == STATUS_OK ? store_finish(store, error) : status;
}
