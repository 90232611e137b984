#include "run/calibration_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/text.h"
#include "run/machine.h"

static const char calibration_format[] = "heapmill-calibration-1";

enum status calibration_write(const char *directory, const json_t *calibration, struct error *error)
{
    char *path = text_format("%s/calibration.json", directory);
    char *temporary = text_format("%s.tmp", path);
    json_t *copy = json_object();
    (void)json_object_set_new(copy, "format", json_string(calibration_format));
    (void)json_object_update(copy, (json_t *)calibration);
    enum status status = STATUS_OK;
    if (json_dump_file(copy, temporary, JSON_INDENT(1)) != 0 || rename(temporary, path) != 0) {
        status = error_set(error, STATUS_IO, "cannot write %s: %s", path, strerror(errno));
        (void)unlink(temporary);
    }
    json_decref(copy);
    free(path);
    free(temporary);
    return status;
}

enum status calibration_read(const char *directory, json_t **calibration, struct error *error)
{
    char *path = text_format("%s/calibration.json", directory);
    json_error_t where;
    enum status status = STATUS_OK;
    *calibration = NULL;
    if (access(path, F_OK) != 0) {
        status = error_set(error, STATUS_NOT_FOUND, "there is no %s", path);
    } else {
        json_t *read = json_load_file(path, 0, &where);
        const char *format = json_string_value(json_object_get(read, "format"));
        if (format == NULL || strcmp(format, calibration_format) != 0) {
            status =
                error_set(error, STATUS_CORRUPT, "%s is no calibration of this heapmill", path);
            json_decref(read);
        } else {
            *calibration = read;
        }
    }
    free(path);
    return status;
}

bool calibration_is_of_host(const json_t *calibration)
{
    static const char *const members[] = {"hostname", "cpu", "cores", "kernel", "heapmill"};
    const json_t *there = json_object_get(calibration, "host");
    json_t *here = machine_describe_host();
    bool same = true;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        same = same && json_equal(json_object_get(there, members[i]),
                                  json_object_get(here, members[i])) != 0;
    }
    json_decref(here);
    return same;
}

/* ---------------------------------------------------------------------------------- as a page */

static double calibration_percent(const json_t *share, const char *name)
{
    return 100 * json_number_value(json_object_get(share, name));
}

static void calibration_add_share(struct table *table, const char *what, const json_t *share)
{
    table_row(table);
    table_cell(table, 0, "%s", what);
    table_cell(table, 1, "%lld", json_integer_value(json_object_get(share, "rounds")));
    table_cell(table, 2, "%.1f%%", calibration_percent(share, "rate"));
    table_cell(table, 3, "[%.1f, %.1f]", calibration_percent(share, "low"),
               calibration_percent(share, "high"));
    table_cell(table, 4, "%lld", json_integer_value(json_object_get(share, "comparisons")));
}

/* ", the defaults of bench's matrices default, quick"; "" where they are no matrix's. The caller
 * frees. */
static char *calibration_defaults_text(const json_t *json)
{
    struct text_list names = {0};
    size_t index;
    json_t *name;
    json_array_foreach(json_object_get(json, "defaults_of"), index, name)
    {
        text_list_add(&names, text_format("%s", json_string_value(name)));
    }
    char *joined = text_join(&names, ", ");
    char *text = names.count > 0
                     ? text_format(" of %g ms, the defaults of bench's matrices %s",
                                   json_number_value(json_object_get(json, "target_ms")), joined)
                     : text_format("%s", "");
    free(joined);
    text_list_free(&names);
    return text;
}

/* Adds the power at the highest number of rounds that was tried, which by default is bench's
 * own. */
static void calibration_add_power(struct document *document, const json_t *json)
{
    json_int_t most = json_integer_value(json_object_get(json_object_get(json, "rounds"), "most"));
    size_t index;
    json_t *share;
    char *of = calibration_defaults_text(json);
    json_array_foreach(json_object_get(json, "power"), index, share)
    {
        if (json_integer_value(json_object_get(share, "rounds")) == most) {
            document_line(document,
                          "power: a slowdown of %g%% is found in %.1f%% [%.1f, %.1f] of %lld cases "
                          "at %lld rounds%s",
                          json_number_value(json_object_get(share, "slowdown")),
                          calibration_percent(share, "rate"), calibration_percent(share, "low"),
                          calibration_percent(share, "high"),
                          json_integer_value(json_object_get(share, "comparisons")), most, of);
        }
    }
    free(of);
}

static void calibration_add_findings(struct document *document, const json_t *json)
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
                  calibration_percent(none, "rate"), calibration_percent(none, "low"),
                  calibration_percent(none, "high"),
                  json_integer_value(json_object_get(none, "comparisons")));
    calibration_add_power(document, json);
    if (json_is_number(resolves)) {
        document_line(document,
                      "resolution: slowdowns from %g%% on are found in 90%% of the cases and more",
                      json_number_value(resolves));
    } else {
        document_line(document,
                      "resolution: none of these slowdowns is found in 90%% of the cases");
    }
}

void calibration_report(const json_t *json, struct document *document)
{
    static const char *const titles[] = {"SLOWDOWN", "ROUNDS", "TOLD APART", "95%", "OF"};
    struct table *table = document_table(document, "power");
    size_t index;
    json_t *share;
    table_columns(table, titles, sizeof(titles) / sizeof(titles[0]), 1);
    json_array_foreach(json_object_get(json, "false_positives_by_rounds"), index, share)
    {
        calibration_add_share(table, "none (A/A)", share);
    }
    json_array_foreach(json_object_get(json, "power"), index, share)
    {
        char what[32];
        (void)snprintf(what, sizeof(what), "%g%%",
                       json_number_value(json_object_get(share, "slowdown")));
        calibration_add_share(table, what, share);
    }
    calibration_add_findings(document, json);
}
