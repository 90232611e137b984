#include "cli/command.h"
#include "cli/shared_options.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "fuzz/misuse/misuse.h"

struct misuse_arguments {
    const char *backends;
    bool json;
};

static const struct option_row misuse_options[] = {
    {OPTION_TEXT, 'b', "backends", "LIST", "allocators to test: names, globs, ./lib.so",
     .standard = "malloc,pools*,mimalloc,jemalloc,tcmalloc,tbb*", .candidates = CANDIDATES_BACKENDS,
     OPTION_INTO(struct misuse_arguments, backends)},
    {SHARED_JSON(struct misuse_arguments, json, "print the table as an object")},
    {.kind = OPTION_END},
};

static int misuse_execute(const struct invocation *invocation, void *arguments)
{
    const struct misuse_arguments *asked = arguments;
    struct error error = {.message = ""};
    struct registry registry = {0};
    struct selection selection = {0};
    struct document *document = document_new();
    process_prepare_signals();
    enum status status = registry_open(&registry, &error);
    if (status == STATUS_OK) {
        status = selection_add_backends(&selection, &registry, asked->backends, "preload", &error);
    }
    if (status == STATUS_OK) {
        status = misuse_run(&registry, &selection, document, &error);
    }
    if (status == STATUS_OK && asked->json) {
        json_t *json = document_to_json(document);
        json_print(json);
        json_decref(json);
    } else if (status == STATUS_OK) {
        document_show(document);
        document = NULL;
    }
    document_free(document);
    selection_free(&selection);
    registry_close(&registry);
    return status == STATUS_OK ? EXIT_CLEAN : command_fail(invocation, &error);
}

const struct command command_misuse = {
    .name = "misuse",
    .summary = "shows how allocators react to double frees, overflows and other errors",
    .description = "Runs small programs under each allocator, one process each, and each with one "
                   "error in its use of memory. Says whether the allocator ended the process "
                   "(detected), the heap went on as if nothing had happened (survived), or blocks "
                   "were changed, overlap, or could be read after their free (corrupted).",
    .options = misuse_options,
    .arguments_size = sizeof(struct misuse_arguments),
    .examples = "heapmill misuse -b malloc,pools-secure,./libmine.so",
    .exit_statuses = "0 clean; 2 wrong usage; 3 something is missing",
    .execute = misuse_execute,
};
