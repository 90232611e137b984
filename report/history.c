/* Writes a folder of pages with an index, for a CI to publish. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "common/host/json.h"
#include "report/page.h"
#include "report/part.h"
#include "results/compare/comparison.h"
#include "results/store.h"

/* One run of the history. */
struct history_run {
    const char *directory;
    const char *created; /* borrowed from the plan */
    struct record_set *set;
};

static int history_by_time(const void *left, const void *right)
{
    const struct history_run *a = left;
    const struct history_run *b = right;
    int order = strcmp(a->created, b->created);
    return order != 0 ? order : strcmp(a->directory, b->directory);
}

/* Loads the runs of `heapmill bench` among the directories, in the order in which they were made.
 * The caller frees each set, and *runs. */
static enum status history_load(const struct text_list *directories, struct history_run **runs,
                                size_t *count, struct error *error)
{
    enum status status = STATUS_OK;
    *runs = text_zeroed(directories->count, sizeof(**runs));
    *count = 0;
    for (size_t i = 0; i < directories->count && status == STATUS_OK; i++) {
        struct history_run *run = &(*runs)[*count];
        if (!report_is_run(directories->items[i])) {
            continue;
        }
        run->directory = directories->items[i];
        status = store_load(run->directory, &run->set, error);
        if (status == STATUS_OK) {
            run->created = json_text_at(run->set->plan, "created", "");
            ++*count;
        }
    }
    qsort(*runs, *count, sizeof(**runs), history_by_time);
    return status;
}

static void history_free(struct history_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        record_set_free(runs[i].set);
    }
    free(runs);
}

/* ------------------------------------------------------------------------------- change points */

/* Adds the rows whose verdict is that they differ from the run before. */
static void history_add_points(const struct comparison *comparison, const struct history_run *run,
                               struct table *points)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        if (row->verdict != COMPARISON_LESS && row->verdict != COMPARISON_MORE) {
            continue;
        }
        table_row(points);
        table_cell(points, 0, "%s", run->created);
        table_cell(points, 1, "%s", report_name(run->directory));
        table_link(points, 1, "%s.html", report_name(run->directory));
        table_cell(points, 2, "%s", comparison->set->groups[row->cell->group].id);
        table_cell(points, 3, "%s", row->cell->label);
        table_cell(points, 4, "%s", comparison->metric->name);
        table_ratio(points, 5, row->ratio, row->low, row->high);
        table_cell(points, 6, "%s", comparison_verdict_word(comparison, row->verdict));
        table_style(points, 6, row->verdict == COMPARISON_LESS ? CELL_GOOD : CELL_BAD);
    }
}

/* Compares two runs in one metric. Runs without a common cell give no comparison, which is no
 * error. */
static enum status history_compare(const struct history_run *before,
                                   const struct history_run *after, const char *metric,
                                   struct comparison **comparison, struct error *error)
{
    const struct comparison_run_options options = {.common = {.metric = metric, .seed = 1}};
    enum status status =
        comparison_build_runs(before->set, after->set, &options, comparison, error);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status history_add_changes(const struct history_run *runs, size_t count,
                                       struct document *document, struct error *error)
{
    static const char *const titles[] = {"made",   "run",   "workload", "back end",
                                         "metric", "ratio", "verdict"};
    enum status status = STATUS_OK;
    document_heading(document, 2, "Change points");
    document_add(document, BLOCK_PARAGRAPH,
                 "Each run is held against the one before it: rows are the differences that the "
                 "verdicts keep, beyond noise and with at most 5%% of them wrong.");
    struct table *points = document_table(document, "changes");
    table_columns(points, titles, sizeof(titles) / sizeof(titles[0]), 5);
    for (size_t i = 1; i < count && status == STATUS_OK; i++) {
        const struct metric *metrics[REPORT_METRICS_MAX];
        size_t metric_count = report_choose_metrics(runs[i].set, metrics);
        for (size_t j = 0; j < metric_count && status == STATUS_OK; j++) {
            struct comparison *comparison = NULL;
            status = history_compare(&runs[i - 1], &runs[i], metrics[j]->name, &comparison, error);
            if (comparison != NULL) {
                history_add_points(comparison, &runs[i], points);
            }
            comparison_free(comparison);
        }
    }
    document_line(document, "%zu change points in %zu runs.", points->row_count, count);
    return status;
}

/* ------------------------------------------------------------------------------------ the runs */

/* Adds a run's geometric means against its own base, which can be compared between machines. */
static enum status history_add_means(const struct history_run *run, struct table *table,
                                     struct error *error)
{
    const struct metric *metrics[REPORT_METRICS_MAX];
    size_t count = report_choose_metrics(run->set, metrics);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct comparison_options options = {.metric = metrics[i]->name, .seed = 1};
        struct comparison *comparison = NULL;
        status = comparison_build(run->set, &options, &comparison, error);
        for (size_t j = 0; status == STATUS_OK && j < comparison->geomean_count; j++) {
            const struct comparison_geomean *geomean = &comparison->geomeans[j];
            table_row(table);
            table_cell(table, 0, "%s", run->created);
            table_cell(table, 1, "%s", report_name(run->directory));
            table_link(table, 1, "%s.html", report_name(run->directory));
            table_cell(table, 2, "%s:%s", geomean->backend_text, geomean->arm);
            table_cell(table, 3, "%s", metrics[i]->name);
            table_ratio(table, 4, geomean->ratio, geomean->low, geomean->high);
            table_cell(table, 5, "%s:%s%s", comparison->base_backend, comparison->base_arm,
                       geomean->complete ? "" : "; incomplete");
            table_cell(table, 6, "%s", json_text_at(run->set->plan, "host.commit", ""));
        }
        comparison_free(comparison);
    }
    return status;
}

