/* Draws bars per workload, with 95% intervals and every round's point: once as ratios to the base,
 * once in the metric's own unit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"
#include "results/stats/statistics.h"

enum { PANEL_WIDTH = 300, PANEL_HEAD = 30, PANEL_FOOT = 34, PANEL_GAP = 62, BAR_HEIGHT = 17 };

static const char bars_columns[] =
    "# columns of the even blocks 0, 2, 4…, the bars of one workload each: row (1 is the topmost), "
    "verdict,\n"
    "#   value, low, high (its 95% bounds), rounds, failed (records), fill (what the arm looks "
    "like), back end, arm,\n"
    "#   workload\n"
    "# columns of the odd blocks 1, 3, 5…, the points of the same workload: row, value, round, "
    "back end, arm\n"
    "# value is the ratio to the base, or in NAME-absolute the median in the metric's unit\n";

/* One bar. */
struct bar {
    const char *verdict;
    struct interval value;
    uint32_t rounds;
    uint32_t failed;
};

static double sample_figure(const struct comparison_sample *sample, bool of_base, bool absolute)
{
    if (!absolute) {
        return sample->value / sample->base_value;
    }
    return of_base ? sample->base_value : sample->value;
}

/* A cell that has the row's samples. For the base it is the cell of the column with the most
 * pairs. */
static const struct comparison_cell *cell_with_samples(const struct plot *plot, size_t row,
                                                       size_t column)
{
    if (!plot->rows[row].is_base) {
        return plot_find_cell(plot, plot->comparison, row, column);
    }
    const struct comparison_cell *best = NULL;
    for (size_t i = 0; i < plot->comparison->cell_count; i++) {
        const struct comparison_cell *cell = &plot->comparison->cells[i];
        if (cell->cell->group == plot->columns[column].group &&
            (!best || cell->rounds > best->rounds)) {
            best = cell;
        }
    }
    return best;
}

/* The median of the values themselves, with its interval. */
static struct bar absolute_bar(const struct comparison_cell *cell, bool of_base, struct bar bar)
{
    double *values = text_zeroed(cell->rounds, sizeof *values);
    for (uint32_t i = 0; i < cell->rounds; i++) {
        values[i] = sample_figure(&cell->samples[i], of_base, true);
    }
    bar.value = (struct interval){NAN, NAN, NAN};
    if (cell->rounds > 0) {
        struct error ignored; /* without memory the figures are NAN, and NAN is not drawn */
        (void)statistics_median_interval(values, cell->rounds, &bar.value, &ignored);
    }
    free(values);
    return bar;
}

static struct bar bar_make(const struct plot *plot, size_t row, size_t column, bool absolute)
{
    const struct comparison_cell *cell = cell_with_samples(plot, row, column);
    bool of_base = plot->rows[row].is_base;
    struct bar bar = {.verdict = "not planned", .value = {NAN, NAN, NAN}};
    if (!cell) {
        return bar;
    }
    bar.verdict = of_base && cell->rounds > 0
                      ? "base"
                      : comparison_verdict_word(plot->comparison, cell->verdict);
    bar.rounds = cell->rounds;
    bar.failed = of_base ? 0 : cell->failed;
    bar.value = (struct interval){cell->ratio, cell->low, cell->high};
    bool has_figure = of_base ? cell->rounds > 0 : !isnan(cell->ratio);
    return absolute && has_figure ? absolute_bar(cell, of_base, bar) : bar;
}

static void write_bar(const struct plot *plot, FILE *table, size_t row, size_t column,
                      const struct bar *bar)
{
    fprintf(table, "%zu\t%s\t", row + 1, bar->verdict);
    tsv_number(table, bar->value.point);
    fputc('\t', table);
    tsv_number(table, bar->value.low);
    fputc('\t', table);
    tsv_number(table, bar->value.high);
    fprintf(table, "\t%u\t%u\t%s\t", bar->rounds, bar->failed, plot->rows[row].arm_look->fill);
    tsv_text(table, plot->rows[row].backend_text);
    fputc('\t', table);
    tsv_text(table, plot->rows[row].arm);
    fputc('\t', table);
    tsv_text(table, plot->columns[column].label);
    fputc('\n', table);
}

