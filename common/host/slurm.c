#include "common/host/slurm.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/packages.h"
#include "common/host/process.h"

enum { SLURM_FRUITLESS_MAX = 3 };

static const double SLURM_TOOL_TIMEOUT_S = 60;
static const double SLURM_POLL_LEAST_S = 0.5;
static const double SLURM_POLL_MOST_S = 10;  /* squeue costs the controller a lock */
static const double SLURM_POLL_GROWTH = 1.3; /* while nothing changes */
static const double SLURM_SILENCE_S = 600;   /* a controller that restarts is back long before */

struct slurm_task {
    bool done;
    bool queued;
    unsigned fruitless; /* times that it was started and got no further */
    uint64_t progress;  /* when it was last started */
    bool started;
};

struct slurm_follow {
    const struct slurm_array *array;
    const char *directory; /* the array's, absolute */
    struct slurm_task *tasks;
    size_t done;
    size_t queued;
    double silence_s; /* since squeue has answered */
    bool told;        /* that it does not */
};

static bool slurm_task_is_done(const char *directory, size_t task)
{
    char *path = text_format("%s/tasks/%zu/done.json", directory, task);
    bool done = access(path, F_OK) == 0;
    free(path);
    return done;
}

/* The bytes of the task's journals, and how many there are: it grows with each record. */
static uint64_t slurm_task_progress(const char *directory, size_t task)
{
    struct text_list names = {0};
    char *own = text_format("%s/tasks/%zu", directory, task);
    uint64_t bytes = 0;
    file_list_names(own, &names);
    for (size_t i = 0; i < names.count; i++) {
        const char *end = strrchr(names.items[i], '.');
        char *path = text_format("%s/%s", own, names.items[i]);
        struct stat about;
        if (end != NULL && strcmp(end, ".jsonl") == 0 && stat(path, &about) == 0) {
            bytes += (uint64_t)about.st_size + 1;
        }
        free(path);
    }
    text_list_free(&names);
    free(own);
    return bytes;
}

/* Runs a tool of Slurm's. STATUS_BUSY: it ended badly, with its words. Frees the words. *output,
 * which may be NULL, is the caller's after STATUS_OK. */
static enum status slurm_tool(struct text_list *words, const char *directory, char **output,
                              struct error *error)
{
    struct process_result result = {.output = NULL};
    const struct process_request request = {.arguments = process_vector(words),
                                            .directory = directory,
                                            .timeout_s = SLURM_TOOL_TIMEOUT_S};
    enum status status = process_run(&request, &result, error);
    if (status == STATUS_NOT_FOUND) {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "%s is not here: run this where Slurm's commands are, or install them "
                           "(Debian: %s)",
                           words->items[0], package_named("slurm-client"));
    } else if (status == STATUS_OK && result.interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else if (status == STATUS_OK &&
               (result.timed_out || result.exit_code != 0 || result.signal != 0)) {
        status = error_set(error, STATUS_BUSY, "%s: %.500s", words->items[0],
                           result.stderr_tail[0] != '\0' ? result.stderr_tail : "no answer");
        error->message[strcspn(error->message, "\n")] = '\0';
    }
    if (status == STATUS_OK && output != NULL) {
        *output = text_format("%s", result.output);
    }
    process_result_free(&result);
    text_list_free(words);
    return status;
}

static void slurm_word(struct text_list *words, const char *word)
{
    text_list_add(words, text_format("%s", word));
}

/* A job that Slurm could not start on a node that died is put on hold for a person to look at: it
 * is taken out, and the next look starts the task anew. */
static enum status slurm_take_out(const char *job, struct error *error)
{
    struct text_list words = {0};
    slurm_word(&words, "scancel");
    slurm_word(&words, job);
    enum status status = slurm_tool(&words, NULL, NULL, error);
    return status == STATUS_BUSY ? STATUS_OK : status; /* it went by itself */
}

/* Takes a line of squeue's: "JOB TASK REASON". */
static enum status slurm_take_line(struct slurm_follow *follow, char *line, struct error *error)
{
    uint64_t task = 0;
    char *job = line;
    char *index = strchr(line, ' ');
    if (index == NULL) {
        return STATUS_OK;
    }
    *index++ = '\0';
    char *reason = index + strcspn(index, " ");
    if (*reason != '\0') {
        *reason++ = '\0';
    }
    if (!text_to_u64(index, &task) || task >= follow->array->tasks) {
        return STATUS_OK;
    }
    if (strstr(reason, "held") != NULL || strstr(reason, "JobHeld") != NULL) {
        return slurm_take_out(job, error);
    }
    follow->queued += !follow->tasks[task].queued;
    follow->tasks[task].queued = true;
    return STATUS_OK;
}

