#include "run/rounds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "common/host/text.h"
#include "common/rng.h"
#include "results/stats/precision.h"
#include "run/plan.h"
#include "run/progress.h"

/* The record of a cell. */

/* The members that a record copies from the plan's cell. */
static const char *const cell_members[] = {"group",   "workload",  "params", "threads",
                                           "backend", "collector", "arm",    "env",
                                           "twin",    "preload",   "package"};

/* The members of the outcome that a record keeps if the cell is not ok. They explain the failure;
 * nothing that was measured is among them. */
static const char *const kept_members[] = {
    "iterations", "malloc_owner", "thread_support", "compiler", "flags",   "libraries", "status",
    "reason",     "exit_code",    "signal",         "stderr",   "process", "layout"};

static void cell_record_set(json_t *record, const char *name, json_t *value)
{
    (void)json_object_set_new(record, name, value != NULL ? value : json_null());
}

/* Returns the reason why a cell that ended well has failed after all (*failed) or carries a
 * warning, or NULL. It compares the cell with the other cells of its group and with its own earlier
 * rounds, which no executor sees. The caller frees the reason. */
static char *cell_record_doubt(const struct cell_run *run, const json_t *outcome, bool *failed)
{
    const json_t *checksum = json_object_get(outcome, "checksum");
    uint64_t count = json_count_at(outcome, "instructions", 0);
    *failed = run->checksum != NULL && json_equal(run->checksum, checksum) == 0;
    if (*failed) {
        char *is = json_dumps(checksum, JSON_ENCODE_ANY);
        char *was = json_dumps(run->checksum, JSON_ENCODE_ANY);
        char *text = text_format("the checksum is %s, and that of %s %s",
                                 is != NULL ? is : "missing", run->checksum_cell, was);
        free(is);
        free(was);
        return text;
    }
    if (run->instructions_before > 0 && count != run->instructions_before) {
        return text_format("warning: %" PRIu64 " instructions, and %" PRIu64
                           " in the round before: something in the cell differs from run to run",
                           count, run->instructions_before);
    }
    return NULL;
}

static void cell_record_add_machine(json_t *record, const struct cell_run *run)
{
    static const char *const members[] = {"kernel", "cpu", "thp", "aslr"};
    uint64_t steal = run->after.steal_ticks - run->before.steal_ticks;
    uint64_t throttled = run->after.throttled_us - run->before.throttled_us;
    cell_record_set(record, "steal_ticks", json_integer((json_int_t)steal));
    cell_record_set(record, "throttled_us", json_integer((json_int_t)throttled));
    cell_record_set(record, "load1", json_real(run->before.load1));
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        (void)json_object_set(record, members[i], json_object_get(run->host, members[i]));
    }
    if (json_object_get(record, "host") == NULL) { /* else the executor has said where it ran */
        (void)json_object_set(record, "host", json_object_get(run->host, "hostname"));
    }
}

static void cell_record_add_cell(json_t *record, const struct cell_run *run)
{
    char started[32];
    struct tm utc;
    (void)json_object_set(record, "cell", json_object_get(run->cell, "id"));
    for (size_t i = 0; i < sizeof(cell_members) / sizeof(cell_members[0]); i++) {
        (void)json_object_set(record, cell_members[i], json_object_get(run->cell, cell_members[i]));
    }
    (void)strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&run->started, &utc));
    cell_record_set(record, "pass", json_string(record_pass_word(run->pass)));
    cell_record_set(record, "round", json_integer(run->round));
    cell_record_set(record, "seed", json_integer((json_int_t)run->seed));
    cell_record_set(record, "started", json_string(started));
    cell_record_set(record, "elapsed_s", json_real(run->elapsed_s));
}

json_t *cell_record_make(const struct cell_run *run, json_t *outcome)
{
    json_t *record = json_pack("{ss}", "format", "heapmill-record-1");
    bool ok = strcmp(json_text_at(outcome, "status", ""), "ok") == 0;
    bool failed = false;
    char *doubt = ok ? cell_record_doubt(run, outcome, &failed) : NULL;
    if (doubt != NULL) {
        cell_record_set(outcome, "reason", json_string(doubt));
    }
    if (failed) {
        cell_record_set(outcome, "status", json_string("failed"));
        ok = false;
    }
    free(doubt);
    if (ok) {
        (void)json_object_update(record, outcome);
        (void)json_object_del(record, "stderr");
    }
    for (size_t i = 0; !ok && i < sizeof(kept_members) / sizeof(kept_members[0]); i++) {
        (void)json_object_set(record, kept_members[i], json_object_get(outcome, kept_members[i]));
    }
    cell_record_add_cell(record, run);
    cell_record_add_machine(record, run);
    json_decref(outcome);
    return record;
}

