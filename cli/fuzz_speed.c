#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/fuzz.h"
#include "common/host/document.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "fuzz/campaign/speed_run.h"
#include "results/stats/statistics.h"

static const double SPEED_STABILITY_LEAST = 98;

struct speed_arguments {
    const char *target;
    const char *backend; /* NULL: the target's default */
    char *label;         /* "block_ops.pymalloc-3.10", set when the program is found */
    uint64_t rounds;
    double time_s;
    uint64_t seed;
    bool bars;
    bool json;
};

static const struct option_row speed_options[] = {
    {OPTION_TEXT, .placeholder = "TARGET", .help = "the target", .standard = "block_ops",
     .candidates = FUZZ_CANDIDATES_TARGETS, OPTION_INTO(struct speed_arguments, target)},
    {FUZZ_BACKEND(struct speed_arguments, backend)},
    {OPTION_NUMBER, 0, "rounds", "N", "number of rounds; each engine runs once in a round", "5",
     .least = 1, .most = SPEED_ROUNDS_MAX, OPTION_INTO(struct speed_arguments, rounds)},
    {OPTION_SECONDS, 0, "time", "T", "CPU time of each engine in a round", "10s",
     OPTION_INTO(struct speed_arguments, time_s)},
    {SHARED_SEED(struct speed_arguments, seed, "seed of the inputs")},
    {OPTION_FLAG, 0, "bars", NULL,
     "exit with 1 unless in every round libFuzzer plays at least 0.6 and AFL++ at least 0.5 of the "
     "bare loop's operations, with a stability of at least 98%",
     OPTION_INTO(struct speed_arguments, bars)},
    {SHARED_JSON(struct speed_arguments, json,
                 "{program, rounds, time_s, seed, engines: [{engine, operations, ...}]}")},
    {.kind = OPTION_END},
};

struct speed_range {
    double median;
    double least;
    double most;
};

static struct speed_range speed_range_of(const double *values, uint64_t count)
{
    double copy[SPEED_ROUNDS_MAX];
    struct speed_range range = {.least = values[0], .most = values[0]};
    for (uint64_t i = 0; i < count; i++) {
        copy[i] = values[i];
        range.least = values[i] < range.least ? values[i] : range.least;
        range.most = values[i] > range.most ? values[i] : range.most;
    }
    range.median = statistics_median(copy, count);
    return range;
}

static const char *speed_engine(size_t cell)
{
    return speed_cells[cell].engine == FUZZ_ENGINE_RANDOM
               ? "bare loop"
               : fuzz_engine_name(speed_cells[cell].engine);
}

static void speed_cell_range(struct table *table, size_t column, struct speed_range range,
                             double unit, int digits)
{
    table_cell(table, column, "%.*f [%.*f, %.*f]", digits, range.median / unit, digits,
               range.least / unit, digits, range.most / unit);
}

static void speed_print_table(const struct speed_arguments *arguments,
                              const struct speed_figures *figures)
{
    static const char *const titles[] = {
        "engine", "up to", "kexec/CPU-s", "Moperations/CPU-s", "of the bare loop", "stability %"};
    enum { COLUMNS = sizeof(titles) / sizeof(titles[0]) };
    struct document *document = document_new();
    struct table *table = document_table(document, "engines");
    table_columns(table, titles, COLUMNS, 1);
    for (size_t i = 0; i < SPEED_CELLS; i++) {
        uint64_t rounds = arguments->rounds;
        table_row(table);
        table_cell(table, 0, "%s", speed_engine(i));
        table_cell(table, 1, "%u", (unsigned)speed_cells[i].operations);
        speed_cell_range(table, 2, speed_range_of(figures[i].executions_per_s, rounds), 1e3, 2);
        speed_cell_range(table, 3, speed_range_of(figures[i].operations_per_s, rounds), 1e6, 3);
        if (speed_cells[i].base != i) {
            speed_cell_range(table, 4, speed_range_of(figures[i].of_bare, rounds), 1, 2);
        }
        if (fuzz_engine_is_afl(speed_cells[i].engine)) {
            speed_cell_range(table, 5, speed_range_of(figures[i].stability, rounds), 1, 2);
        }
    }
    document_line(document, "%s; median [least, most] of %u rounds of %g s of CPU each",
                  arguments->label, (unsigned)arguments->rounds, arguments->time_s);
    document_show(document);
}

static json_t *speed_json_range(const double *values, uint64_t count)
{
    struct speed_range range = speed_range_of(values, count);
    return json_pack("{s:f, s:f, s:f}", "median", range.median, "least", range.least, "most",
                     range.most);
}

