/* `heapmill try` and `heapmill exec`, as a user calls them, with a program of which it is known
 * what happens under an allocator (run/tests/programs/gain.c). */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"
#include "common/host/files.h"
#include "common/host/json.h"
#include "common/host/text.h"
#include "run/command/tune.h"

#define OURS "pymalloc-3.10"

/* heapmill try -b pymalloc-3.10 -o NAME --json OPTION -- WORDS…, and its answer; NULL options are
 * left out. */
static json_t *try_ask(const char *name, const char *option, const char *value,
                       const char *const *words, int status)
{
    const char *arguments[24] = {"try", "-b", OURS, "--rounds", "1", "--json", "-o", name};
    size_t count = 8;
    if (option != NULL) {
        arguments[count++] = option;
    }
    if (value != NULL) {
        arguments[count++] = value;
    }
    arguments[count++] = "--";
    for (size_t i = 0; words[i] != NULL; i++) {
        arguments[count++] = words[i];
    }
    struct fixture_outcome outcome = fixture_run(arguments);
    json_t *answer = fixture_json(&outcome, status);
    fixture_outcome_free(&outcome);
    return answer;
}

/* Expects a refusal whose message has the text. */
static void try_expect_refusal(const char *const *words, const char *text)
{
    const char *arguments[16] = {"try", "-b", OURS, "-o", "refused", "--"};
    size_t count = 6;
    for (size_t i = 0; words[i] != NULL; i++) {
        arguments[count++] = words[i];
    }
    struct fixture_outcome outcome = fixture_run(arguments);
    if (outcome.status != 3 || strstr(outcome.err, text) == NULL) {
        fail_msg("status %d, and not “%s”: %s", outcome.status, text, outcome.err);
    }
    fixture_outcome_free(&outcome);
    assert_int_equal(access("refused", F_OK), -1);
}

static const char *try_failure(const json_t *answer, const char *member)
{
    return json_text_at(json_array_get(json_object_get(answer, "failures"), 0), member, "");
}

static void every_run_is_a_record(void **state)
{
    (void)state;
    const char *const words[] = {HEAPMILL_GAIN, "exchange", NULL};
    json_t *answer = try_ask("plain", NULL, NULL, words, 0);
    json_t *records = fixture_read_lines("plain/records.jsonl");
    assert_int_equal(json_array_size(records), 4); /* as it is, two twins, and ours */
    assert_int_equal(fixture_count_records(records, "status", "ok"), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *record = json_array_get(records, i);
        assert_true(json_number_at(record, "ns_per_op", 0) > 1e6);
        assert_true(json_number_at(record, "command.cpu_ns", 0) > 1e6);
        assert_true(json_number_at(record, "command.faults", 0) > 10);
    }
    assert_int_equal(json_array_size(json_object_get(answer, "failures")), 0);
    assert_non_null(strstr(json_text_at(answer, "verdict", ""), "six rounds"));
    json_decref(records);
    json_decref(answer);
}

static void another_output_is_a_failure_with_its_line(void **state)
{
    (void)state;
    const char *const words[] = {HEAPMILL_GAIN, "library", NULL};
    json_t *answer = try_ask("other", NULL, NULL, words, 4);
    assert_string_equal(try_failure(answer, "backend"), OURS);
    assert_string_equal(try_failure(answer, "status"), "failed");
    assert_non_null(strstr(try_failure(answer, "reason"), "line 2 is"));
    assert_non_null(strstr(try_failure(answer, "reason"), "and was “none”"));
    struct text_list kept = {0};
    file_list_names("other/outputs", &kept);
    assert_int_equal(kept.count, 1);
    char *path = text_format("other/outputs/%s", kept.items[0]);
    char *text = fixture_read(path);
    assert_non_null(strstr(text, "libheapmill-" OURS));
    free(text);
    free(path);
    text_list_free(&kept);
    json_decref(answer);
    answer = try_ask("other2", "--ignore-output", NULL, words, 0);
    json_decref(answer);
}

static void an_output_that_always_differs_is_not_compared(void **state)
{
    (void)state;
    const char *const words[] = {HEAPMILL_GAIN, "flaky", NULL};
    json_t *answer = try_ask("flaky", NULL, NULL, words, 0);
    char *notes = json_dumps(json_object_get(answer, "notes"), 0);
    assert_non_null(strstr(notes, "differs from run to run"));
    free(notes);
    json_decref(answer);
}

static void a_crash_under_an_allocator_is_told(void **state)
{
    (void)state;
    const char *const words[] = {HEAPMILL_GAIN, "die", NULL};
    json_t *answer = try_ask("die", NULL, NULL, words, 4);
    assert_string_equal(try_failure(answer, "status"), "crashed");
    json_decref(answer);
}

static void the_users_own_check_decides(void **state)
{
    (void)state;
    const char *const words[] = {HEAPMILL_GAIN, "fragments", NULL};
    json_t *answer = try_ask("check", "--check", "grep -q done", words, 0);
    json_decref(answer);
    answer = try_ask("check2", "--check", "grep -q never", words, 4);
    assert_non_null(strstr(try_failure(answer, "reason"), "--check"));
    json_decref(answer);
}

