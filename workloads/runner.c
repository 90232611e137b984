#include "workloads/runner.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "workloads/calls.h"
#include "workloads/wrap.h"

#ifdef HEAPMILL_REFERENCE
static const bool runner_counts_allocations = false;
#else
static const bool runner_counts_allocations = true;
#endif

/* Makes the random numbers of the timed part differ from those of set-up. */
#define RUNNER_TIMED_SEED UINT64_C(0x74696d6564)

void *run_scratch(struct run *run, size_t bytes)
{
    return scratch_take(run->scratch, bytes);
}

void run_fail(struct run *run, const char *text)
{
    const char *none = NULL;
    (void)__atomic_compare_exchange_n(&run->failed, &none, text, false, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED);
}

void run_sample(struct run *run, const char *label)
{
    sampler_mark(run->sampler, run->heap, label);
    if (run->map != NULL) {
        heap_map_mark(run->map, run->heap, label, sampler_operations(run->sampler));
    }
}

static bool runner_conclude(struct runner *runner, enum cell_status status)
{
    runner->result->status = status;
    return false;
}

/* Records why the cell has failed; the first reason stands. */
#define RUNNER_FAIL(runner, ...)                                                                   \
    do {                                                                                           \
        if ((runner)->result->status == CELL_OK) {                                                 \
            (void)error_set(&(runner)->result->reason, STATUS_INVALID, __VA_ARGS__);               \
            (void)runner_conclude((runner), CELL_FAILED);                                          \
        }                                                                                          \
    } while (0)

static void runner_init(struct runner *runner, const struct cell *cell, struct cell_result *result)
{
    *result = (struct cell_result){.status = CELL_OK};
    *runner = (struct runner){.cell = cell, .result = result};
    struct run *run = &runner->run;
    run->workload = cell->workload;
    for (int i = 0; i < WORKLOAD_PARAMETERS_MAX; i++) {
        run->values[i] = cell->values[i];
        run->texts[i] = cell->texts[i];
    }
    run->threads = cell->threads == 0 ? 1 : cell->threads;
    result->threads = run->threads;
    run->seed = cell->seed;
    run->scratch = &runner->scratch;
    run->sampler = &result->sampler;
    run->map = cell->map;
    rng_seed(&run->rng, cell->seed);
}

__attribute__((noinline)) void runner_aside_part(void (*work)(void *context), void *context)
{
    work(context);
    __asm__ volatile(""); /* as in runner_timed_part */
}

void run_aside(struct run *run, void (*work)(void *context), void *context)
{
    uint64_t wall_ns = clock_wall_ns();
    uint64_t cpu_ns = clock_process_cpu_ns();
    runner_aside_part(work, context);
    run->aside_cpu_ns += clock_process_cpu_ns() - cpu_ns;
    run->aside_wall_ns += clock_wall_ns() - wall_ns;
}

static enum status runner_open_heap(struct runner *runner, struct error *error)
{
    struct run *run = &runner->run;
    struct heap_options options = {0};
    if (run->workload->window_bytes != NULL) {
        options.window_bytes = run->workload->window_bytes(run);
    }
    run->heap = run_scratch(run, sizeof(struct heap));
    enum status status = heap_open(run->heap, &options, error);
    if (status != STATUS_OK) {
        run->heap = NULL;
        return status;
    }
    if (strcmp(run->workload->kind, "objects") == 0) {
        const struct gc_policy *policy = runner->cell->collector;
        run->runtime =
            runtime_open_with(run->heap, policy == NULL ? gc_policy_default() : policy, error);
        status = run->runtime == NULL ? error->status : STATUS_OK;
    }
    if (run->runtime != NULL) {
        run->floating = run_scratch(run, sizeof(*run->floating));
        floating_open(run->floating, run->runtime);
        run->sampler->floating = run->floating;
    }
    return status;
}