/* The order of a round. */

static const char *schedule_group(const json_t *cells, size_t index)
{
    return json_string_value(json_object_get(json_array_get(cells, index), "group"));
}

/* Fills begins with the index at which each group begins, and returns the number of groups. The
 * cells of a group are next to each other in the plan. */
static size_t schedule_find_groups(const json_t *cells, uint32_t *begins)
{
    size_t groups = 0;
    for (size_t i = 0; i < json_array_size(cells); i++) {
        if (i == 0 || strcmp(schedule_group(cells, i), schedule_group(cells, i - 1)) != 0) {
            begins[groups++] = (uint32_t)i;
        }
    }
    begins[groups] = (uint32_t)json_array_size(cells);
    return groups;
}

void schedule_round(const json_t *cells, uint64_t seed, uint32_t round, uint32_t *order)
{
    size_t count = json_array_size(cells);
    uint32_t *begins = text_grow(NULL, count + 1, sizeof(*begins));
    uint32_t *groups = text_grow(NULL, count + 1, sizeof(*groups));
    size_t group_count = schedule_find_groups(cells, begins);
    for (size_t i = 0; i < group_count; i++) {
        groups[i] = (uint32_t)i;
    }
    struct rng rng;
    rng_seed(&rng, schedule_seed(seed, round, "order"));
    rng_shuffle_u32(&rng, groups, group_count);
    size_t filled = 0;
    for (size_t i = 0; i < group_count; i++) {
        uint32_t begin = begins[groups[i]];
        uint32_t end = begins[groups[i] + 1];
        uint32_t *first = order + filled;
        for (uint32_t cell = begin; cell < end; cell++) {
            order[filled++] = cell;
        }
        rng_shuffle_u32(&rng, first, end - begin);
    }
    free(begins);
    free(groups);
}

uint64_t schedule_seed(uint64_t seed, uint32_t round, const char *group)
{
    uint64_t state = seed;
    uint64_t mixed = rng_splitmix(&state) ^ round;
    for (const char *next = group; *next != '\0'; next++) {
        mixed = rng_splitmix(&mixed) ^ (unsigned char)*next;
    }
    return rng_splitmix(&mixed) >> 11;
}

/* Which groups go on. */

void adaptive_write_plan(const struct experiment *experiment, json_t *plan)
{
    bool capped = experiment->precision > 0 && experiment->budget_s <= 0;
    (void)json_object_set_new(plan, "precision", json_real(experiment->precision));
    (void)json_object_set_new(plan, "rounds_max", json_integer(capped ? ADAPTIVE_ROUNDS_MAX : 0));
    (void)json_object_set_new(plan, "one_layout", json_boolean(experiment->one_layout));
}

void adaptive_read_plan(const json_t *plan, struct adaptive *adaptive)
{
    *adaptive = (struct adaptive){
        .rounds = (uint64_t)json_integer_value(json_object_get(plan, "rounds")),
        .precision = json_number_value(json_object_get(plan, "precision")),
        .rounds_max = (uint64_t)json_integer_value(json_object_get(plan, "rounds_max")),
    };
}

bool adaptive_is_look(uint64_t round)
{
    uint64_t look = ADAPTIVE_ROUNDS_MIN;
    while (look < round) {
        look = look * 7 / 5;
    }
    return look == round;
}

/* A group that had no record in the round before has stopped. */
static enum status adaptive_choose_precise(const struct adaptive *adaptive,
                                           const struct record_set *set, uint32_t round, bool *runs,
                                           struct error *error)
{
    double *half_widths = calloc(set->group_count + 1, sizeof(*half_widths));
    if (half_widths == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu groups", set->group_count);
    }
    bool look = adaptive_is_look(round);
    enum status status = look ? precision_of_groups(set, half_widths, error) : STATUS_OK;
    for (size_t i = 0; i < set->group_count && status == STATUS_OK; i++) {
        bool narrow = look && half_widths[i] <= adaptive->precision;
        runs[i] = set->groups[i].rounds >= round && !narrow;
    }
    free(half_widths);
    return status;
}

