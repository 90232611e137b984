/* Prints a score for people. */
#include <math.h>
#include <stdio.h>

#include "common/host/text.h"
#include "results/fuzz_score.h"

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
                char executions[32] = "";
                if (isfinite(cell->median_executions)) {
                    text_of_count(executions, sizeof(executions), cell->median_executions);
                }
                table_cell(table, engine + 1, "%zu/%zu %.3g s%s%s", cell->found, cell->count,
                           cell->mean_s.point, executions[0] != '\0' ? " · " : "", executions);
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

void fuzz_score_report(const struct fuzz_score *score, struct document *document)
{
    document_line(document,
                  "found/trials, mean CPU time to find up to %g s · median of executions to find",
                  score->limit_s);
    document_gap(document);
    report_cells(score, document);
    document_gap(document);
    report_comparisons(score, document);
    document_line(document, "control: %zu findings in %zu trials without a bug, %.0f CPU s",
                  score->control_findings, score->control_trials, score->control_cpu_s);
}
