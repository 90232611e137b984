#include "fuzz/campaign/score_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host/files.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "fuzz/engines/launch.h"

enum { SCORE_JOBS_MAX = 64 };

static const double SCORE_LOOK_S = 0.1;
static const double SCORE_GRACE_S = 2;
/* Ends a trial that sleeps instead of working, since it would never reach its CPU limit. */
static const double SCORE_WALL_FACTOR = 20;
static const double SCORE_WALL_LEAST_S = 120;

/* A trial that is to be run. */
struct score_trial {
    const struct fuzz_program *program;
    enum fuzz_engine engine;
    uint64_t number;
    bool control;
};

/* A trial that is running. */
struct score_slot {
    bool used;
    bool spent; /* stopped as its CPU time was over; the kernel's last word may be a tick less */
    struct score_trial trial;
    struct fuzz_launch launch;
    char *directory;
};

struct score_state {
    const struct score_run *run;
    struct score_trial *trials;
    size_t count;
    size_t planned; /* in the whole plan, so far */
    size_t next;
    struct score_slot slots[SCORE_JOBS_MAX];
    struct process crew[SCORE_JOBS_MAX];
    double limit_s;
    double baseline_limit_s;
    uint64_t baseline_trials;
    uint64_t seed;
    uint64_t operations;
    bool fast;
    bool shown; /* show progress on a terminal */
    struct score_run_result *result;
};

/* Is the trial recorded, and did it not fail? A failed trial is repeated. */
static bool score_is_done(const struct score_state *state, const struct score_trial *trial)
{
    size_t index;
    const json_t *line;
    json_array_foreach(state->run->log->lines, index, line)
    {
        if (strcmp(json_text_at(line, "program", ""), trial->program->label) == 0 &&
            strcmp(json_text_at(line, "engine", ""), fuzz_engine_name(trial->engine)) == 0 &&
            (uint64_t)json_integer_value(json_object_get(line, "trial")) == trial->number &&
            strcmp(json_text_at(line, "end", ""), "failed") != 0) {
            return true;
        }
    }
    return false;
}

/* The CPU limit of the trial; baselines have their own. */
static double score_limit_s(const struct score_state *state, const struct score_trial *trial)
{
    return fuzz_engine_is_baseline(trial->engine) ? state->baseline_limit_s : state->limit_s;
}

static void score_plan_trial(struct score_state *state, const struct score_trial *trial,
                             bool baselines)
{
    bool beyond = !trial->control && fuzz_engine_is_baseline(trial->engine) &&
                  trial->number >= state->baseline_trials;
    if (beyond || fuzz_engine_is_baseline(trial->engine) != baselines) {
        return;
    }
    size_t number = state->planned++;
    bool here = state->run->shares == 0 || number % state->run->shares == state->run->share;
    if (here && !score_is_done(state, trial)) {
        state->trials = text_grow(state->trials, state->count + 1, sizeof(*state->trials));
        state->trials[state->count++] = *trial;
    }
}

/* Adds trial number `number` of each program of a list of the plan, under each engine. */
static enum status score_plan_programs(struct score_state *state, const char *list, uint64_t number,
                                       bool control, bool baselines, struct error *error)
{
    size_t index, engine_index;
    const json_t *label, *engine;
    json_array_foreach(json_object_get(state->run->plan, list), index, label)
    {
        const struct fuzz_program *program = NULL;
        for (size_t i = 0; i < state->run->catalog->count; i++) {
            const struct fuzz_program *each = &state->run->catalog->programs[i];
            program = strcmp(each->label, json_string_value(label)) == 0 ? each : program;
        }
        if (program == NULL) {
            return error_set(error, STATUS_NOT_FOUND,
                             "%s of the plan is not built any more: run `heapmill fuzz build`",
                             json_string_value(label));
        }
        json_array_foreach(json_object_get(state->run->plan, "engines"), engine_index, engine)
        {
            score_plan_trial(
                state,
                &(struct score_trial){.program = program,
                                      .engine = fuzz_engine_named(json_string_value(engine)),
                                      .number = number,
                                      .control = control},
                baselines);
        }
    }
    return STATUS_OK;
}

/* Trials are the outer loop, so that an interrupted score has equally many for each bug and engine.
 * Baselines come last: they find the least, and so take the longest. */
