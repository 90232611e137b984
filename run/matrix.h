/* Named matrices: options of `heapmill bench` that are worth a name. Constant. */
#ifndef HEAPMILL_RUN_MATRIX_H
#define HEAPMILL_RUN_MATRIX_H

#include <stddef.h>
#include <stdint.h>

enum { MATRIX_PARAMETERS_MAX = 12 };

struct matrix {
    const char *name;
    const char *summary;
    const char *backends;                          /* as -b */
    const char *workloads;                         /* as -w */
    const char *parameters[MATRIX_PARAMETERS_MAX]; /* as -p; ends with NULL */
    uint64_t rounds;
    double target_ms;
};

/* Ends with a NULL name. The first is what `heapmill bench` without any choice runs. */
extern const struct matrix matrix_table[];

/* NULL if there is none of that name. */
const struct matrix *matrix_find(const char *name);

#endif
