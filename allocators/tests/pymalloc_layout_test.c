/* pymalloc's pools and blocks: where they lie, what is handed out next, what belongs to the heap.
 */
#include "allocators/pymalloc_arena.h"
#include "allocators/tests/pymalloc_fixture.h"

static void test_blocks_follow_the_header_one_by_one(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    for (size_t size = 1; size <= PYMALLOC_THRESHOLD; size += PYMALLOC_ALIGNMENT) {
        size_t bytes = heap_round_up(size, PYMALLOC_ALIGNMENT);
        unsigned char *first = fixture_take(&fixture, size);
        unsigned char *second = fixture_take(&fixture, bytes);
        assert_int_equal((uintptr_t)first % PYMALLOC_POOL_BYTES, 48);
        assert_ptr_equal(second, first + bytes);
        assert_int_equal(heap_usable_size(&fixture.heap, first, size), bytes);
        /* Memory is carved one block ahead of need, and no further. */
        const struct pymalloc_pool *pool = pymalloc_pool_of(first);
        assert_int_equal(pool->offset_next, 48 + 3 * bytes);
        assert_int_equal(pool->live, 2);
    }
    fixture_close(&fixture);
}

static void test_a_pool_is_filled_before_the_next(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    unsigned char *first = fixture_take(&fixture, FIXTURE_BLOCK_BYTES);
    for (size_t i = 1; i < FIXTURE_PER_POOL; i++) {
        assert_ptr_equal(fixture_take(&fixture, FIXTURE_BLOCK_BYTES),
                         first + i * FIXTURE_BLOCK_BYTES);
    }
    assert_int_equal(fixture_stats(&fixture).pools_live, 1);
    assert_ptr_equal(fixture_take(&fixture, FIXTURE_BLOCK_BYTES), first + PYMALLOC_POOL_BYTES);
    assert_int_equal(fixture_stats(&fixture).pools_live, 2);
    fixture_close(&fixture);
}

static void test_the_last_freed_is_the_next_handed_out(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    void *blocks[5];
    for (int i = 0; i < 5; i++) {
        blocks[i] = fixture_take(&fixture, 40);
    }
    heap_free(&fixture.heap, blocks[1], 40, HEAP_RAW);
    pymalloc_free_unsized(&fixture.heap.source, blocks[3]);
    assert_ptr_equal(fixture_take(&fixture, 33), blocks[3]);
    assert_ptr_equal(fixture_take(&fixture, 40), blocks[1]);
    fixture_close(&fixture);
}

static void test_an_empty_pool_serves_another_class(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    void *keeper = fixture_take(&fixture, 200); /* so that the arena is never empty */
    void *block = fixture_take(&fixture, 64);
    heap_free(&fixture.heap, block, 64, HEAP_RAW);
    void *other = fixture_take(&fixture, 128);
    assert_ptr_equal(other, block);
    assert_int_equal(heap_usable_size(&fixture.heap, other, 128), 128);
    heap_free(&fixture.heap, other, 128, HEAP_RAW);
    heap_free(&fixture.heap, keeper, 200, HEAP_RAW);
    fixture_close(&fixture);
}

static void test_large_and_zero_sizes(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    void *small = fixture_take(&fixture, PYMALLOC_THRESHOLD);
    assert_int_equal(fixture_stats(&fixture).large_blocks, 0);
    void *large = fixture_take(&fixture, PYMALLOC_THRESHOLD + 1);
    struct heap_stats stats = fixture_stats(&fixture);
    assert_int_equal(stats.large_blocks, 1);
    assert_true(stats.large_bytes > PYMALLOC_THRESHOLD);
    assert_int_equal(stats.blocks_live, 2);
    assert_false(pymalloc_owns(&fixture.heap.source, large));
    assert_true(pymalloc_owns(&fixture.heap.source, small));
    void *nothing = heap_alloc(&fixture.heap, 0, HEAP_RAW);
    assert_int_equal(heap_usable_size(&fixture.heap, nothing, 0), PYMALLOC_ALIGNMENT);
    heap_free(&fixture.heap, nothing, 0, HEAP_RAW);
    pymalloc_free_unsized(&fixture.heap.source, large);
    assert_int_equal(fixture_stats(&fixture).large_bytes, 0);
    fixture_close(&fixture);
}

