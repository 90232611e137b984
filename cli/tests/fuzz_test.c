/* `heapmill fuzz` as a user runs it, on a target with two known defects (fuzz_toy/toy.c). What
 * wants clang or AFL++ is skipped, visibly, where they are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/tests/cli_fixture.h"
#include "common/host/text.h"

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Skips the test unless that tree has the toy, and says so. */
static void need_tree(const char *tree)
{
    char *path = text_format("%s/%s/bin/heapmill-fuzz-toy", HEAPMILL_TEST_TREES, tree);
    bool there = access(path, X_OK) == 0;
    free(path);
    if (!there) {
        (void)fprintf(stderr, "skipped: no toy in %s: clang with its runtime or afl++ is absent\n",
                      tree);
        skip();
    }
}

#define RUN(...) fixture_run((const char *const[]){"fuzz", __VA_ARGS__, NULL})

static void usage_is_refused_with_a_remedy(void **state)
{
    (void)state;
    struct fixture_outcome outcome = RUN("rnu");
    assert_int_equal(outcome.status, 2);
    assert_non_null(strstr(outcome.err, "did you mean 'run'"));
    fixture_outcome_free(&outcome);
    outcome = RUN("run", "tyo", "-o", "none");
    assert_int_equal(outcome.status, 3);
    assert_non_null(strstr(outcome.err, "did you mean 'toy'"));
    fixture_outcome_free(&outcome);
    outcome = RUN("run", "--help");
    assert_int_equal(outcome.status, 0);
    assert_non_null(strstr(outcome.out, "--resume"));
    fixture_outcome_free(&outcome);
    fixture_expect(RUN("run", "toy", "--engine", "hope"), 2);
    fixture_expect(RUN("run", "toy", "--time", "soon"), 2);
    fixture_expect(RUN("run", "--resume", "-o", "none"), 3);
    fixture_expect(RUN("triage", "none"), 3);
    fixture_expect(RUN("score", "--floor", "2"), 2);
    assert_int_not_equal(access("none", F_OK), 0);
}

static void list_knows_builds_and_bugs(void **state)
{
    (void)state;
    struct fixture_outcome outcome = RUN("list", "--json");
    json_t *all = fixture_json(&outcome, 0);
    assert_int_equal(json_array_size(all), 1);
    assert_string_equal(fixture_text(json_array_get(all, 0), "target"), "toy");
    json_decref(all);
    fixture_outcome_free(&outcome);
    outcome = RUN("list", "--bugs", "--json");
    all = fixture_json(&outcome, 0);
    assert_int_equal(json_array_size(all), 1);
    assert_string_equal(fixture_text(json_array_get(all, 0), "bug"), "defects");
    json_decref(all);
    fixture_outcome_free(&outcome);
}

static void a_clean_target_is_clean(void **state)
{
    (void)state;
    struct fixture_outcome outcome = RUN("run", "toy", "--engine", "random", "--jobs", "1",
                                         "--time", "1", "-o", "clean", "--json");
    json_t *all = fixture_json(&outcome, 0);
    assert_int_equal(json_integer_value(json_object_get(all, "findings")), 0);
    assert_true(json_integer_value(json_object_get(all, "executions")) > 100);
    assert_true(json_integer_value(json_object_get(all, "operations")) > 1000);
    assert_string_equal(fixture_text(all, "end"), "time");
    json_decref(all);
    fixture_outcome_free(&outcome);
    /* The directory is taken, until --resume says that this is meant. */
    fixture_expect(RUN("run", "toy", "--engine", "random", "--time", "1", "-o", "clean"), 2);
    fixture_expect(RUN("run", "--resume", "--time", "1", "-o", "clean"), 0);
    json_t *events = fixture_read_lines("clean/events.jsonl");
    assert_int_equal(fixture_count_records(events, "event", "begin"), 2);
    assert_int_equal(fixture_count_records(events, "event", "end"), 2);
    json_decref(events);
    fixture_expect(RUN("triage", "clean"), 0);
    fixture_expect(RUN("plot", "clean", "--format", "svg"), 0);
    assert_int_equal(access("clean/plots/speed.svg", R_OK), 0);
}

