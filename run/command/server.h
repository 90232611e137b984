/* A command that serves: it is started, waited for until it is ready, put under a load, left idle
 * for a while, and stopped with SIGTERM. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_SERVER_H
#define HEAPMILL_RUN_COMMAND_SERVER_H

#include <jansson.h>

#include "common/host/process.h"
#include "run/command/command_run.h"

/* Follows a started server through its life, by the plan's `load`, `ready` (a port, or a part of a
 * line of its output) and `idle_s`. result gets load, load_ns, problem, and what the tree's memory
 * was. The process has ended, or is to be stopped by process_stop. */
void server_serve(const json_t *spec, double timeout_s, struct process *process, int output_fd,
                  struct command_result *result);

/* What a load generator says of itself: {tool, requests_per_s, latency_p99_ms, latency_mean_ms}, as
 * far as its output has them; of redis-benchmark, wrk, ab and pgbench. Of several tests the
 * geometric mean of the rates, and the largest p99. The caller's; NULL: nothing was known. */
json_t *server_read_load(const char *output);

#endif
