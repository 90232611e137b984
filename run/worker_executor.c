#include "run/worker_executor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/json.h"
#include "common/host/packages.h"
#include "common/host/sha256.h"
#include "common/host/text.h"
#include "results/stats/statistics.h"
#include "run/layouts.h"
#include "run/plan.h"
#include "run/worker.h"

/* Turns the end of a worker's process into an executor's outcome (run/executor.h). */

static void outcome_set(json_t *outcome, const char *name, json_t *value)
{
    (void)json_object_set_new(outcome, name, value != NULL ? value : json_null());
}

/* Parses the one line of the worker. Returns NULL if there is none, a torn one, more than one, or
 * no JSON object. */
static json_t *outcome_parse(const struct process_result *result)
{
    const char *end = memchr(result->output, '\n', result->output_bytes);
    if (end == NULL || (size_t)(end - result->output) + 1 != result->output_bytes) {
        return NULL;
    }
    json_t *line = json_loadb(result->output, result->output_bytes, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(line)) {
        json_decref(line);
        return NULL;
    }
    return line;
}

/* Returns a sentence that says what an ok line of the pass lacks, or NULL if it has all. */
static const char *outcome_lacks_figures(const struct worker_run *run, const json_t *line)
{
    const char *source = json_text_at(line, "memory.held_source", "");
    switch (run->pass) {
    case RECORD_MEMORY:
        return strcmp(source, "stats") == 0 || strcmp(source, "smaps") == 0
                   ? NULL
                   : "the worker's line has no memory";
    case RECORD_INSTRUCTIONS:
        return run->instructions > 0 ? NULL : "callgrind left no count of the timed part";
    case RECORD_LATENCY:
        return json_is_object(json_object_get(line, "latency"))
                   ? NULL
                   : "the worker's line has no latency";
    default:
        return json_number_value(json_object_get(line, "cpu_ns_per_op")) > 0 &&
                       json_number_value(json_object_get(line, "wall_ns")) > 0
                   ? NULL
                   : "the worker's line has no time";
    }
}

/* Returns a sentence that says what an ok line lacks, or NULL if it has all. */
static const char *outcome_lacks(const struct worker_run *run, const json_t *line)
{
    json_int_t iterations = json_integer_value(json_object_get(line, "iterations"));
    if (strcmp(json_text_at(line, "workload", ""), json_text_at(run->cell, "workload", "")) != 0) {
        return "the worker ran another workload";
    }
    if (iterations < 0 || (uint64_t)iterations != run->iterations) {
        return "the worker ran another number of iterations than was planned";
    }
    const json_t *threads = json_object_get(line, "threads");
    if (threads != NULL && json_equal(threads, json_object_get(run->cell, "threads")) == 0) {
        return "the worker ran another number of threads than was planned";
    }
    if (json_number_value(json_object_get(line, "operations")) <= 0) {
        return "the worker's line has no operations";
    }
    return outcome_lacks_figures(run, line);
}

/* Judges an exit with 0 or 1 and a whole line. The caller frees *reason. */
static const char *outcome_judge_line(const struct worker_run *run, const json_t *line,
                                      int exit_code, char **reason)
{
    const char *status = json_text_at(line, "status", "");
    bool ok = strcmp(status, "ok") == 0;
    bool not_applicable = strcmp(status, "not_applicable") == 0;
    const char *why = json_text_at(line, "reason", "");
    if (exit_code != 0 || (!ok && !not_applicable)) {
        *reason = text_format("%s", why[0] != '\0' ? why : "the worker says that it failed");
        return "failed";
    }
    const char *lacking = ok ? outcome_lacks(run, line) : NULL;
    *reason = text_format("%s", lacking != NULL ? lacking : ok ? "" : why);
    return lacking != NULL ? "failed" : not_applicable ? "not_applicable" : "ok";
}

static const char *outcome_judge(const struct worker_run *run, const struct process_result *result,
                                 const json_t *line, char **reason)
{
    bool answered = !result->timed_out && result->signal == 0 && result->exit_code <= 1;
    if (answered && line != NULL) {
        return outcome_judge_line(run, line, result->exit_code, reason);
    }
    char *how = worker_explain(result, run->timeout_s);
    if (result->timed_out || result->signal != 0 || result->exit_code != 0) {
        *reason = text_format("the worker %s", how);
    } else {
        *reason =
            text_format(result->output_bytes == 0 ? "the worker wrote no line"
                                                  : "the worker's line is not one JSON object");
    }
    free(how);
    return result->timed_out ? "timeout" : result->signal != 0 ? "crashed" : "failed";
}

