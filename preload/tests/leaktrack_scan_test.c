/* What the leak tracker takes for reachable. Blocks are places in mappings of this test, told to
 * the books; addresses are kept as their complements, so that only what a test plants points at
 * them. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "common/os_memory.h"
#include "common/rng.h"
#include "preload/leaktrack.h"
#include "preload/tests/leaktrack_fixture.h"

enum {
    SCAN_ARENA_BYTES = 1 << 20,
    SCAN_BLOCK_BYTES = 64,
    SCAN_LARGE_BYTES = 1 << 17, /* such a block has its own mapping */
    SCAN_PAGE_BYTES = 4096,
    SCAN_GUARD_BYTES = 1 << 16, /* more than what is read around the thread's own data */
    SCAN_MANY = 1000,
    SCAN_BLOCKS_MAX = 2048,
};

static bool scan_refuses;
void *__real_os_map(size_t size);
void *__wrap_os_map(size_t size);
void *__wrap_os_map(size_t size)
{
    return scan_refuses ? NULL : __real_os_map(size);
}

static struct {
    uintptr_t hidden_arena; /* complement */
    size_t used;
    uintptr_t hidden[SCAN_BLOCKS_MAX]; /* blocks, complements */
    size_t bytes[SCAN_BLOCKS_MAX];
    uint64_t first_site;
    size_t count;
} scan;
static void *volatile scan_root[SCAN_BLOCKS_MAX]; /* in the data segment */
static _Thread_local void *volatile scan_of_thread;

/* The complement of a mapping's address. It lies between pages of nobody, as the kernel would join
 * it with its neighbour, and the thread's own data would be near. */
__attribute__((noinline)) static uintptr_t scan_map(size_t bytes)
{
    unsigned char *map = mmap(NULL, bytes + 2 * (size_t)SCAN_GUARD_BYTES, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    assert_int_equal(mprotect(map + SCAN_GUARD_BYTES, bytes, PROT_READ | PROT_WRITE), 0);
    return ~(uintptr_t)(map + SCAN_GUARD_BYTES);
}

/* Books a block at the place; its number. */
__attribute__((noinline)) static size_t scan_book(uintptr_t hidden, size_t bytes)
{
    size_t number = scan.count++;
    scan.hidden[number] = hidden;
    scan.bytes[number] = bytes;
    leaktrack_fixture_add((void *)~hidden, bytes, scan.first_site + number);
    return number;
}

static size_t scan_block_of(size_t bytes)
{
    uintptr_t hidden = scan.hidden_arena - scan.used; /* the complement of a sum */
    scan.used += (bytes + 16 + 15) / 16 * 16;
    return scan_book(hidden, bytes);
}

static size_t scan_block(void)
{
    return scan_block_of(SCAN_BLOCK_BYTES);
}

/* Lets *place point into the block. */
__attribute__((noinline)) static void scan_point(void *volatile *place, size_t block, size_t offset)
{
    *place = (void *)(~scan.hidden[block] + offset); // NOLINT(performance-no-int-to-ptr)
}

/* Lets a block's word point into another. */
__attribute__((noinline)) static void scan_link(size_t from, size_t word, size_t to)
{
    scan_point((void *volatile *)~scan.hidden[from] + word, to, 0);
}

/* Overwrites what calls left below the stack pointer. */
__attribute__((noinline)) static void scan_wipe(void)
{
    volatile char room[16384];
    memset((char *)room, 0, sizeof(room));
}

static void scan_expect_judged(bool judged)
{
    scan_wipe();
    assert_int_equal(leaktrack_scan(), judged);
}

static bool scan_is_leaked(size_t block)
{
    const struct leaktrack_site *site = leaktrack_fixture_site(scan.first_site + block);
    assert_true(site->leaked_blocks <= 1);
    assert_int_equal(site->leaked_bytes, site->leaked_blocks * scan.bytes[block]);
    return site->leaked_blocks == 1;
}

static int scan_setup(void **state)
{
    (void)state;
    memset(&scan, 0, sizeof(scan));
    memset((void *)scan_root, 0, sizeof(scan_root));
    scan.hidden_arena = scan_map(SCAN_ARENA_BYTES);
    scan.first_site = leaktrack_fixture_new_sites(SCAN_BLOCKS_MAX);
    return 0;
}

static int scan_teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < scan.count; i++) {
        leaktrack_remove((void *)~scan.hidden[i]);
    }
    leaktrack_books.inherited = 0;
    os_unmap((void *)~scan.hidden_arena, SCAN_ARENA_BYTES);
    return leaktrack_books.live_blocks == 0 ? 0 : -1;
}