static void write_points(const struct plot *plot, FILE *table, size_t row, size_t column,
                         bool absolute)
{
    const struct comparison_cell *cell = cell_with_samples(plot, row, column);
    bool of_base = plot->rows[row].is_base;
    if (!cell || (of_base && !absolute) || (!of_base && isnan(cell->ratio))) {
        return; /* points of a failed cell would look like a figure */
    }
    for (uint32_t i = 0; i < cell->rounds; i++) {
        fprintf(table, "%zu\t", row + 1);
        tsv_number(table, sample_figure(&cell->samples[i], of_base, absolute));
        fprintf(table, "\t%u\t", cell->samples[i].round);
        tsv_text(table, plot->rows[row].backend_text);
        fputc('\t', table);
        tsv_text(table, plot->rows[row].arm);
        fputc('\n', table);
    }
}

struct bars_range {
    double low;
    double high;
};

/* The range of all bars; for ratios it includes 1. */
static struct bars_range find_range(const struct plot *plot, bool absolute)
{
    struct bars_range range = {absolute ? INFINITY : 1 / 1.25, absolute ? 0 : 1.25};
    for (size_t column = 0; column < plot->column_count; column++) {
        for (size_t row = 0; row < plot->row_count; row++) {
            struct bar bar = bar_make(plot, row, column, absolute);
            if (bar.value.point > 0) {
                range.low = fmin(range.low, bar.value.point);
                range.high = fmax(range.high, bar.value.point);
            }
        }
    }
    range.low = isinf(range.low) ? 1 : range.low; /* no bar has a figure */
    return range;
}

/* The divisor and the name of the unit that the axis shows. */
static double unit_divisor(const struct metric *metric, double largest, const char **unit)
{
    *unit = metric->unit;
    if (strcmp(metric->unit, "bytes") != 0) {
        return 1;
    }
    bool small = largest < 4 * 1024 * 1024;
    *unit = small ? "KiB" : "MiB";
    return small ? 1024 : 1024 * 1024;
}

/* Writes where the linear axis of each panel ends. */
static void write_panel_ends(const struct plot *plot, FILE *script, double divisor)
{
    double *ends = text_zeroed(plot->column_count, sizeof *ends);
    double *values = text_zeroed(plot->row_count, sizeof *values);
    for (size_t column = 0; column < plot->column_count; column++) {
        size_t count = 0;
        for (size_t row = 0; row < plot->row_count; row++) {
            double value = bar_make(plot, row, column, true).value.point;
            if (value > 0) {
                values[count++] = value;
            }
        }
        double end = plot_axis_end(values, count);
        ends[column] = end > 0 ? end * 1.06 : divisor; /* 0: no cell has a figure */
    }
    script_numbers(script, "panel_high", ends, plot->column_count);
    free(ends);
    free(values);
}

