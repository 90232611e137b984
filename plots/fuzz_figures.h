/* Figures of fuzzing: for a score, how long each engine takes to find bugs; for a campaign, its
 * progress. One thread at a time per output directory. */
#ifndef HEAPMILL_PLOTS_FUZZ_FIGURES_H
#define HEAPMILL_PLOTS_FUZZ_FIGURES_H

#include <stddef.h>

#include "common/status.h"
#include "plots/image.h"
#include "results/fuzz_score.h"

/* Draws survival.*: for each engine the share of its trials that have not found the bug yet, over
 * CPU time. Errors of this function and the next ones: STATUS_UNSUPPORTED: there is no gnuplot, but
 * the table and the script are written; STATUS_IO, STATUS_NO_MEMORY. */
enum status fuzz_figure_survival(const struct image_options *options,
                                 const struct fuzz_score *score, struct error *error);

/* Draws survival-bugs.*: the same, with a panel for each bug. */
enum status fuzz_figure_survival_bugs(const struct image_options *options,
                                      const struct fuzz_score *score, struct error *error);

/* Draws bugs.*: bugs × engines, with the mean time to find as colour, and the number of trials that
 * found. */
enum status fuzz_figure_bugs(const struct image_options *options, const struct fuzz_score *score,
                             struct error *error);

/* What an engine process had done at one moment of a campaign; all counts are totals. */
struct fuzz_sample {
    double wall_s; /* since the campaign began, without the time between sessions */
    double cpu_s;
    double executions;
    double operations;
    double coverage;
    double corpus;
};

struct fuzz_series {
    const char *member; /* "libfuzzer-0" */
    const char *engine;
    struct fuzz_sample *samples; /* in the order of time */
    size_t count;
};

/* Draws coverage.*: edges and kept inputs over time; and speed.*: executions and operations per CPU
 * second over time. */
enum status fuzz_figure_coverage(const struct image_options *options,
                                 const struct fuzz_series *series, size_t count,
                                 struct error *error);
enum status fuzz_figure_speed(const struct image_options *options, const struct fuzz_series *series,
                              size_t count, struct error *error);

#endif
