/* Draws time against memory, and marks the back ends that no other one beats in both. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"
#include "plots/image.h"
#include "results/stats/statistics.h"

/* Ratios to the base; below 1 needs less. NAN: the figure is incomplete, and the point is not
 * drawn. */
struct pareto_point {
    size_t row; /* index into plot->rows */
    double memory;
    double time;
    double memory_reach; /* half of the 95% interval, of the logarithm; 0: not known */
    double time_reach;
    bool beyond;   /* a yardstick that lies outside the axes */
    bool on_front; /* no other point of the front's arm needs less of both */
    bool label_shown;
    int label_dx; /* the label's anchor in pixels from the point, y downwards */
    int label_dy;
    char label_align; /* 'l', 'r' or 'c' */
};

struct pareto_corner {
    double memory;
    double time;
};

struct pareto_panel {
    const char *title;
    struct pareto_point *points; /* [plot->row_count], by row */
    size_t count;
    const char *arm; /* of the front */
    char *unused;    /* workloads that nobody has both figures of, ", " between; "" for none */
    char *note;      /* the points that are not in the picture, and why; "" for none */
    double x_low, x_high, y_low, y_high; /* the axes' ranges */
};

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

/* What a used column weighs in such a mean. */
static double column_weight(const struct plot *plot, size_t column, const bool *used)
{
    int families = 0;
    int alike = 0;
    for (size_t i = 0; i < plot->column_count; i++) {
        families += begins_used_family(plot, i, used);
        alike += used[i] && strcmp(plot->columns[i].family, plot->columns[column].family) == 0;
    }
    return 1.0 / (families * alike);
}

/* Half of the mean's 95% interval, of its logarithm: workloads are measured one after the other, so
 * that their errors are independent. 0 where one of them has no interval. */
static double mean_reach(const struct plot *plot, const struct comparison *comparison, size_t row,
                         const bool *used)
{
    double variance = 0;
    for (size_t column = 0; column < plot->column_count; column++) {
        const struct comparison_cell *cell =
            used[column] ? plot_find_cell(plot, comparison, row, column) : NULL;
        if (cell) {
            const struct interval logs = {log(cell->ratio), log(cell->low), log(cell->high)};
            double part = column_weight(plot, column, used) * statistics_standard_error(&logs);
            variance += part * part;
        }
    }
    return isfinite(variance) ? 1.96 * sqrt(variance) : 0;
}

static bool has_ratio(const struct plot *plot, const struct comparison *comparison, size_t row,
                      size_t column)
{
    const struct comparison_cell *cell = plot_find_cell(plot, comparison, row, column);
    return cell && cell->ratio > 0;
}

/* Does any row have both figures of the column? */
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

/* Makes the panel of one family, or for family NULL of all, with equal weights of the families.
 * Each point is a geometric mean over workloads. time and memory are comparisons of those metrics
 * with equal bases and filters. Workloads for which no row has both figures (the base holds
 * nothing, or there was no memory pass) are left out and named in the panel's note; any other gap
 * leaves the back end out. The caller calls pareto_release. */
static void pareto_panel_make(const struct plot *plot, const struct comparison *time,
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
        point->time_reach = is_base ? 0 : mean_reach(plot, time, row, used);
        point->memory_reach = is_base ? 0 : mean_reach(plot, memory, row, used);
        if (!(point->time > 0 && point->memory > 0)) {
            point->time = NAN;
            point->memory = NAN;
        }
    }
    free(used);
}

/* The number of points with both figures, without the base. */
static size_t pareto_point_count(const struct plot *plot, const struct pareto_panel *panel)
{
    size_t count = 0;
    for (size_t i = 0; i < panel->count; i++) {
        count += !isnan(panel->points[i].time) && !plot->rows[i].is_base;
    }
    return count;
}

/* null keeps no books and bump never reuses: they bound the scale, but nobody can choose them. */
static bool is_yardstick(const struct plot_row *row)
{
    return strcmp(row->backend, "null") == 0 || strcmp(row->backend, "bump") == 0;
}

static bool beats(const struct pareto_point *a, const struct pareto_point *b)
{
    return a->memory <= b->memory && a->time <= b->time &&
           (a->memory < b->memory || a->time < b->time);
}

/* Can the point be on the panel's front at all? Only points of one arm are compared: another arm's
 * difference holds the price of binding. */
static bool is_candidate(const struct plot *plot, const struct pareto_panel *panel, size_t index)
{
    const struct pareto_point *point = &panel->points[index];
    const struct plot_row *row = &plot->rows[point->row];
    return !isnan(point->time) && !is_yardstick(row) && strcmp(row->arm, panel->arm) == 0;
}