static void write_variables(const struct plot *plot, FILE *script, bool absolute, int across)
{
    const char **labels = text_zeroed(plot->column_count, sizeof *labels);
    const char **fills = text_zeroed(plot->row_count, sizeof *fills);
    for (size_t i = 0; i < plot->column_count; i++) {
        labels[i] = plot->columns[i].label;
    }
    for (size_t i = 0; i < plot->row_count; i++) {
        fills[i] = plot->rows[i].arm_look->fill;
    }
    struct bars_range range = find_range(plot, absolute);
    const char *unit = "";
    script_number(script, "absolute", absolute);
    double divisor = absolute ? unit_divisor(plot->comparison->metric, range.high, &unit) : 1;
    script_number(script, "divisor", divisor);
    script_string(script, "unit", unit);
    script_strings(script, "panel_label", labels, plot->column_count);
    script_strings(script, "row_fill", fills, plot->row_count);
    script_number(script, "across", across);
    script_number(script, "label_width", plot_label_width(plot) + 22);
    script_number(script, "panel_width", PANEL_WIDTH);
    script_number(script, "panel_head", PANEL_HEAD);
    script_number(script, "panel_foot", PANEL_FOOT);
    script_number(script, "panel_gap", PANEL_GAP);
    script_number(script, "bar_height", BAR_HEIGHT);
    /* Ratios beyond these limits are cut and get an arrow, so that one extreme does not flatten the
     * others. */
    script_number(script, "ratio_low", fmax(range.low / 1.15, 1.0 / 16));
    script_number(script, "ratio_high", fmin(range.high * 1.15, 16));
    if (absolute) {
        write_panel_ends(plot, script, divisor);
    }
    free(labels);
    free(fills);
}

static void write_rows(const struct plot *plot, FILE *table, bool absolute)
{
    for (size_t column = 0; column < plot->column_count; column++) {
        for (size_t row = 0; row < plot->row_count; row++) {
            struct bar bar = bar_make(plot, row, column, absolute);
            write_bar(plot, table, row, column, &bar);
        }
        fputs("\n\n", table);
        /* gnuplot skips an empty block, and would then number the later blocks wrongly. */
        fputs("0\tNaN\t0\t-\t-\n", table);
        for (size_t row = 0; row < plot->row_count; row++) {
            write_points(plot, table, row, column, absolute);
        }
        fputs("\n\n", table);
    }
}

static enum status draw_image(struct plot *plot, const struct figure *figure, bool absolute,
                              struct error *error)
{
    const struct metric *metric = plot->comparison->metric;
    bool is_time = strcmp(metric->name, "time") == 0;
    int across = plot->column_count > 9 ? 4 : (int)fmin(3, ceil(sqrt((double)plot->column_count)));
    int down = ((int)plot->column_count + across - 1) / across;
    char *title = absolute
                      ? text_format("%s", metric_title(metric, plot->set->plan))
                      : text_format("%s, relative to %s:%s", metric_title(metric, plot->set->plan),
                                    plot->comparison->base_backend, plot->comparison->base_arm);
    char *name = text_format("bars%s%s%s", is_time ? "" : "-", is_time ? "" : metric->name,
                             absolute ? "-absolute" : "");
    struct plot_frame frame = {
        .name = name,
        .title = title,
        .better = absolute ? "Lower is better. Bar: median; whisker: its 95% interval; dots: the "
                             "rounds; »: beyond the axis."
                           : "Lower (to the left) is better. Bar: median of the paired ratios; "
                             "whisker: its 95% "
                             "interval; dots: the rounds; grey band: noise floor; ≈: no "
                             "difference; »: beyond the axis.",
        .remark = "Fill of the bars: solid preload, pale inline, striped call and call-sized, "
                  "cross-hatched preload-sized.",
        .columns = bars_columns,
        .comparison = plot->comparison,
        .inner_width = plot_label_width(plot) + 22 + across * (PANEL_WIDTH + PANEL_GAP),
        .inner_height = down * (PANEL_HEAD + PANEL_FOOT + ((int)plot->row_count) * BAR_HEIGHT),
    };
    struct image image;
    enum status status = plot_image_begin(&image, plot, figure, &frame, error);
    free(title);
    free(name);
    if (status != STATUS_OK) {
        return status;
    }
    write_variables(plot, image.script, absolute, across);
    write_rows(plot, image.table, absolute);
    return plot_image_finish(&image, plot, error);
}

enum status bars_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    struct error ratio_error = {.message = ""};
    enum status ratio_status = draw_image(plot, figure, false, &ratio_error);
    enum status status = draw_image(plot, figure, true, error);
    if (ratio_status != STATUS_OK) {
        *error = ratio_error;
        return ratio_status;
    }
    return status;
}
