/* gnuplot: the two kinds of text that it reads, variables of a script and fields of a table, and
 * how it is run.
 *
 * Names come from users (a library's path, an environment in braces), so nothing is trusted:
 * scripts have strings in single quotes, in which gnuplot expands neither backquotes nor @macros
 * nor backslashes, with quotes doubled; terminals are set to noenhanced, so that _ ^ {} are
 * themselves; control characters and bytes that are not UTF-8 become '?'. Errors stay in the FILE,
 * for ferror. */
#ifndef HEAPMILL_PLOTS_GNUPLOT_H
#define HEAPMILL_PLOTS_GNUPLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/status.h"

/* NAME = 'text' */
void script_string(FILE *script, const char *name, const char *text);
/* NAME = value; NAN becomes gnuplot's NaN. A whole number is an integer to gnuplot, whose division
 * of two integers drops the fraction: a script multiplies by 1.0 first. */
void script_number(FILE *script, const char *name, double value);
/* array NAME[count] = [...] and NAME_count = count. gnuplot has no empty arrays: for count 0 there
 * is one element, '' or 0. */
void script_strings(FILE *script, const char *name, const char *const *texts, size_t count);
void script_numbers(FILE *script, const char *name, const double *values, size_t count);
/* The same, written as 0xRRGGBB. */
void script_colors(FILE *script, const char *name, const uint32_t *colors, size_t count);
/* How a row of a figure looks: a back end, an engine. */
struct script_row {
    const char *label;
    const char *dash; /* gnuplot's dash type */
    uint32_t color;
    int marker;
};

/* The arrays row_label, row_dash, row_color and row_marker. */
void script_rows(FILE *script, const struct script_row *rows, size_t count);

/* Text for after a '#': one line whatever it holds. */
void script_comment_text(FILE *script, const char *text);

/* A field of a TSV, without the tab; "" becomes "-", double quotes become single ones (gnuplot
 * would take them for its own). */
void tsv_text(FILE *table, const char *text);
/* A number of a TSV, without the tab; NAN becomes NaN. Nine significant digits. */
void tsv_number(FILE *table, double value);

/* Runs gnuplot on a script, and lets no half-written picture be seen. */

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
