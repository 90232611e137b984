/* heapmill doctor: checks whether this machine is fit for measuring, and whether everything is
 * there. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/doctor.h"
#include "cli/shared_options.h"
#include "common/host/document.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "run/command/library.h"

/* 50 ticks of a core, and not long to wait. */
static const double DOCTOR_INTERVAL_S = 0.5;

struct doctor_arguments {
    const char *library;
    bool json;
};

static const struct option_row doctor_options[] = {
    {OPTION_TEXT, 0, "library", "FILE",
     "instead: check which functions of malloc's family your library has, and what breaks without "
     "the others",
     .candidates = OPTION_FILES, OPTION_INTO(struct doctor_arguments, library)},
    {SHARED_JSON(struct doctor_arguments, json,
                 "print {\"checks\": [{name, level, value, remedy}]}; level is ok, info, warning "
                 "or missing")},
    {.kind = OPTION_END},
};

void doctor_add(json_t *rows, const char *name, const char *level, const char *remedy,
                const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    json_t *value = json_vsprintf(format, arguments);
    va_end(arguments);
    (void)json_array_append_new(rows, json_pack("{ss ss so ss}", "name", name, "level", level,
                                                "value", value != NULL ? value : json_string("?"),
                                                "remedy", remedy));
}

static const char *doctor_text(const json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

static size_t doctor_count(const json_t *rows, const char *level)
{
    size_t count = 0;
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        count += strcmp(doctor_text(row, "level"), level) == 0;
    }
    return count;
}

static void doctor_print(const json_t *rows)
{
    struct document *document = document_new();
    struct table *table = document_table(document, "checks");
    (void)table_column(table, "level", "", TABLE_LEFT);
    (void)table_column(table, "name", "", TABLE_LEFT);
    (void)table_column(table, "value", "", TABLE_LEFT);
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        const char *level = doctor_text(row, "level");
        const char *remedy = doctor_text(row, "remedy");
        table_row(table);
        table_cell(table, 0, "%s", level);
        table_style(table, 0,
                    strcmp(level, "ok") == 0        ? CELL_GOOD
                    : strcmp(level, "warning") == 0 ? CELL_WARNING
                    : strcmp(level, "missing") == 0 ? CELL_BAD
                                                    : CELL_PLAIN);
        table_cell(table, 1, "%s", doctor_text(row, "name"));
        table_cell(table, 2, "%s", doctor_text(row, "value"));
        if (remedy[0] != '\0') {
            table_row(table);
            table_cell(table, 2, "remedy: %s", remedy);
        }
    }
    document_add(document, BLOCK_PARAGRAPH, "%zu warnings, %zu missing",
                 doctor_count(rows, "warning"), doctor_count(rows, "missing"));
    document_show(document);
}

static int doctor_execute(const struct invocation *invocation, void *arguments)
{
    const struct doctor_arguments *asked = arguments;
    struct registry registry = {0};
    struct error error;
    process_prepare_signals();
    if (registry_open(&registry, &error) != STATUS_OK) {
        return command_fail(invocation, &error);
    }
    json_t *rows = json_array();
    enum status status = STATUS_OK;
    if (asked->library != NULL) {
        status = library_examine(asked->library, &registry, rows, &error);
    } else {
        doctor_check_machine(rows, DOCTOR_INTERVAL_S);
        doctor_check_calibration(rows);
        doctor_check_programs(rows, &registry);
    }
    size_t missing = doctor_count(rows, "missing");
    if (status == STATUS_OK && asked->json) {
        json_t *all = json_pack("{sO}", "checks", rows);
        json_print(all);
        json_decref(all);
    } else if (status == STATUS_OK) {
        doctor_print(rows);
    }
    json_decref(rows);
    registry_close(&registry);
    if (status != STATUS_OK) {
        return command_fail(invocation, &error);
    }
    if (process_interrupted()) {
        return EXIT_INTERRUPTED;
    }
    return missing > 0 ? EXIT_ENVIRONMENT : EXIT_CLEAN;
}
const struct command command_doctor = {
    .name = "doctor",
    .summary = "checks whether this machine is fit for measuring, and what is missing",
    .description = "Checks what can spoil a measurement on this machine (frequency scaling, huge "
                   "pages, load, steal, CPU quotas), and what heapmill needs (workers, peers, "
                   "gnuplot, valgrind, perf). Each warning names its remedy.",
    .options = doctor_options,
    .arguments_size = sizeof(struct doctor_arguments),
    .exit_statuses = "0 clean; 2 wrong usage; 3 something that is needed is missing",
    .execute = doctor_execute,
};
