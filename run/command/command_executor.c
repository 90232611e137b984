#include "run/command/command_executor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/json.h"
#include "common/host/text.h"
#include "run/command/command_run.h"
#include "run/command/output.h"
#include "run/worker.h"

/* glibc's malloc under a program that brings another allocator. A preloaded library comes first in
 * the search order, and that holds for glibc too. */
static const char *const COMMAND_LIBC = "libc.so.6";

/* The base is the command as it is and preloads nothing. glibc with other settings preloads nothing
 * either. */
static void command_describe(void *context, const struct selection_choice *choice, int twin,
                             json_t *cell)
{
    const struct command_executor *command = context;
    (void)twin; /* a twin differs only in its address layout, which every process draws anew */
    struct launch launch;
    const char *installed = choice->backend->installed;
    registry_launch(choice->backend, choice->arm, &launch);
    bool libc = strcmp(choice->backend->name, "malloc") == 0 &&
                json_bool_at(command->spec, "brings_malloc", false);
    json_t *how = json_pack("{ss ss ss ss si}", "program", "", "probe", "", "preload",
                            libc ? COMMAND_LIBC : launch.preload, "package",
                            installed != NULL ? installed : "", "layout", 0);
    (void)json_object_update(cell, how);
    json_decref(how);
    launch_free(&launch);
}

/* The plan already has what was found out about the command. */
static enum status command_prepare(void *context, json_t *plan, bool resumed, struct error *error)
{
    (void)context;
    (void)resumed;
    const char *setup = json_text_at(plan, "try.setup", NULL);
    return setup != NULL ? command_shell("--setup", setup, NULL, 0, error) : STATUS_OK;
}

/* A run is one operation. It takes as long as the reference run took. */
static enum status command_calibrate(void *context, const json_t *plan, const json_t *cell,
                                     json_t **calibration, struct error *error)
{
    (void)context;
    (void)cell;
    (void)error;
    *calibration = json_pack("{si si si sf}", "iterations", 1, "warmup_iterations", 0, "operations",
                             1, "cpu_ns_per_op", json_number_at(plan, "try.reference.wall_ns", 1));
    return STATUS_OK;
}

/* Why the run ended badly; NULL if it ended well. The caller frees. */
static char *command_end_problem(const json_t *reference, const struct command_result *result,
                                 double timeout_s, const char **status)
{
    const struct process_result *process = &result->process;
    int exit_code = (int)json_number_at(reference, "exit_code", 0);
    int signal = (int)json_number_at(reference, "signal", 0);
    *status = process->timed_out ? "timeout" : process->signal != 0 ? "crashed" : "failed";
    if (result->problem != NULL) {
        return text_format("%s", result->problem);
    }
    if (process->timed_out || process->signal != signal || process->exit_code != exit_code) {
        char *how = worker_explain(process, timeout_s);
        char *text =
            exit_code != 0 || signal != 0
                ? text_format("%s; as it is it ends with %s %d", how,
                              signal != 0 ? "signal" : "status", signal != 0 ? signal : exit_code)
                : text_format("%s", how);
        free(how);
        return text;
    }
    if (strstr(process->stderr_tail, "cannot be preloaded") != NULL) {
        return text_format("the dynamic linker could not preload the library: %.*s",
                           (int)strcspn(process->stderr_tail, "\n"), process->stderr_tail);
    }
    return NULL;
}

/* Keeps an output that differs beside the records, and appends its path to the sentence. */
static char *command_keep_output(const struct command_executor *command,
                                 const struct executor_cell *asked, char *difference)
{
    struct error error;
    char *name = text_format("%s.%u", json_text_at(asked->cell, "id", ""), asked->round);
    char *slash;
    while ((slash = strchr(name, '/')) != NULL) {
        *slash = '+';
    }
    char *folder = text_format("%s/outputs", command->directory);
    char *path = text_format("%s/%s", folder, name);
    enum status status = file_make_directory(folder, &error);
    status = status == STATUS_OK ? output_keep(command->output_fd, path, &error) : status;
    char *text = text_format("prints something else: %s%s%s", difference,
                             status == STATUS_OK ? "; the whole is in " : "",
                             status == STATUS_OK ? path : "");
    free(path);
    free(folder);
    free(name);
    free(difference);
    return text;
}

/* Compares the output with the reference, then runs the user's own check. NULL: both agree. The
 * caller frees. */
static char *command_output_problem(const struct command_executor *command,
                                    const struct executor_cell *asked)
{
    const json_t *spec = json_object_get(asked->plan, "try");
    const char *check = json_text_at(spec, "check", NULL);
    if (json_bool_at(spec, "compare_output", true)) {
        char *difference =
            output_difference(json_object_get(spec, "reference"), command->output_fd);
        if (difference != NULL) {
            return command_keep_output(command, asked, difference);
        }
    }
    if (check != NULL) {
        struct error error;
        char *input = text_format("/proc/%d/fd/%d", (int)getpid(), command->output_fd);
        enum status status = command_shell("--check", check, input,
                                           json_number_at(asked->plan, "timeout_s", 0), &error);
        free(input);
        return status == STATUS_OK ? NULL : text_format("%s", error.message);
    }
    return NULL;
}