/* The arm of most of the points that can be chosen; of several the first's. */
static const char *find_arm(const struct plot *plot, const struct pareto_panel *panel)
{
    const char *best = "";
    size_t most = 0;
    for (size_t i = 0; i < panel->count; i++) {
        const char *arm = plot->rows[panel->points[i].row].arm;
        size_t count = 0;
        for (size_t j = 0; j < panel->count; j++) {
            const struct plot_row *row = &plot->rows[panel->points[j].row];
            count +=
                !isnan(panel->points[j].time) && !is_yardstick(row) && strcmp(row->arm, arm) == 0;
        }
        best = count > most ? arm : best;
        most = count > most ? count : most;
    }
    return best;
}

static void mark_front(const struct plot *plot, struct pareto_panel *panel)
{
    panel->arm = find_arm(plot, panel);
    for (size_t i = 0; i < panel->count; i++) {
        struct pareto_point *point = &panel->points[i];
        point->on_front = is_candidate(plot, panel, i);
        for (size_t j = 0; j < panel->count && point->on_front; j++) {
            point->on_front = !is_candidate(plot, panel, j) || !beats(&panel->points[j], point);
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
    /* Leaves space for the labels at the edges, and keeps the span so wide that noise is not
     * enlarged. */
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

/* "front: arm preload; beyond the axes: null:inline (1.1, 0.12); incomplete: pymalloc-256:inline;
 * without pingpong". */
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
    const char *const words[] = {"front: arm ", "beyond the axes: ", "incomplete: ", "without "};
    const char *const lists[] = {panel->arm, beyond, missing, panel->unused};
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

/* Marks the points that no other one of their arm, which is the panel's, beats in both. Yardsticks
 * that cannot serve a program (null, bump) neither are on the front nor beat anybody, and do not
 * stretch the axes. Sets the axes' ranges and the note. */
static void pareto_find_front(const struct plot *plot, struct pareto_panel *panel)
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

/* Makes the front into a line of steps by growing memory: between two of its points there is no
 * back end. corners has room for 2 × panel->count + 1; returns their number. */
static size_t pareto_front_line(const struct pareto_panel *panel, struct pareto_corner *corners)
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

static void pareto_release(struct pareto_panel *panel)
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

/* Marks the markers and the front's line, whose pieces are vertical or horizontal, as taken. */
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

/* Places the labels in a panel of that many pixels so that they touch no label and no point, those
 * on the front first. A label that finds no place is left out; the legend has them all. */
static void pareto_place_labels(const struct plot *plot, struct pareto_panel *panel, int width,
                                int height)
{
    struct placing placing = {.plot = plot, .panel = panel, .width = width, .height = height};
    /* Pieces of the line, markers, and labels. */
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

enum { PANEL_WIDTH = 430, PANEL_HEIGHT = 330, PANEL_HEAD = 58, PANEL_FOOT = 46, AXIS_WIDTH = 62 };
enum { LEGEND_LINE = 19, LEGEND_GAP = 24 };

static const char pareto_columns[] =
    "# columns of the even blocks 0, 2, 4…, the points of one panel each: row, peak held (ratio to "
    "base), time\n"
    "#   (ratio to base), on the front (1), label shown (1), back end, arm, panel, low and high of "
    "the peak's,\n"
    "#   low and high of the time's 95% interval\n"
    "# columns of the odd blocks 1, 3, 5…, the front as a line: peak held (ratio), time (ratio)\n";

static void write_point(const struct plot *plot, FILE *table, const struct pareto_point *point,
                        const char *panel)
{
    fprintf(table, "%zu\t", point->row + 1);
    tsv_number(table, point->memory);
    fputc('\t', table);
    tsv_number(table, point->time);
    fprintf(table, "\t%d\t%d\t", point->on_front, point->label_shown);
    tsv_text(table, plot->rows[point->row].backend_text);
    fputc('\t', table);
    tsv_text(table, plot->rows[point->row].arm);
    fputc('\t', table);
    tsv_text(table, panel);
    const double ends[] = {
        point->memory * exp(-point->memory_reach), point->memory * exp(point->memory_reach),
        point->time * exp(-point->time_reach), point->time * exp(point->time_reach)};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        fputc('\t', table);
        tsv_number(table, ends[i]);
    }
    fputc('\n', table);
}

static void write_front(FILE *table, const struct pareto_panel *panel)
{
    struct pareto_corner *corners = text_zeroed(2 * panel->count + 1, sizeof *corners);
    size_t count = pareto_front_line(panel, corners);
    for (size_t i = 0; i < count; i++) {
        fprintf(table, "%.9g\t%.9g\n", corners[i].memory, corners[i].time);
    }
    free(corners);
}

/* A letter such as "i" for back ends that are drawn with several arms and one marker; otherwise
 * "". */
static const char *arm_letter(const struct plot *plot, size_t row)
{
    static const struct {
        const char *arm;
        const char *letter;
    } letters[] = {{"inline", "i"},
                   {"call", "c"},
                   {"call-sized", "cs"},
                   {"preload", "p"},
                   {"preload-sized", "ps"}};
    size_t same = 0;
    for (size_t i = 0; i < plot->row_count; i++) {
        same += strcmp(plot->rows[i].backend, plot->rows[row].backend) == 0;
    }
    for (size_t i = 0; same > 1 && i < sizeof letters / sizeof letters[0]; i++) {
        if (strcmp(letters[i].arm, plot->rows[row].arm) == 0) {
            return letters[i].letter;
        }
    }
    return "";
}

static void write_letters(const struct plot *plot, FILE *script)
{
    const char **letters = text_zeroed(plot->row_count, sizeof *letters);
    for (size_t i = 0; i < plot->row_count; i++) {
        letters[i] = arm_letter(plot, i);
    }
    script_strings(script, "row_letter", letters, plot->row_count);
    free(letters);
}

/* Writes two lines for each panel. The rest is cut; the table has all of it. */
static void write_notes(FILE *script, const struct pareto_panel *panels, size_t count)
{
    struct text_list one = {0};
    struct text_list two = {0};
    for (size_t i = 0; i < count; i++) {
        struct text_list lines = {0};
        text_wrap(&lines, panels[i].note, PANEL_WIDTH / 5);
        text_list_add(&one, text_format("%s", lines.count > 0 ? lines.items[0] : ""));
        text_list_add(&two, text_format("%s%s", lines.count > 1 ? lines.items[1] : "",
                                        lines.count > 2 ? " …" : ""));
        text_list_free(&lines);
    }
    script_strings(script, "panel_note_one", (const char *const *)one.items, count);
    script_strings(script, "panel_note_two", (const char *const *)two.items, count);
    text_list_free(&one);
    text_list_free(&two);
}

static void write_panel_arrays(FILE *script, const struct pareto_panel *panels, size_t count)
{
    const char **titles = text_zeroed(count, sizeof *titles);
    write_notes(script, panels, count);
    double *values = text_zeroed(count, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        titles[i] = panels[i].title;
    }
    script_strings(script, "panel_title", titles, count);
    static const struct {
        const char *name;
        size_t offset;
    } ranges[] = {{"panel_x_low", offsetof(struct pareto_panel, x_low)},
                  {"panel_x_high", offsetof(struct pareto_panel, x_high)},
                  {"panel_y_low", offsetof(struct pareto_panel, y_low)},
                  {"panel_y_high", offsetof(struct pareto_panel, y_high)}};
    for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++) {
        for (size_t i = 0; i < count; i++) {
            memcpy(&values[i], (const char *)&panels[i] + ranges[r].offset, sizeof values[i]);
        }
        script_numbers(script, ranges[r].name, values, count);
    }
    free(titles);
    free(values);
}

/* Writes the labels into the script, where they can be moved by hand. */
static void write_labels(const struct plot *plot, FILE *script, const struct pareto_panel *panels,
                         size_t count)
{
    size_t labels = 0;
    size_t room = count * plot->row_count;
    const char **texts = text_zeroed(room, sizeof *texts);
    double *numbers = text_zeroed(room * 6, sizeof *numbers);
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < panels[i].count; p++) {
            const struct pareto_point *point = &panels[i].points[p];
            if (!point->label_shown) {
                continue;
            }
            texts[labels] = plot->rows[point->row].label;
            numbers[0 * room + labels] = (double)i + 1;
            numbers[1 * room + labels] = point->memory;
            numbers[2 * room + labels] = point->time;
            numbers[3 * room + labels] = point->label_dx;
            numbers[4 * room + labels] = point->label_dy;
            numbers[5 * room + labels] = point->label_align == 'l'   ? 0
                                         : point->label_align == 'c' ? 1
                                                                     : 2;
            labels++;
        }
    }
    static const char *const names[] = {"label_panel", "label_x",  "label_y",
                                        "label_dx",    "label_dy", "label_align"};
    script_strings(script, "label_text", texts, labels);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        script_numbers(script, names[i], numbers + i * room, labels);
    }
    free(texts);
    free(numbers);
}

