#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/shared_options.h"
#include "common/host/document.h"
#include "common/host/json.h"
#include "common/host/text.h"
#include "results/store.h"
#include "results/workload_figures.h"

enum { FIGURES_COLUMNS_MAX = 16, FIGURES_FIXED = 3 };

struct figures_arguments {
    const char *directory;
    const char *workloads;
    const char *backends;
    bool json;
};

static const struct option_row figures_options[] = {
    {SHARED_RUN_DIRECTORY(struct figures_arguments, directory)},
    {SHARED_WORKLOAD_GLOBS(struct figures_arguments, workloads)},
    {SHARED_BACKEND_GLOBS(struct figures_arguments, backends)},
    {SHARED_JSON(struct figures_arguments, json,
                 "print an object with an array `cells` of {workload, params, threads, backend, "
                 "arm, collector, env, label, params_text, figures: {NAME: number}}")},
    {.kind = OPTION_END},
};

static char *figures_parameters(const json_t *cell)
{
    const char *params = json_string_value(json_object_get(cell, "params_text"));
    int threads = (int)json_integer_value(json_object_get(cell, "threads"));
    return threads > 1 ? text_format("%s,threads=%d", params, threads) : text_format("%s", params);
}

/* Adds a table for the workload whose first cell is at *index. Its columns are the figures. */
static void figures_add_workload(struct document *document, const json_t *cells, size_t *index)
{
    const char *workload =
        json_string_value(json_object_get(json_array_get(cells, *index), "workload"));
    const json_t *first = json_object_get(json_array_get(cells, *index), "figures");
    const char *names[FIGURES_COLUMNS_MAX];
    size_t count = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)first, name, value)
    {
        if (count < FIGURES_COLUMNS_MAX) {
            names[count++] = name;
        }
    }
    struct table *table = document_table(document, "cells");
    (void)table_column(table, "workload", "WORKLOAD", TABLE_LEFT);
    (void)table_column(table, "params", "PARAMETERS", TABLE_LEFT);
    (void)table_column(table, "backend", "BACK END", TABLE_LEFT);
    for (size_t i = 0; i < count; i++) {
        (void)table_column(table, NULL, names[i], TABLE_RIGHT);
    }
    for (; *index < json_array_size(cells); ++*index) {
        const json_t *cell = json_array_get(cells, *index);
        if (strcmp(json_string_value(json_object_get(cell, "workload")), workload) != 0) {
            break;
        }
        char *parameters = figures_parameters(cell);
        table_row(table);
        table_cell(table, 0, "%s", workload);
        table_cell(table, 1, "%s", parameters);
        table_cell(table, 2, "%s", json_string_value(json_object_get(cell, "label")));
        for (size_t i = 0; i < count; i++) {
            value = json_object_get(json_object_get(cell, "figures"), names[i]);
            if (value != NULL) {
                double number = json_number_value(value);
                bool whole = number == (double)(long long)number;
                table_number(table, FIGURES_FIXED + i, whole ? "%.0f" : "%.4g", number);
            }
        }
        free(parameters);
    }
}

static void figures_print(const json_t *cells)
{
    if (json_array_size(cells) == 0) {
        (void)fputs(
            "heapmill figures: the workloads of these cells report no figures of their own\n",
            stderr);
    }
    struct document *document = document_new();
    for (size_t index = 0; index < json_array_size(cells);) {
        if (index > 0) {
            document_gap(document);
        }
        figures_add_workload(document, cells, &index);
    }
    document_show(document);
}

static int figures_execute(const struct invocation *invocation, void *arguments)
{
    const struct figures_arguments *asked = arguments;
    struct record_set *set = NULL;
    json_t *cells = NULL;
    struct error error;
    enum status status = store_load(asked->directory, &set, &error);
    if (status == STATUS_OK) {
        status = workload_figures(set, asked->workloads, asked->backends, &cells, &error);
    }
    if (status == STATUS_OK && asked->json) {
        json_t *whole = json_pack("{sO}", "cells", cells);
        json_print(whole);
        json_decref(whole);
    } else if (status == STATUS_OK) {
        figures_print(cells);
    }
    json_decref(cells);
    record_set_free(set);
    return status == STATUS_OK ? EXIT_CLEAN : command_fail(invocation, &error);
}
const struct command command_figures = {
    .name = "figures",
    .summary =
        "prints figures that only some workloads have: robson's blow-up, what burst_idle keeps",
    .description =
        "Prints the figures that workloads report themselves: robson's blow-up beside the "
        "theoretical bound, or how much burst_idle found still held after a peak. Each figure is "
        "the median over the cell's records. `heapmill list workloads` lists the workloads; the "
        "first comment of a workload's file explains its figures.",
    .options = figures_options,
    .arguments_size = sizeof(struct figures_arguments),
    .examples = "heapmill figures run -w robson",
    .exit_statuses = "0 clean; 2 wrong usage; 3 the files cannot be read",
    .execute = figures_execute,
};
