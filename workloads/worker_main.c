/* A worker: every workload over one back end. What it is told and what it answers is in WORKER.md.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "workloads/benchmark_shim.h"
#include "workloads/latency.h"
#include "workloads/waste.h"
#include "workloads/worker_arguments.h"
#include "workloads/worker_record.h"

enum worker_exit { WORKER_EXIT_OK, WORKER_EXIT_FAILED, WORKER_EXIT_USAGE, WORKER_EXIT_ENVIRONMENT };

/* A calibration ends when a run took this part of the target: shorter ones say too little. */
enum { WORKER_CALIBRATION_PART = 10 };

/* A cell as google-benchmark's callbacks see it. */
struct worker_job {
    struct cell cell;
    struct cell_result result;
    struct runner runner;
};

static enum worker_exit worker_complain(enum worker_exit status, const char *message)
{
    (void)fprintf(stderr, "heapmill-run-%s: %s\n", HEAPMILL_BACKEND_NAME, message);
    return status;
}

/* ---------------------------------------------------------------- callbacks of the shim */
static const char *worker_before(void *context, uint64_t iterations)
{
    struct worker_job *job = context;
    job->cell.iterations = iterations;
    if (runner_prepare(&job->runner, &job->cell, &job->result)) {
        return NULL;
    }
    runner_release(&job->runner);
    return job->result.reason.message;
}

static void worker_timed(void *context, uint64_t iterations)
{
    struct worker_job *job = context;
    runner_run(&job->runner,
               job->cell.extra_work > 0 ? cell_iterations_done(&job->cell) : iterations);
}

static uint64_t worker_operations(void *context)
{
    const struct worker_job *job = context;
    return job->cell.workload->operations(&job->runner.run);
}

static const char *worker_after(void *context)
{
    struct worker_job *job = context;
    runner_finish(&job->runner);
    runner_release(&job->runner);
    return job->result.status == CELL_OK ? NULL : job->result.reason.message;
}

static struct shim_benchmark worker_benchmark(struct worker_job *job)
{
    return (struct shim_benchmark){
        .name = job->cell.workload->name,
        .context = job,
        .before = worker_before,
        .timed = worker_timed,
        .after = worker_after,
        .operations = worker_operations,
        .single_shot = job->cell.workload->single_shot,
    };
}

/* ---------------------------------------------------------------- --cell */
static void worker_run_timed(struct worker_job *job)
{
    struct cell_result *result = &job->result;
    const struct shim_benchmark benchmark = worker_benchmark(job);
    struct shim_times times;
    if (shim_time(&benchmark, job->cell.iterations, &times)) {
        result->cpu_ns = times.cpu_ns;
        result->wall_ns = times.wall_ns;
    } else if (result->status == CELL_OK) {
        result->status = CELL_FAILED;
        (void)error_set(&result->reason, STATUS_UNSUPPORTED,
                        "google-benchmark did not run the cell exactly once");
    }
}

static void worker_run_sampled(struct worker_job *job)
{
    if (runner_prepare(&job->runner, &job->cell, &job->result)) {
        runner_run_sampled(&job->runner);
        runner_finish(&job->runner);
    }
}

/* Without google-benchmark, whose clocks have no part in these passes. */
static void worker_run_bare(struct worker_job *job)
{
#ifdef HEAPMILL_PROBE
    latency_open(job->cell.latency_every, job->cell.seed);
#endif
    if (runner_prepare(&job->runner, &job->cell, &job->result)) {
#ifdef HEAPMILL_PROBE
        latency_start();
        runner_run(&job->runner, job->cell.iterations);
        latency_stop();
#else
        runner_run(&job->runner, job->cell.iterations);
#endif
        runner_finish(&job->runner);
    }
}

