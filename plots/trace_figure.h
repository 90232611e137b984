/* A trace to look at: its live bytes over events, and how its sizes, lifetimes and reuse are
 * distributed. */
#ifndef HEAPMILL_PLOTS_TRACE_FIGURE_H
#define HEAPMILL_PLOTS_TRACE_FIGURE_H

#include <jansson.h>

#include "plots/image.h"

/* Draws trace.tsv, .gp, .svg and .png of what trace_info (traces/host/info.h) answers. As
 * image_finish. */
enum status trace_figure_draw(const struct image_options *options, const json_t *info,
                              struct error *error);

#endif
