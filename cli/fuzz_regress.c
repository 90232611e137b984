#include <jansson.h>
#include <stdio.h>

#include "cli/fuzz.h"
#include "common/host/document.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "fuzz/campaign/regress.h"

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
    {OPTION_TEXT, 0, "corpus", "DIR",
     "replay the inputs in DIR instead (a campaign's corpus or findings)",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct regress_arguments, corpus)},
    {OPTION_FLAG, 0, "sanitized", NULL, "use the builds of fuzz-libfuzzer, which have sanitizers",
     OPTION_INTO(struct regress_arguments, sanitized)},
    {SHARED_JSON(struct regress_arguments, json,
                 "an array of {program, inputs, seconds, status, failed: [...]}")},
    {.kind = OPTION_END},
};

static void regress_show(const json_t *rows)
{
    struct document *document = document_new();
    struct table *table = document_table(document, "programs");
    (void)table_column(table, "program", "program", TABLE_LEFT);
    (void)table_column(table, "inputs", "inputs", TABLE_RIGHT);
    (void)table_column(table, "seconds", "seconds", TABLE_RIGHT);
    (void)table_column(table, "status", "", TABLE_LEFT);
    (void)table_column(table, "failed", "", TABLE_LEFT);
    table_rows_of_json(table, rows);
    document_show(document);
}

static int regress_command(const struct invocation *invocation, void *arguments)
{
    const struct regress_arguments *asked = arguments;
    const struct fuzz_regress regress = {.targets = &asked->targets,
                                         .backend = asked->backend,
                                         .corpus = asked->corpus,
                                         .tree = asked->sanitized ? FUZZ_TREE_LIBFUZZER
                                                                  : FUZZ_TREE_ORDINARY};
    struct error error;
    size_t failed = 0;
    json_t *rows = NULL;
    process_prepare_signals();
    enum status status = fuzz_regress_run(&regress, &rows, &failed, &error);
    if (status == STATUS_OK && asked->json) {
        json_print(rows);
    } else if (status == STATUS_OK) {
        regress_show(rows);
    }
    json_decref(rows);
    return status != STATUS_OK ? fuzz_report(invocation, &error)
           : failed > 0        ? EXIT_FINDING
                               : EXIT_CLEAN;
}
const struct command fuzz_regress_command = {
    .name = "regress",
    .summary = "replays the corpora, for CI",
    .description =
        "Replays the corpora of the source tree on every build of every target, or of the named "
        "ones, and says which inputs fail. It needs no engine, and is meant for CI.",
    .options = regress_options,
    .arguments_size = sizeof(struct regress_arguments),
    .examples = "heapmill fuzz regress block_ops -b pymalloc-3.10",
    .exit_statuses = "0 all pass; 1 an input fails; 2 wrong usage; 3 something is missing",
    .execute = regress_command,
};
