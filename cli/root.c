#include "cli/command.h"

const struct command command_root = {
    .name = "heapmill",
    .summary = "which memory manager belongs under an object runtime?",
    .synopses = (const char *const[]){"COMMAND [OPTION…]", "COMMAND --help", "--version", NULL},
    .description = "Measures, fuzzes and compares memory allocators and cycle collectors under one "
                   "object layer. `heapmill bench` runs a matrix of back ends and workloads, "
                   "`heapmill compare` judges the records of a run, and `heapmill plot` draws "
                   "them; `heapmill fuzz` looks for defects.",
    .subcommands = command_table,
    .examples = "heapmill bench -o run\nheapmill compare run\nheapmill plot run",
    .exit_statuses =
        "0 clean; 1 a finding or a regression; 2 wrong usage; 3 something that is needed is "
        "missing; 4 there are results, but some cells failed; 130 interrupted",
};
