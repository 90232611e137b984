/* One image of a figure: its table, its script, its pictures. Internal to plots/. */
#ifndef HEAPMILL_PLOTS_IMAGE_H
#define HEAPMILL_PLOTS_IMAGE_H

#include "common/status.h"
#include "plots/figure.h"

#include <stdio.h>

/* In pixels of the SVG, in which the scripts count too (preamble.gp makes fractions of them). */
enum {
    IMAGE_CHARACTER_WIDTH = 7, /* of the figures' 11 point sans-serif, on the wide side */
    IMAGE_LINE_HEIGHT = 17,
    IMAGE_MARGIN = 16,
    IMAGE_WIDTH_MIN = 760, /* narrower, and the foot's lines would be many */
};

/* What stands around the drawing. Strings are borrowed for the call. */
struct image_frame {
    const char *title;
    const char *better;  /* below the title: what is better */
    const char *remark;  /* a sentence for the foot, or "" */
    const char *columns; /* for the table's head: each column with its unit, one line a block */
    const struct comparison
        *comparison; /* whose base, filters, noise floor and rounds are stated */
    int inner_width; /* what the drawing needs, with its labels, without head and foot */
    int inner_height;
};

struct image {
    const struct plot *plot;
    const struct figure *figure;
    char *name;
    FILE *table;      /* for the figure's rows */
    FILE *script;     /* for the figure's variables */
    char *table_path; /* temporary until image_finish */
    char *script_path;
};

/* Makes the two files under temporary names and writes their heads: what is shown, of which run, by
 * which command; in the script also `width`, `height` and the drawing's box `box_left`, `box_top`,
 * `box_width`, `box_height`, and the rows' names, colours, markers, dashes and fills. name is
 * copied. After STATUS_OK the image must go to image_finish or image_abandon. */
enum status image_begin(struct image *image, const struct plot *plot, const struct figure *figure,
                        const char *name, const struct image_frame *frame, struct error *error);

/* Completes the script, gives both files their real names, draws, and adds the image to the report.
 * That there is no gnuplot, or that it failed, is told by the report and the returned status.
 * Releases the image. */
enum status image_finish(struct image *image, struct error *error);

/* Releases the image and removes its temporary files. */
void image_abandon(struct image *image);

#endif
