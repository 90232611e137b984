/* heapmill calibrate: how far can verdicts be trusted on this machine? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/bench_steps.h"
#include "cli/calibrate.h"
#include "cli/calibration_file.h"
#include "cli/command.h"
#include "cli/machine.h"
#include "cli/process.h"
#include "cli/table.h"
#include "plots/gnuplot_runner.h"
#include "plots/power_picture.h"
#include "results/store.h"

/* A calibration in the making. */
struct calibration {
    const struct calibrate_options *options;
    struct registry *registry;
    struct text_list backends;
    json_t *runs;
    struct power power;
};

/* The directory of a run: its number and its back end, whose '*', '/' and ':' a name has not. */
static char *calibrate_run_directory(const struct calibration *calibration, uint64_t number,
                                     const char *backend)
{
    char *directory = text_format("%s/run-%02" PRIu64 "-%s", calibration->options->directory,
                                  number + 1, backend);
    char *name = directory + strlen(calibration->options->directory) + 1;
    for (char *next = name; *next != '\0'; next++) {
        *next = strchr("*/:{}=,", *next) != NULL ? '-' : *next;
    }
    size_t length = strlen(directory);
    while (directory[length - 1] == '-') {
        directory[--length] = '\0';
    }
    return directory;
}

/* Counts the run's verdicts. */
static enum status calibrate_count(struct calibration *calibration, const char *directory,
                                   const char *backend, struct error *error)
{
    struct record_set *set = NULL;
    enum status status = store_load(directory, &set, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = power_add_run(&calibration->power, set, error);
    if (status == STATUS_OK) {
        uint32_t disturbed = 0;
        uint32_t rounds = 0;
        for (size_t i = 0; i < set->group_count; i++) {
            disturbed += set->groups[i].rounds_disturbed;
            rounds += set->groups[i].rounds;
        }
        (void)json_array_append_new(
            calibration->runs, json_pack("{ss ss sI sI sI}", "directory", directory, "backend",
                                         backend, "groups", (json_int_t)set->group_count, "rounds",
                                         (json_int_t)rounds, "disturbed", (json_int_t)disturbed));
    }
    record_set_free(set);
    return status;
}

/* One run; a back end that is not here is taken from the list. */
static enum status calibrate_one(struct calibration *calibration, uint64_t number,
                                 struct error *error)
{
    struct text_list *backends = &calibration->backends;
    enum status status = STATUS_UNSUPPORTED;
    while (status == STATUS_UNSUPPORTED && backends->count > 0) {
        size_t place = number % backends->count;
        const char *backend = backends->items[place];
        char *directory = calibrate_run_directory(calibration, number, backend);
        (void)fprintf(stderr, "heapmill: calibrate: run %" PRIu64 " of %" PRIu64 ", %s\n",
                      number + 1, calibration->options->runs, backend);
        status = calibrate_run(calibration->options, calibration->registry, number, backend,
                               directory, error);
        if (status == STATUS_OK) {
            status = calibrate_count(calibration, directory, backend, error);
        } else if (status == STATUS_UNSUPPORTED) {
            (void)fprintf(stderr, "heapmill: calibrate: left out: %s\n", error->message);
            free(backends->items[place]);
            memmove(&backends->items[place], &backends->items[place + 1],
                    (--backends->count - place) * sizeof(*backends->items));
        }
        free(directory);
    }
    return status;
}

static json_t *calibrate_to_json(const struct calibration *calibration)
{
    char created[32];
    time_t now = time(NULL);
    struct tm utc;
    (void)strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    json_t *json = power_to_json(&calibration->power);
    json_t *command = json_array();
    (void)json_array_append_new(command, json_string("heapmill"));
    for (int i = 0; i < calibration->options->argc; i++) {
        json_t *word = json_string(calibration->options->argv[i]);
        (void)json_array_append_new(command, word != NULL ? word : json_string("?"));
    }
    (void)json_object_set_new(json, "command", command);
    (void)json_object_set_new(json, "created", json_string(created));
    (void)json_object_set_new(json, "host", machine_describe_host());
    (void)json_object_set(json, "runs", calibration->runs);
    return json;
}

static double calibrate_percent(const json_t *share, const char *name)
{
    return 100 * json_number_value(json_object_get(share, name));
}

static void calibrate_print_share(struct table *table, const char *what, const json_t *share)
{
    table_row(table);
    table_cell(table, 0, "%s", what);
    table_cell(table, 1, "%lld", json_integer_value(json_object_get(share, "rounds")));
    table_cell(table, 2, "%.1f%%", calibrate_percent(share, "rate"));
    table_cell(table, 3, "[%.1f, %.1f]", calibrate_percent(share, "low"),
               calibrate_percent(share, "high"));
    table_cell(table, 4, "%lld", json_integer_value(json_object_get(share, "comparisons")));
}

static void calibrate_print(const json_t *json)
{
    static const char *const titles[] = {"SLOWDOWN", "ROUNDS", "TOLD APART", "95%", "OF"};
    struct table *table = table_new(sizeof(titles) / sizeof(titles[0]));
    size_t index;
    json_t *share;
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        table_column(table, i, titles[i], i == 0 ? TABLE_LEFT : TABLE_RIGHT);
    }
    json_array_foreach(json_object_get(json, "false_positives_by_rounds"), index, share)
    {
        calibrate_print_share(table, "none (A/A)", share);
    }
    json_array_foreach(json_object_get(json, "power"), index, share)
    {
        char what[32];
        (void)snprintf(what, sizeof(what), "%g%%",
                       json_number_value(json_object_get(share, "slowdown")));
        calibrate_print_share(table, what, share);
    }
    table_print(table, stdout);
    table_free(table);
    const json_t *resolves = json_object_get(json, "resolves");
    const json_t *none = json_object_get(json, "false_positives");
    (void)printf("\nfalse positives: %.1f%% [%.1f, %.1f] of %lld identical pairs\n",
                 calibrate_percent(none, "rate"), calibrate_percent(none, "low"),
                 calibrate_percent(none, "high"),
                 json_integer_value(json_object_get(none, "comparisons")));
    if (json_is_number(resolves)) {
        (void)printf("resolution: slowdowns from %g%% on are found in 90%% of the cases and more\n",
                     json_number_value(resolves));
    } else {
        (void)printf("resolution: none of these slowdowns is found in 90%% of the cases\n");
    }
}

