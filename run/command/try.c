#include "run/command/try.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/json.h"
#include "common/host/process.h"
#include "common/host/process_guard.h"
#include "results/metrics.h"
#include "results/store.h"
#include "run/command/command_executor.h"
#include "run/command/command_run.h"
#include "run/command/inquiry.h"
#include "run/command/tune.h"
#include "run/experiment.h"
#include "run/plan.h"
#include "run/selection.h"
#include "run/worker_executor.h"

/* The command as it is, with nothing preloaded. Its arm has the same name as the others', because
 * only equal arms are compared. */
static char *try_base_arm[] = {"preload", NULL};
static struct backend try_base = {.kind = BACKEND_LIBRARY,
                                  .name = "as-is",
                                  .source = "sysmalloc",
                                  .parameters = "",
                                  .library = "",
                                  .package = "",
                                  .arms = {try_base_arm, 1}};

struct try_session {
    const struct try_request *request;
    struct registry registry;
    struct process_guard guard;
    struct command_executor command;
    json_t *spec; /* the plan's `try` */
};

/* ---------------------------------------------------------------- which allocators */
static void try_set_text(json_t *spec, const char *name, const char *text)
{
    if (text != NULL) {
        (void)json_object_set_new(spec, name, text_to_json(text));
    }
}

/* Builds the plan's `try` as far as the options give it. A resumed run uses the same directory. */
static enum status try_spec(const struct try_request *request, json_t **spec, struct error *error)
{
    char here[PATH_MAX];
    char input[PATH_MAX];
    json_t *argv = json_array();
    for (size_t i = 0; request->command[i] != NULL; i++) {
        if (json_array_append_new(argv, json_string(request->command[i])) != 0) {
            json_decref(argv);
            return error_set(error, STATUS_INVALID,
                             "the plan is JSON, and an argument of the command is not UTF-8: put "
                             "the command into a script");
        }
    }
    *spec = json_pack("{so so}", "argv", argv, "notes", json_array());
    if (getcwd(here, sizeof(here)) == NULL) {
        return error_set(error, STATUS_IO, "the current directory cannot be found: %m");
    }
    if (request->input != NULL &&
        (realpath(request->input, input) == NULL || access(input, R_OK) != 0)) {
        return error_set(error, STATUS_INVALID, "--input %s: %m", request->input);
    }
    try_set_text(*spec, "directory", here);
    try_set_text(*spec, "input", request->input != NULL ? input : NULL);
    try_set_text(*spec, "setup", request->setup);
    try_set_text(*spec, "prepare", request->prepare);
    try_set_text(*spec, "check", request->check);
    try_set_text(*spec, "load", request->load);
    try_set_text(*spec, "ready", request->ready);
    (void)json_object_set_new(*spec, "idle_s", json_real(request->idle_s));
    (void)json_object_set_new(*spec, "compare_output", json_boolean(!request->ignore_output));
    (void)json_object_set_new(*spec, "ignore_failure", json_boolean(request->ignore_failure));
    (void)json_object_set_new(*spec, "warmup", json_integer((json_int_t)request->warmup));
    return STATUS_OK;
}

/* CPython's own pools lie over malloc, which then sees few of its objects. */
static void try_set_python(struct selection *selection)
{
    for (size_t i = 0; i < selection->choice_count; i++) {
        json_t *env = selection->choices[i].env;
        if (json_object_get(env, "PYTHONMALLOC") == NULL) {
            (void)json_object_set_new(env, "PYTHONMALLOC", json_string("malloc"));
        }
    }
}

/* Keeps the choices that can be preloaded, and glibc's malloc if the command brings another one. */
static enum status try_keep_preloads(const struct try_session *session, struct selection *selection,
                                     struct error *error)
{
    bool brings = json_bool_at(session->spec, "brings_malloc", false);
    for (size_t i = selection->choice_count; i-- > 0;) {
        const struct selection_choice *choice = &selection->choices[i];
        bool same = strcmp(choice->backend->name, "malloc") == 0 && !brings &&
                    json_object_size(choice->env) == 0;
        if (strcmp(choice->arm, "preload") == 0 && !same) {
            continue;
        }
        if (choice->exact && !same) {
            return error_set(error, STATUS_INVALID,
                             "-b: %s cannot be preloaded in the arm '%s', and a command needs a "
                             "preloaded allocator; `heapmill list arms` shows what there is",
                             choice->backend->name, choice->arm);
        }
        if (choice->exact) {
            (void)fprintf(
                stderr,
                "heapmill try: the command already uses malloc, so malloc has no row of its own\n");
        }
        selection_drop(selection, i);
    }
    return STATUS_OK;
}

