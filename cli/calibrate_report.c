/* The report of `heapmill calibrate`. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/calibrate.h"
#include "common/host/document.h"
#include "plots/gnuplot.h"
#include "plots/power_figure.h"
#include "run/calibration_file.h"
#include "run/experiment.h"
#include "run/machine.h"

/* The matrices that have these rounds of this length unless they are told otherwise: what is found
 * here holds for them. */
static json_t *calibrate_matrices(const struct calibrate_options *options)
{
    json_t *names = json_array();
    for (const struct matrix *matrix = matrix_table; matrix->name != NULL; matrix++) {
        if (matrix->rounds == options->rounds && matrix->target_ms == options->target_ms &&
            !options->one_layout) {
            (void)json_array_append_new(names, json_string(matrix->name));
        }
    }
    return names;
}

json_t *calibrate_to_json(const struct calibrate_options *options, const struct power *power,
                          json_t *runs)
{
    char created[32];
    time_t now = time(NULL);
    struct tm utc;
    (void)strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    json_t *json = power_to_json(power);
    json_t *command = json_array();
    (void)json_array_append_new(command, json_string("heapmill"));
    for (int i = 0; i < options->argc; i++) {
        json_t *word = json_string(options->argv[i]);
        (void)json_array_append_new(command, word != NULL ? word : json_string("?"));
    }
    (void)json_object_set_new(json, "command", command);
    (void)json_object_set_new(json, "target_ms", json_real(options->target_ms));
    (void)json_object_set_new(json, "defaults_of", calibrate_matrices(options));
    (void)json_object_set_new(json, "created", json_string(created));
    (void)json_object_set_new(json, "host", machine_describe_host());
    (void)json_object_set(json, "runs", runs);
    return json;
}

void calibrate_print(const json_t *json)
{
    struct document *document = document_new();
    calibration_report(json, document);
    document_show(document);
}

void calibrate_draw(const struct calibrate_options *options, const struct power *power)
{
    struct text_list words = {0};
    struct error error;
    json_t *host = machine_describe_host();
    text_list_add(&words, text_format("heapmill"));
    for (int i = 0; i < options->argc; i++) {
        text_list_add(&words, text_format("%s", options->argv[i]));
    }
    char *command = text_join(&words, " ");
    char *output = text_format("%s/plots", options->directory);
    const char *cpu = json_string_value(json_object_get(host, "cpu"));
    char *machine = text_format("%s, %lld cores.", cpu != NULL ? cpu : "?",
                                json_integer_value(json_object_get(host, "cores")));
    const struct image_options image = {
        .output = output, .command = command, .formats = PICTURE_SVG | PICTURE_PNG};
    if (power_figure_draw(&image, power, machine, &error) != STATUS_OK) {
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