/* The peak is what the worker itself reports. The peak of wait4 may be this program's, because
 * ru_maxrss is inherited over fork and exec. A worker that died without a line has none. */
static void outcome_add_process(json_t *outcome, const struct process_result *result)
{
    json_t *process =
        json_pack("{sI sI sI sI}", "cpu_ns", (json_int_t)result->cpu_ns, "wall_ns",
                  (json_int_t)result->wall_ns, "faults_minor", (json_int_t)result->faults_minor,
                  "faults_major", (json_int_t)result->faults_major);
    json_t *peak = json_object_get(outcome, "process_rss_bytes_peak");
    if (peak != NULL) {
        (void)json_object_set(process, "rss_bytes_peak", peak);
        (void)json_object_del(outcome, "process_rss_bytes_peak");
    }
    outcome_set(outcome, "process", process);
}

/* Of the line of an outcome that is not ok, the engine keeps only what explains it. */
json_t *worker_outcome_make(const struct worker_run *run, const struct process_result *result)
{
    char *reason = NULL;
    json_t *line = outcome_parse(result);
    const char *status = outcome_judge(run, result, line, &reason);
    json_t *outcome = line != NULL ? line : json_object();
    outcome_set(outcome, "status", json_string(status));
    outcome_set(outcome, "reason", text_to_json(reason));
    outcome_set(outcome, "iterations", json_integer((json_int_t)run->iterations));
    outcome_set(outcome, "exit_code", json_integer(result->exit_code));
    outcome_set(outcome, "signal", json_integer(result->signal));
    outcome_set(outcome, "stderr", text_to_json(result->stderr_tail));
    if (strcmp(status, "ok") == 0 && run->pass == RECORD_INSTRUCTIONS) {
        double operations = json_number_at(outcome, "operations", 1);
        outcome_set(outcome, "instructions", json_integer((json_int_t)run->instructions));
        outcome_set(outcome, "instructions_per_op",
                    json_real((double)run->instructions / operations));
    }
    outcome_add_process(outcome, result);
    free(reason);
    return outcome;
}

/* Preflight: finds out what can run here. */

static enum status preflight_program(const struct registry *registry, const char *program,
                                     struct error *error)
{
    char *path = registry_program_path(registry, program);
    enum status status = STATUS_OK;
    if (access(path, X_OK) != 0) {
        status = error_set(error, STATUS_UNSUPPORTED, "%s is missing: build the target %s", path,
                           program);
    }
    free(path);
    return status;
}

/* Preloads the library and asks where malloc lives. package names the package to install, or is
 * "". */
static enum status preflight_preload(const struct worker *worker, const char *package,
                                     char **malloc_owner, struct error *error)
{
    const char *expected = worker_expected_owner(worker);
    struct error reason;
    json_t *description = NULL;
    char *said = NULL;
    enum status status = worker_describe(worker, &description, &said, &reason);
    if (status != STATUS_OK) {
        return error_set(error, status == STATUS_INTERRUPTED ? status : STATUS_UNSUPPORTED,
                         "with %s preloaded, %s", expected, reason.message);
    }
    const char *owner = json_string_value(json_object_get(description, "malloc_owner"));
    owner = owner != NULL ? owner : "?";
    if (strstr(owner, expected) != NULL) {
        *malloc_owner = text_format("%s", owner);
    } else if (package[0] != '\0') {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "%s is not here (malloc stays in %s): apt-get install %s", expected,
                           owner, package);
    } else {
        status =
            error_set(error, STATUS_UNSUPPORTED,
                      "%s does not own malloc, which lives in %s: a library must export malloc, "
                      "calloc, realloc and free to be measured%s%s",
                      expected, owner, said[0] != '\0' ? "; " : "", said);
    }
    json_decref(description);
    free(said);
    return status;
}

