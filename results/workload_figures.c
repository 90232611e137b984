#include "results/workload_figures.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "results/name_filter.h"
#include "results/stats/statistics.h"

static bool figures_want(const char *workloads, const char *backends,
                         const struct record_cell *cell)
{
    const char *const names[] = {cell->backend_text, cell->label};
    return cell->twin == 0 && name_filter_matches(workloads, cell->workload) &&
           name_filter_matches_any(backends, names, 2);
}

/* Adds each of the record's figures to the array of that name in values[cell]. */
static enum status figures_collect(const struct record_set *set, const char *workloads,
                                   const char *backends, json_t **values, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < set->record_count && status == STATUS_OK; i++) {
        const struct record *record = &set->records[i];
        json_t *json = NULL;
        if (record->status != RECORD_OK ||
            !figures_want(workloads, backends, &set->cells[record->cell])) {
            continue;
        }
        status = record_set_read(set, i, &json, error);
        const char *name;
        json_t *value;
        json_object_foreach(json_object_get(json, "figures"), name, value)
        {
            json_t **of_cell = &values[record->cell];
            *of_cell = *of_cell != NULL ? *of_cell : json_object();
            if (json_object_get(*of_cell, name) == NULL) {
                (void)json_object_set_new(*of_cell, name, json_array());
            }
            (void)json_array_append(json_object_get(*of_cell, name), value);
        }
        json_decref(json);
    }
    return status;
}

static double figures_median(const json_t *array)
{
    size_t count = json_array_size(array);
    double *values = text_grow(NULL, count, sizeof(*values));
    for (size_t i = 0; i < count; i++) {
        values[i] = json_number_value(json_array_get(array, i));
    }
    double median = statistics_median(values, count);
    free(values);
    return median;
}

/* The cell's figures: the median of each array of values. */
static json_t *figures_reduce(const json_t *values)
{
    json_t *figures = json_object();
    const char *name;
    json_t *array;
    json_object_foreach((json_t *)values, name, array)
    {
        (void)json_object_set_new(figures, name, json_real(figures_median(array)));
    }
    return figures;
}

/* One object {…, figures} for each cell, in the plan's order. */
static json_t *figures_cells(const struct record_set *set, json_t *const *values)
{
    json_t *cells = json_array();
    for (size_t i = 0; i < set->cell_count; i++) {
        const struct record_cell *cell = &set->cells[i];
        if (values[i] != NULL) {
            (void)json_array_append_new(
                cells,
                json_pack("{ss sO si ss ss ss sO so ss ss}", "workload", cell->workload, "params",
                          json_object_get(cell->plan, "params"), "threads", (int)cell->threads,
                          "backend", cell->backend, "collector", cell->collector, "arm", cell->arm,
                          "env", json_object_get(cell->plan, "env"), "figures",
                          figures_reduce(values[i]), "label", cell->label, "params_text",
                          cell->params_text));
        }
    }
    return cells;
}

enum status workload_figures(const struct record_set *set, const char *workloads,
                             const char *backends, json_t **cells, struct error *error)
{
    json_t **values = text_grow(NULL, set->cell_count + 1, sizeof(json_t *));
    memset(values, 0, (set->cell_count + 1) * sizeof(json_t *));
    enum status status = figures_collect(set, workloads, backends, values, error);
    *cells = status == STATUS_OK ? figures_cells(set, values) : NULL;
    for (size_t i = 0; i < set->cell_count; i++) {
        json_decref(values[i]);
    }
    free(values);
    return status;
}