enum status adaptive_choose(const struct adaptive *adaptive, const struct record_set *set,
                            uint32_t round, bool *runs, size_t *count, struct error *error)
{
    enum status status = STATUS_OK;
    bool ended = adaptive->rounds_max > 0 && round >= adaptive->rounds_max;
    for (size_t i = 0; i < set->group_count; i++) {
        runs[i] = !ended;
    }
    if (adaptive->rounds > 0) {
        for (size_t i = 0; i < set->cell_count; i++) {
            /* Some groups have a number of their own. */
            runs[set->cells[i].group] =
                round < json_count_at(set->cells[i].plan, "rounds", adaptive->rounds);
        }
    } else if (adaptive->precision > 0 && round >= ADAPTIVE_ROUNDS_MIN && !ended) {
        status = adaptive_choose_precise(adaptive, set, round, runs, error);
    }
    *count = 0;
    for (size_t i = 0; i < set->group_count; i++) {
        *count += runs[i];
    }
    return status;
}

/* The run itself. */

struct rounds {
    struct store *store;
    const struct executor *executor;
    const json_t *plan;
    const json_t *cells;
    json_t *host;
    uint32_t *order;
    bool *told;             /* one per cell: its failure was reported */
    uint64_t *instructions; /* one per cell: counted in this session; 0: not yet */
    uint64_t seed;
    struct adaptive adaptive;
    uint32_t *groups; /* one per cell: the number of its group */
    bool *runs;       /* one per group: it has the round that is run */
    double budget_s;
    double before_s;   /* the time that earlier sessions of the run took */
    uint64_t begin_ns; /* when this session began */
    struct progress progress;
    /* The checksum that the cells of the running group must agree on. */
    json_t *checksum;
    const char *checksum_cell;
};

/* The place of a cell in the run. */
struct moment {
    enum record_pass pass;
    uint32_t round;
    char what[80];
};

/* Returns how long the whole run has taken, with earlier sessions. */
static double rounds_elapsed_s(const struct rounds *rounds)
{
    return rounds->before_s + (double)(executor_now_ns(rounds->executor) - rounds->begin_ns) / 1e9;
}

/* Reports a failure on stderr once for each cell. The records have every one. */
static void rounds_tell_failure(struct rounds *rounds, size_t index, const json_t *record)
{
    const char *status = json_text_at(record, "status", "");
    if (rounds->told[index] || strcmp(status, "ok") == 0 || strcmp(status, "not_applicable") == 0) {
        return;
    }
    rounds->told[index] = true;
    progress_clear(&rounds->progress);
    (void)fprintf(stderr, "heapmill: %s: %s: %s\n", status, json_text_at(record, "cell", ""),
                  json_text_at(record, "reason", ""));
}

/* Keeps the checksum of the first ok cell of the group. */
static void rounds_keep_checksum(struct rounds *rounds, const json_t *cell, const json_t *record)
{
    json_t *checksum = json_object_get(record, "checksum");
    if (rounds->checksum == NULL && checksum != NULL &&
        strcmp(json_text_at(record, "status", ""), "ok") == 0) {
        rounds->checksum = json_incref(checksum);
        rounds->checksum_cell = json_text_at(cell, "id", "");
    }
}

static enum status rounds_store(struct rounds *rounds, size_t index, const struct cell_run *run,
                                json_t *outcome, struct error *error)
{
    json_t *record = cell_record_make(run, outcome);
    enum status status = store_append(rounds->store, record, error);
    if (status == STATUS_OK) {
        rounds->instructions[index] = json_count_at(record, "instructions", 0);
        rounds_keep_checksum(rounds, run->cell, record);
        rounds_tell_failure(rounds, index, record);
        progress_step(&rounds->progress);
    }
    json_decref(record);
    return status;
}

/* Shows the running cell. The back end comes before the parameters, because a narrow terminal cuts
 * the end off. */
static void rounds_show(const struct rounds *rounds, const json_t *cell,
                        const struct moment *moment)
{
    const char *group = json_text_at(cell, "group", "");
    const char *workload = json_text_at(cell, "workload", "");
    const char *backend = json_text_at(cell, "id", "") + strlen(group) + 1;
    char *text = text_format("%s %s  %s", workload, backend, group + strlen(workload) + 1);
    progress_show(&rounds->progress, moment->what, text);
    free(text);
}

