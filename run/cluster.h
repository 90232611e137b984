/* Runs an experiment on a cluster. Its plan is split by group into tasks; each task is an ordinary
 * result directory with its share of the groups, and the records of the tasks are merged.
 *
 * The files:
 *  - DIR/cluster.json is the plan before calibration, and how it is split; it is written once.
 *  - DIR/tasks/N/ is the result directory of task N: plan.json, records.jsonl, lock, and done.json
 *    once it has all its records.
 *  - DIR/tasks/N.aside.M/ is what task N had measured on a machine of another kind; it is not
 *    merged.
 *  - DIR/tasks/N.log is what task N printed.
 *  - DIR/plan.json and records.jsonl are the merge, which depends on the tasks alone and is made
 *    anew each time.
 *
 * These hold, whatever is killed and whenever:
 *  - The cells of a group are in one task, and a task runs on one machine at a time (its lock), so
 *    that the halves of a pair never come from two machines.
 *  - A cell has the same seed in a round as in a local run: a seed is a function of the plan's
 *    seed, the group and the round (schedule_seed).
 *  - A task that was cut short continues in its own journal, on any machine of the same kind
 *    (plan_check_host); its records say on which host each was made.
 *  - The merge has each record of each task once, or it does not exist.
 *
 * Groups are dealt out in turn: group g is in task g mod tasks. Belongs to one thread. */
#ifndef HEAPMILL_RUN_CLUSTER_H
#define HEAPMILL_RUN_CLUSTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"
#include "run/executor.h"

/* The options of a run on a cluster. Borrowed. */
struct cluster_options {
    const struct text_list *sbatch; /* further options of sbatch */
    size_t tasks;                   /* 0: such that each takes about ten minutes */
};

/* Tells whether the directory holds a run on a cluster. */
bool cluster_is_there(const char *directory);

/* Begins a run of the plan, or continues the one that is there. A new plan is not calibrated: each
 * task calibrates its groups on the machine that measures them. For a run that is there, plan is
 * its plan or NULL. The tasks are started by `PROGRAM bench --resume DIR --task N`, followed to
 * their end and merged. *merged, a new reference, is the merged plan, or NULL if there is none yet;
 * *complete tells whether every planned record is there.
 *
 * Errors: STATUS_INVALID if another run is there; STATUS_BUSY if another heapmill follows it;
 * STATUS_INTERRUPTED, after which the tasks go on and what they have is merged; otherwise as
 * slurm_array_run. */
enum status cluster_run(const char *directory, const json_t *plan,
                        const struct cluster_options *options, json_t **merged, bool *complete,
                        struct error *error);

/* Runs a task of the directory's run in this process until it is complete. If another process runs
 * the task, which a cluster may have lost sight of, it waits for that process. Errors are those of
 * experiment_resume and experiment_go_on. */
enum status cluster_run_task(const char *directory, size_t task, const struct executor *executor,
                             struct error *error);

/* Makes plan.json and records.jsonl from what the tasks have so far. Returns STATUS_CORRUPT or
 * STATUS_IO on failure. */
enum status cluster_merge(const char *directory, bool *complete, struct error *error);

/* Returns a task's part of a plan, a new reference. */
json_t *cluster_share(const json_t *plan, size_t tasks, size_t task);

#endif
