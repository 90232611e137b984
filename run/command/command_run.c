#include "run/command/command_run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/host/json.h"
#include "common/host/text.h"
#include "run/command/cgroup.h"
#include "run/command/output.h"
#include "run/command/server.h"
#include "run/worker.h"

enum { COMMAND_LOOKS_MIN = 2 }; /* samples of a tree that a valid peak needs */

static const char *const command_memory_words[] = {
    [COMMAND_MEMORY_TREE] = "pss",
    [COMMAND_MEMORY_SINGLE] = "rss",
    [COMMAND_MEMORY_CGROUP] = "cgroup",
};

const char *command_memory_word(enum command_memory memory)
{
    return command_memory_words[memory];
}

enum command_memory command_memory_of_word(const char *word)
{
    return strcmp(word, "cgroup") == 0 ? COMMAND_MEMORY_CGROUP
           : strcmp(word, "rss") == 0  ? COMMAND_MEMORY_SINGLE
                                       : COMMAND_MEMORY_TREE;
}

enum command_memory command_memory_here(void)
{
    struct cgroup cgroup;
    bool made = cgroup_open(&cgroup, NULL, NULL);
    cgroup_close(&cgroup);
    return made ? COMMAND_MEMORY_CGROUP : COMMAND_MEMORY_TREE;
}

char *command_words(const json_t *argv)
{
    struct text_list words = {0};
    size_t index;
    json_t *word;
    json_array_foreach(argv, index, word)
    {
        const char *text = json_string_value(word);
        bool plain = text[0] != '\0' && strpbrk(text, " \t\n'\"\\$`*?[]{}()<>|&;#~!") == NULL;
        text_list_add(&words, text_format(plain ? "%s" : "'%s'", text));
    }
    char *line = text_join(&words, " ");
    text_list_free(&words);
    return line;
}

enum status command_shell(const char *what, const char *line, const char *input, double timeout_s,
                          struct error *error)
{
    const char *const arguments[] = {"sh", "-c", line, NULL};
    struct process_request request = {
        .arguments = arguments, .input = input, .timeout_s = timeout_s, .whole_tree = true};
    struct process_result result;
    enum status status = process_run(&request, &result, error);
    if (status == STATUS_OK && result.interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else if (status == STATUS_OK && (result.timed_out || result.signal || result.exit_code)) {
        char *how = worker_explain(&result, timeout_s);
        status = error_set(error, STATUS_UNSUPPORTED, "%s “%s” %s", what, line, how);
        free(how);
    }
    process_result_free(&result);
    return status;
}

/* Adds the environment variables of the run. A library that the user preloads comes after
 * heapmill's. */
static void command_settings(const struct command_launch *launch, struct text_list *settings)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)launch->env, name, value)
    {
        text_list_add(settings, text_format("%s=%s", name, json_string_value(value)));
    }
    const char *inherited = getenv("LD_PRELOAD");
    if (launch->preload[0] != '\0') {
        bool both = inherited != NULL && inherited[0] != '\0';
        text_list_add(settings, text_format("LD_PRELOAD=%s%s%s", launch->preload, both ? ":" : "",
                                            both ? inherited : ""));
    }
    if (launch->more != NULL) {
        text_list_add(settings, text_format("%s", launch->more));
    }
    if (launch->guard != NULL) {
        text_list_add(settings, text_format("%s", launch->guard->mark));
    }
}

/* Follows the command until it ends, exceeds its time limit, or heapmill is interrupted. */
static void command_follow(const struct command_launch *launch, struct process *process,
                           struct command_result *result)
{
    uint64_t limit_ns =
        launch->timeout_s > 0 ? (uint64_t)(launch->timeout_s * 1e9) : UINT64_MAX / 2;
    double pause_s = 0.001;
    while (process_wait(process, 1, pause_s) > 0 && !process_interrupted()) {
        uint64_t past_ns = clock_wall_ns() - process->begin_ns;
        if (past_ns >= limit_ns) {
            process->result.timed_out = true;
            break;
        }
        double left_s = (double)(limit_ns - past_ns) / 1e9;
        pause_s = tree_watch_look(&result->watch);
        pause_s = pause_s < left_s ? pause_s : left_s;
    }
    process->result.interrupted = process->running && process_interrupted();
}

