#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/campaign/execute.h"
#include "fuzz/campaign/owner.h"

struct fmt_arguments {
    const char *input;
    const char *target;
    const char *backend;
    bool json;
};

static const struct option_row fmt_options[] = {
    {FUZZ_INPUT(struct fmt_arguments, input)},
    {FUZZ_TARGET_OF_INPUT(struct fmt_arguments, target)},
    {FUZZ_BACKEND(struct fmt_arguments, backend)},
    {SHARED_JSON(struct fmt_arguments, json, "{target, backend, lines: [...]}")},
    {.kind = OPTION_END},
};

static enum status fmt_print(const char *input, const char *target, const char *backend, bool json,
                             struct error *error)
{
    struct fuzz_catalog catalog;
    const struct fuzz_program *program;
    const char *path;
    struct fuzz_execution execution = {.text = NULL};
    enum status status = fuzz_catalog_open(&catalog, error);
    backend = backend != NULL && strchr(backend, '/') != NULL ? NULL : backend; /* a library */
    if (status == STATUS_OK) {
        status = fuzz_catalog_find(&catalog, target, backend, "", &program, error);
    }
    if (status == STATUS_OK) {
        status = fuzz_catalog_path(program, fuzz_program_tree(program), &path, error);
    }
    if (status == STATUS_OK) {
        const char *const arguments[] = {path, "--print", input, NULL};
        status = fuzz_execute(arguments, NULL, false, 60, &execution, error);
    }
    if (status == STATUS_OK && !fuzz_execution_clean(&execution)) {
        status = error_set(error, STATUS_IO, "%s could not print the input: %.400s", path,
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
        json_print(all);
        json_decref(all);
        text_list_free(&lines);
    } else if (status == STATUS_OK) {
        (void)fwrite(execution.text, 1, execution.text_bytes, stdout);
    }
    fuzz_execution_free(&execution);
    fuzz_catalog_close(&catalog);
    return status;
}

static int fmt_execute(const struct invocation *invocation, void *arguments)
{
    const struct fmt_arguments *asked = arguments;
    const char *backend = asked->backend;
    char *owner = asked->target != NULL ? text_format("%s", asked->target)
                                        : fuzz_owner_of(asked->input, &backend);
    struct error error = {.message = ""};
    enum status status =
        access(asked->input, R_OK) == 0
            ? STATUS_OK
            : error_set(&error, STATUS_INVALID, "%s cannot be read: %m", asked->input);
    if (status == STATUS_OK && owner == NULL) {
        status = error_set(&error, STATUS_INVALID,
                           "the input's target is unknown; name it with -t TARGET. `heapmill fuzz "
                           "list` names them");
    }
    if (status == STATUS_OK) {
        process_prepare_signals();
        status = fmt_print(asked->input, owner, backend, asked->json, &error);
    }
    free(owner);
    return status == STATUS_OK ? EXIT_CLEAN : fuzz_report(invocation, &error);
}
const struct command fuzz_fmt_command = {
    .name = "fmt",
    .summary = "prints an input as the program that it encodes",
    .description =
        "Prints the program that an input encodes, one operation a line. Nothing is executed.",
    .options = fmt_options,
    .arguments_size = sizeof(struct fmt_arguments),
    .examples = "heapmill fuzz fmt night/findings/crash-1",
    .exit_statuses = "0 clean; 2 wrong usage; 3 a build is missing",
    .execute = fmt_execute,
};
