#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "results/name_filter.h"
#include "run/selection.h"

enum { SELECTION_POINTS_MAX = 10000 };

/* One -p item, taken apart. */
struct parameter_item {
    char *workloads; /* glob; "*" if it was not said */
    char *name;
    struct text_list values;
    bool used;
};

struct parameter_items {
    struct parameter_item *items;
    size_t count;
};

static void parameter_items_free(struct parameter_items *parameters)
{
    for (size_t i = 0; i < parameters->count; i++) {
        free(parameters->items[i].workloads);
        free(parameters->items[i].name);
        text_list_free(&parameters->items[i].values);
    }
    free(parameters->items);
}

static enum status parameter_items_parse(struct parameter_items *parameters,
                                         const struct text_list *texts, struct error *error)
{
    *parameters = (struct parameter_items){
        .items = text_grow(NULL, texts->count + 1, sizeof(*parameters->items))};
    for (size_t i = 0; i < texts->count; i++) {
        const char *text = texts->items[i];
        if (selection_collector_values(text) != NULL) {
            continue; /* of the choices: selection_apply_collectors */
        }
        const char *equals = strchr(text, '=');
        if (equals == NULL || equals == text || equals[1] == '\0') {
            return error_set(error, STATUS_INVALID, "-p '%s': write NAME=VALUE or NAME=VALUE,VALUE",
                             text);
        }
        const char *dot = memrchr(text, '.', (size_t)(equals - text));
        const char *name = dot != NULL ? dot + 1 : text;
        struct parameter_item *item = &parameters->items[parameters->count++];
        *item = (struct parameter_item){0};
        item->workloads =
            dot != NULL ? text_format("%.*s", (int)(dot - text), text) : text_format("*");
        item->name = text_format("%.*s", (int)(equals - name), name);
        text_split(&item->values, equals + 1, ',');
    }
    return STATUS_OK;
}

/* The last item that says something of the parameter, or NULL. All that do are marked as used. */
static struct parameter_item *parameter_items_find(struct parameter_items *parameters,
                                                   const struct catalog_workload *workload,
                                                   const char *name)
{
    struct parameter_item *found = NULL;
    for (size_t i = 0; i < parameters->count; i++) {
        struct parameter_item *item = &parameters->items[i];
        if (strcmp(item->name, name) == 0 && fnmatch(item->workloads, workload->name, 0) == 0) {
            item->used = true;
            found = item;
        }
    }
    return found;
}

static enum status selection_add_point(struct selection *selection,
                                       const struct catalog_workload *workload, json_t *params,
                                       unsigned threads, struct error *error)
{
    for (size_t i = 0; i < selection->point_count; i++) {
        if (selection->points[i].workload == workload && selection->points[i].threads == threads &&
            json_equal(selection->points[i].params, params)) {
            return STATUS_OK; /* the same value in another spelling */
        }
    }
    if (selection->point_count == SELECTION_POINTS_MAX) {
        return error_set(error, STATUS_INVALID,
                         "more than %d combinations of workloads and parameters: give fewer values",
                         SELECTION_POINTS_MAX);
    }
    selection->points =
        text_grow(selection->points, selection->point_count + 1, sizeof(*selection->points));
    selection->points[selection->point_count++] = (struct selection_point){
        .workload = workload, .params = json_copy(params), .threads = threads};
    return STATUS_OK;
}

/* With each number of threads, or with 1 where the workload has no others. */
static enum status selection_add_points(struct selection *selection,
                                        const struct catalog_workload *workload, json_t *params,
                                        struct error *error)
{
    size_t count = workload->threaded ? selection->thread_count_count : 0;
    enum status status = STATUS_OK;
    if (count == 0) {
        return selection_add_point(selection, workload, params, 1, error);
    }
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status =
            selection_add_point(selection, workload, params, selection->thread_counts[i], error);
    }
    return status;
}

/* A default as a -p would have given it: whole numbers are integers. */
static json_t *selection_default(const struct catalog_parameter *parameter)
{
    json_t *value = NULL;
    char *text = json_is_string(parameter->standard)
                     ? text_format("%s", json_string_value(parameter->standard))
                     : text_format("%.17g", json_number_value(parameter->standard));
    (void)catalog_parse_value(parameter, text, &value, NULL);
    free(text);
    return value != NULL ? value : json_incref((json_t *)parameter->standard);
}

/* Fills params from parameter `index` on, and adds a point for each combination: depth first, so
 * that the last parameter varies fastest. At most CATALOG_PARAMETERS_MAX deep. */
