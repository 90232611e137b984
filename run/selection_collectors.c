/* -p collector=NAME[,NAME…]: not a parameter of workloads but a dimension of what is compared, like
 * an environment, so that the collectors of one back end are cells of one group and run next to
 * each other in a round. */
#include <stdlib.h>
#include <string.h>

#include "run/selection.h"

static enum status collectors_check(const struct catalog *catalog, const char *name,
                                    struct error *error)
{
    const json_t *collectors = json_object_get(catalog->description, "collectors");
    size_t count = json_array_size(collectors);
    const char **names = text_grow(NULL, count + 1, sizeof(*names));
    bool known = false;
    for (size_t i = 0; i < count; i++) {
        const json_t *collector = json_array_get(collectors, i);
        names[i] = json_string_value(json_object_get(collector, "name"));
        known = known || strcmp(names[i], name) == 0;
    }
    const char *nearest = known ? NULL : text_nearest(name, names, count);
    free(names);
    if (known) {
        return STATUS_OK;
    }
    return nearest != NULL
               ? error_set(error, STATUS_INVALID,
                           "-p collector=%s: there is no such collector; did you mean '%s'?", name,
                           nearest)
               : error_set(error, STATUS_INVALID,
                           "-p collector=%s: there is no such collector; `heapmill list "
                           "collectors` shows them",
                           name);
}

/* The names that -p gives, "*" being all; later items replace earlier ones, as for any parameter.
 */
static enum status collectors_parse(const struct catalog *catalog,
                                    const struct text_list *parameters, struct text_list *names,
                                    struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < parameters->count; i++) {
        const char *values = selection_collector_values(parameters->items[i]);
        if (values != NULL) {
            text_list_free(names);
            text_split(names, values, ',');
        }
    }
    if (names->count == 1 && strcmp(names->items[0], "*") == 0) {
        text_list_free(names);
        size_t index;
        json_t *collector;
        json_array_foreach(json_object_get(catalog->description, "collectors"), index, collector)
        {
            const char *name = json_string_value(json_object_get(collector, "name"));
            text_list_add(names, text_format("%s", name));
        }
    }
    for (size_t i = 0; i < names->count && status == STATUS_OK; i++) {
        status = collectors_check(catalog, names->items[i], error);
    }
    return status;
}

const char *selection_collector_values(const char *parameter)
{
    static const char prefix[] = "collector=";
    const char *name = strncmp(parameter, "*.", 2) == 0 ? parameter + 2 : parameter;
    return strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? name + sizeof(prefix) - 1 : NULL;
}

/* A reference has a collector of its own, and -b NAME{collector=…} has said which. */
static bool collectors_apply_to(const struct selection_choice *choice)
{
    return choice->backend->kind != BACKEND_REFERENCE && choice->collector == NULL;
}

enum status selection_apply_collectors(struct selection *selection, const struct catalog *catalog,
                                       const struct text_list *parameters, struct error *error)
{
    struct text_list names = {0};
    enum status status = collectors_parse(catalog, parameters, &names, error);
    size_t count = status == STATUS_OK && names.count > 0 ? selection->choice_count : 0;
    for (size_t c = 0; c < count; c++) {
        for (size_t i = names.count; collectors_apply_to(&selection->choices[c]) && i-- > 0;) {
            struct selection_choice choice = selection->choices[c];
            if (i == 0) {
                selection->choices[c].collector = text_format("%s", names.items[i]);
                break;
            }
            choice.env = json_copy(choice.env);
            choice.collector = text_format("%s", names.items[i]);
            selection->choices = text_grow(selection->choices, selection->choice_count + 1,
                                           sizeof(*selection->choices));
            selection->choices[selection->choice_count++] = choice;
        }
    }
    text_list_free(&names);
    return status;
}

bool selection_plans(const struct selection *selection, const struct selection_point *point,
                     size_t index)
{
    const struct selection_choice *choice = &selection->choices[index];
    if (choice->workloads != NULL) {
        size_t i;
        const json_t *known;
        json_array_foreach(choice->workloads, i, known)
        {
            const char *name = json_string_value(json_object_get(known, "name"));
            if (name != NULL && strcmp(name, point->workload->name) == 0) {
                return true;
            }
        }
        return false;
    }
    return choice->collector == NULL || strcmp(point->workload->kind, "objects") == 0;
}
