/* Turns the counts of `heapmill fuzz coverage` into a report, with llvm-cov. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_COVERAGE_REPORT_H
#define HEAPMILL_FUZZ_CAMPAIGN_COVERAGE_REPORT_H

#include <jansson.h>

#include "common/host/text.h"
#include "common/status.h"

/* Merges the counts in DIRECTORY/raw, writes DIRECTORY/index.html, and makes {files: [{file, lines,
 * covered}], lines, covered, html} for the sources below allocators/ and gc/. source and tree are
 * the directories of the sources and of the coverage build. Every program has its own build of a
 * source; a line counts as covered if any program ran it, and the lines of a function count once.
 * *report is a new reference. STATUS_NOT_FOUND: there is no llvm-cov; STATUS_UNSUPPORTED: it
 * failed. */
enum status fuzz_coverage_report(const char *directory, const struct text_list *programs,
                                 const char *source, const char *tree, json_t **report,
                                 struct error *error);

#endif
