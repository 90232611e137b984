/* Draws what a collector costs: its time per operation against the size of the live heap, and the
 * program's time against the longest pause. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/memory_series.h"

/* The value of the parameter that sets the live heap's size, live or n; NAN: the cell has
 * neither. */
static double collector_live(const struct record_cell *cell)
{
    const json_t *params = json_object_get(cell->plan, "params");
    const json_t *live = json_object_get(params, "live");
    const json_t *n = json_object_get(params, "n");
    return json_is_number(live) ? json_number_value(live)
           : json_is_number(n)  ? json_number_value(n)
                                : (double)NAN;
}

/* The key of a panel: the workload with all parameters except the size. The caller frees. */
static char *collector_key(const struct record_cell *cell)
{
    static const char *const sizes[] = {",live=", ",n="};
    char *params = text_format(",%s", cell->params_text);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *size = strstr(params, sizes[i]);
        if (size != NULL) {
            size_t length = 1 + strcspn(size + 1, ",");
            memmove(size, size + length, strlen(size + length) + 1);
        }
    }
    char *key = text_format("%s%s%s", cell->workload, params[0] != '\0' ? ": " : "",
                            params[0] != '\0' ? params + 1 : "");
    free(params);
    return key;
}

static void collector_add_cost(const struct plot *plot, struct curves_panel *panel, size_t column)
{
    double live = collector_live(plot_column_cell(plot, column));
    for (size_t row = 0; row < plot->row_count; row++) {
        size_t cell = memory_series_find_cell(plot, row, column);
        double cost = cell < plot->set->cell_count
                          ? metric_median_of_cell(metric_find("collector_cost"), plot->set, cell)
                          : (double)NAN;
        if (cost > 0) { /* false for NAN; 0 cannot be drawn on a logarithmic axis */
            curves_add_point(curves_add_curve(panel, row), live, cost);
        }
    }
}

/* Counts the columns with the same key as column `first`; 0 if an earlier column has that key. */
static size_t collector_columns_like(const struct plot *plot, size_t first)
{
    char *key = collector_key(plot_column_cell(plot, first));
    size_t count = 0;
    bool begun = false;
    for (size_t column = 0; column < plot->column_count; column++) {
        char *other = collector_key(plot_column_cell(plot, column));
        bool same = strcmp(key, other) == 0;
        begun = begun || (same && column < first);
        count += same;
        free(other);
    }
    free(key);
    return begun ? 0 : count;
}

/* Adds collector time against the live heap, if the run varies its size. */
static void collector_add_growth(const struct plot *plot, struct curves *curves, size_t first)
{
    const struct record_cell *cell = plot_column_cell(plot, first);
    if (isnan(collector_live(cell)) || collector_columns_like(plot, first) < 2) {
        return;
    }
    char *key = collector_key(cell);
    struct curves_panel *panel = curves_add_panel(curves, key);
    panel->x_label = "live objects";
    panel->y_label = "ns of collector for an operation";
    panel->log_x = true;
    panel->log_y = true;
    for (size_t column = first; column < plot->column_count; column++) {
        char *other = collector_key(plot_column_cell(plot, column));
        if (strcmp(key, other) == 0) {
            collector_add_cost(plot, panel, column);
        }
        free(other);
    }
    if (panel->count == 0) {
        curves_drop_panel(curves);
    }
    free(key);
}

/* Adds the time of the whole program against the longest pause, one point per row. */
static void collector_add_pareto(const struct plot *plot, struct curves *curves, size_t column)
{
    char *title = text_format("%s: the trade", plot->columns[column].label);
    struct curves_panel *panel = curves_add_panel(curves, title);
    panel->x_label = "longest pause, ms of CPU time";
    panel->y_label = "ns for an operation, the collector's in it";
    panel->log_x = true;
    panel->log_y = true;
    for (size_t row = 0; row < plot->row_count; row++) {
        size_t cell = memory_series_find_cell(plot, row, column);
        if (cell == plot->set->cell_count) {
            continue;
        }
        double pause = metric_median_of_cell(metric_find("pause_max"), plot->set, cell);
        double time = metric_median_of_cell(metric_find("time"), plot->set, cell);
        if (pause > 0 && time > 0) {
            curves_add_point(curves_add_curve(panel, row), pause / 1e6, time);
        }
    }
    if (panel->count < 2) {
        curves_drop_panel(curves);
    }
    free(title);
}

enum status collector_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    struct curves curves = {.panels = NULL};
    enum status status = STATUS_OK;
    for (size_t column = 0; column < plot->column_count; column++) {
        collector_add_growth(plot, &curves, column);
    }
    for (size_t column = 0; column < plot->column_count; column++) {
        collector_add_pareto(plot, &curves, column);
    }
    if (curves.count > 0) {
        status = curves_draw(plot, figure, &curves, "What collectors cost, and what they give",
                             "Lower is better, and to the left where pauses are drawn. Medians "
                             "over the rounds; a collector without a pause has no point.",
                             error);
    } else {
        plot_note(plot, "collector: no workload of objects had a collection; it is not drawn");
    }
    curves_release(&curves);
    return status;
}
