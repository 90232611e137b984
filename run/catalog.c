#include "run/catalog.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "run/worker.h"

static const char *catalog_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static double catalog_number(const json_t *object, const char *name, double missing)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : missing;
}

static void catalog_take_parameter(struct catalog_parameter *parameter, const json_t *object)
{
    const json_t *choices = json_object_get(object, "choices");
    *parameter = (struct catalog_parameter){
        .name = catalog_text(object, "name"),
        .unit = catalog_text(object, "unit"),
        .summary = catalog_text(object, "summary"),
        .standard = json_object_get(object, "default"),
        .choices = json_array_size(choices) > 0 ? choices : NULL,
        .minimum = catalog_number(object, "minimum", -INFINITY),
        .maximum = catalog_number(object, "maximum", INFINITY),
    };
}

static void catalog_take_workload(struct catalog_workload *workload, const json_t *object)
{
    *workload = (struct catalog_workload){
        .name = catalog_text(object, "name"),
        .kind = catalog_text(object, "kind"),
        .family = catalog_text(object, "family"),
        .summary = catalog_text(object, "summary"),
        .single_shot = json_is_true(json_object_get(object, "single_shot")),
        .threaded = json_is_true(json_object_get(object, "threaded")),
    };
    size_t index;
    json_t *parameter;
    json_array_foreach(json_object_get(object, "parameters"), index, parameter)
    {
        if (workload->parameter_count < CATALOG_PARAMETERS_MAX) {
            catalog_take_parameter(&workload->parameters[workload->parameter_count++], parameter);
        }
    }
}

enum status catalog_open(struct catalog *catalog, const struct registry *registry,
                         struct error *error)
{
    *catalog = (struct catalog){0};
    struct worker worker = {
        .registry = registry, .program = "heapmill-run-malloc", .preload = "", .env = NULL};
    enum status status = worker_describe(&worker, &catalog->description, NULL, error);
    if (status != STATUS_OK) {
        if (status == STATUS_NOT_FOUND) {
            (void)error_set(error, status, "%s/%s is missing, and it knows the workloads: build it",
                            registry->program_directory, worker.program);
        }
        return status;
    }
    const json_t *workloads = json_object_get(catalog->description, "workloads");
    catalog->workloads =
        text_grow(NULL, json_array_size(workloads) + 1, sizeof(*catalog->workloads));
    size_t index;
    json_t *object;
    json_array_foreach(workloads, index, object)
    {
        catalog_take_workload(&catalog->workloads[catalog->count++], object);
    }
    return STATUS_OK;
}

void catalog_close(struct catalog *catalog)
{
    json_decref(catalog->description);
    free(catalog->workloads);
    *catalog = (struct catalog){0};
}

const struct catalog_parameter *catalog_find_parameter(const struct catalog_workload *workload,
                                                       const char *name)
{
    for (size_t i = 0; i < workload->parameter_count; i++) {
        if (strcmp(workload->parameters[i].name, name) == 0) {
            return &workload->parameters[i];
        }
    }
    return NULL;
}

static enum status catalog_parse_word(const struct catalog_parameter *parameter, const char *text,
                                      json_t **value, struct error *error)
{
    struct text_list words = {0};
    size_t index;
    json_t *word;
    json_array_foreach(parameter->choices, index, word)
    {
        if (strcmp(json_string_value(word), text) == 0) {
            *value = json_string(text);
        }
        text_list_add(&words, text_format("%s", json_string_value(word)));
    }
    enum status status = STATUS_OK;
    if (*value == NULL) {
        char *known = text_join(&words, ", ");
        status = error_set(error, STATUS_INVALID, "-p %s=%s: it is one of %s", parameter->name,
                           text, known);
        free(known);
    }
    text_list_free(&words);
    return status;
}

enum status catalog_parse_value(const struct catalog_parameter *parameter, const char *text,
                                json_t **value, struct error *error)
{
    double number = 0;
    *value = NULL;
    if (parameter->choices != NULL) {
        return catalog_parse_word(parameter, text, value, error);
    }
    if (!text_to_double(text, &number)) {
        return error_set(error, STATUS_INVALID, "-p %s=%s: it wants a number, as 1000 or 1e3",
                         parameter->name, text);
    }
    if (number < parameter->minimum || number > parameter->maximum) {
        return error_set(error, STATUS_INVALID, "-p %s=%s: it must be from %g to %g",
                         parameter->name, text, parameter->minimum, parameter->maximum);
    }
    bool whole = number == floor(number) && fabs(number) < 1e15;
    *value = whole ? json_integer((json_int_t)number) : json_real(number);
    return STATUS_OK;
}
