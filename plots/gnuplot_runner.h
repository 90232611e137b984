/* Runs gnuplot on a script, and lets no half-written picture be seen. */
#ifndef HEAPMILL_PLOTS_GNUPLOT_RUNNER_H
#define HEAPMILL_PLOTS_GNUPLOT_RUNNER_H

#include "common/status.h"

#include <stdbool.h>

/* The kinds of picture that a script can be asked for. */
enum picture_format {
    PICTURE_SVG = 1,
    PICTURE_PNG = 2,
};

struct gnuplot_job {
    const char *program;   /* "gnuplot", or a path */
    const char *directory; /* where NAME.gp and NAME.tsv are, and the pictures go */
    const char *name;      /* the script is NAME.gp; it draws into TARGET.svg and TARGET.png */
    unsigned formats;      /* of enum picture_format */
    double timeout_s;
};

/* Runs `program NAME.gp` in the directory with the gnuplot variables `target` and `formats` set, so
 * that it draws into temporary files; these are checked for being whole and renamed to NAME.svg and
 * NAME.png, all or none. On failure the temporary files are gone, and so are pictures of that name
 * from an earlier run, which would show other data than what lies beside them. The user's own
 * ~/.gnuplot is not read. STATUS_UNSUPPORTED: the program does not exist. STATUS_IO: it failed
 * (error has the end of what it said), did not finish in time, or left no whole picture. Blocks;
 * one thread at a time per directory. */
enum status gnuplot_run(const struct gnuplot_job *job, struct error *error);

/* Removes NAME.svg and NAME.png from the directory; that there are none is no error. */
void gnuplot_remove_pictures(const char *directory, const char *name);

#endif
