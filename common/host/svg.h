/* Makes a picture of another program a part of an HTML page. */
#ifndef HEAPMILL_COMMON_HOST_SVG_H
#define HEAPMILL_COMMON_HOST_SVG_H

#include <stddef.h>
#include <stdio.h>

#include "common/host/text.h"
#include "common/status.h"

struct svg_place {
    size_t number;           /* number of the picture, unique in its page */
    const char *alternative; /* a description for readers who cannot see it */
};

/* Writes the svg element of the text, fit for a page with many pictures:
 *  - Elements and attributes that draw are kept. All others (scripts, styles, links to elsewhere,
 *    event handlers) are removed with their content.
 *  - ids, and references to them, get the picture's number.
 *  - The size is only in viewBox, so that the picture scales with its box.
 *  - Equal presentation attributes become classes of the page. `classes` gets their declarations:
 *    item i is that of the class "gI".
 *  - Coordinates are rounded to a tenth of a pixel. Points of a curve that are nearer than 0.7
 *    pixels to the one before are dropped, except at turns.
 * STATUS_CORRUPT: the text is no well-formed SVG; a part may have been written. */
enum status svg_inline(const char *svg, const struct svg_place *place, struct text_list *classes,
                       FILE *file, struct error *error);

/* Prints the declarations as rules of a style sheet, ".g0{…}". */
void svg_print_classes(const struct text_list *classes, FILE *file);

#endif
