/* Draws what a calibration found: how often a slowdown is found, against rounds. */
#ifndef HEAPMILL_PLOTS_POWER_FIGURE_H
#define HEAPMILL_PLOTS_POWER_FIGURE_H

#include "plots/image.h"
#include "results/stats/power.h"

/* Draws power.tsv, .gp, .svg and .png. machine: a sentence for the foot. Errors as image_finish. */
enum status power_figure_draw(const struct image_options *options, const struct power *power,
                              const char *machine, struct error *error);

#endif
