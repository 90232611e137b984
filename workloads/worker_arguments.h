/* What a worker's command line asks for (WORKER.md). */
#ifndef HEAPMILL_WORKLOADS_WORKER_ARGUMENTS_H
#define HEAPMILL_WORKLOADS_WORKER_ARGUMENTS_H

#include <sys/types.h>

#include "workloads/runner.h"

enum worker_mode {
    WORKER_BENCHMARK, /* none of our modes: google-benchmark's command line */
    WORKER_DESCRIBE,
    WORKER_WASTE,
    WORKER_CALIBRATE,
    WORKER_CELL,
};

struct worker_arguments {
    enum worker_mode mode;
    struct cell cell; /* its workload is NULL where the mode needs none */
    double target_ms;
    const char *expect_malloc; /* borrowed from argv; NULL: anything goes */
    const char *map_file;      /* where maps of the heap go; borrowed from argv; NULL: none */
    struct heap_map map;       /* when they are taken */
    int record_fd;
    pid_t parent; /* 0: not given */
};

/* Reads argv. STATUS_INVALID with a sentence that names what is known. Does not allocate. */
enum status worker_arguments_parse(struct worker_arguments *arguments, int argc, char **argv,
                                   struct error *error);

/* The workload's parameters at their defaults. */
void worker_default_values(const struct workload *workload, double values[WORKLOAD_PARAMETERS_MAX]);

#endif
