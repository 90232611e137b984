/* Replays corpora on the targets' builds. No engine is needed. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_REGRESS_H
#define HEAPMILL_FUZZ_CAMPAIGN_REGRESS_H

#include <jansson.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"
#include "fuzz/campaign/catalog.h"

struct fuzz_regress {
    const struct text_list *targets; /* empty: all */
    const char *backend;             /* NULL: all */
    const char *corpus;  /* a directory of inputs; NULL: the target's in the source tree */
    enum fuzz_tree tree; /* the builds that are used */
};

/* Replays. *rows is a new array of {program, inputs, seconds, status: "ok", "failed" or "no
 * corpus", failed: the paths}; *failed counts the programs on which an input fails.
 * STATUS_NOT_FOUND: no such target is built; STATUS_IO, STATUS_INTERRUPTED. */
enum status fuzz_regress_run(const struct fuzz_regress *regress, json_t **rows, size_t *failed,
                             struct error *error);

#endif
