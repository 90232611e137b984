/* heapmill leaks: what leaks, and who finds it. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/leaks_matrix.h"
#include "cli/leaks_program.h"

static const char leaks_usage[] =
    "usage: heapmill leaks [-n CASES] [-b LIST] [-d LIST] [-k LIST] [--seed S] [-o DIRECTORY]\n"
    "                      [--plot DIRECTORY] [--json]\n"
    "       heapmill leaks [-b NAME] [--json] -- COMMAND [ARGUMENT…]\n"
    "\n"
    "Without a command: plants leaks of each kind in small programs, draws clean twins of each "
    "and\n"
    "programs that only look as if they leaked, and asks every detector, which is not told which "
    "is\n"
    "which. A case counts as found when the detector names a place where something really leaks "
    "(or,\n"
    "of those that know no places, says that something does). Records go to "
    "DIRECTORY/records.jsonl;\n"
    "what is there is not done again, so that a run that was stopped goes on.\n"
    "\n"
    "  -n, --cases N           cases of each kind and back end, and as many twins (default: 5)\n"
    "  -b, --backend LIST      of malloc,pymalloc-3.10,pymalloc-256,freelist-2.7 (default: all)\n"
    "  -d, --detector LIST     of ledger,collector,growth,lsan,memcheck,heaptrack (default: all,\n"
    "                          the last three, which look from outside, with the first case of\n"
    "                          each kind; `own together` is the first three)\n"
    "  -k, --kind LIST         (default: all)\n"
    "      --seed S            of the draws (default: 1)\n"
    "  -o, --output DIRECTORY  (default: leaks)\n"
    "      --plot DIRECTORY    draws leaks.svg and leaks.png: detectors by kinds, and their costs\n"
    "      --json              {rows: [{detector, kind, backend, annotated, recall, precision, "
    "low,\n"
    "                          high, applicable, slowdown, rss_ratio, first_report_s, reason,\n"
    "                          planted, found, clean,\n"
    "                          suspected, precision_low, precision_high}]}: low and high are the\n"
    "                          exact 95% interval of the recall; kind \"all\" is of all "
    "applicable\n"
    "                          kinds and every clean program\n"
    "\n"
    "Counts in brackets are of kinds that the detector cannot see, which is declared beforehand "
    "with\n"
    "the reason; slowdowns are of CPU time against the bare program, of whole processes for "
    "detectors\n"
    "from outside, peak RSS is a ratio too, the report's time is by the wall clock: medians of "
    "paired\n"
    "runs. A detector from outside has found a case when it names a place where something leaks, "
    "and\n"
    "its blocks add up to nine tenths of the objects and blocks that leaked.\n"
    "exit status: 0; 1 the own detectors together missed a leak or suspected a clean program; 2 "
    "wrong\n"
    "usage; 3 something is missing; 4 some runs failed or were skipped; 130 interrupted\n"
    "\n"
    "With a command, behind `--`:\n"
    "Runs the command with a leak tracker preloaded, and says which blocks nothing points at when "
    "it\n"
    "exits: bytes by call site, and how the live bytes grew. Whatever the command starts is "
    "tracked\n"
    "too. Compile with -g for lines.\n"
    "\n"
    "A block counts as lost when no data segment, no stack and no block that can be reached holds "
    "a\n"
    "pointer to it or into it. A call site whose live bytes grow from each quarter of the run to "
    "the\n"
    "next is shown as well, but is not a finding: a cache may mean to grow.\n"
    "\n"
    "  -b, --backend NAME  the command's malloc: a back end that can be preloaded (default: its "
    "own)\n"
    "      --json          one object: {judged, exit_code, signal, leaked_blocks, leaked_bytes,\n"
    "                      processes: [{program, pid, ended, replaced, judged, allocations,\n"
    "                      live_blocks, live_bytes, live_bytes_peak, leaked_blocks, leaked_bytes,\n"
    "                      samples: [[seconds, blocks, bytes]…], sites: [{leaked_blocks,\n"
    "                      leaked_bytes, live_blocks, live_bytes, grows, frames: [{module, "
    "offset,\n"
    "                      symbol}…]}…]}…]}\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 nothing is lost; 1 something is; 2 wrong usage; 3 the command could not be "
    "judged:\n"
    "it did not start, is linked statically, or did not end by exit\n";

static int leaks_refuse(const char *argument)
{
    (void)fprintf(
        stderr,
        "heapmill leaks: '%s' is not understood, or its value is missing; `heapmill leaks "
        "--help` shows the usage\n",
        argument);
    return EXIT_USAGE;
}

/* Is there a command to judge, behind "--"? */
static bool leaks_has_command(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            return true;
        }
    }
    return false;
}

static int leaks_command_run(int argc, char **argv)
{
    if (!leaks_has_command(argc, argv)) {
        return leaks_matrix(argc, argv);
    }
    static const struct option long_options[] = {
        {"backend", required_argument, NULL, 'b'}, {"json", no_argument, NULL, 'j'}, {0}};
    const char *backend = NULL;
    bool json = false;
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:b:", long_options, NULL)) != -1) {
        switch (option) {
        case 'b':
            backend = optarg;
            break;
        case 'j':
            json = true;
            break;
        default:
            return leaks_refuse(argv[optind - 1]);
        }
    }
    if (optind == argc) {
        (void)fputs("heapmill leaks: a command is missing: heapmill leaks -- COMMAND\n", stderr);
        return EXIT_USAGE;
    }
    return leaks_program(argv + optind, backend, json);
}

const struct command command_leaks = {
    .name = "leaks",
    .summary = "which detector finds which leak; what a program of yours leaks",
    .usage = leaks_usage,
    .run = leaks_command_run,
};
