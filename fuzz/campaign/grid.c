#include "fuzz/campaign/grid.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/json.h"
#include "common/host/slurm.h"
#include "fuzz/campaign/cmin.h"
#include "fuzz/campaign/exchange.h"
#include "fuzz/campaign/score_run.h"
#include "fuzz/campaign/session.h"

static const uint64_t GRID_DISK_BYTES_MAX = (uint64_t)64 << 30; /* of the whole campaign */
enum { GRID_FINDINGS_MAX = 1000 };

/* ------------------------------------------------------------------------------- the array */

void fuzz_grid_plan(json_t *plan, size_t tasks, double time_s, const struct text_list *sbatch)
{
    uint64_t id = 0;
    json_t *options = json_array();
    (void)getrandom(&id, sizeof(id), 0);
    for (size_t i = 0; i < sbatch->count; i++) {
        (void)json_array_append_new(options, json_string(sbatch->items[i]));
    }
    (void)json_object_set_new(
        plan, "grid",
        json_pack("{so sI sf so}", "name",
                  json_sprintf("heapmill-%012llx", (unsigned long long)(id >> 16)), "tasks",
                  (json_int_t)tasks, "time_s", time_s, "sbatch", options));
}

/* Runs `heapmill fuzz VERB --resume -o DIR --task N` for all tasks of the plan. */
static enum status grid_run_array(const char *directory, const json_t *plan, const char *verb,
                                  struct error *error)
{
    const char *const words[] = {"fuzz", verb, "--resume", "-o", NULL};
    const struct slurm_array array = {.directory = directory,
                                      .name = json_text_at(plan, "grid.name", "heapmill"),
                                      .sbatch = json_at(plan, "grid.sbatch"),
                                      .words = words,
                                      .tasks = (size_t)json_count_at(plan, "grid.tasks", 0)};
    return array.tasks > 0
               ? slurm_array_run(&array, error)
               : error_set(error, STATUS_INVALID,
                           "%s was not begun on a cluster: --engine-host is given when it is begun",
                           directory);
}

/* What a task runs in: its own directory and journal. */
struct grid_task {
    char *directory;
    json_t *plan;
    struct fuzz_log log;
    bool resumed;
};

/* Opens the task's journal, with the plan of the whole in it. grid_close in any case. */
static enum status grid_open(struct grid_task *task, const struct journal_kind *kind,
                             const char *directory, size_t number, struct error *error)
{
    *task = (struct grid_task){.directory = text_format("%s/tasks/%zu", directory, number)};
    char *there = text_format("%s/%s", task->directory, kind->plan);
    json_t *none = NULL;
    task->resumed = access(there, F_OK) == 0;
    free(there);
    enum status status = journal_read_plan(kind, directory, &task->plan, error);
    if (status == STATUS_OK && number >= json_count_at(task->plan, "grid.tasks", 0)) {
        status =
            error_set(error, STATUS_INVALID, "--task %zu: %s has no such task", number, directory);
    }
    if (status == STATUS_OK) {
        status = fuzz_log_open(&task->log, kind, task->directory,
                               task->resumed ? &none : &task->plan, error);
    }
    json_decref(none);
    return status;
}

static enum status grid_close(struct grid_task *task, enum status status, struct error *error)
{
    if (status == STATUS_OK) {
        char *path = text_format("%s/done.json", task->directory);
        status = file_replace(path, "{}\n", 3, error);
        free(path);
    }
    fuzz_log_close(&task->log);
    json_decref(task->plan);
    free(task->directory);
    return status;
}

/* ------------------------------------------------------------------------------- campaigns */

/* What the task's earlier sessions took. */
static double grid_spent_s(const json_t *lines)
{
    double spent_s = 0;
    size_t index;
    const json_t *line;
    json_array_foreach(lines, index, line)
    {
        double wall_s = json_number_at(line, "wall_s", 0);
        spent_s = wall_s > spent_s ? wall_s : spent_s;
    }
    return spent_s;
}

enum status fuzz_grid_run_task(const struct fuzz_catalog *catalog, const char *directory,
                               size_t task, struct error *error)
{
    struct grid_task own;
    struct text_list extra = {0};
    size_t index;
    json_t *word;
    enum status status = grid_open(&own, &fuzz_campaign_journal, directory, task, error);
    json_array_foreach(json_object_get(own.plan, "arguments"), index, word)
    {
        text_list_add(&extra, text_format("%s", json_string_value(word)));
    }
    struct fuzz_session session = {.catalog = catalog,
                                   .directory = directory,
                                   .disk_bytes_max = GRID_DISK_BYTES_MAX,
                                   .findings_max = GRID_FINDINGS_MAX,
                                   .resumed = own.resumed,
                                   .extra = &extra,
                                   .log = &own.log,
                                   .alone = true,
                                   .member = task};
    if (status == STATUS_OK) {
        status = fuzz_session_take_plan(&session, own.plan, error);
        session.time_s = json_number_at(own.plan, "grid.time_s", 0) - grid_spent_s(own.log.lines);
    }
    if (status == STATUS_OK && session.time_s > 0) {
        struct fuzz_session_result result;
        status = fuzz_session_run(&session, &result, error);
        if (status == STATUS_OK && result.end == FUZZ_END_INTERRUPTED) {
            status = error_set(error, STATUS_INTERRUPTED, "interrupted");
        }
    }
    text_list_free(&extra);
    return grid_close(&own, status, error);
}