static enum status try_select(struct try_session *session, struct selection *selection,
                              struct error *error)
{
    const struct try_request *request = session->request;
    const char *list = request->backends != NULL ? request->backends : "*";
    enum status status = selection_add_backends(selection, &session->registry, list, NULL, error);
    if (status == STATUS_OK && json_bool_at(session->spec, "python", false)) {
        try_set_python(selection);
    }
    if (status == STATUS_OK && request->tune) {
        status = tune_add_settings(selection, error);
    }
    if (status == STATUS_OK) {
        status = try_keep_preloads(session, selection, error);
    }
    if (status == STATUS_OK && selection->choice_count > 0) {
        status = preflight_selection(selection, &session->registry, false, error);
    }
    if (status == STATUS_OK && selection->choice_count == 0) {
        status = error_set(error, STATUS_INVALID,
                           "there is no allocator to try beside the command's own; `heapmill list "
                           "backends` shows what there is, and scripts/install adds to it");
    }
    return status;
}

/* ---------------------------------------------------------------- the plan */
static void try_add_point(struct selection *selection, const struct catalog_workload *workload)
{
    selection->points = text_grow(NULL, 1, sizeof(*selection->points));
    selection->points[0] =
        (struct selection_point){.workload = workload, .params = json_object(), .threads = 1};
    selection->point_count = 1;
}

/* Puts the base before the other choices. */
static void try_add_base(struct selection *selection)
{
    size_t count = selection->choice_count;
    selection->choices = text_grow(selection->choices, count + 1, sizeof(*selection->choices));
    memmove(&selection->choices[1], selection->choices, count * sizeof(*selection->choices));
    selection->choices[0] = (struct selection_choice){
        .backend = &try_base, .arm = "preload", .env = json_object(), .exact = true};
    selection->choice_count++;
}

static enum status try_plan(struct try_session *session, json_t **plan, struct error *error)
{
    const struct try_request *request = session->request;
    const char *slash = strrchr(request->command[0], '/');
    const struct catalog_workload workload = {.name =
                                                  slash != NULL ? slash + 1 : request->command[0],
                                              .kind = "command",
                                              .family = "command"};
    const struct experiment experiment = {.name = "try",
                                          .rounds = request->rounds,
                                          .budget_s = request->budget_s,
                                          .seed = request->seed,
                                          .timeout_s = request->timeout_s,
                                          .passes = {[RECORD_TIME] = true},
                                          .argc = request->argc,
                                          .argv = request->argv};
    struct selection selection = {0};
    enum status status = try_select(session, &selection, error);
    if (status == STATUS_OK) {
        session->command.spec = session->spec;
        try_add_base(&selection);
        try_add_point(&selection, &workload);
        *plan = plan_build(&experiment, &session->command.executor, &selection, 0);
        (void)json_object_set(*plan, "try", session->spec);
    }
    selection_free(&selection);
    return status;
}

/* ---------------------------------------------------------------- screening */
enum { TRY_SCREENING_ROUNDS = 3, TRY_KEPT_FASTEST = 4, TRY_KEPT_SMALLEST = 1 };

/* The ratios of the plan's cells to the base in the metric; NAN: there is none. The rounds of the
 * screening only choose and are not reported: a cell that was lucky in them is measured anew. */
static void try_read_ratios(const struct record_set *set, const char *name, double *ratios)
{
    const struct metric *metric = metric_find(name);
    double base = (double)NAN;
    for (size_t i = 0; i < set->cell_count; i++) {
        bool is_base = strcmp(set->cells[i].backend_text, set->base_backend) == 0;
        ratios[i] = metric_median_of_cell(metric, set, i);
        base = is_base && set->cells[i].twin == 0 ? ratios[i] : base;
    }
    for (size_t i = 0; i < set->record_count; i++) {
        if (set->records[i].status != RECORD_OK) {
            ratios[set->records[i].cell] = (double)NAN;
        }
    }
    for (size_t i = 0; i < set->cell_count; i++) {
        ratios[i] /= base;
    }
}

/* Also keeps the count cells with the smallest ratios. The base and its twins are always kept. */
static void try_keep_least(const struct record_set *set, const double *ratios, size_t count,
                           bool *kept)
{
    for (size_t n = 0; n < count; n++) {
        size_t least = set->cell_count;
        for (size_t i = 0; i < set->cell_count; i++) {
            if (!kept[i] && !isnan(ratios[i]) &&
                (least == set->cell_count || ratios[i] < ratios[least])) {
                least = i;
            }
        }
        if (least < set->cell_count) {
            kept[least] = true;
        }
    }
}

