#include "run/against.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/process.h"

enum { AGAINST_COMMIT_LENGTH = 12 };

/* A revision that is built: where this build and its source are, and where the revision's are. */
struct revision {
    char *build;  /* of this heapmill */
    char *source; /* of this heapmill */
    char *cache;  /* the text of this build's CMakeCache.txt */
    char *commit; /* in full */
    char *home;   /* BUILD/against/COMMIT */
    char *log;
    int lock_fd;
};

static void revision_free(struct revision *revision)
{
    free(revision->build);
    free(revision->source);
    free(revision->cache);
    free(revision->commit);
    free(revision->home);
    free(revision->log);
    if (revision->lock_fd >= 0) {
        (void)close(revision->lock_fd);
    }
}

/* Returns the value of "NAME:TYPE=VALUE" in the cache, which the caller frees, or NULL if there is
 * none. */
static char *revision_cached(const struct revision *revision, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = revision->cache; line != NULL; line = strchr(line, '\n')) {
        line += line[0] == '\n';
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            const char *value = line + strcspn(line, "=\n");
            value += value[0] == '=';
            return text_format("%.*s", (int)strcspn(value, "\n"), value);
        }
    }
    return NULL;
}

/* Runs a tool. If log is true, its output goes to the revision's log, which an error's message
 * names. Otherwise *output, unless it is NULL, gets the tool's standard output. Frees the words. */
static enum status revision_run(const struct revision *revision, struct text_list *words, bool log,
                                char **output, struct error *error)
{
    struct process_result result = {.output = NULL};
    const struct process_request request = {.arguments = process_vector(words),
                                            .stdio = log ? PROCESS_LOG : PROCESS_CAPTURE,
                                            .log = revision->log,
                                            .whole_tree = log};
    enum status status = process_run(&request, &result, error);
    if (status == STATUS_NOT_FOUND) {
        status = error_set(error, STATUS_UNSUPPORTED, "--against a revision needs %s: install it",
                           words->items[0]);
    } else if (status == STATUS_OK && result.interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else if (status == STATUS_OK && (result.exit_code != 0 || result.signal != 0)) {
        status = error_set(error, STATUS_UNSUPPORTED, "%s failed: %.600s", words->items[0],
                           log ? revision->log : result.stderr_tail);
    }
    if (status == STATUS_OK && output != NULL) {
        *output = text_format("%s", result.output);
    }
    process_result_free(&result);
    text_list_free(words);
    return status;
}

static void words_add(struct text_list *words, const char *const *items)
{
    for (size_t i = 0; items[i] != NULL; i++) {
        text_list_add(words, text_format("%s", items[i]));
    }
}

/* Finds where this heapmill was built, and from which source. */
static enum status revision_find_source(struct revision *revision, const struct registry *registry,
                                        struct error *error)
{
    size_t size = 0;
    struct error reason;
    revision->build = text_format("%s", registry->program_directory);
    if (strrchr(revision->build, '/') != NULL) {
        *strrchr(revision->build, '/') = '\0';
    }
    char *path = text_format("%s/CMakeCache.txt", revision->build);
    if (file_read(path, &revision->cache, &size, &reason) == STATUS_OK) {
        revision->source = revision_cached(revision, "CMAKE_HOME_DIRECTORY");
    }
    free(path);
    return revision->source != NULL
               ? STATUS_OK
               : error_set(
                     error, STATUS_UNSUPPORTED,
                     "this heapmill was installed, and --against REF builds a revision of its "
                     "source: run bin/heapmill of a build tree, or name a library, as "
                     "./libold.so");
}

static enum status revision_find_commit(struct revision *revision, const char *name,
                                        struct error *error)
{
    struct text_list words = {0};
    char *commit = text_format("%s^{commit}", name);
    words_add(&words, (const char *const[]){"git", "-C", revision->source, "rev-parse", "--verify",
                                            "--quiet", "--end-of-options", commit, NULL});
    free(commit);
    enum status status = revision_run(revision, &words, false, &revision->commit, error);
    if (status == STATUS_UNSUPPORTED && strstr(error->message, "git failed") != NULL) {
        status =
            error_set(error, STATUS_INVALID,
                      "--against %s: there is no such git revision in %s, and a library's path "
                      "ends with .so",
                      name, revision->source);
    }
    if (status == STATUS_OK) {
        revision->commit[strcspn(revision->commit, "\n")] = '\0';
        revision->home = text_format("%s/against/%.*s", revision->build, AGAINST_COMMIT_LENGTH,
                                     revision->commit);
        revision->log = text_format("%s/log", revision->home);
    }
    return status;
}

/* Puts the revision's files into HOME/source. After a failure the directory is not there. */
static enum status revision_export(const struct revision *revision, struct error *error)
{
    char *source = text_format("%s/source", revision->home);
    char *unfinished = text_format("%s/source.new", revision->home);
    char *archive = text_format("%s/source.tar", revision->home);
    enum status status = STATUS_OK;
    if (access(source, F_OK) != 0) {
        struct text_list words = {0};
        words_add(&words,
                  (const char *const[]){"git", "-C", revision->source, "archive", "--format=tar",
                                        "-o", archive, revision->commit, NULL});
        status = revision_run(revision, &words, false, NULL, error);
        if (status == STATUS_OK) {
            status = file_make_directory(unfinished, error);
        }
        if (status == STATUS_OK) {
            words_add(&words, (const char *const[]){"tar", "-xf", archive, "-C", unfinished, NULL});
            status = revision_run(revision, &words, false, NULL, error);
        }
        (void)unlink(archive);
        if (status == STATUS_OK && rename(unfinished, source) != 0) {
            status = error_set(error, STATUS_IO, "%s: %m", source);
        }
    }
    free(source);
    free(unfinished);
    free(archive);
    return status;
}

/* Tells whether the variable decides what the compiler makes, so that the revision's build takes it
 * over. */
static bool revision_takes_over(const char *line, size_t name, const char *type)
{
    static const char *const prefixes[] = {
        "HEAPMILL_",          "CMAKE_BUILD_TYPE",       "CMAKE_C_COMPILER",
        "CMAKE_CXX_COMPILER", "CMAKE_C_FLAGS",          "CMAKE_CXX_FLAGS",
        "CMAKE_LINKER",       "CMAKE_EXE_LINKER_FLAGS", "CMAKE_SHARED_LINKER_FLAGS",
        "CMAKE_PREFIX_PATH"};
    bool found = false;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        size_t length = strlen(prefixes[i]);
        found = found || (name >= length && strncmp(line, prefixes[i], length) == 0);
    }
    /* CMake finds these out anew. */
    return found && strncmp(type, "INTERNAL", strlen("INTERNAL")) != 0 &&
           strncmp(type, "STATIC", strlen("STATIC")) != 0;
}

