#include "run/command/exec.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/process.h"
#include "common/host/text.h"
#include "run/command/program.h"
#include "run/command/tally_file.h"
#include "run/registry.h"
#include "run/selection.h"
#include "run/worker.h"

struct exec_session {
    const struct exec_request *request;
    struct registry registry;
    struct text_list settings; /* added to the environment */
    struct tally_files tallies;
};

/* ---------------------------------------------------------------- what is preloaded */
static enum status exec_add_library(struct exec_session *session, const char *name,
                                    struct text_list *preloads, struct error *error)
{
    char *path = registry_preload_path(&session->registry, name);
    if (strchr(path, '/') != NULL && access(path, R_OK) != 0) {
        enum status status =
            error_set(error, STATUS_UNSUPPORTED, "%s is not there%s: build heapmill whole", path,
                      session->registry.sanitized ? " (a sanitizer replaces malloc itself)" : "");
        free(path);
        return status;
    }
    text_list_add(preloads, path);
    return STATUS_OK;
}

static enum status exec_add_backend(struct exec_session *session, struct text_list *preloads,
                                    struct error *error)
{
    struct selection selection = {0};
    size_t index = 0;
    enum status status =
        selection_require(&selection, &session->registry, session->request->backend, &index, error);
    const struct selection_choice *choice = status == STATUS_OK ? &selection.choices[index] : NULL;
    if (choice != NULL && strcmp(choice->arm, "preload") != 0) {
        status = error_set(error, STATUS_INVALID,
                           "'%s' is no back end that can be preloaded; `heapmill list arms` shows "
                           "what there is",
                           session->request->backend);
    } else if (choice != NULL) {
        struct launch launch;
        const char *name;
        json_t *value;
        registry_launch(choice->backend, choice->arm, &launch);
        if (launch.preload[0] != '\0') {
            status = exec_add_library(session, launch.preload, preloads, error);
        }
        launch_free(&launch);
        json_object_foreach(choice->env, name, value)
        {
            text_list_add(&session->settings, text_format("%s=%s", name, json_string_value(value)));
        }
    }
    selection_free(&selection);
    return status;
}

/* Sets LD_PRELOAD: heapmill's libraries first, then the allocator, then what the user preloads. */
static enum status exec_settle(struct exec_session *session, struct error *error)
{
    const struct exec_request *request = session->request;
    const char *inherited = getenv("LD_PRELOAD");
    struct text_list preloads = {0};
    enum status status = STATUS_OK;
    if (request->stats) {
        status = exec_add_library(session, "libheapmill-tally.so", &preloads, error);
    }
    if (status == STATUS_OK && request->debug) {
        status = exec_add_library(session, "libheapmill-debug.so", &preloads, error);
    }
    if (status == STATUS_OK && request->backend != NULL) {
        status = exec_add_backend(session, &preloads, error);
    }
    if (inherited != NULL && inherited[0] != '\0') {
        text_list_add(&preloads, text_format("%s", inherited));
    }
    if (preloads.count > 0) {
        char *joined = text_join(&preloads, ":");
        text_list_add(&session->settings, text_format("LD_PRELOAD=%s", joined));
        free(joined);
    }
    if (request->fail_nth > 0) {
        text_list_add(&session->settings,
                      text_format("HEAPMILL_DEBUG_FAIL_NTH=%" PRIu64, request->fail_nth));
    }
    if (request->fail_every > 0) {
        text_list_add(&session->settings,
                      text_format("HEAPMILL_DEBUG_FAIL_EVERY=%" PRIu64, request->fail_every));
    }
    text_list_free(&preloads);
    return status;
}

/* ---------------------------------------------------------------- statistics */
static volatile sig_atomic_t exec_asked;
static volatile sig_atomic_t exec_passed_on;

static void exec_on_ask(int number)
{
    (void)number;
    exec_asked = 1;
}

static void exec_on_pass(int number)
{
    exec_passed_on = number;
}

