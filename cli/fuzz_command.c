#include "cli/fuzz.h"

static const struct command *const fuzz_table[] = {
    &fuzz_list_command,
    &fuzz_build_command,
    &fuzz_run_command,
    &fuzz_regress_command,
    &fuzz_fmt_command,
    &fuzz_triage_command,
    &fuzz_cmin_command,
    &fuzz_tmin_command,
    &fuzz_coverage_command,
    &fuzz_score_command,
    &fuzz_speed_command,
    &fuzz_plot_command,
    NULL,
};

int fuzz_report(const struct invocation *invocation, const struct error *error)
{
    int status = command_fail(invocation, error);
    return error->status == STATUS_NOT_FOUND ? EXIT_ENVIRONMENT : status;
}

const struct command command_fuzz = {
    .name = "fuzz",
    .summary = "fuzzes back ends, objects and readers, and measures how good the fuzzing is",
    .synopses = (const char *const[]){"COMMAND [OPTION…]", "COMMAND --help", NULL},
    .description =
        "Fuzzes the back ends, the object layer and the readers, and says how good the fuzzing is.",
    .subcommands = fuzz_table,
    .examples = "heapmill fuzz build libfuzzer\n"
                "heapmill fuzz run block_ops --time 10m -o campaign\n"
                "heapmill fuzz triage campaign",
    .exit_statuses = "0 clean; 1 a finding; 2 wrong usage; 3 something that is needed is missing; "
                     "4 partial results; 130 interrupted",
};
