/* What other commands want of `heapmill compare`. */
#ifndef HEAPMILL_CLI_COMPARE_H
#define HEAPMILL_CLI_COMPARE_H

/* Prints what `heapmill compare DIRECTORY --metric METRIC` prints; an exit status. */
int compare_show_run(const char *directory, const char *metric);

#endif
