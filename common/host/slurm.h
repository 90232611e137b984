/* A long job of heapmill as an array of tasks on a cluster that Slurm schedules
 * (slurm.schedmd.com). This starts tasks, follows them, and starts again what has ended before it
 * was done, whatever ended it. Nothing is kept here: what is queued is asked of squeue by the
 * array's name, and what is done is read from the tasks' directories, so that whoever asks again
 * after a kill goes on where the last one stopped. Works with Slurm 20.02 and later. One thread. */
#ifndef HEAPMILL_COMMON_HOST_SLURM_H
#define HEAPMILL_COMMON_HOST_SLURM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"

/* Slurm's own default for the size of an array (MaxArraySize 1001). */
enum { SLURM_TASKS_MAX = 1000 };

/* All borrowed. Task N of the job, from 0, runs `heapmill WORDS DIRECTORY --task N`. It keeps its
 * journals (*.jsonl) in DIRECTORY/tasks/N, and writes done.json there when it is complete. A task
 * that has ended three times without a longer journal is given up. */
struct slurm_array {
    const char *directory;    /* of the job, on a file system that all nodes share; the tasks' logs
                                 are tasks/N.log in it */
    const char *name;         /* of the array: no other job of the user may have it */
    bool exclusive;           /* unless `sbatch` says otherwise, a task has its node to itself */
    const json_t *sbatch;     /* an array of further options of sbatch */
    const char *const *words; /* ends with NULL */
    size_t tasks;
};

/* Starts what is neither done nor queued, and returns when all is done. Says on stderr how it goes.
 * STATUS_INTERRUPTED: by SIGINT or SIGTERM; the tasks go on. STATUS_UNSUPPORTED: sbatch or squeue
 * is not here, sbatch refuses (with its words), or a task ends again and again (its log is named).
 * STATUS_IO. */
enum status slurm_array_run(const struct slurm_array *array, struct error *error);

#endif
