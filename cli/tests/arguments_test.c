/* Wrong command lines end with exit status 2, before anything is run or written, and say what
 * helps. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"

struct wrong {
    const char *arguments[10];
    const char *remedy; /* in what it says on stderr */
};

static const struct wrong wrong_lines[] = {
    {{NULL}, "usage: heapmill COMMAND"},
    {{"bnech"}, "did you mean 'bench'"},
    {{"xyzzy"}, "heapmill help"},
    {{"help", "docter"}, "did you mean 'doctor'"},
    {{"list", "backend"}, "did you mean 'backends'"},
    {{"list", "--all"}, "list --help"},
    {{"doctor", "now"}, "doctor --help"},
    {{"bench", "pymalloc-3.10"}, "given with -b"},
    {{"bench", "--round", "7", "--bogus"}, "no option --bogus"},
    {{"bench", "--roundz", "7"}, "did you mean --rounds"},
    {{"bench", "-b"}, "wants a value"},
    {{"bench", "-q"}, "no option -q"},
    {{"bench", "-b", "pymaloc-3.10"}, "did you mean 'pymalloc-3.10'"},
    {{"bench", "-b", "zzz*"}, "heapmill list backends"},
    {{"bench", "-b", "malloc:inline"}, "malloc has no arm 'inline', only: preload"},
    {{"bench", "-b", "null", "--arm", "preload"}, "null has no arm 'preload', only: inline"},
    {{"bench", "-b", "*:sideways"}, "heapmill list arms"},
    {{"bench", "-b", "malloc:"}, "NAME:ARM"},
    {{"bench", "-b", "malloc,"}, "names no back end"},
    {{"bench", "-b", "malloc,!malloc"}, "leaves no back end"},
    {{"bench", "-b", "malloc{A=1"}, "quote it"},
    {{"bench", "-b", "malloc{A}"}, "{NAME=VALUE"},
    {{"bench", "-b", "malloc{LD_PRELOAD=x.so}"}, "-b ./lib.so"},
    {{"bench", "-b", "!malloc{A=1}"}, "takes no environment"},
    {{"bench", "-b", "./absent.so"}, "build the library"},
    {{"bench", "-b", "malloc", "-w", "bacth"}, "did you mean 'batch'"},
    {{"bench", "-b", "malloc", "-w", "zzz*"}, "heapmill list workloads"},
    {{"bench", "-b", "malloc", "-w", "batch,!batch"}, "leaves no workload"},
    {{"bench", "-b", "malloc", "-w", "batch", "-p", "size"}, "NAME=VALUE"},
    {{"bench", "-b", "malloc", "-w", "batch", "-p", "sise=8"}, "batch: order, heap, size, live"},
    {{"bench", "-b", "malloc", "-w", "batch", "-p", "churn.size=8"}, "batch: order"},
    {{"bench", "-b", "malloc", "-w", "batch", "-p", "size=eight"}, "wants a number"},
    {{"bench", "-b", "malloc", "-w", "batch", "-p", "size=1e99"}, "must be from 1 to"},
    {{"bench", "-b", "malloc", "-w", "batch", "-p", "order=sideways"}, "one of fifo, lifo, random"},
    {{"bench", "-b", "malloc", "--base", "pymalloc*"}, "must name one back end: NAME or NAME:ARM"},
    {{"bench", "--rounds", "0"}, "from 1 to"},
    {{"bench", "--rounds", "many"}, "from 1 to"},
    {{"bench", "--budget", "-3m"}, "as 90s, 5m or 2h"},
    {{"bench", "--budget", "5 days"}, "as 90s, 5m or 2h"},
    {{"bench", "--timeout", "2d"}, "up to 24 h"},
    {{"bench", "--target-ms", "0"}, "from 1 to"},
    {{"bench", "--seed", "-1"}, "whole number"},
    {{"bench", "--matrix", "quickly"}, "default, quick"},
    {{"bench", "--resume"}, "bench --resume DIR"},
    {{"bench", "--resume", "absent"}, "absent"},
    {{"bench", "--resume", "absent", "--dry-run"}, "leave one out"},
};

