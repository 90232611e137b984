/* A long job as an array of tasks on a cluster that Slurm schedules (slurm.schedmd.com). What a
 * task does and how far it is, the caller knows; this starts tasks, follows them, and starts again
 * what has ended before it was done, whatever ended it. Nothing is kept here: what is queued is
 * asked of squeue by the array's name, and what is done of the caller, so that whoever asks again
 * after a kill goes on where the last one stopped. Works with Slurm 20.02 and later. One thread. */
#ifndef HEAPMILL_COMMON_HOST_SLURM_H
#define HEAPMILL_COMMON_HOST_SLURM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"

/* Slurm's own default for the size of an array (MaxArraySize 1001). */
enum { SLURM_TASKS_MAX = 1000 };

/* All borrowed. */
struct slurm_array {
    const char *directory;           /* of the job, on a file system that all nodes share: absolute;
                                        tasks/ in it has the tasks' logs, TASK.log */
    const char *name;                /* of the array: no other job of the user may have it */
    const struct text_list *options; /* further ones of sbatch */
    const struct text_list
        *command; /* what a task runs, in the directory, followed by its number */
    size_t tasks;
    /* Is the task complete? And a number that grows as it gets on: a task that has ended three
     * times without it is given up. */
    bool (*done)(void *context, size_t task);
    uint64_t (*progress)(void *context, size_t task);
    void *context;
};

/* Starts what is neither done nor queued, and returns when all is done. Says on stderr how it goes.
 * STATUS_INTERRUPTED: by SIGINT or SIGTERM; the tasks go on. STATUS_UNSUPPORTED: sbatch or squeue
 * is not here, sbatch refuses (with its words), or a task ends again and again (its log is named).
 * STATUS_IO. */
enum status slurm_array_run(const struct slurm_array *array, struct error *error);

#endif
