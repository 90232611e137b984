/* The store's promises: what is torn, interrupted, doubled or damaged, byte by byte and kill by
 * kill. */
#include "results/tests/small_run.h"

#include <signal.h>
#include <sys/wait.h>

#include "common/rng.h"
#include "results/metrics.h"

enum { KILLS = 25 };

static size_t count_lines(const char *bytes)
{
    size_t lines = 0;
    for (; *bytes != '\0'; bytes++) {
        lines += *bytes == '\n';
    }
    return lines;
}

static void test_records_come_back(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set;
    struct error error;
    synthetic_directory(directory);
    write_records(directory, 2 * CELLS);
    assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
    assert_int_equal(2 * CELLS, set->record_count);
    assert_int_equal(0, set->note_count);
    assert_int_equal(2, set->group_count);
    for (size_t i = 0; i < set->record_count; i++) {
        json_t *json;
        assert_string_equal(cell_ids[i % CELLS], set->cells[set->records[i].cell].id);
        assert_int_equal(i / CELLS, set->records[i].round);
        assert_true(metric_of_record(metric_find("time"), set, &set->records[i], false) ==
                    10 + (double)i);
        assert_int_equal(STATUS_OK, record_set_read(set, i, &json, &error));
        assert_int_equal(i, json_integer_value(json_object_get(json, "sequence")));
        json_decref(json);
    }
    assert_string_equal("size=64", set->cells[0].params_text);
    assert_string_equal("malloc:preload", set->cells[0].label);
    record_set_free(set);
    synthetic_remove(directory);
}

/* A plan of an older heapmill names a collector as it was called then; its cells keep their ids. */
static void test_a_former_name_is_read(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set;
    struct error error;
    json_t *plan = small_plan();
    json_t *cells = json_object_get(plan, "cells");
    (void)json_object_set_new(json_array_get(cells, 0), "collector", json_string("ours"));
    (void)json_object_set_new(json_array_get(cells, 1), "collector", json_string("growth"));
    synthetic_directory(directory);
    store_close(synthetic_create(directory, plan));
    assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
    assert_string_equal("malloc{collector=snapshot}:preload", set->cells[0].label);
    assert_string_equal("bump{collector=growth}:inline", set->cells[1].label);
    assert_string_equal(cell_ids[0], set->cells[0].id);
    record_set_free(set);
    synthetic_remove(directory);
}

static void test_a_second_plan_is_refused(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct store *store;
    struct error error;
    json_t *plan = small_plan();
    synthetic_directory(directory);
    write_records(directory, 1);
    assert_int_equal(STATUS_INVALID, store_create(directory, plan, &store, &error));
    assert_non_null(strstr(error.message, "--resume"));
    json_decref(plan);
    synthetic_remove(directory);
}

static void test_a_second_writer_is_refused(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char process[32];
    struct store *other;
    struct error error;
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, small_plan());
    assert_int_equal(STATUS_BUSY, resume(directory, &other, &error));
    (void)snprintf(process, sizeof(process), "process %ld", (long)getpid());
    assert_non_null(strstr(error.message, process));
    store_close(store);
    assert_int_equal(STATUS_OK, resume(directory, &other, &error));
    store_close(other);
    synthetic_remove(directory);
}

static void test_what_is_no_run_is_said_so(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct store *store;
    struct record_set *set;
    struct error error;
    synthetic_directory(directory);
    assert_int_equal(STATUS_NOT_FOUND, resume(directory, &store, &error));
    assert_int_equal(STATUS_NOT_FOUND, store_load(directory, &set, &error));
    assert_non_null(strstr(error.message, "heapmill bench"));
    assert_int_equal(-1, access(directory, F_OK)); /* nothing was made by looking */
    synthetic_remove(directory);
}

static void refuse_append(struct store *store, json_t *record, const char *reason)
{
    struct error error = {0};
    assert_int_equal(STATUS_INVALID, store_append(store, record, &error));
    if (strstr(error.message, reason) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error.message, reason);
    }
    json_decref(record);
}

static void test_append_refuses_what_could_not_be_read(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    size_t size;
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, small_plan());
    refuse_append(store, synthetic_record("nothing", 0, "ok", 1), "not in the plan");
    refuse_append(store, synthetic_record(cell_ids[0], -1, "ok", 1), "round");
    refuse_append(store, synthetic_record(cell_ids[0], 0, "fine", 1), "status");
    refuse_append(store, synthetic_record(cell_ids[0], 0, "ok", 0), "cpu_ns_per_op");
    refuse_append(store, synthetic_record(cell_ids[0], 0, "ok", -5), "cpu_ns_per_op");
    json_t *nameless = json_object();
    refuse_append(store, nameless, "format");
    json_t *memory = synthetic_memory_record(cell_ids[0], 0, "guess", 1, 1);
    refuse_append(store, memory, "held_source");
    free(synthetic_read(directory, "records.jsonl", &size));
    assert_int_equal(0, size);
    store_close(store);
    synthetic_remove(directory);
}

