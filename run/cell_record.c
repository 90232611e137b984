#include "run/cell_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "run/worker.h"

/* What a record takes over from the plan's cell. */
static const char *const cell_members[] = {"group",   "workload", "params", "threads",
                                           "backend", "arm",      "env",    "twin",
                                           "layout",  "preload",  "package"};

/* What it keeps of the worker's line when the cell is not ok: what explains, nothing that was
 * measured. */
static const char *const kept_members[] = {"malloc_owner", "thread_support", "compiler", "flags",
                                           "libraries"};

static void cell_record_set(json_t *record, const char *name, json_t *value)
{
    (void)json_object_set_new(record, name, value != NULL ? value : json_null());
}

/* Worker output is its own; what is not UTF-8 is shown as '?'. */
static json_t *cell_record_text(const char *text)
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
static json_t *cell_record_parse(const struct process_result *result)
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

static const char *cell_record_string(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* What an ok line of that pass must have; NULL if it has all, else a sentence. */
static const char *cell_record_lacks_figures(const struct cell_run *run, const json_t *line)
{
    const char *source = cell_record_string(json_object_get(line, "memory"), "held_source");
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
static const char *cell_record_lacks(const struct cell_run *run, const json_t *line)
{
    json_int_t iterations = json_integer_value(json_object_get(line, "iterations"));
    if (strcmp(cell_record_string(line, "workload"), cell_record_string(run->cell, "workload")) !=
        0) {
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
    return cell_record_lacks_figures(run, line);
}

/* The verdict on an exit with 0 or 1 and a whole line. The caller frees *reason. */
static const char *cell_record_judge_line(const struct cell_run *run, const json_t *line,
                                          int exit_code, char **reason)
{
    const char *status = cell_record_string(line, "status");
    bool ok = strcmp(status, "ok") == 0;
    bool not_applicable = strcmp(status, "not_applicable") == 0;
    const char *why = cell_record_string(line, "reason");
    if (exit_code != 0 || (!ok && !not_applicable)) {
        *reason = text_format("%s", why[0] != '\0' ? why : "the worker says that it failed");
        return "failed";
    }
    const char *lacking = ok ? cell_record_lacks(run, line) : NULL;
    if (lacking != NULL) {
        *reason = text_format("%s", lacking);
        return "failed";
    }
    const json_t *checksum = json_object_get(line, "checksum");
    if (ok && run->checksum != NULL && json_equal(run->checksum, checksum) == 0) {
        char *is = json_dumps(checksum, JSON_ENCODE_ANY);
        char *was = json_dumps(run->checksum, JSON_ENCODE_ANY);
        *reason = text_format("the checksum is %s, and that of %s %s", is != NULL ? is : "missing",
                              run->checksum_cell, was);
        free(is);
        free(was);
        return "failed";
    }
    if (ok && run->instructions_before > 0 && run->instructions != run->instructions_before) {
        *reason = text_format("warning: %" PRIu64 " instructions, and %" PRIu64
                              " in the round before: something in the cell differs from run to run",
                              run->instructions, run->instructions_before);
        return "ok";
    }
    *reason = text_format("%s", ok ? "" : why);
    return not_applicable ? "not_applicable" : "ok";
}

static const char *cell_record_judge(const struct cell_run *run,
                                     const struct process_result *result, const json_t *line,
                                     char **reason)
{
    bool answered = !result->timed_out && result->signal == 0 && result->exit_code <= 1;
    if (answered && line != NULL) {
        return cell_record_judge_line(run, line, result->exit_code, reason);
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
static void cell_record_add_process(json_t *record, const struct process_result *result)
{
    json_t *process =
        json_pack("{sI sI sI sI}", "cpu_ns", (json_int_t)result->cpu_ns, "wall_ns",
                  (json_int_t)result->wall_ns, "faults_minor", (json_int_t)result->faults_minor,
                  "faults_major", (json_int_t)result->faults_major);
    json_t *peak = json_object_get(record, "process_rss_bytes_peak");
    if (peak != NULL) {
        (void)json_object_set(process, "rss_bytes_peak", peak);
        (void)json_object_del(record, "process_rss_bytes_peak");
    }
    cell_record_set(record, "process", process);
}

static void cell_record_add_machine(json_t *record, const struct cell_run *run)
{
    static const char *const members[] = {"kernel", "cpu", "thp", "aslr"};
    uint64_t steal = run->after.steal_ticks - run->before.steal_ticks;
    uint64_t throttled = run->after.throttled_us - run->before.throttled_us;
    cell_record_set(record, "steal_ticks", json_integer((json_int_t)steal));
    cell_record_set(record, "throttled_us", json_integer((json_int_t)throttled));
    cell_record_set(record, "load1", json_real(run->before.load1));
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        (void)json_object_set(record, members[i], json_object_get(run->host, members[i]));
    }
}

static void cell_record_add_instructions(json_t *record, const struct cell_run *run)
{
    double operations = json_number_value(json_object_get(record, "operations"));
    cell_record_set(record, "instructions", json_integer((json_int_t)run->instructions));
    cell_record_set(record, "instructions_per_op",
                    json_real((double)run->instructions / operations));
}

/* Takes over all of an ok worker's members, or those that explain. */
static void cell_record_add_line(json_t *record, json_t *line, bool ok)
{
    if (line != NULL && ok) {
        (void)json_object_update(record, line);
    }
    for (size_t i = 0; line != NULL && !ok && i < sizeof(kept_members) / sizeof(kept_members[0]);
         i++) {
        json_t *value = json_object_get(line, kept_members[i]);
        if (value != NULL) {
            (void)json_object_set(record, kept_members[i], value);
        }
    }
}

static void cell_record_add_cell(json_t *record, const struct cell_run *run)
{
    char started[32];
    struct tm utc;
    (void)json_object_set(record, "cell", json_object_get(run->cell, "id"));
    for (size_t i = 0; i < sizeof(cell_members) / sizeof(cell_members[0]); i++) {
        (void)json_object_set(record, cell_members[i], json_object_get(run->cell, cell_members[i]));
    }
    cell_record_set(record, "iterations", json_integer((json_int_t)run->iterations));
    (void)strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&run->started, &utc));
    cell_record_set(record, "pass", json_string(record_pass_word(run->pass)));
    cell_record_set(record, "round", json_integer(run->round));
    cell_record_set(record, "seed", json_integer((json_int_t)run->seed));
    cell_record_set(record, "started", json_string(started));
    cell_record_set(record, "elapsed_s", json_real(run->elapsed_s));
}

json_t *cell_record_make(const struct cell_run *run, const struct process_result *result)
{
    char *reason = NULL;
    json_t *line = cell_record_parse(result);
    const char *status = cell_record_judge(run, result, line, &reason);
    bool ok = strcmp(status, "ok") == 0;
    json_t *record = json_object();
    cell_record_set(record, "format", json_string("heapmill-record-1"));
    cell_record_add_line(record, line, ok);
    cell_record_add_cell(record, run);
    cell_record_set(record, "status", json_string(status));
    cell_record_set(record, "reason", cell_record_text(reason));
    cell_record_set(record, "exit_code", json_integer(result->exit_code));
    cell_record_set(record, "signal", json_integer(result->signal));
    if (!ok) {
        cell_record_set(record, "stderr", cell_record_text(result->stderr_tail));
    }
    if (ok && run->pass == RECORD_INSTRUCTIONS) {
        cell_record_add_instructions(record, run);
    }
    cell_record_add_process(record, result);
    cell_record_add_machine(record, run);
    free(reason);
    json_decref(line);
    return record;
}