static void what_cannot_be_measured_is_refused(void **state)
{
    (void)state;
    const char *const is_static[] = {HEAPMILL_STATIC, NULL};
    const char *const set_id[] = {"./su-gain", "nothing", NULL};
    const char *const own[] = {HEAPMILL_OWN_MALLOC, NULL};
    const char *const fails[] = {"false", NULL};
    assert_int_equal(system("cp " HEAPMILL_GAIN " su-gain && chmod u+s su-gain"), 0);
    try_expect_refusal(set_id, "set-user-ID");
    try_expect_refusal(own, "has its own malloc");
    try_expect_refusal(fails, "--ignore-failure");
    if (HEAPMILL_STATIC[0] != '\0') {
        try_expect_refusal(is_static, "linked statically");
    }
}

static void nothing_of_the_users_is_left_behind(void **state)
{
    (void)state;
    const char *const words[] = {HEAPMILL_GAIN, "escape", NULL};
    json_t *answer = try_ask("escape", NULL, NULL, words, 0);
    assert_int_equal(fixture_count_processes(), 0);
    json_decref(answer);
}

static void a_tree_is_summed_up(void **state)
{
    (void)state;
    const char *const words[] = {HEAPMILL_GAIN, "tree", "4", NULL};
    json_t *answer = try_ask("tree", NULL, NULL, words, 0);
    json_t *records = fixture_read_lines("tree/records.jsonl");
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        double bytes = json_number_at(record, "command.memory_bytes_peak", 0);
        if (strcmp(json_text_at(record, "command.memory_source", ""), "pss") == 0) {
            /* Two children of 32 MiB each; a look may miss the second one's last pages. */
            assert_true(bytes > 40 << 20 && bytes < 90 << 20);
        }
    }
    json_decref(records);
    json_decref(answer);
}

static void a_server_is_measured_by_its_load(void **state)
{
    (void)state;
    const char *const arguments[] = {
        "try",         "-b",        OURS,     "--rounds", "1",
        "--json",      "-o",        "served", "--load",   "echo 'Requests/sec: 50'; sleep 0.1",
        "--ready",     "now ready", "--idle", "0.05s",    "--",
        HEAPMILL_GAIN, "serve",     "24",     NULL};
    struct fixture_outcome outcome = fixture_run(arguments);
    json_t *answer = fixture_json(&outcome, 0);
    json_t *records = fixture_read_lines("served/records.jsonl");
    assert_int_equal(json_array_size(records), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *record = json_array_get(records, i);
        assert_string_equal(json_text_at(record, "status", ""), "ok");
        assert_int_equal(json_number_at(record, "ns_per_op", 0), 20000000);
        assert_string_equal(json_text_at(record, "command.load.tool", ""), "wrk");
        assert_true(json_number_at(record, "command.memory_bytes_idle", 0) > 23 << 20);
    }
    json_decref(records);
    json_decref(answer);
    fixture_outcome_free(&outcome);
    assert_int_equal(fixture_count_processes(), 0);
}

static void settings_are_screened_and_measured_anew(void **state)
{
    (void)state;
    const char *const arguments[] = {"try",         "--tune",   "-b", "malloc", "--rounds",
                                     "1",           "--json",   "-o", "tuned",  "--",
                                     HEAPMILL_GAIN, "exchange", NULL};
    struct fixture_outcome outcome = fixture_run(arguments);
    json_t *answer = fixture_json(&outcome, 0);
    json_t *screened = fixture_read_lines("tuned/screening/records.jsonl");
    json_t *fresh = fixture_read_lines("tuned/records.jsonl");
    size_t settings = 0;
    for (const struct tune_setting *row = tune_settings; row->backend != NULL; row++) {
        settings += strcmp(row->backend, "malloc") == 0;
    }
    assert_int_equal(json_array_size(screened), 3 * (3 + settings));
    assert_true(json_array_size(fresh) < 3 + settings + 1 && json_array_size(fresh) > 3);
    json_decref(fresh);
    json_decref(screened);
    json_decref(answer);
    fixture_outcome_free(&outcome);
}

/* heapmill exec WORDS…: its exit status; *err and *out, unless NULL, are the caller's. */
static int exec_ask(const char *const *words, char **out, char **err)
{
    const char *arguments[16] = {"exec"};
    for (size_t i = 0; words[i] != NULL; i++) {
        arguments[i + 1] = words[i];
    }
    struct fixture_outcome outcome = fixture_run(arguments);
    int status = outcome.status;
    *out = text_format("%s", outcome.out);
    *err = text_format("%s", outcome.err);
    fixture_outcome_free(&outcome);
    return status;
}

