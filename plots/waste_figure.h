/* Draws waste within blocks against the requested size, one curve per back end. */
#ifndef HEAPMILL_PLOTS_WASTE_FIGURE_H
#define HEAPMILL_PLOTS_WASTE_FIGURE_H

#include "plots/image.h"
#include "run/waste.h"

/* Draws waste.tsv, .gp, .svg and .png: wasted bytes, and their share of the block. note: for the
 * foot, or "". Errors as image_finish. */
enum status waste_figure_draw(const struct image_options *options,
                              const struct waste_curve *waste_curves, size_t count,
                              const char *note, struct error *error);

#endif
