/* The part of a run of `heapmill bench`. Private to report/. */
#ifndef HEAPMILL_REPORT_BENCH_PART_H
#define HEAPMILL_REPORT_BENCH_PART_H

#include "report/part.h"

enum status bench_part_add(struct report *report, const char *directory, struct document *document,
                           struct error *error);

#endif
