/* Runs the matrix of `heapmill leaks`: cases drawn by seed, one process and one line each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "common/host/journal.h"
#include "common/host/process.h"
#include "common/rng.h"
#include "leaks/detectors.h"
#include "leaks/leaks.h"

static const char *const leaks_backends[] = {"malloc", "pymalloc-3.10", "pymalloc-256",
                                             "freelist-2.7"};

struct leaks_job {
    const struct leaks_options *options;
    json_t *records;
    json_t *done; /* keys of the existing records */
    struct journal journal;
    struct text_list said; /* reasons for skipping that were already printed */
    uint64_t skipped;
};

static bool leaks_wanted(const struct text_list *list, const char *name)
{
    bool wanted = list->count == 0;
    for (size_t i = 0; i < list->count; i++) {
        wanted |= strcmp(list->items[i], name) == 0;
    }
    return wanted;
}

static char *leaks_key(const char *detector, bool annotated, const struct leaks_case *each)
{
    return text_format("%s|%d|%s|%s|%d|%" PRIu64, detector, annotated, each->kind, each->backend,
                       each->clean, each->seed);
}

static void leaks_remember(struct leaks_job *job, json_t *record)
{
    struct leaks_case each = {.kind = json_string_value(json_object_get(record, "kind")),
                              .backend = json_string_value(json_object_get(record, "backend")),
                              .seed = (uint64_t)json_integer_value(json_object_get(record, "seed")),
                              .clean = json_is_true(json_object_get(record, "clean"))};
    const char *detector = json_string_value(json_object_get(record, "detector"));
    if (each.kind == NULL || each.backend == NULL || detector == NULL) {
        json_decref(record);
        return;
    }
    char *key = leaks_key(detector, json_is_true(json_object_get(record, "annotated")), &each);
    (void)json_object_set_new(job->done, key, json_true());
    (void)json_array_append_new(job->records, record);
    free(key);
}

static const struct journal_kind leaks_journal = {
    .lines = "records.jsonl",
    .if_line_damaged = "delete that line: its case is then run again",
};

enum status leaks_read(const char *directory, json_t **records, struct error *error)
{
    *records = json_array();
    enum status status =
        journal_read(&leaks_journal, directory, journal_keep_line, *records, NULL, NULL, error);
    if (status != STATUS_OK) {
        json_decref(*records);
        *records = NULL;
    }
    return status;
}

static enum status leaks_take(void *job, const struct journal_line *line, struct error *error)
{
    (void)error;
    leaks_remember(job, json_incref(line->json));
    return STATUS_OK;
}

/* Opens the records. A directory with an earlier run is continued. */
static enum status leaks_open_records(struct leaks_job *job, struct error *error)
{
    enum status status = file_make_directory(job->options->output, error);
    if (status == STATUS_OK) {
        status = journal_resume(&job->journal, &leaks_journal, job->options->output, NULL,
                                leaks_take, job, error);
    }
    return status == STATUS_OK ? journal_repair(&job->journal, job->journal.size, error) : status;
}

static void leaks_skip(struct leaks_job *job, const char *message)
{
    job->skipped++;
    for (size_t i = 0; i < job->said.count; i++) {
        if (strcmp(job->said.items[i], message) == 0) {
            return;
        }
    }
    text_list_add(&job->said, text_format("%s", message));
    (void)fprintf(stderr, "heapmill leaks: skipped: %s\n", message);
}

static enum status leaks_run_one(struct leaks_job *job, const struct leaks_detector *detector,
                                 const struct leaks_case *each, struct error *error)
{
    char *key = leaks_key(detector->name, detector->annotated, each);
    bool done = json_object_get(job->done, key) != NULL;
    free(key);
    if (done) {
        return STATUS_OK;
    }
    json_t *record = NULL;
    enum status status = detector->run(detector, job->options->programs, each, &record, error);
    if (status != STATUS_OK) {
        if (status == STATUS_INTERRUPTED) {
            return status;
        }
        leaks_skip(job, error->message);
        return STATUS_OK;
    }
    const char *reason = "";
    bool applicable = detector->applicable(each->kind, each->backend, &reason);
    (void)json_object_set_new(record, "detector", json_string(detector->name));
    (void)json_object_set_new(record, "annotated", json_boolean(detector->annotated));
    (void)json_object_set_new(record, "seed", json_integer((json_int_t)each->seed));
    (void)json_object_set_new(record, "rate", json_real(each->rate));
    (void)json_object_set_new(record, "number", json_integer((json_int_t)each->number));
    (void)json_object_set_new(record, "applicable", json_boolean(applicable));
    (void)json_object_set_new(record, "reason", json_string(applicable ? "" : reason));
    status = journal_append(&job->journal, record, NULL, error);
    leaks_remember(job, record);
    return status;
}

/* Must the detector run this case? Detectors from outside are slow: unless they were named, they
 * get only the first case of each kind. */
static bool leaks_is_due(const struct leaks_job *job, const struct leaks_detector *detector,
                         const struct leaks_case *each, uint64_t index)
{
    const struct text_list *named = &job->options->detectors;
    return leaks_wanted(named, detector->name) &&
           (!detector->outside || named->count > 0 || index == 0) &&
           (detector->runs_on == NULL || detector->runs_on(detector, each->backend));
}

