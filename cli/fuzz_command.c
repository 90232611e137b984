/* heapmill fuzz: its subcommands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int fuzz_refuse(const char *name, const char *what, const char *argument)
{
    (void)fprintf(stderr, "heapmill fuzz %s: %s%s%s; `heapmill fuzz %s --help` shows the usage\n",
                  name, what, argument != NULL ? " " : "", argument != NULL ? argument : "", name);
    return EXIT_USAGE;
}

int fuzz_report(const char *name, const struct error *error)
{
    (void)fprintf(stderr, "heapmill fuzz %s: %s\n", name, error->message);
    switch (error->status) {
    case STATUS_INVALID:
        return EXIT_USAGE;
    case STATUS_INTERRUPTED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_ENVIRONMENT;
    }
}

char *fuzz_command_line(int argc, char **argv)
{
    struct text_list words = {0};
    text_list_add(&words, text_format("heapmill fuzz"));
    for (int i = 0; i < argc; i++) {
        text_list_add(&words, text_format("%s", argv[i]));
    }
    char *line = text_join(&words, " ");
    text_list_free(&words);
    return line;
}
const struct command command_fuzz = {
    .name = "fuzz",
    .summary = "campaigns against back ends, objects and readers, and what they are worth",
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
