/* A picture that another program drew, as a part of an HTML page. */
#ifndef HEAPMILL_COMMON_HOST_SVG_H
#define HEAPMILL_COMMON_HOST_SVG_H

#include <stddef.h>
#include <stdio.h>

#include "common/host/text.h"
#include "common/status.h"

struct svg_place {
    size_t number;           /* of the picture in its page: no two are alike */
    const char *alternative; /* what it shows, for who cannot see it */
};

/* Writes the svg element of the text, made fit for a page with many of them:
 *  - Elements and attributes that draw are kept, all others (scripts, styles, links to elsewhere,
 *    handlers of events) are left out with what is in them.
 *  - ids and what refers to them get the picture's number.
 *  - It scales with its box: the size is in viewBox alone.
 *  - What is alike is said once: presentation attributes become classes of the page, and
 *    `classes` has their declarations: item i is that of the class "gI".
 *  - Coordinates are rounded to a tenth of a pixel, and points of a curve nearer than 0.7 pixels to
 *    the one before are left out, but for turns.
 * STATUS_CORRUPT: it is no SVG, or no well-formed one; something may have been written. */
enum status svg_inline(const char *svg, const struct svg_place *place, struct text_list *classes,
                       FILE *file, struct error *error);

/* The declarations as a style sheet's rules, ".g0{…}". */
void svg_print_classes(const struct text_list *classes, FILE *file);

#endif