static enum status preflight_launch(const struct registry *registry, const struct launch *launch,
                                    bool memory, const char *package, char **malloc_owner,
                                    struct error *error)
{
    *malloc_owner = NULL;
    enum status status = preflight_program(registry, launch->program, error);
    if (status == STATUS_OK && memory) {
        status = preflight_program(registry, launch->probe, error);
    }
    if (status != STATUS_OK || launch->preload[0] == '\0') {
        return status;
    }
    char *path = registry_preload_path(registry, launch->preload);
    if (strchr(path, '/') != NULL && access(path, R_OK) != 0) {
        status = error_set(error, STATUS_UNSUPPORTED, "%s is missing: build it", path);
    } else if (strpbrk(path, " :") != NULL) {
        status = error_set(
            error, STATUS_UNSUPPORTED,
            "%s: LD_PRELOAD cannot name a path with a blank or a colon: build elsewhere", path);
    }
    free(path);
    struct worker worker = {
        .registry = registry, .program = launch->program, .preload = launch->preload, .env = NULL};
    return status != STATUS_OK ? status : preflight_preload(&worker, package, malloc_owner, error);
}

enum status preflight_backend(const struct registry *registry, const struct backend *backend,
                              const char *arm, bool memory, char **malloc_owner,
                              struct error *error)
{
    struct launch launch;
    char *owner = NULL;
    registry_launch(backend, arm, &launch);
    enum status status =
        preflight_launch(registry, &launch, memory, backend->package, &owner, error);
    launch_free(&launch);
    if (malloc_owner != NULL) {
        *malloc_owner = owner;
    } else {
        free(owner);
    }
    return status;
}

/* Asks a reference which workloads it runs. */
static enum status preflight_reference(struct selection_choice *choice,
                                       const struct registry *registry, struct error *error)
{
    struct launch launch;
    json_t *description = NULL;
    registry_launch(choice->backend, choice->arm, &launch);
    struct worker worker = {
        .registry = registry, .program = launch.program, .preload = launch.preload, .env = NULL};
    enum status status = worker_describe(&worker, &description, NULL, error);
    if (status == STATUS_OK) {
        json_decref(choice->workloads);
        choice->workloads = json_incref(json_object_get(description, "workloads"));
    }
    json_decref(description);
    launch_free(&launch);
    return status;
}

enum status preflight_selection(struct selection *selection, const struct registry *registry,
                                bool memory, struct error *error)
{
    for (size_t i = 0; i < selection->choice_count;) {
        const struct selection_choice *choice = &selection->choices[i];
        struct error reason;
        char *owner = NULL;
        enum status status =
            preflight_backend(registry, choice->backend, choice->arm, memory, &owner, &reason);
        if (choice->backend->kind == BACKEND_PEER && choice->backend->installed == NULL &&
            owner != NULL) {
            choice->backend->installed = package_of_file(owner);
        }
        if (choice->backend->owner == NULL) {
            choice->backend->owner = owner;
        } else {
            free(owner);
        }
        if (status == STATUS_OK && choice->backend->kind == BACKEND_REFERENCE) {
            status = preflight_reference(&selection->choices[i], registry, &reason);
        }
        if (status == STATUS_OK) {
            i++;
            continue;
        }
        if (choice->exact || choice->backend->kind == BACKEND_LIBRARY ||
            status == STATUS_INTERRUPTED) {
            return error_set(error, status, "%s:%s: %s", choice->backend->name, choice->arm,
                             reason.message);
        }
        (void)fprintf(stderr, "heapmill: left out: %s:%s: %s\n", choice->backend->name, choice->arm,
                      reason.message);
        selection_drop(selection, i);
    }
    if (selection->choice_count == 0) {
        return error_set(error, STATUS_UNSUPPORTED, "none of the chosen back ends can run here");
    }
    return STATUS_OK;
}

/* Checks a plan that is resumed in the same way: everything in it must run. */
static enum status preflight_plan(const json_t *plan, const struct registry *registry,
                                  struct error *error)
{
    bool probes = plan_runs_pass(plan, RECORD_MEMORY) || plan_runs_pass(plan, RECORD_LATENCY);
    json_t *seen = json_object();
    enum status status = STATUS_OK;
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        struct launch launch = {.program = (char *)json_text_at(cell, "program", ""),
                                .probe = (char *)json_text_at(cell, "probe", ""),
                                .preload = (char *)json_text_at(cell, "preload", "")};
        char *key = text_format("%s %s", launch.program, launch.preload);
        char *owner = NULL;
        if (status == STATUS_OK && json_object_get(seen, key) == NULL) {
            struct error reason;
            status = preflight_launch(registry, &launch, probes, "", &owner, &reason);
            (void)json_object_set_new(seen, key, json_true());
            if (status != STATUS_OK) {
                (void)error_set(error, status, "%s: %s", json_text_at(cell, "id", ""),
                                reason.message);
            }
        }
        free(owner);
        free(key);
    }
    json_decref(seen);
    return status;
}

