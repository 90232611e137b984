/* What stands above a comparison's table: what was compared with what, and how far to trust it. */
#ifndef HEAPMILL_CLI_COMPARE_HEADER_H
#define HEAPMILL_CLI_COMPARE_HEADER_H

#include <stdio.h>

#include "results/compare/comparison.h"

/* Some lines and an empty one. */
void compare_header_print(const struct comparison *comparison, FILE *file);

#endif
