/* Shows which leak detector finds which kind of leak, on which back end, at what cost. */
#ifndef HEAPMILL_PLOTS_LEAKS_FIGURE_H
#define HEAPMILL_PLOTS_LEAKS_FIGURE_H

#include <jansson.h>

#include "common/status.h"

/* Draws leaks.tsv, .gp, .svg and .png of a score into the directory. STATUS_UNSUPPORTED: there is
 * no gnuplot, but the table and the script are written; STATUS_IO; STATUS_INVALID: there is nothing
 * to draw. */
enum status leaks_figure_draw(const json_t *score, const char *directory, const char *command,
                              struct error *error);

#endif
