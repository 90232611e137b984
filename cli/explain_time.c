/* The part of `heapmill explain` about time: how long it took, how much it varied, and what the
 * machine did meanwhile. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain.h"
#include "results/stats/statistics.h"

static void time_add_spread(const double *sorted, size_t count, struct document *document)
{
    double median = statistics_quantile(sorted, count, 0.5);
    document_heading(document, 2, "Time");
    document_line(document, "%.4g ns for one operation: median of %zu round%s", median, count,
                  count == 1 ? "" : "s");
    if (count > 1) {
        double middle =
            statistics_quantile(sorted, count, 0.75) - statistics_quantile(sorted, count, 0.25);
        document_line(document,
                      "rounds from %.4g to %.4g ns (%+.1f%% to %+.1f%%); the middle half lies "
                      "within %.1f%%",
                      sorted[0], sorted[count - 1], (sorted[0] / median - 1) * 100,
                      (sorted[count - 1] / median - 1) * 100, middle / median * 100);
    }
}

static void time_add_comparison(const struct explain *explain, struct document *document)
{
    const struct comparison *comparison = explain->comparison;
    const struct comparison_cell *row = explain->row;
    char ratio[40] = "";
    char interval[60] = "";
    char chance[80] = "";
    if (comparison == NULL) {
        return;
    }
    if (row == NULL) {
        document_line(document, "%s:%s is what the others of this run are compared with",
                      comparison->base_backend, comparison->base_arm);
        return;
    }
    if (!isnan(row->ratio)) {
        (void)snprintf(ratio, sizeof(ratio), "%.3f of its time", row->ratio);
    }
    if (!isnan(row->low)) {
        (void)snprintf(interval, sizeof(interval), " [%.3f, %.3f]", row->low, row->high);
    }
    document_line(document, "against %s:%s: %s%s%s%s%s", comparison->base_backend,
                  comparison->base_arm, ratio, interval, isnan(row->ratio) ? "" : ": ",
                  comparison_verdict_word(comparison, row->verdict),
                  row->withdrawn
                      ? " (told apart by its interval, withdrawn by the control over the "
                        "whole table)"
                      : "");
    if (!isnan(row->p)) {
        (void)snprintf(chance, sizeof(chance), "; p of figures like these if it lay within: %.2g",
                       row->p);
    }
    if (!isnan(row->noise_floor)) {
        document_line(document,
                      "noise floor of the group: ±%.2f%%, what identical cells differ by%s",
                      row->noise_floor * 100, chance);
    }
}

void explain_add_time(const struct explain *explain, struct document *document)
{
    struct explain_figures times = explain_metric(explain, metric_find("time"));
    if (times.count > 0) {
        time_add_spread(times.values, times.count, document);
        time_add_comparison(explain, document);
    }
    free(times.values);
}

/* "NAME: 0 in every round" or "NAME: median 1, from 0 to 12 a round". */
static void machine_add(const struct explain *explain, const char *member, const char *what,
                        struct document *document)
{
    struct explain_figures figures = explain_gather(explain, RECORD_TIME, member);
    const double *sorted = figures.values;
    size_t last = figures.count - 1;
    if (figures.count > 0 && sorted[0] >= sorted[last]) {
        document_line(document, "%s: %.6g in every round", what, sorted[0]);
    } else if (figures.count > 0) {
        document_line(document, "%s: median %.6g, from %.6g to %.6g a round", what,
                      statistics_quantile(sorted, figures.count, 0.5), sorted[0], sorted[last]);
    }
    free(figures.values);
}

/* Adds the slowest round, and what was different in it. */
static void machine_add_slowest(const struct explain *explain, struct document *document)
{
    static const char *const members[] = {"switches_involuntary", "steal_ticks",  "throttled_us",
                                          "faults_minor",         "faults_major", "load1"};
    const struct metric *time = metric_find("time");
    size_t slowest = explain->count;
    double slowest_ns = 0;
    size_t timed = 0;
    for (size_t i = 0; i < explain->count; i++) {
        double ns = metric_of_record(time, explain->set, explain->records[i], false);
        if (!explain->records[i]->left_out && !isnan(ns)) {
            timed++;
            slowest = ns > slowest_ns ? i : slowest;
            slowest_ns = fmax(slowest_ns, ns);
        }
    }
    if (timed < 3) {
        return;
    }
    struct text_list unlike = {0};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct explain_figures figures = explain_gather(explain, RECORD_TIME, members[i]);
        const json_t *value = json_object_get(explain->json[slowest], members[i]);
        double median = figures.count > 0 ? statistics_quantile(figures.values, figures.count, 0.5)
                                          : (double)NAN;
        if (json_is_number(value) && json_number_value(value) > median * 1.5) {
            text_list_add(&unlike, text_format("%s %.6g (median %.6g)", members[i],
                                               json_number_value(value), median));
        }
        free(figures.values);
    }
    char *words = text_join(&unlike, ", ");
    document_line(document, "slowest round %u (%.4g ns): %s", explain->records[slowest]->round,
                  slowest_ns,
                  unlike.count > 0 ? words : "nothing that was counted tells it from the others");
    free(words);
    text_list_free(&unlike);
}

static void machine_add_left_out(const struct explain *explain, struct document *document)
{
    size_t left_out = 0;
    for (size_t i = 0; i < explain->count; i++) {
        left_out += explain->records[i]->left_out;
    }
    if (left_out > 0) {
        document_line(document, "left out as disturbed: %zu record%s", left_out,
                      left_out == 1 ? "" : "s");
    }
}

void explain_add_machine(const struct explain *explain, struct document *document)
{
    if (explain_first(explain, RECORD_TIME) == NULL) {
        return;
    }
    document_heading(document, 2, "Faults, and what the machine did meanwhile");
    machine_add(explain, "faults_minor", "page faults without reading, in the timed part",
                document);
    machine_add(explain, "faults_major", "page faults with reading", document);
    machine_add(explain, "switches_involuntary", "taken off the CPU", document);
    machine_add(explain, "switches_voluntary", "gave up the CPU", document);
    machine_add(explain, "steal_ticks", "ticks stolen by the hypervisor", document);
    machine_add(explain, "throttled_us", "microseconds throttled by a quota", document);
    machine_add(explain, "load1", "load average at the start", document);
    machine_add_left_out(explain, document);
    machine_add_slowest(explain, document);
}
