/* heapmill report: writes one page with what was measured. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "report/report.h"

struct report_arguments {
    struct text_list directories;
    const char *output;
    bool index;
};

static const struct option_row report_option_rows[] = {
    {OPTION_LIST, .placeholder = "DIR", .candidates = OPTION_FILES,
     .help = "what a command left: a run of bench or try, of leaks, a fuzz campaign or score, a "
             "calibration; or a trace",
     .missing = "say which run: the directory that `heapmill bench -o DIR` made",
     OPTION_INTO(struct report_arguments, directories)},
    {OPTION_TEXT, 'o', "output", "FILE", "the page, or with --index the folder",
     .shown = "report.html, or reports", .candidates = OPTION_FILES,
     OPTION_INTO(struct report_arguments, output)},
    {OPTION_FLAG, 0, "index", NULL,
     "a folder: a page for each DIR, and index.html with the runs in the order of their making, "
     "each held against the one before",
     OPTION_INTO(struct report_arguments, index)},
    {.kind = OPTION_END},
};

static enum status report_check(void *arguments, struct error *error)
{
    struct report_arguments *asked = arguments;
    if (asked->directories.count == 0) {
        return error_set(error, STATUS_INVALID,
                         "say which run: the directory that `heapmill bench -o DIR` made");
    }
    asked->output = asked->output != NULL ? asked->output
                    : asked->index        ? "reports"
                                          : "report.html";
    return STATUS_OK;
}

static int report_execute(const struct invocation *invocation, void *arguments)
{
    const struct report_arguments *asked = arguments;
    struct text_list notes = {0};
    struct error error = {.message = ""};
    char *command = command_line(invocation);
    const struct report_options options = {
        .directories = &asked->directories, .output = asked->output, .command = command};
    enum status status = asked->index ? report_write_index(&options, &notes, &error)
                                      : report_write(&options, &notes, &error);
    for (size_t i = 0; i < notes.count; i++) {
        (void)fprintf(stderr, "heapmill report: note: %s\n", notes.items[i]);
    }
    if (status == STATUS_OK) {
        (void)printf("%s%s\n", asked->output, asked->index ? "/index.html" : "");
    }
    int result = status != STATUS_OK ? command_fail(invocation, &error)
                 : notes.count > 0   ? EXIT_PARTIAL
                                     : EXIT_CLEAN;
    text_list_free(&notes);
    free(command);
    return result;
}

const struct command command_report = {
    .name = "report",
    .summary = "makes one page of what was measured, to hand over or to publish",
    .synopses = (const char *const[]){"DIR… [-o FILE]", "--index DIR… [-o FOLDER]", NULL},
    .description =
        "Writes one HTML page that needs nothing else: which back end won, by how much, how sure "
        "that is and what was not measured; every figure with its numbers; a section for each "
        "workload and back end; what weakens the measurement; the command that repeats it. It "
        "reads well without scripts; with them tables sort and filter, and the base can be "
        "switched. Several directories make one page, in which a run is also held against the one "
        "named before it.",
    .options = report_option_rows,
    .arguments_size = sizeof(struct report_arguments),
    .check = report_check,
    .examples = "heapmill report run -o run.html\nheapmill report --index runs/* -o public",
    .exit_statuses = "0 clean; 2 wrong usage; 3 files cannot be read or written; 4 the page is "
                     "there, but lacks what notes on standard error say",
    .execute = report_execute,
};
