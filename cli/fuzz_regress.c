/* heapmill fuzz regress: replays the corpora. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fuzz.h"
#include "common/clock.h"
#include "common/host/document.h"
#include "common/host/files.h"
#include "common/host/process.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/campaign/execute.h"

static const double REGRESS_TIME_S = 600;

struct regress_arguments {
    struct text_list targets;
    const char *backend;
    const char *corpus;
    bool sanitized;
    bool json;
};

static const struct option_row regress_options[] = {
    {FUZZ_TARGETS(struct regress_arguments, targets)},
    {FUZZ_ONE_BACKEND(struct regress_arguments, backend)},
    {OPTION_TEXT, 0, "corpus", "DIR", "inputs from DIR instead (a campaign's corpus or findings)",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct regress_arguments, corpus)},
    {OPTION_FLAG, 0, "sanitized", NULL, "the builds of fuzz-libfuzzer, with their sanitizers",
     OPTION_INTO(struct regress_arguments, sanitized)},
    {SHARED_JSON(struct regress_arguments, json,
                 "an array of {program, inputs, status, failed: [...]}")},
    {.kind = OPTION_END},
};

static enum fuzz_tree regress_tree(const struct regress_arguments *arguments)
{
    return arguments->sanitized ? FUZZ_TREE_LIBFUZZER : FUZZ_TREE_ORDINARY;
}

static bool regress_wants(const struct regress_arguments *arguments,
                          const struct fuzz_program *program)
{
    bool named = arguments->targets.count == 0;
    for (size_t i = 0; i < arguments->targets.count; i++) {
        named = named || strcmp(arguments->targets.items[i], program->target) == 0;
    }
    return named && program->bug[0] == '\0' && program->paths[regress_tree(arguments)] != NULL &&
           (arguments->backend == NULL || strcmp(arguments->backend, program->backend) == 0);
}

static enum status regress_execute(const char *program, const struct text_list *inputs, bool *clean,
                                   struct error *error)
{
    struct text_list arguments = {0};
    struct fuzz_execution execution;
    text_list_add(&arguments, text_format("%s", program));
    for (size_t i = 0; i < inputs->count; i++) {
        text_list_add(&arguments, text_format("%s", inputs->items[i]));
    }
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the array is one of pointers
    const char **vector = text_grow(NULL, arguments.count + 1, sizeof(*vector));
    for (size_t i = 0; i < arguments.count; i++) {
        vector[i] = arguments.items[i];
    }
    vector[arguments.count] = NULL;
    enum status status = fuzz_execute(vector, NULL, false, REGRESS_TIME_S, &execution, error);
    *clean = status == STATUS_OK && fuzz_execution_clean(&execution);
    fuzz_execution_free(&execution);
    free(vector);
    text_list_free(&arguments);
    return status;
}

/* All inputs at once; if that fails, one by one. failed gets the paths. */
static enum status regress_program(const struct fuzz_program *program, enum fuzz_tree tree,
                                   const struct text_list *inputs, struct text_list *failed,
                                   struct error *error)
{
    bool clean = true;
    enum status status = inputs->count > 0
                             ? regress_execute(program->paths[tree], inputs, &clean, error)
                             : STATUS_OK;
    for (size_t i = 0; i < inputs->count && status == STATUS_OK && !clean; i++) {
        bool one = true;
        struct text_list input = {.items = &inputs->items[i], .count = 1};
        status = regress_execute(program->paths[tree], &input, &one, error);
        if (status == STATUS_OK && !one) {
            text_list_add(failed, text_format("%s", inputs->items[i]));
        }
    }
    if (status == STATUS_OK && !clean && failed->count == 0) {
        text_list_add(failed, text_format("(only all of them in one process)"));
    }
    return status;
}

static void regress_list_inputs(const struct regress_arguments *arguments,
                                const struct fuzz_catalog *catalog, const char *target,
                                struct text_list *inputs)
{
    struct text_list names = {0};
    char *directory = arguments->corpus != NULL ? text_format("%s", arguments->corpus)
                                                : fuzz_catalog_seeds(catalog, target);
    if (directory != NULL) {
        file_list_names(directory, &names);
    }
    for (size_t i = 0; i < names.count; i++) {
        if (names.items[i][0] != '.') {
            text_list_add(inputs, text_format("%s/%s", directory, names.items[i]));
        }
    }
    text_list_free(&names);
    free(directory);
}