static void calibrate_draw(const struct calibration *calibration)
{
    struct text_list words = {0};
    struct error error;
    json_t *host = machine_describe_host();
    text_list_add(&words, text_format("heapmill"));
    for (int i = 0; i < calibration->options->argc; i++) {
        text_list_add(&words, text_format("%s", calibration->options->argv[i]));
    }
    char *command = text_join(&words, " ");
    char *output = text_format("%s/plots", calibration->options->directory);
    const char *cpu = json_string_value(json_object_get(host, "cpu"));
    char *machine = text_format("%s, %lld cores.", cpu != NULL ? cpu : "?",
                                json_integer_value(json_object_get(host, "cores")));
    const struct sheet_options sheet = {
        .output = output, .command = command, .formats = PICTURE_SVG | PICTURE_PNG};
    if (power_picture_draw(&sheet, &calibration->power, machine, &error) != STATUS_OK) {
        (void)fprintf(stderr, "heapmill: calibrate: no picture: %s\n", error.message);
    } else {
        (void)fprintf(stderr, "heapmill: calibrate: %s/power.svg\n", output);
    }
    json_decref(host);
    free(machine);
    free(command);
    free(output);
    text_list_free(&words);
}

/* What is left of the whole calibration, and its report. */
static enum status calibrate_all(struct calibration *calibration, struct error *error)
{
    enum status status = STATUS_OK;
    for (uint64_t i = 0; i < calibration->options->runs && status == STATUS_OK; i++) {
        status = calibrate_one(calibration, i, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    json_t *json = calibrate_to_json(calibration);
    status = calibration_write(calibration->options->directory, json, error);
    if (calibration->options->plot) {
        calibrate_draw(calibration);
    }
    if (calibration->options->json) {
        (void)json_dumpf(json, stdout, JSON_INDENT(1));
        (void)putchar('\n');
    } else {
        calibrate_print(json);
    }
    json_decref(json);
    return status;
}

static int calibrate_command_run(int argc, char **argv)
{
    struct calibrate_options options;
    struct registry registry = {0};
    struct error error = {.message = ""};
    process_prepare_signals();
    enum status status = calibrate_options_parse(&options, argc, argv, &error);
    if (status == STATUS_OK) {
        status = registry_open(&registry, &error);
    }
    struct calibration calibration = {
        .options = &options, .registry = &registry, .runs = json_array()};
    if (status == STATUS_OK) {
        text_split(&calibration.backends, options.backends, ',');
        status = calibrate_all(&calibration, &error);
    }
    if (status == STATUS_INTERRUPTED) {
        (void)fprintf(stderr, "heapmill: interrupted; the same command goes on\n");
    } else if (status != STATUS_OK) {
        (void)fprintf(stderr, "heapmill: %s\n", error.message);
    }
    uint32_t failed = calibration.power.failed;
    json_decref(calibration.runs);
    text_list_free(&calibration.backends);
    registry_close(&registry);
    calibrate_options_free(&options);
    return status == STATUS_OK && failed > 0 ? EXIT_PARTIAL : bench_exit_status(status);
}

const struct command command_calibrate = {
    .name = "calibrate",
    .summary = "how often verdicts are wrong here, and which differences are found",
    .usage = calibrate_usage,
    .run = calibrate_command_run,
};
