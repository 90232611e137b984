#include "cli/fuzz_score_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/host/document.h"
#include "common/host/json.h"

/* Other engines are compared with these: random, and the variants without the mutator. */
static bool report_is_baseline(const char *engine)
{
    return strcmp(engine, "random") == 0 || strstr(engine, "-nomutator") != NULL;
}

/* The number of pairs of a bug and an engine below the floor. */
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

static void report_show(const struct fuzz_score *score)
{
    struct document *document = document_new();
    fuzz_score_report(score, document);
    document_show(document);
}

int score_report(const struct fuzz_score *score, double floor, bool json)
{
    size_t missed = report_count_missed(score, floor);
    if (json) {
        json_t *all = fuzz_score_to_json(score);
        (void)json_object_set_new(all, "below_floor", json_integer((json_int_t)missed));
        json_print(all);
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