/* Every page around and between arenas, from an aligned and from a shifted base. */
static void test_owns_exactly_its_arenas(void **state)
{
    (void)state;
    size_t shifts[] = {0, 4096, PYMALLOC_ARENA_BYTES / 2, PYMALLOC_ARENA_BYTES - 4096};
    for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
        struct fixture fixture;
        fixture_open(&fixture, shifts[i]);
        (void)fixture_take(&fixture, 1);
        const struct pymalloc_heap *heap = &fixture.heap.source;
        uintptr_t base = fixture.last_mapped;
        int on_stack = 0;
        assert_false(pymalloc_owns(heap, &on_stack));
        assert_false(pymalloc_owns(heap, heap));
#if PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX
        /* The index lookup reads the page of what it is asked about: only mapped memory may be
         * asked. */
        assert_false(pymalloc_owns(heap, (const void *)(base - 1)));
        assert_true(pymalloc_owns(heap, (const void *)base));
        assert_true(pymalloc_owns(heap, (const void *)(base + PYMALLOC_ARENA_BYTES - 1)));
        assert_false(pymalloc_owns(heap, (const void *)(base + PYMALLOC_ARENA_BYTES)));
        assert_false(pymalloc_owns(heap, NULL));
#endif
        bool loses_one = base % PYMALLOC_POOL_BYTES != 0;
        assert_int_equal(heap->arenas[0].pools_total, PYMALLOC_POOLS_MAX - (loses_one ? 1 : 0));
        fixture_close(&fixture);
    }
}

#if PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX
/* An aligned arena lies in one leaf of the radix tree, though it be the leaf's last: it makes no
 * node for what follows it, neither when it comes nor when it goes. */
static void test_an_aligned_arena_has_one_leaf(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    struct pymalloc_heap *heap = &fixture.heap.source;
    uintptr_t last = ((uintptr_t)PYMALLOC_LEAF_SLOTS - 1) << PYMALLOC_ARENA_BITS;
    assert_true(pymalloc_radix_enter(heap, last));
    size_t bytes = heap->table_bytes;
    assert_true(pymalloc_owns(heap, (const void *)last));
    assert_int_equal(fixture.blocks, 2); /* the leaf, and the node above it */
    pymalloc_radix_forget(heap, last);
    assert_false(pymalloc_owns(heap, (const void *)last));
    assert_int_equal(fixture.blocks, 2);
    assert_int_equal(heap->table_bytes, bytes);
    assert_true(pymalloc_radix_enter(heap, last + 16)); /* lies across two leaves */
    assert_int_equal(fixture.blocks, 3);
    pymalloc_radix_forget(heap, last + 16);
    fixture_close(&fixture);
}
#endif

/* What is read as a pool's header where block is not ours may hold any index. */
static void test_foreign_memory_may_look_like_a_header(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    (void)fixture_take(&fixture, 1);
    struct pymalloc_pool *page = aligned_alloc(4096, 4096);
    for (uint32_t index = 0; index < 40; index++) {
        page->arena_index = index;
        assert_false(pymalloc_owns(&fixture.heap.source, (unsigned char *)page + 48));
    }
    page->arena_index = UINT32_MAX;
    assert_false(pymalloc_owns(&fixture.heap.source, (unsigned char *)page + 48));
    free(page);
    fixture_close(&fixture);
}

static void test_resize_stays_until_a_quarter_is_shaved_off(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    unsigned char *block = fixture_take(&fixture, 128);
    memset(block, 7, 128);
    assert_ptr_equal(heap_resize(&fixture.heap, block, 128, 97, HEAP_RAW), block);
    unsigned char *moved = heap_resize(&fixture.heap, block, 97, 96, HEAP_RAW);
    assert_ptr_not_equal(moved, block);
    unsigned char *grown = heap_resize(&fixture.heap, moved, 96, PYMALLOC_THRESHOLD + 88, HEAP_RAW);
    assert_int_equal(fixture_stats(&fixture).large_blocks, 1);
    unsigned char *larger =
        heap_resize(&fixture.heap, grown, PYMALLOC_THRESHOLD + 88, 100000, HEAP_RAW);
    assert_true(fixture_stats(&fixture).large_bytes >= 100000);
    unsigned char *small = heap_resize(&fixture.heap, larger, 100000, 90, HEAP_RAW);
    assert_int_equal(fixture_stats(&fixture).large_blocks, 0);
    assert_true(pymalloc_owns(&fixture.heap.source, small));
    for (int i = 0; i < 90; i++) {
        assert_int_equal(small[i], 7);
    }
    heap_free(&fixture.heap, small, 90, HEAP_RAW);
    assert_int_equal(fixture_stats(&fixture).blocks_live, 0);
    fixture_close(&fixture);
}

