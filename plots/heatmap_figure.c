/* Draws back ends × workloads: each cell's ratio to the base's figure. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"

enum { CELL_WIDTH = 58, CELL_HEIGHT = 23, SCALE_HEIGHT = 62, GEOMEAN_GAP = 12 };

static const char heatmap_columns[] =
    "# columns of the first block, the cells: column (1 is the leftmost), row (1 is the topmost), "
    "verdict,\n"
    "#   ratio to base, low, high (its 95% bounds), rounds (pairs), failed (records), back end, "
    "arm, workload\n"
    "# columns of the second block, geometric means over workload families: row, ratio to base, "
    "low, high,\n"
    "#   complete (1: every workload has a figure), back end, arm\n";

/* The ratio that a box shows: of whole figures, or of what they are beyond null's. */
static double cell_ratio(const struct comparison_cell *cell, bool net)
{
    return net ? cell->net : cell->ratio;
}

/* An interval is of whole figures. */
static void write_cell(const struct plot *plot, FILE *table, size_t row, size_t column, bool net)
{
    const struct plot_row *of = &plot->rows[row];
    const struct comparison_cell *cell = plot_find_cell(plot, plot->comparison, row, column);
    const char *verdict = of->is_base ? "base" : "not planned";
    double ratio = of->is_base ? 1.0 : NAN;
    if (cell) {
        verdict = comparison_verdict_word(plot->comparison, cell->verdict);
        ratio = cell_ratio(cell, net);
        verdict = net && isnan(ratio) ? "not planned" : verdict;
    }
    fprintf(table, "%zu\t%zu\t%s\t", column + 1, row + 1, verdict);
    tsv_number(table, ratio);
    fputc('\t', table);
    tsv_number(table, cell && !net ? cell->low : NAN);
    fputc('\t', table);
    tsv_number(table, cell && !net ? cell->high : NAN);
    fprintf(table, "\t%u\t%u\t", cell ? cell->rounds : 0, cell ? cell->failed : 0);
    tsv_text(table, of->backend_text);
    fputc('\t', table);
    tsv_text(table, of->arm);
    fputc('\t', table);
    tsv_text(table, plot->columns[column].label);
    fputc('\n', table);
}

/* Net figures have no mean: one of 0 or less has no logarithm. */
static void write_geomeans(const struct plot *plot, FILE *table, bool net)
{
    for (size_t i = 0; i < plot->comparison->geomean_count; i++) {
        const struct comparison_geomean *mean = &plot->comparison->geomeans[i];
        size_t row = plot_find_row(plot, mean->backend_text, mean->arm);
        if (row == plot->row_count || plot->rows[row].is_base) {
            continue;
        }
        fprintf(table, "%zu\t", row + 1);
        tsv_number(table, mean->ratio);
        fputc('\t', table);
        tsv_number(table, mean->low);
        fputc('\t', table);
        tsv_number(table, mean->high);
        fprintf(table, "\t%d\t", mean->complete && !net);
        tsv_text(table, mean->backend_text);
        fputc('\t', table);
        tsv_text(table, mean->arm);
        fputc('\n', table);
    }
}

/* The end of the colour scale, as a power of two: the largest ratio that was told apart, but at
 * least 1.25 and at most 4, so that one extreme cell does not wash out the others. */
static double color_limit(const struct comparison *comparison, bool net)
{
    double limit = log2(1.25);
    for (size_t i = 0; i < comparison->cell_count; i++) {
        double ratio = cell_ratio(&comparison->cells[i], net);
        if (ratio > 0) {
            limit = fmax(limit, fabs(log2(ratio)));
        }
    }
    return fmin(limit, 2.0);
}

/* The height of the column labels, which are drawn at an angle of 40 degrees, in pixels. */
static int labels_height(const struct plot *plot)
{
    size_t widest = text_width("geometric mean");
    for (size_t i = 0; i < plot->column_count; i++) {
        size_t width = text_width(plot->columns[i].label);
        widest = width > widest ? width : widest;
    }
    return (int)((double)widest * IMAGE_CHARACTER_WIDTH * sin(40 * M_PI / 180)) + 20;
}