/* What is queued or runs. STATUS_BUSY: the controller does not answer. */
static enum status slurm_ask(struct slurm_follow *follow, struct error *error)
{
    struct text_list words = {0};
    struct text_list lines = {0};
    char *output = NULL;
    slurm_word(&words, "squeue");
    slurm_word(&words, "--noheader");
    slurm_word(&words, "--me");
    slurm_word(&words, "--array");
    slurm_word(&words, "--format=%i %K %r");
    text_list_add(&words, text_format("--name=%s", follow->array->name));
    enum status status = slurm_tool(&words, NULL, &output, error);
    if (status != STATUS_OK) {
        return status;
    }
    follow->queued = 0;
    for (size_t i = 0; i < follow->array->tasks; i++) {
        follow->tasks[i].queued = false;
    }
    text_split(&lines, output, '\n');
    for (size_t i = 0; i < lines.count && status == STATUS_OK; i++) {
        status = slurm_take_line(follow, lines.items[i], error);
    }
    text_list_free(&lines);
    free(output);
    return status;
}

/* "0-3,7": what is neither done nor queued, and is not given up. The caller frees. */
static enum status slurm_choose(struct slurm_follow *follow, char **chosen, struct error *error)
{
    const struct slurm_array *array = follow->array;
    struct text_list ranges = {0};
    enum status status = STATUS_OK;
    size_t begin = 0;
    for (size_t i = 0; i <= array->tasks && status == STATUS_OK; i++) {
        struct slurm_task *task = i < array->tasks ? &follow->tasks[i] : NULL;
        if (task != NULL && !task->done && !task->queued) {
            uint64_t progress = slurm_task_progress(follow->directory, i);
            bool fruitless = task->started && progress == task->progress;
            task->fruitless = fruitless ? task->fruitless + 1 : 0;
            task->progress = progress;
            task->started = true;
            if (task->fruitless >= SLURM_FRUITLESS_MAX) {
                status =
                    error_set(error, STATUS_UNSUPPORTED,
                              "task %zu has ended %u times without getting on: %s/tasks/%zu.log "
                              "says why; the same command goes on when that is mended",
                              i, task->fruitless, follow->directory, i);
            }
            continue;
        }
        if (i > begin) {
            text_list_add(&ranges, i - begin > 1 ? text_format("%zu-%zu", begin, i - 1)
                                                 : text_format("%zu", begin));
        }
        begin = i + 1;
    }
    *chosen = text_join(&ranges, ",");
    text_list_free(&ranges);
    return status;
}

/* The word for a shell: in single quotes. */
static char *slurm_quote(const char *word)
{
    struct text_list parts = {0};
    text_split(&parts, word, '\'');
    char *inner = text_join(&parts, "'\\''");
    char *quoted = text_format("'%s'", inner);
    text_list_free(&parts);
    free(inner);
    return quoted;
}

/* Writes DIRECTORY/task.sh, which an array's task runs. */
static enum status slurm_write_script(const struct slurm_follow *follow, struct error *error)
{
    char program[PATH_MAX] = "";
    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0) {
        return error_set(error, STATUS_IO, "/proc/self/exe: %m");
    }
    struct text_list words = {0};
    text_list_add(&words, slurm_quote(program));
    for (const char *const *word = follow->array->words; *word != NULL; word++) {
        text_list_add(&words, slurm_quote(*word));
    }
    text_list_add(&words, slurm_quote(follow->directory));
    char *command = text_join(&words, " ");
    char *script = text_format("#!/bin/sh\nexec %s --task \"$SLURM_ARRAY_TASK_ID\"\n", command);
    char *path = text_format("%s/task.sh", follow->directory);
    char *logs = text_format("%s/tasks", follow->directory);
    enum status status = file_make_directory(logs, error);
    if (status == STATUS_OK) {
        status = file_replace(path, script, strlen(script), error);
    }
    text_list_free(&words);
    free(command);
    free(script);
    free(path);
    free(logs);
    return status;
}

