/* Runs one cell: opens the heap, lets the workload set up, times it, checks it, takes it down.
 *
 * The order: heap_open, set-up, heap_begin_run, warm-up, the timed part, checks of it, teardown,
 * runtime_close, heap_close. The generator is seeded anew right before the timed part, so that what
 * the workload does there depends on the seed and not on the warm-up.
 *
 * With HEAPMILL_REFERENCE the runtime is not gc/ but somebody else's behind the same functions
 * (workloads/references/). Three things differ: its allocations do not come through the contract,
 * so they are not held against what the workload expects; blocks that are left in the allocator
 * belong to that runtime, whose own count of leaked objects decides; the passes that count at the
 * contract are not applicable.
 *
 * Main thread only. Nothing here allocates from malloc. */
#ifndef HEAPMILL_WORKLOADS_RUNNER_H
#define HEAPMILL_WORKLOADS_RUNNER_H

#include "common/os_memory.h"
#include "workloads/collector_measures.h"
#include "workloads/fragmentation.h"
#include "workloads/heap_map.h"
#include "workloads/sampler.h"
#include "workloads/scratch.h"
#include "workloads/threads.h"
#include "workloads/workload.h"

/* All workloads, NULL at the end. The build writes it. */
extern const struct workload *const workload_table[];

enum cell_pass { CELL_TIME, CELL_MEMORY, CELL_INSTRUCTIONS, CELL_LATENCY, CELL_PASS_COUNT };

struct cell {
    const struct workload *workload;
    double values[WORKLOAD_PARAMETERS_MAX];
    const char *texts[WORKLOAD_PARAMETERS_MAX]; /* borrowed */
    uint64_t iterations;                        /* > 0 */
    uint64_t warmup_iterations;
    /* Per cent of the iterations that the timed part does besides, without saying so: a slowdown
     * that is known. Time pass only. */
    double extra_work;
    uint64_t seed;
    enum cell_pass pass;
    uint32_t latency_every;            /* of the latency pass: one call in so many is timed */
    size_t samples;                    /* of the memory pass */
    struct heap_map *map;              /* of the memory pass; NULL: none */
    unsigned threads;                  /* 0 means 1, as for every workload that is not threaded */
    const struct gc_policy *collector; /* NULL: the runtime's default */
};

enum cell_status { CELL_OK, CELL_FAILED, CELL_NOT_APPLICABLE };

struct cell_result {
    enum cell_status status;
    struct error reason; /* its message; empty when ok */
    double cpu_ns;       /* totals of the timed part; of the time pass only */
    double wall_ns;
    bool threaded;
    unsigned threads;
    /* Each thread's own times of the timed part, in ns, where the workload is threaded. */
    uint64_t thread_wall_ns[THREADS_MAX];
    uint64_t thread_cpu_ns[THREADS_MAX];
    struct run_figure figures[RUN_FIGURES_MAX];
    size_t figure_count;
    uint64_t operations; /* of the timed part */
    uint64_t allocations;
    uint64_t allocations_expected;
    uint64_t stray_allocations;
    uint64_t checksum;
    struct os_faults faults; /* of the timed part */
    struct collector_measures collector;
    struct sampler sampler; /* of the memory pass; its arrays live until runner_release */
    struct fragmentation fragmentation;
    struct heap_probe calls; /* of the memory pass, of its timed part */
};

struct runner {
    const struct cell *cell;
    struct cell_result *result; /* the caller's */
    struct run run;
    struct scratch scratch;
    struct os_faults faults_before;
    uint64_t allocations_before;
    uint64_t stray_before;
};

/* Everything before the timed part. False: result->status and reason say why there is none. cell
 * and result must outlive the runner. Call runner_release in either case. */
bool runner_prepare(struct runner *runner, const struct cell *cell, struct cell_result *result);

/* Iterations of the timed part, the extra ones among them. */
uint64_t cell_iterations_done(const struct cell *cell);

/* The timed part, and nothing else. All passes but the memory pass. */
void runner_run(struct runner *runner, uint64_t iterations);

/* The same in slices, with samples of memory between and inside them. Memory pass. */
void runner_run_sampled(struct runner *runner);

/* What runner_run calls, and nothing besides, unless the workload is threaded. A function of its
 * own, with this very name in the program: callgrind counts from its entry to its return
 * (--toggle-collect). */
void runner_timed_part(struct run *run, uint64_t iterations);

/* What run_aside calls: a function of its own for the same reason. */
void runner_aside_part(void (*work)(void *context), void *context);

/* What an operation takes, in ns, of the time pass: CPU time of the process; where the workload is
 * threaded, a thread's wall time, the longest of them. */
double runner_ns_per_op(const struct cell_result *result);

/* Everything after the timed part: counters, checks, teardown. The result is complete, but for the
 * times. */
void runner_finish(struct runner *runner);

/* The teardown and its checks alone: for a run whose counters nobody asks for. Part of
 * runner_finish. */
void runner_take_down(struct runner *runner);

/* Gives the scratch memory back: the series too. */
void runner_release(struct runner *runner);

#endif
