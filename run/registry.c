#include "run/registry.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/json.h"
#include "common/host/packages.h"
#include "common/host/process.h"
#include "common/host/text.h"
#include "run/registry_table.h"
#include "run/worker.h"

static struct backend *registry_new_backend(struct registry *registry, enum backend_kind kind,
                                            const char *name)
{
    struct backend *backend = text_grow(NULL, 1, sizeof(*backend));
    *backend = (struct backend){.kind = kind, .name = text_format("%s", name)};
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the array is one of pointers
    size_t pointer = sizeof(*registry->backends);
    registry->backends = text_grow(registry->backends, registry->count + 1, pointer);
    registry->backends[registry->count++] = backend;
    return backend;
}

static void registry_add_row(struct registry *registry, enum backend_kind kind,
                             const struct registry_row *row)
{
    struct backend *backend = registry_new_backend(registry, kind, row->name);
    backend->source = text_format("%s", row->source);
    backend->parameters = text_format("%s", row->text);
    backend->library = text_format("%s", "");
    backend->package = text_format("%s", "");
    bool own_malloc = strcmp(row->source, "sysmalloc") == 0;
    for (size_t i = 0; row->items[i] != NULL; i++) {
        /* With a sanitizer there are no preload libraries: it replaces malloc itself. */
        if (own_malloc || !registry->sanitized || strcmp(row->items[i], "preload") != 0) {
            text_list_add(&backend->arms, text_format("%s", row->items[i]));
        }
    }
}

/* Gives a back end that is preloaded under the malloc worker the arms of that worker. */
static void registry_give_malloc_arms(const struct registry *registry, struct backend *backend)
{
    const struct backend *system = registry_find(registry, "malloc");
    backend->source = text_format("%s", "sysmalloc");
    for (size_t i = 0; system != NULL && i < system->arms.count; i++) {
        text_list_add(&backend->arms, text_format("%s", system->arms.items[i]));
    }
}

/* Returns the first of the sonames that the dynamic linker finds for LD_PRELOAD, or else the first
 * one. */
static const char *registry_find_soname(const char *const *sonames)
{
    for (size_t i = 0; sonames[1] != NULL && sonames[i] != NULL; i++) {
        char *preload = text_format("LD_PRELOAD=%s", sonames[i]);
        const char *const arguments[] = {"/bin/true", NULL};
        const char *const environment[] = {preload, NULL};
        struct process_request request = {
            .arguments = arguments, .environment = environment, .timeout_s = 10};
        struct process_result result;
        bool found = process_run(&request, &result, NULL) == STATUS_OK &&
                     strstr(result.stderr_tail, "cannot be preloaded") == NULL;
        process_result_free(&result);
        free(preload);
        if (found) {
            return sonames[i];
        }
    }
    return sonames[0];
}

static void registry_add_peer(struct registry *registry, const struct registry_row *row)
{
    struct backend *backend = registry_new_backend(registry, BACKEND_PEER, row->name);
    backend->library = text_format("%s", registry_find_soname(row->items));
    backend->package = text_format("%s", package_named(backend->name));
    backend->parameters = text_format("%s", backend->library);
    registry_give_malloc_arms(registry, backend);
}

/* Finds the directory whose bin/ has the workers and whose lib/ has the libraries, for the program
 * at that path: PREFIX/lib/heapmill of an installed PREFIX/bin/heapmill, or the build tree. The
 * caller frees it. */
static char *registry_find_home(const char *program)
{
    char *tree = text_format("%s", program);
    for (int i = 0; i < 2 && strrchr(tree, '/') != NULL; i++) {
        *strrchr(tree, '/') = '\0';
    }
    char *home = text_format("%s/lib/heapmill", tree);
    char *workers = text_format("%s/bin", home);
    if (access(workers, X_OK) != 0) {
        free(home);
        home = text_format("%s", tree);
    }
    free(workers);
    free(tree);
    return home;
}

