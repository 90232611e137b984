/* pingpong: one block, taken, written to at both ends and given back, over and over.
 *
 * Imitates the temporary of a tight loop, the case that every fast path is made for. One more block
 * of the same size lives all the time, as it would in any program: else each block given back would
 * empty the heap, and what a back end does with an empty heap would be all that is measured (3 us
 * under pymalloc-3.7, which unmaps its arena each time). That is batch's with heap=trim. Leaves out
 * everything else: a working set, a mixture of sizes, cache misses, memory given back. Stresses
 * throughput: this is the least that a back end can cost per operation, and what its binding costs.
 *
 * With type=raw the size is a number that is only known at run time, as for malloc. With the type
 * of an object, its size and type are constants of the loop, as in an object runtime that makes an
 * int: that is what per-type free lists live on. size is then ignored. */
#include "workloads/workload.h"

enum { PINGPONG_SIZE, PINGPONG_TYPE };

static const char *const pingpong_types[] = {"raw", "int", "float", "list", "dict", "tuple", NULL};
enum { PINGPONG_RAW, PINGPONG_INT, PINGPONG_FLOAT, PINGPONG_LIST, PINGPONG_DICT, PINGPONG_TUPLE };

/* A pair, the most common tuple. */
enum { PINGPONG_TUPLE_BYTES = HEAP_TUPLE_BYTES + 2 * sizeof(void *) };

static uint64_t pingpong_operations(const struct run *run)
{
    (void)run;
    return 2;
}

static uint64_t pingpong_expected_allocations(const struct run *run, uint64_t iterations)
{
    (void)run;
    return iterations;
}

static size_t pingpong_window_bytes(const struct run *run)
{
    return 2 * (size_t)run_count(run, PINGPONG_SIZE);
}

/* The size and the type that the parameters give. */
static void pingpong_block(const struct run *run, size_t *size, enum heap_type *type)
{
    static const struct {
        size_t size;
        enum heap_type type;
    } blocks[] = {
        [PINGPONG_INT] = {HEAP_INT_BYTES, HEAP_INT},
        [PINGPONG_FLOAT] = {HEAP_FLOAT_BYTES, HEAP_FLOAT},
        [PINGPONG_LIST] = {HEAP_LIST_BYTES, HEAP_LIST},
        [PINGPONG_DICT] = {HEAP_DICT_BYTES, HEAP_DICT},
        [PINGPONG_TUPLE] = {PINGPONG_TUPLE_BYTES, HEAP_TUPLE},
    };
    uint64_t choice = run_count(run, PINGPONG_TYPE);
    *size = choice == PINGPONG_RAW ? (size_t)run_count(run, PINGPONG_SIZE) : blocks[choice].size;
    *type = choice == PINGPONG_RAW ? HEAP_RAW : blocks[choice].type;
}

/* Allocates the neighbour, a block that always lives. */
static enum status pingpong_setup(struct run *run, struct error *error)
{
    size_t size;
    enum heap_type type;
    pingpong_block(run, &size, &type);
    run->state = heap_alloc(run->heap, size, type);
    if (run->state == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "heap exhausted by the first block");
    }
    run_touch(run->state, size, 1);
    return STATUS_OK;
}

/* Inlined into each case below, so that size and type are constants there. */
static inline __attribute__((always_inline)) void
pingpong_loop(struct run *run, uint64_t iterations, size_t size, enum heap_type type)
{
    struct heap *heap = run->heap;
    uint64_t allocations = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        void *block = heap_alloc_tallied(heap, size, type, &allocations);
        if (__builtin_expect(block == NULL, false)) {
            run_fail(run, "heap exhausted");
            return;
        }
        run_touch(block, size, i);
        heap_free(heap, block, size, type);
    }
    heap_add_tally(allocations);
    run->checksum += iterations * size;
}

static void pingpong_run(struct run *run, uint64_t iterations)
{
    switch ((int)run_count(run, PINGPONG_TYPE)) {
    case PINGPONG_INT:
        pingpong_loop(run, iterations, HEAP_INT_BYTES, HEAP_INT);
        break;
    case PINGPONG_FLOAT:
        pingpong_loop(run, iterations, HEAP_FLOAT_BYTES, HEAP_FLOAT);
        break;
    case PINGPONG_LIST:
        pingpong_loop(run, iterations, HEAP_LIST_BYTES, HEAP_LIST);
        break;
    case PINGPONG_DICT:
        pingpong_loop(run, iterations, HEAP_DICT_BYTES, HEAP_DICT);
        break;
    case PINGPONG_TUPLE:
        pingpong_loop(run, iterations, PINGPONG_TUPLE_BYTES, HEAP_TUPLE);
        break;
    default:
        pingpong_loop(run, iterations, (size_t)run_count(run, PINGPONG_SIZE), HEAP_RAW);
        break;
    }
}

static void pingpong_teardown(struct run *run)
{
    size_t size;
    enum heap_type type;
    pingpong_block(run, &size, &type);
    heap_free(run->heap, run->state, size, type);
}

const struct workload workload_pingpong = {
    .name = "pingpong",
    .kind = "blocks",
    .family = "reuse",
    .summary = "one block taken and given back, over and over",
    .parameters =
        {
            {.name = "size",
             .unit = "bytes",
             .summary = "of the block, where type is raw",
             .value = 48,
             .minimum = 1,
             .maximum = 1 << 30},
            {.name = "type",
             .unit = "",
             .summary = "what the block is for; an object's type fixes its size",
             .choices = pingpong_types,
             .value = PINGPONG_RAW,
             .minimum = PINGPONG_RAW,
             .maximum = PINGPONG_TUPLE},
        },
    .operations = pingpong_operations,
    .expected_allocations = pingpong_expected_allocations,
    .window_bytes = pingpong_window_bytes,
    .setup = pingpong_setup,
    .run = pingpong_run,
    .teardown = pingpong_teardown,
};
