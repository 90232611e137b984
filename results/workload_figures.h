/* The figures that single workloads report of themselves: the member `figures` of their records. */
#ifndef HEAPMILL_RESULTS_WORKLOAD_FIGURES_H
#define HEAPMILL_RESULTS_WORKLOAD_FIGURES_H

#include <jansson.h>

#include "results/record.h"

/* Sets *cells to a new array, in the plan's order: {workload, params, threads, backend, arm,
 * collector, env, label, params_text, figures: {NAME: median over the cell's ok records}} for each
 * cell that has figures and matches the globs (NULL: all). Twins are left out. STATUS_IO,
 * STATUS_CORRUPT: *cells is NULL. */
enum status workload_figures(const struct record_set *set, const char *workloads,
                             const char *backends, json_t **cells, struct error *error);

#endif