/* The peak of memory in bytes, 0 if unknown. For a single process the kernel's peak is used. But a
 * child starts with heapmill's own peak; if the kernel's peak is not above that, the sampled peak
 * is used. */
static uint64_t command_peak(const struct command_launch *launch, const struct cgroup *cgroup,
                             const struct command_result *result)
{
    switch (launch->memory) {
    case COMMAND_MEMORY_CGROUP:
        return cgroup->directory != NULL ? cgroup_memory_peak(cgroup) : 0;
    case COMMAND_MEMORY_SINGLE:
        return result->process.rss_bytes_peak > tree_own_peak() ? result->process.rss_bytes_peak
                                                                : result->watch.rss_bytes_peak;
    default:
        return result->watch.samples >= COMMAND_LOOKS_MIN ? result->watch.pss_bytes_peak : 0;
    }
}

static enum status command_start(const struct command_launch *launch, const struct cgroup *cgroup,
                                 struct process *process, struct error *error)
{
    struct text_list arguments = {0};
    struct text_list settings = {0};
    size_t index;
    json_t *word;
    json_array_foreach(json_object_get(launch->spec, "argv"), index, word)
    {
        text_list_add(&arguments, text_format("%s", json_string_value(word)));
    }
    command_settings(launch, &settings);
    output_clear(launch->output_fd);
    const struct process_request request = {
        .arguments = process_vector(&arguments),
        .settings = process_vector(&settings),
        .directory = json_text_at(launch->spec, "directory", NULL),
        .input = json_text_at(launch->spec, "input", NULL),
        .output_fd = launch->output_fd,
        .cgroup = cgroup->members,
        .stop_signal = SIGKILL,
        .whole_tree = true,
    };
    enum status status = process_start(&request, process, error);
    if (status == STATUS_OK && launch->guard != NULL) {
        process_guard_watch(launch->guard, process->pid);
    }
    text_list_free(&arguments);
    text_list_free(&settings);
    return status;
}

enum status command_run(const struct command_launch *launch, struct command_result *result,
                        struct error *error)
{
    const char *prepare = json_text_at(launch->spec, "prepare", NULL);
    struct cgroup cgroup = {.directory = NULL};
    struct process process = {.pid = 0};
    *result =
        (struct command_result){.watch = {.library = launch->library,
                                          .except = launch->guard != NULL ? launch->guard->pid : 0,
                                          .resident_only = launch->memory != COMMAND_MEMORY_TREE}};
    enum status status = prepare != NULL
                             ? command_shell("--prepare", prepare, NULL, launch->timeout_s, error)
                             : STATUS_OK;
    if (status == STATUS_OK && launch->memory == COMMAND_MEMORY_CGROUP) {
        (void)cgroup_open(&cgroup, NULL, NULL);
    }
    tree_watch_begin(&result->watch);
    if (status == STATUS_OK) {
        status = command_start(launch, &cgroup, &process, error);
    }
    if (status == STATUS_OK) {
        if (json_object_get(launch->spec, "load") != NULL) {
            server_serve(launch->spec, launch->timeout_s, &process, launch->output_fd, result);
        } else {
            command_follow(launch, &process, result);
        }
        process_stop(&process, 1, 0); /* and stops the processes that it left behind */
        result->process = process.result;
        process.result.output = NULL;
        process_free(&process);
        result->memory_bytes_peak = command_peak(launch, &cgroup, result);
        if (launch->guard != NULL) {
            process_guard_watch(launch->guard, 0);
        }
        if (result->process.interrupted) {
            status = error_set(error, STATUS_INTERRUPTED, "interrupted");
        }
    }
    cgroup_close(&cgroup);
    return status;
}

void command_result_free(struct command_result *result)
{
    process_result_free(&result->process);
    tree_watch_free(&result->watch);
    free(result->problem);
    json_decref(result->load);
    result->problem = NULL;
    result->load = NULL;
}
