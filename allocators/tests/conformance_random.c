/* Many blocks: random operations over ranges of sizes, orders of freeing, trim, two heaps. */
#include "allocators/tests/conformance.h"

#include <string.h>

enum { RANDOM_SLOTS = 3000, RANDOM_VERIFY_EVERY = 1000 };

struct random_range {
    size_t low;
    size_t high;
    size_t operations;
};

/* The last ones are few, as `bump` keeps every byte. */
static const struct random_range random_ranges[] = {
    {1, 16, 20000}, {1, 512, 30000}, {200, 600, 20000}, {1, 4096, 8000}, {256, 100000, 1500},
};

/* Allocates into an empty slot; frees or (one time in four) resizes a used one. */
static void random_operate(struct conformance_model *model, struct rng *rng,
                           const struct random_range *range)
{
    size_t slot = rng_below(rng, model->capacity);
    size_t size;
    enum heap_type type;
    conformance_draw(rng, range->low, range->high, &size, &type);
    if (model->blocks[slot].address == NULL) {
        assert_true(conformance_alloc(model, slot, size, type));
    } else if (rng_below(rng, 4) == 0) {
        assert_true(conformance_resize(model, slot, size));
    } else {
        conformance_free(model, slot);
    }
}

static void random_operations_keep_the_model(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(random_ranges) / sizeof(random_ranges[0]); i++) {
        struct heap heap;
        struct conformance_os os;
        struct conformance_model model;
        struct rng rng;
        rng_seed(&rng, 20 + i);
        conformance_open(&heap, &os);
        conformance_model_begin(&model, &heap, RANDOM_SLOTS);
        for (size_t operation = 1; operation <= random_ranges[i].operations; operation++) {
            random_operate(&model, &rng, &random_ranges[i]);
            if (operation % RANDOM_VERIFY_EVERY == 0) {
                conformance_verify(&model);
            }
        }
        conformance_free_all(&model);
        conformance_verify(&model);
        conformance_model_end(&model);
        heap_close(&heap);
        conformance_os_assert_balanced(&os);
    }
}

enum random_order { RANDOM_FIFO, RANDOM_LIFO, RANDOM_SHUFFLED, RANDOM_ORDERS };

/* The slots, in the order in which they are to be freed. */
static void random_make_order(uint32_t *slots, enum random_order order, struct rng *rng)
{
    for (uint32_t i = 0; i < RANDOM_SLOTS; i++) {
        slots[i] = order == RANDOM_LIFO ? RANDOM_SLOTS - 1 - i : i;
    }
    if (order == RANDOM_SHUFFLED) {
        rng_shuffle_u32(rng, slots, RANDOM_SLOTS);
    }
}

static void random_fill_empty_slots(struct conformance_model *model, struct rng *rng, size_t high)
{
    for (size_t slot = 0; slot < RANDOM_SLOTS; slot++) {
        size_t size;
        enum heap_type type;
        conformance_draw(rng, 1, high, &size, &type);
        if (model->blocks[slot].address == NULL) {
            assert_true(conformance_alloc(model, slot, size, type));
        }
    }
}

/* Fill, free half in the order, fill again, free all in the order. */
static void random_orders_of_freeing(void **state)
{
    (void)state;
    static uint32_t slots[RANDOM_SLOTS];
    struct heap heap;
    struct conformance_os os;
    struct conformance_model model;
    struct rng rng;
    rng_seed(&rng, 30);
    conformance_open(&heap, &os);
    conformance_model_begin(&model, &heap, RANDOM_SLOTS);
    for (enum random_order order = RANDOM_FIFO; order < RANDOM_ORDERS; order++) {
        random_fill_empty_slots(&model, &rng, 600);
        random_make_order(slots, order, &rng);
        for (size_t i = 0; i < RANDOM_SLOTS / 2; i++) {
            conformance_free(&model, slots[i]);
        }
        conformance_verify(&model);
        random_fill_empty_slots(&model, &rng, 600);
        conformance_verify(&model);
        for (size_t i = 0; i < RANDOM_SLOTS; i++) {
            conformance_free(&model, slots[i]);
        }
        conformance_verify(&model);
    }
    conformance_model_end(&model);
    heap_close(&heap);
    conformance_os_assert_balanced(&os);
}

/* Two heaps, used in turns; the second outlives the first. */
static void random_two_heaps_coexist(void **state)
{
    (void)state;
    if (!CONFORMANCE_CAN(HEAP_CAN_COEXIST)) {
        skip();
    }
    struct heap heaps[2];
    struct conformance_os os[2];
    struct conformance_model models[2];
    struct rng rng;
    rng_seed(&rng, 40);
    for (int i = 0; i < 2; i++) {
        conformance_open(&heaps[i], &os[i]);
        conformance_model_begin(&models[i], &heaps[i], RANDOM_SLOTS);
    }
    for (int operation = 0; operation < 20000; operation++) {
        random_operate(&models[rng_below(&rng, 2)], &rng, &random_ranges[1]);
    }
    conformance_verify(&models[0]);
    conformance_verify(&models[1]);
    conformance_free_all(&models[0]);
    conformance_model_end(&models[0]);
    heap_close(&heaps[0]);
    conformance_os_assert_balanced(&os[0]);
    conformance_verify(&models[1]);
    for (int operation = 0; operation < 5000; operation++) {
        random_operate(&models[1], &rng, &random_ranges[1]);
    }
    conformance_free_all(&models[1]);
    conformance_verify(&models[1]);
    conformance_model_end(&models[1]);
    heap_close(&heaps[1]);
    conformance_os_assert_balanced(&os[1]);
}

/* trim releases, and leaves the living alone. */
static void random_trim_leaves_the_living(void **state)
{
    (void)state;
    struct heap heap;
    struct conformance_os os;
    struct conformance_model model;
    struct rng rng;
    rng_seed(&rng, 50);
    conformance_open(&heap, &os);
    conformance_model_begin(&model, &heap, RANDOM_SLOTS);
    for (int round = 0; round < 5; round++) {
        for (int operation = 0; operation < 4000; operation++) {
            random_operate(&model, &rng, &random_ranges[1]);
        }
        struct heap_stats before;
        struct heap_stats after;
        heap_stats(&heap, &before);
        heap_trim(&heap);
        conformance_verify(&model);
        heap_stats(&heap, &after);
        assert_true(after.held_bytes <= before.held_bytes);
        assert_int_equal(after.blocks_live, before.blocks_live);
        assert_true(after.cached_blocks <= before.cached_blocks);
    }
    conformance_free_all(&model);
    heap_trim(&heap);
    heap_trim(&heap);
    conformance_verify(&model);
    conformance_model_end(&model);
    heap_close(&heap);
    conformance_os_assert_balanced(&os);
}

int conformance_random_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_keep_the_model),
        cmocka_unit_test(random_orders_of_freeing),
        cmocka_unit_test(random_two_heaps_coexist),
        cmocka_unit_test(random_trim_leaves_the_living),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
