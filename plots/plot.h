/* Draws the figures of a result directory. A figure is a row of figure_table (plots/figures.c) and
 * gives one or more images. An image is four files: NAME.tsv, the data; NAME.gp, the whole script,
 * so that `gnuplot NAME.gp` in that folder draws it again; NAME.svg and NAME.png. */
#ifndef HEAPMILL_PLOTS_PLOT_H
#define HEAPMILL_PLOTS_PLOT_H

#include "common/status.h"
#include "plots/gnuplot.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Strings are borrowed during the call. */
struct plot_options {
    const char *input;        /* a result directory */
    const char *output;       /* directory of the files, made if absent; NULL: INPUT/plots */
    const char *figures;      /* comma-separated names of figure_table; NULL or "all": all */
    const char *base_backend; /* NULL: the plan's base */
    const char *base_arm;     /* NULL: the arm of the plan's base, or the only one */
    const char *metric;       /* of heatmap and bars; NULL: "time" */
    const char *backends;     /* filters (results/name_filter.h); NULL: all */
    const char *workloads;
    const char *command; /* the user's command line, for the files' headers; NULL: none */
    unsigned formats;    /* bits of enum picture_format */
    const char *gnuplot; /* NULL: "gnuplot" from PATH */
    double timeout_s;    /* for one image; 0: two minutes */
};

/* One image. */
struct plot_image {
    char *figure;       /* the figure's name */
    char *name;         /* of the files, without a suffix */
    enum status status; /* of its pictures; the TSV and the script always exist */
    char *message;      /* why there is no picture; "" if there is one */
};

struct plot_report {
    char *output;
    struct plot_image *images;
    size_t image_count;
    char notes[8][256]; /* one sentence each, which a reader of the figures should know */
    size_t note_count;
};

/* Draws the figures. STATUS_OK: every picture was drawn. Otherwise it returns the first error, and
 * the report has the images so far. STATUS_UNSUPPORTED: there is no gnuplot, but the TSVs and
 * scripts were written; STATUS_NOT_FOUND: no such figure, back end or workload, or nothing was
 * recorded; STATUS_INVALID, STATUS_CORRUPT, STATUS_IO, STATUS_NO_MEMORY. The caller calls
 * plot_report_free in every case. One thread at a time per output directory. */
enum status plot_draw(const struct plot_options *options, struct plot_report *report,
                      struct error *error);

void plot_report_free(struct plot_report *report);

/* All figures, of runs and others, in the order of figures.c: an array of objects {name, summary,
 * needs, command}. A new reference. */
json_t *plot_list_figures(void);

#endif
