/* The parts of the command `heapmill leaks`. */
#ifndef HEAPMILL_CLI_LEAKS_MATRIX_H
#define HEAPMILL_CLI_LEAKS_MATRIX_H

#include "leaks/leaks.h"

/* `heapmill leaks` without a command to judge; an exit status. */
int leaks_matrix(struct leaks_options *options);

#endif
