/* The leak tracker's books and report, without its malloc: blocks and call sites are made up. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "common/os_memory.h"
#include "common/rng.h"
#include "preload/leaktrack.h"
#include "preload/tests/leaktrack_fixture.h"

enum {
    BOOKS_MODEL_SITES = 7,
    BOOKS_MODEL_BLOCKS = 5000,
    BOOKS_FIRST_SLOTS = 1 << 14,
    BOOKS_STEPS = 100000,
};

/* Linked in the place of os_map (see CMakeLists.txt): the system may refuse. */
static bool books_refuses;
void *__real_os_map(size_t size);
void *__wrap_os_map(size_t size);
void *__wrap_os_map(size_t size)
{
    return books_refuses ? NULL : __real_os_map(size);
}

/* Never looked at by the books, so any number does. */
static void *books_address(size_t index)
{
    return (void *)(uintptr_t)(0x10000 + 16 * index); // NOLINT(performance-no-int-to-ptr)
}

/* ---------------------------------------------------------------- blocks */
static void books_without_memory_are_not_booked(void **state)
{
    (void)state;
    leaktrack_remove(books_address(0)); /* before there is a table */
    books_refuses = true;
    leaktrack_fixture_add(books_address(0), 100, 1);
    books_refuses = false;
    assert_int_equal(leaktrack_books.unbooked, 1);
    assert_int_equal(leaktrack_books.allocations, 1);
    assert_int_equal(leaktrack_books.live_blocks, 0);
    assert_true(leaktrack_scan()); /* nothing to judge */
    leaktrack_remove(books_address(0));
    assert_int_equal(leaktrack_books.live_blocks, 0);
}

struct books_model {
    size_t bytes[BOOKS_MODEL_BLOCKS]; /* 0: not live */
    uint64_t blocks, total, peak;
    uint64_t site_blocks[BOOKS_MODEL_SITES], site_bytes[BOOKS_MODEL_SITES];
};

static void books_expect(const struct books_model *model, uint64_t first)
{
    const struct leaktrack_books *books = &leaktrack_books;
    assert_int_equal(books->live_blocks, model->blocks);
    assert_int_equal(books->live_bytes, model->total);
    assert_int_equal(books->live_bytes_peak, model->peak);
    assert_true(books->used * 2 <= books->slots);
    for (size_t i = 0; i < BOOKS_MODEL_SITES; i++) {
        const struct leaktrack_site *site = leaktrack_fixture_site(first + i);
        assert_int_equal(site->live_blocks, model->site_blocks[i]);
        assert_int_equal(site->live_bytes, model->site_bytes[i]);
    }
}

static void books_step(struct books_model *model, size_t index, size_t bytes, uint64_t first)
{
    size_t site = index % BOOKS_MODEL_SITES;
    if (model->bytes[index] != 0) {
        leaktrack_remove(books_address(index));
        model->blocks--;
        model->total -= model->bytes[index];
        model->site_blocks[site]--;
        model->site_bytes[site] -= model->bytes[index];
        model->bytes[index] = 0;
        return;
    }
    leaktrack_fixture_add(books_address(index), bytes, first + site);
    model->bytes[index] = bytes;
    model->blocks++;
    model->total += bytes;
    model->peak = model->total > model->peak ? model->total : model->peak;
    model->site_blocks[site]++;
    model->site_bytes[site] += bytes;
}

/* Random births and deaths against a model; blocks nobody booked are passed over. */
static void books_are_those_of_a_model(void **state)
{
    static struct books_model model;
    struct rng rng;
    (void)state;
    uint64_t first = leaktrack_fixture_new_sites(BOOKS_MODEL_SITES);
    rng_seed(&rng, 4);
    for (size_t i = 0; i < BOOKS_MODEL_SITES; i++) { /* every site is known */
        books_step(&model, i, i + 1, first);
    }
    for (size_t i = 0; i < BOOKS_STEPS; i++) {
        books_step(&model, rng_below(&rng, BOOKS_MODEL_BLOCKS), 1 + rng_below(&rng, 1000), first);
        leaktrack_remove(books_address(BOOKS_MODEL_BLOCKS + i));
        if (i % 997 == 0) {
            books_expect(&model, first);
        }
    }
    /* Never more than a few thousand at a time: emptied slots were dropped, not kept. */
    assert_int_equal(leaktrack_books.slots, BOOKS_FIRST_SLOTS);
    for (size_t i = 0; i < BOOKS_MODEL_BLOCKS; i++) {
        if (model.bytes[i] != 0) {
            books_step(&model, i, 0, first);
        }
    }
    books_expect(&model, first);
    assert_int_equal(leaktrack_books.live_blocks, 0);
}

/* More live blocks than the first table may hold: it grows to the next power that is enough, and
 * every block is found in it. */
