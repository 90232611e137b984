/* The part of `heapmill explain` about the passes that count instructions and time single calls. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "cli/explain.h"
#include "results/stats/statistics.h"

void explain_add_instructions(const struct explain *explain, struct document *document)
{
    struct explain_figures counts = explain_metric(explain, metric_find("instructions"));
    size_t count = counts.count;
    double least = count > 0 ? counts.values[0] : 0;
    double most = count > 0 ? counts.values[count - 1] : 0;
    free(counts.values);
    const json_t *json = explain_first(explain, RECORD_INSTRUCTIONS);
    if (count == 0 || json == NULL) {
        return;
    }
    char all[32];
    char same[96];
    text_of_count(all, sizeof(all), json_number_value(json_object_get(json, "instructions")));
    document_heading(document, 2, "Instructions");
    if (least < most) {
        (void)snprintf(same, sizeof(same),
                       "up to %.6g in another round: something differs from run to run", most);
    } else {
        (void)snprintf(same, sizeof(same), "the same in %zu round%s", count, count == 1 ? "" : "s");
    }
    document_line(document, "%.6g for one operation, %s in all; %s", least, all, same);
}

static const char *const latency_calls[] = {"alloc", "free", "resize"};

/* The last row is the slowest call. */
static const struct latency_quantile {
    const char *title;
    const char *member;
} latency_quantiles[] = {{"p50", "p50_ns"},     {"p90", "p90_ns"},       {"p99", "p99_ns"},
                         {"p99.9", "p99_9_ns"}, {"p99.99", "p99_99_ns"}, {"slowest", "max_ns"}};

enum {
    LATENCY_CALLS = sizeof(latency_calls) / sizeof(latency_calls[0]),
    LATENCY_QUANTILES = sizeof(latency_quantiles) / sizeof(latency_quantiles[0])
};

/* A quantile of a call over the rounds: their median, or for the slowest call their maximum. NAN:
 * there is none. */
static double latency_over_rounds(const struct explain *explain, size_t call, size_t quantile)
{
    char member[64];
    (void)snprintf(member, sizeof(member), "latency.%s.%s", latency_calls[call],
                   latency_quantiles[quantile].member);
    struct explain_figures figures = explain_gather(explain, RECORD_LATENCY, member);
    double value = figures.count == 0 ? (double)NAN
                   : quantile == LATENCY_QUANTILES - 1
                       ? figures.values[figures.count - 1]
                       : statistics_quantile(figures.values, figures.count, 0.5);
    free(figures.values);
    return value;
}

static void latency_add_table(const struct explain *explain, struct document *document)
{
    struct table *table = document_table(document, "latency");
    (void)table_column(table, "call", "ns", TABLE_LEFT);
    for (size_t quantile = 0; quantile < LATENCY_QUANTILES; quantile++) {
        (void)table_column(table, latency_quantiles[quantile].member,
                           latency_quantiles[quantile].title, TABLE_RIGHT);
    }
    for (size_t call = 0; call < LATENCY_CALLS; call++) {
        if (isnan(latency_over_rounds(explain, call, LATENCY_QUANTILES - 1))) {
            continue; /* the workload never makes this call */
        }
        table_row(table);
        table_cell(table, 0, "%s", latency_calls[call]);
        for (size_t quantile = 0; quantile < LATENCY_QUANTILES; quantile++) {
            table_count(table, quantile + 1, latency_over_rounds(explain, call, quantile));
        }
    }
}

void explain_add_latency(const struct explain *explain, struct document *document)
{
    const json_t *latency = json_object_get(explain_first(explain, RECORD_LATENCY), "latency");
    if (latency == NULL) {
        return;
    }
    size_t rounds = 0;
    for (size_t i = 0; i < explain->count; i++) {
        rounds +=
            explain->records[i]->pass == RECORD_LATENCY && explain->records[i]->status == RECORD_OK;
    }
    const char *timer = json_string_value(json_object_get(latency, "timer"));
    document_heading(document, 2, "Latency of single calls");
    latency_add_table(explain, document);
    document_line(document,
                  "one call in %" JSON_INTEGER_FORMAT
                  ", at random gaps; medians of %zu round%s, and the slowest call of all",
                  json_integer_value(json_object_get(latency, "every")), rounds,
                  rounds == 1 ? "" : "s");
    document_line(document,
                  "the timer (%s) costs %.3g ns itself, which is in every figure; an empty field "
                  "had too few calls",
                  timer != NULL ? timer : "unknown",
                  json_number_value(json_object_get(latency, "timer_cost_ns")));
}
