/* Every request to the operating system of one scenario is refused in turn: NULL is the answer, the
 * heap stays healthy and keeps what it has, and nothing is leaked. */
#include "allocators/tests/conformance.h"

enum {
    FAULT_SLOTS = 75000,
    FAULT_SMALL_BLOCKS = 72000, /* 17 MiB: more arenas of 1 MiB than any table starts with */
    FAULT_SMALL_REQUESTS = 40,  /* of smaller arenas so many: a table has grown twice */
    FAULT_SMALL_BYTES = 250,    /* in a pool whatever the threshold */
    FAULT_TYPED_BLOCKS = 500,   /* of each type: several carved blocks */
    FAULT_LARGE_BLOCKS = 12,
};

struct fault_scenario {
    struct conformance_model model;
    const struct conformance_os *os;
    size_t refused; /* calls of the heap's that returned NULL */
};

static void fault_alloc(struct fault_scenario *scenario, size_t slot, size_t size,
                        enum heap_type type)
{
    scenario->refused += !conformance_alloc(&scenario->model, slot, size, type);
}

/* Resizes what is there; the slots of refused blocks are empty. */
static void fault_resize(struct fault_scenario *scenario, size_t slot, size_t size)
{
    if (scenario->model.blocks[slot].address != NULL) {
        scenario->refused += !conformance_resize(&scenario->model, slot, size);
    }
}

static void fault_play(struct fault_scenario *scenario)
{
    size_t slot = 0;
    for (size_t i = 0; i < FAULT_LARGE_BLOCKS; i++) {
        fault_alloc(scenario, slot, 600 + 1000 * i, HEAP_BUFFER);
        fault_resize(scenario, slot, 700 + 2000 * i);
        fault_resize(scenario, slot, 100);
        fault_resize(scenario, slot, 20000);
        slot++;
    }
    for (size_t i = 0; i < FAULT_TYPED_BLOCKS; i++) {
        fault_alloc(scenario, slot++, HEAP_INT_BYTES, HEAP_INT);
        fault_alloc(scenario, slot++, HEAP_FLOAT_BYTES, HEAP_FLOAT);
        fault_alloc(scenario, slot++, HEAP_LIST_BYTES, HEAP_LIST);
    }
    fault_resize(scenario, slot - 3, 200); /* an int, a float, a list */
    fault_resize(scenario, slot - 2, 2000);
    fault_resize(scenario, slot - 1, 200);
    size_t enough = scenario->os->calls + FAULT_SMALL_REQUESTS;
    for (size_t i = 0; i < FAULT_SMALL_BLOCKS && scenario->os->calls < enough; i++) {
        fault_alloc(scenario, slot++, FAULT_SMALL_BYTES, HEAP_STR);
    }
    conformance_verify(&scenario->model);
    conformance_free_all(&scenario->model);
    heap_trim(scenario->model.heap);
    fault_alloc(scenario, 0, 64, HEAP_RAW); /* the heap is still of use */
    conformance_verify(&scenario->model);
    conformance_free_all(&scenario->model);
}

/* Plays the scenario with the request numbered fail_at refused. The requests that were made. */
static size_t fault_play_once(size_t fail_at, size_t *refused, bool *opened)
{
    static struct heap heap;
    static struct conformance_os os;
    struct fault_scenario scenario = {.os = &os};
    conformance_os_begin(&os, fail_at);
    struct heap_options options = {.os = os.hooks, .window_bytes = 1 << 20};
    struct error error = {0};
    enum status status = heap_open(&heap, &options, &error);
    *opened = status == STATUS_OK;
    if (*opened) {
        conformance_model_begin(&scenario.model, &heap, FAULT_SLOTS);
        fault_play(&scenario);
        conformance_model_end(&scenario.model);
        heap_close(&heap);
    } else {
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_int_equal(error.status, STATUS_NO_MEMORY);
        assert_true(error.message[0] != '\0');
    }
    conformance_os_assert_balanced(&os);
    *refused = scenario.refused;
    return os.calls;
}

static void fault_each_request_in_turn(void **state)
{
    (void)state;
    struct heap heap;
    struct conformance_os os;
    conformance_open(&heap, &os);
    heap_close(&heap);
    size_t refused;
    bool opened;
    size_t requests = fault_play_once(CONFORMANCE_NEVER, &refused, &opened);
    assert_true(opened);
    assert_int_equal(refused, 0);
    if (requests == 0) {
        print_message("this back end does not take its memory through heap_os\n");
        skip();
    }
    for (size_t fail_at = 0; fail_at < requests; fail_at++) {
        (void)fault_play_once(fail_at, &refused, &opened);
        /* One refusal costs at most the one call that needed it. */
        assert_true(opened ? refused <= 1 : refused == 0);
    }
    print_message("%zu requests refused in turn\n", requests);
}

int conformance_fault_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_each_request_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