/* The executor itself. */

/* Adds layout_set to the cell: cells of one program that are compared with each other draw from
 * sets of links that have no link in common. */
static void worker_executor_describe(void *context, const struct selection_choice *choice, int twin,
                                     json_t *cell)
{
    (void)context;
    const char *installed = choice->backend->installed;
    struct launch launch;
    registry_launch(choice->backend, choice->arm, &launch);
    json_t *how = json_pack("{ss ss ss ss si si}", "program", launch.program, "probe", launch.probe,
                            "preload", launch.preload, "package",
                            installed != NULL ? installed : "", "layouts", 0, "layout_set", twin);
    (void)json_object_update(cell, how);
    json_decref(how);
    launch_free(&launch);
}

/* Which of its links a cell runs in in this round, from 1; 0: the worker as it was built, where
 * there are none. Memory and counted instructions do not depend on where functions lie. *name is
 * the worker, of the pass (borrowed). */
static unsigned worker_executor_layout(const struct worker_executor *executor, const json_t *plan,
                                       const json_t *cell, enum record_pass pass, uint32_t round,
                                       const char **name)
{
    bool probe = pass == RECORD_MEMORY || pass == RECORD_LATENCY;
    unsigned count = (unsigned)json_count_at(cell, "layouts", 0);
    *name = json_text_at(cell, probe ? "probe" : "program", "");
    if (count == 0 || (pass != RECORD_TIME && pass != RECORD_LATENCY) ||
        !layouts_known(executor->registry, *name)) {
        return 0;
    }
    unsigned set = (unsigned)json_count_at(cell, "layout_set", 0);
    return 1 + set * count +
           layouts_draw(json_count_at(plan, "seed", 0), json_text_at(cell, "id", ""), round, count);
}

/* What the plan's rounds will need of links, each once. */
struct wanted_links {
    struct layouts_wanted *items;
    size_t count;
    json_t *seen;
};

static void wanted_links_add(struct wanted_links *wanted, const char *program, unsigned number)
{
    char *key = text_format("%s.%u", program, number);
    if (number > 0 && json_object_get(wanted->seen, key) == NULL) {
        wanted->items = text_grow(wanted->items, wanted->count + 1, sizeof(*wanted->items));
        wanted->items[wanted->count++] =
            (struct layouts_wanted){.program = program, .number = number};
        (void)json_object_set_new(wanted->seen, key, json_true());
    }
    free(key);
}

/* Makes every link that the plan's rounds will need. It does so before the first round, because it
 * would disturb a round. A link that is there already costs nothing. */
static enum status worker_executor_begin(void *context, const json_t *plan, struct error *error)
{
    static const enum record_pass passes[] = {RECORD_TIME, RECORD_LATENCY};
    const struct worker_executor *executor = context;
    struct wanted_links wanted = {.seen = json_object()};
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        uint64_t most = json_count_at(cell, "layouts", 0);
        for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]) && most > 0; i++) {
            uint64_t rounds = plan_pass_rounds(plan, passes[i]);
            rounds = rounds == 0 && plan_runs_pass(plan, passes[i]) ? most : rounds;
            rounds = rounds < most ? rounds : most;
            for (uint32_t round = 0; round < rounds; round++) {
                const char *name;
                unsigned number =
                    worker_executor_layout(executor, plan, cell, passes[i], round, &name);
                wanted_links_add(&wanted, name, number);
            }
        }
    }
    enum status status = layouts_make(executor->registry, wanted.items, wanted.count, NULL, error);
    json_decref(wanted.seen);
    free(wanted.items);
    return status;
}

/* Writes the number of links into the cells, if links can be made here: one link of the first
 * program is made to find out. If they cannot, the plan says why. */
static enum status worker_executor_plan_layouts(const struct worker_executor *executor,
                                                json_t *plan, struct error *error)
{
    uint64_t rounds = plan_pass_rounds(plan, RECORD_TIME);
    unsigned count = layouts_for_rounds(rounds);
    bool figures_only = rounds > 0 && rounds < STATISTICS_ROUNDS_MIN;
    enum status status = STATUS_NOT_FOUND;
    if (json_is_true(json_object_get(plan, "one_layout")) || figures_only) {
        return STATUS_OK;
    }
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        const char *program = json_text_at(cell, "program", "");
        bool known = layouts_known(executor->registry, program);
        if (known && status == STATUS_NOT_FOUND) {
            char *name = NULL;
            status = layouts_program(executor->registry, program, 1, &name, NULL, error);
            free(name);
        }
        if (status == STATUS_INTERRUPTED) {
            return status;
        }
        (void)json_object_set_new(cell, "layouts",
                                  json_integer(known && status == STATUS_OK ? count : 0));
    }
    if (status != STATUS_OK) {
        const char *why = status == STATUS_NOT_FOUND
                              ? "this heapmill was installed, or built with a linker that takes no "
                                "script with INSERT"
                              : error->message;
        (void)json_object_set_new(plan, "layouts_missing", json_string(why));
    }
    return STATUS_OK;
}

