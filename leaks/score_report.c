/* Prints a score of leak detectors for people. */
#include "common/host/json.h"
#include "leaks/leaks.h"

static void leaks_print_row(struct table *table, const json_t *row)
{
    bool applicable = json_is_true(json_object_get(row, "applicable"));
    bool planted = json_number_at(row, "planted", 0) > 0;
    table_row(table);
    table_cell(table, 0, "%s%s", json_text_at(row, "detector", ""),
               json_is_true(json_object_get(row, "annotated")) ? " annotated" : "");
    table_cell(table, 1, "%s", json_text_at(row, "backend", ""));
    table_cell(table, 2, "%s", json_text_at(row, "kind", ""));
    if (planted) {
        table_cell(table, 3, applicable ? "%.0f/%.0f" : "(%.0f/%.0f)",
                   json_number_at(row, "found", 0), json_number_at(row, "planted", 0));
        table_cell(table, 4, "%.2f [%.2f, %.2f]", json_number_at(row, "recall", 0),
                   json_number_at(row, "low", 0), json_number_at(row, "high", 0));
    }
    if (json_is_number(json_object_get(row, "precision"))) {
        table_cell(table, 5, "%.2f [%.2f, %.2f]", json_number_at(row, "precision", 0),
                   json_number_at(row, "precision_low", 0),
                   json_number_at(row, "precision_high", 0));
    }
    table_cell(table, 6, "%.0f/%.0f", json_number_at(row, "suspected", 0),
               json_number_at(row, "clean", 0));
    if (json_is_number(json_object_get(row, "slowdown"))) {
        table_cell(table, 7, "%.3g", json_number_at(row, "slowdown", 0));
    }
    if (json_is_number(json_object_get(row, "rss_ratio"))) {
        table_cell(table, 8, "%.2f", json_number_at(row, "rss_ratio", 0));
    }
    if (json_is_number(json_object_get(row, "first_report_s"))) {
        table_cell(table, 9, "%.3g", json_number_at(row, "first_report_s", 0));
    }
}

void leaks_report(const json_t *score, struct document *document)
{
    static const char *const titles[] = {"detector", "back end",  "kind",      "found",
                                         "recall",   "precision", "suspected", "slowdown",
                                         "peak RSS", "report (s)"};
    enum { COLUMNS = sizeof(titles) / sizeof(titles[0]) };
    struct table *table = document_table(document, "detectors");
    table_columns(table, titles, COLUMNS, 3);
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(score, "rows"), index, row)
    {
        leaks_print_row(table, row);
    }
}