static enum status history_add_runs(const struct history_run *runs, size_t count,
                                    struct document *document, struct error *error)
{
    static const char *const titles[] = {"made",  "run",  "back end", "metric",
                                         "ratio", "base", "commit"};
    enum status status = STATUS_OK;
    document_heading(document, 2, "A metric over runs");
    document_add(document, BLOCK_PARAGRAPH,
                 "Geometric means as ratios to each run's own base, which takes out what made a "
                 "whole run faster or slower. Write a back end's name into the filter to follow "
                 "it.");
    struct table *table = document_table(document, "history");
    table_columns(table, titles, sizeof(titles) / sizeof(titles[0]), 4);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = history_add_means(&runs[i], table, error);
    }
    return status;
}

static void history_add_pages(const struct text_list *directories, struct document *document)
{
    document_heading(document, 2, "Reports");
    for (size_t i = 0; i < directories->count; i++) {
        struct error error;
        const char *name = report_name(directories->items[i]);
        const struct report_part *part = report_find_part(directories->items[i], &error);
        char *target = text_format("%s.html", name);
        document_link(document, target, "%s: %s", name, part != NULL ? part->kind : "?");
        free(target);
    }
}

/* ----------------------------------------------------------------------------------- the folder */

/* Checks the directories' names. Pages are named for them, so two of the same name would be one
 * page. */
static enum status history_check_names(const struct text_list *directories, struct error *error)
{
    for (size_t i = 0; i < directories->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(report_name(directories->items[i]), report_name(directories->items[j])) ==
                0) {
                return error_set(error, STATUS_INVALID,
                                 "%s and %s would have one page: rename one of them",
                                 directories->items[j], directories->items[i]);
            }
        }
    }
    return STATUS_OK;
}

static enum status history_write_pages(const struct report_options *options,
                                       struct text_list *notes, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < options->directories->count && status == STATUS_OK; i++) {
        char *directory = options->directories->items[i];
        const struct text_list one = {.items = &directory, .count = 1};
        char *path = text_format("%s/%s.html", options->output, report_name(directory));
        struct report_options each = *options;
        each.directories = &one;
        each.output = path;
        status = report_write(&each, notes, error);
        free(path);
    }
    return status;
}

enum status report_write_index(const struct report_options *options, struct text_list *notes,
                               struct error *error)
{
    struct history_run *runs = NULL;
    size_t count = 0;
    enum status status = history_check_names(options->directories, error);
    if (status == STATUS_OK) {
        status = file_make_directory(options->output, error);
    }
    if (status == STATUS_OK) {
        status = history_write_pages(options, notes, error);
    }
    if (status == STATUS_OK) {
        status = history_load(options->directories, &runs, &count, error);
    }
    struct document *document = document_new();
    document_heading(document, 1, "History");
    if (status == STATUS_OK) {
        history_add_pages(options->directories, document);
        status = history_add_changes(runs, count, document, error);
    }
    if (status == STATUS_OK) {
        status = history_add_runs(runs, count, document, error);
    }
    if (status == STATUS_OK) {
        char *path = text_format("%s/index.html", options->output);
        status = report_page_write(path, "heapmill: history", &document, 1, NULL, error);
        free(path);
    }
    document_free(document);
    history_free(runs, count);
    return status;
}