static void wrong_lines_say_what_helps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong_lines) / sizeof(wrong_lines[0]); i++) {
        const struct wrong *wrong = &wrong_lines[i];
        struct fixture_outcome outcome = fixture_run(wrong->arguments);
        if (outcome.status != 2 || strstr(outcome.err, wrong->remedy) == NULL) {
            fail_msg("line %zu (%s %s %s…): status %d, expected 2 and '%s', said: %s", i,
                     wrong->arguments[0], wrong->arguments[1], wrong->arguments[2], outcome.status,
                     wrong->remedy, outcome.err);
        }
        assert_string_equal(outcome.out, "");
        fixture_outcome_free(&outcome);
    }
    assert_int_not_equal(access("results", F_OK), 0);
    assert_int_not_equal(access("absent", F_OK), 0);
}

static void help_is_there_for_every_command(void **state)
{
    (void)state;
    static const char *const names[] = {"bench", "list", "doctor", "compare", "plot"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct fixture_outcome by_option =
            fixture_run((const char *const[]){names[i], "--help", NULL});
        struct fixture_outcome by_command =
            fixture_run((const char *const[]){"help", names[i], NULL});
        assert_int_equal(by_option.status, 0);
        assert_int_equal(by_command.status, 0);
        assert_string_equal(by_option.out, by_command.out);
        assert_non_null(strstr(by_option.out, "usage: heapmill "));
        fixture_outcome_free(&by_option);
        fixture_outcome_free(&by_command);
    }
}

static void version_is_printed(void **state)
{
    (void)state;
    struct fixture_outcome outcome = fixture_run((const char *const[]){"--version", NULL});
    assert_int_equal(outcome.status, 0);
    assert_string_equal(outcome.out, "heapmill " HEAPMILL_VERSION "\n");
    fixture_outcome_free(&outcome);
}

static void lists_are_json_too(void **state)
{
    (void)state;
    struct fixture_outcome outcome =
        fixture_run((const char *const[]){"list", "backends", "arms", "workloads", "parameters",
                                          "matrices", "metrics", "plots", "--json", NULL});
    assert_int_equal(outcome.status, 0);
    json_t *lists = json_loads(outcome.out, 0, NULL);
    assert_int_equal(json_object_size(lists), 7);
    const char *name;
    json_t *rows;
    json_object_foreach(lists, name, rows)
    {
        assert_true(json_array_size(rows) > 0);
    }
    json_decref(lists);
    fixture_outcome_free(&outcome);
}

static void doctor_rates_everything(void **state)
{
    (void)state;
    struct fixture_outcome outcome = fixture_run((const char *const[]){"doctor", "--json", NULL});
    json_t *answer = json_loads(outcome.out, 0, NULL);
    const json_t *checks = json_object_get(answer, "checks");
    size_t missing = fixture_count_records(checks, "level", "missing");
    assert_true(json_array_size(checks) > 10);
    assert_int_equal(outcome.status, missing > 0 ? 3 : 0);
    size_t index;
    json_t *check;
    json_array_foreach(checks, index, check)
    {
        /* A mere information may say what would tell more: what calibrate would. */
        bool bad = strcmp(fixture_text(check, "level"), "warning") == 0 ||
                   strcmp(fixture_text(check, "level"), "missing") == 0;
        bool good = strcmp(fixture_text(check, "level"), "ok") == 0;
        bool remedied = fixture_text(check, "remedy")[0] != '\0';
        assert_true(bad ? remedied : !good || !remedied);
    }
    json_decref(answer);
    fixture_outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_lines_say_what_helps),
        cmocka_unit_test(help_is_there_for_every_command),
        cmocka_unit_test(version_is_printed),
        cmocka_unit_test(lists_are_json_too),
        cmocka_unit_test(doctor_rates_everything),
    };
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