static void test_append_keeps_groups_together_and_records_single(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, small_plan());
    synthetic_append(store, synthetic_record(cell_ids[0], 0, "ok", 1));
    refuse_append(store, synthetic_record(cell_ids[0], 0, "ok", 1), "already");
    refuse_append(store, synthetic_record(cell_ids[2], 0, "ok", 1), "incomplete");
    refuse_append(store, synthetic_record(cell_ids[1], 1, "ok", 1), "incomplete");
    synthetic_append(store, synthetic_record(cell_ids[1], 0, "crashed", 1));
    synthetic_append(store, synthetic_record(cell_ids[2], 0, "timeout", 1));
    assert_true(store_is_done(store, RECORD_TIME, 0, cell_ids[0]));
    assert_true(store_is_done(store, RECORD_TIME, 0, cell_ids[1]));
    assert_false(store_is_done(store, RECORD_TIME, 0, cell_ids[3]));
    assert_false(store_is_done(store, RECORD_TIME, 1, cell_ids[0]));
    assert_false(store_is_done(store, RECORD_MEMORY, 0, cell_ids[0]));
    assert_false(store_is_done(store, RECORD_TIME, 0, "nothing"));
    store_close(store);
    synthetic_remove(directory);
}

/* Twins are timed only: a group is complete in the memory pass without them. */
static void test_memory_pass_needs_no_twins(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct store *store;
    struct error error;
    json_t *plan = synthetic_plan();
    synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", 0);
    synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", 1);
    synthetic_directory(directory);
    store = synthetic_create(directory, plan);
    synthetic_append(store, synthetic_memory_record(cell_ids[0], 0, "smaps", 5, 5));
    refuse_append(store,
                  synthetic_memory_record("churn/size=64/t1/malloc:preload~1", 0, "smaps", 5, 5),
                  "pass");
    store_close(store);
    assert_int_equal(STATUS_OK, resume(directory, &store, &error));
    assert_int_equal(0, store_interrupted_count(store));
    store_close(store);
    synthetic_remove(directory);
}

/* Cuts the file at every byte of its last group: what is left of the group must move away, whole
 * records as they were, and the run must go on to the same end. */
static void test_torn_at_every_byte_of_the_last_group(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct error error;
    size_t size;
    synthetic_directory(directory);
    write_records(directory, 2 * CELLS);
    char *whole = synthetic_read(directory, "records.jsonl", &size);
    size_t kept = size;
    for (int newlines = 0; newlines <= 2; kept--) {
        newlines += whole[kept - 1] == '\n';
    }
    kept++; /* ends with the newline before the last group */
    for (size_t cut = kept; cut < size; cut++) {
        struct store *store;
        struct record_set *set;
        char path[SYNTHETIC_PATH_MAX];
        synthetic_file(path, directory, "interrupted.jsonl");
        (void)remove(path);
        synthetic_write(directory, "records.jsonl", whole, cut);
        size_t whole_lines = 0;
        for (size_t i = kept; i < cut; i++) {
            whole_lines += whole[i] == '\n';
        }
        size_t torn = whole[cut - 1] != '\n';
        assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
        assert_int_equal(2 * CELLS - 2, set->record_count);
        assert_int_equal((whole_lines > 0) + torn, set->note_count);
        record_set_free(set);
        assert_int_equal(STATUS_OK, resume(directory, &store, &error));
        assert_int_equal(2 * CELLS - 2, store_record_count(store));
        assert_int_equal(whole_lines + torn, store_interrupted_count(store));
        assert_false(store_is_done(store, RECORD_TIME, 1, cell_ids[2]));
        synthetic_append(store, synthetic_record(cell_ids[2], 1, "ok", 16));
        synthetic_append(store, synthetic_record(cell_ids[3], 1, "ok", 17));
        store_close(store);
        char *again = synthetic_read(directory, "records.jsonl", NULL);
        char *moved = synthetic_read(directory, "interrupted.jsonl", NULL);
        assert_string_equal(whole, again);
        assert_int_equal(whole_lines + torn, count_lines(moved));
        size_t line_bytes = whole_lines > 0 ? strcspn(moved, "\n") + 1 : 0;
        assert_memory_equal(whole + kept, moved, line_bytes);
        assert_int_equal(torn, strstr(moved, "heapmill-torn-1") != NULL);
        free(again);
        free(moved);
    }
    free(whole);
    synthetic_remove(directory);
}

