/* An experiment on a cluster: its plan is split by group into tasks, each of which is an ordinary
 * result directory of its share of the groups, and the tasks' records are merged.
 *
 *   DIR/cluster.json      the plan before calibration, and how it is split; written once
 *   DIR/tasks/N/          the result directory of task N: plan.json, records.jsonl, lock; and
 * done.json, once it has all its records DIR/tasks/N.aside.M/  what task N had measured on a
 * machine of another kind, which is not merged DIR/tasks/N.log       what task N said
 *   DIR/plan.json, records.jsonl   the merge: a function of the tasks, made anew each time
 *
 * The invariants, whatever is killed and whenever:
 *  - A group's cells are in one task, and a task is on one machine at a time (its lock): the halves
 * of a pair never come from two machines.
 *  - A cell has the same seed in a round as it has in a local run: a seed is a function of the
 * plan's seed, the group and the round (schedule_seed).
 *  - A task that was cut short goes on in its own journal, on any machine of the same kind
 *    (plan_check_host); its records say on which host each was made.
 *  - The merge has each record of each task once, or is not there.
 *
 * Groups are dealt out in turn: group g is in task g mod tasks. One thread. */
#ifndef HEAPMILL_RUN_CLUSTER_H
#define HEAPMILL_RUN_CLUSTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"
#include "run/executor.h"

/* What a cluster run is asked for. Borrowed. */
struct cluster_options {
    const struct text_list *sbatch; /* further options of sbatch */
    size_t tasks;                   /* 0: such that each takes about ten minutes */
};

/* Is there a run on a cluster in the directory? */
bool cluster_is_there(const char *directory);

/* Begins a run of that plan, which is not calibrated (each task calibrates its groups on the
 * machine that measures them), or takes up the one that is there: then the plan has to be its plan,
 * and may be NULL. Starts the tasks by `PROGRAM bench --resume DIR --task N`, follows them to their
 * end and merges. *merged, a new reference, is the merged plan, NULL where there is none yet;
 * *complete: every planned record is there. STATUS_INVALID: another run is there; STATUS_BUSY:
 * another heapmill follows it. STATUS_INTERRUPTED: the tasks go on, and what they have is merged.
 * Otherwise as slurm_array_run. */
enum status cluster_run(const char *directory, const json_t *plan,
                        const struct cluster_options *options, json_t **merged, bool *complete,
                        struct error *error);

/* Runs a task of the directory's run, here, until it is complete. Waits while another process runs
 * it: one that a cluster has lost sight of. Errors as experiment_resume and experiment_go_on. */
enum status cluster_run_task(const char *directory, size_t task, const struct executor *executor,
                             struct error *error);

/* Makes plan.json and records.jsonl of what the tasks have by now. STATUS_CORRUPT, STATUS_IO. */
enum status cluster_merge(const char *directory, bool *complete, struct error *error);

/* A task's part of a plan: a new reference. */
json_t *cluster_share(const json_t *plan, size_t tasks, size_t task);

#endif
