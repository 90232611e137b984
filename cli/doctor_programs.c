#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "common/host/packages.h"
#include "common/host/process.h"
#include "common/host/text.h"
#include "run/machine.h"
#include "run/worker_executor.h"

static const double DOCTOR_VERSION_TIMEOUT_S = 10;

static void doctor_check_backend(json_t *rows, const struct registry *registry,
                                 const struct backend *backend)
{
    struct error error = {.message = ""};
    char *owner = NULL;
    const char *arm = backend_default_arm(backend);
    enum status status = preflight_backend(registry, backend, arm, true, &owner, &error);
    if (status == STATUS_OK) {
        doctor_add(rows, backend->name, "ok", "", "%s%s%s", arm,
                   owner != NULL ? ", malloc in " : "", owner != NULL ? owner : "");
    } else if (backend->kind == BACKEND_PEER) {
        char *remedy = text_format("apt-get install %s", backend->package);
        doctor_add(rows, backend->name, "missing", remedy, "%s", error.message);
        free(remedy);
    } else {
        doctor_add(rows, backend->name, "missing", "cmake --build --preset release", "%s",
                   error.message);
    }
    free(owner);
}

/* The path of a program in PATH; "" if no directory has it. The caller frees. */
static char *doctor_find_program(const char *program)
{
    struct text_list directories = {0};
    const char *path = getenv("PATH");
    char *found = text_format("%s", "");
    text_split(&directories, path != NULL ? path : "/usr/bin:/bin", ':');
    for (size_t i = 0; i < directories.count && found[0] == '\0'; i++) {
        char *candidate = text_format("%s/%s", directories.items[i], program);
        if (access(candidate, X_OK) == 0) {
            free(found);
            found = candidate;
        } else {
            free(candidate);
        }
    }
    text_list_free(&directories);
    return found;
}

/* Removes the escape sequences of colours, which some programs print to pipes too. */
static void doctor_strip_colours(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        if (from[0] == '\033' && from[1] == '[') {
            from += 2 + strspn(from + 2, "0123456789;");
            from += *from != '\0';
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/* The first line of `program --version`. The caller frees. */
static char *doctor_version(const char *path)
{
    const char *const arguments[] = {path, "--version", NULL};
    const char *const environment[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL};
    struct process_request request = {
        .arguments = arguments, .environment = environment, .timeout_s = DOCTOR_VERSION_TIMEOUT_S};
    struct process_result result;
    struct error error;
    enum status status = process_run(&request, &result, &error);
    char *version = status == STATUS_OK
                        ? text_format("%.*s", (int)strcspn(result.output, "\n"), result.output)
                        : text_format("does not start: %s", error.message);
    process_result_free(&result);
    doctor_strip_colours(version);
    return version;
}

/* needed: without the tool a command of heapmill does not work; otherwise only some facts are
 * unknown. */
static void doctor_check_tool(json_t *rows, const char *program, const char *package, bool needed,
                              const char *use)
{
    char *path = doctor_find_program(program);
    if (path[0] == '\0') {
        char *remedy = text_format("apt-get install %s", package);
        doctor_add(rows, program, needed ? "missing" : "warning", remedy,
                   "not found, needed for %s", use);
        free(remedy);
    } else {
        char *version = doctor_version(path);
        doctor_add(rows, program, "ok", "", "%s", version);
        free(version);
    }
    free(path);
}

static void doctor_check_counters(json_t *rows)
{
    char level[16];
    if (machine_read_line("/proc/sys/kernel/perf_event_paranoid", level, sizeof(level))) {
        bool barred = strtol(level, NULL, 10) > 2 && geteuid() != 0;
        doctor_add(rows, "perf events", barred ? "warning" : "ok",
                   barred ? "sudo sysctl kernel.perf_event_paranoid=2" : "",
                   "perf_event_paranoid is %s", level);
    }
}

void doctor_check_programs(json_t *rows, const struct registry *registry)
{
    for (size_t i = 0; i < registry->count; i++) {
        doctor_check_backend(rows, registry, registry->backends[i]);
    }
    if (registry->sanitized) {
        doctor_add(rows, "sanitizer", "warning",
                   "cmake --preset release && cmake --build --preset release",
                   "this build has one: its figures are of no use, and nothing can be preloaded");
    }
    char *clang = text_format("%s %s", package_named("clang"), package_named("libfuzzer"));
    doctor_check_tool(rows, "gnuplot", package_named("gnuplot"), true, "`heapmill plot`");
    doctor_check_tool(rows, "valgrind", package_named("valgrind"), false, "counting instructions");
    doctor_check_tool(rows, "clang", clang, false, "`heapmill fuzz` with libFuzzer");
    doctor_check_tool(rows, "afl-fuzz", package_named("afl"), false,
                      "`heapmill fuzz --engine afl`");
    doctor_check_tool(rows, "perf", package_named("perf"), false, "looking into a cell");
    free(clang);
    doctor_check_counters(rows);
}
