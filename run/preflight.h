/* Checks, before the first cell, that every worker is there and every library to be preloaded is
 * the one that malloc then lives in. One thread. */
#ifndef HEAPMILL_RUN_PREFLIGHT_H
#define HEAPMILL_RUN_PREFLIGHT_H

#include <jansson.h>
#include <stdbool.h>

#include "common/status.h"
#include "run/registry.h"
#include "run/selection.h"

/* STATUS_OK: an arm of the back end can run here. malloc_owner, unless NULL, gets the file in which
 * malloc lives when something is preloaded (the caller frees it), else NULL. STATUS_UNSUPPORTED: it
 * cannot, and the message says why and what helps. STATUS_INTERRUPTED. */
enum status preflight_backend(const struct registry *registry, const struct backend *backend,
                              const char *arm, bool memory, char **malloc_owner,
                              struct error *error);

/* Takes out of the selection what cannot run and was not named in full, with a line on stderr each.
 * STATUS_UNSUPPORTED: what cannot run was named in full, or is the user's library, or nothing is
 * left. */
enum status preflight_selection(struct selection *selection, const struct registry *registry,
                                bool memory, struct error *error);

/* The same for a plan that is resumed: everything in it must run. */
enum status preflight_plan(const json_t *plan, const struct registry *registry,
                           struct error *error);

#endif
