#include "results/compare/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "results/instruction_counts.h"
#include "results/memory_pace.h"
#include "results/stats/disturbance.h"
#include "results/stats/statistics.h"

/* ---------------------------------------------------------------------------------- the header */

/* Says whether the counts of a run repeat to the last digit, as they should. */
static void report_counts(const struct record_set *set, struct document *document)
{
    struct instruction_counts counts;
    struct error error;
    if (instruction_counts_read(set, &counts, &error) == STATUS_OK && counts.cells > 0) {
        document_line(document,
                      "%s: %zu of %zu cells have one and the same count in all their rounds%s%s",
                      set->directory, counts.identical, counts.cells,
                      counts.differing != NULL ? "; not " : "",
                      counts.differing != NULL ? counts.differing : "");
    }
}

static void report_exact(const struct comparison *comparison, struct document *document)
{
    document_line(document, "counted, so without noise: intervals are from the least to the "
                            "greatest record");
    if (comparison->base_set != NULL) {
        report_counts(comparison->base_set, document);
    }
    report_counts(comparison->set, document);
}

static void report_noise(const struct comparison *comparison, struct document *document)
{
    char most[80] = "";
    char check[120] = "";
    if (comparison->metric->deterministic) {
        report_exact(comparison, document);
        return;
    }
    if (isnan(comparison->noise_floor)) {
        document_line(document, "noise floor: unknown, no A/A pair has six rounds of this metric: "
                                "figures only, no verdicts");
        return;
    }
    if (comparison->noise_floor_most > comparison->noise_floor) {
        (void)snprintf(most, sizeof(most), " in half of the groups, up to ±%.2f%% in the others",
                       comparison->noise_floor_most * 100);
    }
    if (comparison->aa_judged > 0) {
        (void)snprintf(check, sizeof(check),
                       "; A/A check: %u of %u other identical pairs told apart",
                       comparison->aa_false, comparison->aa_judged);
    }
    document_line(document, "noise floor: ±%.2f%%%s, set by %u A/A pair%s of the run%s",
                  comparison->noise_floor * 100, most, comparison->noise_floor_pairs,
                  comparison->noise_floor_pairs == 1 ? "" : "s", check);
}

static void report_disturbed(const struct comparison *comparison, struct document *document)
{
    if (comparison->metric->pass == RECORD_TIME) {
        document_line(document,
                      "disturbed: %.1f%% of the processes, by their CPU time outside of the timed "
                      "part; left out where that leaves a cell two rounds of three",
                      100 * disturbance_share(comparison->set));
    }
}

/* The memory pass stops to look and runs beside its like: what purges by the clock sees another
 * pace. */
static void report_pace(const struct comparison *comparison, struct document *document)
{
    struct memory_pace pace;
    struct error error;
    if (comparison->metric->pass == RECORD_MEMORY &&
        memory_pace_read(comparison->set, &pace, &error) == STATUS_OK && pace.cells > 0) {
        document_line(
            document,
            "pace: an operation of the memory pass took %.1f times as long as a timed one "
            "in half of the cells, up to %.1f: what an allocator gives back by the clock "
            "it had that much more time for",
            pace.median, pace.most);
    }
}

static void report_control(const struct comparison *comparison, struct document *document)
{
    if (!isnan(comparison->resolves)) {
        document_line(document,
                      "resolution: this run finds a slowdown of %.1f%% in %.0f%% of its rows; "
                      "smaller ones are mostly told \"no difference\"",
                      comparison->resolves * 100, COMPARISON_RESOLVED_SHARE * 100);
    }
    if (comparison->hypotheses > 0) {
        document_line(document,
                      "control over %u cells of the run (Benjamini-Hochberg): at most %.0f%% of "
                      "the differences told are wrong; %u verdict%s withdrawn",
                      comparison->hypotheses, STATISTICS_DISCOVERY_LEVEL * 100,
                      comparison->withdrawn, comparison->withdrawn == 1 ? "" : "s");
    }
}

static void report_left_out(const struct comparison *comparison, struct document *document)
{
    struct text_list groups = {0};
    for (size_t i = 0; i < comparison->set->group_count; i++) {
        if (comparison->group_left_out[i]) {
            text_list_add(&groups, text_format("%s", comparison->set->groups[i].id));
        }
    }
    if (groups.count > 0) {
        char *names = text_join(&groups, " ");
        document_line(document, "left out of all geometric means, as the base's figure is 0: %s",
                      names);
        free(names);
    }
    text_list_free(&groups);
}

