/* Completes command lines from the tables that also parse them. */
#ifndef HEAPMILL_COMMON_HOST_COMPLETION_H
#define HEAPMILL_COMMON_HOST_COMPLETION_H

#include "common/host/command.h"

/* Prints the candidates for the last word on stdout. words is a command line without the program's
 * name, as a shell splits it (bash splits at '=' too); it ends with NULL, and is joined in place.
 * Each line is a candidate, a tab and its description; or there is a single line that is
 * OPTION_FILES or OPTION_DIRECTORIES. For candidates that only a command knows, this program is
 * started as a child. Not thread-safe. */
void completion_print(const struct command *root, char **words);

#endif