/* An object layer with threads calls the back end from one at a time where that serves no more. */
static enum status runner_check_threads(const struct run *run, struct error *error)
{
    const bool is_objects = strcmp(run->workload->kind, "objects") == 0;
#ifdef HEAPMILL_REFERENCE
    if (is_objects) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "%s is driven by the main thread alone, and this workload has threads",
                         HEAPMILL_BACKEND_NAME);
    }
#endif
#ifdef GC_THREADS
    const bool has_threads = is_objects;
#else
    const bool has_threads = false;
#endif
    if (run->threads == 1 || has_threads) {
        return STATUS_OK;
    }
    if ((HEAP_CAPABILITIES & HEAP_CAN_THREADS) == 0) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "%s is single-threaded: a heap of it serves one thread at a time, and "
                         "this cell has %u",
                         HEAPMILL_BACKEND_NAME, run->threads);
    }
    if (is_objects) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "the object layer over %s is for one thread: take pools-gil, "
                         "pools-atomic, pools-biased or another of docs/refcounts.md",
                         HEAPMILL_BACKEND_NAME);
    }
    return STATUS_OK;
}

static enum status runner_start_threads(struct runner *runner, struct error *error)
{
    struct run *run = &runner->run;
    if (!run->workload->threaded) {
        return STATUS_OK;
    }
    enum status status = runner_check_threads(run, error);
    if (status != STATUS_OK) {
        return status;
    }
    runner->result->threaded = true;
    return threads_start(run, error);
}

/* Refuses passes that count at the contract, for a reference, whose allocations do not go through
 * it. */
static enum status runner_check_pass(const struct cell *cell, struct error *error)
{
#ifdef HEAPMILL_REFERENCE
    if (cell->pass == CELL_MEMORY || cell->pass == CELL_LATENCY) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "%s has an allocator of its own, whose calls nobody counts",
                         HEAPMILL_BACKEND_NAME);
    }
#endif
    (void)cell;
    (void)error;
    return STATUS_OK;
}

static enum status runner_set_up(struct runner *runner, struct error *error)
{
    const struct cell *cell = runner->cell;
    enum status status = runner_check_pass(cell, error);
    if (status == STATUS_OK) {
        status = runner_start_threads(runner, error);
    }
    if (status == STATUS_OK && cell->pass == CELL_MEMORY) {
        status = sampler_open(&runner->result->sampler, &runner->scratch, cell->samples, error);
    }
    if (status == STATUS_OK && cell->workload->load != NULL) {
        status = cell->workload->load(&runner->run, error);
    }
    if (status == STATUS_OK) {
        status = runner_open_heap(runner, error);
    }
    if (status == STATUS_OK) {
        status = cell->workload->setup(&runner->run, error);
    }
    return status;
}

uint64_t cell_iterations_done(const struct cell *cell)
{
    return cell->iterations + (uint64_t)((double)cell->iterations * cell->extra_work / 100 + 0.5);
}

/* Adds the allocations that the workload expects of its next run(run, iterations). It is called
 * before that, when the generator and the workload's state are as run will find them. */
static void runner_expect(struct runner *runner, uint64_t iterations)
{
    runner->result->allocations_expected +=
        runner->cell->workload->expected_allocations(&runner->run, iterations);
}

/* Starts the timed part's stream and its counters. */
static void runner_arm(struct runner *runner)
{
    const struct cell *cell = runner->cell;
    struct run *run = &runner->run;
    rng_seed(&run->rng, cell->seed ^ RUNNER_TIMED_SEED);
    run->checksum = 0;
    runner->result->operations = cell->workload->operations(run) * cell->iterations;
    if (cell->pass != CELL_MEMORY) {
        runner_expect(runner, cell_iterations_done(cell));
    }
    threads_reset_times(run);
    run->aside_cpu_ns = 0;
    run->aside_wall_ns = 0;
    collector_measures_begin(&runner->result->collector, run);
    runner->stray_before = atomic_load(&wrap_calls);
    runner->allocations_before = heap_allocations;
    os_faults_read(&runner->faults_before);
}

