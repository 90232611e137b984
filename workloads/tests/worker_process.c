#include "workloads/tests/worker_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 32, NAME_BYTES_MAX = 128 };

/* In the child: never returns. */
static void start(const char *path, const char *const *arguments, const char *preload, FILE *output,
                  FILE *errors)
{
    char *argv[ARGUMENTS_MAX + 2] = {(char *)path};
    for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; i++) {
        argv[i + 1] = (char *)arguments[i];
    }
    if (dup2(fileno(output), STDOUT_FILENO) < 0 || dup2(fileno(errors), STDERR_FILENO) < 0) {
        _exit(126);
    }
    if (preload != NULL) {
        (void)setenv("LD_PRELOAD", preload, 1);
    }
    (void)execv(path, argv);
    _exit(127);
}

static char *read_whole(FILE *file)
{
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long length = ftell(file);
    assert_true(length >= 0);
    rewind(file);
    char *text = calloc(1, (size_t)length + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)length, file), length);
    (void)fclose(file);
    return text;
}

struct worker_outcome worker_run(const char *directory, const char *name,
                                 const char *const *arguments, const char *preload)
{
    struct worker_outcome outcome = {.exit_code = -1};
    char path[4096];
    int status = 0;
    FILE *output = tmpfile();
    FILE *errors = tmpfile();
    assert_non_null(output);
    assert_non_null(errors);
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        start(path, arguments, preload, output, errors);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
        outcome.exit_code = WEXITSTATUS(status);
    } else {
        outcome.signal = WTERMSIG(status);
    }
    outcome.output = read_whole(output);
    outcome.errors = read_whole(errors);
    return outcome;
}

void worker_outcome_free(struct worker_outcome *outcome)
{
    free(outcome->output);
    free(outcome->errors);
}

json_t *worker_json(const struct worker_outcome *outcome)
{
    json_error_t error;
    json_t *json = json_loads(outcome->output, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        fail_msg("not JSON: %s at %d: %.200s", error.text, error.position, outcome->output);
    }
    return json;
}

json_t *worker_run_json(const char *directory, const char *name, const char *const *arguments,
                        int exit_code)
{
    struct worker_outcome outcome = worker_run(directory, name, arguments, NULL);
    if (outcome.exit_code != exit_code) {
        fail_msg("%s %s %s %s: exit code %d, signal %d, not exit code %d: %s%s", name, arguments[0],
                 arguments[1], arguments[2], outcome.exit_code, outcome.signal, exit_code,
                 outcome.errors, outcome.output);
    }
    json_t *json = worker_json(&outcome);
    worker_outcome_free(&outcome);
    return json;
}

const char *worker_text(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    if (!json_is_string(value)) {
        fail_msg("no text '%s'", member);
    }
    return json_string_value(value);
}

double worker_number(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    if (!json_is_number(value)) {
        fail_msg("no number '%s'", member);
    }
    return json_number_value(value);
}

json_t *worker_array(const json_t *object, const char *member)
{
    json_t *value = json_object_get(object, member);
    if (!json_is_array(value)) {
        fail_msg("no array '%s'", member);
    }
    return value;
}

void worker_for_each(const char *names, void (*visit)(const char *name, void *context),
                     void *context)
{
    while (*names != '\0') {
        char name[NAME_BYTES_MAX];
        size_t length = strcspn(names, " ");
        assert_true(length < sizeof(name));
        memcpy(name, names, length);
        name[length] = '\0';
        visit(name, context);
        names += length + (names[length] == ' ');
    }
}
