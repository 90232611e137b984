/* A plan of two groups with two cells each, and its records, for the tests of the store. */
#ifndef HEAPMILL_RESULTS_TESTS_SMALL_RUN_H
#define HEAPMILL_RESULTS_TESTS_SMALL_RUN_H

#include "results/tests/synthetic.h"

enum { CELLS = 4 };

static const char *const cell_ids[CELLS] = {
    "churn/size=64/t1/malloc:preload", "churn/size=64/t1/bump:inline",
    "pingpong/size=64/t1/malloc:preload", "pingpong/size=64/t1/bump:inline"};

/* Two groups of two cells each. */
static inline json_t *small_plan(void)
{
    json_t *plan = synthetic_plan();
    synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", 0);
    synthetic_add_cell(plan, "churn", "steady", "bump", "inline", 0);
    synthetic_add_cell(plan, "pingpong", "pointers", "malloc", "preload", 0);
    synthetic_add_cell(plan, "pingpong", "pointers", "bump", "inline", 0);
    return plan;
}

/* A directory with the first `count` records of rounds in the plan's order. */
static inline void write_records(const char *directory, int count)
{
    struct store *store = synthetic_create(directory, small_plan());
    for (int i = 0; i < count; i++) {
        synthetic_append(store, synthetic_record(cell_ids[i % CELLS], i / CELLS, "ok", 10 + i));
    }
    store_close(store);
}

static inline enum status resume(const char *directory, struct store **store, struct error *error)
{
    *error = (struct error){0};
    return store_resume(directory, store, error);
}

#endif
