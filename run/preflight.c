#include "run/preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/packages.h"
#include "run/plan.h"
#include "run/worker.h"

static enum status preflight_program(const struct registry *registry, const char *program,
                                     struct error *error)
{
    char *path = registry_program_path(registry, program);
    enum status status = STATUS_OK;
    if (access(path, X_OK) != 0) {
        status = error_set(error, STATUS_UNSUPPORTED, "%s is missing: build the target %s", path,
                           program);
    }
    free(path);
    return status;
}

/* Preloads the library and asks where malloc lives. package names what to install, "" if nothing.
 */
static enum status preflight_preload(const struct worker *worker, const char *package,
                                     char **malloc_owner, struct error *error)
{
    const char *expected = worker_expected_owner(worker);
    struct error reason;
    json_t *description = NULL;
    char *said = NULL;
    enum status status = worker_describe(worker, &description, &said, &reason);
    if (status != STATUS_OK) {
        return error_set(error, status == STATUS_INTERRUPTED ? status : STATUS_UNSUPPORTED,
                         "with %s preloaded, %s", expected, reason.message);
    }
    const char *owner = json_string_value(json_object_get(description, "malloc_owner"));
    owner = owner != NULL ? owner : "?";
    if (strstr(owner, expected) != NULL) {
        *malloc_owner = text_format("%s", owner);
    } else if (package[0] != '\0') {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "%s is not here (malloc stays in %s): apt-get install %s", expected,
                           owner, package);
    } else {
        status =
            error_set(error, STATUS_UNSUPPORTED,
                      "%s does not own malloc, which lives in %s: a library must export malloc, "
                      "calloc, realloc and free to be measured%s%s",
                      expected, owner, said[0] != '\0' ? "; " : "", said);
    }
    json_decref(description);
    free(said);
    return status;
}

static enum status preflight_launch(const struct registry *registry, const struct launch *launch,
                                    bool memory, const char *package, char **malloc_owner,
                                    struct error *error)
{
    *malloc_owner = NULL;
    enum status status = preflight_program(registry, launch->program, error);
    if (status == STATUS_OK && memory) {
        status = preflight_program(registry, launch->probe, error);
    }
    if (status != STATUS_OK || launch->preload[0] == '\0') {
        return status;
    }
    char *path = registry_preload_path(registry, launch->preload);
    if (strchr(path, '/') != NULL && access(path, R_OK) != 0) {
        status = error_set(error, STATUS_UNSUPPORTED, "%s is missing: build it", path);
    } else if (strpbrk(path, " :") != NULL) {
        status = error_set(
            error, STATUS_UNSUPPORTED,
            "%s: LD_PRELOAD cannot name a path with a blank or a colon: build elsewhere", path);
    }
    free(path);
    struct worker worker = {
        .registry = registry, .program = launch->program, .preload = launch->preload, .env = NULL};
    return status != STATUS_OK ? status : preflight_preload(&worker, package, malloc_owner, error);
}

enum status preflight_backend(const struct registry *registry, const struct backend *backend,
                              const char *arm, bool memory, char **malloc_owner,
                              struct error *error)
{
    struct launch launch;
    char *owner = NULL;
    registry_launch(backend, arm, &launch);
    enum status status =
        preflight_launch(registry, &launch, memory, backend->package, &owner, error);
    launch_free(&launch);
    if (malloc_owner != NULL) {
        *malloc_owner = owner;
    } else {
        free(owner);
    }
    return status;
}

/* Asks a reference which workloads it runs. */
static enum status preflight_reference(struct selection_choice *choice,
                                       const struct registry *registry, struct error *error)
{
    struct launch launch;
    json_t *description = NULL;
    registry_launch(choice->backend, choice->arm, &launch);
    struct worker worker = {
        .registry = registry, .program = launch.program, .preload = launch.preload, .env = NULL};
    enum status status = worker_describe(&worker, &description, NULL, error);
    if (status == STATUS_OK) {
        json_decref(choice->workloads);
        choice->workloads = json_incref(json_object_get(description, "workloads"));
    }
    json_decref(description);
    launch_free(&launch);
    return status;
}

enum status preflight_selection(struct selection *selection, const struct registry *registry,
                                bool memory, struct error *error)
{
    for (size_t i = 0; i < selection->choice_count;) {
        const struct selection_choice *choice = &selection->choices[i];
        struct error reason;
        char *owner = NULL;
        enum status status =
            preflight_backend(registry, choice->backend, choice->arm, memory, &owner, &reason);
        if (choice->backend->kind == BACKEND_PEER && choice->backend->installed == NULL &&
            owner != NULL) {
            choice->backend->installed = package_of_file(owner);
        }
        free(owner);
        if (status == STATUS_OK && choice->backend->kind == BACKEND_REFERENCE) {
            status = preflight_reference(&selection->choices[i], registry, &reason);
        }
        if (status == STATUS_OK) {
            i++;
            continue;
        }
        if (choice->exact || choice->backend->kind == BACKEND_LIBRARY ||
            status == STATUS_INTERRUPTED) {
            return error_set(error, status, "%s:%s: %s", choice->backend->name, choice->arm,
                             reason.message);
        }
        (void)fprintf(stderr, "heapmill: left out: %s:%s: %s\n", choice->backend->name, choice->arm,
                      reason.message);
        selection_drop(selection, i);
    }
    if (selection->choice_count == 0) {
        return error_set(error, STATUS_UNSUPPORTED, "none of the chosen back ends can run here");
    }
    return STATUS_OK;
}

static const char *preflight_text(const json_t *cell, const char *name)
{
    const char *text = json_string_value(json_object_get(cell, name));
    return text != NULL ? text : "";
}

enum status preflight_plan(const json_t *plan, const struct registry *registry, struct error *error)
{
    bool probes = plan_runs_pass(plan, RECORD_MEMORY) || plan_runs_pass(plan, RECORD_LATENCY);
    json_t *seen = json_object();
    enum status status = STATUS_OK;
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        struct launch launch = {.program = (char *)preflight_text(cell, "program"),
                                .probe = (char *)preflight_text(cell, "probe"),
                                .preload = (char *)preflight_text(cell, "preload")};
        char *key = text_format("%s %s", launch.program, launch.preload);
        char *owner = NULL;
        if (status == STATUS_OK && json_object_get(seen, key) == NULL) {
            struct error reason;
            status = preflight_launch(registry, &launch, probes, "", &owner, &reason);
            (void)json_object_set_new(seen, key, json_true());
            if (status != STATUS_OK) {
                (void)error_set(error, status, "%s: %s", preflight_text(cell, "id"),
                                reason.message);
            }
        }
        free(owner);
        free(key);
    }
    json_decref(seen);
    return status;
}