/* The pixels by which the rightmost labels extend beyond the grid. */
static int labels_overhang(const struct plot *plot)
{
    int overhang = (int)text_width("geometric mean") * IMAGE_CHARACTER_WIDTH * 77 / 100;
    for (size_t i = 0; i < plot->column_count; i++) {
        int steps = (int)(plot->column_count - i);
        int width = (int)text_width(plot->columns[i].label) * IMAGE_CHARACTER_WIDTH * 77 / 100 -
                    steps * CELL_WIDTH - GEOMEAN_GAP;
        overhang = width > overhang ? width : overhang;
    }
    return overhang;
}

static void write_variables(const struct plot *plot, FILE *script, int label_width, bool net)
{
    const char **labels = text_zeroed(plot->column_count, sizeof *labels);
    for (size_t i = 0; i < plot->column_count; i++) {
        labels[i] = plot->columns[i].label;
    }
    script_strings(script, "column_label", labels, plot->column_count);
    free(labels);
    script_number(script, "cell_width", CELL_WIDTH);
    script_number(script, "cell_height", CELL_HEIGHT);
    script_number(script, "label_width", label_width);
    script_number(script, "label_height", labels_height(plot));
    script_number(script, "geomean_gap", GEOMEAN_GAP);
    script_number(script, "color_limit", color_limit(plot->comparison, net));
}

static enum status draw_image(struct plot *plot, const struct figure *figure, bool net,
                              struct error *error)
{
    const struct metric *metric = plot->comparison->metric;
    int label_width = plot_label_width(plot) + 12;
    char *title = text_format("%s%s, relative to %s:%s", metric_title(metric, plot->set->plan),
                              net ? " net of null" : "", plot->comparison->base_backend,
                              plot->comparison->base_arm);
    char *better = text_format("Lower is better: 0.50 needs half as much as the base, 2.00 "
                               "twice as much. Blue: %s, red: %s.",
                               metric->less, metric->more);
    char *name = strcmp(metric->name, "time") == 0 ? text_format("heatmap%s", net ? "-net" : "")
                                                   : text_format("heatmap-%s", metric->name);
    struct plot_frame frame = {
        .name = name,
        .title = title,
        .better = better,
        .remark =
            net ? "Of the allocator's part: what a cell takes beyond null, which has no "
                  "bookkeeping, "
                  "over what the base does. Verdicts are of whole times; there is no mean."
            : plot->comparison->several_sources
                ? "Held memory is the back end's own count where both sides have one, else smaps'."
                : "",
        .columns = heatmap_columns,
        .comparison = plot->comparison,
        .inner_width = label_width + (int)(plot->column_count + 1) * CELL_WIDTH + GEOMEAN_GAP +
                       labels_overhang(plot),
        .inner_height = labels_height(plot) + (int)plot->row_count * CELL_HEIGHT + SCALE_HEIGHT,
    };
    struct image image;
    enum status status = plot_image_begin(&image, plot, figure, &frame, error);
    free(name);
    free(title);
    free(better);
    if (status != STATUS_OK) {
        return status;
    }
    write_variables(plot, image.script, label_width, net);
    for (size_t row = 0; row < plot->row_count; row++) {
        for (size_t column = 0; column < plot->column_count; column++) {
            write_cell(plot, image.table, row, column, net);
        }
    }
    fputs("\n\n", image.table);
    write_geomeans(plot, image.table, net);
    return plot_image_finish(&image, plot, error);
}

/* Of times there is a second one, net of null, where null was measured. */
enum status heatmap_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    bool has_net = false;
    for (size_t i = 0; i < plot->comparison->cell_count; i++) {
        has_net = has_net || !isnan(plot->comparison->cells[i].net);
    }
    enum status status = draw_image(plot, figure, false, error);
    if (!has_net) {
        return status;
    }
    struct error net_error = {.message = ""};
    enum status net_status = draw_image(plot, figure, true, &net_error);
    if (status == STATUS_OK && net_status != STATUS_OK) {
        *error = net_error;
        return net_status;
    }
    return status;
}
