/* Says in sentences what a run found: which back end won, by how much, how certain that is, and
 * what was not measured. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "report/part.h"
#include "results/compare/comparison.h"
#include "results/compare/report.h"
#include "results/stats/disturbance.h"

/* Back ends that are measured beside the contestants, as bounds: one keeps no books, the other
 * never reuses memory. */
static const char *const answer_yardsticks[] = {"null", "bump"};

size_t report_choose_metrics(const struct record_set *set,
                             const struct metric *metrics[REPORT_METRICS_MAX])
{
    static const char *const names[] = {"time", "held_peak", "instructions", "latency_p99"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct metric *metric = metric_find(names[i]);
        if (metric != NULL && metric_is_measured(metric, set)) {
            metrics[count++] = metric;
        }
    }
    return count;
}

static bool answer_is_yardstick(const char *backend)
{
    for (size_t i = 0; i < sizeof(answer_yardsticks) / sizeof(answer_yardsticks[0]); i++) {
        if (strcmp(backend, answer_yardsticks[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const struct comparison_geomean *answer_geomean(const struct comparison *comparison,
                                                       const char *backend, const char *arm)
{
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        const struct comparison_geomean *geomean = &comparison->geomeans[i];
        if (strcmp(geomean->backend_text, backend) == 0 && strcmp(geomean->arm, arm) == 0) {
            return geomean;
        }
    }
    return NULL;
}

/* The smallest mean of an arm, without `but`; NULL: no contestant has a complete one. */
static const struct comparison_geomean *answer_best(const struct comparison *comparison,
                                                    const char *arm,
                                                    const struct comparison_geomean *but)
{
    const struct comparison_geomean *best = NULL;
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        const struct comparison_geomean *each = &comparison->geomeans[i];
        if (each != but && each->complete && strcmp(each->arm, arm) == 0 &&
            !answer_is_yardstick(each->backend) && !isnan(each->ratio) &&
            (best == NULL || each->ratio < best->ratio)) {
            best = each;
        }
    }
    return best;
}

/* Compares the winner directly with the next one. */
static void answer_add_next(const struct comparison *comparison,
                            const struct comparison_geomean *best,
                            const struct comparison_geomean *next, struct document *document)
{
    const struct comparison_options options = {.base_backend = best->backend_text,
                                               .base_arm = best->arm,
                                               .metric = comparison->metric->name,
                                               .seed = comparison->seed};
    struct comparison *direct = NULL;
    struct error error = {.message = ""};
    if (comparison_build(comparison->set, &options, &direct, &error) != STATUS_OK) {
        document_line(document, "It could not be compared with %s:%s: %s.", next->backend_text,
                      next->arm, error.message);
        return;
    }
    const struct comparison_geomean *geomean =
        answer_geomean(direct, next->backend_text, next->arm);
    if (geomean != NULL && isfinite(geomean->low)) {
        double floor = isfinite(direct->noise_floor) ? direct->noise_floor : 0;
        document_line(document,
                      "Next comes %s:%s. Compared directly, it needs %.3f times as much [%.3f, "
                      "%.3f]: %s.",
                      next->backend_text, next->arm, geomean->ratio, geomean->low, geomean->high,
                      geomean->low > 1 + floor
                          ? "the lead is beyond chance and noise"
                          : "the lead is not beyond the noise, so the two share the place");
    }
    comparison_free(direct);
}

static void answer_add_winner(const struct comparison *comparison, const char *arm,
                              struct document *document)
{
    const struct comparison_geomean *best = answer_best(comparison, arm, NULL);
    const struct metric *metric = comparison->metric;
    if (best == NULL) {
        return;
    }
    bool base_arm = strcmp(arm, comparison->base_arm) == 0;
    if (base_arm && best->ratio >= 1) {
        document_line(document, "Winner by %s, arm %s: none needs less than the base, %s:%s.",
                      metric->name, arm, comparison->base_backend, comparison->base_arm);
        return;
    }
    char interval[64] = "no interval: fewer than six rounds";
    if (isfinite(best->low)) {
        (void)snprintf(interval, sizeof(interval), "95%% interval %.3f to %.3f", best->low,
                       best->high);
    }
    document_line(document,
                  "Winner by %s, arm %s: %s:%s. It needs %.3f times as much as the base %s:%s "
                  "(%s), the geometric mean over %u workloads of %u families%s.",
                  metric->name, arm, best->backend_text, best->arm, best->ratio,
                  comparison->base_backend, comparison->base_arm, interval, best->cells,
                  best->families,
                  base_arm ? "" : "; across arms that holds the price of binding too");
    const struct comparison_geomean *next = answer_best(comparison, arm, best);
    if (next != NULL) {
        answer_add_next(comparison, best, next, document);
    }
}

/* Adds the winners: first those of the base's arm, in which back ends meet on equal terms, then
 * those of other arms. */
static void answer_add_winners(const struct comparison *comparison, struct document *document)
{
    struct text_list arms = {0};
    text_list_add(&arms, text_format("%s", comparison->base_arm));
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        bool known = false;
        for (size_t j = 0; j < arms.count; j++) {
            known = known || strcmp(arms.items[j], comparison->geomeans[i].arm) == 0;
        }
        if (!known) {
            text_list_add(&arms, text_format("%s", comparison->geomeans[i].arm));
        }
    }
    for (size_t i = 0; i < arms.count; i++) {
        answer_add_winner(comparison, arms.items[i], document);
    }
    text_list_free(&arms);
}

static void answer_add_surety(const struct comparison *comparison, struct document *document)
{
    size_t counts[COMPARISON_NOT_APPLICABLE + 1] = {0};
    for (size_t i = 0; i < comparison->cell_count; i++) {
        counts[comparison->cells[i].verdict]++;
    }
    document_line(
        document,
        "How sure, by %s: of %zu comparisons with the base %zu are %s, %zu %s, %zu show no "
        "difference, %zu have too few rounds, %zu failed, %zu do not apply. Rounds: %u to "
        "%u; intervals are of 95%%.",
        comparison->metric->name, comparison->cell_count, counts[COMPARISON_LESS],
        comparison_verdict_word(comparison, COMPARISON_LESS), counts[COMPARISON_MORE],
        comparison_verdict_word(comparison, COMPARISON_MORE), counts[COMPARISON_NO_DIFFERENCE],
        counts[COMPARISON_TOO_FEW], counts[COMPARISON_FAILED], counts[COMPARISON_NOT_APPLICABLE],
        comparison->rounds_min, comparison->rounds_max);
}

/* ----------------------------------------------------------------------------------- ranking */

static void answer_count_row(const struct comparison *comparison, const char *backend,
                             const char *arm, size_t *less, size_t *more, size_t *all)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *cell = &comparison->cells[i];
        if (strcmp(cell->cell->backend_text, backend) == 0 && strcmp(cell->cell->arm, arm) == 0) {
            *less += cell->verdict == COMPARISON_LESS;
            *more += cell->verdict == COMPARISON_MORE;
            ++*all;
        }
    }
}

