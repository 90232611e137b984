/* The rows (back ends with their arms) and columns (workloads with their parameters) that all
 * figures of a plot share. Internal to plots/. */
#ifndef HEAPMILL_PLOTS_PLOT_AXES_H
#define HEAPMILL_PLOTS_PLOT_AXES_H

#include "plots/figure.h"

/* Fills plot->rows and plot->columns from plot->comparison: what its filters let through, and the
 * base. To be released with plot_axes_release. */
void plot_axes_build(struct plot *plot);
void plot_axes_release(struct plot *plot);

#endif
