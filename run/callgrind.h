/* Runs a worker under valgrind's callgrind, which counts the instructions of its timed part.
 *
 * Counting begins and ends with the function runner_timed_part (and, in the threads of a threaded
 * workload, threads_timed_work), so that set-up, warm-up and checks are left out. The count is
 * written into an anonymous file: nothing is left on the disk, whatever ends the run.
 *
 * What would make counts differ from run to run is taken away: addresses are not randomised, the
 * environment is the cell's alone, valgrind reads no .valgrindrc, and clocks stand still
 * (workloads/callgrind/still_clock.c). */
#ifndef HEAPMILL_RUN_CALLGRIND_H
#define HEAPMILL_RUN_CALLGRIND_H

#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"
#include "run/registry.h"

/* The library with the clock, as registry_preload_path knows it. */
#define CALLGRIND_CLOCK "libheapmill-still-clock.so"

/* The valgrind of PATH and its version ("valgrind-3.19.0"); the caller frees both, which are NULL
 * unless STATUS_OK. STATUS_UNSUPPORTED with the remedy: there is none, this build has sanitizers,
 * which do not run under it, or it lacks the clock. STATUS_INTERRUPTED. */
enum status callgrind_find(const struct registry *registry, char **path, char **version,
                           struct error *error);

/* A count in the making. */
struct callgrind {
    int fd; /* -1: none */
};

/* STATUS_IO. callgrind_close in either case. */
enum status callgrind_open(struct callgrind *callgrind, struct error *error);

/* Adds valgrind's path and options, after which the worker's own command line comes. */
void callgrind_add_arguments(const struct callgrind *callgrind, const char *valgrind,
                             struct text_list *arguments);

/* The count, once the process has ended; 0 if it left none. */
uint64_t callgrind_read(const struct callgrind *callgrind);

void callgrind_close(struct callgrind *callgrind);

#endif
