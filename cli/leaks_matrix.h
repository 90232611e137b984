/* The parts of the command `heapmill leaks`. */
#ifndef HEAPMILL_CLI_LEAKS_MATRIX_H
#define HEAPMILL_CLI_LEAKS_MATRIX_H

#include <jansson.h>

#include "common/status.h"
#include "leaks/leaks.h"

/* Draws leaks.* of a score into the directory. STATUS_UNSUPPORTED: there is no gnuplot, the table
 * and the script are written; STATUS_IO; STATUS_INVALID: there is nothing to draw. */
enum status leaks_plot(const json_t *score, const char *directory, const char *command,
                       struct error *error);

/* `heapmill leaks` without a command to judge; an exit status. */
int leaks_matrix(struct leaks_options *options);

#endif
