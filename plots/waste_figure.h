/* Waste within blocks against the requested size, a curve a back end. */
#ifndef HEAPMILL_PLOTS_WASTE_FIGURE_H
#define HEAPMILL_PLOTS_WASTE_FIGURE_H

#include "plots/image.h"
#include "run/waste.h"

/* Draws waste.tsv, .gp, .svg and .png: wasted bytes, and their part of the block. note: for the
 * foot, or "". As image_finish. */
enum status waste_figure_draw(const struct image_options *options,
                              const struct waste_curve *waste_curves, size_t count,
                              const char *note, struct error *error);

#endif