/* ---------------------------------------------------------------- pointers */
static void scan_roots_of_all_kinds(void **state)
{
    void *volatile on_stack = NULL;
    (void)state;
    size_t lost = scan_block(), global = scan_block(), stack = scan_block(), thread = scan_block();
    scan_point(&scan_root[0], global, 0);
    scan_point(&on_stack, stack, 0);
    scan_point(&scan_of_thread, thread, 0);
    scan_expect_judged(true);
    assert_true(scan_is_leaked(lost));
    assert_false(scan_is_leaked(global));
    assert_false(scan_is_leaked(stack));
    assert_false(scan_is_leaked(thread));
    assert_non_null(on_stack);
    scan_of_thread = NULL;
}

/* The thread's own data is a root from end to end, though it lies in a mapping that has small
 * blocks: what is thread-local, as far below the thread pointer as here, and glibc's description of
 * the thread above it, whose size libthread_db is told. Its last 32 bytes are the rseq area of
 * glibc 2.35 and later, which the kernel writes. */
static void scan_threads_own_data_is_a_root(void **state)
{
    enum { WORDS = 12288 / sizeof(void *), RSEQ_WORDS = 32 / sizeof(void *) };
    static _Thread_local void *volatile own[WORDS];
    const uint32_t *bytes = dlsym(RTLD_DEFAULT, "_thread_db_sizeof_pthread");
    (void)state;
    if (bytes == NULL) {
        skip();
    }
    void *volatile *last = (void *volatile *)(pthread_self() + *bytes) - RSEQ_WORDS - 1; // NOLINT
    void *kept = *last;
    size_t below = scan_block(), above = scan_block(), lost = scan_block();
    scan_book(~(uintptr_t)&own[WORDS / 2], SCAN_BLOCK_BYTES);
    scan_point(&own[0], below, 0);
    scan_point(last, above, 0);
    scan_wipe();
    bool judged = leaktrack_scan();
    *last = kept;
    own[0] = NULL;
    assert_true(judged);
    assert_false(scan_is_leaked(below));
    assert_false(scan_is_leaked(above));
    assert_true(scan_is_leaked(lost));
}

static void scan_pointers_inside_count(void **state)
{
    (void)state;
    size_t last = scan_block(), end = scan_block(), before = scan_block_of(40), empty, past;
    empty = scan_block_of(0);
    past = scan_block_of(0);
    scan_point(&scan_root[0], last, SCAN_BLOCK_BYTES - 1);
    scan_point(&scan_root[1], end, SCAN_BLOCK_BYTES);
    scan_point(&scan_root[2], before, (size_t)-1);
    scan_point(&scan_root[3], empty, 0);
    scan_point(&scan_root[4], past, 1);
    scan_point((void *volatile *)((char *)&scan_root[6] + 4), before, 0); /* not aligned */
    scan_expect_judged(true);
    assert_false(scan_is_leaked(last));
    assert_true(scan_is_leaked(end));
    assert_true(scan_is_leaked(before));
    assert_false(scan_is_leaked(empty));
    assert_true(scan_is_leaked(past));
}

/* Through blocks: in their last whole word, not in what is behind; a ring of lost ones is lost. */
static void scan_follows_blocks(void **state)
{
    (void)state;
    size_t head = scan_block_of(16), middle = scan_block_of(36), tail = scan_block();
    size_t behind = scan_block(), one = scan_block(), other = scan_block();
    scan_point(&scan_root[0], head, 0);
    scan_link(head, 1, middle);
    scan_link(middle, 3, tail);
    scan_link(middle, 4, behind); /* bytes 32 to 40 of 36 */
    scan_link(one, 0, other);
    scan_link(other, 0, one);
    scan_expect_judged(true);
    assert_false(scan_is_leaked(head));
    assert_false(scan_is_leaked(middle));
    assert_false(scan_is_leaked(tail));
    assert_true(scan_is_leaked(behind));
    assert_true(scan_is_leaked(one));
    assert_true(scan_is_leaked(other));
}

/* Sorted by address, whatever the order of births: every second one is pointed at. */
static void scan_finds_among_many(void **state)
{
    uint32_t order[SCAN_MANY];
    struct rng rng;
    (void)state;
    for (uint32_t i = 0; i < SCAN_MANY; i++) {
        order[i] = i;
    }
    rng_seed(&rng, 9);
    rng_shuffle_u32(&rng, order, SCAN_MANY);
    for (size_t i = 0; i < SCAN_MANY; i++) {
        scan_book(scan.hidden_arena - order[i] * (size_t)SCAN_BLOCK_BYTES, SCAN_BLOCK_BYTES);
    }
    for (size_t i = 0; i < SCAN_MANY; i += 2) {
        scan_point(&scan_root[i], i, i % SCAN_BLOCK_BYTES);
    }
    scan_expect_judged(true);
    for (size_t i = 0; i < SCAN_MANY; i++) {
        assert_int_equal(scan_is_leaked(i), i % 2);
    }
}

