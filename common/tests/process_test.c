/* What process_run says of children that end well, badly, late, or not at all. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
                                      .stdio = record_fd ? PROCESS_RECORD : PROCESS_CAPTURE};
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

/* Several run at once; the wait ends at the first end, and the rest is stopped. */
static void several_children_are_followed_and_stopped(void **state)
{
    (void)state;
    struct error error;
    struct process crew[3] = {{.pid = 0}};
    static const char *const scripts[] = {"exit 3", "trap 'exit 4' TERM; echo up; sleep 60 & wait",
                                          "trap '' TERM; echo up; while :; do sleep 60; done"};
    for (size_t i = 0; i < 3; i++) {
        const char *const arguments[] = {"sh", "-c", scripts[i], NULL};
        const struct process_request request = {.arguments = arguments, .stop_signal = SIGTERM};
        assert_int_equal(process_start(&request, &crew[i], &error), STATUS_OK);
    }
    for (int i = 0; i < 500 && (crew[0].running || crew[1].result.output_bytes == 0 ||
                                crew[2].result.output_bytes == 0);
         i++) {
        (void)process_wait(crew, 3, 0.05);
    }
    assert_false(crew[0].running);
    assert_int_equal(crew[0].result.exit_code, 3);
    assert_int_equal(process_wait(crew, 3, 0), 2);
    process_stop(crew, 3, 0.3);
    assert_int_equal(crew[1].result.exit_code, 4);    /* it ended in order */
    assert_int_equal(crew[2].result.signal, SIGKILL); /* it had to be killed */
    for (size_t i = 0; i < 3; i++) {
        process_free(&crew[i]);
    }
}

/* A descendant that has left the group is counted, adopted and ended. */
static void descendants_in_other_sessions_are_ended(void **state)
{
    (void)state;
    struct error error;
    struct process_result result;
    const char *const arguments[] = {
        "sh", "-c", "setsid sh -c 'i=0; while :; do i=$((i+1)); done' & echo $!; sleep 60", NULL};
    const struct process_request request = {
        .arguments = arguments, .whole_tree = true, .timeout_s = 1.5};
    assert_int_equal(process_run(&request, &result, &error), STATUS_OK);
    pid_t descendant = (pid_t)strtol(result.output, NULL, 10);
    assert_true(result.timed_out);
    assert_true(descendant > 1);
    assert_false(process_runs(descendant));
    assert_true(result.cpu_ns > 20000000); /* the loop's; the shell needs 2 ms */
    process_result_free(&result);
}

static void the_place_and_the_log_are_the_given_ones(void **state)
{
    (void)state;
    struct error error;
    struct process_result result;
    const char *const arguments[] = {"sh", "-c", "pwd; echo $MORE; echo bad >&2", NULL};
    const char *const settings[] = {"MORE=less", NULL};
    char log[] = "/tmp/heapmill-process-XXXXXX";
    int file = mkstemp(log);
    const struct process_request request = {.arguments = arguments,
                                            .settings = settings,
                                            .directory = "/",
                                            .stdio = PROCESS_LOG,
                                            .log = log};
    assert_true(file >= 0);
    assert_int_equal(process_run(&request, &result, &error), STATUS_OK);
    process_result_free(&result);
    char text[64] = "";
    assert_true(read(file, text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "/\nless\nbad\n");
    (void)close(file);
    (void)unlink(log);
    struct process_request nowhere = request;
    nowhere.directory = "/no/such/place";
    assert_int_equal(process_run(&nowhere, &result, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "/no/such/place"));
    process_result_free(&result);
    (void)unlink(log);
}

/* Two that wait for each other end just if they run at the same time; a third finds what they have
 * left. Results are in the order of the requests. */
static void several_run_at_once_and_answer_in_order(void **state)
{
    (void)state;
    static const char *const first[] = {"sh", "-c", "echo from first > process.pipe; echo 1", NULL};
    static const char *const second[] = {"sh", "-c", "cat process.pipe; exit 2", NULL};
    static const char *const third[] = {"sh", "-c", "rm process.pipe; echo 3", NULL};
    const struct process_request requests[] = {{.arguments = first, .timeout_s = 20},
                                               {.arguments = second, .timeout_s = 20},
                                               {.arguments = third, .timeout_s = 20}};
    struct process_result results[3];
    struct error error;
    (void)unlink("process.pipe");
    assert_int_equal(mkfifo("process.pipe", 0600), 0);
    assert_int_equal(process_run_all(requests, results, 3, 2, &error), STATUS_OK);
    assert_string_equal(results[0].output, "1\n");
    assert_string_equal(results[1].output, "from first\n");
    assert_int_equal(results[1].exit_code, 2);
    assert_string_equal(results[2].output, "3\n");
    for (size_t i = 0; i < 3; i++) {
        assert_false(results[i].timed_out || results[i].interrupted);
        process_result_free(&results[i]);
    }
}

/* One at a time they never meet: each is late by its own limit, and the third runs all the same. */
static void each_of_several_has_its_own_limit(void **state)
{
    (void)state;
    static const char *const sleeper[] = {"sleep", "60", NULL};
    static const char *const quick[] = {"true", NULL};
    const struct process_request requests[] = {{.arguments = sleeper, .timeout_s = 0.2},
                                               {.arguments = quick},
                                               {.arguments = sleeper, .timeout_s = 0.1}};
    struct process_result results[3];
    struct error error;
    for (size_t at_once = 1; at_once < 6; at_once += 2) {
        assert_int_equal(process_run_all(requests, results, 3, at_once, &error), STATUS_OK);
        assert_true(results[0].timed_out && results[2].timed_out && !results[1].timed_out);
        for (size_t i = 0; i < 3; i++) {
            process_result_free(&results[i]);
        }
    }
}

static void one_of_several_that_is_not_there_stops_the_others(void **state)
{
    (void)state;
    static const char *const sleeper[] = {"sleep", "60", NULL};
    static const char *const absent[] = {"/none/such", NULL};
    const struct process_request requests[] = {
        {.arguments = sleeper}, {.arguments = absent}, {.arguments = sleeper}};
    struct process_result results[3];
    struct error error;
    assert_int_equal(process_run_all(requests, results, 3, 2, &error), STATUS_NOT_FOUND);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(results[i].output, "");
        process_result_free(&results[i]);
    }
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
        cmocka_unit_test(several_children_are_followed_and_stopped),
        cmocka_unit_test(descendants_in_other_sessions_are_ended),
        cmocka_unit_test(the_place_and_the_log_are_the_given_ones),
        cmocka_unit_test(several_run_at_once_and_answer_in_order),
        cmocka_unit_test(each_of_several_has_its_own_limit),
        cmocka_unit_test(one_of_several_that_is_not_there_stops_the_others),
    };
    process_prepare_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