static void answer_rank_one(const struct comparison *comparison,
                            const struct comparison_geomean *row, struct table *table,
                            size_t column)
{
    const struct comparison_geomean *geomean =
        answer_geomean(comparison, row->backend_text, row->arm);
    size_t less = 0;
    size_t more = 0;
    size_t all = 0;
    answer_count_row(comparison, row->backend_text, row->arm, &less, &more, &all);
    if (geomean != NULL) {
        table_ratio(table, column, geomean->ratio, geomean->low, geomean->high);
        table_cell(table, column + 1, "%zu %s, %zu %s of %zu%s", less,
                   comparison_verdict_word(comparison, COMPARISON_LESS), more,
                   comparison_verdict_word(comparison, COMPARISON_MORE), all,
                   geomean->complete ? "" : "; incomplete");
    }
}

static int answer_by_ratio(const void *left, const void *right)
{
    const struct comparison_geomean *a = *(const struct comparison_geomean *const *)left;
    const struct comparison_geomean *b = *(const struct comparison_geomean *const *)right;
    double x = isnan(a->ratio) ? INFINITY : a->ratio;
    double y = isnan(b->ratio) ? INFINITY : b->ratio;
    return (x > y) - (x < y);
}

static void answer_add_ranking(size_t number, struct comparison *const *comparisons, size_t count,
                               struct document *document)
{
    const struct comparison *first = comparisons[0];
    const struct comparison_geomean **order =
        text_zeroed(first->geomean_count + 1, sizeof(struct comparison_geomean *));
    for (size_t i = 0; i < first->geomean_count; i++) {
        order[i] = &first->geomeans[i];
    }
    qsort(order, first->geomean_count, sizeof(struct comparison_geomean *), answer_by_ratio);
    struct table *table = document_table(document, "ranking");
    table_caption(table, false,
                  "All back ends by %s, as ratios to %s:%s (below 1 is %s); null and bump are "
                  "yardsticks: no bookkeeping, no reuse",
                  first->metric->name, first->base_backend, first->base_arm, first->metric->less);
    (void)table_column(table, "backend", "back end", TABLE_LEFT);
    (void)table_column(table, "arm", "arm", TABLE_LEFT);
    for (size_t i = 0; i < count; i++) {
        (void)table_column(table, comparisons[i]->metric->name, comparisons[i]->metric->name,
                           TABLE_RIGHT);
        (void)table_column(table, "verdicts", "verdicts", TABLE_LEFT);
    }
    for (size_t i = 0; i < first->geomean_count; i++) {
        table_row(table);
        table_cell(table, 0, "%s", order[i]->backend_text);
        table_link(table, 0, "#r%zu-backend-%s", number, order[i]->backend);
        table_cell(table, 1, "%s", order[i]->arm);
        for (size_t metric = 0; metric < count; metric++) {
            answer_rank_one(comparisons[metric], order[i], table, 2 + 2 * metric);
        }
    }
    free(order);
}

