#include "cli/fuzz_score_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/host/document.h"

/* Random and the variants without the mutator are what others are measured against. */
static bool report_is_baseline(const char *engine)
{
    return strcmp(engine, "random") == 0 || strstr(engine, "-nomutator") != NULL;
}

/* Bug and engine pairs below the floor. */
static size_t report_count_missed(const struct fuzz_score *score, double floor)
{
    size_t missed = 0;
    for (size_t bug = 0; bug < score->bug_count; bug++) {
        for (size_t engine = 0; engine < score->engine_count; engine++) {
            const struct fuzz_score_cell *cell = fuzz_score_cell(score, bug, engine);
            missed += !report_is_baseline(score->engines[engine]) && cell->count > 0 &&
                      (double)cell->found < floor * (double)cell->count;
        }
    }
    return missed;
}

static void report_cells(const struct fuzz_score *score, struct document *document)
{
    struct table *table = document_table(document, "bugs");
    (void)table_column(table, "bug", "bug", TABLE_LEFT);
    for (size_t engine = 0; engine < score->engine_count; engine++) {
        (void)table_column(table, NULL, score->engines[engine], TABLE_RIGHT);
    }
    for (size_t bug = 0; bug < score->bug_count; bug++) {
        table_row(table);
        table_cell(table, 0, "%s", score->bugs[bug]);
        for (size_t engine = 0; engine < score->engine_count; engine++) {
            const struct fuzz_score_cell *cell = fuzz_score_cell(score, bug, engine);
            if (cell->count == 0) {
                table_cell(table, engine + 1, "-");
            } else if (cell->found == 0) {
                table_cell(table, engine + 1, "0/%zu%s", cell->count,
                           cell->reached == 0 ? " unreached" : "");
            } else {
                table_cell(table, engine + 1, "%zu/%zu %.3g s", cell->found, cell->count,
                           cell->mean_s.point);
            }
        }
    }
    table_row(table);
    table_cell(table, 0, "all: mean");
    for (size_t engine = 0; engine < score->engine_count; engine++) {
        if (isfinite(score->mean_s_of_engine[engine])) {
            table_cell(table, engine + 1, "%.0f%% %.3g s", 100 * score->found_of_engine[engine],
                       score->mean_s_of_engine[engine]);
        }
    }
}

static void report_comparisons(const struct fuzz_score *score, struct document *document)
{
    for (size_t i = 0; i < score->comparison_count; i++) {
        const struct fuzz_score_comparison *each = &score->comparisons[i];
        char interval[80];
        if (each->bugs == 0) {
            continue;
        }
        if (isfinite(each->a12.low)) {
            const char *verdict = each->a12.low > 0.5    ? "sooner"
                                  : each->a12.high < 0.5 ? "later"
                                                         : "no difference";
            (void)snprintf(interval, sizeof(interval), " [%.3f, %.3f], %s", each->a12.low,
                           each->a12.high, verdict);
        } else {
            (void)snprintf(interval, sizeof(interval), ", no interval below %d trials",
                           SURVIVAL_TRIALS_MIN);
        }
        document_line(document, "%s against %s: A12 %.3f%s (%zu bug%s)", score->engines[each->left],
                      score->engines[each->right], each->a12.point, interval, each->bugs,
                      each->bugs == 1 ? "" : "s");
    }
}

static void report_show(const struct fuzz_score *score)
{
    struct document *document = document_new();
    document_line(document, "found/trials, mean CPU time to find up to %g s", score->limit_s);
    document_gap(document);
    report_cells(score, document);
    document_gap(document);
    report_comparisons(score, document);
    document_line(document, "control: %zu findings in %zu trials without a bug, %.0f CPU s",
                  score->control_findings, score->control_trials, score->control_cpu_s);
    document_show(document);
}

int score_report(const struct fuzz_score *score, double floor, bool json)
{
    size_t missed = report_count_missed(score, floor);
    if (json) {
        json_t *all = fuzz_score_to_json(score);
        (void)json_object_set_new(all, "below_floor", json_integer((json_int_t)missed));
        (void)json_dumpf(all, stdout, JSON_INDENT(1));
        (void)putchar('\n');
        json_decref(all);
    } else {
        report_show(score);
    }
    if (score->unplanted > 0) {
        (void)fprintf(
            stderr,
            "heapmill fuzz score: %zu findings in which the planted bug had no part are in "
            "no figure; does the build without it have them, too? Their inputs are in "
            "found/, those with \"bug_triggered\": 0 in trials.jsonl\n",
            score->unplanted);
    }
    if (score->failed > 0) {
        (void)fprintf(stderr,
                      "heapmill fuzz score: %zu trials ended by themselves without a finding, and "
                      "are in no figure: --resume does them again\n",
                      score->failed);
    }
    if (missed > 0) {
        (void)fprintf(stderr, "heapmill fuzz score: %zu bugs × engines are below the floor\n",
                      missed);
    }
    bool finding = score->control_findings > 0 || score->unplanted > 0 || missed > 0;
    return finding ? EXIT_FINDING : score->failed > 0 ? EXIT_PARTIAL : EXIT_CLEAN;
}
