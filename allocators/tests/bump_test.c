/* What only `bump` has: it ends, tells of what it has handed out, and checks its one pointer. */
#include "allocators/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { PAGE_BYTES = 4096 };
static const size_t limit_bytes = (size_t)BUMP_LIMIT_MIB << 20;

static void walk_visit(void *context, const struct heap_region *region)
{
    *(struct heap_region *)context = *region;
}

static void bump_ends_and_checks(void **state)
{
    static struct heap heap;
    struct heap_stats stats;
    struct heap_region region = {.bytes = 0};
    (void)state;
    assert_int_equal(heap_open(&heap, NULL, NULL), STATUS_OK);
    char *first = heap_alloc(&heap, PAGE_BYTES, HEAP_RAW);
    heap_stats(&heap, &stats);
    assert_int_equal(stats.held_bytes, PAGE_BYTES);
    assert_ptr_equal(heap_alloc(&heap, 1, HEAP_RAW), first + PAGE_BYTES);
    heap_stats(&heap, &stats);
    assert_int_equal(stats.held_bytes, 2 * PAGE_BYTES);
    assert_int_equal(stats.arenas_live, 1);
    bump_walk(&heap.source, walk_visit, &region);
    assert_int_equal(region.kind, HEAP_REGION_ARENA);
    assert_ptr_equal(region.address, first);
    assert_int_equal(region.bytes, limit_bytes);
    assert_null(heap_alloc(&heap, limit_bytes - PAGE_BYTES - 15, HEAP_RAW));
    assert_non_null(heap_alloc(&heap, limit_bytes - PAGE_BYTES - 16, HEAP_RAW)); /* all of it */
    assert_null(heap_alloc(&heap, 0, HEAP_RAW));
    assert_int_equal(heap_check(&heap), 0);
    char *next = heap.source.next;
    heap.source.next = heap.source.begin;
    assert_int_equal(heap_check(&heap), 0);
    heap.source.next = heap.source.begin - 16;
    assert_int_equal(heap_check(&heap), 1);
    heap.source.next = heap.source.end + 16;
    assert_int_equal(heap_check(&heap), 1);
    heap.source.next = next;
    heap.source.end -= 16;
    assert_true(heap_check(&heap) != 0);
    heap.source.end += 16;
    heap_close(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bump_ends_and_checks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
