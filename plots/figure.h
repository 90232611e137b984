/* What a figure is, and what it is given. Internal to plots/.
 *
 * A figure is a row of figure_table (figures.c) with one script, NAME.gp. An image is one set of
 * files that a figure draws (image.h); a picture is an image's SVG or PNG. A figure of a run has a
 * draw function in NAME_figure.c: it works out the data, and for each image calls plot_image_begin,
 * writes rows to image->table and variables to image->script (gnuplot.h), and calls
 * plot_image_finish. The script is appended to those variables. */
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
    const char *backend_text; /* the set's */
    const char *backend;
    const char *collector; /* that was chosen; "" if none was */
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
    char *label; /* the workload, and those parameters in which its groups differ */
    char *slug;  /* the same for a file's name: letters, digits, '.', '_', '-' and '=' */
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
    const char *needs; /* what must have been measured for it */
    /* Draws all images of it. NULL: it is not of a run, and `command` draws it. */
    enum status (*draw)(struct plot *plot, const struct figure *figure, struct error *error);
    const char *command;
    const char *script; /* the text of a .gp */
};

/* Ends with a NULL name. */
extern const struct figure figure_table[];

/* The row of that name, which must be there. */
const struct figure *figure_find(const char *name);

/* The draw functions of figure_table. */
typedef enum status figure_draw(struct plot *plot, const struct figure *figure,
                                struct error *error);
figure_draw bars_draw, binding_draw, collector_draw, drain_draw, floating_draw, heatmap_draw,
    latency_draw, memory_draw, pareto_draw, pauses_draw, scaling_draw;

/* The text of preamble.gp, which every image's script begins with. */
extern const char script_preamble[];

/* The row of a back end and arm; row_count if it is not among them. */
size_t plot_find_row(const struct plot *plot, const char *backend_text, const char *arm);

/* The comparison's figure for a row and a column; NULL for the base and where none was planned. */
const struct comparison_cell *plot_find_cell(const struct plot *plot,
                                             const struct comparison *comparison, size_t row,
                                             size_t column);

/* A cell of the column, whichever; NULL if there is none. */
const struct record_cell *plot_column_cell(const struct plot *plot, size_t column);

/* The pixels of the widest row's label. */
int plot_label_width(const struct plot *plot);

/* Adds a sentence to the report's notes. */
void plot_note(const struct plot *plot, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Where an axis should end that has to show these values, which it reorders: the largest of those
 * that are at most four times the median; what is beyond is an extreme that would flatten all
 * others. 0 for count 0. */
double plot_axis_end(double *values, size_t count);

/* What stands around the drawing, beside what is said of the run. Strings are borrowed for the
 * call. */
struct plot_frame {
    const char *name; /* of the files */
    const char *title;
    const char *better;  /* below the title: what is better */
    const char *remark;  /* a sentence for the foot, or "" */
    const char *columns; /* for the table's head: each column with its unit, one line a block */
    const struct comparison
        *comparison; /* whose base, filters, noise floor and rounds are stated */
    int inner_width; /* what the drawing needs, with its labels, without head and foot */
    int inner_height;
};

/* image_begin with what is shown, of which run, by which command; in the script also `noise_floor`
 * and the rows' names, colours, markers and dashes. After STATUS_OK the image must go to
 * plot_image_finish. */
enum status plot_image_begin(struct image *image, const struct plot *plot,
                             const struct figure *figure, const struct plot_frame *frame,
                             struct error *error);

/* image_finish, and adds the image to the plot's report, which then tells too that there is no
 * gnuplot or that it failed. */
enum status plot_image_finish(struct image *image, const struct plot *plot, struct error *error);

#endif