static enum status draw_panels(struct plot *plot, const struct figure *figure,
                               const struct comparison *time, const struct comparison *memory,
                               const struct pareto_panel *panels, size_t count, struct error *error)
{
    int across = count == 1 ? 1 : count <= 6 ? 2 : 3;
    int down = ((int)count + across - 1) / across;
    int legend_height = (int)plot->row_count * LEGEND_LINE + PANEL_HEAD;
    int panels_height = down * (PANEL_HEAD + PANEL_HEIGHT + PANEL_FOOT);
    char *title =
        text_format("Time against memory, relative to %s:%s", time->base_backend, time->base_arm);
    struct plot_frame frame = {
        .name = figure->name,
        .title = title,
        .better =
            "Lower left is better: less time, less memory. Line: the Pareto front of one arm, "
            "which "
            "nobody of that arm beats in both (null and bump, the yardsticks, left out). Whiskers: "
            "95% intervals. Letters: the arm of points without a name.",
        .remark = memory->several_sources ? "Held memory is the back end's own count where it and "
                                            "the base have one, else what smaps "
                                            "says. Families weigh equally."
                                          : "Families weigh equally in the mean.",
        .columns = pareto_columns,
        .comparison = time,
        .inner_width =
            across * (AXIS_WIDTH + PANEL_WIDTH) + LEGEND_GAP + plot_label_width(plot) + 24,
        .inner_height = legend_height > panels_height ? legend_height : panels_height,
    };
    struct image image;
    enum status status = plot_image_begin(&image, plot, figure, &frame, error);
    free(title);
    if (status != STATUS_OK) {
        return status;
    }
    write_panel_arrays(image.script, panels, count);
    write_labels(plot, image.script, panels, count);
    write_letters(plot, image.script);
    script_number(image.script, "across", across);
    script_number(image.script, "axis_width", AXIS_WIDTH);
    script_number(image.script, "panel_width", PANEL_WIDTH);
    script_number(image.script, "panel_height", PANEL_HEIGHT);
    script_number(image.script, "panel_head", PANEL_HEAD);
    script_number(image.script, "panel_foot", PANEL_FOOT);
    script_number(image.script, "legend_gap", LEGEND_GAP);
    script_number(image.script, "legend_line", LEGEND_LINE);
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < panels[i].count; p++) {
            write_point(plot, image.table, &panels[i].points[p], panels[i].title);
        }
        fputs("\n\n", image.table);
        write_front(image.table, &panels[i]);
        fputs("\n\n", image.table);
    }
    return plot_image_finish(&image, plot, error);
}

