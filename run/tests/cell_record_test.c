/* Only a whole, complete line of a worker that ended well makes an ok record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/rounds.h"
#include "run/worker_executor.h"

#define GOOD                                                                                       \
    "{\"status\":\"ok\",\"reason\":\"\",\"workload\":\"batch\",\"iterations\":5,\"operations\":"   \
    "10,"                                                                                          \
    "\"cpu_ns\":20,\"wall_ns\":21,\"cpu_ns_per_op\":2,\"checksum\":99}\n"

struct judged {
    const char *output;
    int exit_code;
    int signal;
    bool timed_out;
    const char *status;
    const char *reason; /* a part of it */
};

static const struct judged judged_cases[] = {
    {GOOD, 0, 0, false, "ok", ""},
    {GOOD, 0, 11, false, "crashed", "signal 11"},
    {GOOD, 0, 9, true, "timeout", "did not end within 3 s"},
    {GOOD, 3, 0, false, "failed", "exited with 3"},
    {GOOD, 1, 0, false, "failed", "says that it failed"},
    {"", 0, 0, false, "failed", "wrote no line"},
    {"{\"status\":\"ok\"", 0, 0, false, "failed", "not one JSON object"},
    {"{\"status\":\"ok\"}", 0, 0, false, "failed", "not one JSON object"},
    {GOOD GOOD, 0, 0, false, "failed", "not one JSON object"},
    {"[]\n", 0, 0, false, "failed", "not one JSON object"},
    {"{\"status\":\"ok\"}\n", 0, 0, false, "failed", "another workload"},
    {"{\"status\":\"ok\",\"workload\":\"batch\",\"iterations\":4}\n", 0, 0, false, "failed",
     "another number of iterations"},
    {"{\"status\":\"ok\",\"workload\":\"batch\",\"iterations\":5,\"threads\":2}\n", 0, 0, false,
     "failed", "another number of threads"},
    {"{\"status\":\"ok\",\"workload\":\"batch\",\"iterations\":5}\n", 0, 0, false, "failed",
     "no operations"},
    {"{\"status\":\"ok\",\"workload\":\"batch\",\"iterations\":5,\"operations\":1}\n", 0, 0, false,
     "failed", "no time"},
    {"{\"status\":\"not_applicable\",\"reason\":\"needs threads\"}\n", 0, 0, false,
     "not_applicable", "needs threads"},
    {"{\"status\":\"failed\",\"reason\":\"heap exhausted\",\"cpu_ns_per_op\":1}\n", 1, 0, false,
     "failed", "heap exhausted"},
};

static json_t *make_record(const struct judged *judged, const json_t *checksum)
{
    json_t *cell =
        json_pack("{ss ss ss s{} si ss ss s{} si si}", "id", "batch//t1/malloc:preload", "group",
                  "batch//t1", "workload", "batch", "params", "threads", 1, "backend", "malloc",
                  "arm", "preload", "env", "twin", 0, "iterations", 5);
    json_t *host = json_pack("{ss}", "kernel", "6.1");
    struct cell_run run = {.cell = cell,
                           .host = host,
                           .pass = RECORD_TIME,
                           .round = 2,
                           .seed = 7,
                           .checksum = checksum,
                           .checksum_cell = "another"};
    struct process_result result = {.exit_code = judged->exit_code,
                                    .signal = judged->signal,
                                    .timed_out = judged->timed_out,
                                    .output = strdup(judged->output),
                                    .output_bytes = strlen(judged->output)};
    (void)snprintf(result.stderr_tail, sizeof(result.stderr_tail), "not \xff UTF-8\n");
    const struct worker_run worker = {
        .cell = cell, .pass = RECORD_TIME, .iterations = 5, .timeout_s = 3};
    json_t *record = cell_record_make(&run, worker_outcome_make(&worker, &result));
    free(result.output);
    json_decref(cell);
    json_decref(host);
    return record;
}

