/* What the rule-breaking workloads share: an honest loop of blocks of 32 bytes. Each of them
 * overrides what it breaks. */
#ifndef HEAPMILL_WORKLOADS_TESTS_BROKEN_BROKEN_H
#define HEAPMILL_WORKLOADS_TESTS_BROKEN_BROKEN_H

#include "workloads/workload.h"

enum { BROKEN_BYTES = 32 };

static inline uint64_t broken_operations(const struct run *run)
{
    (void)run;
    return 2;
}

static inline uint64_t broken_expected(const struct run *run, uint64_t iterations)
{
    (void)run;
    return iterations;
}

static inline enum status broken_set_up(struct run *run, struct error *error)
{
    (void)run;
    (void)error;
    return STATUS_OK;
}

static inline void broken_tear_down(struct run *run)
{
    (void)run;
}

static inline void broken_pair(struct run *run, uint64_t value)
{
    void *block = heap_alloc(run->heap, BROKEN_BYTES, HEAP_RAW);
    run_touch(block, BROKEN_BYTES, value);
    heap_free(run->heap, block, BROKEN_BYTES, HEAP_RAW);
}

static inline void broken_loop(struct run *run, uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        broken_pair(run, i);
    }
}

#define BROKEN_WORKLOAD(title, set_up, loop, expected)                                             \
    {                                                                                              \
        .name = title, .kind = "blocks", .family = "broken", .summary = "breaks a rule",           \
        .operations = broken_operations, .setup = set_up, .run = loop,                             \
        .expected_allocations = expected, .teardown = broken_tear_down                             \
    }

#endif
