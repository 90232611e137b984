#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fuzz.h"
#include "common/host/document.h"
#include "common/host/files.h"
#include "common/host/json.h"
#include "fuzz/campaign/catalog.h"

struct list_arguments {
    bool bugs;
    bool names;
    bool json;
};

static const struct option_row list_options[] = {
    {OPTION_FLAG, 0, "bugs", NULL, "list the builds with a planted bug instead",
     OPTION_INTO(struct list_arguments, bugs)},
    {OPTION_FLAG, 0, "names", NULL,
     "print only the names of the targets, or of the bugs, one a line",
     OPTION_INTO(struct list_arguments, names)},
    {SHARED_JSON(struct list_arguments, json,
                 "an array of {target, backend, bug, corpus, engines}")},
    {.kind = OPTION_END},
};

static size_t list_corpus_size(const struct fuzz_catalog *catalog, const char *target)
{
    struct text_list names = {0};
    char *seeds = fuzz_catalog_seeds(catalog, target);
    if (seeds != NULL) {
        file_list_names(seeds, &names);
    }
    size_t count = names.count;
    text_list_free(&names);
    free(seeds);
    return count;
}

/* The engines of a program's builds, joined by ", ". The caller frees. */
static char *list_engines(const struct fuzz_program *program)
{
    static const char *const engines[FUZZ_TREES] = {"random", "libfuzzer", "libfuzzer --fast",
                                                    "afl",    "bare",      "coverage"};
    struct text_list names = {0};
    for (size_t tree = 0; tree < FUZZ_TREES; tree++) {
        if (program->paths[tree] != NULL) {
            text_list_add(&names, text_format("%s", engines[tree]));
        }
    }
    char *text = text_join(&names, ", ");
    text_list_free(&names);
    return text;
}

static void list_print_json(const struct fuzz_catalog *catalog, bool bugs)
{
    json_t *all = json_array();
    for (size_t i = 0; i < catalog->count; i++) {
        const struct fuzz_program *program = &catalog->programs[i];
        if ((program->bug[0] != '\0') != bugs) {
            continue;
        }
        json_t *engines = json_array();
        for (size_t tree = 0; tree < FUZZ_TREES; tree++) {
            if (program->paths[tree] != NULL) {
                (void)json_array_append_new(engines,
                                            json_string(fuzz_tree_name((enum fuzz_tree)tree)));
            }
        }
        (void)json_array_append_new(
            all,
            json_pack("{s:s, s:s, s:s, s:I, s:o}", "target", program->target, "backend",
                      program->backend, "bug", program->bug, "corpus",
                      (json_int_t)list_corpus_size(catalog, program->target), "engines", engines));
    }
    json_print(all);
    json_decref(all);
}

static void list_print_table(const struct fuzz_catalog *catalog, bool bugs)
{
    struct document *document = document_new();
    struct table *table = document_table(document, "targets");
    (void)table_column(table, NULL, "target", TABLE_LEFT);
    (void)table_column(table, NULL, "back end", TABLE_LEFT);
    (void)table_column(table, NULL, bugs ? "bug" : "", TABLE_LEFT);
    (void)table_column(table, NULL, "corpus", TABLE_RIGHT);
    (void)table_column(table, NULL, "built for", TABLE_LEFT);
    for (size_t i = 0; i < catalog->count; i++) {
        const struct fuzz_program *program = &catalog->programs[i];
        if ((program->bug[0] != '\0') != bugs) {
            continue;
        }
        char *engines = list_engines(program);
        table_row(table);
        table_cell(table, 0, "%s", program->target);
        table_cell(table, 1, "%s", program->backend[0] != '\0' ? program->backend : "-");
        table_cell(table, 2, "%s", program->bug);
        table_cell(table, 3, "%zu", list_corpus_size(catalog, program->target));
        table_cell(table, 4, "%s", engines);
        free(engines);
    }
    document_show(document);
}

/* Prints each name once; equal names are adjacent in the catalog. */
static void list_print_names(const struct fuzz_catalog *catalog, bool bugs)
{
    const char *last = "";
    for (size_t i = 0; i < catalog->count; i++) {
        const struct fuzz_program *program = &catalog->programs[i];
        const char *name = bugs ? program->bug : program->target;
        if ((program->bug[0] != '\0') == bugs && strcmp(name, last) != 0) {
            (void)puts(name);
            last = name;
        }
    }
}

static int list_execute(const struct invocation *invocation, void *arguments)
{
    const struct list_arguments *asked = arguments;
    struct fuzz_catalog catalog;
    struct error error;
    enum status status = fuzz_catalog_open(&catalog, &error);
    if (status == STATUS_OK && asked->names) {
        list_print_names(&catalog, asked->bugs);
    } else if (status == STATUS_OK && asked->json) {
        list_print_json(&catalog, asked->bugs);
    } else if (status == STATUS_OK) {
        list_print_table(&catalog, asked->bugs);
        if (catalog.count == 0) {
            (void)fputs("heapmill fuzz list: nothing is built yet; run `heapmill fuzz build`\n",
                        stderr);
        }
    }
    fuzz_catalog_close(&catalog);
    return status == STATUS_OK ? EXIT_CLEAN : fuzz_report(invocation, &error);
}
const struct command fuzz_list_command = {
    .name = "list",
    .summary = "lists the targets, their back ends, and the engines that they are built for",
    .description =
        "Lists the fuzz targets with the back ends that they are built for, the number of inputs "
        "in their corpora in the source tree, and the engines that have a build.",
    .options = list_options,
    .arguments_size = sizeof(struct list_arguments),
    .exit_statuses = "0 clean; 2 wrong usage; 3 something is missing",
    .execute = list_execute,
};
