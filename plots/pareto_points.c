#include "plots/pareto_points.h"

#include "common/host/text.h"
#include "plots/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The mean log-ratio of a row over the used columns of a family; NAN if one of them has none. */
static double family_mean(const struct plot *plot, const struct comparison *comparison, size_t row,
                          const char *family, const bool *used)
{
    double sum = 0;
    int count = 0;
    for (size_t column = 0; column < plot->column_count; column++) {
        if (used[column] && strcmp(plot->columns[column].family, family) == 0) {
            const struct comparison_cell *cell = plot_find_cell(plot, comparison, row, column);
            sum += cell ? log(cell->ratio) : NAN;
            count++;
        }
    }
    return sum / count;
}

/* Is this the first used column of its family? */
static bool begins_used_family(const struct plot *plot, size_t column, const bool *used)
{
    for (size_t i = 0; i < column; i++) {
        if (used[i] && strcmp(plot->columns[i].family, plot->columns[column].family) == 0) {
            return false;
        }
    }
    return used[column];
}

/* The geometric mean of a row's ratios over the families that have used columns. */
static double mean_ratio(const struct plot *plot, const struct comparison *comparison, size_t row,
                         const bool *used)
{
    double sum = 0;
    int families = 0;
    for (size_t column = 0; column < plot->column_count; column++) {
        if (begins_used_family(plot, column, used)) {
            sum += family_mean(plot, comparison, row, plot->columns[column].family, used);
            families++;
        }
    }
    return families ? exp(sum / families) : NAN;
}

static bool has_ratio(const struct plot *plot, const struct comparison *comparison, size_t row,
                      size_t column)
{
    const struct comparison_cell *cell = plot_find_cell(plot, comparison, row, column);
    return cell && cell->ratio > 0;
}

/* Has anybody both figures of the column? */
static bool column_has_point(const struct plot *plot, const struct comparison *time,
                             const struct comparison *memory, size_t column)
{
    for (size_t row = 0; row < plot->row_count; row++) {
        if (has_ratio(plot, time, row, column) && has_ratio(plot, memory, row, column)) {
            return true;
        }
    }
    return false;
}

static void append(char **list, const char *text)
{
    char *longer = text_format("%s%s%s", *list, **list ? ", " : "", text);
    free(*list);
    *list = longer;
}

void pareto_panel_make(const struct plot *plot, const struct comparison *time,
                       const struct comparison *memory, const char *family,
                       struct pareto_panel *panel)
{
    *panel = (struct pareto_panel){.count = plot->row_count};
    panel->title = family ? family : "All workloads (geometric mean)";
    panel->points = text_zeroed(plot->row_count, sizeof *panel->points);
    panel->unused = text_format("%s", "");
    bool *used = text_zeroed(plot->column_count, sizeof *used);
    for (size_t column = 0; column < plot->column_count; column++) {
        bool wanted = !family || strcmp(plot->columns[column].family, family) == 0;
        used[column] = wanted && column_has_point(plot, time, memory, column);
        if (wanted && !used[column]) {
            append(&panel->unused, plot->columns[column].label);
        }
    }
    for (size_t row = 0; row < plot->row_count; row++) {
        struct pareto_point *point = &panel->points[row];
        bool is_base = plot->rows[row].is_base;
        point->row = row;
        point->time = is_base ? 1 : mean_ratio(plot, time, row, used);
        point->memory = is_base ? 1 : mean_ratio(plot, memory, row, used);
        if (!(point->time > 0 && point->memory > 0)) {
            point->time = NAN;
            point->memory = NAN;
        }
    }
    free(used);
}

size_t pareto_point_count(const struct plot *plot, const struct pareto_panel *panel)
{
    size_t count = 0;
    for (size_t i = 0; i < panel->count; i++) {
        count += !isnan(panel->points[i].time) && !plot->rows[i].is_base;
    }
    return count;
}

/* null does no bookkeeping and bump never reuses: they bound the scale, nobody can choose them. */
static bool is_yardstick(const struct plot_row *row)
{
    return strcmp(row->backend, "null") == 0 || strcmp(row->backend, "bump") == 0;
}

static bool beats(const struct pareto_point *a, const struct pareto_point *b)
{
    return a->memory <= b->memory && a->time <= b->time &&
           (a->memory < b->memory || a->time < b->time);
}

