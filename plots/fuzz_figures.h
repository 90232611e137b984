/* The figures of fuzzing: of a score, how long each engine takes to find, and of a campaign, how it
 * went. One thread at a time per output directory. */
#ifndef HEAPMILL_PLOTS_FUZZ_FIGURES_H
#define HEAPMILL_PLOTS_FUZZ_FIGURES_H

#include <stddef.h>

#include "common/status.h"
#include "plots/image.h"
#include "results/fuzz_score.h"

/* survival.*: the share of all trials of each engine that are still looking, over CPU time.
 * STATUS_UNSUPPORTED: there is no gnuplot; the table and the script are written. STATUS_IO,
 * STATUS_NO_MEMORY. So for all of these. */
enum status fuzz_figure_survival(const struct image_options *options,
                                 const struct fuzz_score *score, struct error *error);

/* survival-bugs.*: the same, a panel for each bug. */
enum status fuzz_figure_survival_bugs(const struct image_options *options,
                                      const struct fuzz_score *score, struct error *error);

/* bugs.*: bugs × engines, the mean time to find as colour, and how many trials found. */
enum status fuzz_figure_bugs(const struct image_options *options, const struct fuzz_score *score,
                             struct error *error);

/* What an engine process had done at one moment of a campaign; all counts are totals. */
struct fuzz_sample {
    double wall_s; /* since the campaign's beginning, without the time between sessions */
    double cpu_s;
    double executions;
    double operations;
    double coverage;
    double corpus;
};

struct fuzz_series {
    const char *member; /* "libfuzzer-0" */
    const char *engine;
    struct fuzz_sample *samples; /* by time */
    size_t count;
};

/* coverage.*: edges and kept inputs over time; speed.*: executions and operations per CPU second
 * over time. */
enum status fuzz_figure_coverage(const struct image_options *options,
                                 const struct fuzz_series *series, size_t count,
                                 struct error *error);
enum status fuzz_figure_speed(const struct image_options *options, const struct fuzz_series *series,
                              size_t count, struct error *error);

#endif
