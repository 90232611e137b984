/* heapmill leaks: what leaks, and who finds it. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/leaks_matrix.h"
#include "cli/leaks_program.h"
#include "cli/shared_options.h"
#include "leaks/detectors.h"

struct leaks_arguments {
    struct leaks_options matrix;
    const char *backends;
    char **command;    /* NULL: the matrix */
    bool matrix_given; /* an option that a command to judge has not */
};

enum { LEAKS_DETECTORS_MAX = 32 };

#define LEAKS_MATRIX_ONLY .given = offsetof(struct leaks_arguments, matrix_given)

static const struct option_row leaks_option_rows[] = {
    {OPTION_REST, .placeholder = "COMMAND [ARGUMENT…]",
     .help = "a program of yours, whose leaks are found",
     OPTION_INTO(struct leaks_arguments, command)},
    {OPTION_TEXT, 'b', "backends", "LIST",
     "of malloc,pymalloc-3.10,pymalloc-256,freelist-2.7; with a command: its malloc, a back end "
     "that can be preloaded",
     .shown = "all; with a command: its own", .candidates = CANDIDATES_BACKENDS,
     OPTION_INTO(struct leaks_arguments, backends)},
    {SHARED_JSON(struct leaks_arguments, matrix.json, "one object")},
    {OPTION_HEADING, .help = "without a command"},
    {OPTION_NUMBER, 'n', "cases", "N", "cases of each kind and back end, and as many twins", "5",
     .least = 1, .most = 1000000, OPTION_INTO(struct leaks_arguments, matrix.cases),
     LEAKS_MATRIX_ONLY},
    {OPTION_COMMAS, 'd', "detector", "LIST",
     "of ledger,collector,growth,lsan,memcheck,heaptrack; the last three look from outside, and by "
     "default at the first case of each kind only",
     .shown = "all", OPTION_INTO(struct leaks_arguments, matrix.detectors), LEAKS_MATRIX_ONLY},
    {OPTION_COMMAS, 'k', "kind", "LIST", "only leaks of these kinds", .shown = "all",
     OPTION_INTO(struct leaks_arguments, matrix.kinds), LEAKS_MATRIX_ONLY},
    {SHARED_SEED(struct leaks_arguments, matrix.seed, "of the draws"), LEAKS_MATRIX_ONLY},
    {OPTION_TEXT, 'o', "output", "DIRECTORY", "directory for the records", "leaks",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct leaks_arguments, matrix.output),
     LEAKS_MATRIX_ONLY},
    {OPTION_TEXT, 0, "plot", "DIRECTORY",
     "draws leaks.svg and leaks.png there: detectors by kinds, and their costs",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct leaks_arguments, matrix.plot),
     LEAKS_MATRIX_ONLY},
    {.kind = OPTION_END},
};

/* A detector that does not exist would otherwise be a run of nothing. */
static enum status leaks_check_detector(const char *name, struct error *error)
{
    const char *names[LEAKS_DETECTORS_MAX];
    size_t count = 0;
    for (; count < LEAKS_DETECTORS_MAX && leaks_detector_table[count] != NULL; count++) {
        names[count] = leaks_detector_table[count]->name;
        if (strcmp(names[count], name) == 0) {
            return STATUS_OK;
        }
    }
    const char *nearest = text_nearest(name, names, count);
    return error_set(error, STATUS_INVALID, "--detector: there is no '%s'%s%s%s", name,
                     nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "'?" : "");
}

static enum status leaks_check(void *arguments, struct error *error)
{
    struct leaks_arguments *asked = arguments;
    if (asked->command != NULL && asked->command[0] == NULL) {
        return error_set(error, STATUS_INVALID, "a command is missing: heapmill leaks -- COMMAND");
    }
    if (asked->command != NULL && asked->matrix_given) {
        return error_set(error, STATUS_INVALID,
                         "with a command only -b and --json mean anything: leave the rest out");
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < asked->matrix.detectors.count && status == STATUS_OK; i++) {
        status = leaks_check_detector(asked->matrix.detectors.items[i], error);
    }
    return status;
}