static json_t *exec_classes(const struct tally *process)
{
    json_t *classes = json_array();
    for (size_t i = 0; i < TALLY_CLASSES; i++) {
        const struct tally_class *class = &process->classes[i];
        if (class->allocated > 0) {
            (void)json_array_append_new(
                classes, json_pack("{sI sI sI}", "bytes", (json_int_t)tally_class_bytes(i),
                                   "allocated", (json_int_t) class->allocated, "live",
                                   (json_int_t)(class->allocated - class->freed)));
        }
    }
    return classes;
}

static json_t *exec_stats_of(const struct tally *process)
{
    json_t *program = text_to_json(process->program);
    json_t *below = text_to_json(process->below);
    json_t *json = json_pack(
        "{so si so sI sI sI sI sI sI so}", "program", program, "pid", (int)process->pid, "malloc",
        below, "allocations", (json_int_t)process->allocations, "frees", (json_int_t)process->frees,
        "asked_bytes", (json_int_t)process->asked_bytes, "live_blocks",
        (json_int_t)process->live_blocks, "live_bytes", (json_int_t)process->live_bytes,
        "live_bytes_peak", (json_int_t)process->live_bytes_peak, "classes", exec_classes(process));
    if (process->held_bytes_peak > 0 || process->held_bytes > 0) {
        (void)json_object_set_new(json, "backend",
                                  json_pack("{sI sI sI sI sI sI sI}", "held_bytes",
                                            (json_int_t)process->held_bytes, "held_bytes_peak",
                                            (json_int_t)process->held_bytes_peak, "arenas_live",
                                            (json_int_t)process->arenas_live, "arenas_mapped",
                                            (json_int_t)process->arenas_mapped, "arenas_unmapped",
                                            (json_int_t)process->arenas_unmapped, "pools_live",
                                            (json_int_t)process->pools_live, "pools_free",
                                            (json_int_t)process->pools_free));
    }
    return json;
}

static void exec_print_process(const struct tally *process)
{
    char live[32];
    char peak[32];
    char asked[32];
    (void)text_of_bytes(live, sizeof(live), (double)process->live_bytes, 3);
    (void)text_of_bytes(peak, sizeof(peak), (double)process->live_bytes_peak, 3);
    (void)text_of_bytes(asked, sizeof(asked), (double)process->asked_bytes, 3);
    (void)fprintf(stderr,
                  "%s (%d), malloc of %s\n"
                  "  %" PRIu64 " allocations of %s in all, %" PRIu64 " frees\n"
                  "  live: %s in %" PRId64 " blocks; at most %s\n",
                  process->program, (int)process->pid, process->below, process->allocations, asked,
                  process->frees, live, (int64_t)process->live_blocks, peak);
    if (process->held_bytes_peak > 0) {
        char held[32];
        char most[32];
        (void)text_of_bytes(held, sizeof(held), (double)process->held_bytes, 3);
        (void)text_of_bytes(most, sizeof(most), (double)process->held_bytes_peak, 3);
        (void)fprintf(stderr,
                      "  the back end holds %s, at most %s: %.2f of what was live at most\n"
                      "  arenas: %" PRIu64 " now, %" PRIu64 " mapped and %" PRIu64
                      " unmapped; pools: %" PRIu64 " in use, %" PRIu64 " free\n",
                      held, most,
                      (double)process->held_bytes_peak / (double)(process->live_bytes_peak + 1),
                      process->arenas_live, process->arenas_mapped, process->arenas_unmapped,
                      process->pools_live, process->pools_free);
    }
    (void)fprintf(stderr, "  %12s %12s %12s\n", "bytes up to", "allocated", "live");
    for (size_t i = 0; i < TALLY_CLASSES; i++) {
        const struct tally_class *class = &process->classes[i];
        if (class->allocated > 0) {
            (void)fprintf(stderr, "  %12" PRIu64 " %12" PRIu64 " %12" PRId64 "\n",
                          tally_class_bytes(i), class->allocated,
                          (int64_t)(class->allocated - class->freed));
        }
    }
}

