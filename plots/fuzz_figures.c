/* Draws the figures of a score and of a campaign. */
#include "plots/fuzz_figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"
#include "plots/palette.h"

enum { CELL_WIDTH = 132, CELL_HEIGHT = 26, HEAT_KEY_HEIGHT = 64, HEAT_HEAD_HEIGHT = 34 };

/* The start of the logarithmic axis. Whatever is found before it was found at once. */
static const double SURVIVAL_TIME_LEAST_S = 0.01;

static const char survival_foot[] =
    "Kaplan and Meier's estimate: a trial that found nothing counts as longer than its limit. Each "
    "trial begins with an empty corpus. CPU time of the engine with all its processes. Lower and "
    "further left is better.";

/* Adds one curve, from 1 at the start of the axis to the end of the longest trial. Baselines may
 * have had less time. */
static enum status survival_add_curve(struct curves_panel *panel, size_t row,
                                      const struct survival_trial *trials, size_t count,
                                      double limit_s, struct error *error)
{
    struct survival_curve estimate;
    enum status status = survival_estimate(trials, count, &estimate, error);
    if (status != STATUS_OK || count == 0) {
        return status;
    }
    struct curve *curve = curves_add_curve(panel, row);
    double survival = 1;
    double longest = SURVIVAL_TIME_LEAST_S;
    for (size_t i = 0; i < count; i++) {
        longest = fmax(longest, trials[i].time_s);
    }
    curves_add_point(curve, SURVIVAL_TIME_LEAST_S, 1);
    for (size_t i = 0; i < estimate.count; i++) {
        survival = estimate.steps[i].survival;
        curves_add_point(curve, fmax(estimate.steps[i].time_s, SURVIVAL_TIME_LEAST_S), survival);
    }
    curves_add_point(curve, fmin(longest, limit_s), survival);
    survival_curve_release(&estimate);
    return STATUS_OK;
}

static struct curves_panel *survival_add_panel(struct curves *curves, const char *title)
{
    struct curves_panel *panel = curves_add_panel(curves, title);
    panel->x_label = "CPU time of a trial (s)";
    panel->y_label = "share of trials that found nothing yet";
    panel->steps = true;
    panel->log_x = true;
    panel->from_zero = true;
    panel->y_end = 1;
    return panel;
}

static enum status survival_draw(const struct image_options *options,
                                 const struct fuzz_score *score, const struct curves *curves,
                                 const char *name, const char *title, struct error *error)
{
    char *control =
        score->control_trials == 0
            ? text_format("Builds without a bug were not tried.")
            : text_format("On builds without a bug: %zu findings in %zu trials, %.0f CPU seconds.",
                          score->control_findings, score->control_trials, score->control_cpu_s);
    char *head = text_format("%zu planted bugs, trials of up to %g CPU seconds. %s",
                             score->bug_count, score->limit_s, control);
    const struct curves_words words = {
        .name = name, .title = title, .better = head, .remark = survival_foot};
    const char *const *names = (const char *const *)score->engines;
    struct script_row *rows = text_zeroed(score->engine_count, sizeof *rows);
    palette_engines(names, names, score->engine_count, rows);
    enum status status = curves_draw_rows(options, figure_find(name), curves, &words, rows,
                                          score->engine_count, error);
    free(rows);
    free(control);
    free(head);
    return status;
}

enum status fuzz_figure_survival(const struct image_options *options,
                                 const struct fuzz_score *score, struct error *error)
{
    struct curves curves = {.panels = NULL};
    struct curves_panel *panel =
        survival_add_panel(&curves, "all bugs, each weighing as much as it has trials");
    enum status status = STATUS_OK;
    for (size_t engine = 0; engine < score->engine_count && status == STATUS_OK; engine++) {
        struct survival_trial *trials;
        size_t count;
        status = fuzz_score_pool(score, engine, &trials, &count, error);
        if (status == STATUS_OK) {
            status = survival_add_curve(panel, engine, trials, count, score->limit_s, error);
            free(trials);
        }
    }
    if (status == STATUS_OK) {
        status = survival_draw(options, score, &curves, "survival",
                               "How long planted bugs survive each engine", error);
    }
    curves_release(&curves);
    return status;
}

