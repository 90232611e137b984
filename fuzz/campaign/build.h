/* Makes build trees when they are needed. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_BUILD_H
#define HEAPMILL_FUZZ_CAMPAIGN_BUILD_H

#include "common/status.h"
#include "fuzz/campaign/catalog.h"

/* Configures the tree if it does not exist, and builds the ninja target in it. Messages go to
 * stderr. jobs 0: ninja's default. Open the catalog again afterwards: it does not change.
 * STATUS_NOT_FOUND: cmake or the sources are missing; STATUS_UNSUPPORTED: the build failed;
 * STATUS_INTERRUPTED. */
enum status fuzz_build_tree(const struct fuzz_catalog *catalog, enum fuzz_tree tree,
                            const char *target, unsigned jobs, struct error *error);

/* The package of the compiler that a tree needs; NULL: the compiler is installed. Borrowed. */
const char *fuzz_build_missing(enum fuzz_tree tree);

#endif
