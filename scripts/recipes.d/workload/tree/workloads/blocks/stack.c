/* stack: blocks are taken one upon the other, and given back in the opposite order.
 *
 * Imitates the temporaries of a recursive program. Leaves out everything else: a mixture of sizes,
 * blocks that outlive their caller. Stresses throughput where the block that was given back last is
 * wanted first. */
#include "workloads/workload.h"

enum { STACK_SIZE, STACK_DEPTH };

static uint64_t stack_operations(const struct run *run)
{
    return 2 * run_count(run, STACK_DEPTH);
}

static uint64_t stack_expected_allocations(const struct run *run, uint64_t iterations)
{
    return iterations * run_count(run, STACK_DEPTH);
}

static size_t stack_window_bytes(const struct run *run)
{
    return (size_t)(run_count(run, STACK_SIZE) * run_count(run, STACK_DEPTH));
}

static enum status stack_setup(struct run *run, struct error *error)
{
    (void)error;
    run->state = run_scratch(run, (size_t)run_count(run, STACK_DEPTH) * sizeof(void *));
    return STATUS_OK;
}

static void stack_run(struct run *run, uint64_t iterations)
{
    size_t size = (size_t)run_count(run, STACK_SIZE);
    size_t depth = (size_t)run_count(run, STACK_DEPTH);
    void **blocks = run->state;
    for (uint64_t i = 0; i < iterations; i++) {
        size_t taken = 0;
        for (; taken < depth; taken++) {
            blocks[taken] = heap_alloc(run->heap, size, HEAP_RAW);
            if (blocks[taken] == NULL) {
                run_fail(run, "heap exhausted");
                break;
            }
            run_touch(blocks[taken], size, i + taken);
        }
        while (taken > 0) {
            heap_free(run->heap, blocks[--taken], size, HEAP_RAW);
        }
        run->checksum += i;
        run_mark(run, NULL);
    }
}

static void stack_teardown(struct run *run)
{
    (void)run; /* an iteration ends with nothing taken */
}

const struct workload workload_stack = {
    .name = "stack",
    .kind = "blocks",
    .family = "reuse",
    .summary = "blocks taken one upon the other, and given back in the opposite order",
    .parameters =
        {
            {.name = "size",
             .unit = "bytes",
             .summary = "of a block",
             .value = 64,
             .minimum = 1,
             .maximum = 1 << 20},
            {.name = "live",
             .unit = "blocks",
             .summary = "how many are upon each other",
             .value = 100,
             .minimum = 1,
             .maximum = 1e6},
        },
    .operations = stack_operations,
    .expected_allocations = stack_expected_allocations,
    .window_bytes = stack_window_bytes,
    .setup = stack_setup,
    .run = stack_run,
    .teardown = stack_teardown,
};
