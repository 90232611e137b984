/* Which leak detector finds which kind of leak, on which back end, at what cost. */
#ifndef HEAPMILL_PLOTS_LEAKS_FIGURE_H
#define HEAPMILL_PLOTS_LEAKS_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include "plots/image.h"

struct leaks_figure_cell {
    uint64_t found;
    uint64_t planted; /* 0: not run */
    bool applicable;
};

/* A detector on a back end. */
struct leaks_figure_row {
    const char *label;
    struct leaks_figure_cell *cells; /* one a kind */
    uint64_t suspected;              /* of clean programs */
    uint64_t clean;
    double slowdown; /* 0: not known */
};

struct leaks_figure {
    const char *const *kinds;
    size_t kind_count;
    const struct leaks_figure_row *rows;
    size_t row_count;
};

/* Draws leaks.tsv, .gp, .svg and .png. As image_finish. */
enum status leaks_figure_draw(const struct image_options *options,
                              const struct leaks_figure *picture, struct error *error);

#endif
