/* Which leak detector finds which kind of leak, on which back end, at what cost. */
#ifndef HEAPMILL_PLOTS_LEAKS_PICTURE_H
#define HEAPMILL_PLOTS_LEAKS_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "plots/sheet.h"

struct leaks_picture_cell {
    uint64_t found;
    uint64_t planted; /* 0: not run */
    bool applicable;
};

/* A detector on a back end. */
struct leaks_picture_row {
    const char *label;
    struct leaks_picture_cell *cells; /* one a kind */
    uint64_t suspected;               /* of clean programs */
    uint64_t clean;
    double slowdown; /* 0: not known */
};

struct leaks_picture {
    const char *const *kinds;
    size_t kind_count;
    const struct leaks_picture_row *rows;
    size_t row_count;
};

/* Draws leaks.tsv, .gp, .svg and .png. As sheet_finish. */
enum status leaks_picture_draw(const struct sheet_options *options,
                               const struct leaks_picture *picture, struct error *error);

#endif
