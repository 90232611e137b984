/* Adds to a run what it is compared with from before: the back ends of a git revision, which are
 * built beside the working tree, or an earlier build of an allocator's library. Each choice gets a
 * counterpart, which is called "NAME@before" and runs in the same groups and rounds, so that the
 * two are paired. Belongs to one thread. */
#ifndef HEAPMILL_RUN_AGAINST_H
#define HEAPMILL_RUN_AGAINST_H

#include <jansson.h>
#include <stdbool.h>

#include "common/status.h"
#include "run/registry.h"
#include "run/selection.h"

/* Adds the counterparts to the selection. `against` is a library if it is a path that ends with
 * ".so" or has ".so." in it; otherwise it is a revision, as git knows it. A choice that can have no
 * counterpart is taken out, with a line on stderr: a revision has no other peers, and a library is
 * compared with libraries alone. `probes` tells whether the memory or latency passes run, which
 * have programs of their own.
 *
 * A revision is exported and built in BUILD/against/COMMIT, as this build was configured; what is
 * there already is not built again. *about, a new reference, is what the plan keeps: `name`, and
 * `commit` of a revision.
 *
 * Errors: STATUS_INVALID if git knows no such revision or nothing is left to compare;
 * STATUS_UNSUPPORTED if this heapmill has no source tree, a tool is missing, or the revision does
 * not build (the message names the log); STATUS_BUSY if another heapmill is building it;
 * STATUS_INTERRUPTED; STATUS_IO. */
enum status against_add(struct selection *selection, struct registry *registry, const char *against,
                        bool probes, json_t **about, struct error *error);

#endif