enum status registry_open(struct registry *registry, struct error *error)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length < 0) {
        return error_set(
            error, STATUS_UNSUPPORTED,
            "/proc/self/exe cannot be read, and the workers are found beside it: mount /proc");
    }
    path[length] = '\0';
    char *home = registry_find_home(path);
    *registry = (struct registry){.program_directory = text_format("%s/bin", home),
                                  .library_directory = text_format("%s/lib", home),
                                  .sanitized = registry_sanitized};
    free(home);
    for (const struct registry_row *row = registry_backends; row->name != NULL; row++) {
        registry_add_row(registry, BACKEND_OURS, row);
    }
    for (const struct registry_row *row = registry_peers; row->name != NULL && !registry->sanitized;
         row++) {
        registry_add_peer(registry, row);
    }
    for (const struct registry_row *row = registry_references; row->name != NULL; row++) {
        registry_add_row(registry, BACKEND_REFERENCE, row);
    }
    return STATUS_OK;
}

void registry_close(struct registry *registry)
{
    for (size_t i = 0; i < registry->count; i++) {
        struct backend *backend = registry->backends[i];
        free(backend->name);
        free(backend->source);
        free(backend->parameters);
        free(backend->library);
        free(backend->package);
        free(backend->installed);
        free(backend->program);
        free(backend->home);
        free(backend->owner);
        text_list_free(&backend->arms);
        free(backend);
    }
    free(registry->backends);
    free(registry->program_directory);
    free(registry->library_directory);
    *registry = (struct registry){0};
}

struct backend *registry_find(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (strcmp(registry->backends[i]->name, name) == 0) {
            return registry->backends[i];
        }
    }
    for (size_t i = 0; registry_aliases[i].alias != NULL; i++) {
        if (strcmp(registry_aliases[i].alias, name) == 0) {
            return registry_find(registry, registry_aliases[i].name);
        }
    }
    return NULL;
}

/* Resolves the path of a library, and checks that LD_PRELOAD can name it. */
static enum status registry_resolve_library(const struct registry *registry, const char *path,
                                            char resolved[PATH_MAX], struct error *error)
{
    if (realpath(path, resolved) == NULL || access(resolved, R_OK) != 0) {
        return error_set(error, STATUS_NOT_FOUND, "%s: %m: build the library, or correct its path",
                         path);
    }
    json_t *utf8 = json_string(resolved);
    json_decref(utf8);
    if (utf8 == NULL) {
        return error_set(error, STATUS_INVALID,
                         "%s: the plan is JSON, and this path is not UTF-8: rename it", path);
    }
    if (strpbrk(resolved, " :") != NULL) {
        return error_set(
            error, STATUS_INVALID,
            "%s: LD_PRELOAD cannot name a path with a blank or a colon: copy the library",
            resolved);
    }
    if (registry->sanitized) {
        return error_set(error, STATUS_INVALID,
                         "%s: this heapmill is built with a sanitizer, under which nothing can be "
                         "preloaded: use the release preset",
                         path);
    }
    return STATUS_OK;
}

enum status registry_add_library(struct registry *registry, const char *path,
                                 struct backend **backend, struct error *error)
{
    char resolved[PATH_MAX];
    enum status status = registry_resolve_library(registry, path, resolved, error);
    if (status != STATUS_OK) {
        return status;
    }
    /* The library has the name of the path as given, because the name of a symbolic link says more
     * than its target's. */
    const char *name = strrchr(path, '/') + 1;
    struct backend *known = registry_find(registry, name);
    if (known != NULL && strcmp(known->library, resolved) != 0) {
        return error_set(error, STATUS_INVALID,
                         "%s: another back end is called '%s': rename the library", path, name);
    }
    if (known == NULL) {
        known = registry_new_backend(registry, BACKEND_LIBRARY, name);
        known->library = text_format("%s", resolved);
        known->package = text_format("%s", "");
        known->parameters = text_format("%s", resolved);
        registry_give_malloc_arms(registry, known);
    }
    *backend = known;
    return STATUS_OK;
}

