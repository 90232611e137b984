#include "run/command/inquiry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "common/host/text.h"
#include "run/command/command_run.h"
#include "run/command/output.h"
#include "run/command/program.h"
#include "run/command/tally_file.h"
#include "run/worker.h"

#define INQUIRY_LIBRARY "libheapmill-tally.so"

/* If a program has an allocator linked into its file, and asks malloc for less than this share of
 * its memory, it serves itself and is refused. Without a linked allocator it only gets a note,
 * since it may use mmap. */
#define INQUIRY_OWN_SHARE 0.25
#define INQUIRY_LITTLE_SHARE 0.1
enum { INQUIRY_MEMORY_MIN = 32 << 20, INQUIRY_ALLOCATIONS_FEW = 1000, INQUIRY_NAMED_MAX = 5 };

struct inquiry {
    struct command_executor *command;
    double timeout_s;
    json_t *spec;
    json_t *notes;
    struct program program;
    struct tally_files tallies;
};

static void inquiry_note(struct inquiry *inquiry, char *sentence)
{
    (void)json_array_append_new(inquiry->notes, text_to_json(sentence));
    free(sentence);
}

/* ---------------------------------------------------------------- the command as it is */
static enum status inquiry_run(struct inquiry *inquiry, const char *preload, const char *more,
                               struct command_result *result, struct error *error)
{
    const struct command_launch launch = {
        .spec = inquiry->spec,
        .preload = preload,
        .more = more,
        .library = more != NULL ? INQUIRY_LIBRARY : NULL,
        .guard = inquiry->command->guard,
        .memory = command_memory_of_word(json_text_at(inquiry->spec, "memory_source", "")),
        .output_fd = inquiry->command->output_fd,
        .timeout_s = inquiry->timeout_s};
    return command_run(&launch, result, error);
}

/* Refuses a command that fails, unless the user allows it. A server that SIGTERM ended has not
 * failed. */
static enum status inquiry_judge_end(const struct inquiry *inquiry,
                                     const struct command_result *result, struct error *error)
{
    const struct process_result *process = &result->process;
    bool server = json_object_get(inquiry->spec, "load") != NULL;
    bool fails = process->timed_out || (process->signal != 0 && !server) || process->exit_code != 0;
    if (result->problem != NULL) {
        return error_set(error, STATUS_UNSUPPORTED, "as it is the command %s", result->problem);
    }
    if (fails && !json_bool_at(inquiry->spec, "ignore_failure", false)) {
        char *how = worker_explain(process, inquiry->timeout_s);
        enum status status = error_set(
            error, STATUS_UNSUPPORTED,
            "the command as it is %s: repair it, or measure it nevertheless with --ignore-failure",
            how);
        free(how);
        return status;
    }
    return STATUS_OK;
}

static enum status inquiry_take_reference(struct inquiry *inquiry,
                                          const struct command_result *result, struct error *error)
{
    enum status status = inquiry_judge_end(inquiry, result, error);
    if (status != STATUS_OK) {
        return status;
    }
    json_t *reference = output_describe(inquiry->command->output_fd);
    if (reference == NULL) {
        return error_set(error, STATUS_IO, "the command's output could not be read: %m");
    }
    uint64_t wall_ns = result->process.wall_ns;
    (void)json_object_set_new(reference, "exit_code", json_integer(result->process.exit_code));
    (void)json_object_set_new(reference, "signal", json_integer(result->process.signal));
    (void)json_object_set_new(reference, "wall_ns", json_integer((json_int_t)wall_ns));
    (void)json_object_set_new(inquiry->spec, "reference", reference);
    if (strcmp(json_text_at(inquiry->spec, "memory_source", ""), "pss") == 0 &&
        result->watch.processes_most <= 1 && json_object_get(inquiry->spec, "load") == NULL) {
        (void)json_object_set_new(inquiry->spec, "memory_source", json_string("rss"));
    }
    return STATUS_OK;
}

/* Runs the warm-up. The last of its runs is the reference. */
static enum status inquiry_warm_up(struct inquiry *inquiry, struct error *error)
{
    uint64_t runs = json_count_at(inquiry->spec, "warmup", 1);
    enum status status = STATUS_OK;
    for (uint64_t i = 0; i < (runs > 0 ? runs : 1) && status == STATUS_OK; i++) {
        struct command_result result;
        status = inquiry_run(inquiry, "", NULL, &result, error);
        if (status == STATUS_OK) {
            status = inquiry_take_reference(inquiry, &result, error);
        }
        command_result_free(&result);
    }
    return status;
}

/* ---------------------------------------------------------------- which malloc serves it */
static const char *inquiry_base_name(const char *path)
{
    return strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
}

static enum status inquiry_refuse(const struct inquiry *inquiry, const struct tally *most,
                                  const struct command_result *result, struct error *error)
{
    if (most == NULL) {
        return error_set(
            error, STATUS_UNSUPPORTED,
            "a preloaded library does not reach the command: it starts its programs without its "
            "own environment, or with its own loader; name the program itself");
    }
    /* The owner may be the executable itself, if it calls a library's malloc through its own PLT
     * entry. Allocations were then counted nevertheless. */
    if (strstr(most->owner, INQUIRY_LIBRARY) == NULL && most->allocations == 0) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "%s has its own malloc, in %s: a preloaded allocator is not used, and all "
                         "figures would be those of that malloc",
                         most->program, inquiry_base_name(most->owner));
    }
    double asked = (double)most->live_bytes_peak;
    double held = (double)result->watch.anonymous_bytes_peak;
    if (inquiry->program.carries != NULL && held > INQUIRY_MEMORY_MIN &&
        asked < INQUIRY_OWN_SHARE * held) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "%s contains %s and uses it: it has %.0f MiB, of which malloc was asked "
                         "for only %.1f MiB; a preloaded allocator cannot change that",
                         inquiry->program.path, inquiry->program.carries, held / (1 << 20),
                         asked / (1 << 20));
    }
    return STATUS_OK;
}