static void scan_parents_blocks_are_not_the_childs(void **state)
{
    (void)state;
    size_t inherited = scan_block();
    leaktrack_books.inherited = leaktrack_books.allocations; /* as leaktrack_fork_child does */
    size_t own = scan_block();
    scan_expect_judged(true);
    assert_false(scan_is_leaked(inherited));
    assert_true(scan_is_leaked(own));
}

/* ---------------------------------------------------------------- mappings */
/* What is free beside small blocks is the allocator's, and hides nothing. */
static void scan_small_blocks_mapping_is_no_root(void **state)
{
    (void)state;
    size_t lost = scan_block();
    scan_point((void *volatile *)(~scan.hidden_arena + SCAN_ARENA_BYTES / 2), lost, 0);
    scan_expect_judged(true);
    assert_true(scan_is_leaked(lost));
}

/* Around a large block the mapping is the program's. */
static void scan_large_blocks_mapping_is_a_root(void **state)
{
    enum { AROUND_BYTES = 2 * SCAN_LARGE_BYTES + 4 * SCAN_PAGE_BYTES };
    (void)state;
    uintptr_t hidden = scan_map(AROUND_BYTES);
    size_t large = scan_book(hidden - SCAN_PAGE_BYTES, SCAN_LARGE_BYTES);
    size_t second = scan_book(hidden - 2 * SCAN_PAGE_BYTES - SCAN_LARGE_BYTES, SCAN_LARGE_BYTES);
    size_t before = scan_block(), between = scan_block(), after = scan_block(), in = scan_block();
    void *volatile *words = (void *volatile *)~hidden;
    scan_point(&words[0], before, 0);
    scan_point(&words[(SCAN_PAGE_BYTES + SCAN_LARGE_BYTES) / sizeof(*words)], between, 0);
    scan_point(&words[AROUND_BYTES / sizeof(*words) - 1], after, 0);
    scan_link(large, 0, in);
    words = NULL;
    scan_expect_judged(true);
    assert_true(scan_is_leaked(large));
    assert_true(scan_is_leaked(second));
    assert_true(scan_is_leaked(in)); /* only a lost block points at it */
    assert_false(scan_is_leaked(before));
    assert_false(scan_is_leaked(between));
    assert_false(scan_is_leaked(after));
    os_unmap((void *)~hidden, AROUND_BYTES);
}

/* One small block among large ones, and the mapping is the allocator's. */
static void scan_small_block_behind_a_large_one(void **state)
{
    enum { AROUND_BYTES = SCAN_LARGE_BYTES + 2 * SCAN_PAGE_BYTES };
    (void)state;
    uintptr_t hidden = scan_map(AROUND_BYTES);
    size_t target = scan_block();
    scan_book(hidden, SCAN_LARGE_BYTES);
    scan_book(hidden - SCAN_LARGE_BYTES, SCAN_LARGE_BYTES / 1024);
    scan_point((void *volatile *)(~hidden + AROUND_BYTES) - 1, target, 0);
    scan_expect_judged(true);
    assert_true(scan_is_leaked(target));
    os_unmap((void *)~hidden, AROUND_BYTES);
}

/* One that has only large ones, at its very ends. */
static void scan_blocks_at_the_ends_of_a_mapping(void **state)
{
    (void)state;
    uintptr_t hidden = scan_map(2 * SCAN_LARGE_BYTES);
    size_t first = scan_book(hidden, SCAN_LARGE_BYTES);
    size_t last = scan_book(hidden - SCAN_LARGE_BYTES, SCAN_LARGE_BYTES);
    size_t target = scan_block();
    scan_link(first, 0, target);
    scan_link(last, SCAN_LARGE_BYTES / sizeof(void *) - 1, target);
    scan_expect_judged(true);
    assert_true(scan_is_leaked(first));
    assert_true(scan_is_leaked(last));
    assert_true(scan_is_leaked(target));
    os_unmap((void *)~hidden, 2 * (size_t)SCAN_LARGE_BYTES);
}

