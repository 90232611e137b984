#include <math.h>
#include <string.h>

#include "results/export/export.h"
#include "results/stats/statistics.h"

/* What Markdown would take for markup in a table's cell. */
static void markdown_text(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("|*_`<\\~[", *text) != NULL) {
            (void)fputc('\\', file);
        }
        (void)fputc(*text, file);
    }
}

static void markdown_cell(FILE *file, const char *text)
{
    (void)fputs(" ", file);
    markdown_text(file, text);
    (void)fputs(" |", file);
}

static void markdown_number(FILE *file, const char *format, double value)
{
    (void)fputc(' ', file);
    if (isfinite(value)) {
        (void)fprintf(file, format, value);
    }
    (void)fputs(" |", file);
}

static void markdown_ratio(FILE *file, double ratio, double low, double high)
{
    (void)fputc(' ', file);
    if (isfinite(ratio)) {
        (void)fprintf(file, "%.3f", ratio);
    }
    if (isfinite(low)) {
        (void)fprintf(file, " \\[%.3f, %.3f\\]", low, high);
    }
    (void)fputs(" |", file);
}

static void markdown_row(FILE *file, const struct comparison *comparison,
                         const struct comparison_cell *row)
{
    const struct record_cell *cell = row->cell;
    char threads[32] = "";
    if (cell->threads > 1) {
        (void)snprintf(threads, sizeof(threads), "%sthreads=%u",
                       cell->params_text[0] != '\0' ? "," : "", cell->threads);
    }
    (void)fputc('|', file);
    markdown_cell(file, cell->workload);
    (void)fputc(' ', file);
    markdown_text(file, cell->params_text);
    markdown_text(file, threads);
    (void)fputs(" |", file);
    markdown_cell(file, cell->backend_text);
    markdown_cell(file, cell->arm);
    markdown_number(file, "%.5g", row->value);
    markdown_number(file, "%.5g", row->base_value);
    markdown_ratio(file, row->ratio, row->low, row->high);
    (void)fprintf(file, " %s%s |\n", comparison_verdict_word(comparison, row->verdict),
                  row->withdrawn ? " (withdrawn)" : "");
}

static void markdown_geomean(FILE *file, const struct comparison_geomean *geomean)
{
    (void)fprintf(file, "| *geometric mean* | %u famil%s |", geomean->families,
                  geomean->families == 1 ? "y" : "ies");
    markdown_cell(file, geomean->backend_text);
    markdown_cell(file, geomean->arm);
    (void)fputs("  |  |", file);
    markdown_ratio(file, geomean->ratio, geomean->low, geomean->high);
    if (geomean->complete) {
        (void)fputs("  |\n", file);
    } else {
        (void)fprintf(file, " incomplete: %u of %u cells |\n", geomean->cells,
                      geomean->cells_expected);
    }
}

static void markdown_comparison(FILE *file, const struct comparison *comparison)
{
    const struct metric *metric = comparison->metric;
    (void)fprintf(file, "### %s: %s\n\nBase: ", metric->name, metric->summary);
    markdown_text(file, comparison->base_backend);
    (void)fprintf(file, ":%s. Below 1 is %s than the base; 95%% intervals.", comparison->base_arm,
                  metric->less);
    if (isfinite(comparison->noise_floor) && !metric->deterministic) {
        (void)fprintf(file, " Noise floor ±%.2f%% (%u A/A pairs).", comparison->noise_floor * 100,
                      comparison->noise_floor_pairs);
    }
    if (comparison->hypotheses > 0) {
        (void)fprintf(file, " Verdicts withdrawn by the control over %u cells: %u.",
                      comparison->hypotheses, comparison->withdrawn);
    }
    if (comparison->groups_left_out > 0) {
        (void)fprintf(file,
                      " Left out of the geometric means: %u group%s in which the base's figure is "
                      "0.",
                      comparison->groups_left_out, comparison->groups_left_out == 1 ? "" : "s");
    }
    (void)fprintf(
        file,
        "\n\n| workload | parameters | back end | arm | %s%s%s | base | ratio | verdict |\n"
        "| --- | --- | --- | --- | ---: | ---: | ---: | --- |\n",
        metric->name, metric->unit[0] != '\0' ? ", " : "", metric->unit);
    for (size_t i = 0; i < comparison->cell_count; i++) {
        markdown_row(file, comparison, &comparison->cells[i]);
    }
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        markdown_geomean(file, &comparison->geomeans[i]);
    }
}

enum status export_markdown(const struct export_source *source, FILE *file, struct error *error)
{
    for (size_t i = 0; i < source->comparison_count; i++) {
        (void)fputs(i > 0 ? "\n" : "", file);
        markdown_comparison(file, source->comparisons[i]);
    }
    return ferror(file) == 0 ? STATUS_OK
                             : error_set(error, STATUS_IO, "the Markdown could not be written");
}