/* The measured figures. For a server an operation is a request, if the load reports requests. */
static json_t *command_figures(const struct command_result *result, enum command_memory memory)
{
    const struct process_result *process = &result->process;
    double rate = json_number_at(result->load, "requests_per_s", 0);
    double p99_ms = json_number_at(result->load, "latency_p99_ms", 0);
    uint64_t wall_ns = result->load_ns > 0 ? result->load_ns : process->wall_ns;
    uint64_t faults = process->faults_minor + process->faults_major;
    uint64_t switches = process->switches_voluntary + process->switches_involuntary;
    json_t *command = json_pack(
        "{sI sI sI ss si sI}", "cpu_ns", (json_int_t)process->cpu_ns, "faults", (json_int_t)faults,
        "switches", (json_int_t)switches, "memory_source", command_memory_word(memory), "processes",
        (int)result->watch.processes_most, "samples", (json_int_t)result->watch.samples);
    if (result->memory_bytes_peak > 0) {
        (void)json_object_set_new(command, "memory_bytes_peak",
                                  json_integer((json_int_t)result->memory_bytes_peak));
    }
    if (result->memory_bytes_idle > 0) {
        (void)json_object_set_new(command, "memory_bytes_idle",
                                  json_integer((json_int_t)result->memory_bytes_idle));
    }
    if (p99_ms > 0) {
        (void)json_object_set_new(command, "latency_p99_ns", json_real(p99_ms * 1e6));
    }
    if (result->load != NULL) {
        (void)json_object_set(command, "load", result->load);
    }
    return json_pack(
        "{si sI sf sf sI sI sI so}", "operations", 1, "wall_ns", (json_int_t)wall_ns, "ns_per_op",
        rate > 0 ? 1e9 / rate : (double)wall_ns, "cpu_ns_per_op", (double)process->cpu_ns, "cpu_ns",
        (json_int_t)process->cpu_ns, "switches_voluntary", (json_int_t)process->switches_voluntary,
        "switches_involuntary", (json_int_t)process->switches_involuntary, "command", command);
}

static json_t *command_outcome(const struct command_result *result, const char *status,
                               const char *reason, enum command_memory memory)
{
    const struct process_result *process = &result->process;
    json_t *text = text_to_json(process->stderr_tail);
    json_t *why = text_to_json(reason);
    json_t *outcome =
        json_pack("{ss so si si si so s{sI sI sI sI}}", "status", status, "reason", why,
                  "iterations", 1, "exit_code", process->exit_code, "signal", process->signal,
                  "stderr", text, "process", "cpu_ns", (json_int_t)process->cpu_ns, "wall_ns",
                  (json_int_t)process->wall_ns, "faults_minor", (json_int_t)process->faults_minor,
                  "faults_major", (json_int_t)process->faults_major);
    if (strcmp(status, "ok") == 0) {
        json_t *figures = command_figures(result, memory);
        (void)json_object_update(outcome, figures);
        json_decref(figures);
    }
    return outcome;
}

static enum status command_run_cell(void *context, const struct executor_cell *asked,
                                    json_t **outcome, struct error *error)
{
    const struct command_executor *command = context;
    const json_t *spec = json_object_get(asked->plan, "try");
    char *path = registry_preload_path(command->registry, json_text_at(asked->cell, "preload", ""));
    const struct command_launch launch = {
        .spec = spec,
        .preload = path,
        .env = json_object_get(asked->cell, "env"),
        .guard = command->guard,
        .memory = command_memory_of_word(json_text_at(spec, "memory_source", "")),
        .output_fd = command->output_fd,
        .timeout_s = json_number_at(asked->plan, "timeout_s", 0),
    };
    struct command_result result;
    enum status status = command_run(&launch, &result, error);
    if (status == STATUS_OK) {
        const char *word = "failed";
        char *problem = command_end_problem(json_object_get(spec, "reference"), &result,
                                            launch.timeout_s, &word);
        if (problem == NULL) {
            word = "failed";
            problem = command_output_problem(command, asked);
        }
        *outcome = command_outcome(&result, problem != NULL ? word : "ok",
                                   problem != NULL ? problem : "", launch.memory);
        free(problem);
    }
    command_result_free(&result);
    free(path);
    return status;
}

enum status command_executor_open(struct command_executor *command, const struct registry *registry,
                                  const struct process_guard *guard, const char *directory,
                                  struct error *error)
{
    *command = (struct command_executor){.executor = {.context = command,
                                                      .describe = command_describe,
                                                      .prepare = command_prepare,
                                                      .calibrate = command_calibrate,
                                                      .run = command_run_cell},
                                         .registry = registry,
                                         .guard = guard,
                                         .directory = directory,
                                         .output_fd = -1};
    return output_open(&command->output_fd, error);
}

void command_executor_close(struct command_executor *command)
{
    if (command->output_fd >= 0) {
        (void)close(command->output_fd);
        command->output_fd = -1;
    }
}
