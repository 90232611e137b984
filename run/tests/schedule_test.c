/* A round is an order of all cells in which groups stay together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/rounds.h"

enum { GROUPS = 7, CELLS_OF_GROUP = 5, CELLS = GROUPS * CELLS_OF_GROUP };

static json_t *make_cells(void)
{
    json_t *cells = json_array();
    for (int i = 0; i < CELLS; i++) {
        (void)json_array_append_new(
            cells, json_pack("{ss}", "group", (char[]){(char)('a' + i / CELLS_OF_GROUP), '\0'}));
    }
    return cells;
}

static void every_cell_comes_once_beside_its_group(void **state)
{
    (void)state;
    json_t *cells = make_cells();
    for (uint32_t round = 0; round < 100; round++) {
        uint32_t order[CELLS];
        bool seen[CELLS] = {false};
        schedule_round(cells, 3, round, order);
        for (int i = 0; i < CELLS; i++) {
            assert_true(order[i] < CELLS && !seen[order[i]]);
            seen[order[i]] = true;
            int first = i - i % CELLS_OF_GROUP;
            assert_int_equal(order[i] / CELLS_OF_GROUP, order[first] / CELLS_OF_GROUP);
        }
    }
    json_decref(cells);
}

/* Each group comes first, and each cell comes first in its group, about equally often: expected
 * 1000/7 = 143 and 200, with standard deviations of 11 and 13. */
static void every_order_is_as_likely(void **state)
{
    (void)state;
    json_t *cells = make_cells();
    int first_group[GROUPS] = {0};
    int first_cell[CELLS_OF_GROUP] = {0};
    for (uint32_t round = 0; round < 1000; round++) {
        uint32_t order[CELLS];
        schedule_round(cells, 3, round, order);
        first_group[order[0] / CELLS_OF_GROUP]++;
        first_cell[order[0] % CELLS_OF_GROUP]++;
    }
    for (int i = 0; i < GROUPS; i++) {
        assert_in_range(first_group[i], 143 - 55, 143 + 55);
    }
    for (int i = 0; i < CELLS_OF_GROUP; i++) {
        assert_in_range(first_cell[i], 200 - 65, 200 + 65);
    }
    json_decref(cells);
}

static void seeds_fit_into_a_double_and_differ(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 1000; round++) {
        uint64_t seed = schedule_seed(1, round, "batch/size=8/t1");
        assert_true(seed < UINT64_C(1) << 53);
        assert_true(seed != schedule_seed(1, round + 1, "batch/size=8/t1"));
        assert_true(seed != schedule_seed(2, round, "batch/size=8/t1"));
        assert_true(seed != schedule_seed(1, round, "batch/size=9/t1"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_comes_once_beside_its_group),
        cmocka_unit_test(every_order_is_as_likely),
        cmocka_unit_test(seeds_fit_into_a_double_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