struct tally {
    size_t regions[HEAP_REGION_LARGE + 1];
    size_t live_bytes;
    const unsigned char *end; /* of the last arena's pools seen so far */
};

static void tally_visit(void *context, const struct heap_region *region)
{
    struct tally *tally = context;
    tally->regions[region->kind]++;
    if (region->kind == HEAP_REGION_BLOCK_LIVE) {
        tally->live_bytes += region->bytes;
    }
    if (region->kind == HEAP_REGION_POOL) {
        tally->end = (const unsigned char *)region->address + region->bytes;
    } else if (region->kind != HEAP_REGION_ARENA) {
        assert_true((const unsigned char *)region->address + region->bytes <= tally->end);
    }
}

static void test_walk_agrees_with_stats(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    void *blocks[3000];
    for (size_t i = 0; i < 3000; i++) {
        blocks[i] = fixture_take(&fixture, 1 + i % PYMALLOC_THRESHOLD);
    }
    for (size_t i = 0; i < 3000; i += 3) {
        heap_free(&fixture.heap, blocks[i], 1 + i % PYMALLOC_THRESHOLD, HEAP_RAW);
    }
    struct tally tally = {0};
    heap_walk(&fixture.heap, tally_visit, &tally);
    struct heap_stats stats = fixture_stats(&fixture);
    assert_int_equal(stats.blocks_live, 2000);
    assert_int_equal(tally.regions[HEAP_REGION_BLOCK_LIVE], 2000);
    assert_int_equal(tally.live_bytes, stats.usable_bytes);
    assert_int_equal(tally.regions[HEAP_REGION_ARENA], stats.arenas_live);
    assert_int_equal(tally.regions[HEAP_REGION_POOL], stats.pools_live + stats.pools_free);
    assert_true(tally.regions[HEAP_REGION_BLOCK_FREE] >= 1000);
    assert_true(tally.regions[HEAP_REGION_BLOCK_FRESH] > 0);
    fixture_close(&fixture);
}

#ifdef PYMALLOC_ASAN
/* AddressSanitizer knows the asked size of a block, not its class's, and that a free block is free.
 */
static void test_addresses_outside_live_blocks_are_poisoned(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    unsigned char *keeper = fixture_take(&fixture, 100);
    unsigned char *block = fixture_take(&fixture, 100);
    assert_false(__asan_address_is_poisoned(block + 99));
    assert_true(__asan_address_is_poisoned(block + 100));
    block = heap_resize(&fixture.heap, block, 100, 102, HEAP_RAW);
    assert_false(__asan_address_is_poisoned(block + 101));
    assert_true(__asan_address_is_poisoned(block + 102));
    heap_free(&fixture.heap, block, 102, HEAP_RAW);
    assert_true(__asan_address_is_poisoned(block));
    assert_false(__asan_address_is_poisoned(keeper));
    fixture_close(&fixture);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_follow_the_header_one_by_one),
        cmocka_unit_test(test_a_pool_is_filled_before_the_next),
        cmocka_unit_test(test_the_last_freed_is_the_next_handed_out),
        cmocka_unit_test(test_an_empty_pool_serves_another_class),
        cmocka_unit_test(test_large_and_zero_sizes),
        cmocka_unit_test(test_owns_exactly_its_arenas),
#if PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX
        cmocka_unit_test(test_an_aligned_arena_has_one_leaf),
#endif
        cmocka_unit_test(test_foreign_memory_may_look_like_a_header),
        cmocka_unit_test(test_resize_stays_until_a_quarter_is_shaved_off),
        cmocka_unit_test(test_walk_agrees_with_stats),
#ifdef PYMALLOC_ASAN
        cmocka_unit_test(test_addresses_outside_live_blocks_are_poisoned),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
