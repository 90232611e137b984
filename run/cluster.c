#include "run/cluster.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/journal.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "common/host/slurm.h"
#include "results/record.h"
#include "results/store.h"
#include "run/experiment.h"
#include "run/machine.h"
#include "run/plan.h"
#include "run/rounds.h"

#define CLUSTER_FORMAT "heapmill-cluster-1"

static const double CLUSTER_TASK_S = 600; /* a job costs a scheduler seconds, and a kill a share */
static const double CLUSTER_LOCK_POLL_S = 1;

/* Nothing is appended to this journal: the cluster is asked what is queued, and the tasks what is
 * done. */
static const struct journal_kind cluster_journal = {
    .plan = "cluster.json",
    .lines = "cluster.jsonl",
    .if_absent = "no run on a cluster was begun there: heapmill bench --engine slurm -o DIR",
    .if_plan_damaged = "restore it from a copy: the tasks mean nothing without it",
    .if_line_damaged = "remove the file",
};

bool cluster_is_there(const char *directory)
{
    char *path = text_format("%s/%s", directory, cluster_journal.plan);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

static char *cluster_task_directory(const char *directory, size_t task)
{
    return text_format("%s/tasks/%zu", directory, task);
}

/* ---------------------------------------------------------------------------------- the split */

/* Calls back for each cell of the plan, in order, with the number of its group. */
struct cluster_walk {
    const char *group;
    size_t number; /* of the group; from 0 */
};

static size_t cluster_walk_group(struct cluster_walk *walk, const json_t *cell)
{
    const char *group = json_text_at(cell, "group", "");
    if (walk->group == NULL || strcmp(group, walk->group) != 0) {
        walk->number += walk->group != NULL;
        walk->group = group;
    }
    return walk->number;
}

json_t *cluster_share(const json_t *plan, size_t tasks, size_t task)
{
    struct cluster_walk walk = {.group = NULL};
    json_t *share = json_copy((json_t *)plan);
    json_t *cells = json_array();
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        if (cluster_walk_group(&walk, cell) % tasks == task) {
            /* The share has its own copy, because calibration writes into it. */
            (void)json_array_append_new(cells, json_deep_copy(cell));
        }
    }
    (void)json_object_set_new(share, "cells", cells);
    (void)json_object_set_new(share, "task", json_integer((json_int_t)task));
    return share;
}

/* Estimates how many seconds all rounds of the plan take. */
static double cluster_estimate_s(const json_t *plan)
{
    double budget_s = json_number_at(plan, "budget_s", 0);
    double rounds = json_number_at(plan, "rounds", 0);
    double time_s = plan_runs_pass(plan, RECORD_TIME)
                        ? plan_estimate_round_s(plan, RECORD_TIME) *
                              (rounds > 0 ? rounds : (double)ADAPTIVE_ROUNDS_MAX)
                        : 0;
    return plan_estimate_others_s(plan) + (budget_s > 0 && rounds <= 0 ? budget_s : time_s);
}

static size_t cluster_choose_tasks(const json_t *plan, size_t asked)
{
    size_t groups = plan_count_groups(plan);
    double wanted = asked > 0 ? (double)asked : cluster_estimate_s(plan) / CLUSTER_TASK_S + 1;
    size_t most = groups < SLURM_TASKS_MAX ? groups : SLURM_TASKS_MAX;
    return wanted > (double)most ? most : (size_t)wanted;
}

/* Makes the contents of cluster.json, a new reference. */
static json_t *cluster_make(const json_t *plan, const struct cluster_options *options)
{
    uint64_t id = 0;
    json_t *sbatch = json_array();
    (void)getrandom(&id, sizeof(id), 0);
    for (size_t i = 0; i < options->sbatch->count; i++) {
        (void)json_array_append_new(sbatch, json_string(options->sbatch->items[i]));
    }
    return json_pack("{ss ss so* sI sO so}", "format", CLUSTER_FORMAT, "engine", "slurm", "name",
                     json_sprintf("heapmill-%012llx", (unsigned long long)(id >> 16)), "tasks",
                     (json_int_t)cluster_choose_tasks(plan, options->tasks), "plan", plan, "sbatch",
                     sbatch);
}

/* --------------------------------------------------------------------------------- one task */

