/* What only `freelist` has: whose list a block goes to, caps, carved blocks, and what trim
 * releases. Compiled for each variant; the caps are the variant's. */
#include "allocators/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "allocators/freelist.h"
#include "common/rng.h"

enum { BLOCKS = 4100 }; /* a hundred carved blocks */

static struct heap test_heap;
static void *test_blocks[BLOCKS];

static int open_heap(void **state)
{
    (void)state;
    return heap_open(&test_heap, NULL, NULL) == STATUS_OK ? 0 : -1;
}

static int close_heap(void **state)
{
    (void)state;
    size_t broken = heap_check(&test_heap);
    heap_close(&test_heap);
    return broken == 0 ? 0 : -1;
}

static void alloc_all(size_t count, size_t size, enum heap_type type)
{
    for (size_t i = 0; i < count; i++) {
        test_blocks[i] = heap_alloc(&test_heap, size, type);
        assert_non_null(test_blocks[i]);
    }
}

static void free_all(size_t count, size_t size, enum heap_type type)
{
    for (size_t i = 0; i < count; i++) {
        heap_free(&test_heap, test_blocks[i], size, type);
    }
}

static struct heap_stats stats_now(void)
{
    struct heap_stats stats;
    heap_stats(&test_heap, &stats);
    return stats;
}

/* Frees BLOCKS blocks and expects that the list keeps at most cap of them, and hands them out
 * again, the last one first. */
static void expect_cap(size_t cap, size_t size, enum heap_type type)
{
    size_t before = stats_now().cached_blocks;
    alloc_all(BLOCKS, size, type);
    free_all(BLOCKS, size, type);
    size_t kept = stats_now().cached_blocks - before;
    assert_int_equal(kept, cap < BLOCKS ? cap : BLOCKS);
    for (size_t i = kept; i > 0; i--) {
        void *block = heap_alloc(&test_heap, size, type);
        assert_ptr_equal(block, test_blocks[i - 1]);
    }
    free_all(kept, size, type);
    assert_int_equal(heap_check(&test_heap), 0);
}

static void lists_keep_what_their_caps_allow(void **state)
{
    (void)state;
    expect_cap(FREELIST_INT_CAP, HEAP_INT_BYTES, HEAP_INT);
    expect_cap(FREELIST_FLOAT_CAP, HEAP_FLOAT_BYTES, HEAP_FLOAT);
    expect_cap(FREELIST_LIST_CAP, HEAP_LIST_BYTES, HEAP_LIST);
    expect_cap(FREELIST_DICT_CAP, HEAP_DICT_BYTES, HEAP_DICT);
    for (size_t length = 1; length <= 19; length++) {
        expect_cap(FREELIST_TUPLE_CAP, HEAP_TUPLE_BYTES + 8 * length, HEAP_TUPLE);
    }
    assert_int_equal(stats_now().blocks_live, 0);
}

static void other_sizes_and_types_have_no_list(void **state)
{
    (void)state;
    expect_cap(0, HEAP_INT_BYTES, HEAP_RAW);
    expect_cap(0, HEAP_INT_BYTES + 8, HEAP_INT);
    expect_cap(0, HEAP_LIST_BYTES, HEAP_STR);
    expect_cap(0, HEAP_TUPLE_BYTES, HEAP_TUPLE);
    expect_cap(0, HEAP_TUPLE_BYTES + 8 * 20, HEAP_TUPLE);
    expect_cap(0, HEAP_TUPLE_BYTES + 4, HEAP_TUPLE);
}

/* The experiment `type_shift` in small: what ints have had serves floats only where the list is
 * bounded. */
static void ints_cached_do_not_serve_floats(void **state)
{
    (void)state;
    size_t before = stats_now().held_bytes;
    alloc_all(BLOCKS, HEAP_INT_BYTES, HEAP_INT);
    size_t ints = stats_now().held_bytes - before;
    free_all(BLOCKS, HEAP_INT_BYTES, HEAP_INT);
    before = stats_now().held_bytes;
    alloc_all(BLOCKS, HEAP_FLOAT_BYTES, HEAP_FLOAT);
    size_t floats = stats_now().held_bytes - before;
    free_all(BLOCKS, HEAP_FLOAT_BYTES, HEAP_FLOAT);
    if (FREELIST_CARVES_INTS && FREELIST_CARVES_FLOATS) {
        assert_int_equal(floats, ints);
    }
    if (FREELIST_INT_CAP == 0) {
        assert_true(floats <= ints);
    }
}

/* 41 objects from each block of 992 bytes; one live object keeps its whole block, and the free
 * slots of such a block serve again. */
