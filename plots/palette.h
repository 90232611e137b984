/* How a back end looks: one fixed colour and marker each, the same in every figure, so that a
 * reader who learned one picture can read them all.
 *
 * Back ends that heapmill knows have their own row in the table; any other name (a user's library)
 * is mapped by a hash of its name onto colours and markers that are reserved for such. The arm
 * never changes the colour: it is told by the dash of a line and the fill of a bar. Everything here
 * is constant and thread-safe. */
#ifndef HEAPMILL_PLOTS_PALETTE_H
#define HEAPMILL_PLOTS_PALETTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plots/gnuplot.h"

struct palette_entry {
    const char *backend; /* NULL for the reserved ones */
    uint32_t color;      /* 0xRRGGBB */
    int marker; /* gnuplot point type 1..15; equal shapes in the svg and pngcairo terminals */
};

/* How an arm looks. */
struct palette_arm {
    const char *arm;
    const char *dash; /* gnuplot dash type, as it stands in a script */
    const char *fill; /* gnuplot fill style, as it stands in a script */
};

size_t palette_known_count(void);
/* index < palette_known_count(). */
const struct palette_entry *palette_known(size_t index);

/* The look of each of count back ends. Names need not be distinct: equal names look equal. Among
 * unknown names that hash onto one look, the first in byte order keeps it and the others take the
 * next that is free in this set, so that a figure never shows two back ends alike while there are
 * looks left (PALETTE_RESERVED_COUNT). */
enum { PALETTE_RESERVED_COUNT = 18 };
void palette_assign(const char *const *backends, size_t count, struct palette_entry *entries);

/* The known back end whose look a collector borrows in figures that compare collectors over one
 * back end, so that nine collectors are told apart as well as nine back ends are; NULL: one that is
 * not known, whose own name may be given to palette_assign. A constant. */
const char *palette_collector(const char *collector);

/* The rows of figures of fuzzing engines: a colour and a marker for each engine, and the second and
 * later row of one engine is told by its dash. Labels are borrowed. */
void palette_engines(const char *const *labels, const char *const *engines, size_t count,
                     struct script_row *rows);

/* Never NULL: an arm that is not known looks like "inline". */
const struct palette_arm *palette_arm(const char *arm);

#endif