static enum status score_plan_all(struct score_state *state, struct error *error)
{
    const json_t *plan = state->run->plan;
    uint64_t trials = (uint64_t)json_integer_value(json_object_get(plan, "trials"));
    uint64_t controls = (uint64_t)json_integer_value(json_object_get(plan, "control_trials"));
    enum status status = STATUS_OK;
    for (int pass = 0; pass < 2; pass++) {
        bool baselines = pass == 1;
        for (uint64_t i = 0; i < (trials > controls ? trials : controls); i++) {
            if (status == STATUS_OK && i < controls) {
                status = score_plan_programs(state, "controls", i, true, baselines, error);
            }
            if (status == STATUS_OK && i < trials) {
                status = score_plan_programs(state, "programs", i, false, baselines, error);
            }
        }
    }
    return status;
}

static enum status score_start(struct score_state *state, size_t index, struct error *error)
{
    struct score_slot *slot = &state->slots[index];
    struct crew_job job;
    slot->trial = state->trials[state->next++];
    slot->directory = text_format("%s/work/%zu", state->run->directory, index);
    file_remove_tree(slot->directory);
    uint64_t operations =
        state->operations > 0 ? state->operations : fuzz_engine_operations(slot->trial.engine);
    slot->launch = (struct fuzz_launch){.catalog = state->run->catalog,
                                        .program = slot->trial.program,
                                        .engine = slot->trial.engine,
                                        .fast = state->fast,
                                        .directory = slot->directory,
                                        .seed = state->seed + 7919 * slot->trial.number,
                                        .operations = operations,
                                        .subject = {.library = ""},
                                        .until_finding = true};
    slot->used = true;
    enum status status = fuzz_engine_prepare(&slot->launch, &job, error);
    if (status == STATUS_OK) {
        status = crew_start(&job, &state->crew[index], error);
        crew_job_free(&job);
    }
    return status;
}

/* Keeps the finding's input as found/PROGRAM.ENGINE.TRIAL. An input that took too long is no
 * finding: on a loaded machine it proves nothing. */
static bool score_keep_finding(const struct score_state *state, const struct score_slot *slot,
                               const char *name)
{
    struct text_list paths = {0};
    bool found = false;
    fuzz_engine_list_findings(slot->directory, &paths);
    for (size_t i = 0; i < paths.count && !found; i++) {
        char *bytes;
        size_t size;
        char *from = text_format("%s/%s", slot->directory, paths.items[i]);
        found = strncmp(paths.items[i], "findings/timeout-", strlen("findings/timeout-")) != 0;
        if (found && file_read(from, &bytes, &size, NULL) == STATUS_OK) {
            char *to = text_format("%s/found/%s", state->run->directory, name);
            (void)file_write(to, bytes, size, NULL);
            free(to);
            free(bytes);
        }
        free(from);
    }
    text_list_free(&paths);
    return found;
}

/* Prints the end of a failed trial's log on stderr. */
static void score_tell_failure(const struct score_slot *slot, const char *name)
{
    char *member = fuzz_engine_member_name(&slot->launch);
    char *path = text_format("%s/logs/%s.log", slot->directory, member);
    char *text;
    size_t size;
    if (file_read(path, &text, &size, NULL) == STATUS_OK) {
        (void)fprintf(stderr, "heapmill fuzz score: %s ended by itself; its last words:\n%s\n",
                      name, size > 500 ? text + size - 500 : text);
    }
    free(text);
    free(path);
    free(member);
}

/* Records a trial that has ended, and frees its slot. */
static enum status score_finish(struct score_state *state, size_t index, struct error *error)
{
    struct score_slot *slot = &state->slots[index];
    const struct process *member = &state->crew[index];
    struct fuzz_progress progress;
    double cpu_s = (double)member->result.cpu_ns / 1e9;
    char *name = text_format("%s.%s.%" PRIu64, slot->trial.program->label,
                             fuzz_engine_name(slot->trial.engine), slot->trial.number);
    fuzz_engine_read(&slot->launch, &progress);
    bool found = score_keep_finding(state, slot, name);
    double limit_s = score_limit_s(state, &slot->trial);
    bool late = !found && (cpu_s >= limit_s || slot->spent);
    /* A finding after the limit, but before the next look, was not found in time. */
    found = found && cpu_s <= limit_s;
    const char *end = found ? "finding" : late || cpu_s >= limit_s ? "limit" : "failed";
    if (strcmp(end, "failed") == 0) {
        score_tell_failure(slot, name);
    }
    json_t *line = json_pack(
        "{s:s, s:s, s:I, s:b, s:s, s:f, s:f, s:I, s:I, s:I, s:I, s:I}", "program",
        slot->trial.program->label, "engine", fuzz_engine_name(slot->trial.engine), "trial",
        (json_int_t)slot->trial.number, "control", (int)slot->trial.control, "end", end, "cpu_s",
        cpu_s, "wall_s", (double)member->result.wall_ns / 1e9, "executions",
        (json_int_t)progress.executions, "operations", (json_int_t)progress.operations,
        "bug_reached", (json_int_t)progress.bug_reached, "bug_triggered",
        (json_int_t)progress.bug_triggered, "seed", (json_int_t)slot->launch.seed);
    enum status status = fuzz_log_append(state->run->log, line, error);
    state->result->trials++;
    file_remove_tree(slot->directory);
    free(slot->directory);
    free(name);
    *slot = (struct score_slot){.used = false};
    return status;
}