static enum worker_exit worker_cell(const struct worker_arguments *arguments)
{
    static struct worker_job job;
    struct error error;
    job.cell = arguments->cell;
    struct heap_map map = arguments->map;
    if (arguments->map_file != NULL) {
        map.fd = open(arguments->map_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (map.fd < 0) {
            return worker_complain(WORKER_EXIT_ENVIRONMENT, "cannot write the file of --map-file");
        }
        job.cell.map = &map;
    }
    switch (job.cell.pass) {
    case CELL_TIME:
        worker_run_timed(&job);
        break;
    case CELL_MEMORY:
        worker_run_sampled(&job);
        break;
    default:
        worker_run_bare(&job);
    }
    if (worker_write_record(arguments->record_fd, &job.cell, &job.result, &error) != STATUS_OK) {
        return worker_complain(WORKER_EXIT_ENVIRONMENT, error.message);
    }
    if (map.failed) {
        return worker_complain(WORKER_EXIT_ENVIRONMENT, "the file of --map-file is not whole");
    }
    return job.result.status == CELL_FAILED ? WORKER_EXIT_FAILED : WORKER_EXIT_OK;
}

/* ---------------------------------------------------------------- --calibrate */
/* Two significant digits: a plan that people read has no need for more. */
static uint64_t worker_round(double iterations)
{
    uint64_t scale = 1;
    while (iterations >= 100) {
        iterations /= 10;
        scale *= 10;
    }
    uint64_t rounded = (uint64_t)(iterations + 0.5) * scale;
    return rounded == 0 ? 1 : rounded;
}

/* CPU time of run(run, iterations) in ns, 1 at least; of a threaded workload the wall time of the
 * slowest thread, as several together spend the target's CPU time sooner. */
static double worker_time_run(struct worker_job *job, uint64_t iterations)
{
    struct run *run = &job->runner.run;
    threads_reset_times(run);
    uint64_t start = clock_process_cpu_ns();
    job->cell.workload->run(run, iterations);
    uint64_t spent =
        job->cell.workload->threaded ? threads_wall_ns_max(run) : clock_process_cpu_ns() - start;
    return spent == 0 ? 1 : (double)spent;
}

/* Runs ever more iterations until they take a part of the target, and works out the rest. */
static void worker_find_iterations(struct worker_job *job, double target_ns,
                                   struct calibration *calibration)
{
    bool once = job->cell.workload->single_shot;
    uint64_t iterations = 1;
    double spent_ns = worker_time_run(job, iterations);
    while (!once && job->runner.run.failed == NULL) {
        double factor = target_ns / WORKER_CALIBRATION_PART / spent_ns;
        bool first = iterations == 1; /* cold: its time does not count */
        if (factor <= 1 && !first) {
            break;
        }
        factor = factor < 1.5 ? 1.5 : factor;
        iterations = (uint64_t)((double)iterations * (factor > 10 ? 10 : factor)) + 1;
        spent_ns = worker_time_run(job, iterations);
    }
    double operations = (double)calibration->operations * (double)iterations;
    calibration->cpu_ns_per_op = spent_ns / operations;
    calibration->iterations = once ? 1 : worker_round((double)iterations * target_ns / spent_ns);
    /* As long as the calibration's last run: what it takes to be warm is not known any better. */
    calibration->warmup_iterations =
        once ? 0 : worker_round((double)calibration->iterations / WORKER_CALIBRATION_PART);
}

static enum worker_exit worker_calibrate(const struct worker_arguments *arguments)
{
    static struct worker_job job;
    struct calibration calibration = {0};
    struct error error;
    job.cell = arguments->cell;
    job.cell.iterations = 1;
    job.cell.warmup_iterations = 0;
    if (!runner_prepare(&job.runner, &job.cell, &job.result)) {
        return worker_complain(WORKER_EXIT_FAILED, job.result.reason.message);
    }
    calibration.operations = job.cell.workload->operations(&job.runner.run);
    worker_find_iterations(&job, arguments->target_ms * 1e6, &calibration);
    if (job.runner.run.failed != NULL) {
        return worker_complain(WORKER_EXIT_FAILED, job.runner.run.failed);
    }
    runner_take_down(&job.runner);
    if (job.result.status != CELL_OK) {
        return worker_complain(WORKER_EXIT_FAILED, job.result.reason.message);
    }
    if (worker_write_calibration(arguments->record_fd, &job.cell, &calibration, &error) !=
        STATUS_OK) {
        return worker_complain(WORKER_EXIT_ENVIRONMENT, error.message);
    }
    return WORKER_EXIT_OK;
}

/* ---------------------------------------------------------------- the ordinary google-benchmark */
static void worker_help(void)
{
    (void)printf("heapmill-run-%s: workloads over the back end %s, arm %s (heapmill %s).\n"
                 "  --describe | --calibrate | --cell ...   for the heapmill program: WORKER.md\n"
                 "or google-benchmark's flags; each workload has its default parameters:\n",
                 HEAPMILL_BACKEND_NAME, HEAPMILL_BACKEND_NAME, HEAPMILL_ARM_NAME, HEAPMILL_VERSION);
}

static enum worker_exit worker_benchmarks(int argc, char **argv)
{
    struct scratch scratch = {0};
    size_t count = 0;
    while (workload_table[count] != NULL) {
        count++;
    }
    struct worker_job *jobs = scratch_take(&scratch, count * sizeof(*jobs));
    struct shim_benchmark *benchmarks = scratch_take(&scratch, count * sizeof(*benchmarks));
    for (size_t i = 0; i < count; i++) {
        jobs[i].cell.workload = workload_table[i];
        jobs[i].cell.threads = 1;
        worker_default_values(workload_table[i], jobs[i].cell.values);
        benchmarks[i] = worker_benchmark(&jobs[i]);
    }
    int status = shim_main(argc, argv, benchmarks, count, worker_help);
    scratch_release(&scratch);
    return status == 0 ? WORKER_EXIT_OK : WORKER_EXIT_USAGE;
}

static enum worker_exit worker_describe(const struct worker_arguments *arguments)
{
    struct error error;
    if (worker_write_description(arguments->record_fd, &error) != STATUS_OK) {
        return worker_complain(WORKER_EXIT_ENVIRONMENT, error.message);
    }
    return WORKER_EXIT_OK;
}

static enum worker_exit worker_waste(const struct worker_arguments *arguments)
{
    struct error error;
    enum status status = waste_write(arguments->record_fd, &error);
    if (status == STATUS_OK) {
        return WORKER_EXIT_OK;
    }
    return worker_complain(
        status == STATUS_UNSUPPORTED ? WORKER_EXIT_FAILED : WORKER_EXIT_ENVIRONMENT, error.message);
}

/* Is the malloc in force the one that was asked for? Complains if not. */
static bool worker_has_malloc(const struct worker_arguments *arguments)
{
    const char *expected = arguments->expect_malloc;
    if (expected == NULL || worker_malloc_owner_is(expected)) {
        return true;
    }
    struct error error;
    (void)error_set(&error, STATUS_UNSUPPORTED,
                    "malloc was expected in %s and lives in %s: nothing was measured; preload a "
                    "library that defines malloc",
                    expected, worker_malloc_owner());
    (void)worker_complain(WORKER_EXIT_ENVIRONMENT, error.message);
    return false;
}

int main(int argc, char **argv)
{
    struct worker_arguments arguments;
    struct error error;
    if (worker_arguments_parse(&arguments, argc, argv, &error) != STATUS_OK) {
        return (int)worker_complain(WORKER_EXIT_USAGE, error.message);
    }
    if (arguments.mode == WORKER_BENCHMARK) {
        return (int)worker_benchmarks(argc, argv);
    }
    worker_die_with_parent(arguments.parent);
    if (!worker_has_malloc(&arguments)) {
        return WORKER_EXIT_ENVIRONMENT;
    }
    switch (arguments.mode) {
    case WORKER_DESCRIBE:
        return (int)worker_describe(&arguments);
    case WORKER_WASTE:
        return (int)worker_waste(&arguments);
    case WORKER_CALIBRATE:
        return (int)worker_calibrate(&arguments);
    default:
        return (int)worker_cell(&arguments);
    }
}
