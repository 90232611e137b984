/* Names, fields and their meaning are those of google-benchmark 1.7.1, src/json_reporter.cc. Its
 * tools/gbench/report.py shows which of them compare.py needs (name, real_time, cpu_time,
 * time_unit, run_type, aggregate_name). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results/compare/parts.h"
#include "results/export/export.h"
#include "results/stats/statistics.h"

/* The records of one cell that have a time. */
struct repetitions {
    const struct record_cell *cell;
    size_t family; /* the group's index, which is google-benchmark's family index */
    size_t instance;
    json_int_t *operations; /* [count] */
    double *real_ns;        /* of one operation */
    double *cpu_ns;
    size_t count;
};

struct benchmark_file {
    FILE *file;
    bool any;
};

static json_t *benchmark_entry(const struct repetitions *repetitions, const char *suffix,
                               const char *run_type)
{
    const struct record_cell *cell = repetitions->cell;
    return json_pack("{s:o, s:I, s:I, s:s, s:s, s:I, s:i}", "name",
                     json_sprintf("%s%s", cell->id, suffix), "family_index",
                     (json_int_t)repetitions->family, "per_family_instance_index",
                     (json_int_t)repetitions->instance, "run_name", cell->id, "run_type", run_type,
                     "repetitions", (json_int_t)repetitions->count, "threads", (int)cell->threads);
}

/* Adds the times, and writes the entry. Takes over the reference to entry. */
static enum status benchmark_write(struct benchmark_file *out, json_t *entry, json_int_t iterations,
                                   double real_ns, double cpu_ns, struct error *error)
{
    (void)json_object_set_new(entry, "iterations", json_integer(iterations));
    (void)json_object_set_new(entry, "real_time", json_real(real_ns));
    (void)json_object_set_new(entry, "cpu_time", json_real(cpu_ns));
    (void)json_object_set_new(entry, "time_unit", json_string("ns"));
    (void)fputs(out->any ? ",\n    " : "\n    ", out->file);
    out->any = true;
    int failed = entry == NULL || json_dumpf(entry, out->file, JSON_COMPACT) != 0;
    json_decref(entry);
    return failed ? error_set(error, STATUS_IO, "the JSON could not be written") : STATUS_OK;
}

static enum status benchmark_runs(struct benchmark_file *out, const struct repetitions *repetitions,
                                  struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < repetitions->count && status == STATUS_OK; i++) {
        json_t *entry = benchmark_entry(repetitions, "", "iteration");
        (void)json_object_set_new(entry, "repetition_index", json_integer((json_int_t)i));
        status = benchmark_write(out, entry, repetitions->operations[i], repetitions->real_ns[i],
                                 repetitions->cpu_ns[i], error);
    }
    return status;
}

static double repetitions_mean(double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
    }
    return sum / (double)count;
}

static double repetitions_deviation(double *values, size_t count)
{
    double mean = repetitions_mean(values, count);
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        squares += (values[i] - mean) * (values[i] - mean);
    }
    return count > 1 ? sqrt(squares / (double)(count - 1)) : 0;
}

/* Writes the aggregates. Reorders the repetitions' times. */
static enum status benchmark_aggregates(struct benchmark_file *out, struct repetitions *repetitions,
                                        struct error *error)
{
    static const struct {
        const char *name;
        const char *suffix;
        double (*figure)(double *values, size_t count);
    } aggregates[] = {{"mean", "_mean", repetitions_mean},
                      {"stddev", "_stddev", repetitions_deviation},
                      {"median", "_median", statistics_median}};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < 3 && status == STATUS_OK; i++) {
        double real_ns = aggregates[i].figure(repetitions->real_ns, repetitions->count);
        double cpu_ns = aggregates[i].figure(repetitions->cpu_ns, repetitions->count);
        json_t *entry = benchmark_entry(repetitions, aggregates[i].suffix, "aggregate");
        (void)json_object_set_new(entry, "aggregate_name", json_string(aggregates[i].name));
        (void)json_object_set_new(entry, "aggregate_unit", json_string("time"));
        status =
            benchmark_write(out, entry, (json_int_t)repetitions->count, real_ns, cpu_ns, error);
    }
    return status;
}

