/* What `heapmill explain` says of the collector: pauses, utilisation, floating garbage. */
#include <math.h>
#include <stdlib.h>

#include "cli/explain.h"
#include "results/stats/statistics.h"

/* The median over the rounds; NAN if no record has it. */
static double collector_median(const struct explain *explain, const char *member)
{
    struct explain_figures figures = explain_gather(explain, RECORD_TIME, member);
    double median =
        figures.count > 0 ? statistics_quantile(figures.values, figures.count, 0.5) : (double)NAN;
    free(figures.values);
    return median;
}

static void collector_print(const struct explain *explain, const char *member, const char *format,
                            double scale, FILE *file)
{
    double value = collector_median(explain, member);
    if (!isnan(value)) {
        (void)fprintf(file, format, value * scale);
    }
}

void explain_print_collector(const struct explain *explain, FILE *file)
{
    const json_t *first = explain_first(explain, RECORD_TIME);
    const json_t *gc = json_object_get(first, "gc");
    const char *name = json_string_value(json_object_get(gc, "collector"));
    double pauses = collector_median(explain, "gc.pauses.count");
    if (name == NULL || isnan(pauses)) {
        return;
    }
    (void)fprintf(file, "\nCollector %s (medians over the rounds)\n", name);
    (void)fprintf(file, "  %.0f pauses\n", pauses);
    if (pauses > 0) {
        collector_print(explain, "gc.pauses.cpu_ns_per_op", "  %.3g ns of CPU time an operation\n",
                        1, file);
        collector_print(explain, "gc.pauses.p50_ns", "  half of them within %.4g us\n", 1e-3, file);
        collector_print(explain, "gc.pauses.p99_ns", "  99%% within %.4g us\n", 1e-3, file);
        collector_print(explain, "gc.pauses.max_ns", "  the longest %.4g us\n", 1e-3, file);
        collector_print(explain, "gc.pauses.visited_max", "  at most %.0f containers in one\n", 1,
                        file);
    }
    collector_print(explain, "gc.pauses.utilisation_1ms",
                    "  the program had at least %.3g%% of any 1 ms\n", 100, file);
    collector_print(explain, "gc.pauses.utilisation_10ms",
                    "  the program had at least %.3g%% of any 10 ms\n", 100, file);
    collector_print(explain, "gc.pauses.utilisation_100ms",
                    "  the program had at least %.3g%% of any 100 ms\n", 100, file);
    collector_print(explain, "gc.visited_per_freed", "  %.3g containers visited for each freed\n",
                    1, file);
    collector_print(explain, "gc.floating.objects_peak",
                    "  at most %.0f dead containers not found yet\n", 1, file);
    collector_print(explain, "gc.floating.age_max",
                    "  the last of them freed %.0f operations after its death\n", 1, file);
    collector_print(explain, "gc.buffer_bytes_per_object",
                    "  %.3g bytes of the collector's own arrays a tracked container\n", 1, file);
}
