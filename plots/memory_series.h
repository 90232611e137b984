/* The memory pass of one cell, for figures. Internal to plots/. */
#ifndef HEAPMILL_PLOTS_MEMORY_SERIES_H
#define HEAPMILL_PLOTS_MEMORY_SERIES_H

#include "plots/figure.h"

/* Bytes; NAN if the back end does not know. */
struct memory_sample {
    double operations;
    double live;
    double usable;
    double held;
    double rss;
    const char *phase; /* a phase that begins here; "": none */
};

struct memory_series {
    struct memory_sample *samples;
    size_t count; /* 0: there is nothing to draw, and `reason` says why */
    char reason[96];
    const char *source; /* of held: "stats" or "smaps" */
    bool coarse; /* phases come and go between two samples: what is drawn is no curve of them */
    double operations_max;
    double own_peak; /* the largest of live, usable and held */
    double held_peak;
    double rss_peak;
    json_t *json; /* phases point into it */
};

/* The index of the row's planned cell in the column, twins excepted; the set's cell_count if there
 * is none. */
size_t memory_series_find_cell(const struct plot *plot, size_t row, size_t column);

/* Reads the last memory record of the row's cell in the column. STATUS_NOT_FOUND: no such cell was
 * planned. If the cell failed, or has no memory pass, the series has no samples but a reason. After
 * STATUS_OK the caller calls memory_series_release. */
enum status memory_series_read(const struct plot *plot, size_t row, size_t column,
                               struct memory_series *series, struct error *error);
void memory_series_release(struct memory_series *series);

#endif