/* The file that is run or preloaded under a name of the plan; NULL: it cannot be told, as of a peer
 * in a later session. The caller frees. */
static char *worker_executor_file(const struct worker_executor *executor, const json_t *cell,
                                  const char *member)
{
    const struct registry *registry = executor->registry;
    const char *name = json_text_at(cell, member, "");
    if (strcmp(member, "preload") != 0) {
        return registry_program_path(registry, name);
    }
    char *path = registry_preload_path(registry, name);
    if (name[0] == '\0' || strchr(path, '/') != NULL) {
        return path;
    }
    free(path);
    const struct backend *backend = registry_find(registry, json_text_at(cell, "backend", ""));
    return backend != NULL && backend->owner != NULL ? text_format("%s", backend->owner) : NULL;
}

/* The SHA-256 of each file that the plan's cells run or preload, by its name there. A new
 * reference. */
static json_t *worker_executor_digests(const struct worker_executor *executor, const json_t *plan)
{
    static const char *const members[] = {"program", "probe", "preload"};
    json_t *digests = json_object();
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
            char digest[SHA256_TEXT_BYTES];
            const char *name = json_text_at(cell, members[i], "");
            char *path = json_object_get(digests, name) == NULL
                             ? worker_executor_file(executor, cell, members[i])
                             : NULL;
            if (path != NULL && name[0] != '\0' &&
                sha256_of_file(path, digest, NULL) == STATUS_OK) {
                (void)json_object_set_new(digests, name, json_string(digest));
            }
            free(path);
        }
    }
    return digests;
}

/* A plan that is gone on with: is what it runs what it was? */
static enum status worker_executor_check_digests(const struct worker_executor *executor,
                                                 const json_t *plan, struct error *error)
{
    json_t *now = worker_executor_digests(executor, plan);
    const char *name;
    json_t *digest;
    enum status status = STATUS_OK;
    json_object_foreach(json_object_get(plan, "digests"), name, digest)
    {
        const json_t *is = json_object_get(now, name);
        if (status == STATUS_OK && is != NULL && json_equal(is, digest) == 0) {
            status = error_set(error, STATUS_INVALID,
                               "%s is not the file that the run there began with: figures of two "
                               "builds are no pairs; start another run with -o",
                               name);
        }
    }
    json_decref(now);
    return status;
}

static enum status worker_executor_prepare(void *context, json_t *plan, bool resumed,
                                           struct error *error)
{
    struct worker_executor *executor = context;
    char *version = NULL;
    enum status status = STATUS_OK;
    if (resumed) {
        status = worker_executor_check_digests(executor, plan, error);
        status = status == STATUS_OK ? preflight_plan(plan, executor->registry, error) : status;
    } else {
        (void)json_object_set_new(plan, "digests", worker_executor_digests(executor, plan));
    }
    if (status == STATUS_OK && plan_runs_pass(plan, RECORD_INSTRUCTIONS)) {
        free(executor->valgrind);
        status = callgrind_find(executor->registry, &executor->valgrind, &version, error);
    }
    if (status == STATUS_OK && version != NULL && !resumed) {
        (void)json_object_set_new(plan, "valgrind", json_string(version));
    }
    if (status == STATUS_OK && !resumed) {
        status = worker_executor_plan_layouts(executor, plan, error);
    }
    free(version);
    return status;
}

static struct worker worker_executor_worker(const struct worker_executor *executor,
                                            const json_t *cell, const char *program)
{
    return (struct worker){.registry = executor->registry,
                           .program = program,
                           .preload = json_text_at(cell, "preload", ""),
                           .collector = plan_collector(cell),
                           .env = json_object_get(cell, "env")};
}

/* Asks the malloc worker, so that all back ends of a group do the same work. In a plan with cells
 * of more work, which are all copies of one, it asks that cell's own worker. */
