/* The steps of `heapmill bench`, for the commands that run matrices of their own. One thread. */
#ifndef HEAPMILL_CLI_BENCH_STEPS_H
#define HEAPMILL_CLI_BENCH_STEPS_H

#include <jansson.h>

#include "common/status.h"
#include "results/store.h"
#include "run/experiment.h"
#include "run/registry.h"

/* The plan that the options ask for, not calibrated; a new reference. STATUS_UNSUPPORTED: something
 * that was named in full is not here. Otherwise as selection_add_backends and its like. */
enum status bench_make_plan(const struct experiment *experiment, struct registry *registry,
                            json_t **plan, struct error *error);

/* Calibrates the plan and makes the directory with it. *round_s is what a round should take. */
enum status bench_start(const struct registry *registry, const char *directory, json_t *plan,
                        struct store **store, double *round_s, struct error *error);

/* Opens the directory's run again, here and with what is needed for it. wanted is the plan that
 * options ask for, which must be that of the run, or NULL. */
enum status bench_resume(const char *directory, const json_t *wanted,
                         const struct registry *registry, struct store **store,
                         struct error *error);

/* Runs what is left of the store's plan, which is that of the directory. round_s is what a round
 * should take, where no records tell. Otherwise as bench_run. */
enum status bench_go_on(struct store *store, const struct registry *registry, const char *directory,
                        double round_s, struct error *error);

/* The exit status that says it (command.h). */
int bench_exit_status(enum status status);

#endif
