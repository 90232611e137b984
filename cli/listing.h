/* Tables that `heapmill list` and `heapmill doctor` print as text or as JSON: rows of named texts.
 */
#ifndef HEAPMILL_CLI_LISTING_H
#define HEAPMILL_CLI_LISTING_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

struct listing_column {
    const char *member; /* of the JSON objects */
    const char *title;  /* of the table */
};

/* Prints rows (an array of objects) as a table: texts as they are, numbers short, arrays joined by
 * commas, missing members empty. */
void listing_print(FILE *file, const struct listing_column *columns, size_t count,
                   const json_t *rows);

#endif