/* The defects' oracles, each once, whatever engine found them. */
static void expect_triage(const char *directory, bool both)
{
    struct fixture_outcome outcome = RUN("triage", directory, "--time", "20s", "--json");
    json_t *all = fixture_json(&outcome, 1);
    size_t index, counts = 0, pairs = 0;
    const json_t *group;
    json_array_foreach(all, index, group)
    {
        bool is_count = strcmp(fixture_text(group, "kind"), "oracle toy-count") == 0;
        counts += is_count;
        pairs += strcmp(fixture_text(group, "kind"), "oracle toy-pair") == 0;
        /* A header of 18 bytes, and as many operations as the defect needs. */
        assert_int_equal(json_integer_value(json_object_get(group, "bytes")),
                         18 + 2 * (is_count ? 4 : 2));
        assert_int_equal(access(fixture_text(group, "input"), R_OK), 0);
        const char *step = is_count ? "operation 4, toy " : "operation 2, toy ";
        assert_ptr_equal(strstr(fixture_text(group, "step"), step), fixture_text(group, "step"));
    }
    assert_int_equal(json_array_size(all), counts + pairs);
    assert_true(counts <= 1 && pairs <= 1 && (!both || counts + pairs == 2));
    json_decref(all);
    fixture_outcome_free(&outcome);
}

static void random_finds_and_triage_tells_apart(void **state)
{
    (void)state;
    fixture_expect(RUN("run", "toy", "--bug", "defects", "--engine", "random", "--jobs", "2",
                       "--time", "60s", "--findings-cap", "8", "-o", "random"),
                   1);
    expect_triage("random", true);
    struct fixture_outcome outcome = RUN("fmt", "random/triage/1.input", "--json");
    json_t *all = fixture_json(&outcome, 0);
    assert_string_equal(fixture_text(all, "target"), "toy");
    assert_true(json_array_size(json_object_get(all, "lines")) <= 4);
    json_decref(all);
    fixture_outcome_free(&outcome);
}

static void libfuzzer_finds(void **state)
{
    (void)state;
    need_tree("fuzz-libfuzzer");
    fixture_expect(RUN("run", "toy", "--bug", "defects", "--jobs", "1", "--time", "60s",
                       "--findings-cap", "1", "-o", "libfuzzer"),
                   1);
    expect_triage("libfuzzer", false);
    fixture_expect(RUN("cmin", "toy", "libfuzzer/corpus", "-o", "small"), 0);
}

/* Shared memory segments that a process of this test made would still be there. */
static size_t count_segments(void)
{
    size_t lines = 0;
    char *text = fixture_read("/proc/sysvipc/shm");
    struct text_list rows = {0};
    text_split(&rows, text, '\n');
    for (size_t i = 1; i + 1 < rows.count; i++) {
        long maker = 0;
        char *end = rows.items[i];
        for (size_t field = 0; field < 5; field++) {
            maker = strtol(end, &end, 10); /* key shmid perms size cpid */
        }
        lines += maker > getpid() && kill((pid_t)maker, 0) != 0;
    }
    text_list_free(&rows);
    free(text);
    return lines;
}

static void afl_finds_and_leaves_nothing(void **state)
{
    (void)state;
    need_tree("fuzz-afl");
    size_t before = count_segments();
    fixture_expect(RUN("run", "toy", "--bug", "defects", "--engine", "afl", "--jobs", "1", "--time",
                       "90s", "--findings-cap", "1", "-o", "afl"),
                   1);
    expect_triage("afl", false);
    assert_true(count_segments() <= before);
    assert_int_equal(fixture_count_processes(), 0);
}

static void speed_compares_engines_with_the_bare_loop(void **state)
{
    (void)state;
    fixture_expect(RUN("speed", "toy", "--rounds", "0"), 2);
    fixture_expect(RUN("speed", "toy", "toy"), 2);
    struct fixture_outcome outcome = RUN("speed", "tyo");
    assert_int_equal(outcome.status, 3);
    assert_non_null(strstr(outcome.err, "did you mean 'toy'"));
    fixture_outcome_free(&outcome);
    need_tree("fuzz-libfuzzer");
    need_tree("fuzz-afl");
    outcome = RUN("speed", "toy", "--rounds", "2", "--time", "0.3s", "--json");
    json_t *all = fixture_json(&outcome, 0);
    assert_int_equal(outcome.status, 0);
    const json_t *engines = json_object_get(all, "engines");
    assert_int_equal(json_array_size(engines), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *rate = json_object_get(json_array_get(engines, i), "operations_per_cpu_s");
        double least = json_number_value(json_object_get(rate, "least"));
        assert_true(least > 1000);
        assert_true(json_number_value(json_object_get(rate, "median")) >= least);
    }
    assert_string_equal(fixture_text(json_array_get(engines, 1), "engine"), "libfuzzer");
    assert_non_null(json_object_get(json_array_get(engines, 1), "of_bare"));
    assert_non_null(json_object_get(json_array_get(engines, 3), "stability_percent"));
    json_decref(all);
    fixture_outcome_free(&outcome);
}

