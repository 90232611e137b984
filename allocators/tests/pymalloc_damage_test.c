/* Damage to a pymalloc heap that its checker must find, and misuse that its frees must refuse. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocators/tests/pymalloc_fixture.h"

/* A heap in every state that the checker looks at: a full, a partly used and an empty pool of one
 * arena, which is usable, and a second arena that is usable too. */
struct patient {
    struct fixture fixture;
    void **blocks;
    size_t count;
    struct pymalloc_pool *full;
    struct pymalloc_pool *partial;
    struct pymalloc_pool *empty;
};

static void patient_open(struct patient *patient)
{
    fixture_open(&patient->fixture, 4096);
    patient->count = FIXTURE_PER_ARENA + 3 * FIXTURE_PER_POOL;
    patient->blocks = calloc(patient->count, sizeof(void *));
    assert_non_null(patient->blocks);
    for (size_t i = 0; i < patient->count; i++) {
        patient->blocks[i] = fixture_take(&patient->fixture, FIXTURE_BLOCK_BYTES);
    }
    patient->full = pymalloc_pool_of(patient->blocks[0]);
    patient->partial = pymalloc_pool_of(patient->blocks[FIXTURE_PER_POOL]);
    patient->empty = pymalloc_pool_of(patient->blocks[2 * FIXTURE_PER_POOL]);
    for (size_t i = FIXTURE_PER_POOL + 1; i < 3 * FIXTURE_PER_POOL; i++) {
        heap_free(&patient->fixture.heap, patient->blocks[i], FIXTURE_BLOCK_BYTES, HEAP_RAW);
    }
    assert_int_equal(heap_check(&patient->fixture.heap), 0);
    assert_true(patient->full->free_block == NULL && patient->partial->live == 1 &&
                patient->empty->live == 0);
    assert_int_equal(patient->fixture.mapped, 2);
}

static void patient_close(struct patient *patient)
{
    assert_int_equal(heap_check(&patient->fixture.heap), 0);
    heap_close(&patient->fixture.heap);
    free(patient->blocks);
}

/* What the checker says of the heap into text, and how many invariants it finds broken. */
static size_t patient_check(struct patient *patient, char *text, size_t size)
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    assert_true(file != NULL && kept >= 0);
    (void)dup2(fileno(file), STDERR_FILENO);
    size_t broken = heap_check(&patient->fixture.heap);
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    rewind(file);
    size_t length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    (void)fclose(file);
    return broken;
}

