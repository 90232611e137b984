/* Runs a command that is a server: starts it, waits until it is ready, runs the load, leaves it
 * idle for a while, and stops it with SIGTERM. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_SERVER_H
#define HEAPMILL_RUN_COMMAND_SERVER_H

#include <jansson.h>

#include "common/host/process.h"
#include "run/command/command_run.h"

/* Follows a started server through its life, as the plan's `load`, `ready` (a port, or a part of a
 * line of its output) and `idle_s` say. Sets load, load_ns, problem and the tree's memory in
 * result. Afterwards the process has ended, or the caller stops it with process_stop. */
void server_serve(const json_t *spec, double timeout_s, struct process *process, int output_fd,
                  struct command_result *result);

/* Reads the figures that redis-benchmark, wrk, ab or pgbench printed: {tool, requests_per_s,
 * latency_p99_ms, latency_mean_ms}, without those that are missing. For several tests it takes the
 * geometric mean of the rates, and the largest p99. A new reference; NULL: nothing was
 * recognised. */
json_t *server_read_load(const char *output);

#endif
