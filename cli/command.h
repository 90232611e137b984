/* The table of commands. Each cli/NAME_command.c defines `const struct command command_NAME`, and
 * CMake finds it. */
#ifndef HEAPMILL_CLI_COMMAND_H
#define HEAPMILL_CLI_COMMAND_H

#include "common/host/command.h"

extern const struct command *const command_table[]; /* ends with NULL */

/* The program itself; the table has its subcommands. */
extern const struct command command_root;
extern const struct command command_bench;
extern const struct command command_compare;

#endif
