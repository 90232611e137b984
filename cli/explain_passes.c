/* What the passes that count instructions and time single calls have found. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "cli/explain.h"
#include "cli/table.h"
#include "results/stats/statistics.h"

void explain_print_instructions(const struct explain *explain, FILE *file)
{
    size_t count = 0;
    double least = HUGE_VAL;
    double most = 0;
    for (size_t i = 0; i < explain->count; i++) {
        double of_one = explain->records[i]->instructions_per_op;
        if (explain->records[i]->pass == RECORD_INSTRUCTIONS && !isnan(of_one)) {
            least = fmin(least, of_one);
            most = fmax(most, of_one);
            count++;
        }
    }
    const json_t *json = explain_first(explain, RECORD_INSTRUCTIONS);
    if (count == 0 || json == NULL) {
        return;
    }
    char all[32];
    explain_count(all, json_number_value(json_object_get(json, "instructions")));
    (void)fprintf(file, "\nInstructions\n  %.6g for one operation, %s in all", least, all);
    if (least < most) {
        (void)fprintf(file, "; up to %.6g in another round: something differs from run to run\n",
                      most);
    } else {
        (void)fprintf(file, "; the same in %zu round%s\n", count, count == 1 ? "" : "s");
    }
}

/* A quantile of a call over the rounds: the median, of the slowest call the slowest. NAN: none. */
static double latency_over_rounds(const struct explain *explain, enum record_call call,
                                  enum record_quantile quantile)
{
    double *values = calloc(explain->count + 1, sizeof(*values));
    size_t count = 0;
    for (size_t i = 0; i < explain->count && values != NULL; i++) {
        const struct record *record = explain->records[i];
        if (record->latency != RECORD_NO_LATENCY) {
            double ns = explain->set->latencies[record->latency].ns[call][quantile];
            values[count] = ns;
            count += isnan(ns) ? 0 : 1;
        }
    }
    double value = (double)NAN;
    if (count > 0) {
        statistics_sort(values, count);
        value = quantile == RECORD_LATENCY_MAX ? values[count - 1]
                                               : statistics_quantile(values, count, 0.5);
    }
    free(values);
    return value;
}

static void latency_print_table(const struct explain *explain, FILE *file)
{
    static const char *const calls[RECORD_CALL_COUNT] = {"  alloc", "  free", "  resize"};
    static const char *const quantiles[RECORD_QUANTILE_COUNT] = {"p50",   "p90",    "p99",
                                                                 "p99.9", "p99.99", "slowest"};
    struct table *table = table_new(RECORD_QUANTILE_COUNT + 1);
    table_column(table, 0, "  ns", TABLE_LEFT);
    for (size_t quantile = 0; quantile < RECORD_QUANTILE_COUNT; quantile++) {
        table_column(table, quantile + 1, quantiles[quantile], TABLE_RIGHT);
    }
    for (int call = 0; call < RECORD_CALL_COUNT; call++) {
        if (isnan(latency_over_rounds(explain, (enum record_call)call, RECORD_LATENCY_MAX))) {
            continue; /* the workload never makes it */
        }
        table_row(table);
        table_cell(table, 0, "%s", calls[call]);
        for (int quantile = 0; quantile < RECORD_QUANTILE_COUNT; quantile++) {
            double ns = latency_over_rounds(explain, (enum record_call)call,
                                            (enum record_quantile)quantile);
            char text[32];
            explain_count(text, ns);
            table_cell(table, (size_t)quantile + 1, "%s", isnan(ns) ? "" : text);
        }
    }
    table_print(table, file);
    table_free(table);
}

void explain_print_latency(const struct explain *explain, FILE *file)
{
    const json_t *latency = json_object_get(explain_first(explain, RECORD_LATENCY), "latency");
    if (latency == NULL) {
        return;
    }
    size_t rounds = 0;
    for (size_t i = 0; i < explain->count; i++) {
        rounds += explain->records[i]->latency != RECORD_NO_LATENCY;
    }
    const char *timer = json_string_value(json_object_get(latency, "timer"));
    (void)fputs("\nLatency of single calls\n", file);
    latency_print_table(explain, file);
    (void)fprintf(file,
                  "  one call in %" JSON_INTEGER_FORMAT
                  ", at random gaps; medians of %zu round%s, and the slowest call of all\n"
                  "  the timer (%s) costs %.3g ns itself, which is in every figure; an empty field "
                  "had too few calls\n",
                  json_integer_value(json_object_get(latency, "every")), rounds,
                  rounds == 1 ? "" : "s", timer != NULL ? timer : "unknown",
                  json_number_value(json_object_get(latency, "timer_cost_ns")));
}
