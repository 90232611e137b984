/* Runs one cell: opens the heap, sets the workload up, times it, checks it, and takes it down.
 *
 * The order: heap_open, set-up, heap_begin_run, warm-up, the timed part, checks of it, teardown,
 * runtime_close, heap_close. The generator is seeded anew right before the timed part, so that the
 * timed part depends on the seed and not on the warm-up.
 *
 * With HEAPMILL_REFERENCE the runtime is not gc/ but somebody else's, behind the same functions
 * (workloads/references/). Three things differ: its allocations do not come through the contract,
 * so they are not compared with what the workload expects; blocks that are left in the allocator
 * belong to that runtime, whose own count of leaked objects decides; passes that count at the
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

/* All workloads, ending with NULL. The build writes this table. */
extern const struct workload *const workload_table[];

enum cell_pass { CELL_TIME, CELL_MEMORY, CELL_INSTRUCTIONS, CELL_LATENCY, CELL_PASS_COUNT };

struct cell {
    const struct workload *workload;
    double values[WORKLOAD_PARAMETERS_MAX];
    const char *texts[WORKLOAD_PARAMETERS_MAX]; /* borrowed */
    uint64_t iterations;                        /* > 0 */
    uint64_t warmup_iterations;
    /* Additional iterations of the timed part, in per cent, which the record does not count: a
     * known slowdown. Time pass only. */
    double extra_work;
    uint64_t seed;
    enum cell_pass pass;
    uint32_t latency_every;            /* latency pass: one call in this many is timed */
    size_t samples;                    /* memory pass */
    struct heap_map *map;              /* memory pass; NULL: no map */
    unsigned threads;                  /* 0 means 1; workloads without threads have 1 */
    const struct gc_policy *collector; /* NULL: the runtime's default */
};

enum cell_status { CELL_OK, CELL_FAILED, CELL_NOT_APPLICABLE };

struct cell_result {
    enum cell_status status;
    struct error reason; /* its message is empty if the cell is ok */
    double cpu_ns;       /* totals of the timed part; time pass only */
    double wall_ns;
    bool threaded;
    unsigned threads;
    /* For threaded workloads: each thread's own time of the timed part, in ns. */
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
    struct sampler sampler; /* memory pass; its arrays live until runner_release */
    struct fragmentation fragmentation;
    struct heap_probe calls; /* memory pass, of its timed part */
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

/* Does everything before the timed part. false: there is no timed part, and result->status and
 * reason say why. cell and result must outlive the runner. Call runner_release in either case. */
bool runner_prepare(struct runner *runner, const struct cell *cell, struct cell_result *result);

/* The iterations of the timed part, with the additional ones. */
uint64_t cell_iterations_done(const struct cell *cell);

/* Runs the timed part and nothing else, in all passes but the memory pass. */
void runner_run(struct runner *runner, uint64_t iterations);

/* Runs the timed part in slices, with memory samples between and inside them. Memory pass. */
void runner_run_sampled(struct runner *runner);

/* runner_run calls this, and nothing else unless the workload is threaded. It must be a function of
 * this name in the program, because callgrind counts from its entry to its return
 * (--toggle-collect). */
void runner_timed_part(struct run *run, uint64_t iterations);

/* run_aside calls this. It is a function of its own for the same reason. */
void runner_aside_part(void (*work)(void *context), void *context);

/* The time of an operation in ns, in the time pass: CPU time of the process; for a threaded
 * workload, wall time of the slowest thread. */
double runner_ns_per_op(const struct cell_result *result);

/* Does everything after the timed part: counters, checks, teardown. The result is then complete,
 * except for the times. */
void runner_finish(struct runner *runner);

/* Does only the teardown and its checks, for runs whose counters are not needed. A part of
 * runner_finish. */
void runner_take_down(struct runner *runner);

/* Frees the scratch memory, and so the series too. */
void runner_release(struct runner *runner);

#endif
