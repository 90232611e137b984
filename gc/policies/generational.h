/* What the policies with three generations share. Internal to gc/. */
#ifndef HEAPMILL_GC_POLICIES_GENERATIONAL_H
#define HEAPMILL_GC_POLICIES_GENERATIONAL_H

#include "gc/collector.h"

struct generational_parameters {
    int thresholds[GC_GENERATIONS];
    bool quarter_rule;
    struct gc_outcome (*collect)(struct runtime *runtime, int oldest, int generation);
};

/* Operations of struct gc_policy, whose parameters are struct generational_parameters. */
bool generational_open(struct runtime *runtime);
void generational_close(struct runtime *runtime);
void generational_allocated(struct runtime *runtime);
uint64_t generational_collect(struct runtime *runtime, int generation);
void generational_counted(const struct runtime *runtime, int counts[GC_GENERATIONS]);

#endif