/* Adds "-DNAME:TYPE=VALUE" for each setting that the revision's build takes over from this
 * build. */
static void revision_add_settings(const struct revision *revision, struct text_list *words)
{
    for (const char *line = revision->cache; line != NULL; line = strchr(line, '\n')) {
        line += line[0] == '\n';
        size_t length = strcspn(line, "\n");
        size_t name = strcspn(line, ":=\n");
        if (line[name] == ':' && revision_takes_over(line, name, line + name + 1)) {
            text_list_add(words, text_format("-D%.*s", (int)length, line));
        }
    }
}

static enum status revision_configure(const struct revision *revision, struct error *error)
{
    char *done = text_format("%s/configured", revision->home);
    enum status status = STATUS_OK;
    if (access(done, F_OK) != 0) {
        struct text_list words = {0};
        char *generator = revision_cached(revision, "CMAKE_GENERATOR");
        text_list_add(&words, text_format("cmake"));
        text_list_add(&words, text_format("-S%s/source", revision->home));
        text_list_add(&words, text_format("-B%s/build", revision->home));
        text_list_add(&words, text_format("-G%s", generator != NULL ? generator : "Ninja"));
        free(generator);
        revision_add_settings(revision, &words);
        status = revision_run(revision, &words, true, NULL, error);
        if (status == STATUS_OK) {
            status = file_write(done, "", 0, error);
        }
    }
    free(done);
    return status;
}

/* Tells whether the list that `--target help` prints has the target. Ninja prints "NAME: phony",
 * make "... NAME". */