/* A last line of which only the newline was written is torn too (a block of zeros after a power
 * cut). */
static void test_a_last_line_of_zeros_is_torn(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct store *store;
    struct error error;
    size_t size;
    synthetic_directory(directory);
    write_records(directory, 2);
    char *whole = synthetic_read(directory, "records.jsonl", &size);
    char *longer = calloc(size + 100, 1);
    assert_non_null(longer);
    memcpy(longer, whole, size);
    longer[size + 99] = '\n';
    synthetic_write(directory, "records.jsonl", longer, size + 100);
    assert_int_equal(STATUS_OK, resume(directory, &store, &error));
    assert_int_equal(2, store_record_count(store));
    assert_int_equal(1, store_interrupted_count(store));
    store_close(store);
    char *again = synthetic_read(directory, "records.jsonl", NULL);
    assert_string_equal(whole, again);
    free(again);
    free(longer);
    free(whole);
    synthetic_remove(directory);
}

/* Killed after the move and before the cut: the second recovery must move nothing twice. And a
 * recovery that was killed while it moved has left half a line in interrupted.jsonl. */
static void test_recovery_that_was_killed_is_repeated(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct store *store;
    struct error error;
    size_t size;
    synthetic_directory(directory);
    write_records(directory, 3);
    char *before = synthetic_read(directory, "records.jsonl", &size);
    assert_int_equal(STATUS_OK, resume(directory, &store, &error));
    store_close(store);
    char *moved = synthetic_read(directory, "interrupted.jsonl", NULL);
    size_t moved_bytes[] = {strlen(moved), strlen(moved) / 2, 0};
    for (size_t i = 0; i < 3; i++) {
        synthetic_write(directory, "records.jsonl", before, size);
        synthetic_write(directory, "interrupted.jsonl", moved, moved_bytes[i]);
        assert_int_equal(STATUS_OK, resume(directory, &store, &error));
        assert_int_equal(2, store_record_count(store));
        store_close(store);
        char *again = synthetic_read(directory, "interrupted.jsonl", NULL);
        assert_string_equal(moved, again);
        free(again);
    }
    free(moved);
    free(before);
    synthetic_remove(directory);
}

/* What the child does until it is killed: resumes, and goes on where the run is. */
static void write_until_killed(const char *directory)
{
    struct store *store;
    struct error error;
    if (store_resume(directory, &store, &error) != STATUS_OK) {
        _exit(1);
    }
    for (uint32_t round = 0; round < 100000; round++) {
        for (int i = 0; i < CELLS; i++) {
            if (store_is_done(store, RECORD_TIME, round, cell_ids[i])) {
                continue;
            }
            json_t *record = synthetic_record(cell_ids[i], (int)round, "ok", 10 + i);
            if (store_append(store, record, &error) != STATUS_OK) {
                _exit(2);
            }
            json_decref(record);
        }
    }
    _exit(0);
}

/* Kills at random instants: afterwards every round is there once, in order, and nothing is torn. */
static void test_kills_lose_and_double_nothing(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set;
    struct error error;
    struct rng rng;
    size_t before = 0;
    rng_seed(&rng, 5);
    synthetic_directory(directory);
    write_records(directory, 0);
    for (int i = 0; i < KILLS; i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            write_until_killed(directory);
        }
        (void)usleep((useconds_t)(500 + rng_below(&rng, 40000)));
        assert_int_equal(0, kill(child, SIGKILL));
        assert_int_equal(child, waitpid(child, &status, 0));
        assert_true(WIFSIGNALED(status));
        assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
        assert_true(set->record_count >= before); /* what was complete stays */
        before = set->record_count;
        for (size_t j = 0; j < set->record_count; j++) {
            assert_int_equal(j / CELLS, set->records[j].round);
            assert_int_equal(j % CELLS, set->records[j].cell);
        }
        record_set_free(set);
    }
    assert_true(before > 0);
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_come_back),
        cmocka_unit_test(test_a_former_name_is_read),
        cmocka_unit_test(test_a_second_plan_is_refused),
        cmocka_unit_test(test_a_second_writer_is_refused),
        cmocka_unit_test(test_what_is_no_run_is_said_so),
        cmocka_unit_test(test_append_refuses_what_could_not_be_read),
        cmocka_unit_test(test_append_keeps_groups_together_and_records_single),
        cmocka_unit_test(test_memory_pass_needs_no_twins),
        cmocka_unit_test(test_torn_at_every_byte_of_the_last_group),
        cmocka_unit_test(test_a_last_line_of_zeros_is_torn),
        cmocka_unit_test(test_recovery_that_was_killed_is_repeated),
        cmocka_unit_test(test_kills_lose_and_double_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
