/* What only some back ends can do: alignment beyond the usual, threads, forks. A back end without
 * the capability has the tests skipped. */
#include "allocators/tests/conformance.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---------------------------------------------------------------- alignment */
static void capable_aligned_blocks_are_aligned(void **state)
{
    static const size_t sizes[] = {0, 1, 15, 100, 511, 513, 4096, 5000, 100000, 1 << 21};
    enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
    (void)state;
    if (!CONFORMANCE_CAN(HEAP_CAN_ALIGN)) {
        skip();
    }
    struct heap heap;
    struct conformance_os os;
    conformance_open(&heap, &os);
    for (size_t alignment = 1; alignment <= 4 << 20; alignment *= 2) {
        unsigned char
            *volatile blocks[SIZES]; /* without the capability all are NULL, which gcc sees */
        for (size_t i = 0; i < SIZES; i++) {
            blocks[i] = heap_alloc_aligned(&heap, alignment, sizes[i], HEAP_RAW);
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % alignment, 0);
            memset(blocks[i], (int)i, sizes[i]);
        }
        assert_int_equal(heap_check(&heap), 0);
        for (size_t i = 0; i < SIZES; i++) { /* freed and resized as any other */
            for (size_t at = 0; at < sizes[i]; at++) {
                assert_int_equal(blocks[i][at], i);
            }
            size_t size = sizes[i];
            if (i % 2 == 1) {
                blocks[i] = heap_resize(&heap, blocks[i], size, size + 1000, HEAP_RAW);
                size += 1000;
                assert_int_equal(blocks[i][sizes[i] - 1], i);
            }
            heap_free(&heap, blocks[i], size, HEAP_RAW);
        }
    }
    volatile size_t huge = SIZE_MAX / 2 - 4096;
    assert_null(heap_alloc_aligned(&heap, 64, huge, HEAP_RAW));
    assert_null(heap_alloc_aligned(&heap, huge / 2 + 2049, 1, HEAP_RAW)); /* 2^62 */
    assert_int_equal(heap_check(&heap), 0);
    heap_close(&heap);
    conformance_os_assert_balanced(&os);
}

/* ---------------------------------------------------------------- threads */
enum { CAPABLE_THREADS = 4, CAPABLE_SLOTS = 256, CAPABLE_STEPS = 60000, CAPABLE_FORKS = 20 };

static struct heap capable_heap;
static _Atomic(unsigned char *) capable_slots[CAPABLE_SLOTS];
static atomic_bool capable_stop;
static atomic_int capable_begun;
static _Thread_local bool capable_is_begun;

static void capable_thread_begin(void *context)
{
    (void)context;
    capable_is_begun = true;
    capable_begun++;
}

/* A block's first two bytes are its size, and its last one the same. */
static const char *capable_exchange(struct rng *rng)
{
    size_t size = 3 + rng_below(rng, rng_below(rng, 8) == 0 ? 20000 : 300);
    unsigned char *block = heap_alloc(&capable_heap, size, HEAP_RAW);
    if (block == NULL) {
        return "a block is refused";
    }
    block[0] = (unsigned char)size;
    block[1] = (unsigned char)(size >> 8);
    block[size - 1] = block[0];
    unsigned char *found = atomic_exchange(&capable_slots[rng_below(rng, CAPABLE_SLOTS)], block);
    if (found != NULL) {
        size = (size_t)found[0] | (size_t)found[1] << 8;
        if (found[size - 1] != found[0]) {
            return "a block was damaged";
        }
        heap_free(&capable_heap, found, size, HEAP_RAW);
    }
    return NULL;
}

/* Frees what others allocated. The thread ends twice: what it does after its end is ended again. */
static void *capable_run(void *argument)
{
    const char *wrong = NULL;
    struct rng rng;
    rng_seed(&rng, (uint64_t)(uintptr_t)argument);
    for (int i = 0; wrong == NULL && (argument == NULL ? !capable_stop : i < CAPABLE_STEPS); i++) {
        wrong = capable_exchange(&rng);
    }
    for (int i = 0; i < 2 && capable_is_begun; i++) {
        capable_is_begun = false;
        heap_thread_end(&capable_heap);
        wrong = wrong == NULL && i == 0 ? capable_exchange(&rng) : wrong;
    }
    return (void *)wrong;
}