/* Renames the directory of a task that was measured on another kind of machine. */
static enum status cluster_set_aside(const char *directory, struct error *error)
{
    enum status status = STATUS_OK;
    char *aside = NULL;
    for (unsigned number = 1; aside == NULL; number++) {
        aside = text_format("%s.aside.%u", directory, number);
        if (access(aside, F_OK) == 0) {
            free(aside);
            aside = NULL;
        }
    }
    (void)fprintf(stderr,
                  "heapmill: this is another kind of machine, so the task begins anew; what was "
                  "measured before is in %s\n",
                  aside);
    if (rename(directory, aside) != 0) {
        status = error_set(error, STATUS_IO, "%s: %m", aside);
    }
    free(aside);
    return status;
}

/* Opens the task's store, or begins it. */
static enum status cluster_open_task(const char *directory, const json_t *cluster, size_t task,
                                     const struct executor *executor, struct store **store,
                                     double *round_s, struct error *error)
{
    size_t tasks = (size_t)json_count_at(cluster, "tasks", 1);
    json_t *old = NULL;
    struct error reason;
    enum status status = journal_read_plan(&record_journal, directory, &old, &reason);
    if (status == STATUS_OK && plan_check_host(old, &reason) != STATUS_OK) {
        status = cluster_set_aside(directory, error);
        if (status != STATUS_OK) {
            json_decref(old);
            return status;
        }
        status = STATUS_NOT_FOUND;
    }
    json_decref(old);
    if (status == STATUS_OK) {
        return experiment_resume(directory, NULL, executor, store, round_s, error);
    }
    if (status != STATUS_NOT_FOUND) {
        return error_set(error, status, "%s", reason.message);
    }
    json_t *share = cluster_share(json_object_get(cluster, "plan"), tasks, task);
    (void)json_object_set_new(share, "host", machine_describe_host());
    status = executor->prepare != NULL ? executor->prepare(executor->context, share, true, error)
                                       : STATUS_OK;
    if (status == STATUS_OK) {
        status = experiment_start(directory, share, executor, store, round_s, error);
    }
    json_decref(share);
    return status;
}

/* Writes the mark of a task that has all its records: how many they are. */
static enum status cluster_write_done(const char *directory, const struct store *store,
                                      struct error *error)
{
    char *path = text_format("%s/done.json", directory);
    char *text =
        text_format("{\"records\": %llu}\n", (unsigned long long)store_record_count(store));
    enum status status = file_replace(path, text, strlen(text), error);
    free(path);
    free(text);
    return status;
}

enum status cluster_run_task(const char *directory, size_t task, const struct executor *executor,
                             struct error *error)
{
    json_t *cluster = NULL;
    struct store *store = NULL;
    double round_s = 0;
    enum status status = journal_read_plan(&cluster_journal, directory, &cluster, error);
    if (status != STATUS_OK) {
        return status;
    }
    unsigned long long tasks = json_count_at(cluster, "tasks", 0);
    if (task >= tasks) {
        json_decref(cluster);
        return error_set(error, STATUS_INVALID, "--task %zu: %s has %llu tasks, counted from 0",
                         task, directory, tasks);
    }
    char *own = cluster_task_directory(directory, task);
    status = cluster_open_task(own, cluster, task, executor, &store, &round_s, error);
    while (status == STATUS_BUSY && !process_interrupted()) {
        (void)process_wait(NULL, 0, CLUSTER_LOCK_POLL_S);
        store = NULL;
        status = cluster_open_task(own, cluster, task, executor, &store, &round_s, error);
    }
    if (status == STATUS_OK) {
        status = experiment_go_on(store, executor, round_s, error);
    }
    if (status == STATUS_OK) {
        status = cluster_write_done(own, store, error);
    }
    store_close(store);
    free(own);
    json_decref(cluster);
    return status;
}

/* -------------------------------------------------------------------------------- the merge */

struct cluster_merge {
    const char *directory;
    const json_t *cluster;
    json_t **plans;  /* one per task; NULL: it has not begun */
    size_t *records; /* one per task: the records of its whole groups */
    bool complete;
    FILE *file;
    uint64_t sequence;
    uint64_t left; /* records that are still to be copied from the current task */
};

/* Returns how many records the plan asks for, or 0 if that depends on what is measured. */
static uint64_t cluster_planned(const json_t *plan)
{
    struct adaptive adaptive;
    uint64_t count = plan_count_others(plan);
    size_t index;
    json_t *cell;
    adaptive_read_plan(plan, &adaptive);
    if (!plan_runs_pass(plan, RECORD_TIME)) {
        return count;
    }
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        count += json_count_at(cell, "rounds", adaptive.rounds);
    }
    return adaptive.rounds > 0 ? count : 0;
}

