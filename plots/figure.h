/* The type of a figure, and the data that it draws. Internal to plots/.
 *
 * A figure is a row of figure_table (figures.c) with one script, NAME.gp. An image is one set of
 * files that a figure draws (image.h). A picture is an image's SVG or PNG. The draw function of a
 * figure of a run is in NAME_figure.c. It computes the data; for each image it calls
 * plot_image_begin, writes rows to image->table and variables to image->script (gnuplot.h), and
 * calls plot_image_finish, which appends the figure's script to the variables. */
#ifndef HEAPMILL_PLOTS_FIGURE_H
#define HEAPMILL_PLOTS_FIGURE_H

#include "common/status.h"
#include "plots/image.h"
#include "plots/palette.h"
#include "plots/plot.h"
#include "results/compare/comparison.h"
#include "results/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A back end with its environment and arm: a row of the heat map, a bar, a point. */
struct plot_row {
    const char *backend_text; /* owned by the set */
    const char *backend;
    const char *collector; /* the chosen one; "": none */
    const char *arm;
    char *label; /* "mimalloc:preload" */
    struct palette_entry look;
    const struct palette_arm *arm_look;
    bool is_base;
};

/* A workload with its parameters and threads. */
struct plot_column {
    uint32_t group; /* index into record_set.groups */
    const char *workload;
    const char *family;
    char *label; /* the workload, and the parameters in which its groups differ */
    char *slug;  /* the label for file names: letters, digits, '.', '_', '-' and '=' */
};

struct plot {
    const struct plot_options *options;
    const struct record_set *set;
    const struct comparison *comparison; /* of the chosen metric */
    struct plot_row *rows; /* in the palette's order, then by name, then by arm; with the base */
    size_t row_count;
    char
        *left_out; /* labels of back ends to which no workload applies, ", " between; "" for none */
    struct plot_column *columns; /* in the plan's order */
    size_t column_count;
    struct plot_report *report;
    struct image_options image_options;
};

struct figure {
    const char *name;
    const char *summary;
    const char *needs; /* what must have been measured */
    /* Draws all its images. NULL: the figure is not of a run, and `command` draws it. */
    enum status (*draw)(struct plot *plot, const struct figure *figure, struct error *error);
    const char *command;
    const char *script; /* the text of its .gp file */
};

/* The last row has a NULL name. */
extern const struct figure figure_table[];

/* Finds the row of that name, which must exist. */
const struct figure *figure_find(const char *name);

/* The type of the draw functions in figure_table. */
typedef enum status figure_draw(struct plot *plot, const struct figure *figure,
                                struct error *error);
figure_draw bars_draw, binding_draw, collector_draw, drain_draw, floating_draw, heatmap_draw,
    latency_draw, memory_draw, pareto_draw, pauses_draw, scaling_draw;

/* The text of preamble.gp, with which every image's script begins. */
extern const char script_preamble[];

/* Finds the row of a back end and arm; returns row_count if there is none. */
size_t plot_find_row(const struct plot *plot, const char *backend_text, const char *arm);

/* The comparison's cell for a row and a column; NULL for the base, and if no cell was planned. */
const struct comparison_cell *plot_find_cell(const struct plot *plot,
                                             const struct comparison *comparison, size_t row,
                                             size_t column);

/* Any cell of the column; NULL if it has none. */
const struct record_cell *plot_column_cell(const struct plot *plot, size_t column);

/* The width of the longest row label, in pixels. */
int plot_label_width(const struct plot *plot);

/* Adds a sentence to the report's notes. */
void plot_note(const struct plot *plot, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The end of an axis for these values, which are reordered: the largest value that is at most four
 * times the median. Larger values are extremes that would flatten all others. 0 if count is 0. */
double plot_axis_end(double *values, size_t count);

/* The texts around the drawing, beside those about the run. Strings are borrowed during the
 * call. */
struct plot_frame {
    const char *name; /* of the files */
    const char *title;
    const char *better;  /* the line below the title: what is better */
    const char *remark;  /* a sentence below the drawing, or "" */
    const char *columns; /* for the table's head: each column with its unit, one line per block */
    const struct comparison
        *comparison; /* whose base, filters, noise floor and rounds are stated */
    int inner_width; /* width of the drawing with its labels, without head and foot */
    int inner_height;
};

/* Calls image_begin with texts that say what is shown, of which run, and by which command it was
 * made. Adds `noise_floor` and the rows' names, colours, markers and dashes to the script. After
 * STATUS_OK the caller must call plot_image_finish. */
enum status plot_image_begin(struct image *image, const struct plot *plot,
                             const struct figure *figure, const struct plot_frame *frame,
                             struct error *error);

/* Calls image_finish and adds the image to the plot's report, which also says whether gnuplot is
 * missing or failed. */
enum status plot_image_finish(struct image *image, const struct plot *plot, struct error *error);

#endif