bool runner_prepare(struct runner *runner, const struct cell *cell, struct cell_result *result)
{
    runner_init(runner, cell, result);
    struct run *run = &runner->run;
    enum status status = runner_set_up(runner, &result->reason);
    if (status != STATUS_OK) {
        bool lacking = status == STATUS_UNSUPPORTED;
        threads_stop(run);
        return runner_conclude(runner, lacking ? CELL_NOT_APPLICABLE : CELL_FAILED);
    }
    heap_begin_run(run->heap);
    if (cell->warmup_iterations > 0) {
        cell->workload->run(run, cell->warmup_iterations);
    }
    if (run->failed != NULL) {
        RUNNER_FAIL(runner, "%s, before the timed part", run->failed);
        threads_stop(run);
        return false;
    }
    runner_arm(runner);
    return true;
}

__attribute__((noinline)) void runner_timed_part(struct run *run, uint64_t iterations)
{
    run->workload->run(run, iterations);
    __asm__ volatile(""); /* no tail call: the function must return after the work, not before */
}

void runner_run(struct runner *runner, uint64_t iterations)
{
    struct run *run = &runner->run;
    atomic_store_explicit(&wrap_counting, true, memory_order_relaxed);
    if (run->pool != NULL) {
        run->timed = true;
        run->workload->run(run, iterations);
        run->timed = false;
    } else {
        runner_timed_part(run, iterations);
    }
    atomic_store_explicit(&wrap_counting, false, memory_order_relaxed);
}

/* The number of calls of run into which the memory pass splits the timed part. */
static uint64_t runner_slices(const struct runner *runner)
{
    const struct cell *cell = runner->cell;
    if (cell->workload->operations(&runner->run) >= WORKLOAD_LONG_ITERATION) {
        return 1; /* it marks its own moments */
    }
    /* More slices than samples, so that the sampler can choose moments with its jitter. */
    uint64_t slices = 2 * cell->samples;
    return slices < cell->iterations ? slices : cell->iterations;
}

void runner_run_sampled(struct runner *runner)
{
    const struct cell *cell = runner->cell;
    struct run *run = &runner->run;
    uint64_t slices = runner_slices(runner);
    uint64_t done = 0;
    struct heap_probe calls_before;
    calls_read(&calls_before);
    sampler_start(run->sampler, run->heap,
                  2 * cell->workload->expected_allocations(run, cell->iterations));
    if (run->map != NULL) {
        heap_map_mark(run->map, run->heap, NULL, 0);
    }
    run->sampling = true;
    for (uint64_t slice = 1; slice <= slices && run->failed == NULL; slice++) {
        uint64_t upto =
            cell->iterations / slices * slice + cell->iterations % slices * slice / slices;
        runner_expect(runner, upto - done);
        runner_run(runner, upto - done);
        run_mark(run, NULL);
        done = upto;
    }
    run->sampling = false;
    sampler_stop(run->sampler, run->heap);
    calls_read(&runner->result->calls);
    calls_subtract(&runner->result->calls, &calls_before);
}

static void runner_measure(struct runner *runner)
{
    struct cell_result *result = runner->result;
    const struct os_faults *before = &runner->faults_before;
    struct os_faults after;
    os_faults_read(&after);
    result->allocations = heap_allocations - runner->allocations_before;
    result->stray_allocations = atomic_load(&wrap_calls) - runner->stray_before;
    result->faults.minor = after.minor - before->minor;
    result->faults.major = after.major - before->major;
    result->faults.switches_voluntary = after.switches_voluntary - before->switches_voluntary;
    result->faults.switches_involuntary = after.switches_involuntary - before->switches_involuntary;
    result->checksum = runner->run.checksum;
}