static void mark_front(const struct plot *plot, struct pareto_panel *panel)
{
    for (size_t i = 0; i < panel->count; i++) {
        struct pareto_point *point = &panel->points[i];
        point->on_front = !isnan(point->time) && !is_yardstick(&plot->rows[point->row]);
        for (size_t j = 0; j < panel->count && point->on_front; j++) {
            const struct pareto_point *other = &panel->points[j];
            point->on_front =
                is_yardstick(&plot->rows[other->row]) || isnan(other->time) || !beats(other, point);
        }
    }
}

static void set_axes(const struct plot *plot, struct pareto_panel *panel)
{
    double x_low = 1, x_high = 1, y_low = 1, y_high = 1;
    for (size_t i = 0; i < panel->count; i++) {
        const struct pareto_point *point = &panel->points[i];
        if (isnan(point->time) || is_yardstick(&plot->rows[point->row])) {
            continue;
        }
        x_low = fmin(x_low, point->memory);
        x_high = fmax(x_high, point->memory);
        y_low = fmin(y_low, point->time);
        y_high = fmax(y_high, point->time);
    }
    /* Room for the labels at the edges, and a span that does not blow up noise. */
    double x_margin = fmax(0.06, 0.16 * log(x_high / x_low));
    double y_margin = fmax(0.06, 0.10 * log(y_high / y_low));
    panel->x_low = x_low * exp(-x_margin);
    panel->x_high = x_high * exp(x_margin);
    panel->y_low = y_low * exp(-y_margin);
    panel->y_high = y_high * exp(y_margin);
}

static bool is_within(const struct pareto_panel *panel, const struct pareto_point *point)
{
    return point->memory >= panel->x_low && point->memory <= panel->x_high &&
           point->time >= panel->y_low && point->time <= panel->y_high;
}

/* "beyond the axes: null:inline (1.1, 0.12); incomplete: pymalloc-256:inline; without pingpong". */
static char *make_note(const struct plot *plot, const struct pareto_panel *panel)
{
    char *beyond = text_format("%s", "");
    char *missing = text_format("%s", "");
    for (size_t i = 0; i < panel->count; i++) {
        const struct pareto_point *point = &panel->points[i];
        const char *label = plot->rows[point->row].label;
        if (isnan(point->time)) {
            append(&missing, label);
        } else if (point->beyond) {
            char *text = text_format("%s (%.3g, %.3g)", label, point->memory, point->time);
            append(&beyond, text);
            free(text);
        }
    }
    const char *const words[] = {"beyond the axes: ", "incomplete: ", "without "};
    const char *const lists[] = {beyond, missing, panel->unused};
    char *note = text_format("%s", "");
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char *longer = text_format("%s%s%s%s", note, *note && *lists[i] ? "; " : "",
                                   *lists[i] ? words[i] : "", lists[i]);
        free(note);
        note = longer;
    }
    free(beyond);
    free(missing);
    return note;
}

void pareto_find_front(const struct plot *plot, struct pareto_panel *panel)
{
    mark_front(plot, panel);
    set_axes(plot, panel);
    for (size_t i = 0; i < panel->count; i++) {
        struct pareto_point *point = &panel->points[i];
        point->beyond = !isnan(point->time) && !is_within(panel, point);
    }
    panel->note = make_note(plot, panel);
}

static int compare_by_memory(const void *left, const void *right)
{
    const struct pareto_point *a = left;
    const struct pareto_point *b = right;
    return (a->memory > b->memory) - (a->memory < b->memory);
}

size_t pareto_front_line(const struct pareto_panel *panel, struct pareto_corner *corners)
{
    struct pareto_point *sorted = text_zeroed(panel->count, sizeof *sorted);
    size_t count = 0;
    size_t corner = 0;
    for (size_t i = 0; i < panel->count; i++) {
        if (panel->points[i].on_front) {
            sorted[count++] = panel->points[i];
        }
    }
    qsort(sorted, count, sizeof *sorted, compare_by_memory);
    double time = panel->y_high;
    for (size_t i = 0; i < count; i++) {
        corners[corner++] = (struct pareto_corner){sorted[i].memory, time};
        corners[corner++] = (struct pareto_corner){sorted[i].memory, sorted[i].time};
        time = sorted[i].time;
    }
    corners[corner++] = (struct pareto_corner){panel->x_high, time};
    free(sorted);
    return corner;
}