static void a_killed_campaign_leaves_nothing_and_resumes(void **state)
{
    (void)state;
    pid_t pid = fixture_start((const char *const[]){"fuzz", "run", "toy", "--engine", "random",
                                                    "--time", "60s", "-o", "killed", NULL},
                              0);
    while (access("killed/counters/random-0", F_OK) != 0) {
        pause_ms(20);
    }
    struct fixture_outcome outcome = RUN("run", "--resume", "-o", "killed");
    assert_int_equal(outcome.status, 3);
    assert_non_null(strstr(outcome.err, "another")); /* and its number */
    fixture_outcome_free(&outcome);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(fixture_wait(pid), 128 + SIGKILL);
    assert_int_equal(fixture_count_processes(), 0);
    FILE *torn = fopen("killed/events.jsonl", "a");
    assert_non_null(torn);
    (void)fputs("{\"event\":\"samp", torn);
    assert_int_equal(fclose(torn), 0);
    fixture_expect(RUN("run", "--resume", "--time", "1", "-o", "killed"), 0);
    json_t *events = fixture_read_lines("killed/events.jsonl");
    assert_int_equal(fixture_count_records(events, "event", "begin"), 2);
    assert_int_equal(fixture_count_records(events, "event", "end"), 1);
    json_decref(events);
}

static void an_interrupted_campaign_says_so(void **state)
{
    (void)state;
    pid_t pid = fixture_start((const char *const[]){"fuzz", "run", "toy", "--engine", "random",
                                                    "--time", "60s", "-o", "stopped", NULL},
                              0);
    while (access("stopped/counters/random-0", F_OK) != 0) {
        pause_ms(20);
    }
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(fixture_wait(pid), 130);
    assert_int_equal(fixture_count_processes(), 0);
    json_t *events = fixture_read_lines("stopped/events.jsonl");
    assert_int_equal(fixture_count_records(events, "reason", "interrupted"), 1);
    json_decref(events);
}

static void score_counts_trials_and_controls(void **state)
{
    (void)state;
    fixture_expect(RUN("score", "--engines", "random", "--trials", "3", "--time", "1s",
                       "--control-trials", "1", "-o", "score"),
                   0);
    struct fixture_outcome outcome = RUN("score", "--show", "-o", "score", "--json");
    json_t *all = fixture_json(&outcome, 0);
    const json_t *cell = json_array_get(json_object_get(all, "cells"), 0);
    assert_int_equal(json_integer_value(json_object_get(cell, "trials")), 3);
    assert_int_equal(json_integer_value(json_object_get(cell, "found")), 3);
    const json_t *control = json_object_get(all, "control");
    assert_int_equal(json_integer_value(json_object_get(control, "trials")), 1);
    assert_int_equal(json_integer_value(json_object_get(control, "findings")), 0);
    assert_true(json_number_value(json_object_get(control, "cpu_s")) >= 1);
    json_decref(all);
    fixture_outcome_free(&outcome);
    /* All is done: a resume adds nothing. */
    fixture_expect(RUN("score", "--resume", "-o", "score"), 0);
    json_t *trials = fixture_read_lines("score/trials.jsonl");
    assert_int_equal(json_array_size(trials), 4);
    json_decref(trials);
    fixture_expect(RUN("plot", "score", "--format", "svg"), 0);
    assert_int_equal(access("score/plots/bugs.svg", R_OK), 0);
    assert_int_equal(access("score/plots/survival.svg", R_OK), 0);
    assert_int_equal(access("score/found/toy+defects.random.0", R_OK), 0);
}

static int enter(void **state)
{
    (void)state;
    fixture_enter();
    return setenv("HEAPMILL_FUZZ_TREES", HEAPMILL_TEST_TREES, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_is_refused_with_a_remedy),
        cmocka_unit_test(list_knows_builds_and_bugs),
        cmocka_unit_test(a_clean_target_is_clean),
        cmocka_unit_test(random_finds_and_triage_tells_apart),
        cmocka_unit_test(libfuzzer_finds),
        cmocka_unit_test(afl_finds_and_leaves_nothing),
        cmocka_unit_test(speed_compares_engines_with_the_bare_loop),
        cmocka_unit_test(a_killed_campaign_leaves_nothing_and_resumes),
        cmocka_unit_test(an_interrupted_campaign_says_so),
        cmocka_unit_test(score_counts_trials_and_controls),
    };
    return cmocka_run_group_tests(tests, enter, NULL);
}