/* Notes what a reader should know beside the figures. */
static void inquiry_tell(struct inquiry *inquiry, const struct tally *most,
                         const struct command_result *result)
{
    double asked = (double)most->live_bytes_peak;
    double held = (double)result->watch.anonymous_bytes_peak;
    const char *below = inquiry_base_name(most->below);
    bool brings = strncmp(below, "libc.so", strlen("libc.so")) != 0;
    (void)json_object_set_new(inquiry->spec, "brings_malloc", json_boolean(brings));
    (void)json_object_set_new(inquiry->spec, "malloc",
                              json_pack("{ss ss sI sI si}", "owner", below, "program",
                                        most->program, "allocations", (json_int_t)most->allocations,
                                        "live_bytes_peak", (json_int_t)most->live_bytes_peak,
                                        "processes", (int)inquiry->tallies.count));
    if (brings) {
        inquiry_note(
            inquiry,
            text_format("the command has its own allocator, %s: the others are compared with it",
                        below));
    }
    if (most->allocations < INQUIRY_ALLOCATIONS_FEW) {
        inquiry_note(
            inquiry,
            text_format("it calls malloc only %llu times: an allocator can hardly change anything",
                        (unsigned long long)most->allocations));
    } else if (held > INQUIRY_MEMORY_MIN && asked < INQUIRY_LITTLE_SHARE * held) {
        inquiry_note(inquiry, text_format("of the %.0f MiB that it uses, only %.1f MiB are from "
                                          "malloc: an allocator cannot change the rest",
                                          held / (1 << 20), asked / (1 << 20)));
    }
    struct text_list *unreached = (struct text_list *)&result->watch.unreached;
    if (unreached->count > 0) {
        char *names = text_join(unreached, ", ");
        inquiry_note(inquiry,
                     text_format("these programs are not reached, and always run as they are: %s "
                                 "(started without the environment, static, or set-user-ID)",
                                 names));
        free(names);
    }
}

static enum status inquiry_probe(struct inquiry *inquiry, struct error *error)
{
    struct command_result result = {.problem = NULL};
    char *library = registry_preload_path(inquiry->command->registry, INQUIRY_LIBRARY);
    enum status status = tally_files_open(&inquiry->tallies, error);
    if (status == STATUS_OK) {
        char *more = text_format(TALLY_DIRECTORY "=%s", inquiry->tallies.directory.path);
        status = inquiry_run(inquiry, library, more, &result, error);
        free(more);
    }
    if (status == STATUS_OK) {
        tally_files_read(&inquiry->tallies);
        const struct tally *most = tally_files_main(&inquiry->tallies);
        status = inquiry_refuse(inquiry, most, &result, error);
        if (status == STATUS_OK) {
            inquiry_tell(inquiry, most, &result);
        }
    }
    tally_files_close(&inquiry->tallies);
    command_result_free(&result);
    free(library);
    return status;
}

/* ---------------------------------------------------------------- its output */
/* Runs the command once more as it is. If the output differs, outputs are not compared. */
static enum status inquiry_compare(struct inquiry *inquiry, struct error *error)
{
    if (!json_bool_at(inquiry->spec, "compare_output", true)) {
        return STATUS_OK;
    }
    struct command_result result;
    enum status status = inquiry_run(inquiry, "", NULL, &result, error);
    char *difference = status == STATUS_OK
                           ? output_difference(json_object_get(inquiry->spec, "reference"),
                                               inquiry->command->output_fd)
                           : NULL;
    if (difference != NULL) {
        (void)json_object_set_new(inquiry->spec, "compare_output", json_false());
        inquiry_note(
            inquiry,
            text_format("its output differs from run to run (%s), so outputs are not compared",
                        difference));
    }
    free(difference);
    command_result_free(&result);
    return status;
}

enum status inquiry_make(struct command_executor *command, json_t *spec, double timeout_s,
                         struct error *error)
{
    struct inquiry inquiry = {.command = command,
                              .timeout_s = timeout_s,
                              .spec = spec,
                              .notes = json_object_get(spec, "notes")};
    const char *name = json_string_value(json_array_get(json_object_get(spec, "argv"), 0));
    enum status status = program_inspect(name, &inquiry.program, error);
    char *refusal = status == STATUS_OK ? program_refusal(&inquiry.program) : NULL;
    if (refusal != NULL) {
        status = error_set(error, STATUS_UNSUPPORTED, "%s", refusal);
    }
    free(refusal);
    if (status == STATUS_OK) {
        const char *memory = command_memory_word(command_memory_here());
        (void)json_object_set_new(spec, "memory_source", json_string(memory));
        (void)json_object_set_new(spec, "python", json_boolean(inquiry.program.is_python));
        status = inquiry_warm_up(&inquiry, error);
    }
    if (status == STATUS_OK) {
        status = inquiry_probe(&inquiry, error);
    }
    if (status == STATUS_OK && json_object_get(spec, "load") == NULL) {
        status = inquiry_compare(&inquiry, error);
    } else if (status == STATUS_OK) {
        (void)json_object_set_new(spec, "compare_output", json_false());
    }
    program_free(&inquiry.program);
    return status;
}
