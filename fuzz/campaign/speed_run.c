#include "fuzz/campaign/speed_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host/process.h"
#include "common/host/scratch.h"

static const double SPEED_LOOK_S = 0.05;
static const double SPEED_GRACE_S = 5;
/* Ends a member after this many times its CPU time: on such a loaded machine nothing can be
 * measured. */
static const double SPEED_WALL_FACTOR = 60;

const struct speed_cell speed_cells[SPEED_CELLS] = {
    {FUZZ_ENGINE_RANDOM, 64, 0, 0},
    {FUZZ_ENGINE_LIBFUZZER, 64, 0, 0.6},
    {FUZZ_ENGINE_RANDOM, 1024, 2, 0},
    {FUZZ_ENGINE_AFL, 1024, 2, 0.5},
};

/* Follows the member until it has used its CPU time. Counters and CPU time are read together. */
static enum status speed_follow(const struct speed_run *run, const struct fuzz_launch *launch,
                                struct process *member, struct speed_sample *sample,
                                struct error *error)
{
    struct fuzz_progress progress;
    while (crew_wait(member, 1, 0) > 0 && sample->cpu_s < run->time_s) {
        fuzz_engine_read(launch, &progress);
        *sample = (struct speed_sample){.cpu_s = (double)member->result.cpu_ns / 1e9,
                                        .executions = (double)progress.executions,
                                        .operations = (double)progress.operations};
        double wall_s = (double)(clock_wall_ns() - member->begin_ns) / 1e9;
        if (process_interrupted()) {
            return error_set(error, STATUS_INTERRUPTED, "interrupted");
        }
        if (wall_s > SPEED_WALL_FACTOR * run->time_s) {
            return error_set(error, STATUS_UNSUPPORTED,
                             "%s had %.1f s of CPU in %.0f s: the machine is too busy to measure",
                             fuzz_engine_name(launch->engine), sample->cpu_s, wall_s);
        }
        (void)crew_wait(member, 1, SPEED_LOOK_S);
    }
    return STATUS_OK;
}

static enum status speed_expect_whole(const struct speed_run *run, const struct fuzz_launch *launch,
                                      const struct speed_sample *sample, struct error *error)
{
    if (sample->cpu_s >= run->time_s && sample->operations > 0) {
        return STATUS_OK;
    }
    struct text_list findings = {0};
    fuzz_engine_list_findings(launch->directory, &findings);
    bool found = findings.count > 0;
    text_list_free(&findings);
    return error_set(error, STATUS_UNSUPPORTED,
                     found ? "%s found something in %s: `heapmill fuzz run` keeps and explains it"
                           : "%s ended by itself on %s: `heapmill fuzz run` shows why",
                     fuzz_engine_name(launch->engine), launch->program->label);
}

static enum status speed_play(const struct speed_run *run, const struct fuzz_launch *launch,
                              struct speed_sample *sample, struct error *error)
{
    struct crew_job job;
    struct process member = {.pid = 0};
    enum status status = fuzz_engine_prepare(launch, &job, error);
    if (status == STATUS_OK) {
        status = crew_start(&job, &member, error);
        crew_job_free(&job);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = speed_follow(run, launch, &member, sample, error);
    crew_stop(&member, 1, SPEED_GRACE_S);
    process_free(&member);
    struct fuzz_progress progress;
    fuzz_engine_read(launch, &progress); /* AFL++ writes its stability at its end */
    sample->stability = progress.stability;
    return status == STATUS_OK ? speed_expect_whole(run, launch, sample, error) : status;
}

static enum status speed_play_cell(const struct speed_run *run, size_t cell, uint64_t round,
                                   const char *directory, struct speed_sample *sample,
                                   struct error *error)
{
    char *place = text_format("%s/%" PRIu64 "-%zu", directory, round, cell);
    struct fuzz_launch launch = {.catalog = run->catalog,
                                 .program = run->program,
                                 .engine = speed_cells[cell].engine,
                                 .fast = true,
                                 .bare = true,
                                 .directory = place,
                                 .seed = run->seed + 7919 * round,
                                 .operations = speed_cells[cell].operations,
                                 .subject = {.library = ""},
                                 .until_finding = true};
    *sample = (struct speed_sample){.cpu_s = 0};
    enum status status = speed_play(run, &launch, sample, error);
    free(place);
    return status;
}

static enum status speed_play_round(const struct speed_run *run, uint64_t round,
                                    const char *directory, struct speed_figures *figures,
                                    struct error *error)
{
    struct speed_sample samples[SPEED_CELLS];
    for (size_t cell = 0; cell < SPEED_CELLS; cell++) {
        struct speed_sample *sample = &samples[cell];
        if (isatty(STDERR_FILENO) == 1) {
            (void)fprintf(stderr, "\r\033[Kround %" PRIu64 " of %" PRIu64 ": %s", round + 1,
                          run->rounds, fuzz_engine_name(speed_cells[cell].engine));
        }
        enum status status = speed_play_cell(run, cell, round, directory, sample, error);
        if (status != STATUS_OK) {
            return status;
        }
        const struct speed_sample *base = &samples[speed_cells[cell].base];
        figures[cell].executions_per_s[round] = sample->executions / sample->cpu_s;
        figures[cell].operations_per_s[round] = sample->operations / sample->cpu_s;
        figures[cell].of_bare[round] =
            sample->operations / sample->cpu_s / (base->operations / base->cpu_s);
        figures[cell].stability[round] = sample->stability;
    }
    return STATUS_OK;
}

enum status speed_measure(const struct speed_run *run, struct speed_figures *figures,
                          struct error *error)
{
    struct scratch scratch;
    enum status status = scratch_open(&scratch, NULL, "speed", error);
    for (uint64_t round = 0; round < run->rounds && status == STATUS_OK; round++) {
        status = speed_play_round(run, round, scratch.path, figures, error);
    }
    if (isatty(STDERR_FILENO) == 1) {
        (void)fputs("\r\033[K", stderr);
    }
    scratch_close(&scratch);
    return status;
}
