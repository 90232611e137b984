/* One block or a few at a time: sizes, alignment, resize, exhaustion, the run's beginning, closing.
 */
#include "allocators/tests/conformance.h"

#include <string.h>

struct single_fixture {
    struct heap heap;
    struct conformance_os os;
    struct conformance_model model;
};

static int single_setup(void **state)
{
    static struct single_fixture fixture;
    *state = &fixture;
    return 0;
}

static struct single_fixture *single_open(void **state, size_t slots)
{
    struct single_fixture *fixture = *state;
    conformance_open(&fixture->heap, &fixture->os);
    conformance_model_begin(&fixture->model, &fixture->heap, slots);
    return fixture;
}

static void single_close(struct single_fixture *fixture)
{
    conformance_free_all(&fixture->model);
    conformance_verify(&fixture->model);
    conformance_model_end(&fixture->model);
    heap_close(&fixture->heap);
    conformance_os_assert_balanced(&fixture->os);
}

/* Every small size, and the neighbours of every power of two up to a mebibyte; all live at once. */
static void single_serves_every_size(void **state)
{
    struct single_fixture *fixture = single_open(state, 2048);
    size_t slot = 0;
    for (size_t size = 0; size <= 1100; size++) {
        assert_true(conformance_alloc(&fixture->model, slot++, size, HEAP_RAW));
    }
    for (size_t power = 2048; power <= 1 << 20; power *= 2) {
        for (size_t size = power - 1; size <= power + 1; size++) {
            assert_true(conformance_alloc(&fixture->model, slot++, size, HEAP_BUFFER));
        }
    }
    conformance_verify(&fixture->model);
    single_close(fixture);
}

/* Each type with its own size and with others: a list that takes the wrong block is found out. */
static void single_serves_every_type(void **state)
{
    static const size_t sizes[] = {HEAP_INT_BYTES,
                                   HEAP_INT_BYTES + 8,
                                   HEAP_LIST_BYTES,
                                   HEAP_DICT_BYTES,
                                   HEAP_TUPLE_BYTES,
                                   HEAP_TUPLE_BYTES + 8,
                                   HEAP_TUPLE_BYTES + 8 * 19,
                                   HEAP_TUPLE_BYTES + 8 * 20,
                                   0};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    struct single_fixture *fixture = single_open(state, (size_t)HEAP_TYPE_COUNT * SIZES);
    for (int round = 0; round < 3; round++) {
        size_t slot = 0;
        for (int type = HEAP_RAW; type < HEAP_TYPE_COUNT; type++) {
            for (size_t i = 0; i < SIZES; i++) {
                assert_true(
                    conformance_alloc(&fixture->model, slot++, sizes[i], (enum heap_type)type));
            }
        }
        conformance_verify(&fixture->model);
        conformance_free_all(&fixture->model);
        conformance_verify(&fixture->model);
    }
    single_close(fixture);
}

static void single_zero_sizes_are_blocks(void **state)
{
    struct single_fixture *fixture = single_open(state, 3);
    for (size_t slot = 0; slot < 3; slot++) {
        assert_true(conformance_alloc(&fixture->model, slot, 0, HEAP_RAW));
        *fixture->model.blocks[slot].address = 1; /* size 0 counts as 1 */
    }
    assert_true(fixture->model.blocks[0].address != fixture->model.blocks[1].address);
    assert_true(fixture->model.blocks[1].address != fixture->model.blocks[2].address);
    assert_true(conformance_resize(&fixture->model, 0, 100));
    assert_true(conformance_resize(&fixture->model, 0, 0));
    assert_true(conformance_resize(&fixture->model, 0, 1));
    conformance_verify(&fixture->model);
    single_close(fixture);
}

/* Up and down over small classes, the thresholds of 256 and 512, and large blocks, for each pair.
 */
static void single_resize_keeps_contents(void **state)
{
    static const size_t sizes[] = {1,   8,   16,  24,  25,  48,  56,   64,   100,
                                   255, 256, 257, 511, 512, 513, 1000, 5000, 100000};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    static const enum heap_type types[] = {HEAP_RAW, HEAP_INT, HEAP_FLOAT, HEAP_TUPLE};
    struct single_fixture *fixture = single_open(state, 8);
    for (size_t type = 0; type < sizeof(types) / sizeof(types[0]); type++) {
        for (size_t from = 0; from < SIZES; from++) {
            for (size_t to = 0; to < SIZES; to++) {
                assert_true(conformance_alloc(&fixture->model, 0, sizes[from], types[type]));
                assert_true(conformance_alloc(&fixture->model, 1, sizes[from], types[type]));
                assert_true(conformance_resize(&fixture->model, 0, sizes[to]));
                conformance_verify(&fixture->model);
                conformance_free(&fixture->model, 1);
                conformance_free(&fixture->model, 0);
            }
        }
    }
    single_close(fixture);
}

