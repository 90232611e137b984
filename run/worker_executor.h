/* The executor whose cells are worker processes on this machine: workloads/WORKER.md. */
#ifndef HEAPMILL_RUN_WORKER_EXECUTOR_H
#define HEAPMILL_RUN_WORKER_EXECUTOR_H

#include "run/executor.h"
#include "run/registry.h"

struct worker_executor {
    struct executor executor;
    const struct registry *registry;
    char *valgrind; /* its path, once a plan has asked for it */
};

/* The registry is borrowed, until worker_executor_close. */
void worker_executor_open(struct worker_executor *worker, const struct registry *registry);
void worker_executor_close(struct worker_executor *worker);

#endif
