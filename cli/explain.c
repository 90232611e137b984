#include "cli/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "results/stats/statistics.h"

/* What is printed of a failed worker's standard error. */
enum { EXPLAIN_STDERR_LINES = 12, EXPLAIN_FAILURES = 5 };

enum status explain_open(struct explain *explain, const struct record_set *set, size_t cell,
                         struct error *error)
{
    enum status status = STATUS_OK;
    struct error ignored;
    const struct comparison_options options = {.seed = 1};
    *explain = (struct explain){.set = set, .cell = &set->cells[cell]};
    for (size_t i = 0; i < set->record_count && status == STATUS_OK; i++) {
        if (set->records[i].cell == cell) {
            size_t next = explain->count;
            explain->records = text_grow(explain->records, next + 1, sizeof(struct record *));
            explain->json = text_grow(explain->json, next + 1, sizeof(json_t *));
            explain->records[next] = &set->records[i];
            status = record_set_read(set, i, &explain->json[next], error);
            explain->count += status == STATUS_OK;
        }
    }
    /* Without a base there is still everything else to tell. */
    if (comparison_build(set, &options, &explain->comparison, &ignored) != STATUS_OK) {
        explain->comparison = NULL;
    }
    for (size_t i = 0; explain->comparison != NULL && i < explain->comparison->cell_count; i++) {
        if (explain->comparison->cells[i].cell == explain->cell) {
            explain->row = &explain->comparison->cells[i];
        }
    }
    return status;
}

void explain_close(struct explain *explain)
{
    for (size_t i = 0; i < explain->count; i++) {
        json_decref(explain->json[i]);
    }
    free(explain->records);
    free(explain->json);
    comparison_free(explain->comparison);
}

const json_t *explain_first(const struct explain *explain, enum record_pass pass)
{
    for (size_t i = 0; i < explain->count; i++) {
        if (explain->records[i]->pass == pass && explain->records[i]->status == RECORD_OK) {
            return explain->json[i];
        }
    }
    return NULL;
}

struct explain_figures explain_gather(const struct explain *explain, enum record_pass pass,
                                      const char *member)
{
    struct explain_figures figures = {text_grow(NULL, explain->count + 1, sizeof(double)), 0};
    for (size_t i = 0; i < explain->count; i++) {
        const struct record *record = explain->records[i];
        double value = metric_number(explain->json[i], member);
        if (record->pass == pass && record->status == RECORD_OK && !record->left_out &&
            !isnan(value)) {
            figures.values[figures.count++] = value;
        }
    }
    statistics_sort(figures.values, figures.count);
    return figures;
}

struct explain_figures explain_metric(const struct explain *explain, const struct metric *metric)
{
    struct explain_figures figures = {text_grow(NULL, explain->count + 1, sizeof(double)), 0};
    for (size_t i = 0; i < explain->count; i++) {
        double value = metric_of_record(metric, explain->set, explain->records[i], false);
        if (!explain->records[i]->left_out && !isnan(value)) {
            figures.values[figures.count++] = value;
        }
    }
    statistics_sort(figures.values, figures.count);
    return figures;
}

void explain_bytes(char text[32], double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    for (; fabs(bytes) >= 1024 && unit < 4; unit++) {
        bytes /= 1024;
    }
    (void)snprintf(text, 32, "%.4g %s", bytes, units[unit]);
}

void explain_count(char text[32], double count)
{
    char digits[32];
    int length = snprintf(digits, sizeof(digits), "%.0f", count);
    size_t at = 0;
    for (int i = 0; i < length && at < 30; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') {
            text[at++] = ' ';
        }
        text[at++] = digits[i];
    }
    text[at] = '\0';
}

static void explain_print_heading(const struct explain *explain, FILE *file)
{
    const struct record_cell *cell = explain->cell;
    (void)fprintf(file, "%s\n", cell->id);
    (void)fprintf(file, "  workload %s (%s, family %s)", cell->workload, cell->kind, cell->family);
    if (cell->params_text[0] != '\0') {
        (void)fprintf(file, " with %s", cell->params_text);
    }
    (void)fprintf(file, ", %u thread%s; back end %s, arm %s\n", cell->threads,
                  cell->threads == 1 ? "" : "s", cell->backend_text, cell->arm);
    if (explain->count == 0) {
        (void)fputs("  no record yet: the run has not come to this cell\n", file);
    }
}

/* The last lines, indented. */
static void explain_print_stderr(const char *text, FILE *file)
{
    struct text_list lines = {0};
    text_split(&lines, text, '\n');
    size_t count = lines.count;
    while (count > 0 && lines.items[count - 1][0] == '\0') {
        count--;
    }
    size_t first = count > EXPLAIN_STDERR_LINES ? count - EXPLAIN_STDERR_LINES : 0;
    for (size_t i = first; i < count; i++) {
        (void)fprintf(file, "    | %s\n", lines.items[i]);
    }
    text_list_free(&lines);
}

static const char *explain_text(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL ? text : "";
}

/* What did not end well, and what could not be. */
static void explain_print_failures(const struct explain *explain, FILE *file)
{
    size_t wrong = 0;
    for (size_t i = 0; i < explain->count; i++) {
        wrong += explain->records[i]->status != RECORD_OK;
    }
    if (wrong == 0) {
        return;
    }
    (void)fprintf(file, "\nNot ok: %zu of %zu records\n", wrong, explain->count);
    size_t printed = 0;
    for (size_t i = 0; i < explain->count && printed < EXPLAIN_FAILURES; i++) {
        const struct record *record = explain->records[i];
        if (record->status == RECORD_OK) {
            continue;
        }
        (void)fprintf(file, "  %s in round %u of the %s pass: %s\n",
                      record_status_word(record->status), record->round,
                      record_pass_word(record->pass), explain_text(explain->json[i], "reason"));
        explain_print_stderr(explain_text(explain->json[i], "stderr"), file);
        printed++;
    }
    if (wrong > printed) {
        (void)fprintf(file, "  … and %zu more\n", wrong - printed);
    }
}

void explain_print(const struct explain *explain, FILE *file)
{
    explain_print_heading(explain, file);
    explain_print_failures(explain, file);
    explain_print_time(explain, file);
    explain_print_instructions(explain, file);
    explain_print_latency(explain, file);
    explain_print_machine(explain, file);
    explain_print_calls(explain, file);
    explain_print_memory(explain, file);
    explain_print_collections(explain, file);
    explain_print_collector(explain, file);
}
