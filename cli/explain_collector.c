/* The part of `heapmill explain` about the collector: pauses, utilisation, floating garbage. */
#include <math.h>
#include <stdlib.h>

#include "cli/explain.h"
#include "results/stats/statistics.h"

/* A line: a figure, with the text before and after it. */
static const struct collector_line {
    const char *member;
    const char *before;
    const char *after;
    double scale;
    int digits;     /* significant digits; 0: a whole number */
    bool of_pauses; /* left out if there were no pauses */
} collector_lines[] = {
    {"gc.pauses.cpu_ns_per_op", "", " ns of CPU time an operation", 1, 3, true},
    {"gc.pauses.p50_ns", "half of them within ", " us", 1e-3, 4, true},
    {"gc.pauses.p99_ns", "99% within ", " us", 1e-3, 4, true},
    {"gc.pauses.max_ns", "the longest ", " us", 1e-3, 4, true},
    {"gc.pauses.visited_max", "at most ", " containers in one", 1, 0, true},
    {"gc.pauses.utilisation_1ms", "the program had at least ", "% of any 1 ms", 100, 3, false},
    {"gc.pauses.utilisation_10ms", "the program had at least ", "% of any 10 ms", 100, 3, false},
    {"gc.pauses.utilisation_100ms", "the program had at least ", "% of any 100 ms", 100, 3, false},
    {"gc.visited_per_freed", "", " containers visited for each freed", 1, 3, false},
    {"gc.floating.objects_peak", "at most ", " dead containers not found yet", 1, 0, false},
    {"gc.floating.age_max", "the last of them freed ", " operations after its death", 1, 0, false},
    {"gc.buffer_bytes_per_object", "", " bytes of the collector's own arrays a tracked container",
     1, 3, false},
};

/* The median over the rounds; NAN if no record has it. */
static double collector_median(const struct explain *explain, const char *member)
{
    struct explain_figures figures = explain_gather(explain, RECORD_TIME, member);
    double median =
        figures.count > 0 ? statistics_quantile(figures.values, figures.count, 0.5) : (double)NAN;
    free(figures.values);
    return median;
}

static void collector_add(const struct explain *explain, const struct collector_line *line,
                          struct document *document)
{
    double value = collector_median(explain, line->member) * line->scale;
    if (isnan(value)) {
        return;
    }
    if (line->digits > 0) {
        document_line(document, "%s%.*g%s", line->before, line->digits, value, line->after);
    } else {
        document_line(document, "%s%.0f%s", line->before, value, line->after);
    }
}

void explain_add_collector(const struct explain *explain, struct document *document)
{
    const json_t *first = explain_first(explain, RECORD_TIME);
    const json_t *gc = json_object_get(first, "gc");
    const char *name = json_string_value(json_object_get(gc, "collector"));
    double pauses = collector_median(explain, "gc.pauses.count");
    if (name == NULL || isnan(pauses)) {
        return;
    }
    document_heading(document, 2, "Collector %s (medians over the rounds)", name);
    document_line(document, "%.0f pauses", pauses);
    for (size_t i = 0; i < sizeof(collector_lines) / sizeof(collector_lines[0]); i++) {
        if (pauses > 0 || !collector_lines[i].of_pauses) {
            collector_add(explain, &collector_lines[i], document);
        }
    }
}
