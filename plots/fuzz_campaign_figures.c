/* The figures of a campaign. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/fuzz_figures.h"
#include "plots/palette.h"

/* libFuzzer and AFL++ count edges each in its own way, which no axis should mix. */
static bool progress_is_afl(const char *engine)
{
    return strncmp(engine, "afl", 3) == 0;
}

static struct curves_panel *progress_add_panel(struct curves *curves, const char *title,
                                               const char *y_label)
{
    struct curves_panel *panel = curves_add_panel(curves, title);
    panel->x_label = "time of the campaign (s)";
    panel->y_label = y_label;
    panel->from_zero = true;
    return panel;
}

/* Every member's values in one panel; those of the other kind of engine are left out unless both
 * kinds are wanted. from_nothing: the curves begin at 0. A panel without points is dropped. */
static void progress_add(struct curves *curves, const char *title, const char *y_label,
                         const struct fuzz_series *series, size_t count, int kind,
                         bool from_nothing, double (*value)(const struct fuzz_series *, size_t))
{
    struct curves_panel *panel = progress_add_panel(curves, title, y_label);
    size_t points = 0;
    for (size_t i = 0; i < count; i++) {
        if (kind != -1 && (int)progress_is_afl(series[i].engine) != kind) {
            continue;
        }
        struct curve *curve = curves_add_curve(panel, i);
        if (from_nothing && series[i].count > 0) {
            curves_add_point(curve, 0, 0);
        }
        for (size_t j = 0; j < series[i].count; j++) {
            curves_add_point(curve, series[i].samples[j].wall_s, value(&series[i], j));
        }
        points += curve->count;
    }
    if (points == 0) {
        curves_drop_panel(curves);
    }
}

/* NAN is a point that is left out. */
static double progress_coverage(const struct fuzz_series *series, size_t index)
{
    double edges = series->samples[index].coverage;
    return edges > 0 ? edges : NAN;
}

static double progress_corpus(const struct fuzz_series *series, size_t index)
{
    double inputs = series->samples[index].corpus;
    return inputs > 0 ? inputs : NAN;
}

/* Between a sample and the one before. A member that was started anew may have used no time. */
static double progress_rate(const struct fuzz_series *series, size_t index, bool operations)
{
    if (index == 0) {
        return NAN;
    }
    const struct fuzz_sample *now = &series->samples[index];
    const struct fuzz_sample *before = &series->samples[index - 1];
    double done =
        operations ? now->operations - before->operations : now->executions - before->executions;
    double cpu_s = now->cpu_s - before->cpu_s;
    return cpu_s > 0.05 && done >= 0 ? done / cpu_s : NAN;
}

static double progress_executions(const struct fuzz_series *series, size_t index)
{
    return progress_rate(series, index, false) / 1e3;
}

static double progress_operations(const struct fuzz_series *series, size_t index)
{
    return progress_rate(series, index, true) / 1e6;
}

static enum status progress_draw(const struct image_options *options, struct curves *curves,
                                 const struct fuzz_series *series, size_t count, const char *name,
                                 const char *title, const char *foot, struct error *error)
{
    const char **members = text_zeroed(count, sizeof *members);
    const char **engines = text_zeroed(count, sizeof *engines);
    struct script_row *rows = text_zeroed(count, sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        members[i] = series[i].member;
        engines[i] = series[i].engine;
    }
    const struct curves_words words = {
        .name = name,
        .title = title,
        .better = "One curve for each engine process; a process that was started anew goes on.",
        .remark = foot,
    };
    palette_engines(members, engines, count, rows);
    enum status status =
        curves_draw_rows(options, figure_find(name), curves, &words, rows, count, error);
    curves_release(curves);
    free(members);
    free(engines);
    free(rows);
    return status;
}

enum status fuzz_figure_coverage(const struct image_options *options,
                                 const struct fuzz_series *series, size_t count,
                                 struct error *error)
{
    struct curves curves = {.panels = NULL};
    progress_add(&curves, "edges covered, as libFuzzer counts them", "edges", series, count, 0,
                 true, progress_coverage);
    progress_add(&curves, "edges covered, as AFL++ counts them", "edges", series, count, 1, true,
                 progress_coverage);
    progress_add(&curves, "inputs kept", "inputs", series, count, -1, true, progress_corpus);
    return progress_draw(options, &curves, series, count, "coverage", "What a campaign covers",
                         "The two engines count edges in ways of their own: compare shapes, not "
                         "heights.",
                         error);
}

enum status fuzz_figure_speed(const struct image_options *options, const struct fuzz_series *series,
                              size_t count, struct error *error)
{
    struct curves curves = {.panels = NULL};
    progress_add(&curves, "executions", "thousands per CPU second", series, count, -1, false,
                 progress_executions);
    progress_add(&curves, "operations of the code under test", "millions per CPU second", series,
                 count, -1, false, progress_operations);
    return progress_draw(options, &curves, series, count, "speed", "How fast a campaign is",
                         "Counted by the target itself, per CPU second of the engine with all its "
                         "processes. Higher is better, but inputs differ in length: operations "
                         "compare, executions do not.",
                         error);
}
