#include "plots/curves.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/figure.h"

enum { PANEL_WIDTH = 430, PANEL_HEIGHT = 300, PANEL_HEAD = 34, PANEL_FOOT = 48, AXIS_WIDTH = 66 };
enum { LEGEND_LINE = 19, LEGEND_GAP = 26 };
enum { MARKERS_MAX = 12 }; /* on a curve, whatever the number of its points */

static const char curves_columns[] =
    "# one block a curve; columns: x, y, name, panel (x and y are what "
    "the panel's axes say)\n";

/* Makes room for one more element; arrays double at powers of two. */
static void *curves_grow(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) {
        return array;
    }
    void *larger = text_zeroed(count == 0 ? 1 : 2 * count, size);
    if (count > 0) {
        memcpy(larger, array, count * size);
    }
    free(array);
    return larger;
}

struct curves_panel *curves_add_panel(struct curves *curves, const char *title)
{
    curves->panels = curves_grow(curves->panels, curves->count, sizeof *curves->panels);
    struct curves_panel *panel = &curves->panels[curves->count++];
    *panel = (struct curves_panel){.title = text_format("%s", title), .x_label = "", .y_label = ""};
    return panel;
}

struct curve *curves_add_curve(struct curves_panel *panel, size_t row)
{
    for (size_t i = 0; i < panel->count; i++) {
        if (panel->curves[i].row == row) {
            return &panel->curves[i];
        }
    }
    panel->curves = curves_grow(panel->curves, panel->count, sizeof *panel->curves);
    struct curve *curve = &panel->curves[panel->count++];
    *curve = (struct curve){.row = row};
    return curve;
}

void curves_add_point(struct curve *curve, double x, double y)
{
    if (isnan(x) || isnan(y)) {
        return;
    }
    curve->x = curves_grow(curve->x, curve->count, sizeof *curve->x);
    curve->y = curves_grow(curve->y, curve->count, sizeof *curve->y);
    size_t at = curve->count++;
    for (; at > 0 && curve->x[at - 1] > x; at--) {
        curve->x[at] = curve->x[at - 1];
        curve->y[at] = curve->y[at - 1];
    }
    curve->x[at] = x;
    curve->y[at] = y;
}

void curves_drop_panel(struct curves *curves)
{
    struct curves_panel *panel = &curves->panels[--curves->count];
    for (size_t i = 0; i < panel->count; i++) {
        free(panel->curves[i].x);
        free(panel->curves[i].y);
    }
    free(panel->curves);
    free(panel->title);
    /* The array's size must fit its count, as curves_add_panel computes it. */
    struct curves_panel *kept = text_zeroed(2 * curves->count + 1, sizeof *kept);
    memcpy(kept, curves->panels, curves->count * sizeof *kept);
    free(curves->panels);
    curves->panels = kept;
}

void curves_release(struct curves *curves)
{
    while (curves->count > 0) {
        curves_drop_panel(curves);
    }
    free(curves->panels);
    *curves = (struct curves){.panels = NULL};
}

static int panels_across(const struct curves *curves)
{
    return curves->count == 1 ? 1 : curves->count <= 6 ? 2 : 3;
}

static int curves_width(const struct curves *curves, const char *const *names, size_t count)
{
    size_t name_width = 0;
    for (size_t i = 0; i < count; i++) {
        size_t width = text_width(names[i]);
        name_width = width > name_width ? width : name_width;
    }
    int across = panels_across(curves);
    return across * (AXIS_WIDTH + PANEL_WIDTH) + LEGEND_GAP + 40 +
           (int)name_width * IMAGE_CHARACTER_WIDTH;
}

static int curves_height(const struct curves *curves, size_t rows)
{
    int across = panels_across(curves);
    int down = ((int)curves->count + across - 1) / across;
    int panels = down * (PANEL_HEAD + PANEL_HEIGHT + PANEL_FOOT);
    int legend = PANEL_HEAD + (int)rows * LEGEND_LINE;
    return panels > legend ? panels : legend;
}

