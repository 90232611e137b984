/* The leak tracker's malloc family, linked into this program: what it does while it looks up the
 * functions behind it, and that each of the family books what it gives.
 *   allocators-leaktrack_malloc_test            the tests
 *   allocators-leaktrack_malloc_test SCENARIO   what they run as a process of its own */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "preload/tests/leaktrack_fixture.h"

enum { EARLY_BYTES = 1 << 16, EARLY_CUT = 3 };

/* ---------------------------------------------------------------- while looking up */
static struct {
    const char *wrong; /* the first thing that was */
    unsigned char *kept;
    unsigned char *last; /* to the end of the static buffer */
} early;

static void early_expect(bool good, const char *what)
{
    if (!good && early.wrong == NULL) {
        early.wrong = what;
    }
}

static bool early_is(const unsigned char *block, size_t size, unsigned char byte)
{
    for (size_t i = 0; i < size; i++) {
        if (block[i] != byte) {
            return false;
        }
    }
    return true;
}

/* What a dlsym may ask for on its way (glibc's own does so on errors). */
static void early_ask(void)
{
    void *none = &early;
    volatile size_t wraps = SIZE_MAX - 4; /* so near that rounding up wraps round */
    unsigned char *first = malloc(100), *second = calloc(5, 10), *third = realloc(NULL, 17);
    early_expect(first != NULL && second != NULL && third != NULL, "early blocks");
    early_expect((uintptr_t)first % 16 == 0 && (uintptr_t)second % 16 == 0, "early alignment");
    early_expect(early_is(second, 50, 0), "early calloc is zeroed");
    memset(first, 1, 100);
    memset(second, 2, 50);
    memset(third, 3, 17);
    early_expect(second >= first + 100 && third >= second + 50, "early blocks lie apart");
    early_expect(second < first + 128 && third < second + 80, "early blocks lie close");
    free(second);
    early.kept = realloc(first, 200);
    early_expect(early.kept != NULL && early.kept >= third + 17, "early realloc gives room");
    early_expect(early_is(early.kept, 100, 1) && early_is(second, 50, 2) && early_is(third, 17, 3),
                 "early contents");
    early_expect(memalign(64, 10) == NULL && aligned_alloc(64, 64) == NULL, "early alignments");
    early_expect(posix_memalign(&none, 64, 10) == ENOMEM && none == &early, "early posix_memalign");
    early_expect(malloc(1 << 24) == NULL && malloc(wraps) == NULL, "early end");
    for (void *more; (more = malloc(16)) != NULL;) {
        early.last = more;
    }
    early_expect(malloc(1) == NULL, "early end");
    /* The first was at the begin of it. */
    early_expect(early.last + 16 == first + EARLY_BYTES, "the early buffer is used to its end");
    memset(early.last, 4, 16);
}

void *__real_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name)
{
    if (strcmp(name, "realloc") == 0) {
        early_ask();
    }
    return __real_dlsym(handle, name);
}

static void malloc_before_it_is_looked_up(void **state)
{
    (void)state;
    if (early.wrong != NULL) {
        fail_msg("%s", early.wrong);
    }
    /* Blocks of then live on: they are freed, and move, contents and all. */
    unsigned char *moved = realloc(early.kept, 1000);
    assert_non_null(moved);
    assert_true(moved > early.kept + EARLY_BYTES || moved + EARLY_BYTES < early.kept);
    assert_true(early_is(moved, 100, 1));
    free(moved);
    moved = realloc(early.last, 4 << 20); /* no further than the buffer's end is read */
    assert_non_null(moved);
    assert_true(early_is(moved, 16, 4));
    free(moved);
    moved = realloc(early.last, EARLY_CUT);
    assert_true(early_is(moved, EARLY_CUT, 4));
    free(moved);
    free(early.kept);
    free(early.last);
}

/* ---------------------------------------------------------------- scenarios */
/* Loses a block of each function, each of another size; all calls are of one line each. */
__attribute__((noinline)) static void scenario_family(void)
{
    void *volatile block = malloc(101);
    block = calloc(3, 51);
    block = realloc(NULL, 205);
    block = malloc(10);
    block = realloc(block, 307);
    block = reallocarray(NULL, 4, 103);
    block = memalign(64, 509);
    block = aligned_alloc(64, 640);
    void *aligned = NULL;
    if (posix_memalign(&aligned, 64, 701) != 0 || (uintptr_t)aligned % 64 != 0) {
        _exit(3);
    }
    aligned = NULL;
    block = malloc(800); /* freed again */
    free(block);
    block = malloc(20);
    block = realloc(block, 0); /* frees */
    block = NULL;
}

/* A block that cannot grow is still there; what size it has is not known any more. */
__attribute__((noinline)) static void scenario_refused(void)
{
    void *volatile block = malloc(64);
    volatile size_t size = PTRDIFF_MAX - 100;
    if (realloc(block, size) != NULL) {
        _exit(3);
    }
    block = NULL;
}

__attribute__((noinline)) static void scenario_wipe(void)
{
    volatile char room[16384];
    memset((char *)room, 0, sizeof(room));
}

__attribute__((noinline)) static void scenario_lose_two(void)
{
    void *volatile block = malloc(222);
    if (block != NULL) {
        block = malloc(222);
    }
    block = NULL;
}

