/* What llvm-cov makes of the counts of `heapmill fuzz coverage`. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_COVERAGE_REPORT_H
#define HEAPMILL_FUZZ_CAMPAIGN_COVERAGE_REPORT_H

#include <jansson.h>

#include "common/host/text.h"
#include "common/status.h"

/* source: of the sources, tree: of the build with coverage. Merges DIRECTORY/raw's counts, writes
 * DIRECTORY/index.html, and gives {files: [{file, lines, covered}], lines, covered, html}: of the
 * sources below allocators/ and gc/. Every program has its own build of a source; a line that any
 * of them ran counts as covered, and a function's lines count once. *report is the caller's.
 * STATUS_NOT_FOUND: there is no llvm-cov; STATUS_UNSUPPORTED: it failed. */
enum status fuzz_coverage_report(const char *directory, const struct text_list *programs,
                                 const char *source, const char *tree, json_t **report,
                                 struct error *error);

#endif
