/* The malloc family as a program sees it: edge cases, errno, threads, fork. Runs on glibc's own
 * malloc, and with each of our libraries preloaded, where HEAPMILL_EXPECT_MALLOC names the library.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Of no use as a size, and hidden from the compiler, which would warn. */
static volatile size_t huge = SIZE_MAX / 2 + 1;
static void *early_block;

/* Runs before main, like the constructors of a program's libraries. */
__attribute__((constructor)) static void allocate_early(void)
{
    early_block = malloc(100);
    memset(early_block, 7, 100);
}

static void early_blocks_can_be_freed(void **state)
{
    (void)state;
    assert_int_equal(((unsigned char *)early_block)[99], 7);
    early_block = realloc(early_block, 1000);
    assert_int_equal(((unsigned char *)early_block)[99], 7);
    free(early_block);
}

/* 16 for all that can hold a long double, 8 for all that can hold a pointer. */
static void assert_aligned_for(const void *block, size_t size)
{
    size_t alignment = size >= 16 ? 16 : size >= 8 ? 8 : 1;
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % alignment, 0);
}

static void every_size_is_aligned_and_usable(void **state)
{
    (void)state;
    static unsigned char *blocks[1200];
    for (size_t size = 0; size < 1200; size++) {
        blocks[size] = malloc(size);
        assert_aligned_for(blocks[size], size);
        size_t usable = malloc_usable_size(blocks[size]);
        assert_true(usable >= size);
        memset(blocks[size], (int)size, usable);
    }
    for (size_t size = 1; size < 1200; size++) {
        assert_int_equal(blocks[size][0], (unsigned char)size);
        assert_int_equal(blocks[size][size - 1], (unsigned char)size);
    }
    for (size_t size = 0; size < 1200; size++) {
        free(blocks[size]);
    }
    assert_int_equal(malloc_usable_size(NULL), 0);
    free(NULL);
}

static void zero_sized_blocks_are_distinct(void **state)
{
    (void)state;
    void *a = malloc(0);
    void *b = malloc(0);
    void *c = calloc(0, 8);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_true(a != b && b != c && a != c);
    free(a);
    free(b);
    free(c);
}

static void calloc_zeroes_what_was_used(void **state)
{
    (void)state;
    for (size_t size = 1; size < 5000; size = size * 3 / 2 + 1) {
        unsigned char *dirty = malloc(size);
        memset(dirty, 0xff, size);
        free(dirty);
        unsigned char *clean = calloc(size, 1);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(clean[i], 0);
        }
        free(clean);
    }
}

/* Each pair of sizes, with the thresholds of 256 and 512 between them. */
static void realloc_keeps_contents(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 8, 17, 100, 250, 257, 500, 512, 513, 600, 5000, 300000};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    for (size_t from = 0; from < SIZES; from++) {
        for (size_t to = 0; to < SIZES; to++) {
            unsigned char *block = realloc(NULL, sizes[from]);
            memset(block, 0x5a, sizes[from]);
            block = realloc(block, sizes[to]);
            assert_aligned_for(block, sizes[to]);
            size_t kept = sizes[from] < sizes[to] ? sizes[from] : sizes[to];
            for (size_t i = 0; i < kept; i++) {
                assert_int_equal(block[i], 0x5a);
            }
            memset(block, 0xa5, sizes[to]);
            free(block);
        }
    }
    assert_null(realloc(malloc(40), 0)); /* glibc's way: frees */
    assert_null(realloc(malloc(4000), 0));
}

static void assert_refused(void *block)
{
    assert_null(block);
    assert_int_equal(errno, ENOMEM);
    errno = 0;
}

static void what_no_machine_has_is_refused(void **state)
{
    (void)state;
    volatile size_t half = SIZE_MAX / 2;
    /* Volatile: gcc takes it for freed by the realloc that must fail. */
    unsigned char *volatile small = malloc(24);
    small[23] = 9;
    errno = 0;
    assert_refused(malloc(huge));
    assert_refused(malloc(SIZE_MAX - huge + huge));
    assert_refused(calloc(huge, 2));
    assert_refused(calloc(half, 3));
    assert_refused(calloc(huge, 1));
    assert_refused(realloc(small, huge));
    assert_refused(reallocarray(small, half, 3));
    assert_refused(aligned_alloc(64, huge));
    assert_refused(memalign(4096, huge));
    assert_refused(valloc(huge));
    assert_refused(pvalloc(SIZE_MAX - huge + huge - 100));
    assert_int_equal(small[23], 9);
    free(small);
}

static void posix_memalign_reports_by_its_result(void **state)
{
    (void)state;
    void *block = &state;
    errno = EBADF;
    assert_int_equal(posix_memalign(&block, 0, 8), EINVAL);
    assert_int_equal(posix_memalign(&block, 4, 8), EINVAL);
    assert_int_equal(posix_memalign(&block, 24, 8), EINVAL);
    assert_int_equal(errno, EBADF);
    assert_int_equal(posix_memalign(&block, 64, huge), ENOMEM); /* glibc sets errno here */
    assert_ptr_equal(block, &state);
    for (size_t alignment = sizeof(void *); alignment <= 1 << 16; alignment *= 2) {
        for (size_t size = 0; size < 3000; size = size * 2 + 1) {
            void *neighbour; /* the first block of a page may be aligned by luck */
            assert_int_equal(posix_memalign(&neighbour, alignment, size), 0);
            assert_int_equal(posix_memalign(&block, alignment, size), 0);
            assert_int_equal((uintptr_t)neighbour % alignment, 0);
            assert_int_equal((uintptr_t)block % alignment, 0);
            free(neighbour);
            memset(block, 1, size);
            assert_true(malloc_usable_size(block) >= size);
            block = realloc(block, size + 100);
            memset(block, 2, size + 100);
            free(block);
        }
    }
}