/* Runs a case under every detector, and bare, so that their times belong to the same moment. */
static enum status leaks_run_case(struct leaks_job *job, const struct leaks_case *each,
                                  uint64_t index, struct error *error)
{
    enum status status = leaks_run_one(job, &leaks_detector_none, each, error);
    for (size_t i = 0; leaks_detector_table[i] != NULL && status == STATUS_OK; i++) {
        if (leaks_is_due(job, leaks_detector_table[i], each, index)) {
            status = leaks_run_one(job, leaks_detector_table[i], each, error);
        }
    }
    return status;
}

/* Runs the cases of a kind, with leak rates from 1% to 20%, and 500 to 2000 operations per step. */
static enum status leaks_run_kind(struct leaks_job *job, const char *kind, bool only_clean,
                                  const char *backend, struct error *error)
{
    enum status status = STATUS_OK;
    uint64_t mixed = job->options->seed;
    for (const char *c = kind; *c != '\0'; c++) {
        mixed = mixed * 131 + (unsigned char)*c;
    }
    struct rng rng;
    rng_seed(&rng, mixed);
    for (uint64_t i = 0; i < job->options->cases && status == STATUS_OK; i++) {
        struct leaks_case each = {.kind = kind, .backend = backend, .clean = only_clean};
        each.rate = 0.01 + 0.19 * rng_uniform(&rng);
        each.number = 500 + rng_below(&rng, 1501);
        each.seed = rng_next(&rng) >> 12;
        status = leaks_run_case(job, &each, i, error);
        if (!only_clean && status == STATUS_OK) {
            each.clean = true;
            status = leaks_run_case(job, &each, i, error);
        }
    }
    return status;
}

static enum status leaks_list_kinds(struct leaks_job *job, struct text_list *lines,
                                    struct error *error)
{
    char *path = text_format("%s/heapmill-leak-malloc", job->options->programs);
    const char *arguments[] = {path, "--list", NULL};
    const char *environment[] = {"LANG=C", NULL};
    struct process_request request = {
        .arguments = arguments, .environment = environment, .timeout_s = 60};
    struct process_result result;
    enum status status = process_run(&request, &result, error);
    if (status == STATUS_OK) {
        text_split(lines, result.output, '\n');
        process_result_free(&result);
    } else {
        status = error_set(error, STATUS_UNSUPPORTED, "%s does not run: ninja heapmill-leak-malloc",
                           path);
    }
    free(path);
    return status;
}

/* Refuses an unknown name, with which a run would do nothing. lines: the output of the worker's
 * list, with a kind before the first tab. */
static enum status leaks_check_names(const struct leaks_options *options,
                                     const struct text_list *lines, struct error *error)
{
    for (size_t i = 0; i < options->kinds.count; i++) {
        const char *kind = options->kinds.items[i];
        bool known = false;
        for (size_t k = 0; k < lines->count; k++) {
            size_t length = strcspn(lines->items[k], "\t");
            known |= strlen(kind) == length && strncmp(kind, lines->items[k], length) == 0;
        }
        if (!known) {
            return error_set(error, STATUS_INVALID,
                             "-k: there is no kind '%s'; `heapmill-leak-malloc --list` has them",
                             kind);
        }
    }
    for (size_t i = 0; i < options->backends.count; i++) {
        bool known = false;
        for (size_t b = 0; b < sizeof(leaks_backends) / sizeof(leaks_backends[0]); b++) {
            known |= strcmp(options->backends.items[i], leaks_backends[b]) == 0;
        }
        if (!known) {
            return error_set(error, STATUS_INVALID,
                             "-b: '%s' has no leak worker; malloc, pymalloc-3.10, pymalloc-256 and "
                             "freelist-2.7 have",
                             options->backends.items[i]);
        }
    }
    return STATUS_OK;
}

static enum status leaks_run_all(struct leaks_job *job, struct error *error)
{
    struct text_list lines = {.count = 0};
    enum status status = leaks_list_kinds(job, &lines, error);
    if (status == STATUS_OK) {
        status = leaks_check_names(job->options, &lines, error);
    }
    for (size_t i = 0; i < lines.count && status == STATUS_OK; i++) {
        struct text_list parts = {.count = 0};
        text_split(&parts, lines.items[i], '\t');
        for (size_t b = 0; b < sizeof(leaks_backends) / sizeof(leaks_backends[0]); b++) {
            if (parts.count == 3 && status == STATUS_OK &&
                leaks_wanted(&job->options->kinds, parts.items[0]) &&
                leaks_wanted(&job->options->backends, leaks_backends[b])) {
                status = leaks_run_kind(job, parts.items[0], strcmp(parts.items[1], "clean") == 0,
                                        leaks_backends[b], error);
            }
        }
        text_list_free(&parts);
    }
    text_list_free(&lines);
    return status;
}

enum status leaks_run(const struct leaks_options *options, json_t **records, uint64_t *skipped,
                      struct error *error)
{
    struct leaks_job job = {.options = options};
    job.records = json_array();
    job.done = json_object();
    enum status status = leaks_open_records(&job, error);
    if (status == STATUS_OK) {
        status = leaks_run_all(&job, error);
    }
    journal_close(&job.journal);
    text_list_free(&job.said);
    json_decref(job.done);
    *records = job.records;
    *skipped = job.skipped;
    return status;
}
