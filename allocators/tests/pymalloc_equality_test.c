/* pymalloc-3.10 (pymalloc-3.7 for CPython 3.9) against the PyObject_Malloc of a libpython: the same
 * operations must give the same addresses, as (ordinal of the arena, offset in it), and the same
 * sequence of arenas mapped and unmapped.
 *
 * Both take their arenas from a region of reserved addresses, the n-th from slot n, with the same
 * shift against the arena's alignment; a slot is never used twice, so that an address less its
 * region's beginning says both ordinal and offset. Each scenario runs in a process of its own,
 * since libpython's state is the process's.
 *
 * Compiled with EQUALITY_MUTANT, pymalloc has a wrong constant, and the test passes if that shows
 * in every scenario: a comparison that cannot fail proves nothing. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocators/backend.h"
#include "allocators/cpython.h"
#include "common/rng.h"

#ifdef EQUALITY_MUTANT
#define EQUALITY_EXPECTED 1
#else
#define EQUALITY_EXPECTED 0
#endif

enum { OPERATIONS = 1000000, CHECK_EVERY = 100000, SIZE_MAX_BYTES = 512 };
/* Room for an arena of 1 MiB and its shift, and for every arena of a scenario. */
#define SLOT_BYTES ((size_t)4 << 20)
#define SLOTS ((size_t)4096)
#define PAGE_BYTES ((size_t)4096)

enum base_kind { BASE_ALIGNED, BASE_ONE_PAGE, BASE_RANDOM_PAGE };

/* ------------------------------------------------------------------ arenas, watched */
struct side {
    const char *name;
    unsigned char *region;
    enum base_kind base_kind;
    struct rng rng; /* of the shifts: equal on both sides */
    size_t mapped;
    size_t unmapped;
    uint64_t events; /* a digest of the sequence of mappings and unmappings */
};

static void side_record(struct side *side, uint64_t event)
{
    side->events = (side->events ^ event) * 0x100000001b3u; /* FNV-1a's step and prime */
}

