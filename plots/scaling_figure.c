/* Draws time per operation against the size of the live data, and against threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/memory_series.h"

/* The x axes of a panel. */
enum scaling_axis { SCALING_LIVE, SCALING_THREADS, SCALING_AXES };

/* The key of a panel: what its columns have in common, without the axis. The caller frees. */
static char *panel_key(const struct record_cell *cell, enum scaling_axis axis)
{
    char *params = text_format(",%s", cell->params_text);
    char *live = axis == SCALING_LIVE ? strstr(params, ",live=") : NULL;
    if (live) {
        size_t length = 1 + strcspn(live + 1, ",");
        memmove(live, live + length, strlen(live + length) + 1);
    }
    bool several = axis == SCALING_LIVE && cell->threads > 1;
    char *threads = several ? text_format(", %u threads", cell->threads) : text_format("%s", "");
    char *key = text_format("%s%s%s%s", cell->workload, params[0] && params[1] ? ": " : "",
                            params[0] ? params + 1 : "", threads);
    free(params);
    free(threads);
    return key;
}

static double column_value(const struct record_cell *cell, enum scaling_axis axis)
{
    if (axis == SCALING_THREADS) {
        return cell->threads;
    }
    const json_t *live = json_object_get(json_object_get(cell->plan, "params"), "live");
    return json_is_number(live) ? json_number_value(live) : NAN;
}

/* The peak of live bytes, which is equal for every back end of a group, from any memory record; NAN
 * if none has it. */
static double group_live_bytes(const struct record_set *set, uint32_t group)
{
    double bytes = NAN;
    for (size_t i = 0; i < set->record_count && !(bytes > 0); i++) {
        const struct record *record = &set->records[i];
        json_t *json = NULL;
        if (set->cells[record->cell].group == group && record->held_source != HELD_NONE &&
            record_set_read(set, i, &json, NULL) == STATUS_OK) {
            bytes = metric_number(json, "memory.live_bytes_peak");
        }
        json_decref(json);
    }
    return bytes > 0 ? bytes : NAN;
}

/* Does another column of the panel have another value on the axis? */
static bool axis_varies(const struct plot *plot, const char *key, enum scaling_axis axis,
                        double value)
{
    bool varies = false;
    for (size_t column = 0; column < plot->column_count; column++) {
        const struct record_cell *cell = plot_column_cell(plot, column);
        char *other = panel_key(cell, axis);
        double there = column_value(cell, axis);
        varies = varies || (strcmp(other, key) == 0 && !isnan(there) && there != value);
        free(other);
    }
    return varies;
}

/* Are the live bytes of all the panel's columns known? */
static bool panel_has_bytes(const struct plot *plot, const char *key)
{
    bool all = true;
    for (size_t column = 0; column < plot->column_count; column++) {
        const struct record_cell *cell = plot_column_cell(plot, column);
        char *other = panel_key(cell, SCALING_LIVE);
        all = all && (strcmp(other, key) != 0 || !isnan(group_live_bytes(plot->set, cell->group)));
        free(other);
    }
    return all;
}

static void add_points(const struct plot *plot, struct curves_panel *panel, size_t column, double x)
{
    for (size_t row = 0; row < plot->row_count; row++) {
        size_t cell = memory_series_find_cell(plot, row, column);
        double time = cell < plot->set->cell_count
                          ? metric_median_of_cell(metric_find("time"), plot->set, cell)
                          : NAN;
        if (!isnan(time)) {
            curves_add_point(curves_add_curve(panel, row), x, time);
        }
    }
}

/* Adds the panel that begins with this column, unless an earlier column has begun it. */
static void add_panel(const struct plot *plot, struct curves *curves, size_t first,
                      enum scaling_axis axis)
{
    const struct record_cell *cell = plot_column_cell(plot, first);
    char *key = panel_key(cell, axis);
    bool wanted = axis_varies(plot, key, axis, column_value(cell, axis));
    for (size_t column = 0; column < first && wanted; column++) {
        char *earlier = panel_key(plot_column_cell(plot, column), axis);
        wanted = strcmp(earlier, key) != 0;
        free(earlier);
    }
    bool bytes = wanted && axis == SCALING_LIVE && panel_has_bytes(plot, key);
    struct curves_panel *panel = wanted ? curves_add_panel(curves, key) : NULL;
    for (size_t column = first; column < plot->column_count && panel; column++) {
        const struct record_cell *at = plot_column_cell(plot, column);
        char *other = panel_key(at, axis);
        if (strcmp(other, key) == 0) {
            add_points(plot, panel, column,
                       bytes ? group_live_bytes(plot->set, at->group) : column_value(at, axis));
        }
        free(other);
    }
    if (panel) {
        panel->x_label = axis == SCALING_THREADS ? "threads"
                         : bytes                 ? "live bytes at their peak"
                                                 : "parameter live";
        panel->y_label = "ns per operation";
        panel->log_x = true;
        panel->log_y = true;
    }
    free(key);
}

enum status scaling_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    struct curves curves = {.panels = NULL};
    for (int axis = 0; axis < SCALING_AXES; axis++) {
        for (size_t column = 0; column < plot->column_count; column++) {
            add_panel(plot, &curves, column, (enum scaling_axis)axis);
        }
    }
    enum status status = STATUS_OK;
    if (curves.count > 0) {
        status = curves_draw(plot, figure, &curves, "Time per operation as the work grows",
                             "Lower is better; flat is what scales. Logarithmic axes. Medians over "
                             "the rounds.",
                             error);
    } else {
        plot_note(plot, "scaling: no workload was run with several values of -p live= or several "
                        "--threads; it is not drawn");
    }
    curves_release(&curves);
    return status;
}
