#include "run/heap_map.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/registry.h"
#include "run/selection.h"
#include "run/worker.h"

static const double MAP_TIMEOUT_S = 300;
/* Each frame should show something that happened since the frame before it. */
enum { MAP_OPERATIONS_PER_FRAME = 100, MAP_SHORT_ITERATION = 100 };

struct map_job {
    const struct heap_map_request *request;
    struct registry registry;
    struct catalog catalog;
    struct selection selection;
    char *probe; /* the back end's own probe: a preloaded one would map the harness's memory too */
    struct worker worker;
};

/* Does the back end's probe say that its heap can be walked? */
static bool map_can_walk(const struct registry *registry, const char *probe, const json_t *env)
{
    struct worker worker = {.registry = registry, .program = probe, .preload = "", .env = env};
    json_t *description = NULL;
    bool can = false;
    size_t index;
    json_t *word;
    if (worker_describe(&worker, &description, NULL, NULL) == STATUS_OK) {
        json_array_foreach(json_object_get(description, "capabilities"), index, word)
        {
            can = can || strcmp(json_string_value(word), "walk") == 0;
        }
        json_decref(description);
    }
    return can;
}

static enum status map_refuse_backend(const struct map_job *job, struct error *error)
{
    struct text_list names = {0};
    for (size_t i = 0; i < job->registry.count; i++) {
        const struct backend *backend = job->registry.backends[i];
        char *probe = text_format("heapmill-probe-%s", backend->name);
        if (backend->kind == BACKEND_OURS && map_can_walk(&job->registry, probe, NULL)) {
            text_list_add(&names, text_format("%s", backend->name));
        }
        free(probe);
    }
    char *known = text_join(&names, ", ");
    enum status status = error_set(
        error, STATUS_INVALID, "%s cannot be walked, so there is no map of it; these can: %s",
        job->selection.choices[0].backend->name, names.count > 0 ? known : "none that is built");
    free(known);
    text_list_free(&names);
    return status;
}

