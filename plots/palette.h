/* The look of back ends: each has one fixed colour and marker, the same in every figure, so that a
 * reader who has learned one picture can read them all.
 *
 * Back ends that heapmill knows have a row in the table. Any other name (a user's library) is
 * mapped by a hash onto colours and markers that are reserved for such names. The arm never changes
 * the colour: it is shown by the dash of a line and the fill of a bar. All of this is constant and
 * thread-safe. */
#ifndef HEAPMILL_PLOTS_PALETTE_H
#define HEAPMILL_PLOTS_PALETTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plots/gnuplot.h"

struct palette_entry {
    const char *backend; /* NULL for the reserved ones */
    uint32_t color;      /* 0xRRGGBB */
    int marker;          /* gnuplot point type 1 to 15; equal in the svg and pngcairo terminals */
};

/* The look of an arm. */
struct palette_arm {
    const char *arm;
    const char *dash; /* gnuplot dash type, as in a script */
    const char *fill; /* gnuplot fill style, as in a script */
};

size_t palette_known_count(void);
/* index must be below palette_known_count(). */
const struct palette_entry *palette_known(size_t index);

/* Chooses the looks of count back ends. Equal names get equal looks. If unknown names hash onto one
 * look, the first in byte order keeps it, and the others take the next free one in this set. So a
 * figure never shows two back ends alike while there are looks left (PALETTE_RESERVED_COUNT). */
enum { PALETTE_RESERVED_COUNT = 18 };
void palette_assign(const char *const *backends, size_t count, struct palette_entry *entries);

/* The known back end whose look a collector borrows in figures that compare collectors of one back
 * end. NULL: the collector is unknown, and its own name can be given to palette_assign. A
 * constant. */
const char *palette_collector(const char *collector);

/* Fills the rows of a figure of fuzzing engines: each engine has a colour and a marker, and further
 * rows of one engine differ in their dash. Labels are borrowed. */
void palette_engines(const char *const *labels, const char *const *engines, size_t count,
                     struct script_row *rows);

/* Never NULL: an unknown arm looks like "inline". */
const struct palette_arm *palette_arm(const char *arm);

#endif
