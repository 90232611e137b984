/* Draws what a binding costs: ratios between arms of the same back end, workload by workload. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"

enum { PANEL_WIDTH = 330, PANEL_HEAD = 40, PANEL_FOOT = 48, PANEL_GAP = 34 };
enum { LINE_HEIGHT = 13, WORKLOAD_GAP = 14, LEGEND_LINE = 19, LEGEND_GAP = 26 };

/* A panel: ratios of one arm to the other. */
static const struct binding_pair {
    const char *arm;
    const char *base;
    const char *title;
    const char *says;
} pairs[] = {
    {"call", "inline", "call / inline", "the price of the binding"},
    {"call-sized", "call", "call-sized / call", "below 1: what knowing the size is worth"},
    {"preload", "call", "preload / call", "the price of being malloc: a lock, no sized free"},
    {"preload-sized", "preload", "preload-sized / preload", "the size passed to a preloaded free"},
};
enum { PAIRS = sizeof pairs / sizeof pairs[0] };

struct binding_point {
    size_t pair;
    size_t column;
    size_t row; /* of the numerator, which gives the look */
    const struct comparison_cell *cell;
};

struct binding {
    struct comparison **comparisons; /* the points borrow cells of these */
    size_t comparison_count;
    struct binding_point *points;
    size_t point_count;
    bool pair_used[PAIRS];
    bool *column_used;
    bool *row_used;
};

static const char binding_columns[] =
    "# one block a panel; columns: ratio, low, high (95% bounds), height (of the point), row, back "
    "end, workload,\n"
    "#   panel, verdict, rounds (pairs)\n";

static size_t column_of(const struct plot *plot, const struct record_cell *cell)
{
    size_t column = 0;
    while (column < plot->column_count && plot->columns[column].group != cell->group) {
        column++;
    }
    return column;
}

static void take_points(const struct plot *plot, struct binding *binding, size_t pair, size_t row,
                        const struct comparison *comparison)
{
    const struct plot_row *of = &plot->rows[row];
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *cell = &comparison->cells[i];
        size_t column = column_of(plot, cell->cell);
        if (strcmp(cell->cell->backend_text, of->backend_text) != 0 ||
            strcmp(cell->cell->arm, of->arm) != 0 || isnan(cell->ratio) ||
            column == plot->column_count) {
            continue;
        }
        binding->points[binding->point_count++] = (struct binding_point){pair, column, row, cell};
        binding->pair_used[pair] = true;
        binding->column_used[column] = true;
        binding->row_used[row] = true;
    }
}

/* Compares the row with the same back end's row in the pair's base arm, if there is one. */
static enum status compare_row(const struct plot *plot, struct binding *binding, size_t pair,
                               size_t row, struct error *error)
{
    const struct plot_row *of = &plot->rows[row];
    bool fits = strcmp(of->arm, pairs[pair].arm) == 0 &&
                plot_find_row(plot, of->backend_text, pairs[pair].base) < plot->row_count;
    if (!fits) {
        return STATUS_OK;
    }
    struct comparison_options options = {
        .base_backend = of->backend_text,
        .base_arm = pairs[pair].base,
        .metric = "time",
        .workloads = plot->options->workloads,
    };
    struct comparison *comparison = NULL;
    enum status status = comparison_build(plot->set, &options, &comparison, error);
    if (status == STATUS_OK) {
        binding->comparisons[binding->comparison_count++] = comparison;
        take_points(plot, binding, pair, row, comparison);
    }
    return status;
}

static enum status binding_build(const struct plot *plot, struct binding *binding,
                                 struct error *error)
{
    size_t rows = plot->row_count;
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the array is one of pointers
    binding->comparisons = text_zeroed(PAIRS * rows, sizeof *binding->comparisons);
    binding->points = text_zeroed(PAIRS * rows * plot->column_count, sizeof *binding->points);
    binding->column_used = text_zeroed(plot->column_count, sizeof *binding->column_used);
    binding->row_used = text_zeroed(rows, sizeof *binding->row_used);
    enum status status = STATUS_OK;
    for (size_t pair = 0; pair < PAIRS; pair++) {
        for (size_t row = 0; row < rows && status == STATUS_OK; row++) {
            status = compare_row(plot, binding, pair, row, error);
        }
    }
    return status;
}

