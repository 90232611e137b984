/* What a run is compared with from before: the back ends of a git revision, built beside the
 * working tree, or an earlier build of an allocator's library. Each choice gets a counterpart,
 * which is called "NAME@before" and runs in the same groups and rounds, so that the two are paired.
 * One thread. */
#ifndef HEAPMILL_RUN_AGAINST_H
#define HEAPMILL_RUN_AGAINST_H

#include <jansson.h>
#include <stdbool.h>

#include "common/status.h"
#include "run/registry.h"
#include "run/selection.h"

/* against: a library, by a path that ends with ".so" or has ".so." in it, or else a revision, as
 * git knows it. Adds the counterparts to the selection, and takes out, with a line on stderr, what
 * can have none: a revision has no other peers, and a library is compared with libraries alone.
 * probes: are the memory or latency passes run, which have programs of their own?
 *
 * A revision is exported and built in BUILD/against/COMMIT, as this build was configured; what is
 * there already is not built again. *about, a new reference, is what the plan keeps: `name`, and
 * `commit` of a revision. STATUS_INVALID: git knows no such revision, or nothing is left to
 * compare; STATUS_UNSUPPORTED: this heapmill has no source tree, a tool is missing, or the revision
 * does not build (the log is named); STATUS_BUSY: another heapmill is building it;
 * STATUS_INTERRUPTED, STATUS_IO. */
enum status against_add(struct selection *selection, struct registry *registry, const char *against,
                        bool probes, json_t **about, struct error *error);

#endif
