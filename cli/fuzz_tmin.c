/* heapmill fuzz tmin: a smaller input that fails in the same way. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "common/host/process.h"
#include "fuzz/campaign/owner.h"
#include "fuzz/campaign/triage.h"

static const char tmin_usage[] =
    "usage: heapmill fuzz tmin INPUT [-t TARGET] [-b BACKEND] [--bug ID] [-o FILE] [--time T] "
    "[--json]\n"
    "\n"
    "Makes a failing input smaller while it fails in the same way: operations are taken out, and "
    "what\n"
    "is left is made plainer.\n"
    "\n"
    "  -t, --target TARGET    whose input it is (default: what its campaign or directory says)\n"
    "  -b, --backend NAME     where the target has several (default: pymalloc-3.10)\n"
    "  --bug ID               the build with that planted bug\n"
    "  -o, --output FILE      (default: INPUT.min)\n"
    "  --time T               give up after it (default: 1m)\n"
    "  --json                 {kind, text, bytes_before, bytes, tests, output}\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0; 2 wrong usage, or the input does not fail; 3 a build is missing\n";

enum tmin_option { OPTION_BUG = 256, OPTION_TIME, OPTION_JSON };

static const struct option tmin_long_options[] = {
    {"target", required_argument, NULL, 't'},
    {"backend", required_argument, NULL, 'b'},
    {"bug", required_argument, NULL, OPTION_BUG},
    {"output", required_argument, NULL, 'o'},
    {"time", required_argument, NULL, OPTION_TIME},
    {"json", no_argument, NULL, OPTION_JSON},
    {0},
};

struct tmin_arguments {
    const char *input;
    const char *target;
    const char *backend;
    const char *bug;
    const char *output;
    double time_s;
    bool json;
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
        (void)json_dumpf(all, stdout, JSON_INDENT(1));
        (void)putchar('\n');
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
    char *output = arguments->output != NULL ? text_format("%s", arguments->output)
                                             : text_format("%s.min", arguments->input);
    enum status status = fuzz_catalog_open(&catalog, error);
    if (status == STATUS_OK) {
        status = fuzz_catalog_find(&catalog, target, backend, arguments->bug, &program, error);
    }
    if (status == STATUS_OK) {
        status =
            fuzz_triage_find(program, arguments->input, "", &failure, &signature, &failed, error);
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
    free(output);
    return status;
}

static int tmin_parse(int argc, char **argv, struct tmin_arguments *arguments)
{
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":t:b:o:", tmin_long_options, NULL)) != -1) {
        if (option == '?' || option == ':') {
            return fuzz_refuse("tmin",
                               option == ':' ? "a value is missing after" : "unknown option",
                               argv[optind - 1]);
        }
        if (option == OPTION_TIME && !text_to_seconds(optarg, &arguments->time_s)) {
            return fuzz_refuse("tmin", "--time takes 30s or 2m, not", optarg);
        }
        arguments->target = option == 't' ? optarg : arguments->target;
        arguments->backend = option == 'b' ? optarg : arguments->backend;
        arguments->bug = option == OPTION_BUG ? optarg : arguments->bug;
        arguments->output = option == 'o' ? optarg : arguments->output;
        arguments->json = arguments->json || option == OPTION_JSON;
    }
    if (optind + 1 != argc) {
        return fuzz_refuse("tmin", "say which input: one file", NULL);
    }
    arguments->input = argv[optind];
    return access(arguments->input, R_OK) == 0
               ? EXIT_CLEAN
               : fuzz_refuse("tmin", "cannot read", arguments->input);
}

static int tmin_run(int argc, char **argv)
{
    struct tmin_arguments arguments = {.bug = "", .time_s = 60};
    int exit_status = tmin_parse(argc, argv, &arguments);
    if (exit_status != EXIT_CLEAN) {
        return exit_status;
    }
    const char *backend = arguments.backend;
    char *target = arguments.target != NULL ? text_format("%s", arguments.target)
                                            : fuzz_owner_of(arguments.input, &backend);
    if (target == NULL) {
        return fuzz_refuse("tmin", "whose input is it? Say so with -t TARGET", NULL);
    }
    struct error error;
    process_prepare_signals();
    enum status status = tmin_reduce(&arguments, target, backend, &error);
    free(target);
    return status == STATUS_OK ? EXIT_CLEAN : fuzz_report("tmin", &error);
}

const struct command fuzz_tmin_command = {
    .name = "tmin",
    .summary = "a smaller input that fails in the same way",
    .usage = tmin_usage,
    .run = tmin_run,
};
