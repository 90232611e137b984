#include "run/waste.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "run/registry.h"
#include "run/selection.h"
#include "run/worker.h"

static void waste_keep(struct waste_survey *survey, const struct selection_choice *choice,
                       char *label, const json_t *sizes)
{
    size_t count = json_array_size(sizes);
    double *usable = text_grow(NULL, count + 1, sizeof(*usable));
    for (size_t i = 0; i < count; i++) {
        usable[i] = json_number_value(json_array_get(sizes, i));
    }
    survey->curves[survey->count++] =
        (struct waste_curve){.label = label,
                             .backend = text_format("%s", choice->backend->name),
                             .arm = text_format("%s", choice->arm),
                             .usable = usable,
                             .count = count};
}

static enum status waste_ask(struct waste_survey *survey, const struct registry *registry,
                             const struct selection_choice *choice, struct error *error)
{
    struct launch launch;
    registry_launch(choice->backend, choice->arm, &launch);
    struct worker worker = {.registry = registry,
                            .program = launch.program,
                            .preload = launch.preload,
                            .env = choice->env};
    char *label = text_format("%s:%s", choice->backend->name, choice->arm);
    json_t *answer = NULL;
    enum status status = worker_waste(&worker, &answer, error);
    if (status == STATUS_OK) {
        waste_keep(survey, choice, label, json_object_get(answer, "usable_bytes"));
    } else {
        text_list_add(&survey->silent, label);
    }
    json_decref(answer);
    launch_free(&launch);
    return status == STATUS_INTERRUPTED ? status : STATUS_OK;
}

enum status waste_survey_ask(struct waste_survey *survey, const char *backends, struct error *error)
{
    struct registry registry;
    struct selection selection = {.choice_count = 0};
    *survey = (struct waste_survey){.count = 0};
    enum status status = registry_open(&registry, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = selection_add_backends(&selection, &registry, backends, NULL, error);
    survey->curves = text_grow(NULL, selection.choice_count + 1, sizeof(*survey->curves));
    for (size_t i = 0; i < selection.choice_count && status == STATUS_OK; i++) {
        status = waste_ask(survey, &registry, &selection.choices[i], error);
    }
    if (status == STATUS_OK && survey->count == 0) {
        char *labels = text_join(&survey->silent, ", ");
        status = error_set(error, STATUS_INVALID,
                           "none of these back ends tells how much a block can hold: %s", labels);
        free(labels);
    }
    selection_free(&selection);
    registry_close(&registry);
    return status;
}

void waste_survey_release(struct waste_survey *survey)
{
    for (size_t i = 0; i < survey->count; i++) {
        free((void *)(uintptr_t)survey->curves[i].usable);
        free((void *)(uintptr_t)survey->curves[i].label);
        free((void *)(uintptr_t)survey->curves[i].backend);
        free((void *)(uintptr_t)survey->curves[i].arm);
    }
    free(survey->curves);
    text_list_free(&survey->silent);
    *survey = (struct waste_survey){.count = 0};
}