/* Prints the statistics on stderr, because stdout belongs to the command. */
static void exec_tell(struct exec_session *session)
{
    tally_files_read(&session->tallies);
    json_t *all = json_array();
    for (size_t i = 0; i < session->tallies.count; i++) {
        const struct tally *process = &session->tallies.processes[i];
        if (session->request->json) {
            (void)json_array_append_new(all, exec_stats_of(process));
        } else {
            exec_print_process(process);
        }
    }
    if (session->request->json) {
        json_t *json = json_pack("{sO}", "processes", all);
        (void)json_dumpf(json, stderr, JSON_INDENT(1));
        (void)fputc('\n', stderr);
        json_decref(json);
    }
    json_decref(all);
    if (session->tallies.count == 0) {
        (void)fprintf(stderr,
                      "heapmill exec: nothing was preloaded into %s: it is linked "
                      "statically, set-user-ID, or drops the environment\n",
                      session->request->command[0]);
    }
}

/* The user sends signals for the command to heapmill, whose process id is known. heapmill passes
 * them on. */
static void exec_handle(void (*handler)(int), void (*pass)(int))
{
    static const int passed[] = {SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGWINCH, SIGCONT, SIGTSTP};
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGUSR2, &action, NULL);
    action.sa_handler = pass;
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
        (void)sigaction(passed[i], &action, NULL);
    }
}

static enum status exec_run_told(struct exec_session *session, struct process_result *result,
                                 struct error *error)
{
    struct process process;
    const struct process_request request = {.arguments =
                                                (const char *const *)session->request->command,
                                            .settings = process_vector(&session->settings),
                                            .stdio = PROCESS_FOREGROUND,
                                            .stop_signal = SIGKILL};
    enum status status = process_start(&request, &process, error);
    if (status != STATUS_OK) {
        return status;
    }
    exec_handle(exec_on_ask, exec_on_pass);
    while (process_wait(&process, 1, 3600) > 0) {
        if (exec_passed_on != 0) {
            (void)kill(process.pid, exec_passed_on);
            exec_passed_on = 0;
        }
        if (exec_asked != 0) {
            exec_asked = 0;
            exec_tell(session);
        }
    }
    *result = process.result;
    process.result.output = NULL;
    process_free(&process);
    return STATUS_OK;
}

/* Ends heapmill as the command ended, so that its parent sees the same exit status or signal. */
static int exec_end_alike(const struct process_result *result)
{
    if (result->signal == 0) {
        return result->exit_code;
    }
    const struct rlimit none = {0, 0}; /* if there is a core file, it is the command's */
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t all;
    sigfillset(&all);
    (void)fflush(NULL);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)sigaction(result->signal, &action, NULL);
    (void)sigprocmask(SIG_UNBLOCK, &all, NULL);
    (void)raise(result->signal);
    return 128 + result->signal;
}

static enum status exec_with_stats(struct exec_session *session, int *exit_status,
                                   struct error *error)
{
    struct process_result result = {.output = NULL};
    enum status status = tally_files_open(&session->tallies, error);
    if (status == STATUS_OK) {
        text_list_add(&session->settings,
                      text_format(TALLY_DIRECTORY "=%s", session->tallies.directory.path));
        status = exec_run_told(session, &result, error);
    }
    if (status == STATUS_OK) {
        exec_tell(session);
    }
    tally_files_close(&session->tallies);
    if (status == STATUS_OK) {
        process_result_free(&result);
        *exit_status = exec_end_alike(&result);
    }
    return status;
}

/* ---------------------------------------------------------------- every allocation fails once */
/* Runs the command so that its nth allocation fails; 0: none fails. */
static enum status exec_run_failing(const struct exec_session *session, uint64_t nth,
                                    const char *count_path, struct process_result *result,
                                    struct error *error)
{
    struct text_list settings = {0};
    for (size_t i = 0; i < session->settings.count; i++) {
        text_list_add(&settings, text_format("%s", session->settings.items[i]));
    }
    text_list_add(&settings, text_format("HEAPMILL_DEBUG_FAIL_NTH=%" PRIu64, nth));
    text_list_add(&settings, text_format("HEAPMILL_DEBUG_COUNT=%s", count_path));
    const struct process_request request = {.arguments =
                                                (const char *const *)session->request->command,
                                            .settings = process_vector(&settings),
                                            .whole_tree = true,
                                            .timeout_s = session->request->timeout_s};
    enum status status = process_run(&request, result, error);
    text_list_free(&settings);
    if (status == STATUS_OK && result->interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    }
    return status;
}