static void binding_release(struct binding *binding)
{
    for (size_t i = 0; i < binding->comparison_count; i++) {
        comparison_free(binding->comparisons[i]);
    }
    free(binding->comparisons);
    free(binding->points);
    free(binding->column_used);
    free(binding->row_used);
}

/* Is this the first row of its back end that has a point? Arms share a look here, because the panel
 * names them. */
static bool is_first_of_backend(const struct plot *plot, const struct binding *binding, size_t row)
{
    for (size_t i = 0; i < row; i++) {
        if (binding->row_used[i] &&
            strcmp(plot->rows[i].backend_text, plot->rows[row].backend_text) == 0) {
            return false;
        }
    }
    return binding->row_used[row];
}

/* The index of the row's back end among those with points. */
static size_t backend_place(const struct plot *plot, const struct binding *binding, size_t row)
{
    size_t place = 0;
    for (size_t i = 0; i < plot->row_count; i++) {
        if (strcmp(plot->rows[i].backend_text, plot->rows[row].backend_text) == 0 &&
            binding->row_used[i]) {
            break;
        }
        place += is_first_of_backend(plot, binding, i);
    }
    return place;
}

static size_t count_backends(const struct plot *plot, const struct binding *binding)
{
    size_t count = 0;
    for (size_t row = 0; row < plot->row_count; row++) {
        count += is_first_of_backend(plot, binding, row);
    }
    return count;
}

/* The number of columns with points before this one. */
static size_t column_place(const struct binding *binding, size_t column)
{
    size_t place = 0;
    for (size_t i = 0; i < column; i++) {
        place += binding->column_used[i];
    }
    return place;
}

static int band_height(size_t backends)
{
    return (int)backends * LINE_HEIGHT + WORKLOAD_GAP;
}

static void write_panel(const struct plot *plot, const struct binding *binding, size_t pair,
                        size_t backends, FILE *table)
{
    double band = band_height(backends);
    for (size_t i = 0; i < binding->point_count; i++) {
        const struct binding_point *point = &binding->points[i];
        if (point->pair != pair) {
            continue;
        }
        double y = (double)column_place(binding, point->column) * band + WORKLOAD_GAP / 2.0 +
                   ((double)backend_place(plot, binding, point->row) + 0.5) * LINE_HEIGHT;
        const double numbers[] = {point->cell->ratio, point->cell->low, point->cell->high, y};
        for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++) {
            tsv_number(table, numbers[n]);
            fputc('\t', table);
        }
        fprintf(table, "%zu\t", point->row + 1);
        tsv_text(table, plot->rows[point->row].backend_text);
        fputc('\t', table);
        tsv_text(table, plot->columns[point->column].label);
        fprintf(table, "\t%s\t%s\t%u\n", pairs[pair].title,
                comparison_verdict_word(binding->comparisons[0], point->cell->verdict),
                point->cell->rounds);
    }
    fputs("\n\n", table);
}

/* The range of the ratios' axis: it includes 1, all points and their intervals. Intervals alone at
 * most double the range of the points. */
static void find_range(const struct binding *binding, double *low, double *high)
{
    double bounds[2] = {log(0.9), log(1.1)};
    double points[2] = {log(0.9), log(1.1)};
    for (size_t i = 0; i < binding->point_count; i++) {
        const struct comparison_cell *cell = binding->points[i].cell;
        points[0] = fmin(points[0], log(cell->ratio));
        points[1] = fmax(points[1], log(cell->ratio));
        bounds[0] = fmin(bounds[0], log(isnan(cell->low) ? cell->ratio : cell->low));
        bounds[1] = fmax(bounds[1], log(isnan(cell->high) ? cell->ratio : cell->high));
    }
    *low = exp(fmax(bounds[0], 2 * points[0]) - 0.03);
    *high = exp(fmin(bounds[1], 2 * points[1]) + 0.03);
}

static size_t count_pairs(const struct binding *binding)
{
    size_t count = 0;
    for (size_t pair = 0; pair < PAIRS; pair++) {
        count += binding->pair_used[pair];
    }
    return count;
}

