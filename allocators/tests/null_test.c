/* What only `null` has: set-up spans before the run, a ring in it, which starts again at its end
 * and makes place for what is larger; and its checker. */
#include "allocators/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#include <cmocka.h>

enum {
    WINDOW_BYTES = 3 << 20, /* the ring is the power of two that holds two of them */
    RING_BYTES = 8 << 20,
    SPAN_BYTES = 4 << 20,
    HEADER_BYTES = 64,
    PAGE_BYTES = 4096,
};

static struct heap test_heap;

static int open_heap(void **state)
{
    static const struct heap_options options = {.window_bytes = WINDOW_BYTES};
    (void)state;
    return heap_open(&test_heap, &options, NULL) == STATUS_OK ? 0 : -1;
}

static int close_heap(void **state)
{
    (void)state;
    size_t broken = heap_check(&test_heap);
    heap_close(&test_heap);
    return broken == 0 ? 0 : -1;
}

static struct heap_stats stats_now(void)
{
    struct heap_stats stats;
    heap_stats(&test_heap, &stats);
    return stats;
}

static char *take(size_t size)
{
    return heap_alloc(&test_heap, size, HEAP_RAW);
}

static void set_up_spans_follow_each_other(void **state)
{
    (void)state;
    const size_t ring = RING_BYTES + PAGE_BYTES, span = SPAN_BYTES + PAGE_BYTES;
    assert_int_equal(stats_now().held_bytes, ring);
    char *first = take(SPAN_BYTES); /* a whole one */
    assert_int_equal(stats_now().held_bytes, ring + span);
    assert_int_equal((uintptr_t)first % PAGE_BYTES, HEADER_BYTES);
    char *in_its_rest = take(PAGE_BYTES - HEADER_BYTES);
    assert_ptr_equal(in_its_rest, first + SPAN_BYTES);
    assert_int_equal(stats_now().held_bytes, ring + span);
    (void)take(1); /* the next */
    assert_int_equal(stats_now().held_bytes, ring + 2 * span);
    (void)take(2 * SPAN_BYTES); /* one as large as is asked */
    assert_int_equal(stats_now().held_bytes, ring + 2 * span + 2 * SPAN_BYTES + PAGE_BYTES);
    assert_int_equal(stats_now().arenas_live, 4);
    assert_null(take(SIZE_MAX / 2));
}

static void the_ring_starts_again(void **state)
{
    (void)state;
    char *before = take(100);
    heap_begin_run(&test_heap);
    char *first = take(1 << 20);
    assert_true(first != before + 112); /* in the ring, not in the span */
    for (int i = 1; i < 8; i++) {
        assert_ptr_equal(take(1 << 20), first + ((size_t)i << 20));
    }
    assert_ptr_equal(take(PAGE_BYTES - HEADER_BYTES), first + RING_BYTES); /* its very end */
    assert_ptr_equal(take(1), first);
    heap_begin_run(&test_heap); /* of another thread: nothing begins anew */
    assert_ptr_equal(take(1), first + 16);
    size_t held = stats_now().held_bytes;
    char *larger = take(RING_BYTES + PAGE_BYTES - HEADER_BYTES); /* as much as there is */
    assert_ptr_equal(larger, first);
    assert_int_equal(stats_now().held_bytes, held);
    larger = take(RING_BYTES + PAGE_BYTES); /* a larger ring, from now on */
    assert_int_equal(stats_now().held_bytes, held + 4 * RING_BYTES + PAGE_BYTES);
    assert_ptr_equal(take(1), larger + RING_BYTES + PAGE_BYTES);
}

/* Whether the pages of a mapping are there. */
static bool is_present(const void *mapping, size_t bytes)
{
    static unsigned char pages[8 * RING_BYTES / PAGE_BYTES];
    assert_int_equal(mincore((void *)(uintptr_t)mapping, bytes, pages), 0);
    for (size_t i = 0; i < bytes / PAGE_BYTES; i++) {
        if (!(pages[i] & 1)) {
            return false;
        }
    }
    return true;
}

/* A run over the ring pays for no page of it, nor does one over a larger ring that has replaced it.
 */
static void the_ring_is_faulted_in(void **state)
{
    (void)state;
    assert_true(is_present(test_heap.source.ring, RING_BYTES + PAGE_BYTES));
    heap_begin_run(&test_heap);
    (void)take(RING_BYTES + PAGE_BYTES);
    assert_true(is_present(test_heap.source.ring, 4 * RING_BYTES + PAGE_BYTES));
}

static void windows_that_cannot_be(void **state)
{
    static struct heap other;
    struct heap_options options = {.window_bytes = SIZE_MAX / 2};
    struct error error;
    (void)state;
    assert_int_equal(heap_open(&other, &options, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "cannot be mapped"));
    options.window_bytes = SIZE_MAX / 8 + 1;
    assert_int_equal(heap_open(&other, &options, &error), STATUS_INVALID);
    options.window_bytes = SIZE_MAX / 8; /* a ring of an exabyte */
    assert_int_equal(heap_open(&other, &options, &error), STATUS_NO_MEMORY);
    options.window_bytes = 1; /* the least ring */
    assert_int_equal(heap_open(&other, &options, &error), STATUS_OK);
    struct heap_stats stats;
    heap_stats(&other, &stats);
    assert_int_equal(stats.held_bytes, (1 << 20) + PAGE_BYTES);
    heap_close(&other);
}

struct walk {
    size_t arenas;
    size_t bytes;
    size_t ordinals;
};

static void walk_visit(void *context, const struct heap_region *region)
{
    struct walk *walk = context;
    assert_int_equal(region->kind, HEAP_REGION_ARENA);
    walk->arenas++;
    walk->bytes += region->bytes;
    walk->ordinals |= (size_t)1 << region->arena;
}

static void walk_and_check(void **state)
{
    struct walk walk = {0};
    struct null_heap *heap = &test_heap.source;
    (void)state;
    (void)take(1);
    (void)take(2 * SPAN_BYTES);
    null_walk(heap, walk_visit, &walk);
    assert_int_equal(walk.arenas, 3);
    assert_int_equal(walk.bytes, stats_now().held_bytes);
    assert_int_equal(walk.ordinals, 7);
    heap->held_bytes++;
    assert_int_equal(heap_check(&test_heap), 1);
    heap->held_bytes--;
    char *next = heap->next;
    heap->next = heap->end;
    assert_int_equal(heap_check(&test_heap), 0);
    heap->next = heap->end + 16;
    assert_int_equal(heap_check(&test_heap), 1);
    heap->next = next;
    char *end = heap->end;
    heap->end = end - 16;
    assert_int_equal(heap_check(&test_heap), 1);
    heap->end = end;
    heap->next = (char *)heap->spans + HEADER_BYTES;
    assert_int_equal(heap_check(&test_heap), 0);
    heap->next -= 16;
    assert_int_equal(heap_check(&test_heap), 1);
    heap->next = next;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(set_up_spans_follow_each_other, open_heap, close_heap),
        cmocka_unit_test_setup_teardown(the_ring_starts_again, open_heap, close_heap),
        cmocka_unit_test_setup_teardown(the_ring_is_faulted_in, open_heap, close_heap),
        cmocka_unit_test(windows_that_cannot_be),
        cmocka_unit_test_setup_teardown(walk_and_check, open_heap, close_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
