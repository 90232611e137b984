#include "fuzz/campaign/catalog.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char fuzz_program_prefix[] = "heapmill-fuzz-";
static const char fuzz_default_backend[] = "pymalloc-3.10";

const char *fuzz_tree_name(enum fuzz_tree tree)
{
    static const char *const names[FUZZ_TREES] = {
        "ordinary", "fuzz-libfuzzer", "fuzz-libfuzzer-fast",
        "fuzz-afl", "fuzz-bare",      "fuzz-coverage"};
    return names[tree];
}

static bool fuzz_is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Reads the sources' directory from CMake's cache. */
static char *fuzz_read_source(const char *tree)
{
    static const char key[] = "CMAKE_HOME_DIRECTORY:INTERNAL=";
    char line[PATH_MAX + 64];
    char *source = NULL;
    char *path = text_format("%s/CMakeCache.txt", tree);
    FILE *file = fopen(path, "re");
    while (file != NULL && source == NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, sizeof(key) - 1) == 0) {
            line[strcspn(line, "\n")] = '\0';
            source = text_format("%s", line + sizeof(key) - 1);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(path);
    return source != NULL ? source : text_format("%s", "");
}

/* Cuts the last component off a path. */
static void fuzz_cut_name(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
}

static enum status fuzz_find_trees(struct fuzz_catalog *catalog, struct error *error)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (length < 0) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "/proc/self/exe cannot be read, and the fuzz targets are found beside "
                         "it: mount /proc");
    }
    program[length] = '\0';
    fuzz_cut_name(program); /* TREE/bin */
    fuzz_cut_name(program);
    const char *elsewhere = getenv("HEAPMILL_FUZZ_TREES");
    bool named = elsewhere != NULL && elsewhere[0] != '\0';
    char *parent = text_format("%s", named ? elsewhere : program);
    if (!named) {
        fuzz_cut_name(parent);
    }
    for (size_t i = 0; i < FUZZ_TREES; i++) {
        catalog->trees[i] = i == FUZZ_TREE_ORDINARY && !named
                                ? text_format("%s", program)
                                : text_format("%s/%s", parent, fuzz_tree_name((enum fuzz_tree)i));
    }
    free(parent);
    catalog->source = fuzz_read_source(program);
    return STATUS_OK;
}

static struct fuzz_program *fuzz_catalog_label(const struct fuzz_catalog *catalog,
                                               const char *label)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (strcmp(catalog->programs[i].label, label) == 0) {
            return &catalog->programs[i];
        }
    }
    return NULL;
}

/* Adds a program for "TARGET[.BACKEND][+BUG]". A target's name has no dot, but a back end's may
 * have one. */
static struct fuzz_program *fuzz_catalog_new(struct fuzz_catalog *catalog, const char *label)
{
    size_t target = strcspn(label, ".+");
    const char *backend = label[target] == '.' ? label + target + 1 : "";
    const char *plus = strchr(label, '+');
    int backend_length = (int)strcspn(backend, "+");
    catalog->programs =
        text_grow(catalog->programs, catalog->count + 1, sizeof(*catalog->programs));
    struct fuzz_program *program = &catalog->programs[catalog->count++];
    *program = (struct fuzz_program){.target = text_format("%.*s", (int)target, label),
                                     .backend = text_format("%.*s", backend_length, backend),
                                     .bug = text_format("%s", plus != NULL ? plus + 1 : ""),
                                     .label = text_format("%s", label)};
    return program;
}

static void fuzz_catalog_read_tree(struct fuzz_catalog *catalog, enum fuzz_tree tree)
{
    char *bin = text_format("%s/bin", catalog->trees[tree]);
    DIR *directory = opendir(bin);
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        const char *label = entry->d_name + sizeof(fuzz_program_prefix) - 1;
        if (strncmp(entry->d_name, fuzz_program_prefix, sizeof(fuzz_program_prefix) - 1) != 0) {
            continue;
        }
        char *path = text_format("%s/%s", bin, entry->d_name);
        if (access(path, X_OK) == 0) {
            struct fuzz_program *program = fuzz_catalog_label(catalog, label);
            program = program != NULL ? program : fuzz_catalog_new(catalog, label);
            free(program->paths[tree]);
            program->paths[tree] = path;
        } else {
            free(path);
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    free(bin);
}

static int fuzz_compare_programs(const void *left, const void *right)
{
    const struct fuzz_program *a = left;
    const struct fuzz_program *b = right;
    return strcmp(a->label, b->label);
}

enum status fuzz_catalog_open(struct fuzz_catalog *catalog, struct error *error)
{
    *catalog = (struct fuzz_catalog){.programs = NULL};
    enum status status = fuzz_find_trees(catalog, error);
    for (size_t i = 0; i < FUZZ_TREES && status == STATUS_OK; i++) {
        fuzz_catalog_read_tree(catalog, (enum fuzz_tree)i);
    }
    if (catalog->count > 0) {
        qsort(catalog->programs, catalog->count, sizeof(*catalog->programs), fuzz_compare_programs);
    }
    return status;
}

void fuzz_catalog_close(struct fuzz_catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++) {
        struct fuzz_program *program = &catalog->programs[i];
        free(program->target);
        free(program->backend);
        free(program->bug);
        free(program->label);
        for (size_t tree = 0; tree < FUZZ_TREES; tree++) {
            free(program->paths[tree]);
        }
    }
    for (size_t tree = 0; tree < FUZZ_TREES; tree++) {
        free(catalog->trees[tree]);
    }
    free(catalog->programs);
    free(catalog->source);
    *catalog = (struct fuzz_catalog){.programs = NULL};
}

