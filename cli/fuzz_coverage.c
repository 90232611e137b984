#include <jansson.h>
#include <stdio.h>

#include "cli/fuzz.h"
#include "common/host/document.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "fuzz/campaign/coverage.h"

struct coverage_arguments {
    struct text_list targets;
    const char *backend;
    const char *output;
    struct text_list corpora;
    double floor;
    bool no_build;
    bool json;
};

static const struct option_row coverage_options[] = {
    {FUZZ_TARGETS(struct coverage_arguments, targets)},
    {FUZZ_ONE_BACKEND(struct coverage_arguments, backend)},
    {OPTION_LIST, 0, "corpus", "DIR",
     "replay these inputs too (a campaign's corpus); may be repeated",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct coverage_arguments, corpora)},
    {OPTION_SHARE, 0, "floor", "SHARE",
     "exit with 1 if less than this share of all these lines is reached, such as 0.95", .most = 1,
     OPTION_INTO(struct coverage_arguments, floor)},
    {OPTION_FLAG, 0, "no-build", NULL, "use the existing builds",
     OPTION_INTO(struct coverage_arguments, no_build)},
    {OPTION_TEXT, 'o', "output", "DIR", "directory for the pages", "fuzz-coverage",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct coverage_arguments, output)},
    {SHARED_JSON(struct coverage_arguments, json,
                 "{files: [{file, lines, covered, uncovered: [line…]}], lines, covered, html}")},
    {.kind = OPTION_END},
};

static void coverage_print(const json_t *report)
{
    size_t index;
    const json_t *file;
    struct document *document = document_new();
    struct table *table = document_table(document, "files");
    (void)table_column(table, NULL, "file", TABLE_LEFT);
    (void)table_column(table, NULL, "lines", TABLE_RIGHT);
    (void)table_column(table, NULL, "covered", TABLE_RIGHT);
    (void)table_column(table, NULL, "", TABLE_RIGHT);
    json_array_foreach(json_object_get(report, "files"), index, file)
    {
        double lines = json_number_value(json_object_get(file, "lines"));
        double covered = json_number_value(json_object_get(file, "covered"));
        table_row(table);
        table_cell(table, 0, "%s", json_string_value(json_object_get(file, "file")));
        table_cell(table, 1, "%.0f", lines);
        table_cell(table, 2, "%.0f", covered);
        table_cell(table, 3, "%.1f%%", lines > 0 ? 100 * covered / lines : 0);
    }
    double lines = json_number_value(json_object_get(report, "lines"));
    double covered = json_number_value(json_object_get(report, "covered"));
    table_row(table);
    table_cell(table, 0, "all");
    table_cell(table, 1, "%.0f", lines);
    table_cell(table, 2, "%.0f", covered);
    table_cell(table, 3, "%.1f%%", lines > 0 ? 100 * covered / lines : 0);
    document_line(document, "every line: %s", json_string_value(json_object_get(report, "html")));
    document_show(document);
}

static int coverage_tell(const struct coverage_arguments *arguments, json_t *report)
{
    double lines = json_number_value(json_object_get(report, "lines"));
    double covered = json_number_value(json_object_get(report, "covered"));
    if (arguments->json) {
        json_print(report);
    } else {
        coverage_print(report);
    }
    bool below = lines > 0 && covered / lines < arguments->floor;
    if (below) {
        (void)fprintf(stderr,
                      "heapmill fuzz coverage: %.2f%% of the lines, below the floor of "
                      "%.2f%%\n",
                      100 * covered / lines, 100 * arguments->floor);
    }
    return below ? EXIT_FINDING : EXIT_CLEAN;
}

static int coverage_execute(const struct invocation *invocation, void *arguments)
{
    const struct coverage_arguments *asked = arguments;
    const struct fuzz_coverage coverage = {.targets = &asked->targets,
                                           .backend = asked->backend,
                                           .output = asked->output,
                                           .corpora = &asked->corpora,
                                           .build = !asked->no_build};
    struct error error;
    json_t *report = NULL;
    process_prepare_signals();
    enum status status = fuzz_coverage_run(&coverage, &report, &error);
    int exit_status =
        status == STATUS_OK ? coverage_tell(asked, report) : fuzz_report(invocation, &error);
    json_decref(report);
    return exit_status;
}
const struct command fuzz_coverage_command = {
    .name = "coverage",
    .summary = "shows which lines the corpora reach",
    .description =
        "Replays the corpora of the source tree on builds with clang's source-based coverage (the "
        "first call makes them, in their own build tree). Prints a line for each file of "
        "allocators/ and gc/, and writes DIR/index.html, which shows how often every line ran.",
    .options = coverage_options,
    .arguments_size = sizeof(struct coverage_arguments),
    .examples = "heapmill fuzz coverage block_ops --corpus night/corpus",
    .exit_statuses =
        "0 clean; 1 below --floor; 2 wrong usage; 3 clang or llvm is missing; 130 interrupted",
    .execute = coverage_execute,
};