void report_add_answer(struct report *report, const struct record_set *set,
                       struct comparison *const *comparisons, size_t count,
                       struct document *document)
{
    document_heading(document, 2, "The answer");
    document_anchor(document, "r%zu-answer", report->number);
    document_add(document, BLOCK_PARAGRAPH,
                 "The question: which memory manager needs the least, on this machine, for these "
                 "workloads? The base is %s:%s. A ratio below 1 is better than the base.",
                 set->base_backend, set->base_arm);
    for (size_t i = 0; i < count; i++) {
        answer_add_winners(comparisons[i], document);
        answer_add_surety(comparisons[i], document);
    }
    report_add_limits(set, count > 0 ? comparisons[0] : NULL, document);
    if (count > 0) {
        answer_add_ranking(report->number, comparisons, count, document);
        document_add(document, BLOCK_NOTE,
                     "The winner was picked on the rounds that it is judged by, so the lead over "
                     "the next is a little too large on average.");
    }
}

/* ------------------------------------------------------------------------------------- limits */

static void limits_add_absent(const struct record_set *set, struct document *document)
{
    struct text_list absent = {0};
    uint32_t threads = 0;
    bool aged = false;
    for (size_t i = 0; i < set->cell_count; i++) {
        threads = set->cells[i].threads > threads ? set->cells[i].threads : threads;
        aged = aged || strstr(set->cells[i].params_text, "heap=aged") != NULL;
    }
    static const struct {
        const char *metric;
        const char *words;
    } passes[] = {{"time", "time"},
                  {"held_peak", "memory (--memory-pass)"},
                  {"instructions", "instructions"},
                  {"latency_p99", "latency of single calls"}};
    for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
        const struct metric *metric = metric_find(passes[i].metric);
        if (metric == NULL || !metric_is_measured(metric, set)) {
            text_list_add(&absent, text_format("%s", passes[i].words));
        }
    }
    if (threads <= 1) {
        text_list_add(&absent, text_format("more than one thread"));
    }
    if (!aged) {
        text_list_add(&absent, text_format("heaps that have aged"));
    }
    text_list_add(&absent, text_format("other machines, real programs"));
    char *list = text_join(&absent, "; ");
    document_line(document, "Not measured: %s.", list);
    free(list);
    text_list_free(&absent);
}

void report_add_limits(const struct record_set *set, const struct comparison *comparison,
                       struct document *document)
{
    limits_add_absent(set, document);
    if (comparison != NULL && !comparison->metric->deterministic) {
        document_line(document, "Disturbed from outside: %.1f%% of the processes.",
                      100 * disturbance_share(set));
    }
    if (comparison != NULL && isfinite(comparison->resolves)) {
        document_line(document,
                      "What it could not find: slowdowns below %.2f%%, of which it would have told "
                      "fewer than %.0f%% of the comparisons.",
                      100 * comparison->resolves, 100 * COMPARISON_RESOLVED_SHARE);
    }
    if (comparison != NULL && !comparison->metric->deterministic &&
        isfinite(comparison->noise_floor)) {
        document_line(document,
                      "Noise floor, by which identical programs differ: ±%.2f%% in half of the "
                      "groups and up to ±%.2f%% in the others.",
                      100 * comparison->noise_floor, 100 * comparison->noise_floor_most);
    } else if (comparison != NULL && !comparison->metric->deterministic) {
        document_add(document, BLOCK_WARNING,
                     "No pair of identical cells has six rounds, so the noise is unknown and there "
                     "are no verdicts. Run more rounds: heapmill bench --rounds.");
    }
    if (comparison != NULL && comparison->failed_cells > 0) {
        document_add(document, BLOCK_WARNING,
                     "%u comparisons failed and have no figures; the stderr member of their "
                     "records in records.jsonl says why.",
                     comparison->failed_cells);
    }
    if (comparison != NULL && comparison->aa_false > 0) {
        document_add(document, BLOCK_WARNING,
                     "%u of %u identical pairs were told apart: doubt verdicts near the noise "
                     "floor.",
                     comparison->aa_false, comparison->aa_judged);
    }
    for (size_t i = 0; i < set->note_count; i++) {
        document_add(document, BLOCK_WARNING, "%s", set->notes[i]);
    }
}

/* ----------------------------------------------------------------------------------- two runs */

enum status report_add_change(const struct record_set *before, const struct record_set *after,
                              struct document *document, struct error *error)
{
    struct comparison_run_options options = {.common = {.seed = 1}};
    struct comparison *comparison = NULL;
    const struct metric *metrics[REPORT_METRICS_MAX];
    size_t count = report_choose_metrics(after, metrics);
    enum status status = STATUS_OK;
    document_heading(document, 1, "%s against %s", report_name(after->directory),
                     report_name(before->directory));
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        options.common.metric = metrics[i]->name;
        status = comparison_build_runs(before, after, &options, &comparison, error);
        if (status != STATUS_OK) {
            break;
        }
        document_heading(document, 2, "Change of %s", metrics[i]->name);
        answer_add_surety(comparison, document);
        size_t index;
        json_t *sentence;
        json_array_foreach(comparison->differences, index, sentence)
        {
            document_add(document, BLOCK_WARNING, "%s", json_string_value(sentence));
        }
        comparison_report(comparison, document);
        comparison_free(comparison);
        comparison = NULL;
    }
    return status;
}
