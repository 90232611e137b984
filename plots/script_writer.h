/* Writes the two kinds of text that gnuplot reads: variables of a script and fields of a table.
 *
 * Names come from users (a library's path, an environment in braces), so nothing is trusted:
 * scripts have strings in single quotes, in which gnuplot expands neither backquotes nor @macros
 * nor backslashes, with quotes doubled; terminals are set to noenhanced, so that _ ^ {} are
 * themselves; control characters and bytes that are not UTF-8 become '?'. Errors stay in the FILE,
 * for ferror. */
#ifndef HEAPMILL_PLOTS_SCRIPT_WRITER_H
#define HEAPMILL_PLOTS_SCRIPT_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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

#endif
