#include "run/rounds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/host/text.h"
#include "run/adaptive.h"
#include "run/cell_record.h"
#include "run/plan.h"
#include "run/progress.h"
#include "run/schedule.h"
#include "run/worker.h"

struct bench {
    struct store *store;
    const struct registry *registry;
    const json_t *plan;
    const json_t *cells;
    json_t *host;
    uint32_t *order;
    bool *told;             /* of each cell: its failure was told */
    uint64_t *instructions; /* of each cell: counted in this session; 0: not yet */
    const char *valgrind;   /* its path; NULL unless instructions are counted */
    uint64_t seed;
    struct adaptive adaptive;
    uint32_t *groups; /* of each cell: its group's number */
    bool *runs;       /* of each group: it has the round that is run */
    double budget_s;
    double timeout_s;
    double before_s;   /* what earlier sessions of the run took */
    uint64_t begin_ns; /* of this session */
    struct progress progress;
    /* Of the group that runs: the checksum that its cells must agree on. */
    json_t *checksum;
    const char *checksum_cell;
};

/* Where in the run a cell is. */
struct moment {
    enum record_pass pass;
    uint32_t round;
    char what[80];
};

static const char *bench_cell_text(const json_t *cell, const char *name)
{
    const char *text = json_string_value(json_object_get(cell, name));
    return text != NULL ? text : "";
}

static uint64_t bench_cell_number(const json_t *cell, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(cell, name));
}

/* What the whole run has taken, earlier sessions too. */
static double bench_elapsed_s(const struct bench *bench)
{
    return bench->before_s + (double)(clock_wall_ns() - bench->begin_ns) / 1e9;
}

/* Says a failure once for each cell; every one is in the records. */
static void bench_tell_failure(struct bench *bench, size_t index, const json_t *record)
{
    const char *status = bench_cell_text(record, "status");
    if (bench->told[index] || strcmp(status, "ok") == 0 || strcmp(status, "not_applicable") == 0) {
        return;
    }
    bench->told[index] = true;
    progress_clear(&bench->progress);
    (void)fprintf(stderr, "heapmill: %s: %s: %s\n", status, bench_cell_text(record, "cell"),
                  bench_cell_text(record, "reason"));
}

/* The first ok cell of the group sets the checksum. */
static void bench_keep_checksum(struct bench *bench, const json_t *cell, const json_t *record)
{
    json_t *checksum = json_object_get(record, "checksum");
    if (bench->checksum == NULL && checksum != NULL &&
        strcmp(bench_cell_text(record, "status"), "ok") == 0) {
        bench->checksum = json_incref(checksum);
        bench->checksum_cell = bench_cell_text(cell, "id");
    }
}

static enum status bench_store(struct bench *bench, size_t index, const struct cell_run *run,
                               const struct process_result *result, struct error *error)
{
    json_t *record = cell_record_make(run, result);
    enum status status = store_append(bench->store, record, error);
    if (status == STATUS_OK) {
        bench_keep_checksum(bench, run->cell, record);
        bench_tell_failure(bench, index, record);
        progress_step(&bench->progress);
    }
    json_decref(record);
    return status;
}

/* The back end before the parameters, as a narrow terminal cuts the end off. */
static void bench_show(const struct bench *bench, const json_t *cell, const struct moment *moment)
{
    const char *group = bench_cell_text(cell, "group");
    const char *workload = bench_cell_text(cell, "workload");
    const char *backend = bench_cell_text(cell, "id") + strlen(group) + 1;
    char *text = text_format("%s %s  %s", workload, backend, group + strlen(workload) + 1);
    progress_show(&bench->progress, moment->what, text);
    free(text);
}

/* What the worker is asked for. Every round of the instructions pass has the same seed, as it is
 * there to count the same again. */
static struct worker_cell bench_ask(const struct bench *bench, const json_t *cell,
                                    const struct moment *moment)
{
    bool counted = moment->pass == RECORD_INSTRUCTIONS;
    const char *warmup = counted ? "instruction_warmup_iterations" : "warmup_iterations";
    return (struct worker_cell){
        .workload = bench_cell_text(cell, "workload"),
        .params = json_object_get(cell, "params"),
        .threads = (unsigned)bench_cell_number(cell, "threads"),
        .iterations = bench_cell_number(cell, counted ? "instruction_iterations" : "iterations"),
        .warmup_iterations = bench_cell_number(cell, warmup),
        .seed =
            schedule_seed(bench->seed, counted ? 0 : moment->round, bench_cell_text(cell, "group")),
        .extra_work = json_number_value(json_object_get(cell, "extra_work")),
        .pass = moment->pass,
        .latency_every = (uint32_t)bench_cell_number(bench->plan, "latency_every"),
        .valgrind = bench->valgrind,
        .timeout_s = bench->timeout_s};
}

