/* Waste within blocks against the requested size, a curve a back end. */
#ifndef HEAPMILL_PLOTS_WASTE_FIGURE_H
#define HEAPMILL_PLOTS_WASTE_FIGURE_H

#include "plots/image.h"

struct waste_curve {
    const char *label;   /* "mimalloc:preload" */
    const char *backend; /* the name alone: its look */
    const char *arm;
    const double *usable; /* bytes of a block for requests of 1, 2, … bytes */
    size_t count;
};

/* Draws waste.tsv, .gp, .svg and .png: wasted bytes, and their part of the block. note: for the
 * foot, or "". As image_finish. */
enum status waste_figure_draw(const struct image_options *options,
                              const struct waste_curve *waste_curves, size_t count,
                              const char *note, struct error *error);

#endif