/* Is this the first column of its family? */
static bool begins_family(const struct plot *plot, size_t column)
{
    for (size_t i = 0; i < column; i++) {
        if (strcmp(plot->columns[i].family, plot->columns[column].family) == 0) {
            return false;
        }
    }
    return true;
}

/* Makes the panels that have something to show: first all families together, then each family. */
static size_t make_panels(const struct plot *plot, const struct comparison *time,
                          const struct comparison *memory, struct pareto_panel *panels)
{
    size_t count = 0;
    for (size_t i = 0; i <= plot->column_count; i++) {
        if (i > 0 && !begins_family(plot, i - 1)) {
            continue;
        }
        const char *family = i > 0 ? plot->columns[i - 1].family : NULL;
        assert(i == 0 || family != NULL);
        struct pareto_panel *panel = &panels[count];
        pareto_panel_make(plot, time, memory, family, panel);
        if (pareto_point_count(plot, panel) == 0) {
            pareto_release(panel);
            continue;
        }
        pareto_find_front(plot, panel);
        pareto_place_labels(plot, panel, PANEL_WIDTH, PANEL_HEIGHT);
        count++;
    }
    return count;
}

/* Compares the metric with the plot's own base and filters. */
static enum status compare(const struct plot *plot, const char *metric,
                           struct comparison **comparison, struct error *error)
{
    struct comparison_options options = {
        .base_backend = plot->comparison->base_backend,
        .base_arm = plot->comparison->base_arm,
        .metric = metric,
        .workloads = plot->options->workloads,
        .backends = plot->options->backends,
    };
    return comparison_build(plot->set, &options, comparison, error);
}

enum status pareto_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    struct comparison *time = NULL;
    struct comparison *memory = NULL;
    enum status status = compare(plot, "time", &time, error);
    if (status == STATUS_OK) {
        status = compare(plot, "held_peak", &memory, error);
    }
    if (status == STATUS_OK) {
        struct pareto_panel *panels = text_zeroed(plot->column_count + 1, sizeof *panels);
        size_t count = make_panels(plot, time, memory, panels);
        if (count > 0) {
            status = draw_panels(plot, figure, time, memory, panels, count, error);
        } else {
            plot_note(plot,
                      "pareto: nothing has both a time and a figure of memory held; it is not "
                      "drawn");
        }
        for (size_t i = 0; i < count; i++) {
            pareto_release(&panels[i]);
        }
        free(panels);
    }
    comparison_free(time);
    comparison_free(memory);
    return status;
}
