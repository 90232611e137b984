/* Measures which lines of allocators/ and gc/ the corpora reach, with clang's source-based
 * coverage. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_COVERAGE_H
#define HEAPMILL_FUZZ_CAMPAIGN_COVERAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/host/text.h"
#include "common/status.h"

struct fuzz_coverage {
    const struct text_list *targets; /* empty: all */
    const char *backend;             /* NULL: all */
    const char *output;              /* a directory */
    const struct text_list *corpora; /* directories of inputs beside those of the source tree */
    bool build;                      /* make or update the build tree */
};

/* Replays the corpora and writes OUTPUT/index.html. *report is a new reference to {files: [{file,
 * lines, covered, uncovered: [line…]}], lines, covered, html}. Programs on which an input fails are
 * named on stderr, and their counts are lost. STATUS_NOT_FOUND: clang, llvm or the target is
 * missing; STATUS_UNSUPPORTED: the build failed; STATUS_IO, STATUS_INTERRUPTED. */
enum status fuzz_coverage_run(const struct fuzz_coverage *coverage, json_t **report,
                              struct error *error);

#endif