/* Reads what a task has, and whether that is all. */
static enum status merge_survey(struct cluster_merge *merge, size_t task, struct error *error)
{
    char *own = cluster_task_directory(merge->directory, task);
    char *done_path = text_format("%s/done.json", own);
    struct record_set *set = NULL;
    json_t *done = NULL;
    struct error reason;
    enum status status = store_load(own, &set, error);
    if (status == STATUS_OK) {
        uint64_t planned = cluster_planned(set->plan);
        merge->plans[task] = json_incref(set->plan);
        merge->records[task] = set->record_count;
        bool told = json_read_file(done_path, &done, &reason) == STATUS_OK;
        bool whole = told && json_count_at(done, "records", 0) == set->record_count;
        merge->complete = merge->complete && whole && set->note_count == 0 &&
                          (planned == 0 || planned == set->record_count);
    } else if (status == STATUS_NOT_FOUND) {
        merge->complete = false;
        status = STATUS_OK;
    }
    json_decref(done);
    record_set_free(set);
    free(done_path);
    free(own);
    return status;
}

/* Makes the plan with the cells of the tasks that have begun, calibrated, in the plan's order. */
static json_t *merge_plan(const struct cluster_merge *merge)
{
    size_t tasks = (size_t)json_count_at(merge->cluster, "tasks", 1);
    const json_t *whole = json_object_get(merge->cluster, "plan");
    struct cluster_walk walk = {.group = NULL};
    size_t *next = text_zeroed(tasks, sizeof(*next));
    json_t *cells = json_array();
    json_t *plan = json_copy((json_t *)whole);
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(whole, "cells"), index, cell)
    {
        size_t task = cluster_walk_group(&walk, cell) % tasks;
        const json_t *own = json_object_get(merge->plans[task], "cells");
        json_t *calibrated = json_array_get(own, next[task]++);
        if (calibrated != NULL) {
            (void)json_array_append(cells, calibrated);
        }
    }
    for (size_t i = tasks; i-- > 0;) {
        if (merge->plans[i] != NULL) { /* from the first task that has begun */
            (void)json_object_set(plan, "host", json_object_get(merge->plans[i], "host"));
        }
    }
    (void)json_object_set_new(plan, "cells", cells);
    (void)json_object_set_new(plan, "tasks", json_integer((json_int_t)tasks));
    free(next);
    return plan;
}

/* A journal_reader that copies a line, with its place in the whole. */
static enum status merge_line(void *context, const struct journal_line *line, struct error *error)
{
    struct cluster_merge *merge = context;
    if (merge->left == 0) {
        return STATUS_OK; /* the group is not whole, or the line came meanwhile */
    }
    merge->left--;
    (void)json_object_set_new(line->json, "sequence", json_integer((json_int_t)merge->sequence++));
    if (json_dumpf(line->json, merge->file, JSON_COMPACT) != 0 || putc('\n', merge->file) == EOF) {
        return error_set(error, STATUS_IO, "%s/records.jsonl.new: %m", merge->directory);
    }
    return STATUS_OK;
}

static enum status merge_records(struct cluster_merge *merge, struct error *error)
{
    size_t tasks = (size_t)json_count_at(merge->cluster, "tasks", 1);
    char *path = text_format("%s/records.jsonl", merge->directory);
    char *unfinished = text_format("%s.new", path);
    enum status status = STATUS_OK;
    merge->file = fopen(unfinished, "we");
    if (merge->file == NULL) {
        status = error_set(error, STATUS_IO, "%s: %m", unfinished);
    }
    for (size_t i = 0; i < tasks && status == STATUS_OK; i++) {
        char *own = cluster_task_directory(merge->directory, i);
        merge->left = merge->records[i];
        if (merge->left > 0) {
            status = journal_read(&record_journal, own, merge_line, merge, NULL, NULL, error);
        }
        free(own);
    }
    if (merge->file != NULL) {
        bool whole = fflush(merge->file) == 0 && fsync(fileno(merge->file)) == 0;
        whole = fclose(merge->file) == 0 && whole;
        if (status == STATUS_OK && (!whole || rename(unfinished, path) != 0)) {
            status = error_set(error, STATUS_IO, "%s: %m", path);
        }
    }
    free(path);
    free(unfinished);
    return status;
}

/* Writes the plan before the records: a plan may have cells without records, but not the
 * reverse. */
static enum status merge_write(struct cluster_merge *merge, struct error *error)
{
    json_t *plan = merge_plan(merge);
    char *path = text_format("%s/plan.json", merge->directory);
    char *text = json_dumps(plan, JSON_INDENT(1));
    enum status status = text != NULL
                             ? file_replace(path, text, strlen(text), error)
                             : error_set(error, STATUS_NO_MEMORY, "no memory for the merged plan");
    if (status == STATUS_OK) {
        status = merge_records(merge, error);
    }
    if (status == STATUS_OK) {
        status = file_sync_directory(merge->directory, error);
    }
    free(text);
    free(path);
    json_decref(plan);
    return status;
}

