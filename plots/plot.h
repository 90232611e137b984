/* Draws the figures of a result directory. A figure is a row of figure_table (plots/figures.c); it
 * gives one image or more, and each image is four files: NAME.tsv, the data; NAME.gp, the whole
 * script, so that `gnuplot NAME.gp` in that folder draws it again; NAME.svg and NAME.png. */
#ifndef HEAPMILL_PLOTS_PLOT_H
#define HEAPMILL_PLOTS_PLOT_H

#include "common/status.h"
#include "plots/gnuplot.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Strings are borrowed for the call. */
struct plot_options {
    const char *input;        /* a result directory */
    const char *output;       /* where the files go; NULL: INPUT/plots. Made if absent */
    const char *figures;      /* comma-separated names of figure_table; NULL or "all": all */
    const char *base_backend; /* NULL: the plan's base */
    const char *base_arm;     /* NULL: the plan's base's, or the only one */
    const char *metric;       /* of heatmap and bars; NULL: "time" */
    const char *backends;     /* filters as results/name_filter.h has them; NULL: all */
    const char *workloads;
    const char *command; /* what the user typed, for the files' headers; NULL: left out */
    unsigned formats;    /* of enum picture_format */
    const char *gnuplot; /* NULL: "gnuplot", found in PATH */
    double timeout_s;    /* for one image; 0: two minutes */
};

/* One image. */
struct plot_image {
    char *figure;       /* the figure's name */
    char *name;         /* the files' name, without a suffix */
    enum status status; /* of its pictures; the TSV and the script are there in any case */
    char *message;      /* why there is no picture; "" if there is one */
};

struct plot_report {
    char *output;
    struct plot_image *images;
    size_t image_count;
    char notes[8][256]; /* what a reader of the figures should know; one sentence each */
    size_t note_count;
};

/* STATUS_OK: every picture was drawn. Otherwise the first thing that went wrong, and the report has
 * the images so far: STATUS_UNSUPPORTED: there is no gnuplot (the TSVs and scripts were written
 * nevertheless); STATUS_NOT_FOUND: no such figure, back end or workload, or nothing recorded;
 * STATUS_INVALID, STATUS_CORRUPT, STATUS_IO, STATUS_NO_MEMORY. The report is the caller's in each
 * case (plot_report_free). One thread at a time per output directory. */
enum status plot_draw(const struct plot_options *options, struct plot_report *report,
                      struct error *error);

void plot_report_free(struct plot_report *report);

/* The figures that there are, of runs and others, in the order of figures.c: name, what it shows,
 * what it needs, and the command that draws it. An array of objects {name, summary, needs,
 * command}; the caller's. */
json_t *plot_list_figures(void);

#endif
