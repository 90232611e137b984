/* How long it took, how much that swung, and what the machine did meanwhile. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain.h"
#include "results/stats/statistics.h"

static void time_print_spread(const double *sorted, size_t count, FILE *file)
{
    double median = statistics_quantile(sorted, count, 0.5);
    (void)fprintf(file, "\nTime\n  %.4g ns for one operation: median of %zu round%s\n", median,
                  count, count == 1 ? "" : "s");
    if (count > 1) {
        double middle =
            statistics_quantile(sorted, count, 0.75) - statistics_quantile(sorted, count, 0.25);
        (void)fprintf(file,
                      "  rounds from %.4g to %.4g ns (%+.1f%% to %+.1f%%); the middle half lies "
                      "within %.1f%%\n",
                      sorted[0], sorted[count - 1], (sorted[0] / median - 1) * 100,
                      (sorted[count - 1] / median - 1) * 100, middle / median * 100);
    }
}

static void time_print_comparison(const struct explain *explain, FILE *file)
{
    const struct comparison *comparison = explain->comparison;
    const struct comparison_cell *row = explain->row;
    if (comparison == NULL) {
        return;
    }
    if (row == NULL) {
        (void)fprintf(file, "  %s:%s is what the others of this run are compared with\n",
                      comparison->base_backend, comparison->base_arm);
        return;
    }
    (void)fprintf(file, "  against %s:%s: ", comparison->base_backend, comparison->base_arm);
    if (!isnan(row->ratio)) {
        (void)fprintf(file, "%.3f of its time", row->ratio);
    }
    if (!isnan(row->low)) {
        (void)fprintf(file, " [%.3f, %.3f]", row->low, row->high);
    }
    (void)fprintf(file, "%s%s%s\n", isnan(row->ratio) ? "" : ": ",
                  comparison_verdict_word(comparison, row->verdict),
                  row->withdrawn
                      ? " (told apart by its interval, withdrawn by the control over the "
                        "whole table)"
                      : "");
    if (!isnan(row->noise_floor)) {
        (void)fprintf(file, "  noise floor of the group: ±%.2f%%, what identical cells differ by",
                      row->noise_floor * 100);
    }
    if (!isnan(row->p)) {
        (void)fprintf(file, "; p of figures like these if it lay within: %.2g", row->p);
    }
    (void)fputs(isnan(row->noise_floor) ? "" : "\n", file);
}

void explain_print_time(const struct explain *explain, FILE *file)
{
    struct explain_figures times = explain_metric(explain, metric_find("time"));
    if (times.count > 0) {
        time_print_spread(times.values, times.count, file);
        time_print_comparison(explain, file);
    }
    free(times.values);
}

/* "  NAME: 0 in every round" or "median 1, from 0 to 12 a round". */
static void machine_print(const struct explain *explain, const char *member, const char *what,
                          FILE *file)
{
    struct explain_figures figures = explain_gather(explain, RECORD_TIME, member);
    const double *sorted = figures.values;
    size_t last = figures.count - 1;
    if (figures.count > 0 && sorted[0] >= sorted[last]) {
        (void)fprintf(file, "  %s: %.6g in every round\n", what, sorted[0]);
    } else if (figures.count > 0) {
        (void)fprintf(file, "  %s: median %.6g, from %.6g to %.6g a round\n", what,
                      statistics_quantile(sorted, figures.count, 0.5), sorted[0], sorted[last]);
    }
    free(figures.values);
}

/* The round that is farthest above the others, and what was different in it. */
static void machine_print_slowest(const struct explain *explain, FILE *file)
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
    (void)fprintf(file, "  slowest round %u (%.4g ns):", explain->records[slowest]->round,
                  slowest_ns);
    bool any = false;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct explain_figures figures = explain_gather(explain, RECORD_TIME, members[i]);
        const json_t *value = json_object_get(explain->json[slowest], members[i]);
        double median = figures.count > 0 ? statistics_quantile(figures.values, figures.count, 0.5)
                                          : (double)NAN;
        if (json_is_number(value) && json_number_value(value) > median * 1.5) {
            (void)fprintf(file, "%s %s %.6g (median %.6g)", any ? "," : "", members[i],
                          json_number_value(value), median);
            any = true;
        }
        free(figures.values);
    }
    (void)fputs(any ? "\n" : " nothing that was counted tells it from the others\n", file);
}

static void machine_print_left_out(const struct explain *explain, FILE *file)
{
    size_t left_out = 0;
    for (size_t i = 0; i < explain->count; i++) {
        left_out += explain->records[i]->left_out;
    }
    if (left_out > 0) {
        (void)fprintf(file, "  left out as disturbed: %zu record%s\n", left_out,
                      left_out == 1 ? "" : "s");
    }
}

void explain_print_machine(const struct explain *explain, FILE *file)
{
    if (explain_first(explain, RECORD_TIME) == NULL) {
        return;
    }
    (void)fputs("\nFaults, and what the machine did meanwhile\n", file);
    machine_print(explain, "faults_minor", "page faults without reading, in the timed part", file);
    machine_print(explain, "faults_major", "page faults with reading", file);
    machine_print(explain, "switches_involuntary", "taken off the CPU", file);
    machine_print(explain, "switches_voluntary", "gave up the CPU", file);
    machine_print(explain, "steal_ticks", "ticks stolen by the hypervisor", file);
    machine_print(explain, "throttled_us", "microseconds throttled by a quota", file);
    machine_print(explain, "load1", "load average at the start", file);
    machine_print_left_out(explain, file);
    machine_print_slowest(explain, file);
}