/* The campaign's own journal has each finding of its engines once, whoever found it. */
static enum status grid_log_findings(const char *directory, struct fuzz_log *log,
                                     struct error *error)
{
    struct text_list known = {0};
    struct text_list fresh = {0};
    size_t index;
    const json_t *line;
    json_array_foreach(log->lines, index, line)
    {
        if (strcmp(json_text_at(line, "event", ""), "finding") == 0) {
            text_list_add(&known, text_format("%s", json_text_at(line, "file", "")));
        }
    }
    enum status status = fuzz_exchange_collect(directory, &known, &fresh, error);
    for (size_t i = 0; i < fresh.count && status == STATUS_OK; i++) {
        status = fuzz_log_append(
            log, json_pack("{s:s, s:s}", "event", "finding", "file", fresh.items[i]), error);
        (void)fprintf(stderr, "heapmill fuzz run: a finding: %s/%s\n", directory, fresh.items[i]);
    }
    text_list_free(&known);
    text_list_free(&fresh);
    return status;
}

/* Takes over what a task logged of its engine, but for findings, behind what was taken over before.
 */
static enum status grid_take_events(const char *directory, size_t task, struct fuzz_log *log,
                                    struct error *error)
{
    char *own = text_format("%s/tasks/%zu", directory, task);
    json_t *lines = json_array();
    size_t taken = 0;
    size_t index;
    json_t *line;
    json_array_foreach(log->lines, index, line)
    {
        taken += json_count_at(line, "task", SIZE_MAX) == task;
    }
    enum status status =
        journal_read(&fuzz_campaign_journal, own, journal_keep_line, lines, NULL, NULL, error);
    json_array_foreach(lines, index, line)
    {
        bool wanted = strcmp(json_text_at(line, "event", ""), "finding") != 0;
        if (wanted && taken > 0) {
            taken--;
        } else if (wanted && status == STATUS_OK) {
            (void)json_object_set_new(line, "task", json_integer((json_int_t)task));
            status = fuzz_log_append(log, json_incref(line), error);
        }
    }
    json_decref(lines);
    free(own);
    return status;
}

/* corpus/ becomes the least that covers as much. Killed at any step, corpus/ or corpus.all/ has
 * every input. */
static enum status grid_minimise(const char *directory, const json_t *plan, struct error *error)
{
    char *corpus = text_format("%s/corpus", directory);
    char *all = text_format("%s/corpus.all", directory);
    char *least = text_format("%s/corpus.min", directory);
    struct text_list directories = {0};
    struct fuzz_cmin_result result;
    struct error why;
    text_list_add(&directories, text_format("%s", corpus));
    if (access(all, F_OK) == 0) { /* of an earlier session */
        text_list_add(&directories, text_format("%s", all));
    }
    const char *backend = json_text_at(plan, "backend", "");
    const struct fuzz_cmin cmin = {.target = json_text_at(plan, "target", ""),
                                   .backend = backend[0] != '\0' ? backend : NULL,
                                   .directories = &directories,
                                   .output = least};
    enum status status = fuzz_cmin_run(&cmin, &result, &why);
    bool made = status == STATUS_OK && !result.failed;
    if (made && access(all, F_OK) != 0 && rename(corpus, all) != 0) {
        status = error_set(error, STATUS_IO, "%s: %m", all);
    } else if (made) {
        /* What came after the first time stays in corpus/, beside what covers more. */
        struct text_list names = {0};
        file_list_names(least, &names);
        status = file_make_directory(corpus, error);
        for (size_t i = 0; i < names.count && status == STATUS_OK; i++) {
            char *from = text_format("%s/%s", least, names.items[i]);
            char *to = text_format("%s/%s", corpus, names.items[i]);
            status = rename(from, to) == 0 ? STATUS_OK : error_set(error, STATUS_IO, "%s: %m", to);
            free(from);
            free(to);
        }
        text_list_free(&names);
        (void)rmdir(least);
        (void)fprintf(stderr,
                      "heapmill fuzz run: %zu of %zu inputs cover as much: %s; all are in %s\n",
                      result.inputs, result.inputs_before, corpus, all);
    } else if (status == STATUS_INTERRUPTED) {
        status = error_set(error, status, "%s", why.message);
    } else {
        (void)fprintf(stderr, "heapmill fuzz run: the corpus stays as it is: %s\n",
                      status == STATUS_OK ? "an input of it fails; see corpus.min.log"
                                          : why.message);
        status = STATUS_OK;
    }
    text_list_free(&directories);
    free(corpus);
    free(all);
    free(least);
    return status;
}

