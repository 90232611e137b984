/* Panels of curves, one curve a row: what figures over an axis share (scaling, drain, waste).
 * Internal to plots/. Drawn by curves.gp. */
#ifndef HEAPMILL_PLOTS_CURVES_H
#define HEAPMILL_PLOTS_CURVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/status.h"
#include "plots/gnuplot.h"

struct curve {
    size_t row; /* index of its name and look in the script's row_ arrays */
    double *x;
    double *y;
    size_t count;
};

struct curves_panel {
    char *title;
    const char *x_label; /* constants */
    const char *y_label;
    struct curve *curves;
    size_t count;
    bool log_x;
    bool log_y;
    bool percentiles; /* x is 1 / (1 - p), logarithmic, and its tics say p90, p99… */
    bool steps;       /* values hold until the next */
    bool from_zero;   /* the y axis begins at 0 */
    double y_end; /* where it ends, for panels that are to be compared; 0: where the points do */
};

struct curves {
    struct curves_panel *panels;
    size_t count;
};

/* A new panel at the end; the title is copied. The pointer lives until the next call. */
struct curves_panel *curves_add_panel(struct curves *curves, const char *title);
/* The row's curve in the panel, new if it has none. The pointer lives until the next call. */
struct curve *curves_add_curve(struct curves_panel *panel, size_t row);
/* Keeps points in the order of x. A y that is NAN is left out. */
void curves_add_point(struct curve *curve, double x, double y);
/* Removes the last panel. */
void curves_drop_panel(struct curves *curves);
void curves_release(struct curves *curves);

/* What stands around an image of curves; borrowed. */
struct curves_words {
    const char *name; /* of the image's files */
    const char *title;
    const char *better;
    const char *remark; /* "" for none */
};

struct plot;
struct figure;
struct image_options;

/* Draws them as the figure's one image of the plot's run, the rows being the plot's. As
 * plot_image_finish. */
enum status curves_draw(const struct plot *plot, const struct figure *figure,
                        const struct curves *curves, const char *title, const char *better,
                        struct error *error);
/* The same under another name than the figure's, for figures of several images. */
enum status curves_draw_words(const struct plot *plot, const struct figure *figure,
                              const struct curves *curves, const struct curves_words *words,
                              struct error *error);

/* Adds the panels of a column of the plot; none where the run has nothing for it. */
typedef enum status curves_adder(const struct plot *plot, struct curves *curves, size_t column,
                                 struct error *error);

/* Draws the panels of all columns as the figure's one image. Where there is none, notes that
 * instead. As plot_image_finish. */
enum status curves_draw_columns(struct plot *plot, const struct figure *figure, curves_adder *add,
                                const char *title, const char *better, const char *none,
                                struct error *error);

/* Draws them as an image of no run. As image_finish. */
enum status curves_draw_rows(const struct image_options *options, const struct figure *figure,
                             const struct curves *curves, const struct curves_words *words,
                             const struct script_row *rows, size_t count, struct error *error);

#endif