static void trim_releases_wholly_free_carved_blocks(void **state)
{
    (void)state;
    if (!FREELIST_CARVES_INTS) {
        skip();
    }
    alloc_all(BLOCKS, HEAP_INT_BYTES, HEAP_INT);
    struct heap_stats full = stats_now();
    assert_int_equal(full.large_blocks, BLOCKS / 41);
    assert_int_equal(full.large_bytes, BLOCKS / 41 * 992);
    for (size_t i = 0; i < BLOCKS; i++) {
        if (i % 410 != 7) { /* ten carved blocks keep one object each */
            heap_free(&test_heap, test_blocks[i], HEAP_INT_BYTES, HEAP_INT);
        }
    }
    assert_int_equal(stats_now().held_bytes, full.held_bytes);
    heap_trim(&test_heap);
    struct heap_stats trimmed = stats_now();
    assert_int_equal(trimmed.large_blocks, 10);
    assert_int_equal(trimmed.blocks_live, 10);
    assert_int_equal(trimmed.cached_blocks, 10 * 40);
    assert_int_equal(heap_check(&test_heap), 0);
    for (size_t i = 0; i < 400; i++) {
        test_blocks[i + (i >= 7)] = heap_alloc(&test_heap, HEAP_INT_BYTES, HEAP_INT);
    }
    assert_int_equal(stats_now().large_blocks, 10);
    assert_int_equal(stats_now().cached_blocks, 0);
}

/* A live block that happens to hold what a mark would be must not be taken for a cached one. */
static void trim_is_not_deceived_by_contents(void **state)
{
    (void)state;
    if (!FREELIST_CARVES_INTS) {
        skip();
    }
    alloc_all(41, HEAP_INT_BYTES, HEAP_INT);
    free_all(40, HEAP_INT_BYTES, HEAP_INT);
    uint64_t state_now = test_heap.source.mark_key;
    uint64_t next_key = rng_splitmix(&state_now); /* as freelist_mark_all will draw it */
    ((uint64_t *)test_blocks[40])[1] = next_key ^ (uint64_t)(uintptr_t)test_blocks[40];
    heap_trim(&test_heap);
    struct heap_stats stats = stats_now();
    assert_int_equal(stats.large_blocks, 1);
    assert_int_equal(stats.blocks_live, 1);
    heap_free(&test_heap, test_blocks[40], HEAP_INT_BYTES, HEAP_INT);
    heap_trim(&test_heap);
    assert_int_equal(stats_now().large_blocks, 0);
}

static void trim_empties_the_bounded_lists(void **state)
{
    (void)state;
    expect_cap(FREELIST_LIST_CAP, HEAP_LIST_BYTES, HEAP_LIST);
    expect_cap(FREELIST_DICT_CAP, HEAP_DICT_BYTES, HEAP_DICT);
    expect_cap(FREELIST_TUPLE_CAP, HEAP_TUPLE_BYTES + 24, HEAP_TUPLE);
    heap_trim(&test_heap);
    size_t kept = FREELIST_TRIM_LISTS_AND_DICTS ? 0 : FREELIST_LIST_CAP + FREELIST_DICT_CAP;
    assert_int_equal(stats_now().cached_blocks, kept);
}

/* check is not blind: a list that runs in a circle, one with a foreign block, a count that is off.
 */
static void check_finds_damage(void **state)
{
    (void)state;
    struct freelist_list *list = &test_heap.source.lists[FREELIST_LISTS];
    alloc_all(10, HEAP_LIST_BYTES, HEAP_LIST);
    free_all(10, HEAP_LIST_BYTES, HEAP_LIST);
    assert_int_equal(heap_check(&test_heap), 0);
    list->count++;
    assert_int_equal(heap_check(&test_heap), 1);
    list->count--;
    struct freelist_link *last = test_blocks[0];
    last->next = test_blocks[5];
    assert_true(heap_check(&test_heap) > 0);
    last->next = NULL;
    heap_trim(&test_heap);
    alloc_all(FREELIST_LIST_CAP + 1, HEAP_LIST_BYTES, HEAP_LIST);
    void *beyond = test_blocks[FREELIST_LIST_CAP];
    free_all(FREELIST_LIST_CAP, HEAP_LIST_BYTES, HEAP_LIST);
    assert_int_equal(heap_check(&test_heap), 0);
    struct freelist_link *full = list->head; /* one more than the cap */
    ((struct freelist_link *)beyond)->next = full;
    list->head = beyond;
    list->count++;
    assert_true(heap_check(&test_heap) > 0);
    list->head = full;
    list->count--;
    heap_free(&test_heap, beyond, HEAP_LIST_BYTES, HEAP_LIST);
    if (FREELIST_CARVES_INTS) {
        alloc_all(1, HEAP_INT_BYTES, HEAP_INT);
        struct freelist_list *ints = &test_heap.source.lists[FREELIST_INTS];
        struct freelist_link *head = ints->head;
        static _Alignas(16) struct freelist_link stranger;
        stranger.next = head;
        ints->head = &stranger;
        ints->count++;
        assert_true(heap_check(&test_heap) > 0);
        ints->head = head;
        ints->count--;
    }
    assert_int_equal(heap_check(&test_heap), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_keep_what_their_caps_allow, open_heap, close_heap),
        cmocka_unit_test_setup_teardown(other_sizes_and_types_have_no_list, open_heap, close_heap),
        cmocka_unit_test_setup_teardown(ints_cached_do_not_serve_floats, open_heap, close_heap),
        cmocka_unit_test_setup_teardown(trim_releases_wholly_free_carved_blocks, open_heap,
                                        close_heap),
        cmocka_unit_test_setup_teardown(trim_is_not_deceived_by_contents, open_heap, close_heap),
        cmocka_unit_test_setup_teardown(trim_empties_the_bounded_lists, open_heap, close_heap),
        cmocka_unit_test_setup_teardown(check_finds_damage, open_heap, close_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
