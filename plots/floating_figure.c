/* Draws garbage that the collector has not found yet, over operations, from the series of the
 * memory pass. */
#include <math.h>

#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/memory_series.h"

enum { FLOATING_MIB = 1 << 20 };

static double floating_at(const struct memory_series *series, size_t index)
{
    const json_t *memory = json_object_get(series->json, "memory");
    const json_t *all = json_object_get(json_object_get(memory, "series"), "uncollected_bytes");
    const json_t *value = json_array_get(all, index);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* Adds the row's garbage in bytes, not as a share of the live bytes. A collector that frees in
 * slices releases parts of what it found before it counts them as freed, and a collector that never
 * finds anything would set the scale for all. */
static void floating_add_row(struct curves_panel *panel, size_t row,
                             const struct memory_series *series)
{
    struct curve *curve = NULL;
    for (size_t i = 0; i < series->count; i++) {
        double floating = floating_at(series, i);
        if (!isnan(floating)) {
            curve = curve != NULL ? curve : curves_add_curve(panel, row);
            curves_add_point(curve, series->samples[i].operations, floating / FLOATING_MIB);
        }
    }
}

/* Is any value of any curve above zero? */
static bool floating_shows(const struct curves_panel *panel)
{
    bool shows = false;
    for (size_t i = 0; i < panel->count; i++) {
        for (size_t j = 0; j < panel->curves[i].count; j++) {
            shows = shows || panel->curves[i].y[j] > 0;
        }
    }
    return shows;
}

static enum status floating_add_panel(const struct plot *plot, struct curves *curves, size_t column,
                                      struct error *error)
{
    struct curves_panel *panel = curves_add_panel(curves, plot->columns[column].label);
    panel->x_label = "calls of the allocator";
    panel->y_label = "garbage not freed yet, MiB";
    panel->from_zero = true;
    for (size_t row = 0; row < plot->row_count; row++) {
        struct memory_series series;
        enum status status = memory_series_read(plot, row, column, &series, error);
        if (status == STATUS_NOT_FOUND) {
            continue;
        }
        if (status != STATUS_OK) {
            return status;
        }
        floating_add_row(panel, row, &series);
        memory_series_release(&series);
    }
    if (!floating_shows(panel)) {
        curves_drop_panel(curves);
    }
    return STATUS_OK;
}

enum status floating_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    return curves_draw_columns(
        plot, figure, floating_add_panel, "Garbage that waits for the collector",
        "Lower is better. Cyclic garbage from when the program let go of it "
        "until the collector freed it. Frees are operations too: a curve "
        "that ends earlier is of a collector that freed less.",
        "floating: no workload with a memory pass tells of cyclic garbage (as "
        "cyclic_graph or live_heap_growth do); it is not drawn",
        error);
}
