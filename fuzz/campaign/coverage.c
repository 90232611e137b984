#include "fuzz/campaign/coverage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/host/files.h"
#include "fuzz/campaign/build.h"
#include "fuzz/campaign/coverage_report.h"
#include "fuzz/campaign/crew.h"

/* Builds the ninja targets: the program if one was named, otherwise all programs. */
static enum status coverage_build(const struct fuzz_coverage *coverage,
                                  const struct fuzz_catalog *catalog, struct error *error)
{
    char *clang = file_find_program("clang");
    enum status status = clang != NULL
                             ? STATUS_OK
                             : error_set(error, STATUS_NOT_FOUND,
                                         "coverage wants clang: apt-get install clang llvm");
    free(clang);
    bool one = coverage->targets->count == 1 && coverage->backend != NULL;
    char *target =
        one ? text_format("heapmill-fuzz-%s.%s", coverage->targets->items[0], coverage->backend)
            : text_format("fuzz");
    if (status == STATUS_OK) {
        status = fuzz_build_tree(catalog, FUZZ_TREE_COVERAGE, target, 0, error);
    }
    free(target);
    return status;
}

/* Replays all inputs. The counts go to DIR/raw/LABEL.profraw. */
static enum status coverage_replay(const struct fuzz_coverage *coverage,
                                   const struct fuzz_catalog *catalog,
                                   const struct fuzz_program *program, struct error *error)
{
    struct process_result member;
    struct crew_job job = {.stop_signal = SIGKILL,
                           .log = text_format("%s/raw/%s.log", coverage->output, program->label)};
    text_list_add(&job.settings, text_format("LLVM_PROFILE_FILE=%s/raw/%s.profraw",
                                             coverage->output, program->label));
    text_list_add(&job.arguments, text_format("%s", program->paths[FUZZ_TREE_COVERAGE]));
    char *seeds = fuzz_catalog_seeds(catalog, program->target);
    if (seeds != NULL) {
        text_list_add(&job.arguments, seeds);
    }
    for (size_t i = 0; i < coverage->corpora->count; i++) {
        text_list_add(&job.arguments, text_format("%s", coverage->corpora->items[i]));
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

enum status fuzz_coverage_run(const struct fuzz_coverage *coverage, json_t **report,
                              struct error *error)
{
    struct fuzz_catalog catalog;
    struct text_list programs = {0};
    char *raw = text_format("%s/raw", coverage->output);
    enum status status = fuzz_catalog_open(&catalog, error);
    if (status == STATUS_OK && coverage->build) {
        status = coverage_build(coverage, &catalog, error);
        fuzz_catalog_close(&catalog); /* the build may have added programs */
        status = status == STATUS_OK ? fuzz_catalog_open(&catalog, error) : status;
    }
    if (status == STATUS_OK) {
        status = file_make_directory(raw, error);
    }
    for (size_t i = 0; i < catalog.count && status == STATUS_OK; i++) {
        if (fuzz_program_is_asked(&catalog.programs[i], FUZZ_TREE_COVERAGE, coverage->targets,
                                  coverage->backend)) {
            text_list_add(&programs,
                          text_format("%s", catalog.programs[i].paths[FUZZ_TREE_COVERAGE]));
            status = coverage_replay(coverage, &catalog, &catalog.programs[i], error);
        }
    }
    if (status == STATUS_OK && programs.count == 0) {
        status = error_set(error, STATUS_NOT_FOUND,
                           "no such target is built for coverage: leave --no-build out, and see "
                           "`heapmill fuzz list`");
    }
    if (status == STATUS_OK) {
        status = fuzz_coverage_report(coverage->output, &programs, catalog.source,
                                      catalog.trees[FUZZ_TREE_COVERAGE], report, error);
    }
    text_list_free(&programs);
    fuzz_catalog_close(&catalog);
    free(raw);
    return status;
}