enum status fuzz_figure_survival_bugs(const struct image_options *options,
                                      const struct fuzz_score *score, struct error *error)
{
    struct curves curves = {.panels = NULL};
    enum status status = STATUS_OK;
    for (size_t bug = 0; bug < score->bug_count && status == STATUS_OK; bug++) {
        struct curves_panel *panel = survival_add_panel(&curves, score->bugs[bug]);
        for (size_t engine = 0; engine < score->engine_count && status == STATUS_OK; engine++) {
            const struct fuzz_score_cell *cell = fuzz_score_cell(score, bug, engine);
            status =
                survival_add_curve(panel, engine, cell->trials, cell->count, score->limit_s, error);
        }
    }
    if (status == STATUS_OK) {
        status = survival_draw(options, score, &curves, "survival-bugs",
                               "How long each planted bug survives each engine", error);
    }
    curves_release(&curves);
    return status;
}

/* Writes a cell's row of the table: its position, the mean time as a share of the logarithmic scale
 * from 0 (at once) to 1 (never), and its texts. */
static void heat_write_cell(FILE *table, const struct fuzz_score *score, size_t bug, size_t engine)
{
    const struct fuzz_score_cell *cell = fuzz_score_cell(score, bug, engine);
    double scale = log(score->limit_s / SURVIVAL_TIME_LEAST_S);
    double mean = fmax(cell->mean_s.point, SURVIVAL_TIME_LEAST_S);
    double level = cell->found > 0 ? log(mean / SURVIVAL_TIME_LEAST_S) / scale : 2;
    char *text = cell->count == 0 ? text_format("no trials")
                 : cell->found == 0
                     ? text_format("0/%zu%s", cell->count, cell->reached == 0 ? " unreached" : "")
                     : text_format("%zu/%zu  %.3g s", cell->found, cell->count, cell->mean_s.point);
    tsv_number(table, (double)engine + 1);
    fputc('\t', table);
    tsv_number(table, (double)bug + 1);
    fputc('\t', table);
    tsv_number(table, cell->count == 0 ? 3 : fmin(fmax(level, 0), 2));
    fputc('\t', table);
    tsv_text(table, text);
    fputc('\n', table);
    free(text);
}

static const char heat_columns[] = "# columns: engine, bug (from 1), level (0 found at once to 1 "
                                   "at the limit on average; 2 never; "
                                   "3 no trials), text\n";

enum status fuzz_figure_bugs(const struct image_options *options, const struct fuzz_score *score,
                             struct error *error)
{
    size_t widest = 0;
    for (size_t i = 0; i < score->bug_count; i++) {
        size_t width = text_width(score->bugs[i]);
        widest = width > widest ? width : widest;
    }
    int label_width = (int)widest * IMAGE_CHARACTER_WIDTH + 16;
    char *head = text_format("Found/trials, and the mean CPU time to find of one who gives up at "
                             "%g s. Unreached: no trial ever ran the wrong code.",
                             score->limit_s);
    const struct image_frame frame = {
        .name = "bugs",
        .title = "Which engine finds which planted bug, and how soon",
        .head = head,
        .foot = "The restricted mean of Kaplan and Meier's estimate. Each trial begins with an "
                "empty corpus.",
        .columns = heat_columns,
        .inner_width = label_width + (int)score->engine_count * CELL_WIDTH,
        .inner_height = HEAT_HEAD_HEIGHT + (int)score->bug_count * CELL_HEIGHT + HEAT_KEY_HEIGHT,
    };
    struct image image;
    enum status status = image_begin(&image, figure_find("bugs"), options, &frame, error);
    if (status == STATUS_OK) {
        script_strings(image.script, "bug_label", (const char *const *)score->bugs,
                       score->bug_count);
        script_strings(image.script, "engine_label", (const char *const *)score->engines,
                       score->engine_count);
        script_number(image.script, "label_width", label_width);
        script_number(image.script, "cell_width", CELL_WIDTH);
        script_number(image.script, "cell_height", CELL_HEIGHT);
        script_number(image.script, "head_height", HEAT_HEAD_HEIGHT);
        script_number(image.script, "time_least", SURVIVAL_TIME_LEAST_S);
        script_number(image.script, "time_limit", score->limit_s);
        for (size_t bug = 0; bug < score->bug_count; bug++) {
            for (size_t engine = 0; engine < score->engine_count; engine++) {
                heat_write_cell(image.table, score, bug, engine);
            }
        }
        status = image_finish(&image, error);
    }
    free(head);
    return status;
}

/* The figures of a campaign. */

/* libFuzzer and AFL++ count edges differently, so one axis must not mix them. */
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

/* Adds a panel with every member's values. Members of the other kind of engine are left out unless
 * both kinds are wanted. from_nothing: the curves begin at 0. A panel without points is dropped. */
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

/* The covered edges; NAN: the point is left out. */
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

/* The rate between a sample and the one before. A restarted member may have used no time. */
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