enum status fuzz_grid_run(const char *directory, const json_t *plan, struct fuzz_log *log,
                          size_t *findings, struct error *error)
{
    struct text_list names = {0};
    char *found = text_format("%s/findings", directory);
    enum status status = grid_run_array(directory, plan, "run", error);
    struct error last;
    enum status told = grid_log_findings(directory, log, &last);
    for (size_t i = 0; i < json_count_at(plan, "grid.tasks", 0) && told == STATUS_OK; i++) {
        told = grid_take_events(directory, i, log, &last);
    }
    if (status == STATUS_OK && told != STATUS_OK) {
        status = error_set(error, told, "%s", last.message);
    }
    file_list_names(found, &names);
    *findings = names.count;
    text_list_free(&names);
    free(found);
    return status == STATUS_OK ? grid_minimise(directory, plan, error) : status;
}

/* ---------------------------------------------------------------------------------- scores */

enum status fuzz_grid_score_task(const struct fuzz_catalog *catalog, const char *directory,
                                 size_t task, struct error *error)
{
    struct grid_task own;
    struct score_run_result result;
    enum status status = grid_open(&own, &fuzz_score_journal, directory, task, error);
    if (status == STATUS_OK) {
        const struct score_run run = {.catalog = catalog,
                                      .directory = own.directory,
                                      .plan = own.plan,
                                      .log = &own.log,
                                      .jobs = 1,
                                      .shares = (size_t)json_count_at(own.plan, "grid.tasks", 1),
                                      .share = task};
        status = score_run(&run, &result, error);
    }
    return grid_close(&own, status, error);
}

/* A trial's name; the caller frees. */
static char *grid_trial(const json_t *line)
{
    return text_format("%s.%s.%llu", json_text_at(line, "program", ""),
                       json_text_at(line, "engine", ""),
                       (unsigned long long)json_count_at(line, "trial", 0));
}

/* By what a line is known: the trial, and whether it failed; a failed one may be done again. The
 * caller frees. */
static char *grid_key(const json_t *line)
{
    bool failed = strcmp(json_text_at(line, "end", ""), "failed") == 0;
    char *name = grid_trial(line);
    char *key = text_format("%s%s", name, failed ? "!" : "");
    free(name);
    return key;
}

/* Takes over the lines of a task that the score has not, with the inputs that they found. */
static enum status grid_take_trials(const char *directory, size_t task, json_t *known,
                                    struct fuzz_log *log, struct error *error)
{
    char *own = text_format("%s/tasks/%zu", directory, task);
    json_t *lines = json_array();
    size_t index;
    json_t *line;
    enum status status =
        journal_read(&fuzz_score_journal, own, journal_keep_line, lines, NULL, NULL, error);
    json_array_foreach(lines, index, line)
    {
        char *name = grid_trial(line);
        char *key = grid_key(line);
        if (status == STATUS_OK && json_object_get(known, key) == NULL) {
            char *bytes = NULL;
            size_t size = 0;
            char *from = text_format("%s/found/%s", own, name);
            char *to = text_format("%s/found/%s", directory, name);
            if (file_read(from, &bytes, &size, NULL) == STATUS_OK) {
                status = file_write(to, bytes, size, error);
            }
            (void)json_object_set_new(known, key, json_true());
            status = status == STATUS_OK ? fuzz_log_append(log, json_incref(line), error) : status;
            free(bytes);
            free(from);
            free(to);
        }
        free(key);
        free(name);
    }
    json_decref(lines);
    free(own);
    return status;
}

static enum status grid_merge_trials(const char *directory, const json_t *plan,
                                     struct fuzz_log *log, struct error *error)
{
    json_t *known = json_object();
    char *found = text_format("%s/found", directory);
    enum status status = file_make_directory(found, error);
    size_t index;
    const json_t *line;
    json_array_foreach(log->lines, index, line)
    {
        char *key = grid_key(line);
        (void)json_object_set_new(known, key, json_true());
        free(key);
    }
    for (size_t i = 0; i < json_count_at(plan, "grid.tasks", 0) && status == STATUS_OK; i++) {
        status = grid_take_trials(directory, i, known, log, error);
    }
    free(found);
    json_decref(known);
    return status;
}

enum status fuzz_grid_score(const char *directory, const json_t *plan, struct fuzz_log *log,
                            struct error *error)
{
    struct error last;
    enum status status = grid_run_array(directory, plan, "score", error);
    enum status merged = grid_merge_trials(directory, plan, log, &last);
    return status == STATUS_OK && merged != STATUS_OK ? error_set(error, merged, "%s", last.message)
                                                      : status;
}
