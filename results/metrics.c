#include "results/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/stats/statistics.h"

/* The CPU time of an operation. For a threaded workload the worker computes it, as ns_per_op. */
static double read_time(const json_t *record, const struct record_cell *cell)
{
    if (json_object_get(record, "ns_per_op") != NULL) {
        return metric_number(record, "ns_per_op");
    }
    return cell->threads > 1 ? cell->threads * metric_number(record, "wall_ns") /
                                   metric_number(record, "operations")
                             : metric_number(record, "cpu_ns_per_op");
}

static double read_rss_peak(const json_t *record, const struct record_cell *cell)
{
    (void)cell;
    double own = metric_number(record, "memory.rss_bytes_own");
    return metric_number(record, "memory.rss_bytes_peak") - (isnan(own) ? 0 : own);
}

/* The integral of a series' held bytes over operations, divided by that of its live bytes, by the
 * trapezoid rule. It is computed from the series, so that both sides of a pair are averaged alike,
 * whichever version of heapmill recorded them. */
static double read_ratio_of_integrals(const json_t *series, const char *held_name)
{
    const json_t *operations = json_object_get(series, "operations");
    const json_t *held = json_object_get(series, held_name);
    const json_t *live = json_object_get(series, "live_bytes");
    size_t count = json_array_size(operations);
    if (count == 0 || json_array_size(held) != count || json_array_size(live) != count) {
        return (double)NAN;
    }
    double held_sum = 0;
    double live_sum = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = i > 0 ? i - 1 : i;
        size_t after = i + 1 < count ? i + 1 : i;
        double weight = json_number_value(json_array_get(operations, after)) -
                        json_number_value(json_array_get(operations, before));
        held_sum += weight * json_number_value(json_array_get(held, i));
        live_sum += weight * json_number_value(json_array_get(live, i));
    }
    return live_sum > 0 ? held_sum / live_sum : (double)NAN;
}

static double read_held_over_live(const json_t *record, const struct record_cell *cell)
{
    (void)cell;
    const json_t *memory = json_object_get(record, "memory");
    double ratio = read_ratio_of_integrals(json_object_get(memory, "series"), "held_bytes");
    return isnan(ratio) ? metric_number(memory, "fragmentation.mean") : ratio;
}

static double read_held_over_live_smaps(const json_t *record, const struct record_cell *cell)
{
    (void)cell;
    const json_t *memory = json_object_get(record, "memory");
    const char *source = json_string_value(json_object_get(memory, "held_source"));
    double mean = read_ratio_of_integrals(json_object_get(memory, "series"), "held_smaps_bytes");
    bool own_is_smaps = source != NULL && strcmp(source, "smaps") == 0;
    return isnan(mean) && own_is_smaps ? metric_number(memory, "fragmentation.mean") : mean;
}

static double read_pause_share(const json_t *record, const struct record_cell *cell)
{
    (void)cell;
    return 1 - metric_number(record, "gc.pauses.utilisation_10ms");
}

/* NOLINTBEGIN(bugprone-macro-parentheses): they are members' values, and literals to be joined */
/* A percentile of single calls: the rows of the latency pass differ only in these words. */
#define LATENCY(metric_name, member, words)                                                        \
    {                                                                                              \
        .name = metric_name, .unit = "ns", .summary = words " take no longer", .less = "faster",   \
        .more = "slower", .pass = RECORD_LATENCY, .where = "latency." member,                      \
        .definition = "Of the calls that were timed one by one, " words                            \
                      " take no longer. The timer's own cost is in it, for all back ends alike."   \
    }

