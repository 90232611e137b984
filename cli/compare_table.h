/* A comparison as people read it. */
#ifndef HEAPMILL_CLI_COMPARE_TABLE_H
#define HEAPMILL_CLI_COMPARE_TABLE_H

#include <stdio.h>

#include "results/compare/comparison.h"

/* Header, rows, geometric means. Colours where table_colour_allowed says so. */
void compare_table_print(const struct comparison *comparison, FILE *file);

#endif