enum status registry_add_before(struct registry *registry, const struct backend *now,
                                const char *home, const char *library, struct backend **before,
                                struct error *error)
{
    char resolved[PATH_MAX] = "";
    enum status status =
        home != NULL ? STATUS_OK : registry_resolve_library(registry, library, resolved, error);
    if (status != STATUS_OK) {
        return status;
    }
    char *name = text_format("%s" REGISTRY_BEFORE, now->name);
    *before = registry_find(registry, name);
    if (*before == NULL) {
        *before = registry_new_backend(registry, now->kind, name);
        (*before)->source = text_format("%s", now->source);
        (*before)->package = text_format("%s", "");
        (*before)->parameters = text_format("%s", home != NULL ? now->parameters : resolved);
        (*before)->library = text_format("%s", resolved);
        (*before)->program = text_format("%s", now->name);
        (*before)->home = home != NULL ? text_format("%s", home) : NULL;
        for (size_t i = 0; i < now->arms.count; i++) {
            text_list_add(&(*before)->arms, text_format("%s", now->arms.items[i]));
        }
    }
    free(name);
    return STATUS_OK;
}

bool backend_has_arm(const struct backend *backend, const char *arm)
{
    for (size_t i = 0; i < backend->arms.count; i++) {
        if (strcmp(backend->arms.items[i], arm) == 0) {
            return true;
        }
    }
    return false;
}

const char *backend_default_arm(const struct backend *backend)
{
    return backend_has_arm(backend, "preload") ? "preload" : backend->arms.items[0];
}

/* Returns "HOME/FOLDER/", or "" if there is no home. The caller frees it. */
static char *registry_place(const char *home, const char *folder)
{
    return home != NULL ? text_format("%s/%s/", home, folder) : text_format("%s", "");
}

void registry_launch(const struct backend *backend, const char *arm, struct launch *launch)
{
    bool own_malloc =
        strcmp(backend->source, "sysmalloc") == 0; /* malloc itself, peers, libraries */
    bool preload = strcmp(arm, "preload") == 0;
    const char *name = backend->program != NULL ? backend->program : backend->name;
    const char *worker = own_malloc || preload ? "malloc" : name;
    bool first = own_malloc || preload ? preload : strcmp(arm, backend->arms.items[0]) == 0;
    char *programs = registry_place(backend->home, "bin");
    char *libraries = registry_place(backend->home, "lib");
    launch->program =
        text_format("%sheapmill-run-%s%s%s", programs, worker, first ? "" : ".", first ? "" : arm);
    launch->probe = text_format("%sheapmill-probe-%s", programs, worker);
    launch->preload = own_malloc ? text_format("%s", backend->library)
                      : preload  ? text_format("%slibheapmill-%s.so", libraries, name)
                                 : text_format("%s", "");
    free(programs);
    free(libraries);
}

void launch_free(struct launch *launch)
{
    free(launch->program);
    free(launch->probe);
    free(launch->preload);
    *launch = (struct launch){0};
}

char *registry_program_path(const struct registry *registry, const char *program)
{
    return program[0] == '/' ? text_format("%s", program)
                             : text_format("%s/%s", registry->program_directory, program);
}

char *registry_preload_path(const struct registry *registry, const char *preload)
{
    bool ours = strncmp(preload, "libheapmill-", strlen("libheapmill-")) == 0;
    return ours ? text_format("%s/%s", registry->library_directory, preload)
                : text_format("%s", preload);
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
        .name = json_text_at(object, "name", ""),
        .unit = json_text_at(object, "unit", ""),
        .summary = json_text_at(object, "summary", ""),
        .standard = json_object_get(object, "default"),
        .choices = json_array_size(choices) > 0 ? choices : NULL,
        .minimum = catalog_number(object, "minimum", -INFINITY),
        .maximum = catalog_number(object, "maximum", INFINITY),
    };
}

static void catalog_take_workload(struct catalog_workload *workload, const json_t *object)
{
    *workload = (struct catalog_workload){
        .name = json_text_at(object, "name", ""),
        .kind = json_text_at(object, "kind", ""),
        .family = json_text_at(object, "family", ""),
        .summary = json_text_at(object, "summary", ""),
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
    if (parameter->choices == NULL && json_is_string(parameter->standard)) {
        *value = json_string(text);
        return *value != NULL
                   ? STATUS_OK
                   : error_set(error, STATUS_INVALID, "-p %s: it is not UTF-8", parameter->name);
    }
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
