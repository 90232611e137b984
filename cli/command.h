/* The table of commands: each cli/NAME_command.c defines `const struct command command_NAME`, and
 * CMake finds it. */
#ifndef HEAPMILL_CLI_COMMAND_H
#define HEAPMILL_CLI_COMMAND_H

#include "common/host/command.h"

extern const struct command *const command_table[]; /* ends with NULL */

/* The program itself, whose subcommands the table is. */
extern const struct command command_root;
extern const struct command command_bench;
extern const struct command command_compare;

#endif
