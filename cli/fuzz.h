/* The subcommands of `heapmill fuzz`, one file each, and what they have in common. */
#ifndef HEAPMILL_CLI_FUZZ_H
#define HEAPMILL_CLI_FUZZ_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"
#include "cli/shared_options.h"
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

/* Option rows of several subcommands, as in shared_options.h. */

#define FUZZ_CANDIDATES_TARGETS "fuzz list --names"
#define FUZZ_CANDIDATES_BUGS "fuzz list --bugs --names"

#define FUZZ_BACKEND(structure, member)                                                            \
    OPTION_TEXT, 'b', "backend", "NAME", "the back end, where the target has several",             \
        .shown = "pymalloc-3.10", .candidates = CANDIDATES_BACKENDS,                               \
        OPTION_INTO(structure, member)

#define FUZZ_ONE_BACKEND(structure, member)                                                        \
    OPTION_TEXT, 'b', "backend", "NAME", "only this back end",                                     \
        .shown = "all", .candidates = CANDIDATES_BACKENDS, OPTION_INTO(structure, member)

#define FUZZ_INPUT(structure, member)                                                              \
    OPTION_TEXT, .placeholder = "INPUT", .help = "a file", .missing = "say which input: one file", \
                 .candidates = OPTION_FILES, OPTION_INTO(structure, member)

#define FUZZ_TARGET_OF_INPUT(structure, member)                                                    \
    OPTION_TEXT, 't', "target", "TARGET", "whose input it is",                                     \
        .shown = "what its campaign says, or the name of its directory, as below fuzz/corpus",     \
        .candidates = FUZZ_CANDIDATES_TARGETS, OPTION_INTO(structure, member)

#define FUZZ_TARGETS(structure, member)                                                            \
    OPTION_LIST, .placeholder = "TARGET", .help = "only these targets", .shown = "all",            \
                 .candidates = FUZZ_CANDIDATES_TARGETS, OPTION_INTO(structure, member)

#define FUZZ_BUG(structure, member)                                                                \
    OPTION_TEXT, 0, "bug", "ID", "the build with that planted bug",                                \
        .standard = "", .shown = "none", .candidates = FUZZ_CANDIDATES_BUGS,                       \
        OPTION_INTO(structure, member)

/* Prints the error of a subcommand and returns its exit status. STATUS_NOT_FOUND means that a build
 * is missing. */
int fuzz_report(const struct invocation *invocation, const struct error *error);

#endif
