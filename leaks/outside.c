/* Runs a leak worker under a detector from outside, and turns its report into an answer. */
#include "leaks/outside.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/scratch.h"
#include "common/host/text.h"
#include "leaks/reports.h"
#include "leaks/worker.h"

/* ---------------------------------------------------------------- what is built and installed */
static bool outside_is_pool(const char *backend)
{
    return strcmp(backend, "malloc") != 0;
}

/* The worker's variant for the detector; NULL: there is none for that back end. */
static const char *outside_variant(const struct leaks_detector *detector, const char *backend)
{
    if (detector == &leaks_outside_lsan) {
        return ".lsan-bare";
    }
    if (detector == &leaks_outside_lsan_annotated) {
        return outside_is_pool(backend) ? ".lsan-shadow" : ".lsan-roots";
    }
    if (detector == &leaks_outside_memcheck_annotated) {
        return outside_is_pool(backend) ? ".memcheck" : NULL;
    }
    return "";
}

/* The tool's path in PATH; NULL: it is not installed. The caller frees. */
static char *outside_tool_path(const char *tool)
{
    const char *search = getenv("PATH");
    struct text_list folders = {.count = 0};
    text_split(&folders, search == NULL ? "" : search, ':');
    char *path = NULL;
    for (size_t i = 0; i < folders.count && path == NULL; i++) {
        path = text_format("%s/%s", folders.items[i], tool);
        if (access(path, X_OK) != 0) {
            free(path);
            path = NULL;
        }
    }
    text_list_free(&folders);
    return path;
}

