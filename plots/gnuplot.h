/* Writes the two kinds of text that gnuplot reads (variables of a script, fields of a table), and
 * runs gnuplot.
 *
 * Names come from users (a library's path, an environment in braces), so none is trusted. Strings
 * in scripts have single quotes, in which gnuplot expands no backquotes, @macros or backslashes;
 * quotes in them are doubled. Terminals are set to noenhanced, so that _ ^ {} are printed as they
 * are. Control characters and bytes that are not UTF-8 become '?'. Write errors stay in the FILE,
 * for ferror. */
#ifndef HEAPMILL_PLOTS_GNUPLOT_H
#define HEAPMILL_PLOTS_GNUPLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/status.h"

/* Writes NAME = 'text'. */
void script_string(FILE *script, const char *name, const char *text);
/* Writes NAME = value; NAN becomes gnuplot's NaN. A whole number becomes an integer, and gnuplot's
 * division of two integers drops the fraction, so a script multiplies by 1.0 first. */
void script_number(FILE *script, const char *name, double value);
/* Writes array NAME[count] = [...] and NAME_count = count. gnuplot has no empty arrays, so for
 * count 0 there is one element, '' or 0. */
void script_strings(FILE *script, const char *name, const char *const *texts, size_t count);
void script_numbers(FILE *script, const char *name, const double *values, size_t count);
/* The same with numbers as 0xRRGGBB. */
void script_colors(FILE *script, const char *name, const uint32_t *colors, size_t count);
/* The look of a row of a figure (a back end, an engine). */
struct script_row {
    const char *label;
    const char *dash; /* gnuplot's dash type */
    uint32_t color;
    int marker;
};

/* Writes the arrays row_label, row_dash, row_color and row_marker. */
void script_rows(FILE *script, const struct script_row *rows, size_t count);

/* Writes text as one line, to follow a '#'. */
void script_comment_text(FILE *script, const char *text);

/* Writes a field of a TSV, without the tab. "" becomes "-"; double quotes become single ones,
 * because gnuplot would interpret them. */
void tsv_text(FILE *table, const char *text);
/* Writes a number of a TSV with nine significant digits, without the tab; NAN becomes NaN. */
void tsv_number(FILE *table, double value);

/* Runs gnuplot on a script. Half-written pictures never get the final names. */

/* Formats of pictures. */
enum picture_format {
    PICTURE_SVG = 1,
    PICTURE_PNG = 2,
};

struct gnuplot_job {
    const char *program;   /* "gnuplot", or a path */
    const char *directory; /* where NAME.gp and NAME.tsv are, and where the pictures go */
    const char *name;      /* the script is NAME.gp, which draws TARGET.svg and TARGET.png */
    unsigned formats;      /* bits of enum picture_format */
    double timeout_s;
};

/* Runs `program NAME.gp` in the directory. The gnuplot variables `target` and `formats` make it
 * draw into temporary files. They are checked for completeness and renamed to NAME.svg and
 * NAME.png, all or none. After a failure the temporary files are removed, and so are pictures of
 * that name from an earlier run, since they would show other data than the files beside them. The
 * user's ~/.gnuplot is not read. STATUS_UNSUPPORTED: the program does not exist. STATUS_IO: it
 * failed (error has the end of its output), did not finish in time, or left no complete picture.
 * Blocks; one thread at a time per directory. */
enum status gnuplot_run(const struct gnuplot_job *job, struct error *error);

/* Removes NAME.svg and NAME.png from the directory. It is no error if there are none. */
void gnuplot_remove_pictures(const char *directory, const char *name);

#endif
