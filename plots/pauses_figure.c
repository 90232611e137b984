/* The collector's pauses as percentiles: one panel a workload, a curve a back end with its
 * collector. */
#include <math.h>
#include <stdlib.h>

#include "plots/buckets.h"
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/memory_series.h"

/* All rounds of a cell together. */
static enum status pauses_read_cell(const struct plot *plot, size_t cell, struct buckets *buckets,
                                    struct error *error)
{
    const struct record_set *set = plot->set;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < set->record_count && status == STATUS_OK; i++) {
        const struct record *record = &set->records[i];
        if (record->cell != cell || record->pass != RECORD_TIME || record->status != RECORD_OK) {
            continue;
        }
        json_t *json = NULL;
        status = record_set_read(set, i, &json, error);
        if (status == STATUS_OK) {
            const json_t *gc = json_object_get(json, "gc");
            buckets_add(buckets, json_object_get(gc, "pauses"));
        }
        json_decref(json);
    }
    return status;
}

/* To the longest pause: pauses are the collector's own doing, so that the last one counts too. It
 * stands where half of it would be beyond. */
static void pauses_draw_curve(struct curve *curve, struct buckets *buckets)
{
    double total = buckets_sort(buckets);
    double within = 0;
    for (size_t i = 0; i < buckets->count; i++) {
        within += buckets->items[i].count;
        if (i + 1 < buckets->count && buckets->items[i + 1].ns <= buckets->items[i].ns) {
            continue; /* the same bucket of another round */
        }
        double beyond = fmax(total - within, 0.5);
        curves_add_point(curve, total / beyond, buckets->items[i].ns);
    }
}

static enum status pauses_add_panel(const struct plot *plot, struct curves *curves, size_t column,
                                    struct error *error)
{
    struct curves_panel *panel = curves_add_panel(curves, plot->columns[column].label);
    enum status status = STATUS_OK;
    panel->x_label = "percentile of the pauses";
    panel->y_label = "CPU time of a pause";
    panel->log_x = true;
    panel->log_y = true;
    panel->percentiles = true;
    for (size_t row = 0; row < plot->row_count && status == STATUS_OK; row++) {
        struct buckets buckets = {.items = NULL};
        size_t cell = memory_series_find_cell(plot, row, column);
        status = pauses_read_cell(plot, cell, &buckets, error);
        if (buckets.count > 0) {
            pauses_draw_curve(curves_add_curve(panel, row), &buckets);
        }
        free(buckets.items);
    }
    if (panel->count == 0) {
        curves_drop_panel(curves);
    }
    return status;
}

enum status pauses_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    return curves_draw_columns(
        plot, figure, pauses_add_panel, "How long collectors stop the program",
        "Lower is better. CPU time of each pause, all rounds together; the "
        "last point of a curve is its longest pause.",
        "pauses: no workload of objects had a collection; it is not drawn", error);
}
