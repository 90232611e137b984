/* heapmill leaks: what leaks, and who finds it. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/leaks_program.h"

static const char leaks_usage[] =
    "usage: heapmill leaks [-b NAME] [--json] -- COMMAND [ARGUMENT…]\n"
    "\n"
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

static int leaks_command_run(int argc, char **argv)
{
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
    .summary = "what a program of yours leaks, by call site",
    .usage = leaks_usage,
    .run = leaks_command_run,
};
