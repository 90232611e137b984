/* What a calibration found: how often a slowdown is told, against rounds. */
#ifndef HEAPMILL_PLOTS_POWER_PICTURE_H
#define HEAPMILL_PLOTS_POWER_PICTURE_H

#include "plots/sheet.h"
#include "results/stats/power.h"

/* Draws power.tsv, .gp, .svg and .png. machine: a sentence for the foot. As sheet_finish. */
enum status power_picture_draw(const struct sheet_options *options, const struct power *power,
                               const char *machine, struct error *error);

#endif