static void scenario_fork(void)
{
    void *volatile mine = malloc(111);
    pid_t child = fork();
    if (child == 0) {
        scenario_lose_two();
        scenario_wipe();
        exit(mine == NULL);
    }
    int status;
    _exit(waitpid(child, &status, 0) == child && status == 0 ? 0 : 3);
}

static int scenario_run(const char *name)
{
    if (strcmp(name, "family") == 0) {
        scenario_family();
    } else if (strcmp(name, "refused") == 0) {
        scenario_refused();
    } else if (strcmp(name, "fork") == 0) {
        scenario_fork();
    }
    scenario_wipe();
    return 0;
}

/* ---------------------------------------------------------------- what is booked */
/* The reports of all processes of the scenario, one after the other; the caller frees. */
static char *malloc_reports(const char *scenario)
{
    char directory[] = "/tmp/heapmill-family-XXXXXX", command[512], program[256];
    assert_non_null(mkdtemp(directory));
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    assert_true(length > 0);
    program[length] = '\0';
    (void)snprintf(command, sizeof(command),
                   "HEAPMILL_LEAKTRACK_DIRECTORY=%s '%s' %s && cat %s/*.leaks >%s/all", directory,
                   program, scenario, directory, directory);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): a test's own words
    (void)snprintf(command, sizeof(command), "%s/all", directory);
    char *text = leaktrack_fixture_read(command);
    (void)snprintf(command, sizeof(command), "rm -r %s", directory);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): a test's own words
    assert_non_null(text);
    return text;
}

static size_t malloc_count(const char *text, const char *words)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at++) {
        count++;
    }
    return count;
}

/* As many sites with leaks as sizes, each of one block. */
static void malloc_expect_lost(const char *text, const size_t *sizes, size_t count)
{
    size_t lost = malloc_count(text, "\nsite\t") - malloc_count(text, "\nsite\t0\t");
    for (size_t i = 0; i < count; i++) {
        char site[64];
        (void)snprintf(site, sizeof(site), "\nsite\t1\t%zu\t1\t%zu\n", sizes[i], sizes[i]);
        if (malloc_count(text, site) != 1) {
            fail_msg("no block of %zu is lost in: %s", sizes[i], text);
        }
    }
    if (lost != count) {
        fail_msg("%zu sites leak, not %zu: %s", lost, count, text);
    }
    assert_int_equal(malloc_count(text, "\nend\t1\t"), 1);
}

static void malloc_each_books_its_block(void **state)
{
    static const size_t sizes[] = {101, 153, 205, 307, 412, 509, 640, 701};
    (void)state;
    char *text = malloc_reports("family");
    malloc_expect_lost(text, sizes, sizeof(sizes) / sizeof(sizes[0]));
    /* The call is in the function that made it, not in the tracker. */
    assert_int_equal(malloc_count(text, "\nbegin\t") + (strncmp(text, "begin\t", 6) == 0), 1);
    free(text);
}

static void malloc_keeps_a_block_that_cannot_grow(void **state)
{
    static const size_t sizes[] = {0};
    (void)state;
    char *text = malloc_reports("refused");
    malloc_expect_lost(text, sizes, 1);
    free(text);
}

/* The parent ends by _exit and so is not judged; the child reports its own blocks alone. */
static void malloc_childs_own_blocks(void **state)
{
    static const size_t sizes[] = {222, 222};
    (void)state;
    char *text = malloc_reports("fork");
    size_t lost = malloc_count(text, "\nsite\t") - malloc_count(text, "\nsite\t0\t");
    assert_int_equal(malloc_count(text, "\nsite\t1\t222\t"), lost);
    assert_int_equal(lost, sizeof(sizes) / sizeof(sizes[0]));
    assert_int_equal(malloc_count(text, "begin\t"), 2);
    assert_int_equal(malloc_count(text, "\nend\t1\t"), 1);
    free(text);
}

static void malloc_refuses_as_posix_says(void **state)
{
    static const size_t wrong[] = {0, 1, 3, 4, 12, 24};
    volatile size_t half = SIZE_MAX / 2;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        void *block = &early;
        assert_int_equal(posix_memalign(&block, wrong[i], 10), EINVAL);
        assert_ptr_equal(block, &early);
    }
    void *block = &early;
    assert_int_equal(posix_memalign(&block, 16, half), ENOMEM);
    assert_ptr_equal(block, &early);
    errno = 0;
    assert_null(reallocarray(NULL, half, 3));
    assert_int_equal(errno, ENOMEM);
    assert_null(calloc(half, 3));
    errno = 77;
    block = malloc(10);
    assert_int_equal(errno, 77);
    free(block);
    assert_int_equal(errno, 77);
    for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
        block = memalign(alignment, 10);
        assert_int_equal((uintptr_t)block % alignment, 0);
        free(block);
        block = aligned_alloc(alignment, alignment);
        assert_int_equal((uintptr_t)block % alignment, 0);
        free(block);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return scenario_run(argv[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malloc_before_it_is_looked_up),
        cmocka_unit_test(malloc_each_books_its_block),
        cmocka_unit_test(malloc_keeps_a_block_that_cannot_grow),
        cmocka_unit_test(malloc_childs_own_blocks),
        cmocka_unit_test(malloc_refuses_as_posix_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
