/* What `heapmill calibrate` says in the end. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/calibrate.h"
#include "common/host/document.h"
#include "plots/gnuplot.h"
#include "plots/power_figure.h"
#include "run/machine.h"

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
    (void)json_object_set_new(json, "created", json_string(created));
    (void)json_object_set_new(json, "host", machine_describe_host());
    (void)json_object_set(json, "runs", runs);
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

/* What the runs found in the end: by default at as many rounds as bench has. */
static void calibrate_add_power(struct document *document, const json_t *json)
{
    json_int_t most = json_integer_value(json_object_get(json_object_get(json, "rounds"), "most"));
    size_t index;
    json_t *share;
    json_array_foreach(json_object_get(json, "power"), index, share)
    {
        if (json_integer_value(json_object_get(share, "rounds")) == most) {
            document_line(document,
                          "power: a slowdown of %g%% is found in %.1f%% [%.1f, %.1f] of %lld cases "
                          "at %lld rounds",
                          json_number_value(json_object_get(share, "slowdown")),
                          calibrate_percent(share, "rate"), calibrate_percent(share, "low"),
                          calibrate_percent(share, "high"),
                          json_integer_value(json_object_get(share, "comparisons")), most);
        }
    }
}

static void calibrate_add_findings(struct document *document, const json_t *json)
{
    const json_t *runs = json_object_get(json, "runs");
    const json_t *none = json_object_get(json, "false_positives");
    const json_t *resolves = json_object_get(json, "resolves");
    double disturbed = 0;
    size_t index;
    json_t *run;
    json_array_foreach(runs, index, run)
    {
        disturbed += json_number_value(json_object_get(run, "disturbed"));
    }
    document_gap(document);
    document_line(document, "disturbed: %.1f%% of the processes",
                  100 * disturbed / (double)json_array_size(runs));
    document_line(document, "false positives: %.1f%% [%.1f, %.1f] of %lld identical pairs",
                  calibrate_percent(none, "rate"), calibrate_percent(none, "low"),
                  calibrate_percent(none, "high"),
                  json_integer_value(json_object_get(none, "comparisons")));
    calibrate_add_power(document, json);
    if (json_is_number(resolves)) {
        document_line(document,
                      "resolution: slowdowns from %g%% on are found in 90%% of the cases and more",
                      json_number_value(resolves));
    } else {
        document_line(document,
                      "resolution: none of these slowdowns is found in 90%% of the cases");
    }
}

void calibrate_print(const json_t *json)
{
    static const char *const titles[] = {"SLOWDOWN", "ROUNDS", "TOLD APART", "95%", "OF"};
    struct document *document = document_new();
    struct table *table = document_table(document, "power");
    size_t index;
    json_t *share;
    table_columns(table, titles, sizeof(titles) / sizeof(titles[0]), 1);
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
    calibrate_add_findings(document, json);
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