/* Names the arms when a table mixes several. */
static void report_arms(const struct comparison *comparison, struct document *document)
{
    if (!comparison->several_arms) {
        document_line(document, "arm: %s, on both sides",
                      comparison->best_of != NULL ? comparison->cells[0].cell->arm
                                                  : comparison->base_arm);
        return;
    }
    struct text_list arms = {0};
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        bool known = false;
        for (size_t j = 0; j < arms.count && !known; j++) {
            known = strcmp(arms.items[j], comparison->geomeans[i].arm) == 0;
        }
        if (!known) {
            text_list_add(&arms, text_format("%s", comparison->geomeans[i].arm));
        }
    }
    char *names = text_join(&arms, ", ");
    document_line(document,
                  "arms: %s against %s: a ratio across arms holds the price of binding too", names,
                  comparison->best_of != NULL ? "the best one's" : comparison->base_arm);
    free(names);
    text_list_free(&arms);
}

static void report_rounds(const struct comparison *comparison, struct document *document)
{
    char least[32] = "";
    if (comparison->rounds_max == 0) {
        document_line(document,
                      "rounds: none; the run has no figures of its %s pass for these rows",
                      record_pass_word(comparison->metric->pass));
        return;
    }
    if (comparison->rounds_min < comparison->rounds_max) {
        (void)snprintf(least, sizeof(least), "%u to ", comparison->rounds_min);
    }
    document_line(
        document,
        "rounds: %s%u; Hodges-Lehmann means of paired rounds with 95%% intervals; seed %llu", least,
        comparison->rounds_max, (unsigned long long)comparison->seed);
}

static void report_one_run(const struct comparison *comparison, struct document *document)
{
    const struct metric *metric = comparison->metric;
    document_line(document, "%s", comparison->set->directory);
    if (comparison->before) {
        document_line(document, "base: the same back end at %s; metric: %s, %s; below 1 is %s",
                      json_text_at(comparison->set->plan, "against.name", ""), metric->name,
                      metric->summary, metric->less);
    } else if (comparison->vary != NULL) {
        document_line(document, "base: the same back end with %s; metric: %s, %s; below 1 is %s",
                      comparison->vary, metric->name, metric->summary, metric->less);
    } else if (comparison->best_of != NULL) {
        document_line(document,
                      "base: of each row the best of %s, picked by the even rounds and judged by "
                      "the odd ones; metric: %s, %s; below 1 is %s than the best",
                      comparison->best_of, metric->name, metric->summary, metric->less);
        report_arms(comparison, document);
    } else {
        document_line(document, "base: %s:%s; metric: %s, %s; below 1 is %s than the base",
                      comparison->base_backend, comparison->base_arm, metric->name, metric->summary,
                      metric->less);
        report_arms(comparison, document);
    }
    report_rounds(comparison, document);
}

/* Reports by how much the runs' own base has moved. Nobody changed the base, so the machine did.
 * Counts do not depend on the state of the machine. */
static void report_drift(const struct comparison *comparison, struct document *document)
{
    const struct record_set *set = comparison->set;
    for (size_t i = 0; i < comparison->geomean_count && !comparison->relative &&
                       !comparison->metric->deterministic;
         i++) {
        const struct comparison_geomean *geomean = &comparison->geomeans[i];
        if (!isnan(geomean->ratio) && strcmp(geomean->backend_text, set->base_backend) == 0 &&
            strcmp(geomean->arm, set->base_arm) == 0) {
            document_line(document,
                          "%s:%s, the runs' own base, is at %.3f of before: where it has not been "
                          "changed, that is the machine's doing, and --relative takes it out",
                          geomean->backend_text, geomean->arm, geomean->ratio);
        }
    }
}

static void report_two_runs(const struct comparison *comparison, struct document *document)
{
    const struct metric *metric = comparison->metric;
    document_line(document, "%s, before: %s", comparison->set->directory,
                  comparison->base_set->directory);
    document_line(document, "metric: %s, %s; below 1 is %s than before", metric->name,
                  metric->summary, metric->less);
    if (comparison->relative) {
        document_line(document, "relative: each figure is a ratio to %s:%s of its own run",
                      comparison->base_backend, comparison->base_arm);
    }
    if (!metric->deterministic) {
        document_line(document, "ratio: Hodges-Lehmann shift of the logarithms, with the 95%% "
                                "interval of the rank-sum test; the runs' rounds are not paired");
    }
    report_drift(comparison, document);
}

static bool report_has_net(const struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        if (!isnan(comparison->cells[i].net)) {
            return true;
        }
    }
    return false;
}

static void report_header(const struct comparison *comparison, struct document *document)
{
    if (comparison->base_set != NULL) {
        report_two_runs(comparison, document);
    } else {
        report_one_run(comparison, document);
    }
    report_disturbed(comparison, document);
    report_pace(comparison, document);
    report_noise(comparison, document);
    report_control(comparison, document);
    report_left_out(comparison, document);
    if (report_has_net(comparison)) {
        document_line(document, "ratios and their geometric means are of whole times, the "
                                "workload's own included; net of null: the ratio without it");
    }
    if (comparison->workloads[0] != '\0') {
        document_line(document, "filter: workloads %s", comparison->workloads);
    }
    if (comparison->backends[0] != '\0') {
        document_line(document, "filter: back ends %s", comparison->backends);
    }
    if (comparison->several_sources) {
        document_line(document, "held is counted by the back end (stats) or seen from outside "
                                "(smaps): compare rows of one source only");
    }
    document_gap(document);
}