static bool revision_has_target(const char *known, const char *target)
{
    size_t length = strlen(target);
    for (const char *at = strstr(known, target); at != NULL; at = strstr(at + 1, target)) {
        bool begins = at == known || at[-1] == '\n' || at[-1] == ' ';
        if (begins && (at[length] == ':' || at[length] == '\n' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Builds those of the targets that the revision knows. */
static enum status revision_make(const struct revision *revision, const struct text_list *targets,
                                 struct error *error)
{
    struct text_list words = {0};
    char *known = NULL;
    char *build = text_format("%s/build", revision->home);
    words_add(&words, (const char *const[]){"cmake", "--build", build, "--target", "help", NULL});
    enum status status = revision_run(revision, &words, false, &known, error);
    if (status == STATUS_OK) {
        words_add(&words, (const char *const[]){"cmake", "--build", build, "--target", NULL});
        size_t before = words.count;
        for (size_t i = 0; i < targets->count; i++) {
            if (revision_has_target(known, targets->items[i])) {
                text_list_add(&words, text_format("%s", targets->items[i]));
            }
        }
        if (words.count > before) {
            status = revision_run(revision, &words, true, NULL, error);
        }
    }
    text_list_free(&words);
    free(known);
    free(build);
    return status;
}

static enum status revision_build(struct revision *revision, const struct text_list *targets,
                                  struct error *error)
{
    enum status status = file_make_directory(revision->home, error);
    if (status == STATUS_OK) {
        status = file_lock_directory(revision->home, &revision->lock_fd, error);
    }
    if (status == STATUS_OK) {
        (void)fprintf(stderr, "heapmill: building %.*s in %s\n", AGAINST_COMMIT_LENGTH,
                      revision->commit, revision->home);
        (void)unlink(revision->log);
        status = revision_export(revision, error);
    }
    if (status == STATUS_OK) {
        status = revision_configure(revision, error);
    }
    return status == STATUS_OK ? revision_make(revision, targets, error) : status;
}

/* Adds the target that makes one of our programs or libraries: "libNAME.so" is made by NAME. */
static void targets_add(struct text_list *targets, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash != NULL ? slash + 1 : file;
    bool library = strncmp(name, "libheapmill-", strlen("libheapmill-")) == 0;
    size_t length = strlen(name) - (library ? strlen("lib.so") : 0);
    if (name[0] != '\0' && (library || strncmp(name, "heapmill-", strlen("heapmill-")) == 0)) {
        text_list_add(targets, text_format("%.*s", (int)length, name + (library ? 3 : 0)));
    }
}

/* Removes the choices that can have no counterpart. */
static void against_drop_others(struct selection *selection, enum backend_kind kind)
{
    for (size_t i = selection->choice_count; i-- > 0;) {
        const struct backend *backend = selection->choices[i].backend;
        if (backend->kind != kind) {
            (void)fprintf(stderr, "heapmill: left out: %s: %s\n", backend->name,
                          kind == BACKEND_OURS ? "a revision of heapmill does not change it"
                                               : "--against LIBRARY is for libraries");
            selection_drop(selection, i);
        }
    }
}

/* Adds a counterpart for each choice, from the library or from the build in home. */
static enum status against_add_counterparts(struct selection *selection, struct registry *registry,
                                            const char *home, const char *library,
                                            struct error *error)
{
    size_t count = selection->choice_count;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct backend *before = NULL;
        status = registry_add_before(registry, selection->choices[i].backend, home, library,
                                     &before, error);
        if (status == STATUS_OK) {
            selection_add_counterpart(selection, i, before);
        }
    }
    return status;
}

static enum status against_add_library(struct selection *selection, struct registry *registry,
                                       const char *library, struct error *error)
{
    against_drop_others(selection, BACKEND_LIBRARY);
    if (selection->choice_count == 0) {
        return error_set(error, STATUS_INVALID,
                         "--against %s compares libraries with an earlier build: name a library "
                         "with -b, as in -b ./libnew.so",
                         library);
    }
    return against_add_counterparts(selection, registry, NULL, library, error);
}

static enum status against_add_revision(struct selection *selection, struct registry *registry,
                                        const char *name, bool probes, char **commit,
                                        struct error *error)
{
    struct revision revision = {.lock_fd = -1};
    struct text_list targets = {0};
    against_drop_others(selection, BACKEND_OURS);
    size_t count = selection->choice_count;
    if (count == 0) {
        return error_set(error, STATUS_INVALID,
                         "--against %s compares back ends of this tree, and -b names none", name);
    }
    enum status status = revision_find_source(&revision, registry, error);
    if (status == STATUS_OK) {
        status = revision_find_commit(&revision, name, error);
    }
    for (size_t i = 0; i < count; i++) {
        struct launch launch;
        registry_launch(selection->choices[i].backend, selection->choices[i].arm, &launch);
        targets_add(&targets, launch.program);
        targets_add(&targets, launch.preload);
        targets_add(&targets, probes ? launch.probe : "");
        launch_free(&launch);
    }
    if (status == STATUS_OK) {
        status = revision_build(&revision, &targets, error);
    }
    if (status == STATUS_OK) {
        char *home = text_format("%s/build", revision.home);
        status = against_add_counterparts(selection, registry, home, NULL, error);
        *commit = text_format("%s", revision.commit);
        free(home);
    }
    text_list_free(&targets);
    revision_free(&revision);
    return status;
}

static bool against_is_library(const char *against)
{
    const char *so = strstr(against, ".so");
    return so != NULL && (so[3] == '\0' || so[3] == '.');
}

enum status against_add(struct selection *selection, struct registry *registry, const char *against,
                        bool probes, json_t **about, struct error *error)
{
    char *commit = NULL;
    enum status status =
        against_is_library(against)
            ? against_add_library(selection, registry, against, error)
            : against_add_revision(selection, registry, against, probes, &commit, error);
    if (status == STATUS_OK) {
        *about = json_pack("{ss}", "name", against);
    }
    if (commit != NULL) {
        (void)json_object_set_new(*about, "commit", json_string(commit));
    }
    free(commit);
    return status;
}