/* An axis that includes all points, with some space around them. */
static void axis_range(const struct curves_panel *panel, bool of_y, double *low, double *high)
{
    bool logarithmic = of_y ? panel->log_y : panel->log_x;
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < panel->count; i++) {
        const struct curve *curve = &panel->curves[i];
        for (size_t p = 0; p < curve->count; p++) {
            double value = of_y ? curve->y[p] : curve->x[p];
            if (!logarithmic || value > 0) {
                *low = fmin(*low, value);
                *high = fmax(*high, value);
            }
        }
    }
    if (!(*low <= *high)) {
        *low = logarithmic ? 1 : 0;
        *high = logarithmic ? 10 : 1;
    }
    if (of_y && panel->from_zero) {
        *low = 0;
    }
    *high = of_y && panel->y_end > 0 ? panel->y_end : *high;
    double air = logarithmic ? pow(*high / *low, 0.06) : (*high - *low) * 0.06;
    air = logarithmic ? fmax(air, 1.1) : air;
    air = air == 0 ? 1 : air;
    *high = logarithmic ? *high * air : *high + (of_y ? air : 0);
    *low = logarithmic ? *low / air : of_y && !(panel->from_zero) ? *low - air : *low;
    *high = *high > *low ? *high : *low + 1;
}

static void write_panels(const struct curves *curves, FILE *script)
{
    enum { RANGES = 4, FLAGS = 4 };
    static const char *const names[RANGES + FLAGS + 2] = {
        "panel_x_low", "panel_x_high", "panel_y_low",       "panel_y_high", "panel_log_x",
        "panel_log_y", "panel_steps",  "panel_percentiles", "panel_first",  "panel_last"};
    size_t count = curves->count;
    const char **titles = text_zeroed(count, sizeof *titles);
    const char **x_labels = text_zeroed(count, sizeof *x_labels);
    const char **y_labels = text_zeroed(count, sizeof *y_labels);
    double *numbers = text_zeroed((RANGES + FLAGS + 2) * (count + 1), sizeof *numbers);
    size_t first = 1;
    for (size_t p = 0; p < count; p++) {
        const struct curves_panel *panel = &curves->panels[p];
        titles[p] = panel->title;
        x_labels[p] = panel->x_label;
        y_labels[p] = panel->y_label;
        axis_range(panel, false, &numbers[0 * count + p], &numbers[1 * count + p]);
        axis_range(panel, true, &numbers[2 * count + p], &numbers[3 * count + p]);
        numbers[4 * count + p] = panel->log_x;
        numbers[5 * count + p] = panel->log_y;
        numbers[6 * count + p] = panel->steps;
        numbers[7 * count + p] = panel->percentiles;
        numbers[8 * count + p] = (double)first;
        first += panel->count;
        numbers[9 * count + p] = (double)first - 1;
    }
    script_strings(script, "panel_title", titles, count);
    script_strings(script, "panel_x_label", x_labels, count);
    script_strings(script, "panel_y_label", y_labels, count);
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        script_numbers(script, names[n], numbers + n * count, count);
    }
    free(titles);
    free(x_labels);
    free(y_labels);
    free(numbers);
}

static void write_rows(const struct curves *curves, FILE *script)
{
    size_t total = 0;
    for (size_t p = 0; p < curves->count; p++) {
        total += curves->panels[p].count;
    }
    double *rows = text_zeroed(total, sizeof *rows);
    double *every = text_zeroed(total, sizeof *every);
    size_t at = 0;
    for (size_t p = 0; p < curves->count; p++) {
        for (size_t i = 0; i < curves->panels[p].count; i++) {
            const struct curve *curve = &curves->panels[p].curves[i];
            every[at] = floor((double)curve->count / MARKERS_MAX) + 1;
            rows[at++] = (double)curve->row + 1;
        }
    }
    script_numbers(script, "curve_row", rows, total);
    script_numbers(script, "curve_every", every, total);
    free(rows);
    free(every);
}

