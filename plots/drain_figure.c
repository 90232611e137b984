/* Draws what is still held after the blocks were dropped: over operations, or over seconds if the
 * workload idles. */
#include <math.h>
#include <string.h>

#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/memory_series.h"

/* Labels of phases in which workloads drop their blocks. */
static const char *const drain_phases[] = {"drop", "dropped", "give back"};

static bool is_drain(const char *phase)
{
    for (size_t i = 0; i < sizeof drain_phases / sizeof drain_phases[0]; i++) {
        if (strcmp(phase, drain_phases[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The sample at which the last drain begins; the number of samples if there is none. */
static size_t drain_begin(const struct memory_series *series)
{
    for (size_t i = series->count; i > 0; i--) {
        if (is_drain(series->samples[i - 1].phase)) {
            return i - 1;
        }
    }
    return series->count;
}

static bool idles(const struct memory_series *series)
{
    bool found = false;
    for (size_t i = 0; i < series->count; i++) {
        found = found || strcmp(series->samples[i].phase, "idle") == 0;
    }
    return found;
}

static double seconds_at(const struct memory_series *series, size_t index)
{
    const json_t *seconds = json_object_get(
        json_object_get(json_object_get(series->json, "memory"), "series"), "seconds");
    const json_t *value = json_array_get(seconds, index);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void add_row(struct curves_panel *panel, size_t row, const struct memory_series *series,
                    bool in_seconds)
{
    size_t begin = drain_begin(series);
    double held = begin < series->count ? series->samples[begin].held : 0;
    struct curve *curve = held > 0 ? curves_add_curve(panel, row) : NULL;
    for (size_t i = begin; i < series->count && curve; i++) {
        double x = in_seconds ? seconds_at(series, i) - seconds_at(series, begin)
                              : series->samples[i].operations - series->samples[begin].operations;
        curves_add_point(curve, x, 100 * series->samples[i].held / held);
    }
}

static enum status add_panel(const struct plot *plot, struct curves *curves, size_t column,
                             struct error *error)
{
    struct curves_panel *panel = curves_add_panel(curves, plot->columns[column].label);
    const char *left_out = NULL;
    panel->x_label = "operations since the drop began";
    for (size_t row = 0; row < plot->row_count; row++) {
        struct memory_series series;
        enum status status = memory_series_read(plot, row, column, &series, error);
        if (status == STATUS_NOT_FOUND) {
            continue;
        }
        if (status != STATUS_OK) {
            return status;
        }
        if (series.coarse) {
            left_out = plot->columns[column].label;
            memory_series_release(&series);
            continue;
        }
        bool in_seconds = idles(&series);
        panel->x_label = in_seconds ? "seconds since the drop began" : panel->x_label;
        add_row(panel, row, &series, in_seconds);
        memory_series_release(&series);
    }
    if (left_out != NULL) {
        plot_note(
            plot,
            "drain: %s fills and drops more often than it was sampled, so it is left out: fewer "
            "operations (--target-ms) or a larger live show a drop",
            left_out);
    }
    panel->y_label = "held, % of what was held then";
    panel->from_zero = true;
    if (panel->count == 0) {
        curves_drop_panel(curves);
    }
    return STATUS_OK;
}

enum status drain_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    return curves_draw_columns(
        plot, figure, add_panel, "What is given back after a drop, and when",
        "Lower is better: memory that went back to the system. 100% is what "
        "each back end held when the last drop began; above it more was taken "
        "later.",
        "drain: no workload with a memory pass drops what it has (as burst_idle, "
        "type_shift or batch do); it is not drawn",
        error);
}