static void only_what_is_whole_is_ok(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(judged_cases) / sizeof(judged_cases[0]); i++) {
        const struct judged *judged = &judged_cases[i];
        json_t *record = make_record(judged, NULL);
        const char *status = json_string_value(json_object_get(record, "status"));
        const char *reason = json_string_value(json_object_get(record, "reason"));
        bool ok = strcmp(judged->status, "ok") == 0;
        if (strcmp(status, judged->status) != 0 || strstr(reason, judged->reason) == NULL) {
            fail_msg("case %zu: %s (%s), expected %s (%s)", i, status, reason, judged->status,
                     judged->reason);
        }
        assert_int_equal(json_object_get(record, "cpu_ns_per_op") != NULL, ok);
        assert_int_equal(json_object_get(record, "stderr") == NULL, ok);
        assert_int_equal(json_integer_value(json_object_get(record, "round")), 2);
        json_decref(record);
    }
}

static void another_checksum_is_a_failure(void **state)
{
    (void)state;
    json_t *same = json_integer(99);
    json_t *other = json_integer(98);
    json_t *record = make_record(&judged_cases[0], same);
    assert_string_equal(json_string_value(json_object_get(record, "status")), "ok");
    json_decref(record);
    record = make_record(&judged_cases[0], other);
    assert_string_equal(json_string_value(json_object_get(record, "status")), "failed");
    assert_string_equal(json_string_value(json_object_get(record, "reason")),
                        "the checksum is 99, and that of another 98");
    json_decref(record);
    json_decref(same);
    json_decref(other);
}

/* A worker's line of a pass that takes no time, with a count from outside. */
static json_t *make_pass_record(enum record_pass pass, uint64_t instructions, uint64_t before)
{
    char line[] = "{\"status\":\"ok\",\"workload\":\"batch\",\"iterations\":3,\"operations\":4}\n";
    json_t *cell = json_pack("{ss ss ss si si}", "id", "batch//t1/malloc:preload", "group",
                             "batch//t1", "workload", "batch", "threads", 1, "iterations", 5);
    struct cell_run run = {.cell = cell, .pass = pass, .instructions_before = before};
    const struct worker_run worker = {
        .cell = cell, .pass = pass, .iterations = 3, .instructions = instructions, .timeout_s = 3};
    struct process_result result = {.output = line, .output_bytes = strlen(line)};
    json_t *record = cell_record_make(&run, worker_outcome_make(&worker, &result));
    json_decref(cell);
    return record;
}

static void check_pass_record(json_t *record, const char *status, const char *reason)
{
    assert_string_equal(json_string_value(json_object_get(record, "status")), status);
    assert_non_null(strstr(json_string_value(json_object_get(record, "reason")), reason));
    json_decref(record);
}

static void counts_are_kept_and_compared(void **state)
{
    (void)state;
    json_t *record = make_pass_record(RECORD_INSTRUCTIONS, 1000, 0);
    assert_int_equal(json_integer_value(json_object_get(record, "instructions")), 1000);
    assert_true(json_number_value(json_object_get(record, "instructions_per_op")) == 250);
    assert_int_equal(json_integer_value(json_object_get(record, "iterations")), 3);
    assert_string_equal(json_string_value(json_object_get(record, "pass")), "instructions");
    check_pass_record(record, "ok", "");
    record = make_pass_record(RECORD_INSTRUCTIONS, 1000, 1000);
    assert_string_equal(json_string_value(json_object_get(record, "reason")), "");
    check_pass_record(record, "ok", "");
    check_pass_record(make_pass_record(RECORD_INSTRUCTIONS, 1000, 1001), "ok",
                      "warning: 1000 instructions, and 1001 in the round before");
    check_pass_record(make_pass_record(RECORD_INSTRUCTIONS, 0, 0), "failed", "no count");
}

static void a_pass_needs_its_own_figures(void **state)
{
    (void)state;
    check_pass_record(make_pass_record(RECORD_LATENCY, 0, 0), "failed", "no latency");
    check_pass_record(make_pass_record(RECORD_MEMORY, 0, 0), "failed", "no memory");
    check_pass_record(make_pass_record(RECORD_TIME, 0, 0), "failed", "no time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_whole_is_ok),
        cmocka_unit_test(another_checksum_is_a_failure),
        cmocka_unit_test(counts_are_kept_and_compared),
        cmocka_unit_test(a_pass_needs_its_own_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
