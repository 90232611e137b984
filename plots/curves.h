/* Panels of curves, one curve per row: the common part of several figures (scaling, drain, waste).
 * Internal to plots/. curves.gp draws them. */
#ifndef HEAPMILL_PLOTS_CURVES_H
#define HEAPMILL_PLOTS_CURVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/status.h"
#include "plots/gnuplot.h"

struct curve {
    size_t row; /* index into the script's row_ arrays (name and look) */
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
    bool percentiles; /* x is 1 / (1 - p), logarithmic, with tics p90, p99… */
    bool steps;       /* a value holds until the next point */
    bool from_zero;   /* the y axis begins at 0 */
    double y_end; /* end of the y axis, for panels that are compared; 0: chosen from the points */
};

struct curves {
    struct curves_panel *panels;
    size_t count;
};

/* Adds a panel at the end. The title is copied. The pointer is valid until the next call. */
struct curves_panel *curves_add_panel(struct curves *curves, const char *title);
/* The row's curve in the panel, which is added if there is none. The pointer is valid until the
 * next call. */
struct curve *curves_add_curve(struct curves_panel *panel, size_t row);
/* Adds a point, in the order of x. A y of NAN is left out. */
void curves_add_point(struct curve *curve, double x, double y);
/* Removes the last panel. */
void curves_drop_panel(struct curves *curves);
void curves_release(struct curves *curves);

/* The texts around an image of curves; borrowed. */
struct curves_words {
    const char *name; /* of the image's files */
    const char *title;
    const char *better;
    const char *remark; /* "": none */
};

struct plot;
struct figure;
struct image_options;

/* Draws the curves as the figure's only image of the plot's run. Their rows are the plot's rows.
 * Errors as plot_image_finish. */
enum status curves_draw(const struct plot *plot, const struct figure *figure,
                        const struct curves *curves, const char *title, const char *better,
                        struct error *error);
/* The same under another name, for figures with several images. */
enum status curves_draw_words(const struct plot *plot, const struct figure *figure,
                              const struct curves *curves, const struct curves_words *words,
                              struct error *error);

/* Adds the panels of a column of the plot; adds none if the run has nothing for it. */
typedef enum status curves_adder(const struct plot *plot, struct curves *curves, size_t column,
                                 struct error *error);

/* Draws the panels of all columns as the figure's only image. If there are no panels, it adds
 * `none` to the notes instead. Errors as plot_image_finish. */
enum status curves_draw_columns(struct plot *plot, const struct figure *figure, curves_adder *add,
                                const char *title, const char *better, const char *none,
                                struct error *error);

/* Draws the curves as an image that is not of a run. Errors as image_finish. */
enum status curves_draw_rows(const struct image_options *options, const struct figure *figure,
                             const struct curves *curves, const struct curves_words *words,
                             const struct script_row *rows, size_t count, struct error *error);

#endif