static void score_show(const struct score_state *state)
{
    size_t running = 0;
    for (size_t i = 0; i < state->run->jobs; i++) {
        running += state->slots[i].used;
    }
    if (state->shown) {
        (void)fprintf(stderr, "\r\033[Ktrial %zu of %zu, %zu under way", state->next, state->count,
                      running);
    }
}

/* Ends trials that exceed their limit, records those that have ended, and starts the next ones. */
static enum status score_look(struct score_state *state, size_t *running, struct error *error)
{
    enum status status = STATUS_OK;
    *running = 0;
    (void)crew_wait(state->crew, state->run->jobs, 0);
    for (size_t i = 0; i < state->run->jobs && status == STATUS_OK; i++) {
        struct process *member = &state->crew[i];
        if (state->slots[i].used && member->running) {
            double wall_s = (double)(clock_wall_ns() - member->begin_ns) / 1e9;
            double limit_s = score_limit_s(state, &state->slots[i].trial);
            double wall_max = SCORE_WALL_FACTOR * limit_s + SCORE_WALL_LEAST_S;
            state->slots[i].spent = (double)member->result.cpu_ns / 1e9 >= limit_s;
            if (state->slots[i].spent || wall_s > wall_max) {
                crew_stop(member, 1, SCORE_GRACE_S);
            }
        }
        if (state->slots[i].used && !member->running) {
            status = score_finish(state, i, error);
        }
        if (status == STATUS_OK && !state->slots[i].used && state->next < state->count) {
            status = score_start(state, i, error);
        }
        *running += state->slots[i].used;
    }
    return status;
}

/* A number of the plan, or `fallback` for older plans without it. */
static double score_plan_number(const json_t *plan, const char *name, double fallback)
{
    const json_t *number = json_object_get(plan, name);
    return number != NULL ? json_number_value(number) : fallback;
}

enum status score_run(const struct score_run *run, struct score_run_result *result,
                      struct error *error)
{
    struct score_state *state = text_grow(NULL, 1, sizeof(*state));
    *state = (struct score_state){
        .run = run,
        .limit_s = json_number_value(json_object_get(run->plan, "time_s")),
        .seed = (uint64_t)json_integer_value(json_object_get(run->plan, "seed")),
        .operations = (uint64_t)json_integer_value(json_object_get(run->plan, "operations")),
        .fast = json_is_true(json_object_get(run->plan, "fast")),
        .shown = isatty(STDERR_FILENO) == 1,
        .result = result};
    state->baseline_limit_s = score_plan_number(run->plan, "baseline_time_s", state->limit_s);
    state->baseline_trials = (uint64_t)score_plan_number(run->plan, "baseline_trials", 1e9);
    *result = (struct score_run_result){.trials = 0};
    char *found = text_format("%s/found", run->directory);
    enum status status = file_make_directory(found, error);
    free(found);
    if (status == STATUS_OK) {
        status = score_plan_all(state, error);
    }
    size_t running = state->count > 0 && status == STATUS_OK ? 1 : 0;
    while (running > 0 && status == STATUS_OK && !process_interrupted()) {
        status = score_look(state, &running, error);
        score_show(state);
        if (status == STATUS_OK && running > 0) {
            (void)crew_wait(state->crew, run->jobs, SCORE_LOOK_S);
        }
    }
    crew_stop(state->crew, run->jobs < SCORE_JOBS_MAX ? run->jobs : SCORE_JOBS_MAX, SCORE_GRACE_S);
    for (size_t i = 0; i < run->jobs; i++) {
        free(state->slots[i].directory);
        process_free(&state->crew[i]);
    }
    if (state->shown) {
        (void)fputs("\r\033[K", stderr);
    }
    char *work = text_format("%s/work", run->directory);
    file_remove_tree(work);
    free(work);
    result->left = state->count - result->trials;
    if (status == STATUS_OK && result->left > 0) {
        status = error_set(error, STATUS_INTERRUPTED,
                           "interrupted with %zu trials to go: --resume goes on", result->left);
    }
    free(state->trials);
    free(state);
    return status;
}
