/* heapmill fuzz cmin: a smaller corpus that covers as much. */
#include <getopt.h>
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

static const char cmin_usage[] =
    "usage: heapmill fuzz cmin TARGET DIR… -o NEW [-b BACKEND] [--json]\n"
    "\n"
    "Copies to NEW, which may hold inputs already, those inputs of DIR… that cover something that "
    "the\n"
    "others do not, small ones first (libFuzzer's merge).\n"
    "\n"
    "  -b, --backend NAME   where the target has several (default: pymalloc-3.10)\n"
    "  -o, --output NEW     a directory\n"
    "  --json               {inputs_before, inputs}\n"
    "  -h, --help\n"
    "\n"
    "example: heapmill fuzz cmin block_ops night/corpus -o fuzz/corpus/block_ops\n"
    "\n"
    "exit status: 0; 1 an input fails on the way; 2 wrong usage; 3 the libFuzzer build is "
    "missing\n";

static const struct option cmin_long_options[] = {{"backend", required_argument, NULL, 'b'},
                                                  {"output", required_argument, NULL, 'o'},
                                                  {"json", no_argument, NULL, 'j'},
                                                  {0}};

static const double CMIN_TIME_S = 3600;

struct cmin_arguments {
    const char *backend;
    const char *output;
    const char *target;
    char **directories;
    size_t count;
    bool json;
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
    for (size_t i = 0; i < arguments->count; i++) {
        text_list_add(&job.arguments, text_format("%s", arguments->directories[i]));
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

static int cmin_do(const struct cmin_arguments *arguments)
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
    for (size_t i = 0; i < arguments->count; i++) {
        before += cmin_count(arguments->directories[i]);
    }
    if (status == STATUS_OK) {
        status = cmin_merge(arguments, path, &failed, &error);
    }
    fuzz_catalog_close(&catalog);
    if (status != STATUS_OK) {
        return fuzz_report("cmin", &error);
    }
    size_t after = cmin_count(arguments->output);
    if (arguments->json) {
        (void)printf("{\"inputs_before\": %zu, \"inputs\": %zu}\n", before, after);
    } else {
        (void)printf("%zu inputs; %s has %zu\n", before, arguments->output, after);
    }
    return failed ? EXIT_FINDING : EXIT_CLEAN;
}

static int cmin_run(int argc, char **argv)
{
    struct cmin_arguments arguments = {.backend = NULL};
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":b:o:", cmin_long_options, NULL)) != -1) {
        if (option == '?' || option == ':') {
            return fuzz_refuse("cmin",
                               option == ':' ? "a value is missing after" : "unknown option",
                               argv[optind - 1]);
        }
        arguments.backend = option == 'b' ? optarg : arguments.backend;
        arguments.output = option == 'o' ? optarg : arguments.output;
        arguments.json = arguments.json || option == 'j';
    }
    if (optind + 2 > argc || arguments.output == NULL) {
        return fuzz_refuse("cmin", "it wants a target, directories of inputs, and -o NEW", NULL);
    }
    arguments.target = argv[optind];
    arguments.directories = argv + optind + 1;
    arguments.count = (size_t)(argc - optind - 1);
    for (size_t i = 0; i < arguments.count; i++) {
        if (access(arguments.directories[i], R_OK | X_OK) != 0) {
            return fuzz_refuse("cmin", "there is no directory", arguments.directories[i]);
        }
    }
    process_prepare_signals();
    return cmin_do(&arguments);
}

const struct command fuzz_cmin_command = {
    .name = "cmin",
    .summary = "a smaller corpus that covers as much",
    .usage = cmin_usage,
    .run = cmin_run,
};