void pareto_release(struct pareto_panel *panel)
{
    free(panel->points);
    free(panel->note);
    free(panel->unused);
}

struct box {
    double left, top, right, bottom;
};

static bool boxes_touch(struct box a, struct box b)
{
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

enum { LABEL_HEIGHT = 12, LABEL_CHARACTER = 6, MARKER_RADIUS = 6 };

struct placing {
    const struct plot *plot;
    struct pareto_panel *panel;
    int width;
    int height;
    struct box *taken;
    size_t taken_count;
};

static void to_pixels(const struct placing *placing, double memory, double time, double *x,
                      double *y)
{
    const struct pareto_panel *panel = placing->panel;
    *x = log(memory / panel->x_low) / log(panel->x_high / panel->x_low) * placing->width;
    *y = log(panel->y_high / time) / log(panel->y_high / panel->y_low) * placing->height;
}

static bool place_label(struct placing *placing, struct pareto_point *point)
{
    static const struct {
        int dx, dy;
        char align;
    } places[] = {{9, 0, 'l'},   {-9, 0, 'r'}, {0, -12, 'c'},  {0, 12, 'c'},
                  {8, -10, 'l'}, {8, 10, 'l'}, {-8, -10, 'r'}, {-8, 10, 'r'}};
    double x, y;
    to_pixels(placing, point->memory, point->time, &x, &y);
    double width = (double)text_width(placing->plot->rows[point->row].label) * LABEL_CHARACTER;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        double left = x + places[i].dx;
        left -= places[i].align == 'r' ? width : places[i].align == 'c' ? width / 2 : 0;
        double middle = y + places[i].dy;
        struct box box = {left, middle - LABEL_HEIGHT / 2.0, left + width,
                          middle + LABEL_HEIGHT / 2.0};
        bool free_place = box.left >= 0 && box.right <= placing->width && box.top >= 0 &&
                          box.bottom <= placing->height;
        for (size_t j = 0; j < placing->taken_count && free_place; j++) {
            free_place = !boxes_touch(box, placing->taken[j]);
        }
        if (free_place) {
            placing->taken[placing->taken_count++] = box;
            point->label_dx = places[i].dx;
            point->label_dy = places[i].dy;
            point->label_align = places[i].align;
            return true;
        }
    }
    return false;
}

/* Markers, and the front's line, which is upright or level everywhere. */
static void take_drawing(struct placing *placing)
{
    const struct pareto_panel *panel = placing->panel;
    struct pareto_corner *corners = text_zeroed(2 * panel->count + 1, sizeof *corners);
    size_t count = pareto_front_line(panel, corners);
    for (size_t i = 0; i + 1 < count; i++) {
        double x0, y0, x1, y1;
        to_pixels(placing, corners[i].memory, corners[i].time, &x0, &y0);
        to_pixels(placing, corners[i + 1].memory, corners[i + 1].time, &x1, &y1);
        placing->taken[placing->taken_count++] =
            (struct box){fmin(x0, x1) - 1, fmin(y0, y1) - 1, fmax(x0, x1) + 1, fmax(y0, y1) + 1};
    }
    free(corners);
    for (size_t i = 0; i < panel->count; i++) {
        double x, y;
        if (!isnan(panel->points[i].time) && !panel->points[i].beyond) {
            to_pixels(placing, panel->points[i].memory, panel->points[i].time, &x, &y);
            placing->taken[placing->taken_count++] = (struct box){
                x - MARKER_RADIUS, y - MARKER_RADIUS, x + MARKER_RADIUS, y + MARKER_RADIUS};
        }
    }
}

void pareto_place_labels(const struct plot *plot, struct pareto_panel *panel, int width, int height)
{
    struct placing placing = {.plot = plot, .panel = panel, .width = width, .height = height};
    /* The line's pieces, the markers, the labels. */
    placing.taken = text_zeroed(4 * panel->count + 1, sizeof *placing.taken);
    take_drawing(&placing);
    for (int front = 1; front >= 0; front--) {
        for (size_t i = 0; i < panel->count; i++) {
            struct pareto_point *point = &panel->points[i];
            if (!isnan(point->time) && !point->beyond && point->on_front == (front == 1)) {
                point->label_shown = place_label(&placing, point);
            }
        }
    }
    free(placing.taken);
}