/* The words are parts of messages with | between. */
static void patient_expect(struct patient *patient, const char *what, const char *words)
{
    static char said[65536];
    char expected[256];
    size_t broken = patient_check(patient, said, sizeof(said));
    size_t lines = 0;
    for (const char *at = said; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_true(lines > 0);
    assert_int_equal(broken, lines);
    (void)snprintf(expected, sizeof(expected), "%s", words);
    for (char *word = strtok(expected, "|"); word != NULL; word = strtok(NULL, "|")) {
        if (strstr(said, word) == NULL) {
            fail_msg("%s: not \"%s\" but: %s", what, word, said);
        }
    }
}

/* Sets field to value, expects the checker to say so, and puts it back. */
#define EXPECT_FOUND(patient, field, value, words)                                                 \
    do {                                                                                           \
        __typeof__(field) healthy = (field);                                                       \
        (field) = (__typeof__(field))(value);                                                      \
        patient_expect(patient, #field " = " #value, words);                                       \
        (field) = healthy;                                                                         \
        assert_int_equal(heap_check(&(patient)->fixture.heap), 0);                                 \
    } while (0)

static void test_damaged_pools_are_found(void **state)
{
    (void)state;
    struct patient patient;
    patient_open(&patient);
    EXPECT_FOUND(&patient, patient.partial->live, 2, "2 live and | carved blocks");
    EXPECT_FOUND(&patient, patient.full->live, 0,
                 "0 live and 0 free|no free block, but 0 live of|2 pools are empty, 1 listed");
    EXPECT_FOUND(&patient, patient.empty->live, 1,
                 "1 live and|free pool|has 1 live blocks|0 pools are empty, 1 listed|2 pools are "
                 "partly used, 1 in the rings");
    EXPECT_FOUND(&patient, patient.full->free_block, patient.blocks[0],
                 "header or free list is damaged");
    EXPECT_FOUND(&patient, patient.partial->free_block, NULL,
                 "1 live and 0 free|no free block, but 1 live|is in the ring but full or empty|0 "
                 "pools are partly used, 1 in the rings");
    EXPECT_FOUND(
        &patient, patient.partial->size_class, PYMALLOC_CLASS_NONE,
        "header or free list is damaged|is of class 65535|0 pools are partly used, 1 in the rings");
    EXPECT_FOUND(&patient, patient.partial->size_class, patient.partial->size_class - 1,
                 "header or free list is damaged|is of class");
    EXPECT_FOUND(&patient, patient.partial->arena_index, 1, "its arena index is 1");
    EXPECT_FOUND(&patient, patient.partial->offset_next, PYMALLOC_POOL_BYTES + 1,
                 "header or free list is damaged");
    EXPECT_FOUND(&patient, patient.partial->offset_last, 0, "offset_last is 0");
    EXPECT_FOUND(&patient, patient.partial->link.previous, &patient.full->link,
                 "does not link back");
    EXPECT_FOUND(&patient, patient.partial->link.next, &patient.full->link,
                 "does not link back|is in the ring but full or empty|the head does not link "
                 "back|1 pools are partly used, 2 in the rings");
    struct pymalloc_pool stranger = {.live = 1};
    EXPECT_FOUND(&patient, patient.partial->link.next, &stranger.link,
                 "the ring leaves the pools|1 pools are partly used, 0 in the rings");
    EXPECT_FOUND(
        &patient, patient.partial->link.next, &patient.partial->link,
        "does not link back|the ring leaves the pools|1 pools are partly used, 0 in the rings");
    patient_close(&patient);
}

/* A freed block's first word is the next one's address: what a write after free destroys. */
static void test_damaged_free_lists_are_found(void **state)
{
    (void)state;
    struct patient patient;
    patient_open(&patient);
    unsigned char *block = patient.partial->free_block;
    void *next = pymalloc_word_read(block);
    void *const wrong[] = {block,                            /* a cycle */
                           block + 1,                        /* off the grid */
                           patient.blocks[FIXTURE_PER_POOL], /* a live block */
                           patient.blocks[0],                /* another pool's */
                           patient.partial,
                           NULL,
                           (void *)16}; /* the header; cut short; nowhere */
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        pymalloc_word_write(block, wrong[i]);
        assert_true(heap_check(&patient.fixture.heap) != 0);
        pymalloc_word_write(block, next);
    }
    patient_close(&patient);
}

static void test_damaged_arenas_are_found(void **state)
{
    (void)state;
    struct patient patient;
    patient_open(&patient);
    struct pymalloc_heap *heap = &patient.fixture.heap.source;
    struct pymalloc_arena *arena = &heap->arenas[0];
    struct pymalloc_arena *other = &heap->arenas[1];
    assert_ptr_equal(heap->usable_arenas, arena);
    EXPECT_FOUND(&patient, arena->pools_free, arena->pools_free + 1,
                 "arena 0: 2 pools said to be free, 1 listed and 0 not carved");
    EXPECT_FOUND(&patient, other->pools_free, 0,
                 "arena 1: 0 pools said to be free, 0 listed and|arena 1 is listed without free "
                 "pools|arena 1: the usable arenas are out of order|1 arenas are usable, 2 listed");
    EXPECT_FOUND(&patient, arena->pools_total, arena->pools_total + 1,
                 " pools where |0 pools are partly used, 1 in the rings");
    EXPECT_FOUND(&patient, arena->pool_next, arena->pool_next + PYMALLOC_POOL_BYTES,
                 "arena 0: its next pool lies outside|0 pools are partly used, 1 in the rings");
    EXPECT_FOUND(&patient, arena->free_pools, NULL,
                 "arena 0: 1 pools are empty, 0 listed|arena 0: 1 pools said to be free, 0 listed "
                 "and 0 not carved");
    EXPECT_FOUND(&patient, arena->free_pools, &patient.full->link,
                 "arena 0: free pool |live blocks|arena 0: its list of free pools leaves it");
    EXPECT_FOUND(&patient, patient.empty->link.next, &patient.empty->link,
                 "arena 0: its list of free pools leaves it|arena 0: 1 pools are empty");
    struct pymalloc_pool stranger = {.live = 0};
    EXPECT_FOUND(&patient, arena->free_pools, &stranger.link,
                 "arena 0: its list of free pools leaves it");
    EXPECT_FOUND(&patient, arena->pool_next, (unsigned char *)patient.full - 1,
                 "arena 0: its next pool lies outside");
    struct pymalloc_arena nowhere = {.address = arena->address, .pools_free = 1};
    EXPECT_FOUND(&patient, arena->next, &nowhere, "the list of usable arenas leaves them");
    EXPECT_FOUND(&patient, heap->unused_slots->next, (struct pymalloc_arena *)&nowhere,
                 "the list of unused slots leads to a used one");
    EXPECT_FOUND(&patient, heap->unused_slots->next, heap->unused_slots,
                 "the list of unused slots leads to a used one");
    EXPECT_FOUND(&patient, arena->next, NULL, "2 arenas are usable, 1 listed");
    EXPECT_FOUND(&patient, arena->next, arena,
                 "arena 0 does not link back|the list of usable arenas leaves them");
    EXPECT_FOUND(&patient, other->previous, NULL, "arena 1 does not link back");
    EXPECT_FOUND(&patient, heap->usable_arenas, other,
                 "arena 1 does not link back|2 arenas are usable, 1 listed");
    EXPECT_FOUND(&patient, heap->unused_slots, arena,
                 "the list of unused slots leads to a used one");
    EXPECT_FOUND(&patient, heap->unused_slots->next, NULL, "1 unused and 2 used of");
    EXPECT_FOUND(&patient, heap->arenas_live, 1,
                 "the list of usable arenas leaves them|2 arenas in use, 1 counted, 2 mapped less "
                 "0 unmapped");
    EXPECT_FOUND(&patient, heap->arenas_mapped, 3,
                 "2 arenas in use, 2 counted, 3 mapped less 0 unmapped");
    EXPECT_FOUND(&patient, heap->large_bytes, 100, "100 bytes in no large block");
    EXPECT_FOUND(&patient, heap->held_bytes_peak, 0, "more is held than the peak of 0 bytes");
    EXPECT_FOUND(&patient, heap->partial[0].next, &patient.full->link,
                 "class 0: pool|does not link back|is of class|class 0: the ring leaves the pools");
    EXPECT_FOUND(&patient, heap->partial[PYMALLOC_CLASSES - 1].previous, &heap->partial[0],
                 "the head does not link back");
#if PYMALLOC_ORDER == PYMALLOC_ORDER_FINGERS
    EXPECT_FOUND(&patient, heap->fingers[arena->pools_free], NULL,
                 "arena 0: the finger for 1 free pools is wrong");
    EXPECT_FOUND(&patient, heap->fingers[arena->pools_free], other,
                 "arena 0: the finger for 1 free pools is wrong|the finger for 1 free pools points "
                 "at another");
    EXPECT_FOUND(&patient, heap->fingers[arena->pools_free + 1], arena,
                 "the finger for 2 free pools points at another arena");
    EXPECT_FOUND(&patient, heap->fingers[0], arena,
                 "the finger for 0 free pools points at another arena");
#endif
    patient_close(&patient);
}

#if PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX
static void test_damaged_radix_trees_are_found(void **state)
{
    (void)state;
    struct patient patient;
    patient_open(&patient);
    uintptr_t address = patient.fixture.heap.source.arenas[0].address;
    uintptr_t next = address + PYMALLOC_ARENA_BYTES;
    struct pymalloc_radix_middle *middle =
        patient.fixture.heap.source.radix[PYMALLOC_RADIX_TOP(address)];
    struct pymalloc_radix_leaf *leaf = middle->leaves[PYMALLOC_RADIX_MIDDLE(address)];
    struct pymalloc_radix_leaf *after = middle->leaves[PYMALLOC_RADIX_MIDDLE(next)];
    EXPECT_FOUND(&patient, leaf->stretches[PYMALLOC_RADIX_LEAF(address)].tail_high, 0,
                 "arena 0 is not in the radix tree|the radix tree has 1 + 2 entries for 2 arenas, "
                 "2 of them unaligned");
    EXPECT_FOUND(&patient, leaf->stretches[PYMALLOC_RADIX_LEAF(address)].tail_high, 8192,
                 "arena 0 is not in the radix tree");
    EXPECT_FOUND(&patient, after->stretches[PYMALLOC_RADIX_LEAF(next)].tail_low, 0,
                 "arena 0 is not in the radix tree|the radix tree has 2 + 1 entries for 2 arenas, "
                 "2 of them unaligned");
    /* To the byte. */
    int32_t tail = after->stretches[PYMALLOC_RADIX_LEAF(next)].tail_low;
    EXPECT_FOUND(&patient, after->stretches[PYMALLOC_RADIX_LEAF(next)].tail_low, tail - 1,
                 "arena 0 is not in the radix tree");
    size_t stale = (PYMALLOC_RADIX_LEAF(address) + 100) % PYMALLOC_LEAF_SLOTS;
    EXPECT_FOUND(&patient, leaf->stretches[stale].tail_low, 4096,
                 "the radix tree has 2 + 3 entries for 2 arenas, 2 of them unaligned");
    patient_close(&patient);
}
#endif

/* ------------------------------------------------------------------ misuse */
typedef void misuse(struct patient *patient);

/* Commits the misuse in a process of its own and expects it to die of the text. */
static void expect_fatal(misuse *commit, const char *text)
{
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    struct patient patient;
    patient_open(&patient);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(pipe_ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL); /* not cmocka's, nor a sanitizer's */
        commit(&patient);
        _exit(0);
    }
    close(pipe_ends[1]);
    char said[256] = "";
    ssize_t length = 0;
    for (ssize_t got;
         (got = read(pipe_ends[0], said + length, sizeof(said) - 1 - (size_t)length)) > 0;) {
        length += got;
    }
    close(pipe_ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    char expected[256];
    (void)snprintf(expected, sizeof(expected), "heapmill: fatal: %s\n", text);
    assert_string_equal(said, expected);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    patient_close(&patient);
}

static void free_sized_again(struct patient *patient)
{
    heap_free(&patient->fixture.heap, patient->blocks[FIXTURE_PER_POOL + 2], FIXTURE_BLOCK_BYTES,
              HEAP_RAW);
}

static void free_unsized_again(struct patient *patient)
{
    pymalloc_free_unsized(&patient->fixture.heap.source, patient->blocks[FIXTURE_PER_POOL + 2]);
}

static void free_in_an_empty_pool(struct patient *patient)
{
    pymalloc_free_unsized(&patient->fixture.heap.source, patient->blocks[2 * FIXTURE_PER_POOL]);
}

static void resize_after_free(struct patient *patient)
{
    (void)heap_resize(&patient->fixture.heap, patient->blocks[FIXTURE_PER_POOL + 2],
                      FIXTURE_BLOCK_BYTES, 8, HEAP_RAW);
}

static void free_with_a_small_size(struct patient *patient)
{
    heap_free(&patient->fixture.heap, patient->blocks[0], FIXTURE_BLOCK_BYTES / 2, HEAP_RAW);
}

static void free_with_a_large_size(struct patient *patient)
{
    heap_free(&patient->fixture.heap, patient->blocks[0], 100000, HEAP_RAW);
}

static void free_inside_a_block(struct patient *patient)
{
    pymalloc_free_unsized(&patient->fixture.heap.source, (char *)patient->blocks[0] + 16);
}

static void free_a_fresh_block(struct patient *patient)
{
    void *block = fixture_take(&patient->fixture, 16);
    pymalloc_free_unsized(&patient->fixture.heap.source, (char *)block + 64);
}

static void free_a_stranger(struct patient *patient)
{
    heap_free(&patient->fixture.heap, malloc(32), 32, HEAP_RAW);
}

static void free_a_large_block_with_a_larger_size(struct patient *patient)
{
    void *block = fixture_take(&patient->fixture, 100000);
    heap_free(&patient->fixture.heap, block, 200000, HEAP_RAW);
}

static void free_a_large_block_with_a_small_size(struct patient *patient)
{
    void *block = fixture_take(&patient->fixture, 100000);
    heap_free(&patient->fixture.heap, block, PYMALLOC_THRESHOLD, HEAP_RAW);
}

static void free_where_no_pool_is_yet(struct patient *patient)
{
    unsigned char *next = patient->fixture.heap.source.arenas[1].pool_next;
    pymalloc_free_unsized(&patient->fixture.heap.source, next + PYMALLOC_POOL_OVERHEAD);
}

static void free_under_a_damaged_header(struct patient *patient)
{
    patient->full->arena_index = 10000; /* of no arena */
    pymalloc_free_unsized(&patient->fixture.heap.source, patient->blocks[0]);
}

static void test_misuse_is_fatal(void **state)
{
    (void)state;
    expect_fatal(free_sized_again, HEAP_FATAL_DOUBLE_FREE);
    expect_fatal(free_unsized_again, HEAP_FATAL_DOUBLE_FREE);
    expect_fatal(free_in_an_empty_pool, HEAP_FATAL_DOUBLE_FREE);
    expect_fatal(resize_after_free, HEAP_FATAL_DOUBLE_FREE);
    expect_fatal(free_with_a_small_size, HEAP_FATAL_WRONG_SIZE);
    expect_fatal(free_with_a_large_size, HEAP_FATAL_WRONG_SIZE);
    expect_fatal(free_inside_a_block, HEAP_FATAL_NOT_OURS);
    expect_fatal(free_a_fresh_block, HEAP_FATAL_NOT_OURS);
    expect_fatal(free_a_stranger, HEAP_FATAL_NOT_OURS);
    expect_fatal(free_a_large_block_with_a_larger_size, HEAP_FATAL_WRONG_SIZE);
    expect_fatal(free_a_large_block_with_a_small_size, HEAP_FATAL_NOT_OURS);
    expect_fatal(free_where_no_pool_is_yet, HEAP_FATAL_NOT_OURS);
    expect_fatal(free_under_a_damaged_header, HEAP_FATAL_NOT_OURS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged_pools_are_found),
        cmocka_unit_test(test_damaged_free_lists_are_found),
        cmocka_unit_test(test_damaged_arenas_are_found),
#if PYMALLOC_LOOKUP == PYMALLOC_LOOKUP_RADIX
        cmocka_unit_test(test_damaged_radix_trees_are_found),
#endif
        cmocka_unit_test(test_misuse_is_fatal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
