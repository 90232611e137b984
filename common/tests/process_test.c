/* What process_run says of children that end well, badly, late, or not at all. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/host/process.h"

static struct process_result run_shell(const char *script, bool record_fd, double timeout_s)
{
    const char *const arguments[] = {"/bin/sh", "-c", script, NULL};
    const char *const environment[] = {"PATH=/usr/bin:/bin", "ONLY=this", NULL};
    struct process_request request = {.arguments = arguments,
                                      .environment = environment,
                                      .timeout_s = timeout_s,
                                      .record_fd = record_fd};
    struct process_result result;
    struct error error;
    assert_int_equal(process_run(&request, &result, &error), STATUS_OK);
    return result;
}

static void output_and_diagnostics_are_kept_apart(void **state)
{
    (void)state;
    struct process_result result = run_shell("echo out; echo bad >&2; exit 7", false, 10);
    assert_int_equal(result.exit_code, 7);
    assert_int_equal(result.signal, 0);
    assert_string_equal(result.output, "out\n");
    assert_string_equal(result.stderr_tail, "bad\n");
    process_result_free(&result);
    result = run_shell("echo record >&3; echo chatter", true, 10);
    assert_string_equal(result.output, "record\n");
    assert_string_equal(result.stderr_tail, "chatter\n");
    process_result_free(&result);
}

static void the_end_of_long_diagnostics_is_kept(void **state)
{
    (void)state;
    struct process_result result =
        run_shell("i=0; while [ $i -lt 3000 ]; do echo $i >&2; i=$((i+1)); done", false, 20);
    size_t length = strlen(result.stderr_tail);
    assert_int_equal(length, PROCESS_STDERR_TAIL_BYTES);
    assert_string_equal(result.stderr_tail + length - 10, "2998\n2999\n");
    process_result_free(&result);
}

static void the_environment_is_the_given_one(void **state)
{
    (void)state;
    struct process_result result =
        run_shell("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=", false, 10);
    assert_true(strcmp(result.output, "PATH=/usr/bin:/bin\nONLY=this\n") == 0 ||
                strcmp(result.output, "ONLY=this\nPATH=/usr/bin:/bin\n") == 0);
    process_result_free(&result);
}

static void signals_and_timeouts_are_told(void **state)
{
    (void)state;
    struct process_result result = run_shell("kill -SEGV $$", false, 10);
    assert_int_equal(result.signal, SIGSEGV);
    assert_false(result.timed_out);
    process_result_free(&result);
    result = run_shell("sleep 60", false, 0.1);
    assert_true(result.timed_out);
    assert_int_equal(result.signal, SIGKILL);
    assert_true(result.wall_ns < UINT64_C(10000000000));
    process_result_free(&result);
}

/* Not gone, and no zombie that init has yet to reap. */
static bool process_runs(pid_t pid)
{
    char path[64];
    char text[256] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    return strstr(text, ") Z ") == NULL && strstr(text, ") X ") == NULL && length > 0;
}

/* A grandchild that holds the pipes is killed with the child's group, and not waited for. */
static void leftovers_of_a_child_are_ended(void **state)
{
    (void)state;
    struct process_result result = run_shell("sleep 60 & echo $!", false, 10);
    pid_t grandchild = (pid_t)strtol(result.output, NULL, 10);
    assert_int_equal(result.exit_code, 0);
    assert_true(grandchild > 1);
    assert_true(result.wall_ns < UINT64_C(5000000000));
    process_result_free(&result);
    for (int i = 0; i < 100 && process_runs(grandchild); i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_false(process_runs(grandchild));
}

/* Killed without a chance to clean up, the process that called process_run takes its child with it.
 */
static void children_die_with_their_parent(void **state)
{
    (void)state;
    int channel[2];
    assert_int_equal(pipe(channel), 0);
    pid_t parent = fork();
    if (parent == 0) {
        char script[64];
        (void)snprintf(script, sizeof(script), "echo $$ >/proc/%d/fd/%d; exec sleep 60", getpid(),
                       channel[1]);
        struct process_result result = run_shell(script, false, 60);
        process_result_free(&result);
        _exit(0);
    }
    char text[32] = "";
    assert_true(read(channel[0], text, sizeof(text) - 1) > 0);
    pid_t child = (pid_t)strtol(text, NULL, 10);
    assert_true(process_runs(child));
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    for (int i = 0; i < 200 && process_runs(child); i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_false(process_runs(child));
    (void)close(channel[0]);
    (void)close(channel[1]);
}

static void a_missing_program_is_not_found(void **state)
{
    (void)state;
    const char *const arguments[] = {"/no/such/program", NULL};
    const char *const environment[] = {NULL};
    struct process_request request = {
        .arguments = arguments, .environment = environment, .timeout_s = 10};
    struct process_result result;
    struct error error;
    assert_int_equal(process_run(&request, &result, &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "/no/such/program"));
    process_result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_diagnostics_are_kept_apart),
        cmocka_unit_test(the_end_of_long_diagnostics_is_kept),
        cmocka_unit_test(the_environment_is_the_given_one),
        cmocka_unit_test(signals_and_timeouts_are_told),
        cmocka_unit_test(leftovers_of_a_child_are_ended),
        cmocka_unit_test(children_die_with_their_parent),
        cmocka_unit_test(a_missing_program_is_not_found),
    };
    process_prepare_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