/* What no machine has is refused, and nothing changes. */
static void single_huge_sizes_are_refused(void **state)
{
    /* Volatile, as compilers warn of such sizes when they see them reach a malloc. */
    static const volatile size_t sizes[] = {SIZE_MAX,        SIZE_MAX - 7,     SIZE_MAX - 15,
                                            SIZE_MAX - 4096, SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 4096};
    struct single_fixture *fixture = single_open(state, 2);
    assert_true(conformance_alloc(&fixture->model, 0, 40, HEAP_TUPLE));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (int type = HEAP_RAW; type < HEAP_TYPE_COUNT; type++) {
            assert_false(conformance_alloc(&fixture->model, 1, sizes[i], (enum heap_type)type));
        }
        assert_false(conformance_resize(&fixture->model, 0, sizes[i]));
        conformance_verify(&fixture->model);
    }
    single_close(fixture);
}

/* Small blocks may still be live at close: their memory goes back all the same, unless the heap is
 * the process's own. */
static void single_close_releases_live_blocks(void **state)
{
    if (!CONFORMANCE_CAN(HEAP_CAN_COEXIST)) {
        skip();
    }
    struct single_fixture *fixture = single_open(state, 5000);
    for (size_t slot = 0; slot < 5000; slot++) {
        size_t size;
        enum heap_type type;
        struct rng rng;
        rng_seed(&rng, slot);
        conformance_draw(&rng, 1, 256, &size, &type);
        assert_true(conformance_alloc(&fixture->model, slot, size, type));
    }
    for (size_t slot = 0; slot < 5000; slot += 2) {
        conformance_free(&fixture->model, slot);
    }
    conformance_verify(&fixture->model);
    conformance_model_end(&fixture->model);
    heap_close(&fixture->heap);
    conformance_os_assert_balanced(&fixture->os);
}

enum { SINGLE_WINDOW_BYTES = 1 << 16, SINGLE_WINDOW_BLOCKS = 64, SINGLE_RUN_BLOCKS = 100000 };

static void single_assert_byte(const unsigned char *block, size_t size, unsigned char value)
{
    assert_int_equal(block[0], value);
    assert_int_equal(block[size / 2], value);
    assert_int_equal(block[size - 1], value);
}

/* What was allocated before the run outlives it, and a block of the run lives as long as the window
 * that open was promised, also where memory is reused by the clock (`null`). */
static void single_run_leaves_the_setup_alone(void **state)
{
    struct single_fixture *fixture = *state;
    conformance_open(&fixture->heap, &fixture->os);
    heap_close(&fixture->heap);
    struct heap_options options = {.os = fixture->os.hooks, .window_bytes = SINGLE_WINDOW_BYTES};
    assert_int_equal(heap_open(&fixture->heap, &options, NULL), STATUS_OK);
    static unsigned char *before[100];
    for (size_t i = 0; i < 100; i++) {
        before[i] = heap_alloc(&fixture->heap, 5000, HEAP_RAW);
        memset(before[i], (int)i, 5000);
    }
    heap_begin_run(&fixture->heap);
    heap_begin_run(&fixture->heap);
    static unsigned char *window[SINGLE_WINDOW_BLOCKS];
    static size_t sizes[SINGLE_WINDOW_BLOCKS];
    memset(window, 0, sizeof(window));
    struct rng rng;
    rng_seed(&rng, 1);
    for (size_t i = 0; i < SINGLE_RUN_BLOCKS; i++) {
        size_t slot = i % SINGLE_WINDOW_BLOCKS;
        if (window[slot] != NULL) {
            single_assert_byte(window[slot], sizes[slot], (unsigned char)slot);
            heap_free(&fixture->heap, window[slot], sizes[slot], HEAP_STR);
        }
        sizes[slot] = 1 + rng_below(&rng, SINGLE_WINDOW_BYTES / SINGLE_WINDOW_BLOCKS);
        window[slot] = heap_alloc(&fixture->heap, sizes[slot], HEAP_STR);
        assert_non_null(window[slot]);
        memset(window[slot], (int)slot, sizes[slot]);
    }
    for (size_t i = 0; i < SINGLE_WINDOW_BLOCKS; i++) {
        heap_free(&fixture->heap, window[i], sizes[i], HEAP_STR);
    }
    for (size_t i = 0; i < 100; i++) {
        single_assert_byte(before[i], 5000, (unsigned char)i);
        heap_free(&fixture->heap, before[i], 5000, HEAP_RAW);
    }
    assert_int_equal(heap_check(&fixture->heap), 0);
    heap_close(&fixture->heap);
    conformance_os_assert_balanced(&fixture->os);
}

int conformance_single_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(single_serves_every_size, single_setup),
        cmocka_unit_test_setup(single_serves_every_type, single_setup),
        cmocka_unit_test_setup(single_zero_sizes_are_blocks, single_setup),
        cmocka_unit_test_setup(single_resize_keeps_contents, single_setup),
        cmocka_unit_test_setup(single_huge_sizes_are_refused, single_setup),
        cmocka_unit_test_setup(single_close_releases_live_blocks, single_setup),
        cmocka_unit_test_setup(single_run_leaves_the_setup_alone, single_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