static enum status merge_tasks(const char *directory, const json_t *cluster, bool *complete,
                               struct error *error)
{
    size_t tasks = (size_t)json_count_at(cluster, "tasks", 1);
    struct cluster_merge merge = {.directory = directory,
                                  .cluster = cluster,
                                  .plans = text_zeroed(tasks, sizeof(json_t *)),
                                  .records = text_zeroed(tasks, sizeof(size_t)),
                                  .complete = true};
    enum status status = STATUS_OK;
    size_t begun = 0;
    for (size_t i = 0; i < tasks && status == STATUS_OK; i++) {
        status = merge_survey(&merge, i, error);
        begun += merge.plans[i] != NULL;
    }
    if (status == STATUS_OK && begun > 0) {
        status = merge_write(&merge, error);
    }
    for (size_t i = 0; i < tasks; i++) {
        json_decref(merge.plans[i]);
    }
    free(merge.plans);
    free(merge.records);
    *complete = status == STATUS_OK && merge.complete;
    return status;
}

enum status cluster_merge(const char *directory, bool *complete, struct error *error)
{
    json_t *cluster = NULL;
    *complete = false;
    enum status status = journal_read_plan(&cluster_journal, directory, &cluster, error);
    if (status == STATUS_OK) {
        status = merge_tasks(directory, cluster, complete, error);
    }
    json_decref(cluster);
    return status;
}

/* ---------------------------------------------------------------------- the submitting side */

static enum status cluster_submit(const char *directory, const json_t *cluster, struct error *error)
{
    static const char *const words[] = {"bench", "--resume", NULL};
    const struct slurm_array array = {.directory = directory,
                                      .name = json_text_at(cluster, "name", "heapmill"),
                                      .exclusive = true, /* two cells never run at once */
                                      .sbatch = json_object_get(cluster, "sbatch"),
                                      .words = words,
                                      .tasks = (size_t)json_count_at(cluster, "tasks", 1)};
    return slurm_array_run(&array, error);
}

/* Opens the run that is there, or begins one. The caller owns *cluster. */
static enum status cluster_open(const char *directory, const json_t *plan,
                                const struct cluster_options *options, struct journal *journal,
                                json_t **cluster, struct error *error)
{
    enum status status = STATUS_OK;
    if (!cluster_is_there(directory)) {
        char *local = text_format("%s/plan.json", directory);
        bool taken = access(local, F_OK) == 0;
        free(local);
        if (taken || plan == NULL) {
            return error_set(error, STATUS_INVALID,
                             taken ? "%s has a run of one machine already: give another directory "
                                     "with -o"
                                   : "%s has no run on a cluster",
                             directory);
        }
        *cluster = cluster_make(plan, options);
        return journal_begin(journal, &cluster_journal, directory, *cluster, error);
    }
    json_t *lines = json_array();
    status =
        journal_resume(journal, &cluster_journal, directory, NULL, journal_keep_line, lines, error);
    json_decref(lines);
    if (status != STATUS_OK) {
        return status;
    }
    status = journal_read_plan(&cluster_journal, directory, cluster, error);
    if (status == STATUS_OK && plan != NULL) {
        status = plan_compare(json_object_get(*cluster, "plan"), plan, error);
    }
    if (status != STATUS_OK) {
        journal_close(journal);
    }
    return status;
}

enum status cluster_run(const char *directory, const json_t *plan,
                        const struct cluster_options *options, json_t **merged, bool *complete,
                        struct error *error)
{
    struct journal journal = {.kind = NULL};
    json_t *cluster = NULL;
    struct error why;
    *complete = false;
    enum status status = cluster_open(directory, plan, options, &journal, &cluster, error);
    if (status != STATUS_OK) {
        json_decref(cluster);
        return status;
    }
    status = cluster_submit(directory, cluster, error);
    if (status == STATUS_INTERRUPTED) {
        (void)fprintf(stderr, "heapmill: %s\n", error->message);
    }
    enum status ended = merge_tasks(directory, cluster, complete, &why);
    if (ended == STATUS_OK) {
        ended = journal_read_plan(&record_journal, directory, merged, &why);
    }
    if (ended != STATUS_OK && ended != STATUS_NOT_FOUND && status == STATUS_OK) {
        status = error_set(error, ended, "%s", why.message);
    }
    journal_close(&journal);
    json_decref(cluster);
    return status;
}