static void write_variables(const struct plot *plot, const struct binding *binding, size_t columns,
                            size_t backends, int axis_width, FILE *script)
{
    const char *titles[PAIRS], *says[PAIRS];
    const char **labels = text_zeroed(columns, sizeof *labels);
    double *shown = text_zeroed(plot->row_count, sizeof *shown);
    const char **names = text_zeroed(backends, sizeof *names);
    double low, high;
    size_t count = 0, at = 0, shown_count = 0;
    for (size_t pair = 0; pair < PAIRS; pair++) {
        titles[count] = pairs[pair].title;
        says[count] = pairs[pair].says;
        count += binding->pair_used[pair];
    }
    for (size_t column = 0; column < plot->column_count; column++) {
        if (binding->column_used[column]) {
            labels[at++] = plot->columns[column].label;
        }
    }
    for (size_t row = 0; row < plot->row_count; row++) {
        if (is_first_of_backend(plot, binding, row)) {
            names[shown_count] = plot->rows[row].backend_text;
            shown[shown_count++] = (double)row + 1;
        }
    }
    find_range(binding, &low, &high);
    script_strings(script, "panel_title", titles, count);
    script_strings(script, "panel_says", says, count);
    script_strings(script, "workload_label", labels, columns);
    script_strings(script, "legend_name", names, shown_count);
    script_numbers(script, "legend_row", shown, shown_count);
    script_number(script, "x_low", low);
    script_number(script, "x_high", high);
    script_number(script, "band", band_height(backends));
    script_number(script, "axis_width", axis_width);
    script_number(script, "panel_width", PANEL_WIDTH);
    script_number(script, "panel_head", PANEL_HEAD);
    script_number(script, "panel_gap", PANEL_GAP);
    script_number(script, "legend_line", LEGEND_LINE);
    script_number(script, "legend_gap", LEGEND_GAP);
    free(labels);
    free(shown);
    free(names);
}

/* The widths of the widest workload's label and of the widest back end's name, in pixels. */
static void find_widths(const struct plot *plot, const struct binding *binding, int *axis,
                        int *legend)
{
    size_t widest[2] = {0, 0};
    for (size_t column = 0; column < plot->column_count; column++) {
        size_t width = text_width(plot->columns[column].label);
        widest[0] = binding->column_used[column] && width > widest[0] ? width : widest[0];
    }
    for (size_t row = 0; row < plot->row_count; row++) {
        size_t width = text_width(plot->rows[row].backend_text);
        widest[1] = binding->row_used[row] && width > widest[1] ? width : widest[1];
    }
    *axis = (int)widest[0] * IMAGE_CHARACTER_WIDTH + 18;
    *legend = (int)widest[1] * IMAGE_CHARACTER_WIDTH + 24;
}

static enum status draw_binding(struct plot *plot, const struct figure *figure,
                                const struct binding *binding, struct error *error)
{
    size_t columns = column_place(binding, plot->column_count);
    size_t backends = count_backends(plot, binding);
    int panels = (int)count_pairs(binding);
    int axis, legend;
    find_widths(plot, binding, &axis, &legend);
    int rows_height = (int)columns * band_height(backends);
    int legend_height = (int)backends * LEGEND_LINE;
    struct plot_frame frame = {
        .name = figure->name,
        .title = "What the binding costs: one arm's time over another's of the same back end",
        .better = "Right of 1: the first arm is slower. Bars: 95% intervals over paired rounds.",
        .remark = "Here the base of each ratio is the back end's own other arm, as the panel says; "
                  "a colour is a back end.",
        .columns = binding_columns,
        .comparison = plot->comparison,
        .inner_width = axis + panels * (PANEL_WIDTH + PANEL_GAP) + LEGEND_GAP + legend,
        .inner_height =
            PANEL_HEAD + PANEL_FOOT + (rows_height > legend_height ? rows_height : legend_height),
    };
    struct image image;
    enum status status = plot_image_begin(&image, plot, figure, &frame, error);
    if (status != STATUS_OK) {
        return status;
    }
    write_variables(plot, binding, columns, backends, axis, image.script);
    for (size_t pair = 0; pair < PAIRS; pair++) {
        if (binding->pair_used[pair]) {
            write_panel(plot, binding, pair, backends, image.table);
        }
    }
    return plot_image_finish(&image, plot, error);
}

enum status binding_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    struct binding binding = {.points = NULL};
    enum status status = binding_build(plot, &binding, error);
    if (status == STATUS_OK && binding.point_count > 0) {
        status = draw_binding(plot, figure, &binding, error);
    } else if (status == STATUS_OK) {
        plot_note(plot, "binding: no back end was measured in two arms that differ in one thing "
                        "(inline and call, call and call-sized); it is not drawn");
    }
    binding_release(&binding);
    return status;
}