static enum status bench_run_cell(struct bench *bench, size_t index, const struct moment *moment,
                                  struct error *error)
{
    const json_t *cell = json_array_get(bench->cells, index);
    bool slowed = json_object_get(cell, "extra_work") != NULL; /* other work, other results */
    struct cell_run run = {.cell = cell,
                           .host = bench->host,
                           .pass = moment->pass,
                           .instructions_before = bench->instructions[index],
                           .round = moment->round,
                           .timeout_s = bench->timeout_s,
                           .started = time(NULL),
                           .checksum = slowed ? NULL : bench->checksum,
                           .checksum_cell = bench->checksum_cell};
    bool probe = moment->pass == RECORD_MEMORY || moment->pass == RECORD_LATENCY;
    struct worker worker = {.registry = bench->registry,
                            .program = bench_cell_text(cell, probe ? "probe" : "program"),
                            .preload = bench_cell_text(cell, "preload"),
                            .env = json_object_get(cell, "env")};
    struct worker_cell asked = bench_ask(bench, cell, moment);
    run.seed = asked.seed;
    run.iterations = asked.iterations;
    struct process_result result;
    bench_show(bench, cell, moment);
    machine_read_counters(&run.before);
    enum status status = worker_run_cell(&worker, &asked, &result, &run.instructions, error);
    if (status != STATUS_OK) {
        return status;
    }
    machine_read_counters(&run.after);
    run.elapsed_s = bench_elapsed_s(bench);
    bench->instructions[index] = run.instructions;
    if (result.interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else {
        status = bench_store(bench, index, &run, &result, error);
    }
    process_result_free(&result);
    return status;
}

/* Runs every group of the round that is not done; the store has seen to it that a group is done as
 * a whole or not at all. */
static enum status bench_run_round(struct bench *bench, const struct moment *moment,
                                   struct error *error)
{
    const char *group = "";
    enum status status = STATUS_OK;
    schedule_round(bench->cells, bench->seed, moment->round, bench->order);
    for (size_t i = 0; i < json_array_size(bench->cells) && status == STATUS_OK; i++) {
        size_t index = bench->order[i];
        const json_t *cell = json_array_get(bench->cells, index);
        if (!plan_has_pass(cell, moment->pass) || !bench->runs[bench->groups[index]] ||
            store_is_done(bench->store, moment->pass, moment->round, bench_cell_text(cell, "id"))) {
            continue;
        }
        if (process_interrupted()) {
            return error_set(error, STATUS_INTERRUPTED, "interrupted");
        }
        if (strcmp(group, bench_cell_text(cell, "group")) != 0) {
            group = bench_cell_text(cell, "group");
            json_decref(bench->checksum);
            bench->checksum = NULL;
        }
        status = bench_run_cell(bench, index, moment, error);
    }
    return status;
}

/* Cells of the groups that have this round of the time pass: all of them, and those that are done.
 */
static void bench_count_round(const struct bench *bench, uint32_t round, size_t *cells,
                              size_t *done)
{
    *cells = 0;
    *done = 0;
    for (size_t i = 0; i < json_array_size(bench->cells); i++) {
        const json_t *cell = json_array_get(bench->cells, i);
        bool has = bench->runs[bench->groups[i]];
        *cells += has;
        *done +=
            has && store_is_done(bench->store, RECORD_TIME, round, bench_cell_text(cell, "id"));
    }
}

/* Does the budget end the time pass before this round? The first round always runs, those that
 * adaptive rounds need at least do, and one that a kill cut short is always completed. */
static bool bench_is_spent(const struct bench *bench, uint32_t round, size_t done, double round_s)
{
    uint32_t least = bench->adaptive.precision > 0 ? ADAPTIVE_ROUNDS_MIN : 1;
    return bench->adaptive.rounds == 0 && bench->budget_s > 0 && round >= least && done == 0 &&
           bench_elapsed_s(bench) + round_s > bench->budget_s;
}

static void bench_name_round(const struct bench *bench, size_t groups, struct moment *moment)
{
    size_t all = plan_count_groups(bench->plan);
    int length = snprintf(moment->what, sizeof(moment->what), "round %" PRIu32, moment->round + 1);
    if (bench->adaptive.rounds > 0) {
        (void)snprintf(moment->what + length, sizeof(moment->what) - (size_t)length, "/%" PRIu64,
                       bench->adaptive.rounds);
    } else if (groups < all) {
        (void)snprintf(moment->what + length, sizeof(moment->what) - (size_t)length,
                       " (%zu of %zu groups)", groups, all);
    }
}

/* Rounds of the time pass, until no group has another (adaptive.h) or the next does not fit into
 * the budget. Begins at the last round that has records, since what was decided before it was. */
static enum status bench_run_rounds(struct bench *bench, double round_s, struct error *error)
{
    double cell_s = round_s / (double)json_array_size(bench->cells);
    enum status status = STATUS_OK;
    for (uint32_t round = store_round_last(bench->store);; round++) {
        size_t groups = 0;
        size_t cells = 0;
        size_t done = 0;
        status = adaptive_choose(&bench->adaptive, store_survey(bench->store, round), round,
                                 bench->runs, &groups, error);
        bench_count_round(bench, round, &cells, &done);
        if (status != STATUS_OK || groups == 0 ||
            bench_is_spent(bench, round, done, cell_s * (double)cells)) {
            break;
        }
        struct moment moment = {.pass = RECORD_TIME, .round = round};
        uint64_t begin_ns = clock_wall_ns();
        bench_name_round(bench, groups, &moment);
        status = bench_run_round(bench, &moment, error);
        if (status != STATUS_OK) {
            break;
        }
        if (cells > done) {
            cell_s = (double)(clock_wall_ns() - begin_ns) / 1e9 / (double)(cells - done);
        }
    }
    return status;
}

/* All rounds of a pass whose number of rounds is planned. */
static enum status bench_run_pass(struct bench *bench, enum record_pass pass, struct error *error)
{
    enum status status = STATUS_OK;
    uint64_t rounds = plan_pass_rounds(bench->plan, pass);
    for (uint32_t round = 0; round < rounds && status == STATUS_OK; round++) {
        struct moment moment = {.pass = pass, .round = round};
        (void)snprintf(moment.what, sizeof(moment.what), rounds > 1 ? "%s %" PRIu32 : "%s",
                       record_pass_word(pass), round + 1);
        status = bench_run_round(bench, &moment, error);
    }
    return status;
}

static void bench_begin_progress(struct bench *bench, double round_s, double elapsed_s)
{
    size_t time_cells = plan_count_cells(bench->plan, RECORD_TIME);
    size_t total = plan_count_others(bench->plan);
    if (plan_runs_pass(bench->plan, RECORD_TIME)) {
        total = bench->adaptive.rounds > 0 ? total + time_cells * bench->adaptive.rounds : 0;
    }
    progress_begin(&bench->progress, total, store_record_count(bench->store),
                   round_s / (double)time_cells, bench->budget_s - elapsed_s);
}

/* Every group runs, until bench_run_rounds says otherwise. */
static void bench_begin_groups(struct bench *bench)
{
    const struct record_set *set = store_survey(bench->store, 0);
    adaptive_read_plan(bench->plan, &bench->adaptive);
    for (size_t i = 0; i < set->cell_count; i++) {
        bench->groups[i] = set->cells[i].group;
        bench->runs[set->cells[i].group] = true;
    }
}

enum status bench_run(struct store *store, const struct registry *registry, const char *valgrind,
                      double round_s, double elapsed_s, struct error *error)
{
    const json_t *plan = store_plan(store);
    const json_t *cells = json_object_get(plan, "cells");
    struct bench bench = {
        .store = store,
        .registry = registry,
        .plan = plan,
        .cells = cells,
        .host = machine_describe_host(),
        .order = text_grow(NULL, json_array_size(cells), sizeof(*bench.order)),
        .told = text_grow(NULL, json_array_size(cells), sizeof(*bench.told)),
        .instructions = text_grow(NULL, json_array_size(cells), sizeof(*bench.instructions)),
        .valgrind = valgrind,
        .seed = bench_cell_number(plan, "seed"),
        .groups = text_grow(NULL, json_array_size(cells), sizeof(*bench.groups)),
        .runs = text_grow(NULL, json_array_size(cells), sizeof(*bench.runs)),
        .budget_s = json_number_value(json_object_get(plan, "budget_s")),
        .timeout_s = json_number_value(json_object_get(plan, "timeout_s")),
        .before_s = elapsed_s,
        .begin_ns = clock_wall_ns(),
    };
    memset(bench.told, 0, json_array_size(cells) * sizeof(*bench.told));
    memset(bench.instructions, 0, json_array_size(cells) * sizeof(*bench.instructions));
    bench_begin_groups(&bench);
    bench_begin_progress(&bench, round_s, elapsed_s);
    enum status status = STATUS_OK;
    for (int pass = RECORD_TIME + 1; pass < RECORD_PASS_COUNT && status == STATUS_OK; pass++) {
        status = bench_run_pass(&bench, (enum record_pass)pass, error);
    }
    if (status == STATUS_OK && plan_runs_pass(plan, RECORD_TIME)) {
        status = bench_run_rounds(&bench, round_s, error);
    }
    progress_clear(&bench.progress);
    json_decref(bench.checksum);
    json_decref(bench.host);
    free(bench.order);
    free(bench.told);
    free(bench.instructions);
    free(bench.groups);
    free(bench.runs);
    return status;
}