/* ---------------------------------------------------------------- the temporary directory */
static char *outside_read(const char *directory, const char *name)
{
    char *path = text_format("%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    if (file == NULL || getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = NULL;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(path);
    return text;
}

/* The name of the only file that begins with the prefix; NULL: there is none. The caller frees. */
static char *outside_find(const char *directory, const char *prefix)
{
    DIR *folder = opendir(directory);
    char *found = NULL;
    for (struct dirent *entry; folder != NULL && found == NULL;) {
        entry = readdir(folder);
        if (entry == NULL) {
            break;
        }
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            found = text_format("%s", entry->d_name);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return found;
}

/* ---------------------------------------------------------------- the answer */
/* The place where the program asked for the entry's blocks, as the truth names it: the outermost
 * frame in a kind's file. If there is none, the innermost function whose name is no allocator's.
 * The caller frees. */
static char *outside_site(const struct leaks_report_entry *entry)
{
    for (size_t i = entry->places.count; i-- > 0;) {
        const char *slash = strrchr(entry->places.items[i], '/');
        const char *name = slash == NULL ? entry->places.items[i] : slash + 1;
        if (strncmp(name, "kinds_", 6) == 0) {
            return text_format("leaks/planted/%s", name);
        }
    }
    const char *function = entry->functions.count == 0 ? "?" : entry->functions.items[0];
    for (size_t i = 0; i < entry->functions.count && strstr(function, "alloc") != NULL; i++) {
        function = entry->functions.items[i];
    }
    return text_format("in %s", function);
}

static json_t *outside_answer(const struct leaks_report *report)
{
    json_t *leaks = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct leaks_report_entry *entry = &report->entries[i];
        if (!entry->possible && entry->blocks > 0) {
            char *site = outside_site(entry);
            (void)json_array_append_new(leaks,
                                        json_pack("{s:s, s:s, s:I, s:I, s:s}", "site", site, "type",
                                                  entry->indirect ? "indirect" : "direct", "count",
                                                  (json_int_t)entry->blocks, "bytes",
                                                  (json_int_t)entry->bytes, "chain", ""));
            free(site);
        }
    }
    return json_pack("{s:o}", "leaks", leaks);
}

/* Replaces the answer, and sets how many blocks it had to name. */
static void outside_enter(json_t *record, const struct leaks_report *report)
{
    const json_t *truth = json_object_get(record, "truth");
    double leaked = json_number_value(json_object_get(truth, "objects")) +
                    json_number_value(json_object_get(truth, "blocks"));
    (void)json_object_set_new(record, "answer", outside_answer(report));
    (void)json_object_set_new(record, "needed",
                              json_integer((json_int_t)ceil(LEAKS_OUTSIDE_SHARE * leaked)));
}

/* text is NULL for an empty report, which only LeakSanitizer may write. */
static enum status outside_judge(enum leaks_report_format format, const char *text, json_t *record,
                                 struct error *error)
{
    struct leaks_report report;
    enum status status = leaks_report_parse(format, text == NULL ? "" : text, &report, error);
    if (status == STATUS_OK) {
        outside_enter(record, &report);
        leaks_report_free(&report);
    }
    return status;
}

/* ---------------------------------------------------------------- the runs */
static enum status outside_run_lsan(const struct leaks_worker *worker, const char *directory,
                                    json_t **record, struct error *error)
{
    struct leaks_worker sanitized = *worker;
    /* The exit status stays the worker's own. The report goes to a file, which exists only if there
     * is a report. */
    char *options = text_format("ASAN_OPTIONS=detect_leaks=1:exitcode=0:log_path=%s/lsan:"
                                "fast_unwind_on_malloc=0",
                                directory);
    sanitized.sanitizer_options = options;
    enum status status = leaks_worker_start(&sanitized, record, error);
    free(options);
    if (status == STATUS_OK) {
        char *name = outside_find(directory, "lsan");
        char *text = name == NULL ? NULL : outside_read(directory, name);
        status = outside_judge(LEAKS_REPORT_LSAN, text, *record, error);
        free(text);
        free(name);
    }
    return status;
}

static enum status outside_run_memcheck(const struct leaks_worker *worker, const char *directory,
                                        const char *tool, json_t **record, struct error *error)
{
    char *file = text_format("--xml-file=%s/memcheck", directory);
    const char *const wrapper[] = {tool, "-q", "--leak-check=full", "--xml=yes", file, NULL};
    struct leaks_worker wrapped = *worker;
    wrapped.wrapper = wrapper;
    enum status status = leaks_worker_start(&wrapped, record, error);
    free(file);
    if (status == STATUS_OK) {
        char *text = outside_read(directory, "memcheck");
        status = outside_judge(LEAKS_REPORT_MEMCHECK, text, *record, error);
        free(text);
    }
    return status;
}

static enum status outside_print_heaptrack(const char *directory, json_t *record,
                                           struct error *error)
{
    char *tool = outside_tool_path("heaptrack_print");
    char *name = outside_find(directory, "track");
    if (tool == NULL || name == NULL) {
        free(tool);
        free(name);
        return error_set(error, STATUS_IO,
                         "heaptrack left no record in %s, or heaptrack_print is "
                         "not installed: apt-get install heaptrack",
                         directory);
    }
    char *file = text_format("%s/%s", directory, name);
    /* -m 0 keeps inlined frames apart from their callers. */
    const char *const print[] = {tool, "-m", "0",  "-l",     "1",  "-a",     "0",  "-p", "0",
                                 "-T", "0",  "-n", "100000", "-s", "100000", file, NULL};
    char *text = NULL;
    enum status status = leaks_worker_read_tool(print, record, &text, error);
    if (status == STATUS_OK) {
        status = outside_judge(LEAKS_REPORT_HEAPTRACK, text, record, error);
    }
    free(text);
    free(file);
    free(tool);
    free(name);
    return status;
}

static enum status outside_run_heaptrack(const struct leaks_worker *worker, const char *directory,
                                         const char *tool, json_t **record, struct error *error)
{
    char *track = text_format("%s/track", directory);
    const char *const wrapper[] = {tool, "-o", track, NULL};
    struct leaks_worker wrapped = *worker;
    wrapped.wrapper = wrapper;
    enum status status = leaks_worker_start(&wrapped, record, error);
    free(track);
    return status == STATUS_OK ? outside_print_heaptrack(directory, *record, error) : status;
}

static enum status outside_run_tool(const struct leaks_worker *worker, const char *directory,
                                    const char *name, json_t **record, struct error *error)
{
    char *tool = outside_tool_path(name);
    if (tool == NULL) {
        return error_set(error, STATUS_UNSUPPORTED, "%s is absent: apt-get install %s", name, name);
    }
    enum status status = strcmp(name, "valgrind") == 0
                             ? outside_run_memcheck(worker, directory, tool, record, error)
                             : outside_run_heaptrack(worker, directory, tool, record, error);
    free(tool);
    return status;
}

static enum status outside_run(const struct leaks_detector *detector, const char *programs,
                               const struct leaks_case *each, json_t **record, struct error *error)
{
    *record = NULL;
    struct scratch scratch;
    enum status status = scratch_open(&scratch, NULL, "outside", error);
    if (status != STATUS_OK) {
        return status;
    }
    char *program =
        text_format("heapmill-leak-%s%s", each->backend, outside_variant(detector, each->backend));
    struct leaks_worker worker = {
        .programs = programs, .program = program, .each = each, .detector = "none"};
    const char *tool = strcmp(detector->name, "memcheck") == 0 ? "valgrind" : "heaptrack";
    status = strcmp(detector->name, "lsan") == 0
                 ? outside_run_lsan(&worker, scratch.path, record, error)
                 : outside_run_tool(&worker, scratch.path, tool, record, error);
    if (status != STATUS_OK) {
        json_decref(*record);
        *record = NULL;
    }
    free(program);
    scratch_close(&scratch);
    return status;
}

/* ---------------------------------------------------------------- what detectors can see */
static bool outside_runs_on(const struct leaks_detector *detector, const char *backend)
{
    return strcmp(backend, "pymalloc-256") != 0 &&
           (detector != &leaks_outside_heaptrack || !outside_is_pool(backend)) &&
           outside_variant(detector, backend) != NULL;
}

/* Can a detector see leaks of this kind? The object layer's own tables decide. Its intern table
 * points at every name. The collector's table of containers (gc/registry.c) points at every
 * container, and is mapped memory: memcheck scans it as a root; LeakSanitizer scans only mappings
 * that it is told of, and it is not told of this one. */
static bool outside_sees_kind(const char *kind, bool sees_containers, const char **reason)
{
    static const char *const raw[] = {"lost_block", "thread_exit", "live_pool"};
    bool is_raw = false;
    for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++) {
        is_raw |= strcmp(kind, raw[i]) == 0;
    }
    if (strcmp(kind, "interned_string") == 0) {
        *reason = "the intern table points at every name";
        return false;
    }
    if (strcmp(kind, "growing_cache") == 0) {
        *reason = "the cache is reachable from the program's globals";
        return false;
    }
    *reason = is_raw || sees_containers
                  ? ""
                  : "the collector's table points at every container, and is scanned as a root";
    return is_raw || sees_containers;
}

