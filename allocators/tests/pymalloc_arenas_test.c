/* pymalloc's arenas: their order, their way back to the system, and what happens when it refuses.
 */
#include "allocators/tests/pymalloc_fixture.h"
#include "common/rng.h"

/* Blocks that fill whole arenas, in the order in which they were handed out. */
static void **arenas_fill(struct fixture *fixture, size_t arenas)
{
    void **blocks = calloc(arenas * FIXTURE_PER_ARENA, sizeof(*blocks));
    assert_non_null(blocks);
    for (size_t i = 0; i < arenas * FIXTURE_PER_ARENA; i++) {
        blocks[i] = fixture_take(fixture, FIXTURE_BLOCK_BYTES);
    }
    assert_int_equal(fixture_stats(fixture).arenas_live, arenas);
    assert_null(fixture->heap.source.usable_arenas);
    return blocks;
}

static void arenas_free_pool(struct fixture *fixture, void **blocks, size_t arena, size_t pool)
{
    void **first = blocks + arena * FIXTURE_PER_ARENA + pool * FIXTURE_PER_POOL;
    for (size_t i = 0; i < FIXTURE_PER_POOL; i++) {
        heap_free(&fixture->heap, first[i], FIXTURE_BLOCK_BYTES, HEAP_RAW);
    }
}

static void arenas_free_all(struct fixture *fixture, void **blocks, size_t arenas)
{
    for (size_t arena = 0; arena < arenas; arena++) {
        for (size_t pool = 0; pool < PYMALLOC_POOLS_MAX; pool++) {
            arenas_free_pool(fixture, blocks, arena, pool);
        }
    }
    free(blocks);
}

static void test_empty_arenas_go_back(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    void **blocks = arenas_fill(&fixture, 5);
    assert_int_equal(fixture.mapped, 5);
    size_t held = fixture_stats(&fixture).held_bytes;
    assert_true(held >= 5 * PYMALLOC_ARENA_BYTES);
    arenas_free_all(&fixture, blocks, 5);
    struct heap_stats stats = fixture_stats(&fixture);
    assert_int_equal(fixture.mapped, PYMALLOC_KEEP_LAST_ARENA);
    assert_int_equal(stats.arenas_live, PYMALLOC_KEEP_LAST_ARENA);
    assert_int_equal(stats.arenas_mapped, 5);
    assert_int_equal(stats.arenas_unmapped, 5 - PYMALLOC_KEEP_LAST_ARENA);
    assert_int_equal(held - stats.held_bytes, stats.arenas_unmapped * PYMALLOC_ARENA_BYTES);
    assert_int_equal(stats.held_bytes_peak, held);
    assert_int_equal(stats.blocks_live, 0);
    fixture_close(&fixture);
}

/* bpo-37257: before 3.8, a program that swings around the edge of an arena mapped and unmapped one
 * at every turn. */
static void test_swinging_around_the_edge(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    void **blocks = arenas_fill(&fixture, 1);
    for (int i = 0; i < 10; i++) {
        void *block = fixture_take(&fixture, FIXTURE_BLOCK_BYTES);
        heap_free(&fixture.heap, block, FIXTURE_BLOCK_BYTES, HEAP_RAW);
    }
    assert_int_equal(fixture_stats(&fixture).arenas_mapped, PYMALLOC_KEEP_LAST_ARENA ? 2 : 11);
    arenas_free_all(&fixture, blocks, 1);
    fixture_close(&fixture);
}

/* An arena whose free pools become more goes before those that have as many already, and no
 * further. */