/* ----------------------------------------------------------------------------------- the table */

enum report_column {
    COLUMN_WORKLOAD,
    COLUMN_PARAMS,
    COLUMN_BACKEND,
    COLUMN_ARM,
    COLUMN_VALUE,
    COLUMN_BASE_VALUE,
    COLUMN_RATIO,
    COLUMN_VERDICT,
    COLUMN_SOURCE,
    COLUMN_NET
};

static void report_value(struct table *table, size_t column, const struct comparison *comparison,
                         double value)
{
    if (comparison->relative) {
        table_number(table, column, "%.3f×", value); /* as a ratio to its own run's base */
    } else {
        table_quantity(table, column, value, comparison->metric->unit);
    }
}

static void report_verdict(struct table *table, const struct comparison *comparison,
                           const struct comparison_cell *row)
{
    const char *word = comparison_verdict_word(comparison, row->verdict);
    if (row->verdict == COMPARISON_FAILED) {
        table_cell(table, COLUMN_VERDICT, "%s (%u record%s)", word, row->failed,
                   row->failed == 1 ? "" : "s");
    } else if (row->base_is_zero && !row->withdrawn) {
        table_cell(table, COLUMN_VERDICT, "no ratio to a base of 0");
    } else {
        table_cell(table, COLUMN_VERDICT, "%s%s", word, row->withdrawn ? " (withdrawn)" : "");
    }
    if (row->verdict == COMPARISON_LESS) {
        table_style(table, COLUMN_VERDICT, CELL_GOOD);
    } else if (row->verdict == COMPARISON_MORE || row->verdict == COMPARISON_FAILED) {
        table_style(table, COLUMN_VERDICT, CELL_BAD);
    }
}

static void report_row(struct table *table, const struct comparison *comparison,
                       const struct comparison_cell *row)
{
    const struct record_cell *cell = row->cell;
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
    report_value(table, COLUMN_VALUE, comparison, row->value);
    report_value(table, COLUMN_BASE_VALUE, comparison, row->base_value);
    table_ratio(table, COLUMN_RATIO, row->ratio, row->low, row->high);
    report_verdict(table, comparison, row);
    table_cell(table, COLUMN_SOURCE, "%s", row->source);
    if (!isnan(row->net)) {
        table_number(table, COLUMN_NET, "%.2f", row->net);
    }
    if (comparison->best_of != NULL) {
        table_cell(table, table->column_count - 1, "%s", row->base != NULL ? row->base->label : "");
    }
}

static void report_geomean(struct table *table, const struct comparison_geomean *geomean)
{
    table_row_summary(table);
    table_cell(table, COLUMN_WORKLOAD, "geometric mean");
    table_cell(table, COLUMN_PARAMS, "%u famil%s", geomean->families,
               geomean->families == 1 ? "y" : "ies");
    table_cell(table, COLUMN_BACKEND, "%s", geomean->backend_text);
    table_cell(table, COLUMN_ARM, "%s", geomean->arm);
    table_ratio(table, COLUMN_RATIO, geomean->ratio, geomean->low, geomean->high);
    if (!geomean->complete) {
        table_cell(table, COLUMN_VERDICT, "incomplete: %u of %u cells", geomean->cells,
                   geomean->cells_expected);
    }
}

void comparison_report(const struct comparison *comparison, struct document *document)
{
    report_header(comparison, document);
    struct table *table = document_table(document, "cells");
    (void)table_column(table, "workload", "workload", TABLE_LEFT);
    (void)table_column(table, "params", "parameters", TABLE_LEFT);
    (void)table_column(table, "backend", "back end", TABLE_LEFT);
    (void)table_column(table, "arm", "arm", TABLE_LEFT);
    (void)table_column(table, "value", comparison->metric->name, TABLE_RIGHT);
    (void)table_column(table, "base_value", comparison->base_set != NULL ? "before" : "base",
                       TABLE_RIGHT);
    (void)table_column(table, "ratio", "ratio", TABLE_RIGHT);
    (void)table_column(table, "verdict", "", TABLE_LEFT);
    (void)table_column(table, "source", "", TABLE_LEFT);
    if (report_has_net(comparison)) {
        (void)table_column(table, "net_of_null", "net of null", TABLE_RIGHT);
    }
    if (comparison->best_of != NULL) {
        (void)table_column(table, "best", "best", TABLE_LEFT); /* the last */
    }
    for (size_t i = 0; i < comparison->cell_count; i++) {
        report_row(table, comparison, &comparison->cells[i]);
    }
    table_gap(table);
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        report_geomean(table, &comparison->geomeans[i]);
    }
}
