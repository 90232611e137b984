/* A run with `bench --against`: each back end is compared with itself from before, in the same
 * group and round. */
#include "results/tests/synthetic.h"

#include "common/host/document.h"
#include "results/compare/before.h"
#include "results/compare/comparison.h"

enum { ROUNDS = 8, CELLS = 6 };

static const char *const backends[CELLS] = {"malloc", "malloc",       "malloc",
                                            "pools",  "pools@before", "lists"};
static const int twins[CELLS] = {0, 1, 2, 0, 0, 0};

/* A run in which pools takes `ratio` of what it took before, and malloc something else. lists has
 * no counterpart. */
static struct record_set *make_run(char directory[SYNTHETIC_PATH_MAX], double ratio, bool failing)
{
    json_t *plan = synthetic_plan();
    struct record_set *set = NULL;
    struct error error = {0};
    (void)json_object_set_new(plan, "against",
                              json_pack("{ss ss}", "name", "main", "commit", "0123456789abcdef"));
    for (int i = 0; i < CELLS; i++) {
        synthetic_add_cell(plan, "churn", "steady", backends[i], "preload", twins[i]);
    }
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CELLS; i++) {
            static const char *const ends[] = {"", "~1", "~2"};
            char id[128];
            double noise = 1 + 0.001 * ((round * 5 + i * 3) % 7);
            double time_ns = (i == 3 ? 20 * ratio : i == 4 ? 20 : 7) * noise;
            bool fails = failing && i == 3 && round == 2;
            (void)snprintf(id, sizeof(id), "churn/size=64/t1/%s:preload%s", backends[i],
                           ends[twins[i]]);
            synthetic_append(store, synthetic_record(id, round, fails ? "crashed" : "ok", time_ns));
        }
    }
    store_close(store);
    assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
    return set;
}

/* The Markdown of such a run; the caller frees it. */
static char *report(double ratio, bool failing, struct before_tally *tally)
{
    char directory[SYNTHETIC_PATH_MAX];
    struct error error = {0};
    struct record_set *set = make_run(directory, ratio, failing);
    struct document *document = document_new();
    assert_int_equal(STATUS_OK, before_report(set, document, tally, &error));
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    document_print_markdown(document, file);
    (void)fclose(file);
    document_free(document);
    record_set_free(set);
    synthetic_remove(directory);
    return text;
}

static void a_row_is_compared_with_itself_from_before(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct error error = {0};
    struct record_set *set = make_run(directory, 1.5, false);
    const struct comparison_options options = {.before = true, .seed = 1};
    struct comparison *comparison = NULL;
    assert_true(comparison_has_before(set));
    assert_int_equal(STATUS_OK, comparison_build(set, &options, &comparison, &error));
    assert_int_equal(1, comparison->cell_count); /* neither malloc nor lists nor pools@before */
    assert_string_equal("pools", comparison->cells[0].cell->backend);
    assert_string_equal("pools@before", comparison->cells[0].base->backend);
    assert_int_equal(ROUNDS, comparison->cells[0].rounds);
    assert_true(comparison->cells[0].ratio > 1.48 && comparison->cells[0].ratio < 1.52);
    assert_int_equal(COMPARISON_MORE, comparison->cells[0].verdict);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

static void what_became_worse_is_counted_and_shown(void **state)
{
    (void)state;
    struct before_tally tally;
    char *text = report(1.5, false, &tally);
    assert_int_equal(1, tally.cells);
    assert_int_equal(1, tally.worse);
    assert_int_equal(0, tally.better + tally.unjudged);
    assert_non_null(strstr(text, "1 worse, 0 better of 1 figures, against main (0123456789ab)"));
    assert_non_null(strstr(text, "| pools:preload |"));
    free(text);
    text = report(0.5, false, &tally);
    assert_int_equal(0, tally.worse);
    assert_int_equal(1, tally.better);
    free(text);
}

static void what_did_not_move_has_no_row(void **state)
{
    (void)state;
    struct before_tally tally;
    char *text = report(1, false, &tally);
    assert_int_equal(1, tally.cells);
    assert_int_equal(0, tally.worse + tally.better + tally.unjudged);
    assert_null(strstr(text, "pools"));
    free(text);
}

static void what_failed_is_no_clean_result(void **state)
{
    (void)state;
    struct before_tally tally;
    char *text = report(1, true, &tally);
    assert_int_equal(1, tally.unjudged);
    assert_non_null(strstr(text, "failed"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_compared_with_itself_from_before),
        cmocka_unit_test(what_became_worse_is_counted_and_shown),
        cmocka_unit_test(what_did_not_move_has_no_row),
        cmocka_unit_test(what_failed_is_no_clean_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
