/* heapmill is killed (-9) at fifty random instants (fifteen under a sanitizer) and resumed each
 * time. In the end every record that was ever written whole must be there once, in records.jsonl or
 * among the interrupted; every planned cell must have one record; and no worker may outlive its
 * heapmill by more than a moment.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"
#include "common/host/text.h"
#include "common/rng.h"

/* More rounds than fit into all the sessions together; a session is long enough to reach its first
 * cells. A sanitizer slows a worker's start down about sixfold: fewer kills there. */
#ifdef HEAPMILL_SANITIZED
#define KILLS 15
#define ROUNDS 40
#define DELAY_US_MAX 600000
#else
#define KILLS 50
#define ROUNDS 200
#define DELAY_US_MAX 200000
#endif
#define TEXT_OF(number) #number
#define ROUNDS_TEXT(rounds) TEXT_OF(rounds)

enum {
    TIME_CELLS = 8,       /* of a round: two workloads × (malloc, null, two twins) */
    MEMORY_CELLS = 6 * 4, /* six rounds; twins have none */
};

static const char *const start[] = {"bench",
                                    "-b",
                                    "malloc,null",
                                    "-w",
                                    "pingpong,batch",
                                    "--one-layout",
                                    "--rounds",
                                    ROUNDS_TEXT(ROUNDS),
                                    "--target-ms",
                                    "1",
                                    "--seed",
                                    "7",
                                    "-o",
                                    "run",
                                    "--json",
                                    NULL};
static const char *const resume[] = {"bench", "--resume", "run", "--json", NULL};

/* Counts each whole line of a file: an object of line → times. */
static void kill_count_lines(const char *path, json_t *counts)
{
    char *text = fixture_read(path);
    char *line = text;
    char *end;
    while ((end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        json_int_t before = json_integer_value(json_object_get(counts, line));
        assert_int_equal(json_object_set_new(counts, line, json_integer(before + 1)), 0);
        line = end + 1;
    }
    free(text);
}

static void kill_remember_lines(json_t *seen)
{
    json_t *now = json_object();
    kill_count_lines("run/records.jsonl", now);
    assert_int_equal(json_object_update(seen, now), 0);
    json_decref(now);
}

static void kill_after(pid_t pid, uint64_t delay_us)
{
    struct timespec delay = {.tv_sec = (time_t)(delay_us / 1000000),
                             .tv_nsec = (long)(delay_us % 1000000) * 1000};
    (void)nanosleep(&delay, NULL);
    assert_int_equal(kill(pid, SIGKILL), 0);
    int status = fixture_wait(pid);
    if (status != 128 + SIGKILL) {
        char *said = fixture_read("err.txt");
        fail_msg("heapmill ended by itself with %d: %s", status, said);
    }
    assert_int_equal(fixture_count_processes(), 0);
}

static void kill_check_lines(const json_t *seen)
{
    json_t *there = json_object();
    kill_count_lines("run/records.jsonl", there);
    kill_count_lines("run/interrupted.jsonl", there);
    const char *line;
    json_t *value;
    json_object_foreach((json_t *)seen, line, value)
    {
        if (json_integer_value(json_object_get(there, line)) != 1) {
            fail_msg("a record is there %lld times: %.200s",
                     (long long)json_integer_value(json_object_get(there, line)), line);
        }
    }
    json_decref(there);
}

static void kill_check_records(void)
{
    json_t *records = fixture_read_lines("run/records.jsonl");
    json_t *cells = json_object();
    size_t index;
    json_t *record;
    assert_int_equal(json_array_size(records), ROUNDS * TIME_CELLS + MEMORY_CELLS);
    json_array_foreach(records, index, record)
    {
        assert_int_equal(json_integer_value(json_object_get(record, "sequence")), index);
        assert_string_equal(fixture_text(record, "status"), "ok");
        char *key = text_format("%s %lld %s", fixture_text(record, "pass"),
                                (long long)json_integer_value(json_object_get(record, "round")),
                                fixture_text(record, "cell"));
        if (json_object_get(cells, key) != NULL) {
            fail_msg("two records of %s", key);
        }
        (void)json_object_set_new(cells, key, json_true());
        free(key);
    }
    json_decref(cells);
    json_decref(records);
}

static void kills_lose_nothing(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 50);
    json_t *seen = json_object();
    uint64_t delay_us_max = DELAY_US_MAX;
    for (int i = 0; i < KILLS; i++) {
        bool begun = access("run/plan.json", F_OK) == 0;
        size_t before = json_object_size(seen);
        kill_after(fixture_start(begun ? resume : start, 0), rng_below(&rng, delay_us_max));
        kill_remember_lines(seen);
        /* On a loaded machine sessions take longer to reach their first cells. */
        delay_us_max = json_object_size(seen) == before      ? delay_us_max * 5 / 4
                       : delay_us_max > DELAY_US_MAX * 5 / 4 ? delay_us_max * 4 / 5
                                                             : delay_us_max;
    }
    bool begun = access("run/plan.json", F_OK) == 0;
    struct fixture_outcome outcome = fixture_run(begun ? resume : start);
    if (outcome.status != 0) {
        fail_msg("the last resume ended with %d: %s", outcome.status, outcome.err);
    }
    fixture_outcome_free(&outcome);
    json_t *interrupted = json_object();
    kill_count_lines("run/interrupted.jsonl", interrupted);
    print_message("%zu records were seen on the way, %zu lines were moved to interrupted.jsonl\n",
                  json_object_size(seen), json_object_size(interrupted));
    assert_true(json_object_size(seen) > 0 && json_object_size(interrupted) > 0);
    json_decref(interrupted);
    kill_check_lines(seen);
    kill_check_records();
    json_decref(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kills_lose_nothing)};
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