/* One program: its row, and its object. */
static enum status regress_one(const struct regress_arguments *arguments,
                               const struct fuzz_catalog *catalog,
                               const struct fuzz_program *program, struct table *table, json_t *all,
                               struct error *error)
{
    struct text_list inputs = {0};
    struct text_list failed = {0};
    json_t *names = json_array();
    uint64_t begin = clock_wall_ns();
    regress_list_inputs(arguments, catalog, program->target, &inputs);
    enum status status = regress_program(program, regress_tree(arguments), &inputs, &failed, error);
    for (size_t i = 0; i < failed.count; i++) {
        (void)json_array_append_new(names, json_string(failed.items[i]));
    }
    const char *verdict = failed.count > 0 ? "failed" : inputs.count > 0 ? "ok" : "no corpus";
    table_row(table);
    table_cell(table, 0, "%s", program->label);
    table_cell(table, 1, "%zu", inputs.count);
    table_cell(table, 2, "%.1f s", (double)(clock_wall_ns() - begin) / 1e9);
    table_cell(table, 3, "%s%s%s", verdict, failed.count > 0 ? ": " : "",
               failed.count > 0 ? failed.items[0] : "");
    (void)json_array_append_new(all, json_pack("{s:s, s:I, s:s, s:o}", "program", program->label,
                                               "inputs", (json_int_t)inputs.count, "status",
                                               verdict, "failed", names));
    text_list_free(&inputs);
    text_list_free(&failed);
    return status;
}

/* *failed and *replayed count programs. */
static enum status regress_all(const struct regress_arguments *arguments, size_t *failed,
                               size_t *replayed, struct error *error)
{
    struct fuzz_catalog catalog;
    json_t *all = json_array();
    struct document *document = document_new();
    struct table *table = document_table(document, "programs");
    (void)table_column(table, NULL, "program", TABLE_LEFT);
    (void)table_column(table, NULL, "inputs", TABLE_RIGHT);
    (void)table_column(table, NULL, "time", TABLE_RIGHT);
    (void)table_column(table, NULL, "", TABLE_LEFT);
    enum status status = fuzz_catalog_open(&catalog, error);
    for (size_t i = 0; i < catalog.count && status == STATUS_OK; i++) {
        if (regress_wants(arguments, &catalog.programs[i])) {
            status = regress_one(arguments, &catalog, &catalog.programs[i], table, all, error);
            ++*replayed;
        }
    }
    size_t index;
    const json_t *row;
    json_array_foreach(all, index, row)
    {
        *failed += json_array_size(json_object_get(row, "failed")) > 0;
    }
    if (arguments->json) {
        (void)json_dumpf(all, stdout, JSON_INDENT(1));
        (void)putchar('\n');
    }
    if (arguments->json || *replayed == 0) {
        document_free(document);
    } else {
        document_show(document);
    }
    json_decref(all);
    fuzz_catalog_close(&catalog);
    return status;
}

static int regress_command(const struct invocation *invocation, void *arguments)
{
    struct error error;
    size_t failed = 0;
    size_t replayed = 0;
    process_prepare_signals();
    enum status status = regress_all(arguments, &failed, &replayed, &error);
    if (status == STATUS_OK && replayed == 0) {
        status = error_set(&error, STATUS_NOT_FOUND,
                           "no such fuzz target is built: `heapmill fuzz list` names those that "
                           "are, `heapmill fuzz build` makes more");
    }
    return status != STATUS_OK ? fuzz_report(invocation, &error)
           : failed > 0        ? EXIT_FINDING
                               : EXIT_CLEAN;
}
const struct command fuzz_regress_command = {
    .name = "regress",
    .summary = "replays the corpora, for CI",
    .description =
        "Replays the corpora of the source tree on every build of every target, or of those named, "
        "and says which inputs fail. No engine is needed: this is for CI.",
    .options = regress_options,
    .arguments_size = sizeof(struct regress_arguments),
    .examples = "heapmill fuzz regress block_ops -b pymalloc-3.10",
    .exit_statuses = "0 all pass; 1 an input fails; 2 wrong usage; 3 something is missing",
    .execute = regress_command,
};