static void books_grow(void **state)
{
    (void)state;
    uint64_t site = leaktrack_fixture_new_sites(1);
    for (size_t i = 0; i < BOOKS_FIRST_SLOTS; i++) {
        leaktrack_fixture_add(books_address(i), 8, site);
        assert_true(leaktrack_books.used * 2 <= leaktrack_books.slots);
    }
    assert_int_equal(leaktrack_books.slots, 4 * BOOKS_FIRST_SLOTS);
    for (size_t i = 0; i < BOOKS_FIRST_SLOTS; i++) {
        leaktrack_remove(books_address(i));
        assert_int_equal(leaktrack_books.live_blocks, BOOKS_FIRST_SLOTS - i - 1);
    }
    assert_int_equal(leaktrack_fixture_site(site)->live_bytes, 0);
}

/* ---------------------------------------------------------------- samples */
static void books_samples_are_thinned(void **state)
{
    struct leaktrack_books *books = &leaktrack_books;
    (void)state;
    uint64_t site = leaktrack_fixture_new_sites(1);
    leaktrack_fixture_add(books_address(0), 1000, site);
    books->sample_count = 0;
    books->sample_interval_ns = 1 << 20;
    for (uint64_t i = 0; i < LEAKTRACK_SAMPLES_MAX; i++) {
        books->live_bytes = 100 + i;
        leaktrack_fixture_site(site)->live_bytes = 200 + i;
        leaktrack_sample_now();
        assert_int_equal(books->sample_count, i + 1);
        assert_int_equal(books->samples[i].live_blocks, 1);
        assert_true(i == 0 || books->samples[i].time_ns >= books->samples[i - 1].time_ns);
    }
    assert_int_equal(books->sample_interval_ns, 1 << 20);
    leaktrack_sample_now();
    assert_int_equal(books->sample_count, LEAKTRACK_SAMPLES_MAX / 2 + 1);
    assert_int_equal(books->sample_interval_ns, 1 << 21);
    for (uint64_t i = 0; i < LEAKTRACK_SAMPLES_MAX / 2; i++) {
        assert_int_equal(books->samples[i].live_bytes, 101 + 2 * i);
        assert_int_equal(leaktrack_fixture_site(site)->samples[i], 201 + 2 * i);
    }
    assert_int_equal(books->samples[LEAKTRACK_SAMPLES_MAX / 2].live_bytes, books->live_bytes);
    for (size_t i = LEAKTRACK_SAMPLES_MAX / 2 + 1; i < LEAKTRACK_SAMPLES_MAX; i++) {
        assert_int_equal(leaktrack_fixture_site(site)->samples[i], 0); /* a later site's past */
    }
    books->live_bytes = leaktrack_fixture_site(site)->live_bytes = 1000;
    leaktrack_remove(books_address(0));
}

/* The clock is looked at once in 64 allocations, and a sample taken if the interval is over. */
static void books_samples_when_due(void **state)
{
    struct leaktrack_books *books = &leaktrack_books;
    (void)state;
    uint64_t site = leaktrack_fixture_new_sites(1);
    while (books->allocations % 64 != 0) {
        leaktrack_fixture_add(books_address(0), 1, site);
        leaktrack_remove(books_address(0));
    }
    books->sample_count = 0;
    books->sample_interval_ns = UINT64_C(1) << 62; /* never */
    for (size_t i = 0; i < 256; i++) {
        leaktrack_fixture_add(books_address(i), 1, site);
    }
    assert_int_equal(books->sample_count, 0);
    books->sample_interval_ns = 0; /* always */
    for (size_t i = 0; i < 256; i++) {
        leaktrack_fixture_add(books_address(256 + i), 1, site);
        assert_int_equal(books->sample_count, (i + 1) / 64);
    }
    assert_int_equal(books->samples[0].live_blocks, 256 + 64);
    /* From the last sample on, not from the first call. */
    books->sample_interval_ns = UINT64_C(3600000000000);
    books->start_ns -= books->sample_interval_ns; /* began an hour ago */
    for (size_t i = 0; i < 64; i++) {
        leaktrack_fixture_add(books_address(512 + i), 1, site);
    }
    assert_int_equal(books->sample_count, 5);
    for (size_t i = 0; i < 128; i++) {
        leaktrack_fixture_add(books_address(576 + i), 1, site);
    }
    assert_int_equal(books->sample_count, 5);
    for (size_t i = 0; i < 704; i++) {
        leaktrack_remove(books_address(i));
    }
}

/* ---------------------------------------------------------------- the report */
/* The report's text; the file is named after the process. The caller frees. */
static char *books_report(bool judged)
{
    char directory[] = "/tmp/heapmill-books-XXXXXX", path[128];
    assert_non_null(mkdtemp(directory));
    assert_int_equal(setenv("HEAPMILL_LEAKTRACK_DIRECTORY", directory, 1), 0);
    assert_true(leaktrack_report_begin());
    leaktrack_report_end(judged);
    (void)snprintf(path, sizeof(path), "%s/%ld.leaks", directory, (long)getpid());
    char *text = leaktrack_fixture_read(path);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(directory), 0);
    assert_int_equal(unsetenv("HEAPMILL_LEAKTRACK_DIRECTORY"), 0);
    return text;
}

