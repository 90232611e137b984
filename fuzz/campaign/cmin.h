/* Makes a smaller corpus that covers as much, with libFuzzer's merge. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_CMIN_H
#define HEAPMILL_FUZZ_CAMPAIGN_CMIN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"

struct fuzz_cmin {
    const char *target;
    const char *backend;                 /* NULL: the target's default */
    const struct text_list *directories; /* directories of inputs */
    const char *output;                  /* a directory, which may already have inputs */
};

struct fuzz_cmin_result {
    size_t inputs_before; /* in the input directories */
    size_t inputs;        /* in the output directory */
    bool failed;          /* an input fails: OUTPUT.log says how, and nothing was merged */
};

/* Merges. STATUS_NOT_FOUND: there is no such target, or no build for libFuzzer; STATUS_IO,
 * STATUS_INTERRUPTED. */
enum status fuzz_cmin_run(const struct fuzz_cmin *cmin, struct fuzz_cmin_result *result,
                          struct error *error);

#endif