/* A root of many windows, with a pointer in each one's first and last word. */
static void scan_large_roots_are_read_whole(void **state)
{
    enum { WINDOW_BYTES = 1 << 16, WINDOWS = 5, ROOT_BYTES = WINDOWS * WINDOW_BYTES };
    (void)state;
    uintptr_t hidden = scan_map(ROOT_BYTES);
    for (size_t i = 0; i < WINDOWS; i++) {
        void *volatile *words = (void *volatile *)(~hidden + i * WINDOW_BYTES);
        scan_point(&words[0], scan_block(), 0);
        scan_point(&words[WINDOW_BYTES / sizeof(*words) - 1], scan_block(), 0);
    }
    scan_expect_judged(true);
    for (size_t i = 0; i < scan.count; i++) {
        assert_false(scan_is_leaked(i));
    }
    os_unmap((void *)~hidden, ROOT_BYTES);
}

/* Private mappings alone are the program's own. */
static void scan_shared_memory_is_no_root(void **state)
{
    (void)state;
    size_t lost = scan_block();
    void *volatile *shared = os_map_scratch(SCAN_PAGE_BYTES);
    scan_point(shared, lost, 0);
    scan_expect_judged(true);
    assert_true(scan_is_leaked(lost));
    os_unmap((void *)shared, SCAN_PAGE_BYTES);
}

/* glibc notes of a free chunk where it begins, which is inside the block before it. */
static void scan_glibcs_own_notes_are_not_pointers(void **state)
{
    /* A pointer in glibc's data; looked up, as naming it would move it into this program. */
    void *volatile *note = dlsym(RTLD_DEFAULT, "program_invocation_name");
    Dl_info info;
    (void)state;
    assert_true(dladdr((void *)note, &info) != 0);
    if (strstr(info.dli_fname, "/libc.so") == NULL) {
        skip();
    }
    static const size_t bytes[] = {1, 24, 25, 40, 41, 100};
    static const size_t chunks[] = {16, 16, 32, 32, 48, 96}; /* to the next one, of 16 before it */
    void *kept = *note;
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        size_t block = scan_block_of(bytes[i]), inside = scan_block_of(bytes[i]);
        scan_point(&scan_root[0], inside,
                   chunks[i]); /* elsewhere it is a pointer, if it is inside */
        scan_point(note, block, chunks[i]);
        scan_expect_judged(true);
        *note = kept;
        scan_root[0] = NULL;
        assert_true(scan_is_leaked(block));
        assert_int_equal(scan_is_leaked(inside), chunks[i] >= bytes[i]);
        leaktrack_remove((void *)~scan.hidden[block]);
        leaktrack_remove((void *)~scan.hidden[inside]);
    }
    scan_point(note, scan_block(), 0);
    scan_expect_judged(true);
    *note = kept;
    assert_false(scan_is_leaked(scan.count - 1));
}

static void scan_without_memory_judges_nothing(void **state)
{
    (void)state;
    size_t lost = scan_block();
    scan_refuses = true;
    scan_expect_judged(false);
    scan_refuses = false;
    assert_false(scan_is_leaked(lost));
}

/* A program may have used up its descriptors: the memory or the list of mappings cannot be read. */
static void scan_without_descriptors_judges_nothing(void **state)
{
    struct rlimit limit;
    (void)state;
    size_t lost = scan_block();
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(lowest >= 0);
    (void)close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (rlim_t room = 0; room < 2; room++) {
        struct rlimit few = {.rlim_cur = (rlim_t)lowest + room, .rlim_max = limit.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        scan_wipe();
        bool judged = leaktrack_scan();
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_false(judged);
        assert_false(scan_is_leaked(lost));
    }
}

#define SCAN_TEST(function) cmocka_unit_test_setup_teardown(function, scan_setup, scan_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCAN_TEST(scan_roots_of_all_kinds),
        SCAN_TEST(scan_threads_own_data_is_a_root),
        SCAN_TEST(scan_pointers_inside_count),
        SCAN_TEST(scan_follows_blocks),
        SCAN_TEST(scan_finds_among_many),
        SCAN_TEST(scan_parents_blocks_are_not_the_childs),
        SCAN_TEST(scan_small_blocks_mapping_is_no_root),
        SCAN_TEST(scan_large_blocks_mapping_is_a_root),
        SCAN_TEST(scan_small_block_behind_a_large_one),
        SCAN_TEST(scan_blocks_at_the_ends_of_a_mapping),
        SCAN_TEST(scan_large_roots_are_read_whole),
        SCAN_TEST(scan_shared_memory_is_no_root),
        SCAN_TEST(scan_glibcs_own_notes_are_not_pointers),
        SCAN_TEST(scan_without_memory_judges_nothing),
        SCAN_TEST(scan_without_descriptors_judges_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