static uint64_t exec_read_count(const char *path)
{
    char *bytes = NULL;
    size_t size = 0;
    struct error error;
    uint64_t count =
        file_read(path, &bytes, &size, &error) == STATUS_OK ? strtoull(bytes, NULL, 10) : 0;
    free(bytes);
    return count;
}

static enum status exec_fail_each(struct exec_session *session, int *exit_status,
                                  struct error *error)
{
    char path[] = "/tmp/heapmill-count-XXXXXX";
    int file = mkstemp(path);
    if (file < 0) {
        return error_set(error, STATUS_IO, "%s: %m", path);
    }
    (void)close(file);
    struct process_result result;
    uint64_t bad = 0;
    enum status status = exec_run_failing(session, 0, path, &result, error);
    uint64_t count = status == STATUS_OK ? exec_read_count(path) : 0;
    process_result_free(&result);
    if (status == STATUS_OK && count == 0) {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "%s has no allocation that could fail: it has none, does not end by "
                           "exit, or nothing can be preloaded into it",
                           session->request->command[0]);
    }
    for (uint64_t nth = 1; nth <= count && status == STATUS_OK; nth++) {
        status = exec_run_failing(session, nth, path, &result, error);
        if (status == STATUS_OK && (result.signal != 0 || result.timed_out)) {
            char *how = worker_explain(&result, session->request->timeout_s);
            bad++;
            (void)printf("allocation %" PRIu64 " of %" PRIu64 " fails: the command %s\n", nth,
                         count, how);
            free(how);
        }
        process_result_free(&result);
    }
    (void)unlink(path);
    if (status == STATUS_OK) {
        (void)printf("%" PRIu64 " allocations failed in turn: %" PRIu64 " crash%s\n", count, bad,
                     bad == 1 ? "" : "es");
        *exit_status = bad > 0 ? 1 : 0;
    }
    return status;
}

/* ---------------------------------------------------------------- */
static enum status exec_become(const struct exec_session *session, struct error *error)
{
    char *const *command = session->request->command;
    for (size_t i = 0; i < session->settings.count; i++) {
        (void)putenv(session->settings.items[i]); /* putenv keeps the string until exec */
    }
    (void)execvp(command[0], command);
    bool absent = errno == ENOENT || errno == EACCES;
    return error_set(error, absent ? STATUS_NOT_FOUND : STATUS_IO, "%s: %m", command[0]);
}

/* Refuses a program into which nothing can be preloaded: it would silently run with its own
 * malloc. */
static enum status exec_check(const struct exec_session *session, struct error *error)
{
    struct program program;
    enum status status = program_inspect(session->request->command[0], &program, error);
    char *refusal = status == STATUS_OK ? program_refusal(&program) : NULL;
    if (refusal != NULL) {
        status = error_set(error, STATUS_UNSUPPORTED, "%s", refusal);
    }
    free(refusal);
    program_free(&program);
    return status;
}

enum status exec_run(const struct exec_request *request, int *exit_status, struct error *error)
{
    struct exec_session session = {.request = request};
    enum status status = registry_open(&session.registry, error);
    if (status == STATUS_OK) {
        status = exec_check(&session, error);
    }
    if (status == STATUS_OK) {
        status = exec_settle(&session, error);
    }
    if (status == STATUS_OK && request->fail_each) {
        process_prepare_signals();
        status = exec_fail_each(&session, exit_status, error);
    } else if (status == STATUS_OK && request->stats) {
        status = exec_with_stats(&session, exit_status, error);
    } else if (status == STATUS_OK) {
        status = exec_become(&session, error);
    }
    text_list_free(&session.settings);
    registry_close(&session.registry);
    return status;
}