static void side_open(struct side *side, const char *name, enum base_kind base_kind, uint64_t seed)
{
    *side = (struct side){.name = name, .base_kind = base_kind};
    rng_seed(&side->rng, seed);
    unsigned char *region = mmap(NULL, (SLOTS + 1) * SLOT_BYTES, PROT_NONE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(region, MAP_FAILED);
    side->region = region + (SLOT_BYTES - (uintptr_t)region % SLOT_BYTES);
}

static void *side_map(void *context, size_t size)
{
    struct side *side = context;
    size_t shift = 0;
    if (side->base_kind == BASE_ONE_PAGE) {
        shift = PAGE_BYTES;
    } else if (side->base_kind == BASE_RANDOM_PAGE) {
        shift = rng_below(&side->rng, 256) * PAGE_BYTES;
    }
    if (side->mapped == SLOTS) {
        return NULL;
    }
    unsigned char *address = side->region + side->mapped * SLOT_BYTES + shift;
    side_record(side, 2 * side->mapped);
    side->mapped++;
    return mprotect(address, size, PROT_READ | PROT_WRITE) == 0 ? address : NULL;
}

/* The pages become inaccessible, so that a use after the unmapping is a crash. */
static void side_unmap(void *context, void *address, size_t size)
{
    struct side *side = context;
    size_t ordinal = (size_t)((unsigned char *)address - side->region) / SLOT_BYTES;
    side_record(side, 2 * ordinal + 1);
    side->unmapped++;
    (void)mmap(address, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
               -1, 0);
}

/* ------------------------------------------------------------------ the operations */
/* One stretch of operations of one character. */
struct phase {
    uint64_t operations;
    unsigned grow_percent; /* of alloc against free */
    unsigned size_low;
    unsigned size_high;
    enum { FREE_RANDOM, FREE_NEWEST, FREE_SWEEP } free_order;
};

/* Grows to some 50 MB in some 60 arenas, shrinks to nearly nothing, swings, changes its sizes, and
 * shrinks in orders that empty arenas one after the other and all at once. 10^6 operations. */
static const struct phase phases[] = {
    {170000, 97, 1, 512, FREE_RANDOM},  {180000, 0, 1, 512, FREE_RANDOM},
    {40000, 50, 1, 64, FREE_NEWEST},    {130000, 97, 257, 512, FREE_RANDOM},
    {60000, 50, 1, 512, FREE_RANDOM},   {130000, 1, 1, 512, FREE_SWEEP},
    {40000, 90, 48, 48, FREE_RANDOM},   {50000, 10, 1, 512, FREE_NEWEST},
    {100000, 90, 129, 512, FREE_SWEEP}, {100000, 0, 1, 512, FREE_RANDOM},
};

struct pair {
    void *ours;
    void *theirs;
    uint32_t size;
};

struct comparison {
    struct heap heap;
    struct side ours;
    struct side theirs;
    struct rng rng;
    struct pair *pairs;
    size_t count;
    size_t sweep;
    uint64_t operation;
};

static bool comparison_agrees(const struct comparison *comparison, const struct pair *pair)
{
    ptrdiff_t ours = (unsigned char *)pair->ours - comparison->ours.region;
    ptrdiff_t theirs = (unsigned char *)pair->theirs - comparison->theirs.region;
    bool same_events = comparison->ours.events == comparison->theirs.events &&
                       comparison->ours.mapped == comparison->theirs.mapped &&
                       comparison->ours.unmapped == comparison->theirs.unmapped;
    if (ours == theirs && same_events) {
        return true;
    }
    (void)fprintf(stderr,
                  "operation %llu, size %u: pymalloc (slot %td, offset %td), arenas %zu mapped %zu "
                  "unmapped; libpython (%td, %td), %zu, %zu\n",
                  (unsigned long long)comparison->operation, pair->size,
                  ours / (ptrdiff_t)SLOT_BYTES, ours % (ptrdiff_t)SLOT_BYTES,
                  comparison->ours.mapped, comparison->ours.unmapped,
                  theirs / (ptrdiff_t)SLOT_BYTES, theirs % (ptrdiff_t)SLOT_BYTES,
                  comparison->theirs.mapped, comparison->theirs.unmapped);
    return false;
}

static size_t comparison_choose(struct comparison *comparison, const struct phase *phase)
{
    switch (phase->free_order) {
    case FREE_NEWEST:
        return comparison->count - 1;
    case FREE_SWEEP:
        return comparison->sweep++ % comparison->count;
    default:
        return rng_below(&comparison->rng, comparison->count);
    }
}

static uint32_t comparison_size(struct comparison *comparison, const struct phase *phase)
{
    uint64_t span = phase->size_high - phase->size_low + 1;
    return phase->size_low + (uint32_t)rng_below(&comparison->rng, span);
}

static bool comparison_alloc(struct comparison *comparison, const struct phase *phase)
{
    struct pair *pair = &comparison->pairs[comparison->count++];
    pair->size = comparison_size(comparison, phase);
    pair->ours = heap_alloc(&comparison->heap, pair->size, HEAP_RAW);
    pair->theirs = PyObject_Malloc(pair->size);
    return pair->ours != NULL && comparison_agrees(comparison, pair);
}

/* Sized and unsized frees take turns: they must leave the same heap. */
static bool comparison_free(struct comparison *comparison, const struct phase *phase)
{
    struct pair *chosen = &comparison->pairs[comparison_choose(comparison, phase)];
    struct pair pair = *chosen;
    *chosen = comparison->pairs[--comparison->count];
    if (comparison->operation % 2 == 0) {
        heap_free(&comparison->heap, pair.ours, pair.size, HEAP_RAW);
    } else {
        pymalloc_free_unsized(&comparison->heap.source, pair.ours);
    }
    PyObject_Free(pair.theirs);
    return comparison_agrees(comparison, &pair);
}

static bool comparison_resize(struct comparison *comparison, const struct phase *phase)
{
    struct pair *pair = &comparison->pairs[rng_below(&comparison->rng, comparison->count)];
    uint32_t size = comparison_size(comparison, phase);
    pair->ours = heap_resize(&comparison->heap, pair->ours, pair->size, size, HEAP_RAW);
    pair->theirs = PyObject_Realloc(pair->theirs, size);
    pair->size = size;
    return pair->ours != NULL && comparison_agrees(comparison, pair);
}

static bool comparison_step(struct comparison *comparison, const struct phase *phase)
{
    comparison->operation++;
    if (comparison->operation % CHECK_EVERY == 0 && heap_check(&comparison->heap) != 0) {
        return false;
    }
    uint64_t dice = rng_below(&comparison->rng, 100);
    if (comparison->count == 0 || dice < phase->grow_percent) {
        return comparison_alloc(comparison, phase);
    }
    if (dice % 16 == 0) {
        return comparison_resize(comparison, phase);
    }
    return comparison_free(comparison, phase);
}

static bool comparison_run(struct comparison *comparison)
{
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        for (uint64_t j = 0; j < phases[i].operations; j++) {
            if (!comparison_step(comparison, &phases[i])) {
                return false;
            }
        }
    }
    while (comparison->count > 0) {
        if (!comparison_free(comparison, &phases[0])) {
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------ scenarios */
struct scenario {
    uint64_t seed;
    enum base_kind base_kind;
};

/* In a process of its own: exits with 0 when all was equal, 1 when not. */
static void scenario_child(const struct scenario *scenario)
{
    static struct comparison comparison;
    rng_seed(&comparison.rng, scenario->seed);
    side_open(&comparison.ours, "pymalloc", scenario->base_kind, scenario->seed);
    side_open(&comparison.theirs, "libpython", scenario->base_kind, scenario->seed);
    comparison.pairs = mmap(NULL, OPERATIONS * sizeof(struct pair), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(comparison.pairs, MAP_FAILED);
    struct cpython_heap fresh;
    assert_int_equal(cpython_open(&fresh, NULL, NULL), STATUS_OK);
    PyObjectArenaAllocator arenas = {&comparison.theirs, side_map, side_unmap};
    PyObject_SetArenaAllocator(&arenas);
    struct heap_options options = {
        .os = {.map = side_map, .unmap = side_unmap, .context = &comparison.ours}};
    assert_int_equal(heap_open(&comparison.heap, &options, NULL), STATUS_OK);
    bool equal = comparison_run(&comparison);
    /* The scenario must have been one in which arenas come and go, many of them. */
    if (equal && (comparison.operation != OPERATIONS || comparison.ours.mapped < 80 ||
                  comparison.ours.unmapped < comparison.ours.mapped - 1)) {
        (void)fprintf(stderr, "%zu arenas mapped, %zu unmapped\n", comparison.ours.mapped,
                      comparison.ours.unmapped);
        _exit(2);
    }
    if (equal && heap_check(&comparison.heap) != 0) {
        _exit(3);
    }
    heap_close(&comparison.heap);
    _exit(equal ? 0 : 1);
}

static void scenario_run(const struct scenario *scenario)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        scenario_child(scenario);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EQUALITY_EXPECTED);
}

static void test_bases_aligned_to_pools(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        scenario_run(&(struct scenario){seed, BASE_ALIGNED});
    }
}

static void test_bases_one_page_off(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed <= 12; seed++) {
        scenario_run(&(struct scenario){seed, BASE_ONE_PAGE});
    }
}

static void test_bases_at_any_page(void **state)
{
    (void)state;
    for (uint64_t seed = 21; seed <= 23; seed++) {
        scenario_run(&(struct scenario){seed, BASE_RANDOM_PAGE});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bases_aligned_to_pools),
        cmocka_unit_test(test_bases_one_page_off),
        cmocka_unit_test(test_bases_at_any_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
