/* heapmill fuzz: finds the subcommand that the first argument names, and runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fuzz.h"

static const char fuzz_usage[] =
    "usage: heapmill fuzz SUBCOMMAND [OPTION…]\n"
    "       heapmill fuzz SUBCOMMAND --help\n"
    "\n"
    "Fuzzes the back ends, the object layer and the readers, and says how good the fuzzing is.\n"
    "\n"
    "  list      the targets, their back ends, and what is built for which engine\n"
    "  build     configures and builds what the engines need\n"
    "  run       a campaign: libFuzzer, AFL++ or both, or blind random\n"
    "  regress   replays the corpora, for CI\n"
    "  fmt       prints an input as the program that it is\n"
    "  triage    what a campaign found: one line and one reproducer a defect\n"
    "  cmin      a smaller corpus that covers as much\n"
    "  tmin      a smaller input that fails in the same way\n"
    "  coverage  which lines the corpora reach\n"
    "  score     how long each engine takes to find planted bugs\n"
    "  speed     operations per CPU second of each engine, against a bare loop\n"
    "  plot      the figures of a campaign or a score\n"
    "\n"
    "A first campaign:\n"
    "  heapmill fuzz build libfuzzer\n"
    "  heapmill fuzz run block_ops --time 10m -o campaign\n"
    "  heapmill fuzz triage campaign\n"
    "\n"
    "exit status: 0 clean, 1 a finding, 2 wrong usage, 3 something that is needed is missing, 4 "
    "partial\n"
    "results, 130 interrupted\n";

static const struct command *const fuzz_table[] = {
    &fuzz_list_command,     &fuzz_build_command,  &fuzz_run_command,   &fuzz_regress_command,
    &fuzz_fmt_command,      &fuzz_triage_command, &fuzz_cmin_command,  &fuzz_tmin_command,
    &fuzz_coverage_command, &fuzz_score_command,  &fuzz_speed_command, &fuzz_plot_command,
};
enum { FUZZ_COMMANDS = sizeof(fuzz_table) / sizeof(fuzz_table[0]) };

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

static int fuzz_refuse_unknown(const char *name)
{
    const char *names[FUZZ_COMMANDS];
    for (size_t i = 0; i < FUZZ_COMMANDS; i++) {
        names[i] = fuzz_table[i]->name;
    }
    const char *nearest = text_nearest(name, names, FUZZ_COMMANDS);
    (void)fprintf(stderr, "heapmill fuzz: there is no subcommand '%s'%s%s%s\n", name,
                  nearest != NULL ? "; did you mean '" : "; `heapmill fuzz --help` lists them",
                  nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    return EXIT_USAGE;
}

static bool fuzz_is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static int fuzz_run(int argc, char **argv)
{
    if (argc < 2) {
        (void)fputs(fuzz_usage, stderr);
        return EXIT_USAGE;
    }
    bool help = strcmp(argv[1], "help") == 0;
    if (fuzz_is_help(argv[1]) || (help && argc == 2)) {
        (void)fputs(fuzz_usage, stdout);
        return EXIT_CLEAN;
    }
    const char *name = argv[help ? 2 : 1];
    for (size_t i = 0; i < FUZZ_COMMANDS; i++) {
        if (strcmp(fuzz_table[i]->name, name) != 0) {
            continue;
        }
        for (int j = 2; j < argc && strcmp(argv[j], "--") != 0; j++) {
            help = help || fuzz_is_help(argv[j]);
        }
        if (help) {
            (void)fputs(fuzz_table[i]->usage, stdout);
            return EXIT_CLEAN;
        }
        return fuzz_table[i]->run(argc - 1, argv + 1);
    }
    return fuzz_refuse_unknown(name);
}

const struct command command_fuzz = {
    .name = "fuzz",
    .summary = "campaigns against back ends, objects and readers, and what they are worth",
    .usage = fuzz_usage,
    .run = fuzz_run,
    .own_help = true,
};
