/* The points of the pareto figure: what each back end costs in time and in memory. Internal to
 * plots/. */
#ifndef HEAPMILL_PLOTS_PARETO_POINTS_H
#define HEAPMILL_PLOTS_PARETO_POINTS_H

#include "plots/figure.h"

/* Ratios to the base; below 1 needs less. NAN: no complete figure, not drawn. */
struct pareto_point {
    size_t row; /* index into plot->rows */
    double memory;
    double time;
    bool beyond;   /* a yardstick outside the axes */
    bool on_front; /* no other point needs less of both */
    bool label_shown;
    int label_dx; /* of the label's anchor, in pixels from the point, y downwards */
    int label_dy;
    char label_align; /* 'l', 'r' or 'c' */
};

struct pareto_corner {
    double memory;
    double time;
};

struct pareto_panel {
    const char *title;
    struct pareto_point *points; /* [plot->row_count], by row */
    size_t count;
    char *unused; /* workloads that nobody has both figures of, ", " between; "" for none */
    char *note;   /* the points that are not in the picture, and why; "" for none */
    double x_low, x_high, y_low, y_high; /* the axes' ranges */
};

/* The geometric mean over workloads, of one family, or with family NULL of all of them, families
 * weighing equally. time and memory are comparisons of those metrics with equal bases and filters.
 * Workloads of which nobody has both figures (the base holds nothing, or there was no memory pass)
 * are left out and named in the panel's note; any other gap leaves the back end out. The panel is
 * to be released with pareto_release. */
void pareto_panel_make(const struct plot *plot, const struct comparison *time,
                       const struct comparison *memory, const char *family,
                       struct pareto_panel *panel);

/* How many points besides the base's have both figures. */
size_t pareto_point_count(const struct plot *plot, const struct pareto_panel *panel);

/* Marks the points that no other one beats in both. Yardsticks that cannot serve a program (null,
 * bump) neither are on the front nor beat anybody, and do not stretch the axes. Sets the axes'
 * ranges and the note. */
void pareto_find_front(const struct plot *plot, struct pareto_panel *panel);

/* The front as a line of steps by growing memory: between two of its points nothing is on offer.
 * corners has room for 2 × panel->count + 1; returns how many there are. */
size_t pareto_front_line(const struct pareto_panel *panel, struct pareto_corner *corners);

/* Places the labels in a panel of so many pixels where they touch neither each other nor a point:
 * those of the front first; what finds no room has none (the legend has them all). */
void pareto_place_labels(const struct plot *plot, struct pareto_panel *panel, int width,
                         int height);

void pareto_release(struct pareto_panel *panel);

#endif
