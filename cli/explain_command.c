#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/explain.h"
#include "cli/shared_options.h"
#include "common/host/text.h"
#include "results/store.h"

enum { EXPLAIN_LIST_MAX = 10 };

struct explain_arguments {
    const char *directory;
    const char *cell;
};

static const struct option_row explain_options[] = {
    {SHARED_RUN_DIRECTORY(struct explain_arguments, directory)},
    {OPTION_TEXT, .placeholder = "CELL", OPTION_INTO(struct explain_arguments, cell),
     .help = "a cell: its id from records.jsonl, a part of the id, or a glob that matches only "
             "this cell ('churn*pymalloc-3.10:inline')",
     .missing =
         "name a cell of the run: its id, a part of the id, or a glob that matches one cell"},
    {.kind = OPTION_END},
};

/* Lists the first cells that match the pattern; NULL: all cells. */
static void explain_list(const struct record_set *set, const char *pattern)
{
    size_t listed = 0;
    for (size_t i = 0; i < set->cell_count; i++) {
        const struct record_cell *cell = &set->cells[i];
        if (cell->twin == 0 && (pattern == NULL || fnmatch(pattern, cell->id, 0) == 0) &&
            listed++ < EXPLAIN_LIST_MAX) {
            (void)fprintf(stderr, "  %s\n", cell->id);
        }
    }
    if (listed > EXPLAIN_LIST_MAX) {
        (void)fprintf(stderr, "  … and %zu more\n", listed - EXPLAIN_LIST_MAX);
    }
}

/* Counts the cells that match the pattern, without twins; *found is one of them. */
static size_t explain_match(const struct record_set *set, const char *pattern, size_t *found)
{
    size_t matches = 0;
    for (size_t i = 0; i < set->cell_count; i++) {
        if (set->cells[i].twin == 0 && fnmatch(pattern, set->cells[i].id, 0) == 0) {
            *found = i;
            matches++;
        }
    }
    return matches;
}

/* Finds a cell by its id, a glob, or a part of its id. Returns false after a message. */
static bool explain_find(const struct record_set *set, const char *name, size_t *cell)
{
    *cell = record_set_find_cell(set, name);
    if (*cell < set->cell_count) {
        return true;
    }
    char *part = text_format("*%s*", name);
    const char *pattern = name;
    size_t matches = explain_match(set, pattern, cell);
    if (matches == 0) {
        pattern = part;
        matches = explain_match(set, pattern, cell);
    }
    if (matches > 1) {
        (void)fprintf(stderr, "heapmill explain: '%s' matches %zu cells; name one of them:\n", name,
                      matches);
        explain_list(set, pattern);
    } else if (matches == 0) {
        (void)fprintf(stderr, "heapmill explain: %s has no cell '%s'; its cells are\n",
                      set->directory, name);
        explain_list(set, NULL);
    }
    free(part);
    return matches == 1;
}

static int explain_execute(const struct invocation *invocation, void *arguments)
{
    const struct explain_arguments *asked = arguments;
    struct record_set *set = NULL;
    struct explain explain;
    struct error error;
    size_t cell;
    if (store_load(asked->directory, &set, &error) != STATUS_OK) {
        return command_fail(invocation, &error);
    }
    int result = EXIT_USAGE;
    if (explain_find(set, asked->cell, &cell)) {
        result = EXIT_CLEAN;
        if (explain_open(&explain, set, cell, &error) == STATUS_OK) {
            struct document *document = document_new();
            explain_add(&explain, document);
            document_show(document);
        } else {
            result = command_fail(invocation, &error);
        }
        explain_close(&explain);
    }
    record_set_free(set);
    return result;
}
const struct command command_explain = {
    .name = "explain",
    .summary = "describes one cell of a run in words and numbers",
    .description =
        "Describes one cell of a run in words and numbers: its time and how it varied, "
        "instructions, percentiles of single calls, page faults and other events of the machine, "
        "calls by size and path, fragmentation, collections, and why records are not ok.",
    .options = explain_options,
    .arguments_size = sizeof(struct explain_arguments),
    .examples = "heapmill explain run 'churn*pymalloc-3.10:inline'",
    .exit_statuses =
        "0 clean; 2 wrong usage, or not exactly one such cell; 3 the files cannot be read",
    .execute = explain_execute,
};