static void aligned_functions_align(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t alignment = 1; alignment <= 8192; alignment *= 2) {
        void *a = aligned_alloc(alignment, 3 * alignment);
        void *b = memalign(alignment, 5);
        assert_int_equal((uintptr_t)a % alignment, 0);
        assert_int_equal((uintptr_t)b % alignment, 0);
        memset(a, 1, 3 * alignment);
        memset(b, 1, 5);
        free(a);
        free(b);
    }
    void *c = valloc(100);
    void *d = pvalloc(100);
    assert_int_equal((uintptr_t)c % page, 0);
    assert_int_equal((uintptr_t)d % page, 0);
    memset(d, 1, page); /* a whole number of pages */
    free(c);
    free(d);
}

/* Enough blocks that arenas are mapped and unmapped on the way. */
static void free_leaves_errno_alone(void **state)
{
    (void)state;
    enum { BLOCKS = 20000 };
    static void *blocks[BLOCKS];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < BLOCKS; i++) {
            blocks[i] = malloc(i % 10 == 0 ? 2000 : 240);
            assert_non_null(blocks[i]);
        }
        errno = ERANGE;
        for (size_t i = 0; i < BLOCKS; i++) {
            free(blocks[i]);
        }
        assert_int_equal(errno, ERANGE);
    }
}

/* ---------------------------------------------------------------- threads */
enum { THREADS = 4, SHARED_SLOTS = 512, FORKS = 60 };

static _Atomic(unsigned char *) shared_slots[SHARED_SLOTS];
static atomic_bool threads_stop;

/* Puts its own blocks into slots that all threads share, and frees what it finds there, until told
 * to stop. A block's first byte is its size, its last one as well. */
static void *exchange_blocks(void *argument)
{
    uint64_t random = (uint64_t)(uintptr_t)argument;
    while (!threads_stop) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t size = 2 + (random >> 33) % 250;
        unsigned char *block = malloc(size);
        block[0] = (unsigned char)size;
        block[size - 1] = (unsigned char)size;
        unsigned char *found = atomic_exchange(&shared_slots[(random >> 50) % SHARED_SLOTS], block);
        if (found != NULL) {
            if (found[found[0] - 1] != found[0]) {
                return (void *)"a block was damaged";
            }
            free(found);
        }
    }
    return NULL;
}

static void start_threads(pthread_t *threads)
{
    threads_stop = false;
    for (uintptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, exchange_blocks, (void *)(i + 1)), 0);
    }
}

static void join_threads(const pthread_t *threads)
{
    threads_stop = true;
    for (int i = 0; i < THREADS; i++) {
        void *complaint;
        assert_int_equal(pthread_join(threads[i], &complaint), 0);
        assert_null(complaint);
    }
    for (int i = 0; i < SHARED_SLOTS; i++) {
        free(atomic_exchange(&shared_slots[i], NULL));
    }
}

static void threads_exchange_blocks(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    start_threads(threads);
    usleep(1000000);
    join_threads(threads);
}

/* A child of fork has a heap that works, whatever other threads were doing with it. */
static void children_of_fork_can_allocate(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    start_threads(threads);
    const char *forks = getenv("PRELOAD_TEST_FORKS"); /* real_programs.sh asks for a thousand */
    for (int i = 0; i < (forks != NULL ? atoi(forks) : FORKS); i++) {
        usleep(2000);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            alarm(20); /* a lock that is held for ever ends the child, and the test fails */
            for (size_t size = 1; size < 2000; size++) {
                unsigned char *block = malloc(size);
                memset(block, 1, size);
                free(block);
            }
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    join_threads(threads);
}

static void malloc_lives_where_expected(void **state)
{
    (void)state;
    const char *expected = getenv("HEAPMILL_EXPECT_MALLOC");
    static const char *const family[] = {
        "malloc",        "free",     "calloc", "realloc", "reallocarray",      "posix_memalign",
        "aligned_alloc", "memalign", "valloc", "pvalloc", "malloc_usable_size"};
    for (size_t i = 0; expected != NULL && i < sizeof(family) / sizeof(family[0]); i++) {
        Dl_info owner;
        assert_int_not_equal(dladdr(dlsym(RTLD_DEFAULT, family[i]), &owner), 0);
        if (strstr(owner.dli_fname, expected) == NULL) {
            fail_msg("%s lives in %s", family[i], owner.dli_fname);
        }
    }
    const char *name = dlsym(RTLD_DEFAULT, "heapmill_preload_name");
    assert_true((name != NULL) == (expected != NULL));
    assert_true(name == NULL || strstr(expected, name) != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malloc_lives_where_expected),
        cmocka_unit_test(early_blocks_can_be_freed),
        cmocka_unit_test(every_size_is_aligned_and_usable),
        cmocka_unit_test(zero_sized_blocks_are_distinct),
        cmocka_unit_test(calloc_zeroes_what_was_used),
        cmocka_unit_test(realloc_keeps_contents),
        cmocka_unit_test(what_no_machine_has_is_refused),
        cmocka_unit_test(posix_memalign_reports_by_its_result),
        cmocka_unit_test(aligned_functions_align),
        cmocka_unit_test(free_leaves_errno_alone),
        cmocka_unit_test(threads_exchange_blocks),
        cmocka_unit_test(children_of_fork_can_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
