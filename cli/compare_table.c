#include "cli/compare_table.h"

#include <math.h>
#include <string.h>

#include "cli/compare_header.h"
#include "cli/table.h"

enum { FIGURE_MAX = 32 };

enum compare_column {
    COLUMN_WORKLOAD,
    COLUMN_PARAMS,
    COLUMN_BACKEND,
    COLUMN_ARM,
    COLUMN_VALUE,
    COLUMN_BASE_VALUE,
    COLUMN_RATIO,
    COLUMN_INTERVAL,
    COLUMN_VERDICT,
    COLUMN_SOURCE,
    COLUMN_COUNT
};

/* "0.62 [0.60, 0.64]" has two decimals; an interval narrower than 0.05 gets three, a large ratio
 * one. */
static int compare_decimals(double ratio, double low, double high)
{
    if (ratio >= 10) {
        return 1;
    }
    return high - low < 0.05 ? 3 : 2; /* false where there is no interval */
}

/* A figure in its metric's unit, scaled for people. */
static void compare_format_value(char text[FIGURE_MAX], const struct comparison *comparison,
                                 double value)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    const struct metric *metric = comparison->metric;
    if (isnan(value)) {
        text[0] = '\0';
    } else if (comparison->relative) {
        (void)snprintf(text, FIGURE_MAX, "%.3f×", value); /* of its own run's base */
    } else if (strcmp(metric->unit, "bytes") == 0) {
        size_t unit = 0;
        for (; value >= 1024 && unit < 4; unit++) {
            value /= 1024;
        }
        (void)snprintf(text, FIGURE_MAX, "%.4g %s", value, units[unit]);
    } else if (value >= 10000 && strcmp(metric->unit, "ns") == 0) {
        (void)snprintf(text, FIGURE_MAX, "%.4g us", value / 1000);
    } else {
        (void)snprintf(text, FIGURE_MAX, "%.*f%s%s", value < 100 ? 2 : 1, value,
                       metric->unit[0] != '\0' ? " " : "", metric->unit);
    }
}

static void compare_ratio_cells(struct table *table, double ratio, double low, double high)
{
    int decimals = compare_decimals(ratio, low, high);
    if (!isnan(ratio)) {
        table_cell(table, COLUMN_RATIO, "%.*f", decimals, ratio);
    }
    if (!isnan(low)) {
        table_cell(table, COLUMN_INTERVAL, "[%.*f, %.*f]", decimals, low, decimals, high);
    }
}

static void compare_add_verdict(struct table *table, const struct comparison *comparison,
                                const struct comparison_cell *row, bool colour)
{
    const char *word = comparison_verdict_word(comparison, row->verdict);
    if (row->verdict == COMPARISON_FAILED) {
        table_cell(table, COLUMN_VERDICT, "%s (%u record%s)", word, row->failed,
                   row->failed == 1 ? "" : "s");
    } else if (row->withdrawn) {
        table_cell(table, COLUMN_VERDICT, "%s (withdrawn)", word);
    } else if (row->base_is_zero) {
        table_cell(table, COLUMN_VERDICT, "no ratio to a base of 0");
    } else {
        table_cell(table, COLUMN_VERDICT, "%s", word);
    }
    if (colour && row->verdict == COMPARISON_LESS) {
        table_cell_style(table, COLUMN_VERDICT, "\033[32m", "\033[0m");
    } else if (colour && (row->verdict == COMPARISON_MORE || row->verdict == COMPARISON_FAILED)) {
        table_cell_style(table, COLUMN_VERDICT, "\033[31m", "\033[0m");
    }
}

static void compare_add_row(struct table *table, const struct comparison *comparison,
                            const struct comparison_cell *row, bool colour)
{
    const struct record_cell *cell = row->cell;
    char value[FIGURE_MAX];
    table_row(table);
    table_cell(table, COLUMN_WORKLOAD, "%s", cell->workload);
    if (cell->threads > 1) {
        table_cell(table, COLUMN_PARAMS, "%s%sthreads=%u", cell->params_text,
                   cell->params_text[0] != '\0' ? "," : "", cell->threads);
    } else {
        table_cell(table, COLUMN_PARAMS, "%s", cell->params_text);
    }
    table_cell(table, COLUMN_BACKEND, "%s", cell->backend_text);
    table_cell(table, COLUMN_ARM, "%s", cell->arm);
    compare_format_value(value, comparison, row->value);
    table_cell(table, COLUMN_VALUE, "%s", value);
    compare_format_value(value, comparison, row->base_value);
    table_cell(table, COLUMN_BASE_VALUE, "%s", value);
    compare_ratio_cells(table, row->ratio, row->low, row->high);
    compare_add_verdict(table, comparison, row, colour);
    table_cell(table, COLUMN_SOURCE, "%s", row->source);
}

static void compare_add_geomean(struct table *table, const struct comparison_geomean *geomean)
{
    table_row(table);
    table_cell(table, COLUMN_WORKLOAD, "geometric mean");
    table_cell(table, COLUMN_PARAMS, "%u famil%s", geomean->families,
               geomean->families == 1 ? "y" : "ies");
    table_cell(table, COLUMN_BACKEND, "%s", geomean->backend_text);
    table_cell(table, COLUMN_ARM, "%s", geomean->arm);
    compare_ratio_cells(table, geomean->ratio, geomean->low, geomean->high);
    if (!geomean->complete) {
        table_cell(table, COLUMN_VERDICT, "incomplete: %u of %u cells", geomean->cells,
                   geomean->cells_expected);
    }
}

static struct table *compare_new_table(const struct comparison *comparison)
{
    struct table *table = table_new(COLUMN_COUNT);
    table_column(table, COLUMN_WORKLOAD, "workload", TABLE_LEFT);
    table_column(table, COLUMN_PARAMS, "parameters", TABLE_LEFT);
    table_column(table, COLUMN_BACKEND, "back end", TABLE_LEFT);
    table_column(table, COLUMN_ARM, "arm", TABLE_LEFT);
    table_column(table, COLUMN_VALUE, comparison->metric->name, TABLE_RIGHT);
    table_column(table, COLUMN_BASE_VALUE, comparison->base_set != NULL ? "before" : "base",
                 TABLE_RIGHT);
    table_column(table, COLUMN_RATIO, "ratio", TABLE_RIGHT);
    table_column(table, COLUMN_INTERVAL, "", TABLE_LEFT);
    table_column(table, COLUMN_VERDICT, "", TABLE_LEFT);
    table_column(table, COLUMN_SOURCE, "", TABLE_LEFT);
    return table;
}

void compare_table_print(const struct comparison *comparison, FILE *file)
{
    bool colour = table_colour_allowed(file);
    struct table *table = compare_new_table(comparison);
    for (size_t i = 0; i < comparison->cell_count; i++) {
        compare_add_row(table, comparison, &comparison->cells[i], colour);
    }
    table_line(table, "");
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        compare_add_geomean(table, &comparison->geomeans[i]);
    }
    compare_header_print(comparison, file);
    table_print(table, file);
    table_free(table);
}