static bool outside_applicable_lsan(const char *kind, const char *backend, const char **reason)
{
    (void)backend;
    return outside_sees_kind(kind, true, reason);
}

static bool outside_applicable_memcheck(const char *kind, const char *backend, const char **reason)
{
    (void)backend;
    return outside_sees_kind(kind, false, reason);
}

static bool outside_is_malloc(const char *backend, const char **reason)
{
    *reason = "a pool's blocks are none of malloc's";
    return !outside_is_pool(backend);
}

static bool outside_applicable_lsan_bare(const char *kind, const char *backend, const char **reason)
{
    return outside_sees_kind(kind, true, reason) && outside_is_malloc(backend, reason);
}

static bool outside_applicable_memcheck_bare(const char *kind, const char *backend,
                                             const char **reason)
{
    return outside_sees_kind(kind, false, reason) && outside_is_malloc(backend, reason);
}

static bool outside_applicable_heaptrack(const char *kind, const char *backend, const char **reason)
{
    (void)kind;
    return outside_is_malloc(backend, reason);
}

const struct leaks_detector leaks_outside_lsan = {
    .name = "lsan",
    .annotated = false,
    .outside = true,
    .runs_on = outside_runs_on,
    .applicable = outside_applicable_lsan_bare,
    .run = outside_run,
};
const struct leaks_detector leaks_outside_lsan_annotated = {
    .name = "lsan",
    .annotated = true,
    .outside = true,
    .runs_on = outside_runs_on,
    .applicable = outside_applicable_lsan,
    .run = outside_run,
};
const struct leaks_detector leaks_outside_memcheck = {
    .name = "memcheck",
    .annotated = false,
    .outside = true,
    .runs_on = outside_runs_on,
    .applicable = outside_applicable_memcheck_bare,
    .run = outside_run,
};
const struct leaks_detector leaks_outside_memcheck_annotated = {
    .name = "memcheck",
    .annotated = true,
    .outside = true,
    .runs_on = outside_runs_on,
    .applicable = outside_applicable_memcheck,
    .run = outside_run,
};
const struct leaks_detector leaks_outside_heaptrack = {
    .name = "heaptrack",
    .annotated = false,
    .outside = true,
    .runs_on = outside_runs_on,
    .applicable = outside_applicable_heaptrack,
    .run = outside_run,
};