static void books_report_is_written(void **state)
{
    struct leaktrack_books *books = &leaktrack_books;
    char expected[512], program[256];
    Dl_info info;
    (void)state;
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    assert_true(length > 0);
    program[length] = '\0';
    char *function = dlsym(RTLD_DEFAULT, "qsort_r");
    assert_true(dladdr(function, &info) != 0);
    void *inside[] = {function + 1, function,
                      (void *)16}; /* in it; behind another's end; nowhere */
    leaktrack_add(books_address(0), 1000, inside, 3);
    struct leaktrack_site *site = &books->sites[books->site_count - 1];
    site->leaked_blocks = 7;
    site->leaked_bytes = 77;
    books->sample_count = 2;
    books->samples[1] = (struct leaktrack_sample){.time_ns = 5, .live_blocks = 6, .live_bytes = 8};
    site->samples[0] = 11;
    site->samples[1] = 12;
    char *text = books_report(true);
    (void)snprintf(expected, sizeof(expected), "begin\t%s\nsample\t", program);
    assert_memory_equal(text, expected, strlen(expected));
    assert_non_null(strstr(text, "\nsample\t5\t6\t8\nsite\t7\t77\t1\t1000\ngrew\t11\t12\nframe\t"));
    (void)snprintf(expected, sizeof(expected), "frame\t%s\t0x%zx\tqsort_r\nframe\t%s\t0x%zx\t",
                   info.dli_fname, (size_t)(function - (char *)info.dli_fbase), info.dli_fname,
                   (size_t)(function - (char *)info.dli_fbase) - 1);
    assert_non_null(strstr(text, expected));
    assert_null(strstr(strstr(text, expected) + strlen(expected), "qsort_r\n"));
    (void)snprintf(expected, sizeof(expected),
                   "\nframe\t?\t0xf\t?\nend\t1\t%lu\t%lu\t%lu\t%lu\t1\n",
                   (unsigned long)books->allocations, (unsigned long)books->live_blocks,
                   (unsigned long)books->live_bytes, (unsigned long)books->live_bytes_peak);
    assert_string_equal(text + strlen(text) - strlen(expected), expected);
    free(text);
    text = books_report(false);
    assert_non_null(strstr(text, "\nend\t0\t"));
    free(text);
    assert_false(leaktrack_report_begin()); /* unasked */
    leaktrack_report_end(true);
    leaktrack_remove(books_address(0));
}

/* ---------------------------------------------------------------- sites */
/* Last, as it uses all sites up: what is beyond goes to site 0. */
static void books_sites_end(void **state)
{
    struct leaktrack_books *books = &leaktrack_books;
    void *frames[LEAKTRACK_FRAMES_MAX];
    (void)state;
    for (size_t i = 0; i < LEAKTRACK_FRAMES_MAX; i++) {
        frames[i] = books_address(i % 2);
    }
    uint32_t before = books->site_count;
    for (uint32_t depth = 1; depth <= LEAKTRACK_FRAMES_MAX; depth++) { /* the depth tells */
        for (int twice = 0; twice < 2; twice++) {
            leaktrack_add(books_address(depth), 1, frames, depth);
            assert_int_equal(books->site_count, before + depth);
            assert_int_equal(books->sites[before + depth - 1].live_blocks, 1);
            assert_int_equal(books->sites[before + depth - 1].depth, depth);
            leaktrack_remove(books_address(depth));
        }
    }
    uint64_t first = leaktrack_fixture_new_sites(LEAKTRACK_SITES_MAX);
    uint32_t room = LEAKTRACK_SITES_MAX - books->site_count;
    for (uint32_t i = 0; i < room + 10; i++) {
        leaktrack_fixture_add(books_address(i), 3, first + i);
    }
    assert_int_equal(books->site_count, LEAKTRACK_SITES_MAX);
    assert_int_equal(books->sites[0].live_blocks, 10);
    assert_int_equal(books->sites[0].live_bytes, 30);
    for (uint32_t i = 0; i < room; i++) {
        assert_int_equal(leaktrack_fixture_site(first + i)->live_blocks, 1);
    }
    leaktrack_fixture_add(books_address(room + 10), 3, first); /* an old one is still found */
    assert_int_equal(leaktrack_fixture_site(first)->live_blocks, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(books_without_memory_are_not_booked),
        cmocka_unit_test(books_are_those_of_a_model),
        cmocka_unit_test(books_grow),
        cmocka_unit_test(books_samples_are_thinned),
        cmocka_unit_test(books_samples_when_due),
        cmocka_unit_test(books_report_is_written),
        cmocka_unit_test(books_sites_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
