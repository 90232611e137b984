/* `heapmill leaks` without a command. */
#ifndef HEAPMILL_CLI_LEAKS_MATRIX_H
#define HEAPMILL_CLI_LEAKS_MATRIX_H

#include "leaks/leaks.h"

/* Runs the matrix; returns an exit status. */
int leaks_matrix(struct leaks_options *options);

#endif
