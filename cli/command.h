/* The table of commands: each cli/NAME_command.c defines `const struct command command_NAME`, and
 * CMake finds it. */
#ifndef HEAPMILL_CLI_COMMAND_H
#define HEAPMILL_CLI_COMMAND_H

#include <stdbool.h>

#include "common/host/exit_status.h"

struct command {
    const char *name;
    const char *summary; /* one line for `heapmill help` */
    const char *usage;   /* the text of `heapmill NAME --help` */
    /* argv[0] is the command's name. Returns an exit status. Data goes to stdout, progress and
     * diagnostics to stderr. */
    int (*run)(int argc, char **argv);
    bool own_help; /* it has subcommands, and answers --help behind them itself */
};

extern const struct command *const command_table[]; /* ends with NULL */

#endif
