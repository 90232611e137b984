/* Asks a worker what it is or how many iterations to take, or runs one cell in it
 * (workloads/WORKER.md).
 *
 * Every worker gets a clean environment: PATH, HOME and LANG of heapmill's own, the variables of
 * the cell, and LD_PRELOAD if the cell has one. Otherwise a MALLOC_ARENA_MAX or an LD_PRELOAD of
 * the caller's would change what is measured, and the record would not say so. */
#ifndef HEAPMILL_RUN_WORKER_H
#define HEAPMILL_RUN_WORKER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/host/process.h"
#include "common/host/text.h"
#include "common/status.h"
#include "results/record.h"
#include "run/registry.h"

/* A worker and its settings. All pointers are borrowed. */
struct worker {
    const struct registry *registry;
    const char *program;   /* file name, as in plan.json */
    const char *preload;   /* as in plan.json; "" for none */
    const char *collector; /* "", NULL: the build's own */
    const json_t *env;     /* object of strings; NULL for none */
};

/* A cell that one process runs. params is an object of numbers and strings. */
struct worker_cell {
    const char *workload;
    const json_t *params;
    unsigned threads; /* 0 and 1 are one */
    uint64_t iterations;
    uint64_t warmup_iterations;
    double extra_work; /* per cent, of a calibration's slowed cells; 0 */
    uint64_t seed;
    enum record_pass pass;
    uint32_t latency_every; /* of the latency pass; 0: the worker's default */
    const char *valgrind;   /* of the instructions pass: its path */
    double timeout_s;
    const char *const *extra; /* more arguments, ending with NULL; NULL for none */
};

/* Asks the worker for the object that --describe prints, which the caller owns. said, unless it is
 * NULL, gets the last line of the worker's stderr, where the dynamic linker complains of a library
 * that it cannot preload; the caller frees it after STATUS_OK. Returns STATUS_NOT_FOUND if there is
 * no such program; STATUS_UNSUPPORTED if the worker failed, and the message says how;
 * STATUS_INTERRUPTED. */
enum status worker_describe(const struct worker *worker, json_t **description, char **said,
                            struct error *error);

/* Asks the worker for the object that --waste prints, which the caller owns. Errors are as above;
 * STATUS_UNSUPPORTED also if the back end does not tell usable sizes. */
enum status worker_waste(const struct worker *worker, json_t **answer, struct error *error);

/* Asks the worker for the object that --calibrate prints, for a timed part of about target_ms.
 * Errors are as above. */
enum status worker_calibrate(const struct worker *worker, const struct worker_cell *cell,
                             double target_ms, json_t **calibration, struct error *error);

/* Runs a cell. Returns STATUS_OK if it ran, well or badly; the caller then releases *result with
 * process_result_free. Other errors are those of process_run. *instructions is set to the count of
 * the instructions pass, or to 0 if there is none; in other passes the pointer is NULL. */
enum status worker_run_cell(const struct worker *worker, const struct worker_cell *cell,
                            struct process_result *result, uint64_t *instructions,
                            struct error *error);

/* Runs cells of passes other than the instructions pass beside each other, on as many processors as
 * there are: cells[i] with workers[i] gives results[i]. Otherwise as worker_run_cell. */
enum status worker_run_cells(const struct worker *workers, const struct worker_cell *cells,
                             size_t count, struct process_result *results, struct error *error);

/* Returns the part of malloc's owner that a worker is told to expect, or "" if nothing is expected.
 * The string is borrowed. */
const char *worker_expected_owner(const struct worker *worker);

/* Explains how a worker ended: "ended by signal 6 (Aborted)", "exited with 3", "did not end within
 * 60 s", with the last line of its stderr if there is one. The caller frees the text. */
char *worker_explain(const struct process_result *result, double timeout_s);

/* Runs a worker under valgrind's callgrind, which counts the instructions of its timed part.
 *
 * Counting begins and ends with the function runner_timed_part (and, in the threads of a threaded
 * workload, threads_timed_work), so that set-up, warm-up and checks are left out. The count is
 * written into an anonymous file: nothing is left on the disk, whatever ends the run.
 *
 * What would make counts differ from run to run is taken away: addresses are not randomised, the
 * environment is the cell's alone, valgrind reads no .valgrindrc, and clocks stand still
 * (workloads/callgrind/still_clock.c). */

/* The library with the clock, as registry_preload_path knows it. */
#define CALLGRIND_CLOCK "libheapmill-still-clock.so"

/* Finds the valgrind in PATH and its version ("valgrind-3.19.0"). The caller frees both, which are
 * NULL unless it returns STATUS_OK. Returns STATUS_UNSUPPORTED with the remedy if there is no
 * valgrind, if this build has sanitizers, which do not run under it, or if the build lacks the
 * clock; STATUS_INTERRUPTED. */
enum status callgrind_find(const struct registry *registry, char **path, char **version,
                           struct error *error);

/* A count that is being made. */
struct callgrind {
    int fd; /* -1: none */
};

#endif