static void test_an_arena_goes_before_its_equals(void **state)
{
    enum { ARENAS = 3 };
    static const size_t freed[] = {0, 1, 2, 2, 0, 1, 1, 0};
    static const size_t expected[] = {2, 0, 1}; /* with 2, 3 and 3 free pools */
    (void)state;
    struct fixture fixture;
    size_t pools[ARENAS] = {0};
    fixture_open(&fixture, 0);
    void **blocks = arenas_fill(&fixture, ARENAS);
    for (size_t i = 0; i < sizeof(freed) / sizeof(freed[0]); i++) {
        arenas_free_pool(&fixture, blocks, freed[i], pools[freed[i]]++);
        assert_int_equal(heap_check(&fixture.heap), 0);
    }
    const struct pymalloc_arena *arena = fixture.heap.source.usable_arenas;
    for (size_t i = 0; i < ARENAS; i++, arena = arena->next) {
        assert_ptr_equal(arena, &fixture.heap.source.arenas[expected[i]]);
    }
    assert_null(arena);
    for (size_t i = 0; i < ARENAS; i++) {
        while (pools[i] < PYMALLOC_POOLS_MAX) {
            arenas_free_pool(&fixture, blocks, i, pools[i]++);
        }
    }
    free(blocks);
    fixture_close(&fixture);
}

/* The arena with the fewest free pools serves first: 1 of the third, then 2 of the second, then 3
 * of the first. */
static void test_the_fullest_arena_serves_first(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    void **blocks = arenas_fill(&fixture, 3);
    const struct pymalloc_arena *arenas = fixture.heap.source.arenas;
    static const size_t free_pools[] = {3, 2, 1};
    for (size_t arena = 0; arena < 3; arena++) {
        for (size_t pool = 0; pool < free_pools[arena]; pool++) {
            arenas_free_pool(&fixture, blocks, arena, pool);
            assert_int_equal(heap_check(&fixture.heap), 0);
        }
    }
    static const size_t expected[] = {2, 1, 1, 0, 0, 0};
    for (size_t i = 0; i < 6; i++) {
        /* Each of another class, so that each takes a pool. */
        unsigned char *block = fixture_take(&fixture, (i + 1) * PYMALLOC_ALIGNMENT);
        uintptr_t base = arenas[expected[i]].address;
        assert_in_range((uintptr_t)block, base, base + PYMALLOC_ARENA_BYTES - 1);
    }
    assert_null(fixture.heap.source.usable_arenas);
    free(blocks);
    assert_int_equal(heap_check(&fixture.heap), 0);
    heap_close(&fixture.heap); /* with live blocks: they go too */
    assert_int_equal(fixture.mapped, 0);
    assert_int_equal(fixture.blocks, 0);
}

/* Pools fall free in any order: the list stays sorted, and the fullest arena is its head. */
static void test_many_arenas_stay_in_order(void **state)
{
    enum { ARENAS = 6, STEPS = 200 };
    (void)state;
    struct fixture fixture;
    struct rng rng;
    size_t freed[ARENAS] = {0};
    fixture_open(&fixture, 0);
    rng_seed(&rng, 6);
    void **blocks = arenas_fill(&fixture, ARENAS);
    const struct pymalloc_heap *heap = &fixture.heap.source;
    for (size_t step = 0; step < STEPS; step++) {
        size_t arena = step < ARENAS ? step : rng_below(&rng, ARENAS); /* first one of each */
        if (freed[arena] + 1 < PYMALLOC_POOLS_MAX) {
            arenas_free_pool(&fixture, blocks, arena, freed[arena]++);
        }
        size_t fewest = PYMALLOC_POOLS_MAX, usable = 0;
        for (size_t i = 0; i < ARENAS; i++) {
            fewest = freed[i] > 0 && freed[i] < fewest ? freed[i] : fewest;
        }
        for (const struct pymalloc_arena *at = heap->usable_arenas; at != NULL; at = at->next) {
            assert_true(at->next == NULL || at->pools_free <= at->next->pools_free);
            usable++;
        }
        assert_int_equal(heap->usable_arenas->pools_free, fewest);
        assert_int_equal(usable, step < ARENAS ? step + 1 : ARENAS);
        assert_int_equal(heap_check(&fixture.heap), 0);
    }
    free(blocks);
    heap_close(&fixture.heap);
    assert_int_equal(fixture.mapped, 0);
}

