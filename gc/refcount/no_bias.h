/* For layers with threads: the collectors that hear of single decrements (gc/policy.h) do not serve
 * them, so no object is ever biased. */
#ifndef HEAPMILL_GC_REFCOUNT_NO_BIAS_H
#define HEAPMILL_GC_REFCOUNT_NO_BIAS_H

#include <stdbool.h>

struct object;

static inline bool object_is_biased(const struct object *object)
{
    (void)object;
    return false;
}

static inline void object_bias(struct object *object)
{
    (void)object;
}

static inline void object_unbias(struct object *object)
{
    (void)object;
}

#endif
