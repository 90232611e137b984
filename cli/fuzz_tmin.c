#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "fuzz/campaign/deviations.h"
#include "fuzz/campaign/owner.h"
#include "fuzz/campaign/triage.h"

struct tmin_arguments {
    const char *input;
    const char *target;
    const char *backend;
    const char *bug;
    const char *output;
    double time_s;
    bool json;
};

static const struct option_row tmin_options[] = {
    {FUZZ_INPUT(struct tmin_arguments, input)},
    {FUZZ_TARGET_OF_INPUT(struct tmin_arguments, target)},
    {FUZZ_BACKEND(struct tmin_arguments, backend)},
    {FUZZ_BUG(struct tmin_arguments, bug)},
    {OPTION_TEXT, 'o', "output", "FILE", "file for the smaller input", .shown = "INPUT.min",
     .candidates = OPTION_FILES, OPTION_INTO(struct tmin_arguments, output)},
    {OPTION_SECONDS, 0, "time", "T", "stop after this time", "1m",
     OPTION_INTO(struct tmin_arguments, time_s)},
    {SHARED_JSON(struct tmin_arguments, json, "{kind, text, bytes_before, bytes, tests, output}")},
    {.kind = OPTION_END},
};

static void tmin_print(const struct tmin_arguments *arguments, const char *output,
                       const struct fuzz_signature *signature,
                       const struct fuzz_minimised *minimised)
{
    if (arguments->json) {
        json_t *all = json_pack("{s:s, s:s, s:I, s:I, s:I, s:s}", "kind", signature->kind, "text",
                                signature->text, "bytes_before", (json_int_t)minimised->size_before,
                                "bytes", (json_int_t)minimised->size, "tests",
                                (json_int_t)minimised->tests, "output", output);
        json_print(all);
        json_decref(all);
    } else {
        (void)printf("%s%s%s\n%zu bytes made %zu in %zu trials: %s\n", signature->kind,
                     signature->text[0] != '\0' ? ": " : "", signature->text,
                     minimised->size_before, minimised->size, minimised->tests, output);
    }
}

static enum status tmin_reduce(const struct tmin_arguments *arguments, const char *target,
                               const char *backend, struct error *error)
{
    struct fuzz_catalog catalog;
    const struct fuzz_program *program;
    struct fuzz_failure failure;
    struct fuzz_signature signature = {.kind = NULL};
    struct fuzz_minimised minimised;
    bool failed = false;
    bool library = backend != NULL && strchr(backend, '/') != NULL;
    const char *name = strrchr(arguments->input, '/');
    char *key = fuzz_deviation_key(name != NULL ? name + 1 : arguments->input);
    const struct fuzz_subject subject = {.library = library ? backend : "", .only = key};
    backend = library ? NULL : backend;
    char *output = arguments->output != NULL ? text_format("%s", arguments->output)
                                             : text_format("%s.min", arguments->input);
    enum status status = fuzz_catalog_open(&catalog, error);
    if (status == STATUS_OK) {
        status = fuzz_catalog_find(&catalog, target, backend, arguments->bug, &program, error);
    }
    if (status == STATUS_OK) {
        status = fuzz_triage_find(program, arguments->input, &subject, &failure, &signature,
                                  &failed, error);
    }
    if (status == STATUS_OK && !failed) {
        status = error_set(error, STATUS_INVALID, "%s does not fail in any build of %s",
                           arguments->input, program->label);
    }
    if (status == STATUS_OK) {
        status = fuzz_triage_minimise(&failure, arguments->input, output, arguments->time_s,
                                      &minimised, error);
    }
    if (status == STATUS_OK) {
        tmin_print(arguments, output, &signature, &minimised);
    }
    fuzz_signature_release(&signature);
    fuzz_catalog_close(&catalog);
    free(key);
    free(output);
    return status;
}

static int tmin_execute(const struct invocation *invocation, void *arguments)
{
    const struct tmin_arguments *asked = arguments;
    const char *backend = asked->backend;
    char *target = asked->target != NULL ? text_format("%s", asked->target)
                                         : fuzz_owner_of(asked->input, &backend);
    struct error error;
    enum status status =
        access(asked->input, R_OK) == 0
            ? STATUS_OK
            : error_set(&error, STATUS_INVALID, "%s cannot be read: %m", asked->input);
    if (status == STATUS_OK && target == NULL) {
        status = error_set(&error, STATUS_INVALID,
                           "the input's target is unknown; name it with -t TARGET");
    }
    if (status == STATUS_OK) {
        process_prepare_signals();
        status = tmin_reduce(asked, target, backend, &error);
    }
    free(target);
    return status == STATUS_OK ? EXIT_CLEAN : fuzz_report(invocation, &error);
}
const struct command fuzz_tmin_command = {
    .name = "tmin",
    .summary = "makes a smaller input that fails in the same way",
    .description = "Makes a failing input smaller, as long as it fails in the same way: removes "
                   "operations, and simplifies the others.",
    .options = tmin_options,
    .arguments_size = sizeof(struct tmin_arguments),
    .examples = "heapmill fuzz tmin night/findings/crash-1 --time 2m",
    .exit_statuses = "0 clean; 2 wrong usage, or the input does not fail; 3 a build is missing",
    .execute = tmin_execute,
};