/* A metric of a user's command, for heapmill try. */
#define COMMAND(metric_name, metric_unit, words, axis, below, above, member, text)                 \
    {                                                                                              \
        .name = metric_name, .unit = metric_unit, .summary = words, .title = axis, .less = below,  \
        .more = above, .pass = RECORD_TIME, .presence = METRIC_OPTIONAL,                           \
        .where = "command." member, .definition = text                                             \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

const struct metric metric_table[] = {
    {
        .name = "time",
        .unit = "ns",
        .summary = "time of one operation (CPU; a thread's wall time where the workload is "
                   "threaded)",
        .title = "CPU time per operation",
        .less = "faster",
        .more = "slower",
        .pass = RECORD_TIME,
        .presence = METRIC_NEEDED,
        .where = "ns_per_op; without it cpu_ns_per_op, and of several threads threads × wall_ns / "
                 "operations",
        .read = read_time,
        .definition = "CPU time of the timed part, divided by its operations. Of a threaded "
                      "workload it is a thread's wall time, the slowest one's, times the threads, "
                      "divided by the operations of all: a perfect scaling keeps it the same.",
    },
    {
        .name = "held_peak",
        .unit = "bytes",
        .summary = "most bytes held from the OS at any time",
        .title = "Peak of memory held from the system",
        .less = "smaller",
        .more = "larger",
        .pass = RECORD_MEMORY,
        .where = "memory.held_bytes_peak",
        .where_smaps = "memory.held_smaps_bytes_peak",
        .definition = "The most bytes that the back end had from the operating system at any time "
                      "of the timed part. Where the back end does not count them, it is anonymous "
                      "memory in use and in swap, without what was given back lazily, less what "
                      "was there before the workload was set up.",
    },
    {
        .name = "rss_peak",
        .unit = "bytes",
        .summary = "largest resident set of the process",
        .title = "Peak resident memory",
        .less = "smaller",
        .more = "larger",
        .pass = RECORD_MEMORY,
        .where = "memory.rss_bytes_peak less memory.rss_bytes_own",
        .read = read_rss_peak,
        .definition = "The largest resident set of the worker process, as the kernel counts it, "
                      "less what the worker had before the heap was opened: its code, libraries "
                      "and the harness, which are alike for all. Records of before 2026-12 do not "
                      "say what that was, and have it in the figure.",
    },
    {
        .name = "held_over_live",
        .summary = "held / live, both summed over operations",
        .title = "Memory held over memory live",
        .unit = "",
        .less = "smaller",
        .more = "larger",
        .pass = RECORD_MEMORY,
        .where = "memory.series.held_bytes over memory.series.live_bytes, both summed over "
                 "memory.series.operations; without a series memory.fragmentation.mean",
        .read = read_held_over_live,
        .where_smaps = "the same of memory.series.held_smaps_bytes",
        .read_smaps = read_held_over_live_smaps,
        .definition = "Bytes held from the operating system, summed over operations, divided by "
                      "the same sum of the bytes that the workload asked for and has not freed "
                      "(Johnstone and Wilson 1998, the first of their four ratios). A ratio of "
                      "sums, since in a mean of ratios the moments decide when nearly nothing is "
                      "live.",
    },
    {
        .name = "instructions",
        .unit = "",
        .summary = "instructions of one operation, counted by callgrind",
        .less = "fewer",
        .more = "more",
        .pass = RECORD_INSTRUCTIONS,
        .presence = METRIC_NEEDED,
        .deterministic = true,
        .where = "instructions_per_op",
        .definition = "Instructions of the timed part as callgrind counts them, divided by its "
                      "operations. There is no noise in it.",
    },
    LATENCY("latency_p50", "alloc.p50_ns", "half of all allocations"),
    LATENCY("latency_p99", "alloc.p99_ns", "99% of all allocations"),
    LATENCY("latency_p99.9", "alloc.p99_9_ns", "99.9% of all allocations"),
    LATENCY("latency_p99.99", "alloc.p99_99_ns", "99.99% of all allocations"),
    LATENCY("latency_free_p50", "free.p50_ns", "half of all frees"),
    LATENCY("latency_free_p99", "free.p99_ns", "99% of all frees"),
    LATENCY("latency_free_p99.9", "free.p99_9_ns", "99.9% of all frees"),
    LATENCY("latency_resize_p99", "resize.p99_ns", "99% of all resizes"),
    {
        .name = "collector_cost",
        .unit = "ns",
        .summary = "CPU time in the collector's pauses, an operation",
        .less = "cheaper",
        .more = "dearer",
        .pass = RECORD_TIME,
        .presence = METRIC_OPTIONAL,
        .where = "gc.pauses.cpu_ns_per_op",
        .definition = "CPU time of all pauses of the collector in the timed part, divided by its "
                      "operations.",
    },
    {
        .name = "pause_p99",
        .unit = "ns",
        .summary = "99% of the collector's pauses take no longer (CPU)",
        .less = "shorter",
        .more = "longer",
        .pass = RECORD_TIME,
        .presence = METRIC_OPTIONAL,
        .where = "gc.pauses.p99_ns",
        .definition = "99% of the collector's pauses take no more CPU time. A run with too few "
                      "pauses for the percentile has none.",
    },
    {
        .name = "pause_max",
        .unit = "ns",
        .summary = "the collector's longest pause (CPU)",
        .less = "shorter",
        .more = "longer",
        .pass = RECORD_TIME,
        .presence = METRIC_OPTIONAL,
        .where = "gc.pauses.max_ns",
        .definition = "The CPU time of the collector's longest pause.",
    },
    {
        .name = "pause_visited",
        .unit = "objects",
        .summary = "most containers visited in one pause",
        .less = "fewer",
        .more = "more",
        .pass = RECORD_TIME,
        .presence = METRIC_OPTIONAL,
        .where = "gc.pauses.visited_max",
        .definition = "The most containers that the collector visited in one pause.",
    },
    {
        .name = "pause_share",
        .unit = "",
        .summary = "most of any 10 ms of CPU time that pauses took",
        .less = "smaller",
        .more = "larger",
        .pass = RECORD_TIME,
        .presence = METRIC_OPTIONAL,
        .where = "1 − gc.pauses.utilisation_10ms",
        .read = read_pause_share,
        .definition = "The largest part of any 10 ms of CPU time that pauses took, from 0 to 1: 1 "
                      "less the minimum mutator utilisation.",
    },
    {
        .name = "floating_peak",
        .unit = "objects",
        .summary = "most garbage that the collector had not found yet",
        .less = "less",
        .more = "more",
        .pass = RECORD_TIME,
        .presence = METRIC_OPTIONAL,
        .where = "gc.floating.objects_peak",
        .definition = "The most containers that were cyclic garbage and not found yet, at any time "
                      "of the timed part.",
    },
    {
        .name = "floating_age",
        .unit = "operations",
        .summary = "longest time from death to being freed",
        .less = "shorter",
        .more = "longer",
        .pass = RECORD_TIME,
        .presence = METRIC_OPTIONAL,
        .where = "gc.floating.age_max",
        .definition = "The most operations that passed from a container's death to its being "
                      "freed, if the oldest garbage is freed first. Garbage that was never freed "
                      "counts with the age that it had at the end, so that the figure is at least "
                      "that.",
    },
    COMMAND("cpu", "ns", "user and system time of a command", "User and system time", "less",
            "more", "cpu_ns",
            "User and system time of a user's command and of all that it waited for."),
    COMMAND("memory_peak", "bytes", "peak of memory of a command's whole tree",
            "Peak of the tree's memory", "smaller", "larger", "memory_bytes_peak",
            "The most memory that a user's command and all that it started had at one moment. "
            "command.memory_source says whose figure it is: a control group's peak (\"cgroup\"), "
            "sums of proportional shares as they were sampled (\"pss\"), or, of a command of one "
            "process, the kernel's peak of its resident set (\"rss\"). It is the same in all cells "
            "of a run."),
    COMMAND("memory_idle", "bytes", "memory of a server some time after its load",
            "Memory when idle", "smaller", "larger", "memory_bytes_idle",
            "What a server still has a while after its load has ended, as proportional shares."),
    COMMAND("request_p99", "ns", "99% of a server's requests take no longer", NULL, "faster",
            "slower", "latency_p99_ns", "As the load generator says."),
    COMMAND("faults", "", "page faults of a command", "Page faults", "fewer", "more", "faults",
            "Minor and major page faults of a user's command and of all that it waited for."),
    COMMAND("switches", "", "context switches of a command", "Context switches", "fewer", "more",
            "switches", "Voluntary and involuntary ones, as faults."),
    {.name = NULL},
};

static_assert(sizeof(metric_table) / sizeof(metric_table[0]) <= METRICS_MAX + 1,
              "raise METRICS_MAX");
static_assert(METRIC_FIGURES_MAX <= UINT8_MAX, "record.figure_count counts them");

const struct metric *metric_find(const char *name)
{
    const struct metric *metric = metric_table;
    while (metric->name != NULL && strcmp(metric->name, name) != 0) {
        metric++;
    }
    return metric->name != NULL ? metric : NULL;
}

const char *metric_title(const struct metric *metric, const json_t *plan)
{
    if (strcmp(metric->name, "time") == 0 && json_object_get(plan, "try") != NULL) {
        return "Time of a run";
    }
    return metric->title != NULL ? metric->title : metric->summary;
}

void metric_names(char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (const struct metric *metric = metric_table; metric->name != NULL && length < size;
         metric++) {
        length += (size_t)snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "",
                                   metric->name);
    }
}