/* Makes the plan of the fresh rounds: the screening's plan, with only the cells that did best. */
static enum status try_confirm_plan(const char *screening, json_t **plan, struct error *error)
{
    struct record_set *set = NULL;
    enum status status = store_load(screening, &set, error);
    if (status != STATUS_OK) {
        return status;
    }
    double *ratios = text_zeroed(set->cell_count, sizeof(*ratios));
    bool *kept = text_zeroed(set->cell_count, sizeof(*kept));
    for (size_t i = 0; i < set->cell_count; i++) {
        kept[i] = strcmp(set->cells[i].backend_text, set->base_backend) == 0;
    }
    try_read_ratios(set, "time", ratios);
    try_keep_least(set, ratios, TRY_KEPT_FASTEST, kept);
    try_read_ratios(set, "memory_peak", ratios);
    try_keep_least(set, ratios, TRY_KEPT_SMALLEST, kept);
    *plan = json_deep_copy(set->plan);
    json_t *cells = json_object_get(*plan, "cells");
    for (size_t i = set->cell_count; i-- > 0;) {
        if (!kept[i]) {
            (void)json_array_remove(cells, i);
        }
    }
    json_t *spec = json_object_get(*plan, "try");
    json_int_t seed = json_integer_value(json_object_get(*plan, "seed"));
    (void)json_object_set_new(*plan, "seed", json_integer(seed + 1));
    (void)json_object_set(*plan, "rounds", json_object_get(spec, "rounds"));
    (void)json_object_set(*plan, "budget_s", json_object_get(spec, "budget_s"));
    (void)json_object_set_new(spec, "screened", json_integer((json_int_t)set->cell_count - 3));
    free(ratios);
    free(kept);
    record_set_free(set);
    return STATUS_OK;
}

/* Runs the screening, or the rest of it, and makes the plan that confirms it. */
static enum status try_screen(struct try_session *session, const char *directory, json_t **plan,
                              struct error *error)
{
    const struct executor *executor = &session->command.executor;
    struct store *store = NULL;
    double round_s = 0;
    enum status status =
        *plan == NULL ? experiment_resume(directory, NULL, executor, &store, &round_s, error)
                      : experiment_start(directory, *plan, executor, &store, &round_s, error);
    if (status == STATUS_OK) {
        status = experiment_go_on(store, executor, round_s, error);
    }
    store_close(store);
    json_decref(*plan);
    *plan = NULL;
    return status == STATUS_OK ? try_confirm_plan(directory, plan, error) : status;
}

/* ---------------------------------------------------------------- running */
/* Makes the first plan, which with --tune is that of the screening. */
static enum status try_first_plan(struct try_session *session, json_t **plan, struct error *error)
{
    const struct try_request *request = session->request;
    enum status status = try_spec(request, &session->spec, error);
    if (status == STATUS_OK && request->setup != NULL) {
        status = command_shell("--setup", request->setup, NULL, 0, error);
    }
    if (status == STATUS_OK) {
        status = inquiry_make(&session->command, session->spec, request->timeout_s, error);
    }
    if (status == STATUS_OK) {
        status = try_plan(session, plan, error);
    }
    if (status == STATUS_OK && request->tune) {
        (void)json_object_set_new(session->spec, "rounds",
                                  json_integer((json_int_t)request->rounds));
        (void)json_object_set_new(session->spec, "budget_s", json_real(request->budget_s));
        (void)json_object_set_new(*plan, "rounds", json_integer(TRY_SCREENING_ROUNDS));
        (void)json_object_set_new(*plan, "budget_s", json_real(0));
    }
    return status;
}

static bool try_has_plan(const char *directory)
{
    char *path = text_format("%s/plan.json", directory);
    bool has = access(path, F_OK) == 0;
    free(path);
    return has;
}

/* Opens a run. A resumed run continues with its plan, or with its screening if there is no plan
 * yet. */
static enum status try_open(struct try_session *session, struct store **store, double *round_s,
                            struct error *error)
{
    const struct try_request *request = session->request;
    const struct executor *executor = &session->command.executor;
    char *screening = text_format("%s/screening", request->directory);
    bool screened = request->resume ? !try_has_plan(request->directory) && try_has_plan(screening)
                                    : request->tune;
    json_t *plan = NULL;
    enum status status = STATUS_OK;
    if (!request->resume) {
        status = try_first_plan(session, &plan, error);
    }
    if (status == STATUS_OK && screened) {
        status = try_screen(session, screening, &plan, error);
    }
    if (status == STATUS_OK) {
        status = plan != NULL
                     ? experiment_start(request->directory, plan, executor, store, round_s, error)
                     : experiment_resume(request->directory, NULL, executor, store, round_s, error);
    }
    json_decref(plan);
    free(screening);
    return status;
}

enum status try_run(const struct try_request *request, struct error *error)
{
    struct try_session session = {.request = request, .guard = {.pipe_fd = -1}};
    struct store *store = NULL;
    double round_s = 0;
    enum status status = process_guard_start(&session.guard, error);
    if (status == STATUS_OK) {
        status = registry_open(&session.registry, error);
    }
    if (status == STATUS_OK) {
        status = command_executor_open(&session.command, &session.registry, &session.guard,
                                       request->directory, error);
    }
    if (status == STATUS_OK) {
        status = try_open(&session, &store, &round_s, error);
    }
    if (status == STATUS_OK) {
        status = experiment_go_on(store, &session.command.executor, round_s, error);
    }
    store_close(store);
    command_executor_close(&session.command);
    registry_close(&session.registry);
    process_guard_end(&session.guard);
    json_decref(session.spec);
    return status;
}
