/* What pools holds of the system's memory when large blocks come and go, and when it asks for huge
 * pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "allocators/backend.h"
#include "allocators/pools/pools_internal.h"

enum { UNIT = POOLS_UNIT_BYTES };

static struct heap memory_heap;

/* Units that are free and hold memory, after a block of so many was taken and freed. */
static uint32_t dirty_after(uint32_t units)
{
    void *block = heap_alloc(&memory_heap, (size_t)units * UNIT, HEAP_RAW);
    assert_non_null(block);
    heap_free(&memory_heap, block, (size_t)units * UNIT, HEAP_RAW);
    assert_int_equal(0, heap_check(&memory_heap));
    return memory_heap.source.dirty_units;
}

/* A table that grows leaves its smaller selves for good; what is taken and freed in turns is kept.
 */
static void test_the_first_large_block_of_a_size_goes_back(void **state)
{
    (void)state;
    assert_int_equal(STATUS_OK, heap_open(&memory_heap, NULL, NULL));
    assert_int_equal(2, dirty_after(2)); /* small enough to be kept */
    assert_int_equal(0, dirty_after(8)); /* it had those 2, and goes back */
    assert_int_equal(8, dirty_after(8));
    assert_int_equal(8, dirty_after(4));
    assert_int_equal(0, dirty_after(16));
    assert_int_equal(16, dirty_after(16));
    heap_close(&memory_heap);
}

static void fill(size_t bytes)
{
    for (size_t i = 0; i < bytes / 1024; i++) {
        assert_non_null(heap_alloc(&memory_heap, 1024, HEAP_RAW));
    }
}

static uint64_t huge_arenas(void)
{
    return memory_heap.source.huge[0];
}

/* 64 MiB of small blocks earn huge pages for what comes behind; large blocks do not count. */
static void test_huge_pages_are_earned(void **state)
{
    (void)state;
    assert_int_equal(STATUS_OK, heap_open(&memory_heap, NULL, NULL));
    assert_non_null(heap_alloc(&memory_heap, 100 << 20, HEAP_RAW));
    fill(32 << 20);
    assert_int_equal(0, huge_arenas());
    fill(40 << 20);
    if (huge_arenas() == 0) {
        print_message("the kernel has no huge pages\n");
        skip();
    }
    assert_int_equal(0, huge_arenas() & ((UINT64_C(1) << ((100 + 60) / 4)) - 1));
    heap_close(&memory_heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_large_block_of_a_size_goes_back),
        cmocka_unit_test(test_huge_pages_are_earned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