static void write_curve(const struct curve *curve, const char *name, const char *panel, FILE *table)
{
    for (size_t i = 0; i < curve->count || (i == 0 && curve->count == 0); i++) {
        /* gnuplot skips an empty block, so an empty curve has a line of NaN */
        tsv_number(table, curve->count ? curve->x[i] : NAN);
        fputc('\t', table);
        tsv_number(table, curve->count ? curve->y[i] : NAN);
        fputc('\t', table);
        tsv_text(table, name);
        fputc('\t', table);
        tsv_text(table, panel);
        fputc('\n', table);
    }
    fputs("\n\n", table);
}

static void curves_write(const struct curves *curves, const char *const *names, FILE *table,
                         FILE *script)
{
    write_panels(curves, script);
    write_rows(curves, script);
    script_number(script, "across", panels_across(curves));
    script_number(script, "axis_width", AXIS_WIDTH);
    script_number(script, "panel_width", PANEL_WIDTH);
    script_number(script, "panel_height", PANEL_HEIGHT);
    script_number(script, "panel_head", PANEL_HEAD);
    script_number(script, "panel_foot", PANEL_FOOT);
    script_number(script, "legend_gap", LEGEND_GAP);
    script_number(script, "legend_line", LEGEND_LINE);
    for (size_t p = 0; p < curves->count; p++) {
        const struct curves_panel *panel = &curves->panels[p];
        for (size_t i = 0; i < panel->count; i++) {
            write_curve(&panel->curves[i], names[panel->curves[i].row], panel->title, table);
        }
    }
}

enum status curves_draw(const struct plot *plot, const struct figure *figure,
                        const struct curves *curves, const char *title, const char *better,
                        struct error *error)
{
    const struct curves_words words = {
        .name = figure->name, .title = title, .better = better, .remark = ""};
    return curves_draw_words(plot, figure, curves, &words, error);
}

enum status curves_draw_words(const struct plot *plot, const struct figure *figure,
                              const struct curves *curves, const struct curves_words *words,
                              struct error *error)
{
    const char **names = text_zeroed(plot->row_count, sizeof *names);
    for (size_t i = 0; i < plot->row_count; i++) {
        names[i] = plot->rows[i].label;
    }
    struct plot_frame frame = {
        .name = words->name,
        .title = words->title,
        .better = words->better,
        .remark = words->remark,
        .columns = curves_columns,
        .comparison = plot->comparison,
        .inner_width = curves_width(curves, names, plot->row_count),
        .inner_height = curves_height(curves, plot->row_count),
    };
    struct image image;
    enum status status = plot_image_begin(&image, plot, figure, &frame, error);
    if (status == STATUS_OK) {
        curves_write(curves, names, image.table, image.script);
        status = plot_image_finish(&image, plot, error);
    }
    free(names);
    return status;
}

enum status curves_draw_columns(struct plot *plot, const struct figure *figure, curves_adder *add,
                                const char *title, const char *better, const char *none,
                                struct error *error)
{
    struct curves curves = {.panels = NULL};
    enum status status = STATUS_OK;
    for (size_t column = 0; column < plot->column_count && status == STATUS_OK; column++) {
        status = add(plot, &curves, column, error);
    }
    if (status == STATUS_OK && curves.count > 0) {
        status = curves_draw(plot, figure, &curves, title, better, error);
    } else if (status == STATUS_OK) {
        plot_note(plot, "%s", none);
    }
    curves_release(&curves);
    return status;
}

enum status curves_draw_rows(const struct image_options *options, const struct figure *figure,
                             const struct curves *curves, const struct curves_words *words,
                             const struct script_row *rows, size_t count, struct error *error)
{
    const char **names = text_zeroed(count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = rows[i].label;
    }
    const struct image_frame frame = {
        .name = words->name,
        .title = words->title,
        .head = words->better,
        .foot = words->remark,
        .columns = curves_columns,
        .inner_width = curves_width(curves, names, count),
        .inner_height = curves_height(curves, count),
    };
    struct image image;
    enum status status = image_begin(&image, figure, options, &frame, error);
    if (status == STATUS_OK) {
        script_rows(image.script, rows, count);
        curves_write(curves, names, image.table, image.script);
        status = image_finish(&image, error);
    }
    free(names);
    return status;
}
