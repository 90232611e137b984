/* What other commands want of `heapmill compare`. */
#ifndef HEAPMILL_CLI_COMPARE_H
#define HEAPMILL_CLI_COMPARE_H

#include <stdbool.h>

/* Prints what `heapmill compare DIRECTORY --metric METRIC` prints; an exit status. */
int compare_show_run(const char *directory, const char *metric);

/* Of a run with --against: prints, unless quiet, the Markdown of results/compare/before.h; exit
 * status 1 if a cell became worse, 4 if none did but some could not be judged. */
int compare_show_before(const char *directory, bool quiet);

#endif
