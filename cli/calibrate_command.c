/* heapmill calibrate: how far can verdicts be trusted on this machine? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench_steps.h"
#include "cli/bench_warnings.h"
#include "cli/calibrate.h"
#include "cli/calibration_file.h"
#include "cli/command.h"
#include "common/host/process.h"
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

/* One run; one of the default's back ends that is not here is taken from the list. */
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

/* What is left of the whole calibration, and its report. */
static enum status calibrate_all(struct calibration *calibration, struct error *error)
{
    enum status status = STATUS_OK;
    json_t *warnings = bench_warnings_before();
    bench_warnings_print(warnings);
    json_decref(warnings);
    for (size_t i = 0;
         i < calibration->backends.count && calibration->options->exact && status == STATUS_OK;
         i++) {
        status = calibrate_check(calibration->options, calibration->registry,
                                 calibration->backends.items[i], error);
    }
    for (uint64_t i = 0; i < calibration->options->runs && status == STATUS_OK; i++) {
        status = calibrate_one(calibration, i, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    json_t *json = calibrate_to_json(calibration->options, &calibration->power, calibration->runs);
    status = calibration_write(calibration->options->directory, json, error);
    if (calibration->options->plot) {
        calibrate_draw(calibration->options, &calibration->power);
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
