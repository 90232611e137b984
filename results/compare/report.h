/* Describes a comparison for people. */
#ifndef HEAPMILL_RESULTS_COMPARE_REPORT_H
#define HEAPMILL_RESULTS_COMPARE_REPORT_H

#include "common/host/document.h"
#include "results/compare/comparison.h"

/* Adds to the document: what was compared with what, how far to trust it, the rows, and the
 * geometric means. */
void comparison_report(const struct comparison *comparison, struct document *document);

#endif
