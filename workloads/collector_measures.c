#include "workloads/collector_measures.h"

#include <math.h>

/* The size of struct gc_head, which gc/collector.h asserts. */
enum { COLLECTOR_HEADER_BYTES = 16 };

void collector_measures_begin(struct collector_measures *measures, struct run *run)
{
    measures->present = run->runtime != NULL;
    if (!measures->present) {
        return;
    }
    measures->collector = gc_policy_name(runtime_policy(run->runtime));
    runtime_stats(run->runtime, &measures->stats);
    floating_reset(run->floating);
    pauses_reset(runtime_pauses(run->runtime));
}

static void collector_measures_floating(struct collector_measures *measures,
                                        const struct floating *floating)
{
    measures->floating_peak = floating->containers_peak;
    measures->floating_bytes_peak = floating->bytes_peak;
    measures->floating_end = floating->containers;
    measures->died = floating->died;
    measures->ages = floating->ages;
    measures->waiting = (struct histogram){0};
    floating_waiting(floating, &measures->waiting);
}

void collector_measures_end(struct collector_measures *measures, struct run *run)
{
    if (!measures->present) {
        return;
    }
    const struct pauses *pauses = runtime_pauses(run->runtime);
    const struct gc_stats before = measures->stats;
    uint64_t now_ns = clock_thread_cpu_ns();
    struct gc_stats *stats = &measures->stats;
    runtime_stats(run->runtime, stats);
    for (int generation = 0; generation < GC_GENERATIONS; generation++) {
        stats->collections[generation] -= before.collections[generation];
    }
    stats->collected -= before.collected;
    stats->objects_visited -= before.objects_visited;
    measures->cpu_ns = pauses->cpu_ns;
    measures->visited = pauses->visited;
    measures->cpu_ns_total = pauses->cpu_ns_total;
    for (int window = 0; window < PAUSES_WINDOWS; window++) {
        measures->utilisation[window] = pauses_utilisation(pauses, window, now_ns);
    }
    collector_measures_floating(measures, run->floating);
}

/* ---------------------------------------------------------------- the record */
/* Writes the percentiles that have enough values above them to differ from the maximum, and the
 * maximum. */
static void collector_write_quantiles(struct json_writer *writer, const struct histogram *histogram,
                                      const char *const names[5])
{
    static const double parts[] = {0.5, 0.9, 0.99, 0.999};
    static const uint64_t needed[] = {2, 10, 100, 1000};
    for (int i = 0; i < 4; i++) {
        if (histogram->count >= needed[i]) {
            json_add_u64(writer, names[i], histogram_quantile(histogram, parts[i]));
        }
    }
    json_add_u64(writer, names[4], histogram->max);
}

#ifndef HEAPMILL_REFERENCE
/* Garbage that was never freed is older than it was at the end: it counts as cut there. */
static void collector_write_ages(struct json_writer *writer, const struct histogram *ages,
                                 const struct histogram *waiting)
{
    static const struct {
        const char *name;
        double part;
        uint64_t needed; /* not to be the maximum */
    } quantiles[] = {{"age_p50", 0.5, 2},
                     {"age_p90", 0.9, 10},
                     {"age_p99", 0.99, 100},
                     {"age_p99_9", 0.999, 1000}};
    uint64_t age;
    uint64_t count = ages->count + waiting->count;
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
        if (count >= quantiles[i].needed &&
            histogram_quantile_censored(ages, waiting, quantiles[i].part, &age)) {
            json_add_u64(writer, quantiles[i].name, age);
        }
    }
    if (count > 0) {
        json_add_u64(writer, "age_max", ages->max > waiting->max ? ages->max : waiting->max);
        json_add_u64(writer, "ages", ages->count);
        json_add_u64(writer, "ages_cut", waiting->count);
    }
}
#endif

static void collector_write_buckets(struct json_writer *writer, const struct histogram *histogram)
{
    json_open_array(writer, "buckets");
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->buckets[i] > 0) {
            json_open_array(writer, NULL);
            json_add_u64(writer, NULL, histogram_highest(i));
            json_add_u64(writer, NULL, histogram->buckets[i]);
            json_close_array(writer);
        }
    }
    json_close_array(writer);
}

static void collector_write_pauses(struct json_writer *writer,
                                   const struct collector_measures *measures, uint64_t operations)
{
    static const char *const ns[5] = {"p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns"};
    static const char *const visited[5] = {"visited_p50", "visited_p90", "visited_p99",
                                           "visited_p99_9", "visited_max"};
    static const char *const windows[PAUSES_WINDOWS] = {"utilisation_1ms", "utilisation_10ms",
                                                        "utilisation_100ms"};
    json_open_object(writer, "pauses");
    json_add_u64(writer, "count", measures->cpu_ns.count);
    json_add_u64(writer, "cpu_ns", measures->cpu_ns_total);
    json_add_double(writer, "cpu_ns_per_op", (double)measures->cpu_ns_total / (double)operations);
    collector_write_quantiles(writer, &measures->cpu_ns, ns);
    if (measures->visited.max > 0) {
        collector_write_quantiles(writer, &measures->visited, visited);
    }
    for (int window = 0; window < PAUSES_WINDOWS; window++) {
        if (!isnan(measures->utilisation[window])) {
            json_add_double(writer, windows[window], measures->utilisation[window]);
        }
    }
    collector_write_buckets(writer, &measures->cpu_ns);
    json_close_object(writer);
}

static void collector_write_floating(struct json_writer *writer,
                                     const struct collector_measures *measures)
{
    json_open_object(writer, "floating");
    json_add_u64(writer, "died", measures->died);
    json_add_u64(writer, "objects_peak", measures->floating_peak);
    json_add_u64(writer, "bytes_peak", measures->floating_bytes_peak);
    json_add_u64(writer, "objects_end", measures->floating_end);
#ifndef HEAPMILL_REFERENCE /* a reference's allocations do not come through the contract, so there \
                              is no clock */
    collector_write_ages(writer, &measures->ages, &measures->waiting);
#endif
    json_close_object(writer);
}

void collector_measures_write(struct json_writer *writer, const struct collector_measures *measures,
                              uint64_t operations)
{
    if (!measures->present) {
        return;
    }
    const struct gc_stats *stats = &measures->stats;
    json_open_object(writer, "gc");
    json_add_string(writer, "collector", measures->collector);
    json_open_array(writer, "collections");
    for (int generation = 0; generation < GC_GENERATIONS; generation++) {
        json_add_u64(writer, NULL, stats->collections[generation]);
    }
    json_close_array(writer);
    json_add_u64(writer, "collected", stats->collected);
    json_add_u64(writer, "objects_visited", stats->objects_visited);
    json_add_u64(writer, "tracked", stats->tracked);
    if (stats->collected > 0 && stats->objects_visited > 0) {
        json_add_double(writer, "visited_per_freed",
                        (double)stats->objects_visited / (double)stats->collected);
    }
#ifndef HEAPMILL_REFERENCE
    json_add_u64(writer, "header_bytes_per_object", COLLECTOR_HEADER_BYTES);
    if (stats->tracked > 0) {
        json_add_double(writer, "buffer_bytes_per_object",
                        (double)stats->registry_bytes / (double)stats->tracked);
    }
#endif
    collector_write_pauses(writer, measures, operations);
    if (measures->died > 0 || measures->floating_peak > 0) {
        collector_write_floating(writer, measures);
    }
    json_close_object(writer);
}
