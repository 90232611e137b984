#include "plots/pareto_points.h"

#include "plots/image.h"
#include "plots/plot_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void begin_panel(const struct plot *plot, const char *title, struct pareto_panel *panel)
{
    *panel = (struct pareto_panel){.title = title, .count = plot->row_count};
    panel->points = plot_text_array(plot->row_count, sizeof *panel->points);
    for (size_t i = 0; i < plot->row_count; i++) {
        double value = plot->rows[i].is_base ? 1.0 : NAN;
        panel->points[i] = (struct pareto_point){
            .row = i,
            .memory = value,
            .time = value,
            .memory_low = NAN,
            .memory_high = NAN,
            .time_low = NAN,
            .time_high = NAN,
        };
    }
}

static const struct comparison_geomean *find_geomean(const struct comparison *comparison,
                                                     const struct plot_row *row)
{
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        const struct comparison_geomean *mean = &comparison->geomeans[i];
        if (strcmp(mean->backend_text, row->backend_text) == 0 && strcmp(mean->arm, row->arm) == 0) {
            return mean;
        }
    }
    return NULL;
}

/* A point needs both of its figures. */
static void drop_halves(struct pareto_panel *panel)
{
    for (size_t i = 0; i < panel->count; i++) {
        struct pareto_point *point = &panel->points[i];
        if (!(point->memory > 0 && point->time > 0)) {
            point->memory = NAN;
            point->time = NAN;
        }
    }
}

void pareto_overall(const struct plot *plot, const struct comparison *time,
                    const struct comparison *memory, struct pareto_panel *panel)
{
    begin_panel(plot, "All workloads (geometric mean)", panel);
    for (size_t i = 0; i < plot->row_count; i++) {
        struct pareto_point *point = &panel->points[i];
        const struct comparison_geomean *of_time = find_geomean(time, &plot->rows[i]);
        const struct comparison_geomean *of_memory = find_geomean(memory, &plot->rows[i]);
        if (plot->rows[i].is_base || !of_time || !of_memory || !of_time->complete ||
            !of_memory->complete) {
            continue;
        }
        point->time = of_time->ratio;
        point->time_low = of_time->low;
        point->time_high = of_time->high;
        point->memory = of_memory->ratio;
        point->memory_low = of_memory->low;
        point->memory_high = of_memory->high;
    }
    drop_halves(panel);
}

/* The geometric mean of a row's ratios over the family's columns; NAN unless each of them has one. */
static double family_mean(const struct plot *plot, const struct comparison *comparison, size_t row,
                          const char *family)
{
    double sum = 0;
    int count = 0;
    for (size_t column = 0; column < plot->column_count; column++) {
        if (strcmp(plot->columns[column].family, family) != 0) {
            continue;
        }
        const struct comparison_cell *cell = plot_find_cell(plot, comparison, row, column);
        sum += cell ? log(cell->ratio) : NAN;
        count++;
    }
    return count ? exp(sum / count) : NAN;
}

void pareto_family(const struct plot *plot, const struct comparison *time,
                   const struct comparison *memory, const char *family, struct pareto_panel *panel)
{
    begin_panel(plot, family, panel);
    for (size_t i = 0; i < plot->row_count; i++) {
        if (!plot->rows[i].is_base) {
            panel->points[i].time = family_mean(plot, time, i, family);
            panel->points[i].memory = family_mean(plot, memory, i, family);
        }
    }
    drop_halves(panel);
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
            point->on_front = is_yardstick(&plot->rows[other->row]) || isnan(other->time) ||
                              !beats(other, point);
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

/* "beyond the axes: null:inline (memory 1.1, time 0.12); no complete figure: pymalloc-256:inline". */
static char *make_note(const struct plot *plot, const struct pareto_panel *panel)
{
    char *beyond = plot_text_format("%s", "");
    char *missing = plot_text_format("%s", "");
    for (size_t i = 0; i < panel->count; i++) {
        const struct pareto_point *point = &panel->points[i];
        const char *label = plot->rows[point->row].label;
        char **list = isnan(point->time) ? &missing : &beyond;
        if (!isnan(point->time) && !point->beyond) {
            continue;
        }
        char *longer = isnan(point->time)
                           ? plot_text_format("%s%s%s", *list, **list ? ", " : "", label)
                           : plot_text_format("%s%s%s (%.2g, %.2g)", *list, **list ? ", " : "",
                                              label, point->memory, point->time);
        free(*list);
        *list = longer;
    }
    char *note = plot_text_format("%s%s%s%s%s", *beyond ? "beyond the axes: " : "", beyond,
                                  *beyond && *missing ? "; " : "",
                                  *missing ? "no complete figure: " : "", missing);
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
    struct pareto_point *sorted = plot_text_array(panel->count, sizeof *sorted);
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
    } places[] = {{9, 0, 'l'},    {-9, 0, 'r'},  {0, -12, 'c'}, {0, 12, 'c'},
                  {8, -10, 'l'},  {8, 10, 'l'},  {-8, -10, 'r'}, {-8, 10, 'r'}};
    double x, y;
    to_pixels(placing, point->memory, point->time, &x, &y);
    double width =
        (double)plot_text_width(placing->plot->rows[point->row].label) * LABEL_CHARACTER;
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
    struct pareto_corner *corners = plot_text_array(2 * panel->count + 1, sizeof *corners);
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
    placing.taken = plot_text_array(4 * panel->count + 1, sizeof *placing.taken);
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
