/* When samples are taken, and what survives when there are too many. */
#include "workloads/sampler.h"

#include "workloads/fragmentation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { TEST_SAMPLES = 20, TEST_BYTES = 4000, TEST_BLOCKS = 5000 };

struct fixture {
    struct heap heap;
    struct scratch scratch;
    struct sampler sampler;
    void **blocks;
};

static int open_fixture(void **state)
{
    static struct fixture fixture;
    struct error error;
    fixture = (struct fixture){0};
    assert_int_equal(heap_open(&fixture.heap, NULL, &error), STATUS_OK);
    assert_int_equal(sampler_open(&fixture.sampler, &fixture.scratch, TEST_SAMPLES, &error),
                     STATUS_OK);
    fixture.blocks = scratch_take(&fixture.scratch, TEST_BLOCKS * sizeof(void *));
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    heap_close(&fixture->heap);
    scratch_release(&fixture->scratch);
    return 0;
}

static void fill(struct fixture *fixture, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        fixture->blocks[i] = heap_alloc(&fixture->heap, TEST_BYTES, HEAP_RAW);
        assert_non_null(fixture->blocks[i]);
        run_touch(fixture->blocks[i], TEST_BYTES, i);
        sampler_mark(&fixture->sampler, &fixture->heap, NULL);
    }
}

static void drain(struct fixture *fixture, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        heap_free(&fixture->heap, fixture->blocks[i], TEST_BYTES, HEAP_RAW);
        sampler_mark(&fixture->sampler, &fixture->heap, NULL);
    }
}

static uint64_t at(const struct fixture *fixture, enum sampler_column column, size_t index)
{
    assert_true(index < fixture->sampler.count);
    return fixture->sampler.columns[column][index];
}

/* As many samples as were wished for, give or take the jitter, from the first operation to the
 * last. */
static void test_even_coverage(void **state)
{
    struct fixture *fixture = *state;
    struct sampler *sampler = &fixture->sampler;
    sampler_start(sampler, &fixture->heap, 2 * TEST_BLOCKS);
    fill(fixture, 0, TEST_BLOCKS);
    drain(fixture, 0, TEST_BLOCKS);
    sampler_stop(sampler, &fixture->heap);
    assert_in_range(sampler->count, TEST_SAMPLES * 7 / 10, TEST_SAMPLES * 14 / 10);
    assert_int_equal(at(fixture, SAMPLER_OPERATIONS, 0), 0);
    assert_int_equal(at(fixture, SAMPLER_OPERATIONS, sampler->count - 1), 2 * TEST_BLOCKS);
    for (size_t i = 1; i < sampler->count; i++) {
        uint64_t gap = at(fixture, SAMPLER_OPERATIONS, i) - at(fixture, SAMPLER_OPERATIONS, i - 1);
        assert_in_range(gap, 1, 2 * (2 * TEST_BLOCKS) / TEST_SAMPLES);
    }
}

/* Live and usable are exact; what the kernel says is near: the blocks were all written to, though
 * only at both ends, so each has at least one page and a half of its own. */
static void test_figures(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    (void)state;
    skip(); /* red zones and shadow memory are held too */
#else
    struct fixture *fixture = *state;
    struct sampler *sampler = &fixture->sampler;
    sampler_start(sampler, &fixture->heap, 2 * TEST_BLOCKS);
    fill(fixture, 0, TEST_BLOCKS);
    sampler_mark(sampler, &fixture->heap, "full");
    size_t full = sampler->labels[0].at;
    uint64_t live = (uint64_t)TEST_BLOCKS * TEST_BYTES;
    assert_int_equal(at(fixture, SAMPLER_LIVE, full), live);
    assert_in_range(at(fixture, SAMPLER_USABLE, full), live, live + live / 8);
    assert_in_range(at(fixture, SAMPLER_HELD_SMAPS, full), live * 9 / 10, live * 5 / 4);
    assert_true(at(fixture, SAMPLER_RSS, full) >= at(fixture, SAMPLER_HELD_SMAPS, full));
    /* What the worker had before is in its resident set, and nothing of the heap is in that. */
    assert_in_range(sampler->baseline_rss_bytes, 1,
                    at(fixture, SAMPLER_RSS, full) - at(fixture, SAMPLER_HELD_SMAPS, full) +
                        live / 20);
    drain(fixture, 0, TEST_BLOCKS);
    sampler_stop(sampler, &fixture->heap);
    assert_int_equal(at(fixture, SAMPLER_LIVE, sampler->count - 1), 0);
#endif
}

/* A new label is sampled on the spot; the same one again only when a stride has passed. */
static void test_labels(void **state)
{
    struct fixture *fixture = *state;
    struct sampler *sampler = &fixture->sampler;
    sampler_start(sampler, &fixture->heap, 2 * TEST_BLOCKS);
    fill(fixture, 0, 3);
    sampler_mark(sampler, &fixture->heap, "a");
    fill(fixture, 3, 4);
    sampler_mark(sampler, &fixture->heap, "a");
    sampler_mark(sampler, &fixture->heap, "b");
    assert_int_equal(sampler->label_count, 2);
    assert_int_equal(sampler->phases_unlabelled, 1); /* the second a: samples are too far apart */
    assert_int_equal(at(fixture, SAMPLER_OPERATIONS, sampler->labels[0].at), 3);
    assert_int_equal(at(fixture, SAMPLER_OPERATIONS, sampler->labels[1].at), 4);
    fill(fixture, 4, TEST_BLOCKS);
    sampler_mark(sampler, &fixture->heap, "a");
    drain(fixture, 0, TEST_BLOCKS);
    sampler_stop(sampler, &fixture->heap);
    for (size_t i = 0; i < sampler->label_count; i++) {
        assert_true(sampler->labels[i].at < sampler->count);
    }
}

/* A run that is a thousand times longer than foretold is still covered evenly, and its peak and its
 * labels are all there. */
static void test_thinning(void **state)
{
    struct fixture *fixture = *state;
    struct sampler *sampler = &fixture->sampler;
    sampler_start(sampler, &fixture->heap, 2);
    sampler_mark(sampler, &fixture->heap, "fill");
    fill(fixture, 0, TEST_BLOCKS / 2);
    sampler_mark(sampler, &fixture->heap, "drain");
    drain(fixture, 0, TEST_BLOCKS / 2);
    sampler_mark(sampler, &fixture->heap, "again");
    fill(fixture, 0, TEST_BLOCKS / 3);
    drain(fixture, 0, TEST_BLOCKS / 3);
    sampler_stop(sampler, &fixture->heap);
    assert_true(sampler->stride_operations > 1);
    assert_true(sampler->count <= sampler->capacity);
    assert_int_equal(fragmentation_peak(sampler->columns[SAMPLER_LIVE], sampler->count),
                     (uint64_t)(TEST_BLOCKS / 2) * TEST_BYTES);
    assert_int_equal(sampler->label_count, 3);
    assert_int_equal(at(fixture, SAMPLER_OPERATIONS, sampler->labels[1].at), TEST_BLOCKS / 2);
    assert_int_equal(at(fixture, SAMPLER_OPERATIONS, sampler->labels[2].at), TEST_BLOCKS / 2 * 2);
    for (size_t i = 1; i < sampler->count; i++) {
        assert_true(at(fixture, SAMPLER_OPERATIONS, i) >= at(fixture, SAMPLER_OPERATIONS, i - 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_even_coverage, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_figures, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_labels, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_thinning, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
