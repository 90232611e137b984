/* Time against memory: which back ends nobody beats in both. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/pareto_points.h"
#include "plots/plot_image.h"
#include "plots/script_writer.h"

enum { PANEL_WIDTH = 430, PANEL_HEIGHT = 330, PANEL_HEAD = 58, PANEL_FOOT = 46, AXIS_WIDTH = 62 };
enum { LEGEND_LINE = 19, LEGEND_GAP = 24 };

static const char pareto_columns[] =
    "# columns of the even blocks 0, 2, 4…, the points of one panel each: row, peak held (ratio to "
    "base), time\n"
    "#   (ratio to base), on the front (1), label shown (1), back end, arm, panel\n"
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

/* "i" and the like, for back ends that are there with several arms and so several times with one
 * marker; else
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

/* Two lines for each panel; what does not fit is cut, and is in the table. */
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

/* Labels are in the script, where they can be moved by hand. */
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
        .better = "Lower left is better: less time, less memory. Line: the Pareto front, which "
                  "nobody beats in "
                  "both (null and bump, the yardsticks, left out). Letters: the arm of points "
                  "without a name.",
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

/* Makes the panels that have something to show: everything first, then each family. */
static size_t make_panels(const struct plot *plot, const struct comparison *time,
                          const struct comparison *memory, struct pareto_panel *panels)
{
    size_t count = 0;
    for (size_t i = 0; i <= plot->column_count; i++) {
        if (i > 0 && !begins_family(plot, i - 1)) {
            continue;
        }
        const char *family = i > 0 ? plot->columns[i - 1].family : NULL;
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

/* A comparison of the given metric with the base and the filters of the plot's own. */
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
