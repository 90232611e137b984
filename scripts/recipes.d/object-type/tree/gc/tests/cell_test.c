/* Cells: by their counts, and in a cycle. */
#include "gc/cell.h"

#include "gc/tests/gc_test.h"

static void test_a_cell_in_a_cycle(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    struct object *list = list_new(runtime);
    struct object *cell = cell_new(runtime, list);
    assert_ptr_equal(cell_value(cell), list);
    cell_set(runtime, cell, cell);
    object_decref(runtime, list);
    object_decref(runtime, cell);
    assert_int_equal(gc_check(runtime), 0);
    assert_int_equal(gc_collect(runtime, 2), 1);
}

int cell_test(void)
{
    const struct CMUnitTest cell_tests[] = {
        GC_TEST(test_a_cell_in_a_cycle),
    };
    return cmocka_run_group_tests(cell_tests, NULL, NULL);
}