static void test_the_table_grows_by_doubling(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, 0);
    void **blocks = arenas_fill(&fixture, 16);
    assert_int_equal(fixture.heap.source.arena_slots, 16);
    void *block = fixture_take(&fixture, 1);
    assert_int_equal(fixture.heap.source.arena_slots, 32);
    assert_int_equal(heap_check(&fixture.heap), 0);
    heap_free(&fixture.heap, block, 1, HEAP_RAW);
    arenas_free_all(&fixture, blocks, 16);
    fixture_close(&fixture);
}

static void test_two_heaps_coexist(void **state)
{
    (void)state;
    struct fixture a;
    struct fixture b;
    fixture_open(&a, 0);
    fixture_open(&b, 4096);
    void *of_a[500];
    void *of_b[500];
    for (size_t i = 0; i < 500; i++) {
        of_a[i] = fixture_take(&a, 1 + i % 100);
        of_b[i] = fixture_take(&b, 1 + i % 100);
        assert_true(pymalloc_owns(&a.heap.source, of_a[i]));
        assert_false(pymalloc_owns(&a.heap.source, of_b[i]));
        assert_false(pymalloc_owns(&b.heap.source, of_a[i]));
    }
    for (size_t i = 0; i < 500; i++) {
        heap_free(&a.heap, of_a[i], 1 + i % 100, HEAP_RAW);
    }
    fixture_close(&a);
    assert_int_equal(fixture_stats(&b).blocks_live, 500);
    for (size_t i = 0; i < 500; i++) {
        heap_free(&b.heap, of_b[i], 1 + i % 100, HEAP_RAW);
    }
    fixture_close(&b);
}

/* Takes enough for the table of arenas to grow, large blocks in between, and frees it. A refusal
 * must leave the heap as it was. True if nothing was refused. */
static bool arenas_scenario(struct fixture *fixture)
{
    size_t count = 17 * FIXTURE_PER_ARENA;
    void **blocks = calloc(count, sizeof(*blocks));
    assert_non_null(blocks);
    size_t live = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = i % 4096 == 17 ? 3 * PYMALLOC_THRESHOLD : FIXTURE_BLOCK_BYTES;
        blocks[i] = heap_alloc(&fixture->heap, size, HEAP_RAW);
        live += blocks[i] != NULL;
        if (blocks[i] == NULL) {
            assert_int_equal(fixture_stats(fixture).blocks_live, live);
            assert_int_equal(heap_check(&fixture->heap), 0);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (blocks[i] != NULL) {
            pymalloc_free_unsized(&fixture->heap.source, blocks[i]);
        }
    }
    free(blocks);
    return live == count;
}

static void test_every_refusal_in_turn(void **state)
{
    (void)state;
    size_t refusals = 0;
    for (size_t fail_at = 1;; fail_at++) {
        struct fixture fixture;
        fixture_open(&fixture, 4096);
        fixture.fail_at = fail_at;
        bool complete = arenas_scenario(&fixture);
        assert_int_equal(complete, fixture.calls < fail_at);
        assert_int_equal(fixture_stats(&fixture).blocks_live, 0);
        fixture_close(&fixture);
        if (complete) {
            break;
        }
        refusals++;
    }
    assert_true(refusals > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_arenas_go_back),
        cmocka_unit_test(test_swinging_around_the_edge),
        cmocka_unit_test(test_an_arena_goes_before_its_equals),
        cmocka_unit_test(test_the_fullest_arena_serves_first),
        cmocka_unit_test(test_many_arenas_stay_in_order),
        cmocka_unit_test(test_the_table_grows_by_doubling),
        cmocka_unit_test(test_two_heaps_coexist),
        cmocka_unit_test(test_every_refusal_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
