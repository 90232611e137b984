/* heapmill try is killed (-9) at fifty random instants and resumed each time. In the end each
 * planned run has one record, none is lost or doubled, nothing of the command's runs on, and its
 * file is as an undisturbed run leaves it. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"
#include "common/host/json.h"
#include "common/host/text.h"
#include "common/rng.h"

enum { KILLS = 50, ROUNDS = 30, CELLS = 4, DELAY_US_MAX = 900000 };

/* The child in a session of its own would go on for a minute. */
#define COMMAND "seq 1 5000 > numbers; " HEAPMILL_GAIN " escape 1; sort -n numbers | tail -n 1"

static const char *const start[] = {"try", "-b", "pymalloc-3.10", "--rounds",
                                    "30",  "-o", "killed",        "--",
                                    "sh",  "-c", COMMAND,         NULL};
static const char *const resume[] = {"try", "--resume", "killed", NULL};

static void fifty_kills_lose_and_double_nothing(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 16);
    size_t kills = 0;
    size_t most = 0;
    while (kills < KILLS) {
        bool begun = access("killed/plan.json", F_OK) == 0;
        pid_t pid = fixture_start(begun ? resume : start, 0);
        /* The command is looked at for a second or two before there is a plan. */
        (void)usleep((useconds_t)(rng_below(&rng, DELAY_US_MAX) + (begun ? 0 : 300000 * kills)));
        (void)kill(pid, SIGKILL);
        if (fixture_wait(pid) != 128 + SIGKILL) {
            break; /* it had ended */
        }
        kills++;
        assert_int_equal(fixture_count_processes(), 0);
        json_t *records = fixture_read_lines("killed/records.jsonl");
        /* What is resumed moves at most one interrupted group away. */
        assert_true(json_array_size(records) + CELLS >= most);
        most = json_array_size(records) > most ? json_array_size(records) : most;
        json_decref(records);
    }
    assert_true(kills >= KILLS / 2);
    struct fixture_outcome outcome = fixture_run(resume);
    fixture_expect(outcome, 0);
    assert_int_equal(fixture_count_processes(), 0);
    json_t *records = fixture_read_lines("killed/records.jsonl");
    json_t *seen = json_object();
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        char *key = text_format("%s %g", json_text_at(record, "cell", ""),
                                json_number_at(record, "round", -1));
        assert_null(json_object_get(seen, key));
        assert_string_equal(json_text_at(record, "status", ""), "ok");
        (void)json_object_set_new(seen, key, json_true());
        free(key);
    }
    assert_true(json_array_size(records) >= ROUNDS * CELLS);
    assert_int_equal(json_array_size(records) % CELLS, 0);
    char *numbers = fixture_read("numbers");
    assert_int_equal(strlen(numbers), 23893); /* 1 to 5000, a line each */
    free(numbers);
    json_decref(seen);
    json_decref(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fifty_kills_lose_and_double_nothing)};
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