static int leaks_execute(const struct invocation *invocation, void *arguments)
{
    (void)invocation;
    struct leaks_arguments *asked = arguments;
    if (asked->command != NULL) {
        return leaks_program(asked->command, asked->backends, asked->matrix.json);
    }
    if (asked->backends != NULL) {
        text_split(&asked->matrix.backends, asked->backends, ',');
    }
    int result = leaks_matrix(&asked->matrix);
    text_list_free(&asked->matrix.backends);
    return result;
}
const struct command command_leaks = {
    .name = "leaks",
    .summary = "tells which detector finds which leak, and what a program of yours leaks",
    .synopses = (const char *const[]){"[-n N] [-b LIST] [-d LIST] [-k LIST] [OPTION…]",
                                      "[-b NAME] [--json] -- COMMAND [ARGUMENT…]", NULL},
    .description =
        "Without a command: plants leaks of each kind in small programs, draws clean twins of each "
        "and programs that only look as if they leaked, and asks every detector, which is not told "
        "which is which. A case counts as found when the detector names a place where something "
        "really leaks (or, of those that know no places, says that something does). A detector "
        "from outside has found a case when it names a place where something leaks, and its blocks "
        "add up to nine tenths of the objects and blocks that leaked. Records go to "
        "DIRECTORY/records.jsonl; what is there is not done again, so that a run that was stopped "
        "goes on.\n"
        "\n"
        "Counts in brackets are of kinds that the detector cannot see, which is declared "
        "beforehand with the reason. `own together` is ledger, collector and growth. Slowdowns are "
        "of CPU time against the bare program, of whole processes for detectors from outside; peak "
        "RSS is a ratio too; the report's time is by the wall clock: medians of paired runs.\n"
        "\n"
        "--json prints {rows: [{detector, kind, backend, annotated, recall, precision, low, high, "
        "applicable, slowdown, rss_ratio, first_report_s, reason, planted, found, clean, "
        "suspected, precision_low, precision_high}]}: low and high are the exact 95% interval of "
        "the recall, kinds being the trials; kind \"all\" is of all applicable kinds and every "
        "clean program.\n"
        "\n"
        "With a command: runs it with a leak tracker preloaded, and says which blocks nothing "
        "points at when it exits: bytes by call site, and how the live bytes grew. Whatever the "
        "command starts is tracked too. Compile with -g for lines. A block counts as lost when no "
        "data segment, no stack and no block that can be reached holds a pointer to it or into it. "
        "A call site whose live bytes grow from each quarter of the run to the next is shown as "
        "well, but is not a finding: a cache may mean to grow.\n"
        "\n"
        "With a command, --json prints {judged, exit_code, signal, leaked_blocks, leaked_bytes, "
        "processes: [{program, pid, ended, replaced, judged, allocations, live_blocks, live_bytes, "
        "live_bytes_peak, leaked_blocks, leaked_bytes, samples: [[seconds, blocks, bytes]…], "
        "sites: [{leaked_blocks, leaked_bytes, live_blocks, live_bytes, grows, frames: [{module, "
        "offset, symbol}…]}…]}…]}.",
    .options = leaks_option_rows,
    .arguments_size = sizeof(struct leaks_arguments),
    .check = leaks_check,
    .examples = "heapmill leaks -d ledger,growth -n 3\nheapmill leaks -- ./server --once",
    .exit_statuses =
        "0 clean, or nothing is lost; 1 the own detectors together missed a leak or suspected a "
        "clean program, or the command lost something; 2 wrong usage; 3 something is missing, or "
        "the command could not be judged: it did not start, is linked statically, or did not end "
        "by exit; 4 some runs failed or were skipped; 130 interrupted",
    .execute = leaks_execute,
};
