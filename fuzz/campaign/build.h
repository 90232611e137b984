/* Build trees made when they are needed. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_BUILD_H
#define HEAPMILL_FUZZ_CAMPAIGN_BUILD_H

#include "common/status.h"
#include "fuzz/campaign/catalog.h"

/* Configures the tree if it is not there, and builds the ninja target in it; messages go to stderr.
 * jobs 0: ninja's own. The catalog is as it was: open it again. STATUS_NOT_FOUND: no cmake, or no
 * sources; STATUS_UNSUPPORTED: it failed; STATUS_INTERRUPTED. */
enum status fuzz_build_tree(const struct fuzz_catalog *catalog, enum fuzz_tree tree,
                            const char *target, unsigned jobs, struct error *error);

/* The package of the compiler that a tree needs; NULL when it is there. Borrowed. */
const char *fuzz_build_missing(enum fuzz_tree tree);

#endif
