/* A smaller corpus that covers as much, by libFuzzer's merge. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_CMIN_H
#define HEAPMILL_FUZZ_CAMPAIGN_CMIN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"

struct fuzz_cmin {
    const char *target;
    const char *backend;                 /* NULL: the target's default */
    const struct text_list *directories; /* of inputs */
    const char *output;                  /* a directory, which may hold inputs already */
};

struct fuzz_cmin_result {
    size_t inputs_before; /* in the directories */
    size_t inputs;        /* in the output */
    bool failed;          /* an input fails; OUTPUT.log says how, and nothing was merged */
};

/* STATUS_NOT_FOUND: no such target, or no build of libFuzzer's; STATUS_IO, STATUS_INTERRUPTED. */
enum status fuzz_cmin_run(const struct fuzz_cmin *cmin, struct fuzz_cmin_result *result,
                          struct error *error);

#endif
