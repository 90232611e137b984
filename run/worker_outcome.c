/* What became of a worker's process, as an executor's outcome (run/executor.h). */
#include "run/worker_outcome.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "common/host/text.h"
#include "run/worker.h"

static void outcome_set(json_t *outcome, const char *name, json_t *value)
{
    (void)json_object_set_new(outcome, name, value != NULL ? value : json_null());
}

/* A worker's text is its own; what is not UTF-8 is shown as '?'. */
static json_t *outcome_text(const char *text)
{
    json_t *json = json_string(text);
    if (json != NULL) {
        return json;
    }
    char *copy = text_format("%s", text);
    for (char *next = copy; *next != '\0'; next++) {
        *next = (unsigned char)*next < 0x80 ? *next : '?';
    }
    json = json_string(copy);
    free(copy);
    return json;
}

/* The one line of the worker, or NULL: none, a torn one, more than one, or no JSON object. */
static json_t *outcome_parse(const struct process_result *result)
{
    const char *end = memchr(result->output, '\n', result->output_bytes);
    if (end == NULL || (size_t)(end - result->output) + 1 != result->output_bytes) {
        return NULL;
    }
    json_t *line = json_loadb(result->output, result->output_bytes, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(line)) {
        json_decref(line);
        return NULL;
    }
    return line;
}

/* What an ok line of that pass must have; NULL if it has all, else a sentence. */
static const char *outcome_lacks_figures(const struct worker_run *run, const json_t *line)
{
    const char *source = json_text_at(line, "memory.held_source", "");
    switch (run->pass) {
    case RECORD_MEMORY:
        return strcmp(source, "stats") == 0 || strcmp(source, "smaps") == 0
                   ? NULL
                   : "the worker's line has no memory";
    case RECORD_INSTRUCTIONS:
        return run->instructions > 0 ? NULL : "callgrind left no count of the timed part";
    case RECORD_LATENCY:
        return json_is_object(json_object_get(line, "latency"))
                   ? NULL
                   : "the worker's line has no latency";
    default:
        return json_number_value(json_object_get(line, "cpu_ns_per_op")) > 0 &&
                       json_number_value(json_object_get(line, "wall_ns")) > 0
                   ? NULL
                   : "the worker's line has no time";
    }
}

/* What an ok line must have; NULL if it has all, else a sentence. */
static const char *outcome_lacks(const struct worker_run *run, const json_t *line)
{
    json_int_t iterations = json_integer_value(json_object_get(line, "iterations"));
    if (strcmp(json_text_at(line, "workload", ""), json_text_at(run->cell, "workload", "")) != 0) {
        return "the worker ran another workload";
    }
    if (iterations < 0 || (uint64_t)iterations != run->iterations) {
        return "the worker ran another number of iterations than was planned";
    }
    const json_t *threads = json_object_get(line, "threads");
    if (threads != NULL && json_equal(threads, json_object_get(run->cell, "threads")) == 0) {
        return "the worker ran another number of threads than was planned";
    }
    if (json_number_value(json_object_get(line, "operations")) <= 0) {
        return "the worker's line has no operations";
    }
    return outcome_lacks_figures(run, line);
}

/* The verdict on an exit with 0 or 1 and a whole line. The caller frees *reason. */
static const char *outcome_judge_line(const struct worker_run *run, const json_t *line,
                                      int exit_code, char **reason)
{
    const char *status = json_text_at(line, "status", "");
    bool ok = strcmp(status, "ok") == 0;
    bool not_applicable = strcmp(status, "not_applicable") == 0;
    const char *why = json_text_at(line, "reason", "");
    if (exit_code != 0 || (!ok && !not_applicable)) {
        *reason = text_format("%s", why[0] != '\0' ? why : "the worker says that it failed");
        return "failed";
    }
    const char *lacking = ok ? outcome_lacks(run, line) : NULL;
    *reason = text_format("%s", lacking != NULL ? lacking : ok ? "" : why);
    return lacking != NULL ? "failed" : not_applicable ? "not_applicable" : "ok";
}

static const char *outcome_judge(const struct worker_run *run, const struct process_result *result,
                                 const json_t *line, char **reason)
{
    bool answered = !result->timed_out && result->signal == 0 && result->exit_code <= 1;
    if (answered && line != NULL) {
        return outcome_judge_line(run, line, result->exit_code, reason);
    }
    char *how = worker_explain(result, run->timeout_s);
    if (result->timed_out || result->signal != 0 || result->exit_code != 0) {
        *reason = text_format("the worker %s", how);
    } else {
        *reason =
            text_format(result->output_bytes == 0 ? "the worker wrote no line"
                                                  : "the worker's line is not one JSON object");
    }
    free(how);
    return result->timed_out ? "timeout" : result->signal != 0 ? "crashed" : "failed";
}

/* The peak is the worker's own word: what wait4 says of it may be this program's (ru_maxrss is
 * inherited over fork and exec). A worker
 * that died without a line has none. */
static void outcome_add_process(json_t *outcome, const struct process_result *result)
{
    json_t *process =
        json_pack("{sI sI sI sI}", "cpu_ns", (json_int_t)result->cpu_ns, "wall_ns",
                  (json_int_t)result->wall_ns, "faults_minor", (json_int_t)result->faults_minor,
                  "faults_major", (json_int_t)result->faults_major);
    json_t *peak = json_object_get(outcome, "process_rss_bytes_peak");
    if (peak != NULL) {
        (void)json_object_set(process, "rss_bytes_peak", peak);
        (void)json_object_del(outcome, "process_rss_bytes_peak");
    }
    outcome_set(outcome, "process", process);
}

/* An outcome that is not ok keeps of the line only what explains it; the engine sees to that. */
json_t *worker_outcome_make(const struct worker_run *run, const struct process_result *result)
{
    char *reason = NULL;
    json_t *line = outcome_parse(result);
    const char *status = outcome_judge(run, result, line, &reason);
    json_t *outcome = line != NULL ? line : json_object();
    outcome_set(outcome, "status", json_string(status));
    outcome_set(outcome, "reason", outcome_text(reason));
    outcome_set(outcome, "iterations", json_integer((json_int_t)run->iterations));
    outcome_set(outcome, "exit_code", json_integer(result->exit_code));
    outcome_set(outcome, "signal", json_integer(result->signal));
    outcome_set(outcome, "stderr", outcome_text(result->stderr_tail));
    if (strcmp(status, "ok") == 0 && run->pass == RECORD_INSTRUCTIONS) {
        double operations = json_number_at(outcome, "operations", 1);
        outcome_set(outcome, "instructions", json_integer((json_int_t)run->instructions));
        outcome_set(outcome, "instructions_per_op",
                    json_real((double)run->instructions / operations));
    }
    outcome_add_process(outcome, result);
    free(reason);
    return outcome;
}
