/* heapmill fuzz cmin: a smaller corpus that covers as much. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "common/host/files.h"
#include "common/host/process.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/campaign/crew.h"

static const double CMIN_TIME_S = 3600;

struct cmin_arguments {
    const char *target;
    struct text_list directories;
    const char *backend;
    const char *output;
    bool json;
};

static const struct option_row cmin_options[] = {
    {OPTION_TEXT, .placeholder = "TARGET", .help = "whose inputs they are",
     .missing = "say which target: `heapmill fuzz list` names them",
     .candidates = FUZZ_CANDIDATES_TARGETS, OPTION_INTO(struct cmin_arguments, target)},
    {OPTION_LIST, .placeholder = "DIR", .help = "directories of inputs",
     .missing = "say which directories of inputs", .candidates = OPTION_DIRECTORIES,
     OPTION_INTO(struct cmin_arguments, directories)},
    {FUZZ_BACKEND(struct cmin_arguments, backend)},
    {OPTION_TEXT, 'o', "output", "NEW", "the directory that they are copied to",
     .missing = "say where they go: -o NEW", .candidates = OPTION_DIRECTORIES,
     OPTION_INTO(struct cmin_arguments, output)},
    {SHARED_JSON(struct cmin_arguments, json, "{inputs_before, inputs}")},
    {.kind = OPTION_END},
};

static size_t cmin_count(const char *directory)
{
    struct text_list names = {0};
    file_list_names(directory, &names);
    size_t count = names.count;
    text_list_free(&names);
    return count;
}

static enum status cmin_merge(const struct cmin_arguments *arguments, const char *program,
                              bool *failed, struct error *error)
{
    struct process_result member;
    struct crew_job job = {.stop_signal = SIGKILL, .log = text_format("%s.log", arguments->output)};
    text_list_add(&job.arguments, text_format("%s", program));
    text_list_add(&job.arguments, text_format("-merge=1"));
    text_list_add(&job.arguments, text_format("-artifact_prefix=%s.", arguments->output));
    text_list_add(&job.arguments, text_format("-max_len=1000000"));
    text_list_add(&job.arguments, text_format("%s", arguments->output));
    for (size_t i = 0; i < arguments->directories.count; i++) {
        text_list_add(&job.arguments, text_format("%s", arguments->directories.items[i]));
    }
    text_list_add(&job.settings, text_format("ASAN_OPTIONS=detect_leaks=0:symbolize=0"));
    (void)unlink(job.log);
    enum status status = crew_run(&job, CMIN_TIME_S, &member, error);
    *failed = status == STATUS_OK && (member.exit_code != 0 || member.signal != 0);
    if (*failed) {
        (void)fprintf(stderr,
                      "heapmill fuzz cmin: an input fails, and so nothing is merged: see %s\n",
                      job.log);
    } else {
        (void)unlink(job.log);
    }
    crew_job_free(&job);
    return status;
}

static int cmin_do(const struct invocation *invocation, const struct cmin_arguments *arguments)
{
    struct fuzz_catalog catalog;
    const struct fuzz_program *program;
    const char *path;
    struct error error;
    bool failed = false;
    size_t before = 0;
    enum status status = fuzz_catalog_open(&catalog, &error);
    if (status == STATUS_OK) {
        status = fuzz_catalog_find(&catalog, arguments->target, arguments->backend, "", &program,
                                   &error);
    }
    if (status == STATUS_OK) {
        status = fuzz_catalog_path(program, FUZZ_TREE_LIBFUZZER, &path, &error);
    }
    if (status == STATUS_OK) {
        status = file_make_directory(arguments->output, &error);
    }
    for (size_t i = 0; i < arguments->directories.count; i++) {
        before += cmin_count(arguments->directories.items[i]);
    }
    if (status == STATUS_OK) {
        status = cmin_merge(arguments, path, &failed, &error);
    }
    fuzz_catalog_close(&catalog);
    if (status != STATUS_OK) {
        return fuzz_report(invocation, &error);
    }
    size_t after = cmin_count(arguments->output);
    if (arguments->json) {
        (void)printf("{\"inputs_before\": %zu, \"inputs\": %zu}\n", before, after);
    } else {
        (void)printf("%zu inputs; %s has %zu\n", before, arguments->output, after);
    }
    return failed ? EXIT_FINDING : EXIT_CLEAN;
}

static enum status cmin_check(void *arguments, struct error *error)
{
    const struct cmin_arguments *asked = arguments;
    for (size_t i = 0; i < asked->directories.count; i++) {
        if (access(asked->directories.items[i], R_OK | X_OK) != 0) {
            return error_set(error, STATUS_INVALID, "there is no directory %s",
                             asked->directories.items[i]);
        }
    }
    return STATUS_OK;
}

static int cmin_execute(const struct invocation *invocation, void *arguments)
{
    process_prepare_signals();
    return cmin_do(invocation, arguments);
}
const struct command fuzz_cmin_command = {
    .name = "cmin",
    .summary = "a smaller corpus that covers as much",
    .description = "Copies to NEW, which may hold inputs already, those inputs of the directories "
                   "that cover something that the others do not, small ones first (libFuzzer's "
                   "merge).",
    .options = cmin_options,
    .arguments_size = sizeof(struct cmin_arguments),
    .check = cmin_check,
    .examples = "heapmill fuzz cmin block_ops night/corpus -o fuzz/corpus/block_ops",
    .exit_statuses =
        "0 clean; 1 an input fails on the way; 2 wrong usage; 3 the libFuzzer build is missing",
    .execute = cmin_execute,
};