/* Starts the chosen tasks. STATUS_BUSY: the controller does not answer. */
static enum status slurm_submit(const struct slurm_follow *follow, const char *chosen,
                                struct error *error)
{
    /* What the controller says, or does not say, while it starts again. */
    static const char *const passing[] = {"contact", "temporarily", "timed out", "no answer",
                                          "onnection"};
    const struct slurm_array *array = follow->array;
    struct text_list words = {0};
    size_t index;
    json_t *option;
    slurm_word(&words, "sbatch");
    slurm_word(&words, "--quiet");
    slurm_word(&words, "--requeue"); /* when its node dies */
    slurm_word(&words, "--ntasks=1");
    slurm_word(&words, "--open-mode=append");
    slurm_word(&words, "--output=tasks/%a.log");
    text_list_add(&words, text_format("--chdir=%s", follow->directory));
    text_list_add(&words, text_format("--job-name=%s", array->name));
    text_list_add(&words, text_format("--array=%s", chosen));
    if (array->exclusive) {
        slurm_word(&words, "--exclusive");
    }
    json_array_foreach(array->sbatch, index, option) /* what is said later counts */
    {
        slurm_word(&words, json_string_value(option));
    }
    slurm_word(&words, "task.sh");
    struct error why = {.message = ""};
    enum status status = slurm_tool(&words, follow->directory, NULL, &why);
    bool refused = status == STATUS_BUSY;
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        refused = refused && strstr(why.message, passing[i]) == NULL;
    }
    return status == STATUS_OK ? status
           : refused ? error_set(error, STATUS_UNSUPPORTED, "the cluster refuses the job: %.600s",
                                 why.message)
                     : error_set(error, status, "%s", why.message);
}

/* A look: what is done, what is queued, and starts what is neither. */
static enum status slurm_look(struct slurm_follow *follow, struct error *error)
{
    const struct slurm_array *array = follow->array;
    char *chosen = NULL;
    enum status status = slurm_ask(follow, error);
    follow->done = 0;
    /* After squeue was asked: a task that ended in between is done. */
    for (size_t i = 0; i < array->tasks; i++) {
        struct slurm_task *task = &follow->tasks[i];
        task->done = task->done || slurm_task_is_done(follow->directory, i);
        follow->done += task->done;
    }
    if (status == STATUS_OK && follow->done < array->tasks) {
        status = slurm_choose(follow, &chosen, error);
    }
    if (status == STATUS_OK && chosen != NULL && chosen[0] != '\0') {
        status = slurm_submit(follow, chosen, error);
    }
    free(chosen);
    return status;
}

/* Waits out a controller that does not answer: it may be starting again. */
static enum status slurm_bear(struct slurm_follow *follow, double waited_s, struct error *error)
{
    follow->silence_s += waited_s;
    if (!follow->told) {
        (void)fprintf(stderr, "heapmill: waiting for Slurm: %s\n", error->message);
        follow->told = true;
    }
    return follow->silence_s < SLURM_SILENCE_S
               ? STATUS_OK
               : error_set(error, STATUS_UNSUPPORTED,
                           "Slurm has not answered for %.0f minutes: give the same command again "
                           "when it does",
                           SLURM_SILENCE_S / 60);
}

static enum status slurm_follow_array(struct slurm_follow *follow, struct error *error)
{
    double poll_s = SLURM_POLL_LEAST_S;
    size_t done_before = SIZE_MAX;
    while (true) {
        enum status status = slurm_look(follow, error);
        if (status == STATUS_BUSY) {
            status = slurm_bear(follow, poll_s, error);
        } else if (status == STATUS_OK) {
            follow->silence_s = 0;
            follow->told = false;
        }
        if (status != STATUS_OK || follow->done == follow->array->tasks) {
            return status;
        }
        if (follow->done != done_before) {
            (void)fprintf(stderr, "heapmill: %zu of %zu tasks are done\n", follow->done,
                          follow->array->tasks);
            poll_s = SLURM_POLL_LEAST_S;
        }
        done_before = follow->done;
        (void)process_wait(NULL, 0, poll_s);
        if (process_interrupted()) {
            return error_set(error, STATUS_INTERRUPTED,
                             "interrupted; the tasks go on: the same command follows them, and "
                             "`scancel --name=%s` ends them",
                             follow->array->name);
        }
        poll_s = poll_s * SLURM_POLL_GROWTH < SLURM_POLL_MOST_S ? poll_s * SLURM_POLL_GROWTH
                                                                : SLURM_POLL_MOST_S;
    }
}

enum status slurm_array_run(const struct slurm_array *array, struct error *error)
{
    char directory[PATH_MAX];
    if (realpath(array->directory, directory) == NULL) {
        return error_set(error, STATUS_IO, "%s: %m", array->directory);
    }
    struct slurm_follow follow = {.array = array,
                                  .directory = directory,
                                  .tasks = text_zeroed(array->tasks, sizeof(*follow.tasks))};
    enum status status = slurm_write_script(&follow, error);
    if (status == STATUS_OK) {
        status = slurm_follow_array(&follow, error);
    }
    free(follow.tasks);
    return status;
}
