/* The picture of a matrix of leak detectors. */
#ifndef HEAPMILL_PLOTS_LEAKS_PLOT_H
#define HEAPMILL_PLOTS_LEAKS_PLOT_H

#include <jansson.h>

#include "common/status.h"

/* Draws leaks.* of a score into the directory. STATUS_UNSUPPORTED: there is no gnuplot, the table
 * and the script are written; STATUS_IO; STATUS_INVALID: there is nothing to draw. */
enum status leaks_plot(const json_t *score, const char *directory, const char *command,
                       struct error *error);

#endif
