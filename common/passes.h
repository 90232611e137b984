/* The passes that measure a cell, by the names that options, plans, records and workers have for
 * them. Their order is that of enum record_pass (results/record.h) and of enum cell_pass
 * (workloads/runner.h). */
#ifndef HEAPMILL_COMMON_PASSES_H
#define HEAPMILL_COMMON_PASSES_H

#include <stddef.h>

static const char *const pass_names[] = {"time", "memory", "instructions", "latency", NULL};

enum { PASS_COUNT = sizeof(pass_names) / sizeof(pass_names[0]) - 1 };

#endif