static enum status map_open(struct map_job *job, struct error *error)
{
    const struct heap_map_request *request = job->request;
    struct selection *selection = &job->selection;
    enum status status = registry_open(&job->registry, error);
    if (status == STATUS_OK) {
        status = selection_add_backends(selection, &job->registry, request->backend, NULL, error);
    }
    if (status == STATUS_OK && selection->choice_count != 1) {
        status = error_set(error, STATUS_INVALID, "-b %s names %zu back ends; a map is of one",
                           request->backend, selection->choice_count);
    }
    if (status == STATUS_OK && strstr(request->backend, ":preload") != NULL) {
        status = error_set(error, STATUS_INVALID,
                           "a preloaded heap holds the harness's memory too and cannot be walked: "
                           "leave the arm out, or name inline");
    }
    if (status == STATUS_OK) {
        status = catalog_open(&job->catalog, &job->registry, error);
        status = status == STATUS_NOT_FOUND ? STATUS_UNSUPPORTED : status;
    }
    if (status == STATUS_OK) {
        status = selection_add_workloads(selection, &job->catalog, request->workload,
                                         &request->parameters, error);
    }
    if (status == STATUS_OK && selection->point_count != 1) {
        status =
            error_set(error, STATUS_INVALID, "-w %s with -p makes %zu workloads; a map is of one",
                      request->workload, selection->point_count);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const struct selection_choice *choice = &selection->choices[0];
    job->probe = text_format("heapmill-probe-%s", choice->backend->name);
    job->worker = (struct worker){.registry = &job->registry,
                                  .program = job->probe,
                                  .preload = "",
                                  .collector = choice->collector,
                                  .env = choice->env};
    bool can = choice->backend->kind == BACKEND_OURS &&
               map_can_walk(&job->registry, job->probe, choice->env);
    return can ? STATUS_OK : map_refuse_backend(job, error);
}

/* Runs the probe. moments says when to map and path where to; both are NULL for a run without maps.
 * *record is a new reference. */
static enum status map_run_cell(const struct map_job *job, uint64_t iterations, const char *moments,
                                const char *path, json_t **record, struct error *error)
{
    const struct selection_point *point = &job->selection.points[0];
    const char *const extra[] = {"--map-at", moments, "--map-file", path, NULL};
    struct worker_cell cell = {
        .workload = point->workload->name,
        .params = point->params,
        .threads = point->threads,
        .iterations = iterations,
        .seed = job->request->seed,
        .pass = RECORD_MEMORY,
        .timeout_s = MAP_TIMEOUT_S,
        .extra = moments != NULL ? extra : NULL,
    };
    struct process_result result;
    enum status status = worker_run_cell(&job->worker, &cell, &result, NULL, error);
    if (status != STATUS_OK) {
        return status;
    }
    *record = json_loadb(result.output, result.output_bytes, JSON_DISABLE_EOF_CHECK, NULL);
    const char *word = json_string_value(json_object_get(*record, "status"));
    if (result.interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else if (word == NULL || strcmp(word, "ok") != 0 || result.exit_code != 0) {
        const char *reason = json_string_value(json_object_get(*record, "reason"));
        char *how = worker_explain(&result, MAP_TIMEOUT_S);
        status = error_set(error, STATUS_CORRUPT, "%s with %s: %s", point->workload->name,
                           job->probe, reason != NULL && *reason != '\0' ? reason : how);
        free(how);
    }
    process_result_free(&result);
    return status;
}

/* The number of operations that a run makes: that of the last sample of its memory series. */
static uint64_t map_count_operations(const json_t *record)
{
    const json_t *series =
        json_object_get(json_object_get(json_object_get(record, "memory"), "series"), "operations");
    size_t count = json_array_size(series);
    return count > 0 ? (uint64_t)json_integer_value(json_array_get(series, count - 1)) : 0;
}

static int map_compare_moments(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Reads "1000" or "50%" of total. */
static enum status map_read_moment(const char *text, uint64_t total, uint64_t *moment,
                                   struct error *error)
{
    char *number = text_format("%s", text);
    size_t length = strlen(number);
    bool part = length > 0 && number[length - 1] == '%';
    double value = 0;
    if (part) {
        number[length - 1] = '\0';
    }
    bool good = text_to_double(number, &value) && value >= 0 && (!part || value <= 100);
    value = part ? value / 100 * (double)total : value;
    free(number);
    if (!good || value != value) {
        return error_set(error, STATUS_INVALID,
                         "--at: '%s' is neither a number of operations nor a part of the run as "
                         "50%%",
                         text);
    }
    if (value > (double)total) {
        return error_set(error, STATUS_INVALID,
                         "--at: the run ends after %" PRIu64 " operations, before %s; more "
                         "--iterations make it longer",
                         total, text);
    }
    *moment = (uint64_t)value;
    return STATUS_OK;
}

/* The moments in ascending order, each once, as --map-at takes them; the caller frees. */
static enum status map_moments(const struct heap_map_request *request, uint64_t total,
                               char **moments, struct error *error)
{
    struct text_list words = {0};
    struct text_list numbers = {0};
    uint64_t values[HEAP_MAP_FRAMES_MAX];
    size_t count = 0;
    enum status status = STATUS_OK;
    if (request->moments != NULL) {
        text_split(&words, request->moments, ',');
    }
    for (uint64_t i = 1; request->moments == NULL && i <= request->frames; i++) {
        text_list_add(&words, text_format("%.15g%%", 100 * (double)i / (double)request->frames));
    }
    if (words.count > HEAP_MAP_FRAMES_MAX) {
        status = error_set(error, STATUS_INVALID, "--at: at most %d moments", HEAP_MAP_FRAMES_MAX);
    }
    for (size_t i = 0; i < words.count && status == STATUS_OK; i++) {
        status = map_read_moment(words.items[i], total, &values[count++], error);
    }
    if (status == STATUS_OK) {
        qsort(values, count, sizeof(values[0]), map_compare_moments);
        for (size_t i = 0; i < count; i++) {
            if (i == 0 || values[i] != values[i - 1]) {
                text_list_add(&numbers, text_format("%" PRIu64, values[i]));
            }
        }
        *moments = text_join(&numbers, ",");
    }
    text_list_free(&words);
    text_list_free(&numbers);
    return status;
}

/* If an iteration is a single operation, all frames would look alike: such workloads get more. */
static uint64_t map_choose_iterations(const struct map_job *job, const json_t *record)
{
    const json_t *operations = json_object_get(record, "operations");
    uint64_t one = (uint64_t)json_integer_value(operations);
    bool single = job->selection.points[0].workload->single_shot;
    if (job->request->iterations > 0 || single || one >= MAP_SHORT_ITERATION) {
        return job->request->iterations > 0 ? job->request->iterations : 1;
    }
    /* A workload in a steady state looks different only after as many operations as it has
     * blocks. */
    double live = json_number_value(json_object_get(job->selection.points[0].params, "live"));
    double wanted = fmax((double)MAP_OPERATIONS_PER_FRAME * (double)job->request->frames, 2 * live);
    return (uint64_t)(wanted / (double)(one > 0 ? one : 1)) + 1;
}

static enum status map_take(const struct map_job *job, const char *path, struct error *error)
{
    json_t *record = NULL;
    char *moments = NULL;
    uint64_t iterations = job->request->iterations > 0 ? job->request->iterations : 1;
    enum status status = map_run_cell(job, iterations, NULL, NULL, &record, error);
    uint64_t wanted = status == STATUS_OK ? map_choose_iterations(job, record) : iterations;
    if (wanted != iterations) {
        json_decref(record);
        record = NULL;
        iterations = wanted;
        status = map_run_cell(job, iterations, NULL, NULL, &record, error);
    }
    if (status == STATUS_OK) {
        status = map_moments(job->request, map_count_operations(record), &moments, error);
    }
    json_decref(record);
    record = NULL;
    if (status == STATUS_OK) {
        status = map_run_cell(job, iterations, moments, path, &record, error);
    }
    json_decref(record);
    free(moments);
    return status;
}

enum status heap_map_take(const struct heap_map_request *request, struct heap_map *map,
                          struct error *error)
{
    struct map_job job = {.request = request};
    *map = (struct heap_map){.path = NULL};
    enum status status = scratch_open(&map->scratch, NULL, "map", error);
    if (status == STATUS_OK) {
        map->path = text_format("%s/map", map->scratch.path);
        status = map_open(&job, error);
    }
    if (status == STATUS_OK) {
        status = map_take(&job, map->path, error);
    }
    if (status == STATUS_OK) {
        map->backend = text_format("%s", job.selection.choices[0].backend->name);
        map->workload = text_format("%s", job.selection.points[0].workload->name);
        map->parameters = selection_parameters_text(&job.selection.points[0], ", ");
    }
    free(job.probe);
    selection_free(&job.selection);
    catalog_close(&job.catalog);
    registry_close(&job.registry);
    return status;
}

void heap_map_release(struct heap_map *map)
{
    scratch_close(&map->scratch);
    free(map->path);
    free(map->backend);
    free(map->workload);
    free(map->parameters);
    *map = (struct heap_map){.scratch = {.fd = -1}};
}
