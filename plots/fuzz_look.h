/* How a fuzzing engine looks: one colour and marker each, the same in every figure. Internal to
 * plots/. */
#ifndef HEAPMILL_PLOTS_FUZZ_LOOK_H
#define HEAPMILL_PLOTS_FUZZ_LOOK_H

#include <stdint.h>
#include <stdio.h>

/* The variables row_label, row_dash, row_color and row_marker of curves.gp. engines and labels have
 * count entries; the second and later row of one engine is told by its dash. */
void fuzz_look_write(FILE *script, const char *const *labels, const char *const *engines,
                     size_t count);

#endif
