/* A picture that is not of a result directory: a heap map, a curve that was asked of the back ends
 * themselves. Like a figure's image it is NAME.tsv, NAME.gp, NAME.svg and NAME.png. Internal to
 * plots/, but for struct sheet_options. */
#ifndef HEAPMILL_PLOTS_SHEET_H
#define HEAPMILL_PLOTS_SHEET_H

#include <stddef.h>
#include <stdio.h>

#include "common/status.h"

/* Strings are borrowed for the call. */
struct sheet_options {
    const char *output;  /* directory, made if absent */
    const char *command; /* what the user typed, for heads and foot */
    const char *gnuplot; /* NULL: "gnuplot", found in PATH */
    unsigned formats;    /* of enum picture_format */
};

struct sheet_frame {
    const char *name; /* of the files */
    const char *title;
    const char *head;    /* below the title */
    const char *foot;    /* below the drawing */
    const char *columns; /* of the table, comment lines */
    int inner_width;     /* pixels */
    int inner_height;
};

struct sheet {
    const struct sheet_options *options;
    char *name;
    FILE *table;
    FILE *script;
};

/* Makes the directory and the two files with their heads: the script has the canvas's variables as
 * image.h describes them. After STATUS_OK the sheet goes to sheet_finish. STATUS_IO. */
enum status sheet_begin(struct sheet *sheet, const struct sheet_options *options,
                        const struct sheet_frame *frame, struct error *error);

/* Adds the script's body and draws. STATUS_UNSUPPORTED: there is no gnuplot, the table and the
 * script are written; STATUS_IO. Releases the sheet. */
enum status sheet_finish(struct sheet *sheet, const char *body, struct error *error);

/* The bodies: map.gp, curves.gp, power.gp, fuzz_heat.gp and leaks_heat.gp. Made by CMake. */
extern const char sheet_map_script[];
extern const char sheet_curves_script[];
extern const char sheet_power_script[];
extern const char sheet_fuzz_heat_script[];
extern const char sheet_leaks_heat_script[];

#endif