static void capable_join(pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        if (wrong != NULL) {
            fail_msg("%s", (const char *)wrong);
        }
    }
}

/* Frees what is left, and looks at the heap. */
static void capable_finish(void)
{
    for (int i = 0; i < CAPABLE_SLOTS; i++) {
        unsigned char *block = atomic_exchange(&capable_slots[i], NULL);
        if (block != NULL) {
            heap_free(&capable_heap, block, (size_t)block[0] | (size_t)block[1] << 8, HEAP_RAW);
        }
    }
    assert_int_equal(heap_check(&capable_heap), 0);
    struct heap_stats stats;
    heap_stats(&capable_heap, &stats);
    assert_int_equal(stats.blocks_live, 0);
    heap_thread_end(&capable_heap);
    heap_close(&capable_heap);
}

static void capable_open(void)
{
    struct heap_options options = {.os = {.thread_begin = capable_thread_begin}};
    capable_begun = 0;
    assert_int_equal(heap_open(&capable_heap, &options, NULL), STATUS_OK);
}

static void capable_threads_exchange_blocks(void **state)
{
    (void)state;
    if (!CONFORMANCE_CAN(HEAP_CAN_THREADS)) {
        skip();
    }
    pthread_t threads[CAPABLE_THREADS];
    capable_open();
    for (uintptr_t i = 0; i < CAPABLE_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, capable_run, (void *)(i + 1)), 0);
    }
    capable_join(threads, CAPABLE_THREADS);
    /* Every thread announced itself again after its end, or none ever did. */
    assert_true(capable_begun == 0 || capable_begun >= CAPABLE_THREADS);
    struct heap_stats stats;
    heap_stats(&capable_heap, &stats);
    assert_true(stats.cached_blocks <= CAPABLE_SLOTS); /* no dead thread keeps a block */
    capable_finish();
}

/* A child has a heap that works, whatever other threads were doing with it. */
static void capable_children_have_a_heap(void **state)
{
    (void)state;
    if (!CONFORMANCE_CAN(HEAP_CAN_THREADS)) {
        skip();
    }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    if (strcmp(HEAPMILL_BACKEND_NAME, "malloc") == 0) {
        print_message("a sanitizer's malloc may deadlock in the child of a threaded program\n");
        skip();
    }
#endif
    const char *library = getenv("HEAPMILL_EXPECT_MALLOC");
    if (library != NULL && strncmp(library, "libheapmill", 11) != 0) {
        /* tbbmalloc has no fork handlers: now and then the child waits for the other thread's lock
         */
        print_message("%s: what a peer promises to a child is its own affair\n", library);
        skip();
    }
    pthread_t thread;
    struct rng rng;
    rng_seed(&rng, 1);
    capable_open();
    capable_stop = false;
    assert_int_equal(pthread_create(&thread, NULL, capable_run, NULL), 0);
    for (int i = 0; i < CAPABLE_FORKS; i++) {
        usleep(1000);
        heap_fork(&capable_heap, HEAP_FORK_PREPARE);
        pid_t child = fork();
        heap_fork(&capable_heap, child == 0 ? HEAP_FORK_CHILD : HEAP_FORK_PARENT);
        if (child == 0) {
            (void)alarm(20); /* a lock that is held for ever ends the child, and the test fails */
            bool good = true;
            for (int step = 0; step < 2000; step++) {
                good = capable_exchange(&rng) == NULL && good;
            }
            _exit(good && heap_check(&capable_heap) == 0 ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    capable_stop = true;
    capable_join(&thread, 1);
    capable_finish();
}

int conformance_capable_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capable_aligned_blocks_are_aligned),
        cmocka_unit_test(capable_threads_exchange_blocks),
        cmocka_unit_test(capable_children_have_a_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
