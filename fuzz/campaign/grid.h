/* Campaigns and scores on a cluster, as arrays of tasks (common/host/slurm.h).
 *
 * A campaign's engines share its directory as they do on one machine: AFL++'s instances synchronise
 * below afl/, libFuzzer's reread corpus/, what one finds goes to the others. Only the journal is a
 * task's own: DIR/tasks/N/ has campaign.json and events.jsonl of engine N, and done.json when its
 * time was over. A score's trials do not know of each other: DIR/tasks/N/ is a score of its own of
 * the trials t with t mod tasks = N, and its lines are taken over into DIR/trials.jsonl, each once.
 *
 * One thread. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_GRID_H
#define HEAPMILL_FUZZ_CAMPAIGN_GRID_H

#include <jansson.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/campaign/log.h"

/* Adds to a plan what its tasks need: `grid` {`name`, `tasks`, `time_s`, `sbatch`}. */
void fuzz_grid_plan(json_t *plan, size_t tasks, double time_s, const struct text_list *sbatch);

/* Starts the campaign's tasks, by `PROGRAM fuzz run --resume -o DIR --task N`, follows them to
 * their end, logs each finding once, and minimises the corpus where there is a build of
 * libFuzzer's: what it left is corpus/, and corpus.all/ has every input. *findings: how many the
 * campaign has. The same call goes on with what was cut short. Errors as slurm_array_run;
 * STATUS_IO. */
enum status fuzz_grid_run(const char *directory, const json_t *plan, struct fuzz_log *log,
                          size_t *findings, struct error *error);

/* Runs engine `task` of the directory's campaign here, for what is left of its time. Errors as
 * fuzz_session_run. */
enum status fuzz_grid_run_task(const struct fuzz_catalog *catalog, const char *directory,
                               size_t task, struct error *error);

/* The same of a score: `PROGRAM fuzz score --resume -o DIR --task N`. */
enum status fuzz_grid_score(const char *directory, const json_t *plan, struct fuzz_log *log,
                            struct error *error);
enum status fuzz_grid_score_task(const struct fuzz_catalog *catalog, const char *directory,
                                 size_t task, struct error *error);

#endif