static enum status worker_executor_calibrate(void *context, const json_t *plan, const json_t *cell,
                                             json_t **calibration, struct error *error)
{
    const struct worker_executor *executor = context;
    struct worker worker = {
        .registry = executor->registry, .program = "heapmill-run-malloc", .preload = ""};
    if (plan_has_extra_work(plan)) {
        worker = worker_executor_worker(executor, cell, json_text_at(cell, "program", ""));
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

/* A cell of a round as its worker is asked for it. */
struct asked_worker {
    struct worker worker;
    struct worker_cell cell;
    unsigned layout;
    char *program; /* owned */
};

static enum status asked_worker_make(const struct worker_executor *executor,
                                     const struct executor_cell *asked, struct asked_worker *made,
                                     struct error *error)
{
    const json_t *cell = asked->cell;
    bool counted = asked->pass == RECORD_INSTRUCTIONS;
    const char *name;
    enum status status = STATUS_OK;
    *made =
        (struct asked_worker){.layout = worker_executor_layout(executor, asked->plan, cell,
                                                               asked->pass, asked->round, &name)};
    if (made->layout == 0) {
        made->program = text_format("%s", name);
    } else {
        status =
            layouts_program(executor->registry, name, made->layout, &made->program, NULL, error);
    }
    made->worker = worker_executor_worker(executor, cell, made->program);
    made->cell = (struct worker_cell){
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
    return status;
}

/* Frees the result. */
static enum status asked_worker_conclude(const struct asked_worker *made, const json_t *cell,
                                         uint64_t instructions, struct process_result *result,
                                         json_t **outcome, struct error *error)
{
    const struct worker_run run = {.cell = cell,
                                   .pass = made->cell.pass,
                                   .iterations = made->cell.iterations,
                                   .instructions = instructions,
                                   .timeout_s = made->cell.timeout_s};
    enum status status = STATUS_OK;
    if (result->interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else {
        *outcome = worker_outcome_make(&run, result);
        (void)json_object_set_new(*outcome, "layout", json_integer(made->layout));
    }
    process_result_free(result);
    return status;
}

static enum status worker_executor_run(void *context, const struct executor_cell *asked,
                                       json_t **outcome, struct error *error)
{
    struct asked_worker made;
    struct process_result result;
    uint64_t instructions = 0;
    enum status status = asked_worker_make(context, asked, &made, error);
    if (status == STATUS_OK) {
        status = worker_run_cell(&made.worker, &made.cell, &result, &instructions, error);
    }
    if (status == STATUS_OK) {
        status = asked_worker_conclude(&made, asked->cell, instructions, &result, outcome, error);
    }
    free(made.program);
    return status;
}

static enum status worker_executor_run_beside(void *context, const struct executor_cell *asked,
                                              size_t count, json_t **outcomes, struct error *error)
{
    struct asked_worker *made = text_grow(NULL, count, sizeof(*made));
    struct worker *workers = text_grow(NULL, count, sizeof(*workers));
    struct worker_cell *cells = text_grow(NULL, count, sizeof(*cells));
    struct process_result *results = text_grow(NULL, count, sizeof(*results));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        enum status one = asked_worker_make(context, &asked[i], &made[i], error);
        status = status == STATUS_OK ? one : status;
        workers[i] = made[i].worker;
        cells[i] = made[i].cell;
        outcomes[i] = NULL;
    }
    if (status == STATUS_OK) {
        status = worker_run_cells(workers, cells, count, results, error);
        for (size_t i = 0; i < count && results[i].output != NULL; i++) {
            enum status one =
                asked_worker_conclude(&made[i], asked[i].cell, 0, &results[i], &outcomes[i], error);
            status = status == STATUS_OK ? one : status;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (status != STATUS_OK) {
            json_decref(outcomes[i]);
            outcomes[i] = NULL;
        }
        free(made[i].program);
    }
    free(made);
    free(workers);
    free(cells);
    free(results);
    return status;
}

void worker_executor_open(struct worker_executor *worker, const struct registry *registry)
{
    *worker = (struct worker_executor){.executor = {.context = worker,
                                                    .describe = worker_executor_describe,
                                                    .prepare = worker_executor_prepare,
                                                    .begin = worker_executor_begin,
                                                    .calibrate = worker_executor_calibrate,
                                                    .run = worker_executor_run,
                                                    .run_beside = worker_executor_run_beside},
                                       .registry = registry};
}

void worker_executor_close(struct worker_executor *worker)
{
    free(worker->valgrind);
    worker->valgrind = NULL;
}