static struct executor_cell rounds_ask(const struct rounds *rounds, size_t index,
                                       const struct moment *moment)
{
    const json_t *cell = json_array_get(rounds->cells, index);
    /* Every round of the instructions pass has the same seed, because it counts the same work
     * again. */
    uint32_t seeded = moment->pass == RECORD_INSTRUCTIONS ? 0 : moment->round;
    return (struct executor_cell){
        .plan = rounds->plan,
        .cell = cell,
        .pass = moment->pass,
        .round = moment->round,
        .seed = schedule_seed(rounds->seed, seeded, json_text_at(cell, "group", ""))};
}

/* Stores what became of cells that were asked for together, in their order. */
static enum status rounds_keep(struct rounds *rounds, const uint32_t *indexes,
                               const struct executor_cell *asked, json_t **outcomes, size_t count,
                               struct cell_run *run, struct error *error)
{
    enum status status = STATUS_OK;
    machine_read_counters(&run->after);
    run->elapsed_s = rounds_elapsed_s(rounds);
    for (size_t i = 0; i < count; i++) {
        bool slowed = json_object_get(asked[i].cell, "extra_work") != NULL; /* other results */
        run->cell = asked[i].cell;
        run->seed = asked[i].seed;
        run->instructions_before = rounds->instructions[indexes[i]];
        run->checksum = slowed ? NULL : rounds->checksum;
        run->checksum_cell = rounds->checksum_cell;
        if (status == STATUS_OK) {
            status = rounds_store(rounds, indexes[i], run, outcomes[i], error);
        } else {
            json_decref(outcomes[i]);
        }
    }
    return status;
}

/* Runs cells of one group: beside each other where the pass and the executor allow it, else one. */
static enum status rounds_run_cells(struct rounds *rounds, const uint32_t *indexes, size_t count,
                                    const struct moment *moment, struct error *error)
{
    const struct executor *executor = rounds->executor;
    struct executor_cell *asked = text_grow(NULL, count, sizeof(*asked));
    json_t **outcomes = text_grow(NULL, count, sizeof(json_t *));
    struct cell_run run = {
        .host = rounds->host, .pass = moment->pass, .round = moment->round, .started = time(NULL)};
    for (size_t i = 0; i < count; i++) {
        asked[i] = rounds_ask(rounds, indexes[i], moment);
    }
    rounds_show(rounds, asked[0].cell, moment);
    machine_read_counters(&run.before);
    enum status status =
        count > 1 ? executor->run_beside(executor->context, asked, count, outcomes, error)
                  : executor->run(executor->context, asked, outcomes, error);
    if (status == STATUS_OK) {
        status = rounds_keep(rounds, indexes, asked, outcomes, count, &run, error);
    }
    free(asked);
    free(outcomes);
    return status;
}

static bool rounds_is_due(const struct rounds *rounds, size_t index, const struct moment *moment)
{
    const json_t *cell = json_array_get(rounds->cells, index);
    return plan_has_pass(cell, moment->pass) && rounds->runs[rounds->groups[index]] &&
           !store_is_done(rounds->store, moment->pass, moment->round, json_text_at(cell, "id", ""));
}

/* The cells from order[first] on that run together with it, itself first. *count: how many; the
 * place behind the last one that was looked at. */
static size_t rounds_gather(const struct rounds *rounds, size_t first, const struct moment *moment,
                            uint32_t *indexes, size_t *count)
{
    bool beside = moment->pass == RECORD_MEMORY && rounds->executor->run_beside != NULL;
    uint32_t group = rounds->groups[rounds->order[first]];
    size_t next = first;
    *count = 0;
    while (next < json_array_size(rounds->cells) && rounds->groups[rounds->order[next]] == group &&
           (*count == 0 || beside)) {
        uint32_t index = rounds->order[next++];
        if (rounds_is_due(rounds, index, moment)) {
            indexes[(*count)++] = index;
        }
    }
    return next;
}

/* Runs every group of the round that is not done. The store ensures that a group is done as a whole
 * or not at all. */
