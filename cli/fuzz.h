/* The subcommands of `heapmill fuzz`, one file each, and what they share. */
#ifndef HEAPMILL_CLI_FUZZ_H
#define HEAPMILL_CLI_FUZZ_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"
#include "common/host/text.h"
#include "common/status.h"

extern const struct command fuzz_list_command;
extern const struct command fuzz_build_command;
extern const struct command fuzz_run_command;
extern const struct command fuzz_regress_command;
extern const struct command fuzz_fmt_command;
extern const struct command fuzz_triage_command;
extern const struct command fuzz_cmin_command;
extern const struct command fuzz_tmin_command;
extern const struct command fuzz_coverage_command;
extern const struct command fuzz_score_command;
extern const struct command fuzz_plot_command;
extern const struct command fuzz_speed_command;

/* "heapmill fuzz NAME: message", and what `what` says of the argument that was wrong. Returns
 * EXIT_USAGE. argument may be NULL. */
int fuzz_refuse(const char *name, const char *what, const char *argument);

/* Prints the error of a subcommand; the exit status that goes with it. */
int fuzz_report(const char *name, const struct error *error);

/* What the user typed, for figures and plans. The caller frees. */
char *fuzz_command_line(int argc, char **argv);

#endif
