/* Makes the object of FORMAT.md's `heapmill compare --json`. Scripts and gates read its names, so
 * they must not change. */
#include <math.h>

#include "results/compare/comparison.h"
#include "results/stats/statistics.h"

/* The figure; null if it is NAN. */
static json_t *json_figure(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_base(const struct comparison *comparison, const struct comparison_cell *row)
{
    /* Between two runs a cell's base is the same cell of the other run; for a varied parameter it
     * is a cell of the same back end. */
    const char *backend = comparison->base_backend;
    const char *arm = comparison->base_arm;
    if ((comparison->base_set != NULL || comparison_is_by_cell(comparison)) && row != NULL) {
        backend = row->cell->backend_text;
        arm = row->cell->arm;
    }
    if (comparison->best_of != NULL && row != NULL && row->base != NULL) {
        backend = row->base->backend_text;
        arm = row->base->arm;
    }
    return json_pack("{s:s, s:s}", "backend", backend, "arm", arm);
}

static json_t *json_member_or_empty(const json_t *object, const char *name)
{
    json_t *member = json_object_get(object, name);
    return member != NULL ? json_incref(member) : json_object();
}

static json_t *json_cell(const struct comparison *comparison, const struct comparison_cell *row)
{
    const struct record_cell *cell = row->cell;
    json_t *json = json_pack(
        "{s:s, s:o, s:i, s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:i, s:i}",
        "workload", cell->workload, "params", json_member_or_empty(cell->plan, "params"), "threads",
        (int)cell->threads, "backend", cell->backend, "arm", cell->arm, "env",
        json_member_or_empty(cell->plan, "env"), "base", json_base(comparison, row), "metric",
        comparison->metric->name, "value", json_figure(row->value), "base_value",
        json_figure(row->base_value), "ratio", json_figure(row->ratio), "low",
        json_figure(row->low), "high", json_figure(row->high), "source", row->source, "verdict",
        comparison_verdict_word(comparison, row->verdict), "rounds", (int)row->rounds, "failed",
        (int)row->failed);
    (void)json_object_set_new(json, "collector", json_string(cell->collector));
    (void)json_object_set_new(json, "p", json_figure(row->p));
    (void)json_object_set_new(json, "net_of_null", json_figure(row->net));
    (void)json_object_set_new(json, "noise_floor", json_figure(row->noise_floor));
    (void)json_object_set_new(json, "withdrawn", json_boolean(row->withdrawn));
    (void)json_object_set_new(json, "base_is_zero", json_boolean(row->base_is_zero));
    (void)json_object_set_new(json, "base_rounds", json_integer(row->base_rounds));
    return json;
}

static json_t *json_geomean(const struct comparison *comparison,
                            const struct comparison_geomean *geomean)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:i, s:b, s:i, s:i}", "backend",
                     geomean->backend, "arm", geomean->arm, "label", geomean->backend_text,
                     "metric", comparison->metric->name, "ratio", json_figure(geomean->ratio),
                     "low", json_figure(geomean->low), "high", json_figure(geomean->high),
                     "families", (int)geomean->families, "complete", geomean->complete ? 1 : 0,
                     "cells", (int)geomean->cells, "cells_expected", (int)geomean->cells_expected);
}

/* Appends a comparison's rows; false: no memory. */
static bool json_add_comparison(json_t *cells, json_t *geomeans,
                                const struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        if (json_array_append_new(cells, json_cell(comparison, &comparison->cells[i])) != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        json_t *geomean = json_geomean(comparison, &comparison->geomeans[i]);
        if (json_array_append_new(geomeans, geomean) != 0) {
            return false;
        }
    }
    return true;
}

json_t *comparison_to_json(struct comparison *const *comparisons, size_t count)
{
    const struct comparison *first = comparisons[0];
    json_t *cells = json_array();
    json_t *geomeans = json_array();
    bool complete = cells != NULL && geomeans != NULL;
    for (size_t i = 0; i < count && complete; i++) {
        complete = json_add_comparison(cells, geomeans, comparisons[i]);
    }
    if (!complete) {
        json_decref(cells);
        json_decref(geomeans);
        return NULL;
    }
    json_t *json = json_pack("{s:o, s:o, s:i, s:i, s:i, s:{s:s, s:s}, s:I, s:o, s:o}", "base",
                             json_base(first, NULL), "noise_floor", json_figure(first->noise_floor),
                             "noise_floor_pairs", (int)first->noise_floor_pairs, "aa_judged",
                             (int)first->aa_judged, "aa_false", (int)first->aa_false, "filters",
                             "workloads", first->workloads, "backends", first->backends, "seed",
                             (json_int_t)first->seed, "cells", cells, "geomeans", geomeans);
    json_t *control = json_pack("{s:s, s:f, s:i, s:i}", "method", "Benjamini-Hochberg", "level",
                                STATISTICS_DISCOVERY_LEVEL, "hypotheses", (int)first->hypotheses,
                                "withdrawn", (int)first->withdrawn);
    (void)json_object_set_new(json, "control", control);
    (void)json_object_set_new(json, "noise_floor_most", json_figure(first->noise_floor_most));
    (void)json_object_set_new(json, "resolves", json_figure(first->resolves));
    (void)json_object_set_new(json, "groups_left_out", json_integer(first->groups_left_out));
    if (first->vary != NULL) {
        (void)json_object_set_new(json, "vary", json_string(first->vary));
    }
    if (first->best_of != NULL) {
        (void)json_object_set_new(json, "best_of", json_string(first->best_of));
    }
    if (first->before) {
        (void)json_object_set(json, "against", json_object_get(first->set->plan, "against"));
    }
    if (first->base_set == NULL && first->differences != NULL) {
        (void)json_object_set(json, "differences", first->differences);
    }
    if (first->base_set != NULL) {
        (void)json_object_set_new(json, "run", json_string(first->set->directory));
        (void)json_object_set_new(json, "base_run", json_string(first->base_set->directory));
        (void)json_object_set_new(json, "relative", json_boolean(first->relative));
        (void)json_object_set(json, "differences", first->differences);
    }
    return json;
}
