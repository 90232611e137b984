/* Images of a run: what is said of the run around each, and the report that lists them. Internal to
 * plots/. */
#ifndef HEAPMILL_PLOTS_PLOT_IMAGE_H
#define HEAPMILL_PLOTS_PLOT_IMAGE_H

#include "plots/figure.h"
#include "plots/image.h"

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
