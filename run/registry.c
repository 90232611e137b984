#include "run/registry.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/packages.h"
#include "common/host/process.h"
#include "heapmill_registry.h" /* written by CMake: registry_backend_lines, registry_peer_lines */

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

/* "name|source|arm,arm|parameters" */
static void registry_add_ours(struct registry *registry, const char *line)
{
    struct text_list fields = {0};
    text_split(&fields, line, '|');
    struct backend *backend = registry_new_backend(registry, BACKEND_OURS, fields.items[0]);
    backend->source = text_format("%s", fields.items[1]);
    backend->parameters = text_format("%s", fields.items[3]);
    backend->library = text_format("%s", "");
    backend->package = text_format("%s", "");
    struct text_list arms = {0};
    text_split(&arms, fields.items[2], ',');
    bool own_malloc = strcmp(backend->source, "sysmalloc") == 0;
    for (size_t i = 0; i < arms.count; i++) {
        /* With a sanitizer there are no preload libraries: it replaces malloc itself. */
        if (own_malloc || !registry->sanitized || strcmp(arms.items[i], "preload") != 0) {
            text_list_add(&backend->arms, text_format("%s", arms.items[i]));
        }
    }
    text_list_free(&arms);
    text_list_free(&fields);
}

/* A back end that is preloaded under the malloc worker has that worker's arms. */
static void registry_give_malloc_arms(const struct registry *registry, struct backend *backend)
{
    const struct backend *system = registry_find(registry, "malloc");
    backend->source = text_format("%s", "sysmalloc");
    for (size_t i = 0; system != NULL && i < system->arms.count; i++) {
        text_list_add(&backend->arms, text_format("%s", system->arms.items[i]));
    }
}

/* The first of the sonames that the dynamic linker finds for LD_PRELOAD, or else the first. */
static const char *registry_find_soname(const struct text_list *sonames)
{
    for (size_t i = 0; sonames->count > 1 && i < sonames->count; i++) {
        char *preload = text_format("LD_PRELOAD=%s", sonames->items[i]);
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
            return sonames->items[i];
        }
    }
    return sonames->items[0];
}

/* "name|soname,soname" */
static void registry_add_peer(struct registry *registry, const char *line)
{
    struct text_list fields = {0};
    text_split(&fields, line, '|');
    struct backend *backend = registry_new_backend(registry, BACKEND_PEER, fields.items[0]);
    struct text_list sonames = {0};
    text_split(&sonames, fields.items[1], ',');
    backend->library = text_format("%s", registry_find_soname(&sonames));
    backend->package = text_format("%s", package_named(backend->name));
    backend->parameters = text_format("%s", backend->library);
    registry_give_malloc_arms(registry, backend);
    text_list_free(&sonames);
    text_list_free(&fields);
}

/* "name|source|summary" */
static void registry_add_reference(struct registry *registry, const char *line)
{
    struct text_list fields = {0};
    text_split(&fields, line, '|');
    struct backend *backend = registry_new_backend(registry, BACKEND_REFERENCE, fields.items[0]);
    backend->source = text_format("%s", "reference");
    backend->library = text_format("%s", "");
    backend->package = text_format("%s", "");
    backend->parameters = text_format("%s", fields.items[2]);
    text_list_add(&backend->arms, text_format("%s", "own"));
    text_list_free(&fields);
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
    *strrchr(path, '/') = '\0';
    *registry = (struct registry){.program_directory = text_format("%s", path),
                                  .sanitized = REGISTRY_SANITIZED != 0};
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    registry->library_directory = text_format("%s/lib", path);
    for (size_t i = 0; registry_backend_lines[i] != NULL; i++) {
        registry_add_ours(registry, registry_backend_lines[i]);
    }
    for (size_t i = 0; !registry->sanitized && registry_peer_lines[i] != NULL; i++) {
        registry_add_peer(registry, registry_peer_lines[i]);
    }
    for (size_t i = 0; registry_reference_lines[i] != NULL; i++) {
        registry_add_reference(registry, registry_reference_lines[i]);
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
    for (size_t i = 0; registry_aliases[i][0] != NULL; i++) {
        if (strcmp(registry_aliases[i][0], name) == 0) {
            return registry_find(registry, registry_aliases[i][1]);
        }
    }
    return NULL;
}

enum status registry_add_library(struct registry *registry, const char *path,
                                 struct backend **backend, struct error *error)
{
    char resolved[PATH_MAX];
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
    /* Its name is that of the path as given: a symbolic link's own name says more than its
     * target's. */
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

void registry_launch(const struct backend *backend, const char *arm, struct launch *launch)
{
    bool own_malloc =
        strcmp(backend->source, "sysmalloc") == 0; /* malloc itself, peers, libraries */
    bool preload = strcmp(arm, "preload") == 0;
    const char *worker = own_malloc || preload ? "malloc" : backend->name;
    bool first = own_malloc || preload ? preload : strcmp(arm, backend->arms.items[0]) == 0;
    launch->program =
        text_format("heapmill-run-%s%s%s", worker, first ? "" : ".", first ? "" : arm);
    launch->probe = text_format("heapmill-probe-%s", worker);
    launch->preload = own_malloc ? text_format("%s", backend->library)
                      : preload  ? text_format("libheapmill-%s.so", backend->name)
                                 : text_format("%s", "");
}

void launch_free(struct launch *launch)
{
    free(launch->program);
    free(launch->probe);
    free(launch->preload);
    *launch = (struct launch){0};
}

char *registry_layout_program(const struct registry *registry, const char *program, unsigned number)
{
    char *layout = text_format("%s.layout%u", program, number);
    char *path = registry_program_path(registry, layout);
    bool exists = access(path, X_OK) == 0;
    free(path);
    if (!exists) {
        free(layout);
        layout = NULL;
    }
    return layout;
}

char *registry_program_path(const struct registry *registry, const char *program)
{
    return text_format("%s/%s", registry->program_directory, program);
}

char *registry_preload_path(const struct registry *registry, const char *preload)
{
    bool ours = strncmp(preload, "libheapmill-", strlen("libheapmill-")) == 0;
    return ours ? text_format("%s/%s", registry->library_directory, preload)
                : text_format("%s", preload);
}