static enum status rounds_run_round(struct rounds *rounds, const struct moment *moment,
                                    struct error *error)
{
    size_t count = json_array_size(rounds->cells);
    uint32_t *indexes = text_grow(NULL, count + 1, sizeof(*indexes));
    uint32_t group = UINT32_MAX;
    enum status status = STATUS_OK;
    schedule_round(rounds->cells, rounds->seed, moment->round, rounds->order);
    for (size_t i = 0; i < count && status == STATUS_OK;) {
        size_t together = 0;
        i = rounds_gather(rounds, i, moment, indexes, &together);
        if (together == 0) {
            continue;
        }
        if (process_interrupted()) {
            status = error_set(error, STATUS_INTERRUPTED, "interrupted");
            break;
        }
        if (rounds->groups[indexes[0]] != group) {
            group = rounds->groups[indexes[0]];
            json_decref(rounds->checksum);
            rounds->checksum = NULL;
        }
        status = rounds_run_cells(rounds, indexes, together, moment, error);
    }
    free(indexes);
    return status;
}

/* Cells of the groups that have this round of the pass: all of them, and those that are done. */
static void rounds_count_round(const struct rounds *rounds, enum record_pass pass, uint32_t round,
                               size_t *cells, size_t *done)
{
    *cells = 0;
    *done = 0;
    for (size_t i = 0; i < json_array_size(rounds->cells); i++) {
        const json_t *cell = json_array_get(rounds->cells, i);
        bool has = rounds->runs[rounds->groups[i]] && plan_has_pass(cell, pass);
        *cells += has;
        *done += has && store_is_done(rounds->store, pass, round, json_text_at(cell, "id", ""));
    }
}

/* Tells whether the budget ends the time pass before this round. The first round always runs, and
 * so do the rounds that adaptive rounds need at least. A round that a kill cut short is always
 * completed. */
static bool rounds_is_spent(const struct rounds *rounds, uint32_t round, size_t done,
                            double round_s)
{
    uint32_t least = rounds->adaptive.precision > 0 ? ADAPTIVE_ROUNDS_MIN : 1;
    return rounds->budget_s > 0 && round >= least && done == 0 &&
           rounds_elapsed_s(rounds) + round_s > rounds->budget_s;
}

static void rounds_name_round(const struct rounds *rounds, size_t groups, struct moment *moment)
{
    size_t all = plan_count_groups(rounds->plan);
    int length = snprintf(moment->what, sizeof(moment->what), "round %" PRIu32, moment->round + 1);
    if (rounds->adaptive.rounds > 0) {
        (void)snprintf(moment->what + length, sizeof(moment->what) - (size_t)length, "/%" PRIu64,
                       rounds->adaptive.rounds);
    } else if (groups < all) {
        (void)snprintf(moment->what + length, sizeof(moment->what) - (size_t)length,
                       " (%zu of %zu groups)", groups, all);
    }
}

/* Runs rounds of the time pass until no group has another (adaptive_choose) or the next does not
 * fit into the budget. It begins at the last round that has records, because the decisions before
 * that round were made already. */
static enum status rounds_run_timed(struct rounds *rounds, double round_s, struct error *error)
{
    double cell_s = round_s / (double)json_array_size(rounds->cells);
    enum status status = STATUS_OK;
    for (uint32_t round = store_round_last(rounds->store);; round++) {
        size_t groups = 0;
        size_t cells = 0;
        size_t done = 0;
        status = adaptive_choose(&rounds->adaptive, store_survey(rounds->store, round), round,
                                 rounds->runs, &groups, error);
        rounds_count_round(rounds, RECORD_TIME, round, &cells, &done);
        if (status != STATUS_OK || groups == 0 ||
            rounds_is_spent(rounds, round, done, cell_s * (double)cells)) {
            break;
        }
        struct moment moment = {.pass = RECORD_TIME, .round = round};
        uint64_t begin_ns = executor_now_ns(rounds->executor);
        rounds_name_round(rounds, groups, &moment);
        status = rounds_run_round(rounds, &moment, error);
        if (status != STATUS_OK) {
            break;
        }
        if (cells > done) {
            cell_s = (double)(executor_now_ns(rounds->executor) - begin_ns) / 1e9 /
                     (double)(cells - done);
        }
    }
    return status;
}

/* Of a budget the passes before the time pass may have so much. */
static const double ROUNDS_SHARE_OF_OTHERS = 0.4;

/* All rounds of a pass whose number of rounds is planned, or those that fit into its part of the
 * budget: one at least. */