// NOLINTNEXTLINE(misc-no-recursion)
static enum status selection_expand(struct selection *selection,
                                    const struct catalog_workload *workload,
                                    struct parameter_items *parameters, size_t index,
                                    json_t *params, struct error *error)
{
    if (index == workload->parameter_count) {
        return selection_add_points(selection, workload, params, error);
    }
    const struct catalog_parameter *parameter = &workload->parameters[index];
    const struct parameter_item *item = parameter_items_find(parameters, workload, parameter->name);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < (item != NULL ? item->values.count : 1) && status == STATUS_OK; i++) {
        json_t *value = NULL;
        if (item != NULL) {
            status = catalog_parse_value(parameter, item->values.items[i], &value, error);
        } else {
            value = selection_default(parameter);
        }
        if (status == STATUS_OK) {
            (void)json_object_set_new(params, parameter->name, value);
            status = selection_expand(selection, workload, parameters, index + 1, params, error);
        }
    }
    return status;
}

/* Every part of a -w list must match something: a misspelt name must not just be left out. */
static enum status selection_check_list(const struct catalog *catalog, const char *list,
                                        struct error *error)
{
    const char *rest = list;
    const char *text = NULL;
    size_t length = 0;
    const char **names = text_grow(NULL, catalog->count + 1, sizeof(*names));
    enum status status = STATUS_OK;
    while (status == STATUS_OK && name_filter_next(&rest, &text, &length)) {
        bool negative = length > 0 && text[0] == '!';
        char *glob = text_format("%.*s", (int)(length - negative), text + negative);
        bool found = false;
        for (size_t i = 0; i < catalog->count; i++) {
            names[i] = catalog->workloads[i].name;
            found = found || fnmatch(glob, names[i], 0) == 0;
        }
        const char *nearest = found ? NULL : text_nearest(glob, names, catalog->count);
        if (!found && nearest != NULL) {
            status = error_set(error, STATUS_NOT_FOUND,
                               "-w: there is no workload '%s'; did you mean '%s'?", glob, nearest);
        } else if (!found) {
            status = error_set(error, STATUS_NOT_FOUND,
                               "-w: no workload matches '%s'; `heapmill list workloads` shows them",
                               glob);
        }
        free(glob);
    }
    free(names);
    return status;
}

/* "batch: size, live; churn: live", of the workloads that were chosen. */
static char *selection_known_parameters(const struct catalog *catalog, const char *list)
{
    char *known = text_format("%s", "");
    for (size_t i = 0; i < catalog->count; i++) {
        const struct catalog_workload *workload = &catalog->workloads[i];
        if (!name_filter_matches(list, workload->name)) {
            continue;
        }
        struct text_list names = {0};
        for (size_t j = 0; j < workload->parameter_count; j++) {
            text_list_add(&names, text_format("%s", workload->parameters[j].name));
        }
        char *joined = text_join(&names, ", ");
        char *longer = text_format("%s%s%s: %s", known, known[0] == '\0' ? "" : "; ",
                                   workload->name, names.count > 0 ? joined : "none");
        free(known);
        free(joined);
        text_list_free(&names);
        known = longer;
    }
    return known;
}

static enum status selection_check_used(const struct parameter_items *parameters,
                                        const struct catalog *catalog, const char *list,
                                        struct error *error)
{
    for (size_t i = 0; i < parameters->count; i++) {
        if (!parameters->items[i].used) {
            char *known = selection_known_parameters(catalog, list);
            (void)error_set(error, STATUS_INVALID,
                            "-p: no chosen workload has a parameter '%s'; there are: %s",
                            parameters->items[i].name, known);
            free(known);
            return STATUS_INVALID;
        }
    }
    return STATUS_OK;
}

enum status selection_add_workloads(struct selection *selection, const struct catalog *catalog,
                                    const char *list, const struct text_list *parameters,
                                    struct error *error)
{
    struct parameter_items items = {0};
    enum status status = selection_check_list(catalog, list, error);
    if (status == STATUS_OK) {
        status = parameter_items_parse(&items, parameters, error);
    }
    for (size_t i = 0; i < catalog->count && status == STATUS_OK; i++) {
        if (name_filter_matches(list, catalog->workloads[i].name)) {
            json_t *params = json_object();
            status = selection_expand(selection, &catalog->workloads[i], &items, 0, params, error);
            json_decref(params);
        }
    }
    if (status == STATUS_OK && selection->point_count == 0) {
        status = error_set(error, STATUS_INVALID, "-w: '%s' leaves no workload", list);
    }
    if (status == STATUS_OK) {
        status = selection_check_used(&items, catalog, list, error);
    }
    parameter_items_free(&items);
    return status;
}
