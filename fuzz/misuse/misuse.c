#include "fuzz/misuse/misuse.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/process.h"

enum { MISUSE_TIMEOUT_S = 20 };

static const struct {
    const char *word;
    enum cell_style style;
} misuse_ends[] = {
    [MISUSE_DETECTED] = {"detected", CELL_GOOD},
    [MISUSE_SURVIVED] = {"survived", CELL_PLAIN},
    [MISUSE_CORRUPTED] = {"corrupted", CELL_BAD},
    [MISUSE_NOT_APPLICABLE] = {"-", CELL_PLAIN},
};

enum misuse_end misuse_judge(const char *stages, int signal, int exit_code, bool timed_out)
{
    size_t length = strlen(stages);
    char last = length == 0 ? '\0' : stages[length - 1];
    if (timed_out) {
        return MISUSE_CORRUPTED;
    }
    if (signal == 0 && exit_code == 0) {
        return last == 's'   ? MISUSE_SURVIVED
               : last == 'n' ? MISUSE_NOT_APPLICABLE
                             : MISUSE_CORRUPTED;
    }
    /* Allocators end a process by abort or exit. A fault is an answer at the misuse alone: later it
     * is what came of it. */
    bool is_fault = signal == SIGSEGV || signal == SIGBUS;
    return !is_fault || last == 'b' ? MISUSE_DETECTED : MISUSE_CORRUPTED;
}

/* Starts the bank with an argument and an allocator; library NULL: whatever malloc there is. */
static enum status misuse_start(const char *program, const char *argument, const char *library,
                                enum process_stdio stdio, struct process_result *result,
                                struct error *error)
{
    const char *const arguments[] = {program, argument, NULL};
    char *preload = text_format("LD_PRELOAD=%s", library == NULL ? "" : library);
    const char *const settings[] = {preload, "GLIBC_TUNABLES=", NULL};
    struct process_request request = {.arguments = arguments,
                                      .settings = settings,
                                      .stdio = stdio,
                                      .timeout_s = MISUSE_TIMEOUT_S};
    enum status status = process_run(&request, result, error);
    free(preload);
    return status;
}

/* The columns: each choice's library. NULL where it cannot be had. */
struct misuse_column {
    char *library; /* "": glibc's own */
    size_t index;  /* in the table */
    size_t counts[MISUSE_NOT_APPLICABLE + 1];
};

/* Does the control end well? If the library is not there, the loader complains and glibc serves. */
static bool misuse_is_had(const char *program, const char *library)
{
    struct process_result result;
    struct error error;
    enum status status = misuse_start(program, "none", library, PROCESS_RECORD, &result, &error);
    bool had = status == STATUS_OK && result.exit_code == 0 && result.signal == 0 &&
               strstr(result.stderr_tail, "cannot be preloaded") == NULL;
    process_result_free(&result);
    return had;
}

static size_t misuse_columns(const struct registry *registry, const struct selection *selection,
                             const char *program, struct document *document, struct table *table,
                             struct misuse_column *columns)
{
    size_t count = 0;
    for (size_t i = 0; i < selection->choice_count; i++) {
        const struct selection_choice *choice = &selection->choices[i];
        if (strcmp(choice->arm, "preload") != 0) {
            continue;
        }
        struct launch launch;
        registry_launch(choice->backend, choice->arm, &launch);
        char *library = registry_preload_path(registry, launch.preload);
        launch_free(&launch);
        if (!misuse_is_had(program, library)) {
            document_add(document, BLOCK_WARNING,
                         "%s cannot be preloaded: it is not installed or "
                         "not built",
                         choice->backend->name);
            free(library);
            continue;
        }
        size_t index =
            table_column(table, choice->backend->name, choice->backend->name, TABLE_LEFT);
        columns[count++] = (struct misuse_column){.library = library, .index = index};
    }
    return count;
}

static enum status misuse_row(struct table *table, const char *program, const char *name,
                              const char *what, struct misuse_column *columns, size_t count,
                              struct error *error)
{
    table_row(table);
    table_cell(table, 0, "%s", name);
    for (size_t i = 0; i < count; i++) {
        struct process_result result;
        enum status status =
            misuse_start(program, name, columns[i].library, PROCESS_RECORD, &result, error);
        if (status != STATUS_OK) {
            process_result_free(&result);
            return status;
        }
        enum misuse_end end = misuse_judge(result.output == NULL ? "" : result.output,
                                           result.signal, result.exit_code, result.timed_out);
        process_result_free(&result);
        columns[i].counts[end]++;
        table_cell(table, columns[i].index, "%s", misuse_ends[end].word);
        table_style(table, columns[i].index, misuse_ends[end].style);
    }
    table_cell(table, table->column_count - 1, "%s", what);
    return STATUS_OK;
}

static void misuse_sums(struct table *table, const struct misuse_column *columns, size_t count)
{
    for (int end = MISUSE_DETECTED; end < MISUSE_NOT_APPLICABLE; end++) {
        table_row_summary(table);
        table_cell(table, 0, "%s", misuse_ends[end].word);
        for (size_t i = 0; i < count; i++) {
            table_count(table, columns[i].index, (double)columns[i].counts[end]);
        }
    }
}

static enum status misuse_rows(struct table *table, const char *program,
                               struct misuse_column *columns, size_t count, struct error *error)
{
    struct process_result listed;
    enum status status = misuse_start(program, "--list", NULL, PROCESS_CAPTURE, &listed, error);
    char *rest = status == STATUS_OK ? listed.output : NULL;
    for (char *line; status == STATUS_OK && (line = strsep(&rest, "\n")) != NULL;) {
        char *name = strsep(&line, "\t");
        if (line != NULL) {
            status = misuse_row(table, program, name, line, columns, count, error);
        }
    }
    process_result_free(&listed);
    return status;
}

enum status misuse_run(const struct registry *registry, const struct selection *selection,
                       struct document *document, struct error *error)
{
    char *program = registry_program_path(registry, "heapmill-misuse");
    struct table *table = document_table(document, "misuse");
    struct misuse_column *columns =
        text_grow(NULL, selection->choice_count + 1, sizeof(columns[0]));
    (void)table_column(table, "name", "misuse", TABLE_LEFT);
    size_t count = misuse_columns(registry, selection, program, document, table, columns);
    (void)table_column(table, "what", "what is done", TABLE_LEFT);
    enum status status =
        count == 0 ? error_set(error, STATUS_INVALID,
                               "none of these back ends can be preloaded here: "
                               "`heapmill list backends` shows which can, and with which package")
                   : misuse_rows(table, program, columns, count, error);
    if (status == STATUS_OK) {
        table_gap(table);
        misuse_sums(table, columns, count);
    }
    for (size_t i = 0; i < count; i++) {
        free(columns[i].library);
    }
    free(columns);
    free(program);
    return status;
}