/* Adds the targets, or the back ends of one target, each once. */
static void fuzz_catalog_names(const struct fuzz_catalog *catalog, const char *target,
                               struct text_list *names)
{
    for (size_t i = 0; i < catalog->count; i++) {
        const struct fuzz_program *program = &catalog->programs[i];
        if (target != NULL && strcmp(program->target, target) != 0) {
            continue;
        }
        const char *name = target != NULL ? program->backend : program->target;
        bool known = name[0] == '\0' || (target != NULL && program->bug[0] != '\0');
        for (size_t j = 0; j < names->count && !known; j++) {
            known = strcmp(names->items[j], name) == 0;
        }
        if (!known) {
            text_list_add(names, text_format("%s", name));
        }
    }
}

static enum status fuzz_catalog_refuse(const struct fuzz_catalog *catalog, const char *target,
                                       const char *backend, const char *bug, struct error *error)
{
    struct text_list names = {0};
    enum status status;
    fuzz_catalog_names(catalog, NULL, &names);
    bool known = false;
    for (size_t i = 0; i < names.count; i++) {
        known = known || strcmp(names.items[i], target) == 0;
    }
    char *list = text_join(&names, ", ");
    if (catalog->count == 0) {
        status = error_set(error, STATUS_NOT_FOUND,
                           "no fuzz target is built: run `heapmill fuzz build`");
    } else if (!known) {
        const char *nearest = text_nearest(target, (const char *const *)names.items, names.count);
        status = error_set(error, STATUS_NOT_FOUND, "there is no target '%s'%s%s%s; there are: %s",
                           target, nearest != NULL ? "; did you mean '" : "",
                           nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "", list);
    } else if (bug[0] != '\0') {
        status = error_set(error, STATUS_NOT_FOUND,
                           "%s has no planted bug '%s' in this build: `heapmill fuzz list --bugs` "
                           "names them, `heapmill fuzz build` makes them",
                           target, bug);
    } else {
        free(list);
        text_list_free(&names);
        fuzz_catalog_names(catalog, target, &names);
        list = text_join(&names, ", ");
        status = error_set(error, STATUS_NOT_FOUND, "%s is not built for '%s'; it is for: %s",
                           target, backend != NULL ? backend : "", list);
    }
    free(list);
    text_list_free(&names);
    return status;
}

enum status fuzz_catalog_find(const struct fuzz_catalog *catalog, const char *target,
                              const char *backend, const char *bug,
                              const struct fuzz_program **program, struct error *error)
{
    size_t count = 0;
    *program = NULL;
    for (size_t i = 0; i < catalog->count; i++) {
        const struct fuzz_program *each = &catalog->programs[i];
        if (strcmp(each->target, target) != 0 || strcmp(each->bug, bug) != 0) {
            continue;
        }
        count++;
        if (strcmp(each->backend, backend != NULL ? backend : fuzz_default_backend) == 0) {
            *program = each;
            return STATUS_OK;
        }
        if (backend == NULL) {
            *program = each;
        }
    }
    return count == 1 && *program != NULL
               ? STATUS_OK
               : fuzz_catalog_refuse(catalog, target, backend, bug, error);
}

enum status fuzz_catalog_path(const struct fuzz_program *program, enum fuzz_tree tree,
                              const char **path, struct error *error)
{
    static const char *const engines[FUZZ_TREES] = {"random", "libfuzzer", "libfuzzer-fast",
                                                    "afl",    "bare",      "coverage"};
    *path = program->paths[tree];
    return *path != NULL
               ? STATUS_OK
               : error_set(error, STATUS_NOT_FOUND,
                           "%s is not built for this engine: run `heapmill fuzz build %s`",
                           program->label, engines[tree]);
}

enum fuzz_tree fuzz_program_tree(const struct fuzz_program *program)
{
    for (size_t tree = 0; tree < FUZZ_TREE_BARE; tree++) {
        if (program->paths[tree] != NULL) {
            return (enum fuzz_tree)tree;
        }
    }
    return FUZZ_TREE_ORDINARY;
}

char *fuzz_catalog_mutator(const struct fuzz_catalog *catalog, const char *target)
{
    for (size_t i = 0; i < 2; i++) {
        char *path =
            text_format("%s/lib/libheapmill-fuzz-mutator-%s.so",
                        catalog->trees[i == 0 ? FUZZ_TREE_AFL : FUZZ_TREE_ORDINARY], target);
        if (access(path, R_OK) == 0) {
            return path;
        }
        free(path);
    }
    return NULL;
}

char *fuzz_catalog_seeds(const struct fuzz_catalog *catalog, const char *target)
{
    char *path = text_format("%s/fuzz/corpus/%s", catalog->source, target);
    if (fuzz_is_directory(path)) {
        return path;
    }
    free(path);
    return NULL;
}

bool fuzz_program_is_asked(const struct fuzz_program *program, enum fuzz_tree tree,
                           const struct text_list *targets, const char *backend)
{
    bool named = targets->count == 0;
    for (size_t i = 0; i < targets->count; i++) {
        named = named || strcmp(targets->items[i], program->target) == 0;
    }
    return named && program->bug[0] == '\0' && program->paths[tree] != NULL &&
           (backend == NULL || strcmp(backend, program->backend) == 0);
}