static void speed_print_json(const struct speed_arguments *arguments,
                             const struct speed_figures *figures)
{
    json_t *engines = json_array();
    for (size_t i = 0; i < SPEED_CELLS; i++) {
        uint64_t rounds = arguments->rounds;
        json_t *engine =
            json_pack("{s:s, s:I, s:o, s:o}", "engine", speed_engine(i), "operations_max",
                      (json_int_t)speed_cells[i].operations, "executions_per_cpu_s",
                      speed_json_range(figures[i].executions_per_s, rounds), "operations_per_cpu_s",
                      speed_json_range(figures[i].operations_per_s, rounds));
        if (speed_cells[i].base != i) {
            (void)json_object_set_new(engine, "of_bare",
                                      speed_json_range(figures[i].of_bare, rounds));
        }
        if (fuzz_engine_is_afl(speed_cells[i].engine)) {
            (void)json_object_set_new(engine, "stability_percent",
                                      speed_json_range(figures[i].stability, rounds));
        }
        (void)json_array_append_new(engines, engine);
    }
    json_t *all = json_pack("{s:s, s:I, s:f, s:I, s:o}", "program", arguments->label, "rounds",
                            (json_int_t)arguments->rounds, "time_s", arguments->time_s, "seed",
                            (json_int_t)arguments->seed, "engines", engines);
    json_print(all);
    json_decref(all);
}

/* Prints each bar that is not reached. */
static bool speed_meets_bars(const struct speed_arguments *arguments,
                             const struct speed_figures *figures)
{
    bool met = true;
    for (size_t i = 0; i < SPEED_CELLS; i++) {
        double ratio = speed_range_of(figures[i].of_bare, arguments->rounds).least;
        double stability = speed_range_of(figures[i].stability, arguments->rounds).least;
        if (ratio < speed_cells[i].least) {
            (void)fprintf(stderr, "heapmill fuzz speed: %s plays %.2f of the bare loop, not %.1f\n",
                          speed_engine(i), ratio, speed_cells[i].least);
            met = false;
        }
        if (fuzz_engine_is_afl(speed_cells[i].engine) && stability < SPEED_STABILITY_LEAST) {
            (void)fprintf(stderr, "heapmill fuzz speed: the stability is %.2f%%, not %g%%\n",
                          stability, SPEED_STABILITY_LEAST);
            met = false;
        }
    }
    return met;
}

static enum status speed_measure_all(struct speed_arguments *arguments,
                                     struct speed_figures *figures, struct error *error)
{
    struct fuzz_catalog catalog;
    const struct fuzz_program *program = NULL;
    enum status status = fuzz_catalog_open(&catalog, error);
    if (status == STATUS_OK) {
        status =
            fuzz_catalog_find(&catalog, arguments->target, arguments->backend, "", &program, error);
    }
    if (status == STATUS_OK) {
        process_prepare_signals();
        struct speed_run run = {.catalog = &catalog,
                                .program = program,
                                .rounds = arguments->rounds,
                                .seed = arguments->seed,
                                .time_s = arguments->time_s};
        status = speed_measure(&run, figures, error);
    }
    arguments->label = status == STATUS_OK ? text_format("%s", program->label) : NULL;
    fuzz_catalog_close(&catalog);
    return status;
}

static int speed_execute(const struct invocation *invocation, void *arguments)
{
    struct speed_arguments *asked = arguments;
    static struct speed_figures figures[SPEED_CELLS];
    struct error error = {.message = ""};
    enum status status = speed_measure_all(asked, figures, &error);
    if (status != STATUS_OK) {
        return fuzz_report(invocation, &error);
    }
    (asked->json ? speed_print_json : speed_print_table)(asked, figures);
    free(asked->label);
    return asked->bars && !speed_meets_bars(asked, figures) ? EXIT_FINDING : EXIT_CLEAN;
}
const struct command fuzz_speed_command = {
    .name = "speed",
    .summary = "measures operations per CPU second of each engine, against a bare loop",
    .description =
        "Measures how many operations of the target an engine plays per second of CPU time. An "
        "engine starts without inputs. It is compared with a bare loop: blind random inputs under "
        "the same oracles, built with the same compiler and flags, but without instrumentation. "
        "Programs have up to 64 operations for libFuzzer (without sanitizers), and up to 1024 for "
        "AFL++. In each round all engines run one after another, and are compared within the "
        "round. It needs `heapmill fuzz build bare libfuzzer-fast afl`.",
    .options = speed_options,
    .arguments_size = sizeof(struct speed_arguments),
    .exit_statuses = "0 clean; 1 a bar is not met; 2 wrong usage; 3 something is not built, or an "
                     "engine failed; 130 interrupted",
    .execute = speed_execute,
};
