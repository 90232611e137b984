#include "plots/memory_series.h"

#include "common/host/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t memory_series_find_cell(const struct plot *plot, size_t row, size_t column)
{
    const struct record_set *set = plot->set;
    const struct plot_row *wanted = &plot->rows[row];
    for (size_t i = 0; i < set->cell_count; i++) {
        const struct record_cell *cell = &set->cells[i];
        if (cell->twin == 0 && cell->group == plot->columns[column].group &&
            strcmp(cell->backend_text, wanted->backend_text) == 0 &&
            strcmp(cell->arm, wanted->arm) == 0) {
            return i;
        }
    }
    return set->cell_count;
}

/* The last memory record of the cell; record_count if there is none. */
static size_t find_record(const struct record_set *set, size_t cell)
{
    for (size_t i = set->record_count; i > 0; i--) {
        if (set->records[i - 1].cell == cell && set->records[i - 1].pass == RECORD_MEMORY) {
            return i - 1;
        }
    }
    return set->record_count;
}

/* A value of the series; NAN if it is missing. An array may be empty if the back end cannot give
 * it, and arrays may differ in length. */
static double number_at(const json_t *series, const char *name, size_t index)
{
    const json_t *value = json_array_get(json_object_get(series, name), index);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static double largest(double a, double b)
{
    return fmax(a, b); /* fmax ignores NAN */
}

static void read_samples(struct memory_series *series, const json_t *arrays)
{
    size_t count = json_array_size(json_object_get(arrays, "operations"));
    series->samples = text_zeroed(count, sizeof *series->samples);
    for (size_t i = 0; i < count; i++) {
        struct memory_sample *sample = &series->samples[i];
        *sample = (struct memory_sample){
            .operations = number_at(arrays, "operations", i),
            .live = number_at(arrays, "live_bytes", i),
            .usable = number_at(arrays, "usable_bytes", i),
            .held = number_at(arrays, "held_bytes", i),
            .rss = number_at(arrays, "rss_bytes", i),
            .phase = "",
        };
        if (isnan(sample->held)) {
            sample->held = number_at(arrays, "held_smaps_bytes", i);
        }
        series->operations_max = largest(series->operations_max, sample->operations);
        series->held_peak = largest(series->held_peak, sample->held);
        series->rss_peak = largest(series->rss_peak, sample->rss);
        series->own_peak =
            largest(largest(series->own_peak, sample->live), largest(sample->usable, sample->held));
    }
    series->count = count;
}

static void read_phases(struct memory_series *series, const json_t *labels)
{
    size_t index;
    const json_t *label;
    json_array_foreach(labels, index, label)
    {
        json_int_t at = json_integer_value(json_object_get(label, "at"));
        const char *text = json_string_value(json_object_get(label, "text"));
        if (text && at >= 0 && (size_t)at < series->count) {
            series->samples[at].phase = text;
        }
    }
}

enum status memory_series_read(const struct plot *plot, size_t row, size_t column,
                               struct memory_series *series, struct error *error)
{
    *series = (struct memory_series){.source = "-"};
    const struct record_set *set = plot->set;
    size_t cell = memory_series_find_cell(plot, row, column);
    if (cell == set->cell_count) {
        return error_set(error, STATUS_NOT_FOUND, "no such cell");
    }
    size_t index = find_record(set, cell);
    if (index == set->record_count) {
        snprintf(series->reason, sizeof series->reason, "no memory pass");
        return STATUS_OK;
    }
    enum status status = record_set_read(set, index, &series->json, error);
    if (status != STATUS_OK) {
        return status;
    }
    if (set->records[index].status != RECORD_OK) {
        const char *why = json_string_value(json_object_get(series->json, "reason"));
        snprintf(series->reason, sizeof series->reason, "%s%s%.40s",
                 record_status_word((enum record_status)set->records[index].status),
                 why && *why ? ": " : "", why ? why : "");
        return STATUS_OK;
    }
    const json_t *memory = json_object_get(series->json, "memory");
    const json_t *arrays = json_object_get(memory, "series");
    const char *source = json_string_value(json_object_get(memory, "held_source"));
    series->source = source && strcmp(source, "stats") == 0 ? "stats" : "smaps";
    series->coarse = json_integer_value(json_object_get(memory, "phases_unlabelled")) > 0;
    read_samples(series, arrays);
    const json_t *labels = json_object_get(arrays, "labels");
    read_phases(series, labels ? labels : json_object_get(memory, "labels"));
    if (!series->count) {
        snprintf(series->reason, sizeof series->reason, "its memory pass has no samples");
    }
    return STATUS_OK;
}

void memory_series_release(struct memory_series *series)
{
    free(series->samples);
    json_decref(series->json);
    *series = (struct memory_series){0};
}
