/* An image is one set of files of a figure: NAME.tsv is its table, NAME.gp its script, NAME.svg and
 * NAME.png its pictures. All images have this type: those of a run (figure.h adds what is said of
 * the run), of a heap's map, of a campaign. */
#ifndef HEAPMILL_PLOTS_IMAGE_H
#define HEAPMILL_PLOTS_IMAGE_H

#include <stdio.h>

#include "common/status.h"

struct figure;

/* In pixels of the SVG. The scripts count in these too (preamble.gp turns them into fractions). */
enum {
    IMAGE_CHARACTER_WIDTH = 7, /* of the figures' 11 point sans-serif, rounded up */
    IMAGE_LINE_HEIGHT = 17,
    IMAGE_MARGIN = 16,
    IMAGE_WIDTH_MIN = 760, /* below this the foot would need too many lines */
};

/* The output and the way it is drawn. Strings are borrowed until image_finish. */
struct image_options {
    const char *output; /* a directory, made if absent */
    const char
        *command; /* what the user typed, for the table's head and the foot; NULL: not said */
    const char *gnuplot; /* NULL: "gnuplot" from PATH */
    unsigned formats;    /* bits of enum picture_format */
    double timeout_s;    /* 0: two minutes */
};

/* The texts around the drawing. Borrowed during the call. */
struct image_frame {
    const char *name; /* of the files */
    const char *title;
    const char *head;    /* the line below the title: what is better */
    const char *foot;    /* below the drawing: paragraphs, separated by newlines */
    const char *columns; /* head of the table: comment lines, each column with its unit */
    int inner_width;     /* width of the drawing with its labels, without head and foot */
    int inner_height;
};

struct image {
    const struct figure *figure;
    const struct image_options *options;
    char *name;
    FILE *table;      /* for the figure's rows */
    FILE *script;     /* for the figure's variables */
    char *table_path; /* temporary until image_finish */
    char *script_path;
};

/* Makes the directory and the two files, under temporary names, and writes their heads. The script
 * gets `width`, `height`, the drawing's box `box_left`, `box_top`, `box_width`, `box_height`, and
 * the texts around it. After STATUS_OK the caller must call image_finish. STATUS_IO. */
enum status image_begin(struct image *image, const struct figure *figure,
                        const struct image_options *options, const struct image_frame *frame,
                        struct error *error);

/* Appends the figure's script, gives both files their real names, and draws. STATUS_UNSUPPORTED:
 * there is no gnuplot, but the table and the script are written; STATUS_IO. Releases the image. */
enum status image_finish(struct image *image, struct error *error);

/* Names on stdout the files of an image that was drawn with that status. */
void image_tell(const struct image_options *options, const char *name, enum status drawn);

#endif
