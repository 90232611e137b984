/* Time per operation over the rounds: does the machine drift while it measures? */
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/memory_series.h"

/* A point for each round of the cell. */
static void rounds_add_curve(const struct plot *plot, struct curves_panel *panel, size_t row,
                             size_t cell)
{
    const struct record_set *set = plot->set;
    for (size_t i = 0; i < set->record_count; i++) {
        if (set->records[i].cell == cell && set->records[i].pass == RECORD_TIME) {
            double ns = metric_of_record(metric_find("time"), set, &set->records[i], false);
            curves_add_point(curves_add_curve(panel, row), set->records[i].round, ns);
        }
    }
}

enum status rounds_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    struct curves curves = {.panels = NULL};
    for (size_t column = 0; column < plot->column_count; column++) {
        struct curves_panel *panel = curves_add_panel(&curves, plot->columns[column].label);
        panel->x_label = "round";
        panel->y_label = "ns for an operation";
        for (size_t row = 0; row < plot->row_count; row++) {
            rounds_add_curve(plot, panel, row, memory_series_find_cell(plot, row, column));
        }
    }
    enum status status = curves_draw(plot, figure, &curves, "Time per operation over the rounds",
                                     "Flat is what a quiet machine gives.", error);
    curves_release(&curves);
    return status;
}
