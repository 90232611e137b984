/* What is put behind a mutated program: whole operations of programs seen before, and no more than
 * there is room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fuzz/filler.h"

enum { TEST_CAPACITY = PALETTE_HEADER_BYTES + PALETTE_OPERATION_BYTES * 1000, TEST_TRIES = 2000 };

static struct filler filler;
static uint8_t data[TEST_CAPACITY];

/* An input of so many operations, each of its number's two bytes. */
static size_t make_input(size_t count)
{
    memset(data, 0xee, PALETTE_HEADER_BYTES);
    for (size_t i = 0; i < count; i++) {
        data[PALETTE_HEADER_BYTES + 2 * i] = (uint8_t)i;
        data[PALETTE_HEADER_BYTES + 2 * i + 1] = (uint8_t)~i;
    }
    return PALETTE_HEADER_BYTES + PALETTE_OPERATION_BYTES * count;
}

/* Returns how many operations `count` become, all of them whole. */
static size_t fit(size_t count, size_t capacity, struct rng *rng)
{
    size_t size = make_input(count);
    size_t extended = filler_fit(&filler, data, size, capacity, rng);
    assert_in_range(extended,
                    PALETTE_HEADER_BYTES + 16 * PALETTE_OPERATION_BYTES < size
                        ? PALETTE_HEADER_BYTES + 16 * PALETTE_OPERATION_BYTES
                        : size,
                    capacity);
    assert_int_equal((extended - PALETTE_HEADER_BYTES) % PALETTE_OPERATION_BYTES, 0);
    for (size_t i = PALETTE_HEADER_BYTES; i < extended; i += PALETTE_OPERATION_BYTES) {
        assert_int_equal(data[i + 1], (uint8_t)~data[i]); /* or one was cut in two */
    }
    size_t now = (extended - PALETTE_HEADER_BYTES) / PALETTE_OPERATION_BYTES;
    for (size_t i = 0; i < count && i < now; i++) {
        assert_int_equal(data[PALETTE_HEADER_BYTES + 2 * i], (uint8_t)i);
    }
    return now;
}

static void nothing_seen_adds_nothing(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    filler = (struct filler){0};
    for (int i = 0; i < 100; i++) {
        assert_int_equal(fit(3, TEST_CAPACITY, &rng), 3);
    }
}

static void programs_become_longer_and_shorter(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 2);
    filler = (struct filler){0};
    size_t longer = 0;
    size_t shorter = 0;
    size_t full = 0;
    for (int i = 0; i < TEST_TRIES; i++) {
        filler_note(&filler, data, make_input(1 + (size_t)i % 70)); /* the ring wraps around */
        size_t capacity = TEST_CAPACITY - (size_t)i % 2;
        size_t before = 7 + (size_t)i % 400;
        size_t count = fit(before, capacity, &rng);
        longer += count > before;
        shorter += count < before;
        full += count == (capacity - PALETTE_HEADER_BYTES) / PALETTE_OPERATION_BYTES;
    }
    assert_in_range(longer, TEST_TRIES / 4, TEST_TRIES / 2);
    assert_in_range(shorter, TEST_TRIES / 30, TEST_TRIES / 8);
    assert_in_range(full, TEST_TRIES / 20, TEST_TRIES / 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_seen_adds_nothing),
        cmocka_unit_test(programs_become_longer_and_shorter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
