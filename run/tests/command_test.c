/* The parts of `heapmill try` that need no command: outputs that differ, what load generators say,
 * what a program's file tells, control groups, settings. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/host/json.h"
#include "common/host/text.h"
#include "preload/tally.h"
#include "run/command/cgroup.h"
#include "run/command/output.h"
#include "run/command/program.h"
#include "run/command/server.h"
#include "run/command/tune.h"

/* The difference of a second output from a first. */
static void expect_difference(const char *first, const char *second, const char *words)
{
    struct error error;
    int fd = -1;
    assert_int_equal(output_open(&fd, &error), STATUS_OK);
    assert_int_equal(write(fd, first, strlen(first)), (ssize_t)strlen(first));
    json_t *expected = output_describe(fd);
    assert_non_null(expected);
    output_clear(fd);
    assert_int_equal(write(fd, second, strlen(second)), (ssize_t)strlen(second));
    char *difference = output_difference(expected, fd);
    if (words == NULL) {
        assert_null(difference);
    } else {
        assert_non_null(difference);
        assert_string_equal(difference, words);
    }
    free(difference);
    json_decref(expected);
    (void)close(fd);
}

static void the_first_differing_line_is_shown(void **state)
{
    (void)state;
    expect_difference("", "", NULL);
    expect_difference("a\nb\n", "a\nb\n", NULL);
    expect_difference("a\nb\nc\n", "a\nx\nc\n", "line 2 is “x”, and was “b”");
    expect_difference("a\nb\n", "a\n", "it ends before line 2, which was “b”");
    expect_difference("a\n", "a\nb\n", "it goes on with line 2, “b”");
    expect_difference("a", "ab", "line 1 is “ab”, and was “a”");
    expect_difference("\xff\xfe", "\xff\xfd", "2 bytes, which differ from the 2 that it printed");
}

static void expect_load(const char *output, const char *tool, double rate, double p99_ms)
{
    json_t *load = server_read_load(output);
    if (tool == NULL) {
        assert_null(load);
        return;
    }
    assert_non_null(load);
    assert_string_equal(json_text_at(load, "tool", ""), tool);
    assert_true(fabs(json_number_at(load, "requests_per_s", 0) / rate - 1) < 1e-6);
    assert_true(fabs(json_number_at(load, "latency_p99_ms", 0) - p99_ms) < 1e-9);
    json_decref(load);
}

/* Lines as the tools print them: redis-benchmark 7.0, wrk 4.1, ab 2.3, pgbench 15. */
static void load_generators_are_understood(void **state)
{
    (void)state;
    expect_load("SET: rps=0.0 (overall: 0.0)\rSET: 40000.00 requests per second, p50=0.2 msec\n"
                "GET: 90000.00 requests per second, p50=0.2 msec\n",
                "redis-benchmark", 60000, 0);
    expect_load("\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\","
                "\"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"\n"
                "\"SET\",\"66666.66\",\"0.4\",\"0.1\",\"0.3\",\"0.6\",\"1.25\",\"2.0\"\n",
                "redis-benchmark", 66666.66, 1.25);
    expect_load("  Latency Distribution\n     50%  635.00us\n     99%    1.40ms\n"
                "Requests/sec:  74800.12\n",
                "wrk", 74800.12, 1.4);
    expect_load("     99%  900.00us\nRequests/sec: 10\n", "wrk", 10, 0.9);
    expect_load("Requests per second:    1234.56 [#/sec] (mean)\n  99%     12\n", "ab", 1234.56,
                12);
    expect_load("latency average = 0.8 ms\ntps = 2500.5 (without initial connection time)\n",
                "pgbench", 2500.5, 0);
    expect_load("it went well\n", NULL, 0, 0);
}

static void a_programs_file_tells_what_it_is(void **state)
{
    (void)state;
    struct error error;
    struct program program;
    char script[] = "/tmp/heapmill-command-XXXXXX";
    int fd = mkstemp(script);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "#!/usr/bin/env -S python3 -u\nprint(1)\n") > 0);
    (void)close(fd);
    assert_int_equal(chmod(script, 0755), 0);
    if (access("/usr/bin/python3", X_OK) == 0) {
        assert_int_equal(program_inspect(script, &program, &error), STATUS_OK);
        assert_true(program.is_python);
        program_free(&program);
    }
    (void)unlink(script);
    assert_int_equal(program_inspect("sh", &program, &error), STATUS_OK);
    assert_false(program.is_python || program.is_static || program.is_set_id || program.is_foreign);
    assert_null(program_refusal(&program));
    program_free(&program);
    assert_int_equal(program_inspect("no-such-program", &program, &error), STATUS_NOT_FOUND);
    program_free(&program);
}

/* A kernel's group cannot be had everywhere: the directory is a plain one, in which none is made.
 */
static void without_the_kernels_files_there_is_no_group(void **state)
{
    (void)state;
    char root[] = "/tmp/heapmill-cgroup-XXXXXX";
    struct cgroup cgroup;
    assert_non_null(mkdtemp(root));
    char *own = text_format("%s/own", root);
    assert_int_equal(mkdir(own, 0755), 0);
    assert_false(cgroup_open(&cgroup, root, "1:name=systemd:/\n0::/own\n"));
    assert_null(cgroup.directory);
    assert_int_equal(rmdir(own), 0); /* nothing was left in it */
    assert_int_equal(rmdir(root), 0);
    free(own);
}

static void settings_are_added_to_their_allocator(void **state)
{
    (void)state;
    struct error error;
    struct backend jemalloc = {.name = "jemalloc"};
    struct backend other = {.name = "other"};
    struct selection selection = {0};
    size_t expected = 2;
    selection.choices = text_grow(NULL, 2, sizeof(*selection.choices));
    selection.choices[0] =
        (struct selection_choice){.backend = &other, .arm = "preload", .env = json_object()};
    selection.choice_count = 1;
    assert_int_equal(tune_add_settings(&selection, &error), STATUS_NOT_FOUND);
    selection.choices[1] =
        (struct selection_choice){.backend = &jemalloc, .arm = "preload", .env = json_object()};
    selection.choice_count = 2;
    for (const struct tune_setting *row = tune_settings; row->backend != NULL; row++) {
        expected += strcmp(row->backend, "jemalloc") == 0;
        assert_non_null(strstr(row->document, "https://"));
    }
    assert_int_equal(tune_add_settings(&selection, &error), STATUS_OK);
    assert_int_equal(selection.choice_count, expected);
    assert_int_equal(json_object_size(selection.choices[expected - 1].env), 1);
    assert_int_equal(json_object_size(selection.choices[1].env), 0);
    selection_free(&selection);
}

static void classes_of_sizes_are_without_gaps(void **state)
{
    (void)state;
    for (size_t size = 1; size < 70000; size++) {
        size_t class = tally_class_of(size);
        assert_true(size <= tally_class_bytes(class));
        assert_true(class == 0 || size > tally_class_bytes(class - 1));
    }
    assert_true(tally_class_of(SIZE_MAX) < TALLY_CLASSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_differing_line_is_shown),
        cmocka_unit_test(load_generators_are_understood),
        cmocka_unit_test(a_programs_file_tells_what_it_is),
        cmocka_unit_test(without_the_kernels_files_there_is_no_group),
        cmocka_unit_test(settings_are_added_to_their_allocator),
        cmocka_unit_test(classes_of_sizes_are_without_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
