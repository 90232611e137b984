/* heapmill fuzz fmt: an input as the program that it is. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "common/host/process.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/campaign/execute.h"
#include "fuzz/campaign/owner.h"

static const char fmt_usage[] =
    "usage: heapmill fuzz fmt INPUT [-t TARGET] [-b BACKEND] [--json]\n"
    "\n"
    "Prints an input as the program that it is: one operation a line. Nothing is executed.\n"
    "\n"
    "  -t, --target TARGET    whose input it is (default: the name of the directory that it is "
    "in,\n"
    "                         as below fuzz/corpus; or what its campaign says)\n"
    "  -b, --backend NAME     where the target has several (default: pymalloc-3.10)\n"
    "  --json                 {target, backend, lines: [...]}\n"
    "  -h, --help\n";

static const struct option fmt_long_options[] = {{"target", required_argument, NULL, 't'},
                                                 {"backend", required_argument, NULL, 'b'},
                                                 {"json", no_argument, NULL, 'j'},
                                                 {0}};

static enum status fmt_print(const char *input, const char *target, const char *backend, bool json,
                             struct error *error)
{
    struct fuzz_catalog catalog;
    const struct fuzz_program *program;
    const char *path;
    struct fuzz_execution execution = {.text = NULL};
    enum status status = fuzz_catalog_open(&catalog, error);
    if (status == STATUS_OK) {
        status = fuzz_catalog_find(&catalog, target, backend, "", &program, error);
    }
    if (status == STATUS_OK) {
        status = fuzz_catalog_path(program, FUZZ_TREE_ORDINARY, &path, error);
    }
    if (status == STATUS_OK) {
        const char *const arguments[] = {path, "--print", input, NULL};
        status = fuzz_execute(arguments, NULL, false, 60, &execution, error);
    }
    if (status == STATUS_OK && !fuzz_execution_clean(&execution)) {
        status = error_set(error, STATUS_IO, "%s could not print it: %.400s", path,
                           execution.text != NULL ? execution.text : "");
    } else if (status == STATUS_OK && json) {
        struct text_list lines = {0};
        json_t *array = json_array();
        text_split(&lines, execution.text, '\n');
        for (size_t i = 0; i + 1 < lines.count; i++) {
            (void)json_array_append_new(array, json_string(lines.items[i]));
        }
        json_t *all = json_pack("{s:s, s:s, s:o}", "target", program->target, "backend",
                                program->backend, "lines", array);
        (void)json_dumpf(all, stdout, JSON_INDENT(1));
        (void)putchar('\n');
        json_decref(all);
        text_list_free(&lines);
    } else if (status == STATUS_OK) {
        (void)fwrite(execution.text, 1, execution.text_bytes, stdout);
    }
    fuzz_execution_free(&execution);
    fuzz_catalog_close(&catalog);
    return status;
}

static int fmt_run(int argc, char **argv)
{
    const char *target = NULL;
    const char *backend = NULL;
    bool json = false;
    int option;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":t:b:", fmt_long_options, NULL)) != -1) {
        if (option == '?' || option == ':') {
            return fuzz_refuse("fmt", option == ':' ? "a value is missing after" : "unknown option",
                               argv[optind - 1]);
        }
        target = option == 't' ? optarg : target;
        backend = option == 'b' ? optarg : backend;
        json = json || option == 'j';
    }
    if (optind + 1 != argc) {
        return fuzz_refuse("fmt", "say which input: one file", NULL);
    }
    const char *input = argv[optind];
    char *owner = target != NULL ? text_format("%s", target) : fuzz_owner_of(input, &backend);
    struct error error = {.message = ""};
    enum status status = access(input, R_OK) == 0
                             ? STATUS_OK
                             : error_set(&error, STATUS_INVALID, "%s cannot be read: %m", input);
    if (status == STATUS_OK && owner == NULL) {
        status = error_set(&error, STATUS_INVALID,
                           "whose input is it? Say so with -t TARGET; `heapmill fuzz list` names "
                           "them");
    }
    if (status == STATUS_OK) {
        process_prepare_signals();
        status = fmt_print(input, owner, backend, json, &error);
    }
    free(owner);
    return status == STATUS_OK ? EXIT_CLEAN : fuzz_report("fmt", &error);
}

const struct command fuzz_fmt_command = {
    .name = "fmt",
    .summary = "prints an input as the program that it is",
    .usage = fmt_usage,
    .run = fmt_run,
};
