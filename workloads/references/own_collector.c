/* A reference has its own collector, and no choice: gc/policy.h's table is empty. This is a part of
 * every reference; its line in CMake says what its collector is. */
#include "gc/object.h"

const struct gc_policy *const gc_policy_table[] = {NULL};

const struct gc_policy *gc_policy_find(const char *name, struct error *error)
{
    error_set(error, STATUS_INVALID,
              "there is no collector %s: here is only " HEAPMILL_OWN_COLLECTOR, name);
    return NULL;
}

const struct gc_policy *gc_policy_default(void)
{
    return NULL;
}

const struct gc_policy *runtime_policy(const struct runtime *runtime)
{
    (void)runtime;
    return NULL;
}

const char *gc_policy_name(const struct gc_policy *policy)
{
    (void)policy;
    return HEAPMILL_OWN_COLLECTOR_NAME;
}

const char *gc_policy_summary(const struct gc_policy *policy)
{
    (void)policy;
    return HEAPMILL_OWN_COLLECTOR;
}