static enum status rounds_run_pass(struct rounds *rounds, enum record_pass pass,
                                   struct error *error)
{
    enum status status = STATUS_OK;
    uint64_t planned = plan_pass_rounds(rounds->plan, pass);
    double share = plan_runs_pass(rounds->plan, RECORD_TIME) ? ROUNDS_SHARE_OF_OTHERS : 1;
    double round_s = 0;
    for (uint32_t round = 0; round < planned && status == STATUS_OK; round++) {
        struct moment moment = {.pass = pass, .round = round};
        size_t cells;
        size_t done;
        double begin_s = rounds_elapsed_s(rounds);
        rounds_count_round(rounds, pass, round, &cells, &done);
        if (rounds->budget_s > 0 && round > 0 && done == 0 &&
            begin_s + round_s > share * rounds->budget_s) {
            break;
        }
        (void)snprintf(moment.what, sizeof(moment.what), planned > 1 ? "%s %" PRIu32 : "%s",
                       record_pass_word(pass), round + 1);
        status = rounds_run_round(rounds, &moment, error);
        round_s = rounds_elapsed_s(rounds) - begin_s;
    }
    return status;
}

static void rounds_begin_progress(struct rounds *rounds, double round_s, double elapsed_s)
{
    size_t time_cells = plan_count_cells(rounds->plan, RECORD_TIME);
    size_t total = plan_count_others(rounds->plan);
    if (plan_runs_pass(rounds->plan, RECORD_TIME)) {
        total = rounds->adaptive.rounds > 0 && rounds->budget_s <= 0
                    ? total + time_cells * rounds->adaptive.rounds
                    : 0;
    }
    progress_begin(&rounds->progress, total, store_record_count(rounds->store),
                   round_s / (double)time_cells, rounds->budget_s - elapsed_s);
}

/* Lets every group run, until rounds_run_timed decides otherwise. */
static void rounds_begin_groups(struct rounds *rounds)
{
    const struct record_set *set = store_survey(rounds->store, 0);
    adaptive_read_plan(rounds->plan, &rounds->adaptive);
    for (size_t i = 0; i < set->cell_count; i++) {
        rounds->groups[i] = set->cells[i].group;
        rounds->runs[set->cells[i].group] = true;
    }
}

enum status rounds_run(struct store *store, const struct executor *executor, double round_s,
                       double elapsed_s, struct error *error)
{
    const json_t *plan = store_plan(store);
    const json_t *cells = json_object_get(plan, "cells");
    struct rounds rounds = {
        .store = store,
        .executor = executor,
        .plan = plan,
        .cells = cells,
        .host = machine_describe_host(),
        .order = text_grow(NULL, json_array_size(cells), sizeof(*rounds.order)),
        .told = text_grow(NULL, json_array_size(cells), sizeof(*rounds.told)),
        .instructions = text_grow(NULL, json_array_size(cells), sizeof(*rounds.instructions)),
        .seed = json_count_at(plan, "seed", 0),
        .groups = text_grow(NULL, json_array_size(cells), sizeof(*rounds.groups)),
        .runs = text_grow(NULL, json_array_size(cells), sizeof(*rounds.runs)),
        .budget_s = json_number_at(plan, "budget_s", 0),
        .before_s = elapsed_s,
    };
    rounds.begin_ns = executor_now_ns(executor);
    memset(rounds.told, 0, json_array_size(cells) * sizeof(*rounds.told));
    memset(rounds.instructions, 0, json_array_size(cells) * sizeof(*rounds.instructions));
    rounds_begin_groups(&rounds);
    rounds_begin_progress(&rounds, round_s, elapsed_s);
    enum status status = STATUS_OK;
    for (int pass = RECORD_TIME + 1; pass < RECORD_PASS_COUNT && status == STATUS_OK; pass++) {
        status = rounds_run_pass(&rounds, (enum record_pass)pass, error);
    }
    if (status == STATUS_OK && plan_runs_pass(plan, RECORD_TIME)) {
        status = rounds_run_timed(&rounds, round_s, error);
    }
    progress_clear(&rounds.progress);
    json_decref(rounds.checksum);
    json_decref(rounds.host);
    free(rounds.order);
    free(rounds.told);
    free(rounds.instructions);
    free(rounds.groups);
    free(rounds.runs);
    return status;
}
