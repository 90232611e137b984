#include <stdio.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "common/host/process.h"
#include "fuzz/campaign/cmin.h"

struct cmin_arguments {
    const char *target;
    struct text_list directories;
    const char *backend;
    const char *output;
    bool json;
};

static const struct option_row cmin_options[] = {
    {OPTION_TEXT, .placeholder = "TARGET", .help = "the target of the inputs",
     .missing = "a target is missing; `heapmill fuzz list` names them",
     .candidates = FUZZ_CANDIDATES_TARGETS, OPTION_INTO(struct cmin_arguments, target)},
    {OPTION_LIST, .placeholder = "DIR", .help = "directories of inputs",
     .missing = "directories of inputs are missing", .candidates = OPTION_DIRECTORIES,
     OPTION_INTO(struct cmin_arguments, directories)},
    {FUZZ_BACKEND(struct cmin_arguments, backend)},
    {OPTION_TEXT, 'o', "output", "NEW", "the directory for the kept inputs",
     .missing = "a directory for the kept inputs is missing: -o NEW",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct cmin_arguments, output)},
    {SHARED_JSON(struct cmin_arguments, json, "{inputs_before, inputs}")},
    {.kind = OPTION_END},
};

static int cmin_execute(const struct invocation *invocation, void *arguments)
{
    const struct cmin_arguments *asked = arguments;
    const struct fuzz_cmin cmin = {asked->target, asked->backend, &asked->directories,
                                   asked->output};
    struct fuzz_cmin_result result;
    struct error error;
    process_prepare_signals();
    if (fuzz_cmin_run(&cmin, &result, &error) != STATUS_OK) {
        return fuzz_report(invocation, &error);
    }
    if (result.failed) {
        (void)fprintf(stderr,
                      "heapmill fuzz cmin: an input fails, so nothing was merged: see %s.log\n",
                      asked->output);
    }
    if (asked->json) {
        (void)printf("{\"inputs_before\": %zu, \"inputs\": %zu}\n", result.inputs_before,
                     result.inputs);
    } else {
        (void)printf("%zu inputs; %s has %zu\n", result.inputs_before, asked->output,
                     result.inputs);
    }
    return result.failed ? EXIT_FINDING : EXIT_CLEAN;
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

const struct command fuzz_cmin_command = {
    .name = "cmin",
    .summary = "makes a smaller corpus that covers as much",
    .description =
        "Copies inputs of the directories to NEW, small ones first, if they cover something that "
        "the inputs before them do not (libFuzzer's merge). NEW may already have inputs.",
    .options = cmin_options,
    .arguments_size = sizeof(struct cmin_arguments),
    .check = cmin_check,
    .examples = "heapmill fuzz cmin block_ops night/corpus -o fuzz/corpus/block_ops",
    .exit_statuses =
        "0 clean; 1 an input fails on the way; 2 wrong usage; 3 the libFuzzer build is missing",
    .execute = cmin_execute,
};