static void exec_expect(const char *const *words, int status, const char *out, const char *err)
{
    char *said;
    char *told;
    int is = exec_ask(words, &said, &told);
    if (is != status || strstr(said, out) == NULL || strstr(told, err) == NULL) {
        fail_msg("%s %s: status %d, “%s”, “%s”", words[0], words[2], is, said, told);
    }
    free(said);
    free(told);
}

static void exec_is_the_command(void **state)
{
    (void)state;
    const char *const status[] = {"-b", OURS, "--", HEAPMILL_WRONG, "status", NULL};
    const char *const preloaded[] = {"-b", OURS, "--", "sh", "-c", "echo $LD_PRELOAD", NULL};
    const char *const with_stats[] = {"-b", OURS, "--stats", "--", HEAPMILL_WRONG, "status", NULL};
    const char *const ended[] = {"--stats", "--", "sh", "-c", "kill -TERM $$", NULL};
    const char *const none[] = {"-b", "null", "--", "true", NULL};
    exec_expect(status, 7, "", "");
    exec_expect(preloaded, 0, "libheapmill-" OURS ".so", "");
    exec_expect(with_stats, 7, "", "the back end holds");
    exec_expect(ended, 128 + SIGTERM, "", "allocations");
    exec_expect(none, 2, "", "no back end that can be preloaded");
}

static void exec_counts_every_call(void **state)
{
    (void)state;
    char *out;
    char *err;
    const char *const words[] = {"--stats", "--json", "--", HEAPMILL_WRONG, "unchecked", NULL};
    assert_int_equal(exec_ask(words, &out, &err), 0);
    json_t *told = json_loads(err, 0, NULL);
    const json_t *process = json_array_get(json_object_get(told, "processes"), 0);
    assert_int_equal(json_count_at(process, "allocations", 0), 2);
    assert_int_equal(json_count_at(process, "frees", 0), 2);
    assert_int_equal(json_count_at(process, "asked_bytes", 0), 200);
    assert_int_equal(json_count_at(process, "live_blocks", 9), 0);
    json_decref(told);
    free(out);
    free(err);
}

static void what_is_wrong_ends_the_command(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *message;
    } cases[] = {
        {"double", "heapmill debug: double free: block 0x"},
        {"beyond", "heapmill debug: write beyond a block: block 0x"},
        {"before", "heapmill debug: write before a block: block 0x"},
        {"after", "heapmill debug: write after free: block 0x"},
        {"realloc", "heapmill debug: realloc of a free block: block 0x"},
        {"size", "heapmill debug: free with another size than was asked for: block 0x"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const words[] = {"--debug", "--", HEAPMILL_WRONG, cases[i].pattern, NULL};
        exec_expect(words, 128 + SIGABRT, "", cases[i].message);
    }
    const char *const fill[] = {"--debug", "--", HEAPMILL_WRONG, "fill", NULL};
    exec_expect(fill, 0, "cd dd\n", "");
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    const char *const careless[] = {"--fail-each", "--", HEAPMILL_WRONG, "unchecked", NULL};
    const char *const careful[] = {"--fail-each", "--", HEAPMILL_WRONG, "fine", NULL};
    const char *const second[] = {"--fail-nth", "2", "--", HEAPMILL_WRONG, "unchecked", NULL};
    exec_expect(careless, 1, "2 allocations failed in turn: 2 crashes", "");
    exec_expect(careful, 0, "1 allocations failed in turn: 0 crashes", "");
    exec_expect(second, 128 + SIGSEGV, "", "");
}

static void a_library_is_looked_at(void **state)
{
    (void)state;
    const char *const whole[] = {"doctor", "--library", HEAPMILL_DEBUG_LIBRARY, NULL};
    const char *const none[] = {"doctor", "--library", "/etc/passwd", NULL};
    struct fixture_outcome outcome = fixture_run(whole);
    assert_non_null(strstr(outcome.out, "malloc then lives in"));
    assert_non_null(strstr(outcome.out, "26 of 26 members"));
    assert_int_equal(outcome.status, 0);
    fixture_outcome_free(&outcome);
    outcome = fixture_run(none);
    assert_int_equal(outcome.status, 2);
    assert_non_null(strstr(outcome.err, "no shared library"));
    fixture_outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_run_is_a_record),
        cmocka_unit_test(another_output_is_a_failure_with_its_line),
        cmocka_unit_test(an_output_that_always_differs_is_not_compared),
        cmocka_unit_test(a_crash_under_an_allocator_is_told),
        cmocka_unit_test(the_users_own_check_decides),
        cmocka_unit_test(what_cannot_be_measured_is_refused),
        cmocka_unit_test(nothing_of_the_users_is_left_behind),
        cmocka_unit_test(a_tree_is_summed_up),
        cmocka_unit_test(a_server_is_measured_by_its_load),
        cmocka_unit_test(settings_are_screened_and_measured_anew),
        cmocka_unit_test(exec_is_the_command),
        cmocka_unit_test(exec_counts_every_call),
        cmocka_unit_test(what_is_wrong_ends_the_command),
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(a_library_is_looked_at),
    };
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