/* Reads one record, and skips it if it has no time. */
static enum status repetitions_add(struct repetitions *repetitions, const struct record_set *set,
                                   size_t index, struct error *error)
{
    const struct record *record = &set->records[index];
    json_t *json = NULL;
    if (record->status != RECORD_OK || record->left_out) {
        return STATUS_OK;
    }
    enum status status = record_set_read(set, index, &json, error);
    if (status != STATUS_OK) {
        return status;
    }
    json_int_t operations = json_integer_value(json_object_get(json, "operations"));
    double wall_ns = json_number_value(json_object_get(json, "wall_ns"));
    double cpu_ns = json_number_value(json_object_get(json, "cpu_ns_per_op"));
    double time_ns = metric_of_record(metric_find("time"), set, record, false);
    json_decref(json);
    size_t next = repetitions->count++;
    repetitions->operations[next] = operations > 0 ? operations : 1;
    repetitions->cpu_ns[next] = cpu_ns > 0 ? cpu_ns : time_ns;
    repetitions->real_ns[next] =
        operations > 0 && wall_ns > 0 ? wall_ns / (double)operations : time_ns;
    return STATUS_OK;
}

static enum status benchmark_cell(struct benchmark_file *out, struct repetitions *repetitions,
                                  const struct record_set *set, const struct timelines *timelines,
                                  size_t cell, struct error *error)
{
    size_t most = timelines->starts[cell + 1] - timelines->starts[cell];
    enum status status = STATUS_OK;
    repetitions->operations = calloc(most + 1, sizeof(*repetitions->operations));
    repetitions->real_ns = calloc(most + 1, sizeof(*repetitions->real_ns));
    repetitions->cpu_ns = calloc(most + 1, sizeof(*repetitions->cpu_ns));
    if (repetitions->operations == NULL || repetitions->real_ns == NULL ||
        repetitions->cpu_ns == NULL) {
        status = error_set(error, STATUS_NO_MEMORY, "no memory for %zu records", most);
    }
    for (size_t i = 0; i < most && status == STATUS_OK; i++) {
        status =
            repetitions_add(repetitions, set, timelines->order[timelines->starts[cell] + i], error);
    }
    if (status == STATUS_OK && repetitions->count > 0) {
        status = benchmark_runs(out, repetitions, error);
    }
    if (status == STATUS_OK && repetitions->count > 1) {
        status = benchmark_aggregates(out, repetitions, error);
    }
    free(repetitions->operations);
    free(repetitions->real_ns);
    free(repetitions->cpu_ns);
    return status;
}

static enum status benchmark_context(const struct record_set *set, FILE *file, struct error *error)
{
    json_t *host = json_object_get(set->plan, "host");
    const char *governor = json_string_value(json_object_get(host, "governor"));
    bool scaling = governor != NULL && governor[0] != '\0' && strcmp(governor, "performance") != 0;
    json_t *context = json_object();
    (void)json_object_set(context, "date", json_object_get(set->plan, "created"));
    (void)json_object_set(context, "host_name", json_object_get(host, "hostname"));
    (void)json_object_set_new(context, "executable", json_string("heapmill"));
    (void)json_object_set(context, "num_cpus", json_object_get(host, "cores"));
    (void)json_object_set_new(context, "mhz_per_cpu", json_integer(0));
    (void)json_object_set_new(context, "cpu_scaling_enabled", json_boolean(scaling));
    (void)json_object_set_new(context, "caches", json_array());
    (void)json_object_set_new(context, "load_avg", json_array());
    (void)json_object_set_new(context, "library_build_type", json_string("release"));
    (void)json_object_set_new(context, "json_schema_version", json_integer(1));
    (void)json_object_set(context, "heapmill_version", json_object_get(host, "heapmill"));
    (void)json_object_set(context, "heapmill_seed", json_object_get(set->plan, "seed"));
    (void)fputs("{\n  \"context\": ", file);
    int failed = context == NULL || json_dumpf(context, file, JSON_COMPACT) != 0;
    json_decref(context);
    (void)fputs(",\n  \"benchmarks\": [", file);
    return failed ? error_set(error, STATUS_IO, "the JSON could not be written") : STATUS_OK;
}

enum status export_benchmark(const struct export_source *source, FILE *file, struct error *error)
{
    const struct record_set *set = source->set;
    struct benchmark_file out = {.file = file};
    struct timelines timelines = {0};
    enum status status = timelines_build(set, RECORD_TIME, &timelines, error);
    if (status == STATUS_OK) {
        status = benchmark_context(set, file, error);
    }
    size_t instance = 0;
    size_t family = SIZE_MAX;
    for (size_t i = 0; i < set->cell_count && status == STATUS_OK; i++) {
        const struct record_cell *cell = &set->cells[i];
        if (cell->twin == 0) {
            instance = cell->group == family ? instance + 1 : 0;
            family = cell->group;
            struct repetitions repetitions = {.cell = cell, .family = family, .instance = instance};
            status = benchmark_cell(&out, &repetitions, set, &timelines, i, error);
        }
    }
    (void)fputs("\n  ]\n}\n", file);
    timelines_free(&timelines);
    return status == STATUS_OK && ferror(file) != 0
               ? error_set(error, STATUS_IO, "the JSON could not be written")
               : status;
}
