/* What a parameter costs: each cell against its own back end's with another value of it. */
#include "results/tests/synthetic.h"

#include <math.h>

#include "results/compare/comparison.h"

enum { ROUNDS = 8 };

static const char *const heaps[] = {"trim", "aged"};
static const char *const labels[] = {"malloc:preload", "pools:inline"};

static void add_cell(json_t *plan, const char *heap, const char *backend, const char *arm, int twin)
{
    static const char *const tails[] = {"", "~1", "~2"};
    json_t *cell =
        json_pack("{s:o, s:o, s:s, s:s, s:s, s:{s:s, s:i}, s:i, s:s, s:s, s:{}, s:i}", "id",
                  json_sprintf("batch/heap=%s,size=64/t1/%s:%s%s", heap, backend, arm, tails[twin]),
                  "group", json_sprintf("batch/heap=%s,size=64/t1", heap), "workload", "batch",
                  "kind", "blocks", "family", "batch", "params", "heap", heap, "size", 64,
                  "threads", 1, "backend", backend, "arm", arm, "env", "twin", twin);
    assert_non_null(cell);
    assert_int_equal(0, json_array_append_new(json_object_get(plan, "cells"), cell));
}

static void append(struct store *store, const char *heap, const char *label, int round, double ns)
{
    char id[128];
    (void)snprintf(id, sizeof(id), "batch/heap=%s,size=64/t1/%s", heap, label);
    synthetic_append(store, synthetic_record(id, round, "ok", ns * (1 + 0.0001 * round)));
}

/* malloc: 10 ns in either heap; pools: 4 in an aged one, 6 where arenas come and go. */
static struct record_set *load_run(char directory[SYNTHETIC_PATH_MAX])
{
    json_t *plan = synthetic_plan();
    for (int heap = 0; heap < 2; heap++) {
        for (int twin = 0; twin <= 2; twin++) {
            add_cell(plan, heaps[heap], "malloc", "preload", twin);
        }
        add_cell(plan, heaps[heap], "pools", "inline", 0);
    }
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan);
    for (int round = 0; round < ROUNDS; round++) {
        for (int heap = 0; heap < 2; heap++) {
            append(store, heaps[heap], "malloc:preload", round, 10);
            append(store, heaps[heap], "malloc:preload~1", round, 10.01);
            append(store, heaps[heap], "malloc:preload~2", round, 10);
            append(store, heaps[heap], "pools:inline", round, heap == 0 ? 6 : 4);
        }
    }
    store_close(store);
    struct record_set *set = NULL;
    struct error error;
    assert_int_equal(STATUS_OK, store_load(directory, &set, &error));
    return set;
}

static void test_cells_meet_their_own_back_end(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set = load_run(directory);
    struct comparison *comparison = NULL;
    struct error error;
    const struct comparison_options options = {.vary = "heap=aged", .seed = 1};
    assert_int_equal(STATUS_OK, comparison_build(set, &options, &comparison, &error));
    assert_int_equal(2, comparison->cell_count);
    for (size_t i = 0; i < 2; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        bool pools = strcmp(row->cell->label, labels[1]) == 0;
        assert_string_equal(row->cell->label, row->base->label);
        assert_non_null(strstr(row->base->id, "heap=aged"));
        assert_true(fabs(row->ratio - (pools ? 1.5 : 1.0)) < 1e-6);
        assert_int_equal(pools ? COMPARISON_MORE : COMPARISON_NO_DIFFERENCE, row->verdict);
        assert_true(comparison->geomeans[i].complete && comparison->geomeans[i].cells == 1);
    }
    json_t *json = comparison_to_json(&comparison, 1);
    assert_string_equal("heap=aged", json_string_value(json_object_get(json, "vary")));
    json_decref(json);
    comparison_free(comparison);
    record_set_free(set);
    synthetic_remove(directory);
}

static void test_a_value_that_was_not_run_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"heap=new", "eap=aged", "heap=age", "order=fifo",
                                        "size=64"};
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set = load_run(directory);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct comparison *comparison = NULL;
        struct error error;
        const struct comparison_options options = {.vary = wrong[i], .seed = 1};
        assert_int_equal(STATUS_NOT_FOUND, comparison_build(set, &options, &comparison, &error));
        assert_non_null(strstr(error.message, "-p NAME=VALUE,VALUE"));
    }
    record_set_free(set);
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells_meet_their_own_back_end),
        cmocka_unit_test(test_a_value_that_was_not_run_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
