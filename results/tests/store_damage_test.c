/* Damage that no kill can have done is said, with its line and the remedy; nothing crashes. */
#include "results/tests/small_run.h"

/* Puts `line` in the place of the second of four lines: damage that no kill can have done. */
static void expect_corrupt(const char *line, const char *reason)
{
    char directory[SYNTHETIC_PATH_MAX];
    struct store *store;
    struct record_set *set;
    struct error error;
    synthetic_directory(directory);
    write_records(directory, CELLS);
    char *whole = synthetic_read(directory, "records.jsonl", NULL);
    size_t first = strcspn(whole, "\n") + 1;
    const char *rest = whole + first + strcspn(whole + first, "\n");
    char *damaged = calloc(strlen(whole) + strlen(line) + 1, 1);
    assert_non_null(damaged);
    (void)sprintf(damaged, "%.*s%s%s", (int)first, whole, line, rest);
    synthetic_write(directory, "records.jsonl", damaged, strlen(damaged));
    for (int writer = 0; writer < 2; writer++) {
        enum status status =
            writer ? resume(directory, &store, &error) : store_load(directory, &set, &error);
        assert_int_equal(STATUS_CORRUPT, status);
        if (strstr(error.message, "line 2") == NULL || strstr(error.message, reason) == NULL ||
            strstr(error.message, "--resume") == NULL) {
            fail_msg("\"%s\" says not line 2, \"%s\" and the remedy", error.message, reason);
        }
    }
    char *untouched = synthetic_read(directory, "records.jsonl", NULL);
    assert_string_equal(damaged, untouched);
    free(untouched);
    free(damaged);
    free(whole);
    synthetic_remove(directory);
}

#define RECORD_START "{\"format\":\"heapmill-record-1\",\"cell\":\"churn/size=64/t1/bump:inline\","

static void test_damage_is_said_with_line_and_remedy(void **state)
{
    (void)state;
    expect_corrupt("", "");
    expect_corrupt("{", "");
    expect_corrupt("{}", "format");
    expect_corrupt("[1, 2]", "format");
    expect_corrupt("nonsense", "");
    expect_corrupt("\xff\xfe", "");
    expect_corrupt("{\"format\":\"heapmill-record-9\"}", "format");
    expect_corrupt(RECORD_START "\"round\":0,\"status\":\"ok\",\"cpu_ns_per_op\":1}", "pass");
    expect_corrupt(RECORD_START "\"pass\":\"time\",\"status\":\"ok\",\"cpu_ns_per_op\":1}",
                   "round");
    expect_corrupt(RECORD_START "\"pass\":\"time\",\"round\":0,\"cpu_ns_per_op\":1}", "status");
    expect_corrupt(RECORD_START "\"pass\":\"time\",\"round\":0,\"status\":\"ok\"}",
                   "cpu_ns_per_op");
    expect_corrupt(RECORD_START "\"pass\":\"time\",\"round\":0,\"round\":1,\"status\":\"ok\"}",
                   "duplicate");
    expect_corrupt(RECORD_START
                   "\"pass\":\"time\",\"round\":0,\"status\":\"ok\",\"cpu_ns_per_op\":\"1\"}",
                   "cpu_ns_per_op");
    expect_corrupt(RECORD_START "\"pass\":\"memory\",\"round\":0,\"status\":\"ok\"}", "memory");
}

static void test_huge_numbers_are_damage(void **state)
{
    (void)state;
    expect_corrupt(RECORD_START
                   "\"pass\":\"time\",\"round\":0,\"status\":\"ok\",\"cpu_ns_per_op\":1e999}",
                   "");
    expect_corrupt(
        RECORD_START "\"pass\":\"time\",\"round\":99999999999999999999,\"status\":\"ok\"}", "");
    expect_corrupt(RECORD_START "\"pass\":\"time\",\"round\":4294967296,\"status\":\"failed\"}",
                   "round");
    expect_corrupt(RECORD_START "\"pass\":\"time\",\"round\":1.5,\"status\":\"failed\"}", "round");
    char *nested = calloc(100001, 1);
    assert_non_null(nested);
    memset(nested, '[', 100000);
    expect_corrupt(nested, "");
    free(nested);
}

static void test_a_doubled_record_is_damage(void **state)
{
    (void)state;
    expect_corrupt("{\"format\":\"heapmill-record-1\",\"cell\":\"churn/size=64/t1/malloc:preload\","
                   "\"pass\":\"time\",\"round\":0,\"status\":\"ok\",\"cpu_ns_per_op\":1}",
                   "already, in line 1");
}

/* Damage in a *last* line that is whole JSON is no tear: it must be said, not swept away. */
static void test_a_doubled_last_line_is_damage(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set;
    struct error error;
    size_t size;
    synthetic_directory(directory);
    write_records(directory, 2);
    char *whole = synthetic_read(directory, "records.jsonl", &size);
    char *doubled = calloc(2 * size + 1, 1);
    assert_non_null(doubled);
    (void)sprintf(doubled, "%s%.*s", whole, (int)(strcspn(whole, "\n") + 1), whole);
    synthetic_write(directory, "records.jsonl", doubled, strlen(doubled));
    assert_int_equal(STATUS_CORRUPT, store_load(directory, &set, &error));
    assert_non_null(strstr(error.message, "line 3"));
    free(doubled);
    free(whole);
    synthetic_remove(directory);
}

static void test_an_empty_file_is_an_empty_run(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set;
    struct error error;
    synthetic_directory(directory);
    write_records(directory, 0);
    assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
    assert_int_equal(0, set->record_count);
    record_set_free(set);
    synthetic_remove(directory);
}

/* Every plan that is cut short or damaged is refused; none crashes. */
static void test_damaged_plans_are_refused(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set;
    struct error error;
    size_t size;
    synthetic_directory(directory);
    write_records(directory, 0);
    char *plan = synthetic_read(directory, "plan.json", &size);
    while (plan[size - 1] != '}') {
        size--;
    }
    for (size_t cut = 0; cut < size; cut += 7) {
        synthetic_write(directory, "plan.json", plan, cut);
        assert_int_equal(STATUS_CORRUPT, store_load(directory, &set, &error));
    }
    free(plan);
    const char *const plans[] = {"[]",
                                 "{}",
                                 "{\"format\":\"heapmill-plan-1\"}",
                                 "{\"format\":\"heapmill-plan-1\",\"cells\":[]}",
                                 "{\"format\":\"heapmill-plan-1\",\"cells\":[3]}",
                                 "{\"format\":\"heapmill-plan-2\",\"cells\":[{}]}"};
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        synthetic_write(directory, "plan.json", plans[i], strlen(plans[i]));
        assert_int_equal(STATUS_CORRUPT, store_load(directory, &set, &error));
        assert_non_null(strstr(error.message, "plan.json"));
    }
    synthetic_remove(directory);
}

static void test_a_plan_with_a_cell_twice_is_refused(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct store *store;
    struct error error;
    json_t *plan = small_plan();
    synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", 0);
    synthetic_directory(directory);
    assert_int_equal(STATUS_INVALID, store_create(directory, plan, &store, &error));
    assert_non_null(strstr(error.message, "twice"));
    json_decref(plan);
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damage_is_said_with_line_and_remedy),
        cmocka_unit_test(test_huge_numbers_are_damage),
        cmocka_unit_test(test_a_doubled_record_is_damage),
        cmocka_unit_test(test_a_doubled_last_line_is_damage),
        cmocka_unit_test(test_an_empty_file_is_an_empty_run),
        cmocka_unit_test(test_damaged_plans_are_refused),
        cmocka_unit_test(test_a_plan_with_a_cell_twice_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