double metric_number(const json_t *json, const char *path)
{
    char part[64];
    for (const char *dot = strchr(path, '.'); dot != NULL; dot = strchr(path, '.')) {
        (void)snprintf(part, sizeof(part), "%.*s", (int)(dot - path), path);
        json = json_object_get(json, part);
        path = dot + 1;
    }
    const json_t *value = json_object_get(json, path);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

size_t metric_read_record(enum record_pass pass, const json_t *json, const struct record_cell *cell,
                          double figures[METRIC_FIGURES_MAX])
{
    size_t count = 0;
    for (const struct metric *metric = metric_table; metric->name != NULL; metric++) {
        if (metric->pass != pass) {
            continue;
        }
        figures[count++] =
            metric->read != NULL ? metric->read(json, cell) : metric_number(json, metric->where);
        if (metric->where_smaps != NULL) {
            figures[count++] = metric->read_smaps != NULL
                                   ? metric->read_smaps(json, cell)
                                   : metric_number(json, metric->where_smaps);
        }
    }
    return count;
}

size_t metric_slot(const struct metric *metric)
{
    size_t slot = 0;
    for (const struct metric *other = metric_table; other != metric; other++) {
        slot += other->pass != metric->pass ? 0 : other->where_smaps != NULL ? 2 : 1;
    }
    return slot;
}

double metric_of_record(const struct metric *metric, const struct record_set *set,
                        const struct record *record, bool smaps)
{
    size_t slot = metric_slot(metric) + (smaps && metric->where_smaps != NULL);
    bool has =
        record->status == RECORD_OK && record->pass == metric->pass && slot < record->figure_count;
    return has ? set->figures[record->figure + slot] : (double)NAN;
}

double metric_median_of_cell(const struct metric *metric, const struct record_set *set, size_t cell)
{
    double *values = calloc(set->record_count + 1, sizeof(*values));
    size_t count = 0;
    for (size_t i = 0; i < set->record_count && values != NULL; i++) {
        if (set->records[i].cell == cell) {
            values[count] = metric_of_record(metric, set, &set->records[i], false);
            count += isnan(values[count]) ? 0 : 1;
        }
    }
    double median = count > 0 ? statistics_median(values, count) : (double)NAN;
    free(values);
    return median;
}

bool metric_is_measured(const struct metric *metric, const struct record_set *set)
{
    for (size_t i = 0; i < set->record_count; i++) {
        if (!isnan(metric_of_record(metric, set, &set->records[i], false)) ||
            !isnan(metric_of_record(metric, set, &set->records[i], true))) {
            return true;
        }
    }
    return false;
}
