/* Completion of command lines by the tables that they are parsed by. */
#ifndef HEAPMILL_COMMON_HOST_COMPLETION_H
#define HEAPMILL_COMMON_HOST_COMPLETION_H

#include "common/host/command.h"

/* Prints to stdout what may stand in place of the last of the words, which end with NULL and are
 * those of a command line behind the program's name, as a shell splits it (bash splits at '=' too).
 * One candidate a line, a tab and what it is; or one line that is OPTION_FILES or
 * OPTION_DIRECTORIES. The words are put together in place. Candidates that only a command knows are
 * asked of this very program, as a child. Not thread-safe. */
void completion_print(const struct command *root, char **words);

#endif
