/* heapmill fuzz coverage: which lines the corpora reach. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "cli/fuzz_build.h"
#include "cli/fuzz_coverage_report.h"
#include "common/host/files.h"
#include "common/host/process.h"
#include "fuzz/campaign/catalog.h"

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
    {OPTION_LIST, 0, "corpus", "DIR", "these inputs too (a campaign's corpus); may be repeated",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct coverage_arguments, corpora)},
    {OPTION_SHARE, 0, "floor", "SHARE",
     "exit 1 if a smaller share of all those lines is reached: 0.95", .most = 1,
     OPTION_INTO(struct coverage_arguments, floor)},
    {OPTION_FLAG, 0, "no-build", NULL, "take the builds as they are",
     OPTION_INTO(struct coverage_arguments, no_build)},
    {OPTION_TEXT, 'o', "output", "DIR", "where the pages go", "fuzz-coverage",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct coverage_arguments, output)},
    {SHARED_JSON(struct coverage_arguments, json,
                 "{files: [{file, lines, covered, uncovered: [line…]}], lines, covered, html}")},
    {.kind = OPTION_END},
};

static bool coverage_wants(const struct coverage_arguments *arguments,
                           const struct fuzz_program *program)
{
    bool named = arguments->targets.count == 0;
    for (size_t i = 0; i < arguments->targets.count; i++) {
        named = named || strcmp(arguments->targets.items[i], program->target) == 0;
    }
    return named && program->bug[0] == '\0' && program->paths[FUZZ_TREE_COVERAGE] != NULL &&
           (arguments->backend == NULL || strcmp(arguments->backend, program->backend) == 0);
}

/* The ninja targets: one program where one was named, else all of them. */
static enum status coverage_build(const struct coverage_arguments *arguments,
                                  const struct fuzz_catalog *catalog, struct error *error)
{
    char *clang = file_find_program("clang");
    enum status status = clang != NULL
                             ? STATUS_OK
                             : error_set(error, STATUS_NOT_FOUND,
                                         "coverage wants clang: apt-get install clang llvm");
    free(clang);
    bool one = arguments->targets.count == 1 && arguments->backend != NULL;
    char *target =
        one ? text_format("heapmill-fuzz-%s.%s", arguments->targets.items[0], arguments->backend)
            : text_format("fuzz");
    if (status == STATUS_OK) {
        status = fuzz_build_tree(catalog, FUZZ_TREE_COVERAGE, target, 0, error);
    }
    free(target);
    return status;
}

/* Replays all inputs; counts go to DIR/raw/LABEL.profraw. */
static enum status coverage_replay(const struct coverage_arguments *arguments,
                                   const struct fuzz_catalog *catalog,
                                   const struct fuzz_program *program, struct error *error)
{
    struct process_result member;
    struct crew_job job = {.stop_signal = SIGKILL,
                           .log = text_format("%s/raw/%s.log", arguments->output, program->label)};
    text_list_add(&job.settings, text_format("LLVM_PROFILE_FILE=%s/raw/%s.profraw",
                                             arguments->output, program->label));
    text_list_add(&job.arguments, text_format("%s", program->paths[FUZZ_TREE_COVERAGE]));
    char *seeds = fuzz_catalog_seeds(catalog, program->target);
    if (seeds != NULL) {
        text_list_add(&job.arguments, seeds);
    }
    for (size_t i = 0; i < arguments->corpora.count; i++) {
        text_list_add(&job.arguments, text_format("%s", arguments->corpora.items[i]));
    }
    enum status status = STATUS_OK;
    if (job.arguments.count > 1) {
        status = crew_run(&job, 3600, &member, error);
        if (status == STATUS_OK && (member.exit_code != 0 || member.signal != 0)) {
            (void)fprintf(stderr,
                          "heapmill fuzz coverage: an input fails on %s, whose counts are lost: "
                          "see %s\n",
                          program->label, job.log);
        }
    }
    crew_job_free(&job);
    return status;
}

static int coverage_tell(const struct coverage_arguments *arguments, json_t *report)
{
    double lines = json_number_value(json_object_get(report, "lines"));
    double covered = json_number_value(json_object_get(report, "covered"));
    if (arguments->json) {
        (void)json_dumpf(report, stdout, JSON_INDENT(1));
        (void)putchar('\n');
    } else {
        fuzz_coverage_print(report);
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

static enum status coverage_all(const struct coverage_arguments *arguments, json_t **report,
                                struct error *error)
{
    struct fuzz_catalog catalog;
    struct text_list programs = {0};
    char *raw = text_format("%s/raw", arguments->output);
    enum status status = fuzz_catalog_open(&catalog, error);
    if (status == STATUS_OK && !arguments->no_build) {
        status = coverage_build(arguments, &catalog, error);
        fuzz_catalog_close(&catalog); /* there may be new programs now */
        status = status == STATUS_OK ? fuzz_catalog_open(&catalog, error) : status;
    }
    if (status == STATUS_OK) {
        status = file_make_directory(raw, error);
    }
    for (size_t i = 0; i < catalog.count && status == STATUS_OK; i++) {
        if (coverage_wants(arguments, &catalog.programs[i])) {
            text_list_add(&programs,
                          text_format("%s", catalog.programs[i].paths[FUZZ_TREE_COVERAGE]));
            status = coverage_replay(arguments, &catalog, &catalog.programs[i], error);
        }
    }
    if (status == STATUS_OK && programs.count == 0) {
        status = error_set(error, STATUS_NOT_FOUND,
                           "no such target is built for coverage: leave --no-build out, and see "
                           "`heapmill fuzz list`");
    }
    if (status == STATUS_OK) {
        status = fuzz_coverage_report(arguments->output, &programs, catalog.source,
                                      catalog.trees[FUZZ_TREE_COVERAGE], report, error);
    }
    text_list_free(&programs);
    fuzz_catalog_close(&catalog);
    free(raw);
    return status;
}

static int coverage_execute(const struct invocation *invocation, void *arguments)
{
    struct error error;
    json_t *report = NULL;
    process_prepare_signals();
    enum status status = coverage_all(arguments, &report, &error);
    int exit_status =
        status == STATUS_OK ? coverage_tell(arguments, report) : fuzz_report(invocation, &error);
    json_decref(report);
    return exit_status;
}
const struct command fuzz_coverage_command = {
    .name = "coverage",
    .summary = "which lines the corpora reach",
    .description =
        "Replays the corpora of the source tree on builds with clang's source-based coverage (made "
        "on the first call, in a build tree of their own), prints a line for each file of "
        "allocators/ and gc/, and writes DIR/index.html with every line and how often it ran.",
    .options = coverage_options,
    .arguments_size = sizeof(struct coverage_arguments),
    .examples = "heapmill fuzz coverage block_ops --corpus night/corpus",
    .exit_statuses =
        "0 clean; 1 below --floor; 2 wrong usage; 3 clang or llvm is missing; 130 interrupted",
    .execute = coverage_execute,
};
