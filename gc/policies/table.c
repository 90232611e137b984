/* The collector policies: all that there are, in the order in which they are listed. */
#include "gc/policy.h"

/* One line for each `const struct gc_policy gc_policy_<name>`; sorted by the names of the files. */
#define GC_POLICIES(POLICY)                                                                        \
    POLICY(generational_700)                                                                       \
    POLICY(generational_700_no25)                                                                  \
    POLICY(generational_2000)                                                                      \
    POLICY(growth)                                                                                 \
    POLICY(incremental)                                                                            \
    POLICY(none)                                                                                   \
    POLICY(snapshot)                                                                               \
    POLICY(trial_deletion_php)                                                                     \
    POLICY(trial_deletion_orc)

#define POLICY_DECLARE(name) extern const struct gc_policy gc_policy_##name;
#define POLICY_ENTER(name) &gc_policy_##name,

GC_POLICIES(POLICY_DECLARE)

const struct gc_policy *const gc_policy_table[] = {GC_POLICIES(POLICY_ENTER) NULL};