/* Checks what must hold right after the timed part. */
static void runner_check_run(struct runner *runner)
{
    const struct cell_result *result = runner->result;
    if (runner->run.failed != NULL) {
        RUNNER_FAIL(runner, "%s", runner->run.failed);
    }
    if (runner_counts_allocations && result->allocations != result->allocations_expected) {
        RUNNER_FAIL(runner,
                    "the timed part made %" PRIu64 " allocations and its workload expects %" PRIu64,
                    result->allocations, result->allocations_expected);
    }
    if (result->stray_allocations != 0) {
        RUNNER_FAIL(runner,
                    "%" PRIu64 " calls of malloc or its family in the timed part did not come "
                    "through the contract",
                    result->stray_allocations);
    }
}

/* Checks what must hold after everything has been taken down. */
static void runner_check_empty(struct runner *runner)
{
    struct heap_stats stats = {0};
    if ((HEAP_CAPABILITIES & HEAP_CAN_STATS) != 0) {
        heap_stats(runner->run.heap, &stats);
    }
    if (runner_counts_allocations && stats.blocks_live != 0) {
        RUNNER_FAIL(runner, "%zu blocks are still live after the teardown", stats.blocks_live);
    }
#ifdef HEAPMILL_PROBE
    if (heap_probe.live_blocks != 0) {
        RUNNER_FAIL(runner, "%" PRIu64 " blocks were never freed", heap_probe.live_blocks);
    }
#endif
    if (runner->cell->pass == CELL_MEMORY && (HEAP_CAPABILITIES & HEAP_CAN_CHECK) != 0) {
        size_t broken = heap_check(runner->run.heap);
        if (broken != 0) {
            RUNNER_FAIL(runner, "the heap's check found %zu broken invariants", broken);
        }
    }
}

void runner_take_down(struct runner *runner)
{
    struct run *run = &runner->run;
    runner->cell->workload->teardown(run);
    if (run->failed != NULL) {
        RUNNER_FAIL(runner, "%s, in the teardown", run->failed);
    }
    if (run->runtime != NULL) {
        uint64_t leaked = runtime_close(run->runtime);
        if (leaked != 0) {
            RUNNER_FAIL(runner, "%" PRIu64 " objects are still referenced after the teardown",
                        leaked);
        }
    }
    runner_check_empty(runner);
    heap_close(run->heap);
    threads_stop(run);
}

static void runner_measure_threads(struct runner *runner)
{
    struct cell_result *result = runner->result;
    const struct run *run = &runner->run;
    for (unsigned i = 0; run->pool != NULL && i < run->threads; i++) {
        result->thread_wall_ns[i] = threads_wall_ns(run, i);
        result->thread_cpu_ns[i] = threads_cpu_ns(run, i);
    }
    result->figure_count = run->figure_count;
    memcpy(result->figures, run->figures, sizeof(run->figures));
}

double runner_ns_per_op(const struct cell_result *result)
{
    uint64_t longest = 0;
    if (!result->threaded) {
        return result->cpu_ns / (double)result->operations;
    }
    for (unsigned i = 0; i < result->threads; i++) {
        longest = result->thread_wall_ns[i] > longest ? result->thread_wall_ns[i] : longest;
    }
    return (double)longest * result->threads / (double)result->operations;
}

void runner_finish(struct runner *runner)
{
    struct cell_result *result = runner->result;
    runner_measure(runner);
    collector_measures_end(&result->collector, &runner->run);
    runner_measure_threads(runner);
    if (runner->cell->pass == CELL_MEMORY) {
        uint64_t *const *columns = result->sampler.columns;
        const struct fragmentation_series series = {
            .operations = columns[SAMPLER_OPERATIONS],
            .live_bytes = columns[SAMPLER_LIVE],
            .usable_bytes = columns[SAMPLER_USABLE],
            .held_bytes = columns[sampler_held_column()],
            .count = result->sampler.count,
        };
        (void)fragmentation_measure(&series, &result->fragmentation);
    }
    runner_check_run(runner);
    /* After a failed run the teardown could not rely on the workload's state, and the process ends
     * anyway. */
    if (result->status == CELL_OK) {
        runner_take_down(runner);
    }
    threads_stop(&runner->run);
}

void runner_release(struct runner *runner)
{
    scratch_release(&runner->scratch);
}
