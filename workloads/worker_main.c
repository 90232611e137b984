/* A worker: every workload over one back end. WORKER.md describes its arguments and answers. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/clock.h"
#include "common/passes.h"
#include "workloads/benchmark_shim.h"
#include "workloads/latency.h"
#include "workloads/runner.h"
#include "workloads/waste.h"
#include "workloads/worker_record.h"

enum worker_mode {
    WORKER_BENCHMARK, /* none of heapmill's modes: google-benchmark's command line */
    WORKER_DESCRIBE,
    WORKER_WASTE,
    WORKER_CALIBRATE,
    WORKER_CELL,
};

struct worker_arguments {
    enum worker_mode mode;
    struct cell cell; /* its workload is NULL if the mode needs none */
    double target_ms;
    const char *expect_malloc; /* borrowed from argv; NULL: any */
    const char *map_file;      /* file for maps of the heap; borrowed from argv; NULL: none */
    struct heap_map map;       /* the moments of the maps */
    int record_fd;
    pid_t parent; /* 0: not given */
};

/* Whole numbers up to this are exact in a double, and in every JSON reader. */
#define WORKER_WHOLE_MAX 9007199254740992.0

enum {
    WORKER_SAMPLES_DEFAULT = 200,
    WORKER_TARGET_MS_DEFAULT = 100,
    WORKER_TARGET_MS_MAX = 600000,
    WORKER_EXTRA_WORK_MAX = 100,
};

/* A list of names for a message, cut at the end of the buffer. */
struct worker_names {
    char text[512];
    size_t length;
};

static void worker_add_name(struct worker_names *names, const char *name)
{
    size_t room = sizeof(names->text) - names->length;
    int wanted =
        snprintf(names->text + names->length, room, "%s%s", names->length == 0 ? "" : ", ", name);
    names->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

/* Sets the workload's parameters to their defaults. */
static void worker_default_values(const struct workload *workload, struct cell *cell)
{
    for (int i = 0; i < WORKLOAD_PARAMETERS_MAX && workload->parameters[i].name != NULL; i++) {
        cell->values[i] = workload->parameters[i].value;
        cell->texts[i] = workload->parameters[i].text;
    }
}

static enum status worker_parse_number(const char *option, const char *text, double minimum,
                                       double maximum, bool whole, double *value,
                                       struct error *error)
{
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(number)) {
        return error_set(error, STATUS_INVALID, "%s: '%s' is not a number (as 1000, 1e3 or 0.5)",
                         option, text);
    }
    if (whole && number != floor(number)) {
        return error_set(error, STATUS_INVALID, "%s: '%s' is not a whole number", option, text);
    }
    if (number < minimum || number > maximum) {
        return error_set(error, STATUS_INVALID, "%s: %s is not between %.10g and %.10g", option,
                         text, minimum, maximum);
    }
    *value = number;
    return STATUS_OK;
}

static enum status worker_parse_count(const char *option, const char *text, uint64_t minimum,
                                      uint64_t maximum, uint64_t *value, struct error *error)
{
    double number = 0;
    enum status status =
        worker_parse_number(option, text, (double)minimum, (double)maximum, true, &number, error);
    *value = (uint64_t)number;
    return status;
}

/* A seed is any 63-bit number, whose lower bits a double would lose. */
static enum status worker_parse_seed(const char *text, uint64_t *seed, struct error *error)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (end == text || *end != '\0' || *text == '-' || errno != 0 || value > INT64_MAX) {
        return error_set(error, STATUS_INVALID,
                         "--seed: '%s' is not a whole number between 0 and 2^63 - 1", text);
    }
    *seed = value;
    return STATUS_OK;
}

static enum status worker_parse_workload(const char *name, struct cell *cell, struct error *error)
{
    struct worker_names names = {.length = 0};
    for (size_t i = 0; workload_table[i] != NULL; i++) {
        if (strcmp(workload_table[i]->name, name) == 0) {
            cell->workload = workload_table[i];
            worker_default_values(cell->workload, cell);
            return STATUS_OK;
        }
        worker_add_name(&names, workload_table[i]->name);
    }
    return error_set(error, STATUS_INVALID, "there is no workload '%s'; known are: %s", name,
                     names.text);
}

static enum status worker_parse_choice(const struct workload_parameter *parameter, const char *text,
                                       double *value, struct error *error)
{
    struct worker_names names = {.length = 0};
    for (int i = 0; parameter->choices[i] != NULL; i++) {
        if (strcmp(parameter->choices[i], text) == 0) {
            *value = i;
            return STATUS_OK;
        }
        worker_add_name(&names, parameter->choices[i]);
    }
    return error_set(error, STATUS_INVALID, "parameter %s: '%s' is none of: %s", parameter->name,
                     text, names.text);
}

/* Parses K=V. */
static enum status worker_parse_parameter(const char *text, struct cell *cell, struct error *error)
{
    struct worker_names names = {.length = 0};
    size_t length = strcspn(text, "=");
    if (text[length] != '=' || length == 0) {
        return error_set(error, STATUS_INVALID, "--param: '%s' is not of the form NAME=VALUE",
                         text);
    }
    const struct workload_parameter *parameters = cell->workload->parameters;
    for (int i = 0; i < WORKLOAD_PARAMETERS_MAX && parameters[i].name != NULL; i++) {
        const struct workload_parameter *parameter = &parameters[i];
        if (strlen(parameter->name) == length && memcmp(parameter->name, text, length) == 0) {
            const char *value = text + length + 1;
            if (parameter->text != NULL) {
                cell->texts[i] = value;
                return STATUS_OK;
            }
            if (parameter->choices != NULL) {
                return worker_parse_choice(parameter, value, &cell->values[i], error);
            }
            return worker_parse_number(parameter->name, value, parameter->minimum,
                                       parameter->maximum, parameter->unit[0] != '\0',
                                       &cell->values[i], error);
        }
        worker_add_name(&names, parameter->name);
    }
    return error_set(error, STATUS_INVALID, "%s has no parameter '%.*s'; known are: %s",
                     cell->workload->name, (int)length, text,
                     names.length == 0 ? "none" : names.text);
}

static enum status worker_parse_pass(const char *text, struct cell *cell, struct error *error)
{
    static_assert((int)PASS_COUNT == (int)CELL_PASS_COUNT, "each pass has a name");
    for (int pass = 0; pass < CELL_PASS_COUNT; pass++) {
        if (strcmp(text, pass_names[pass]) == 0) {
            cell->pass = (enum cell_pass)pass;
            return STATUS_OK;
        }
    }
    return error_set(error, STATUS_INVALID,
                     "--pass: '%s' is none of: time, memory, instructions, latency", text);
}

static enum status worker_parse_fd(const char *text, int *fd, struct error *error)
{
    uint64_t number;
    enum status status = worker_parse_count("--record-fd", text, 0, 1 << 20, &number, error);
    *fd = (int)number;
    if (status == STATUS_OK && fcntl(*fd, F_GETFD) < 0) {
        return error_set(error, STATUS_INVALID, "--record-fd: %d is not an open descriptor", *fd);
    }
    return status;
}

/* Parses one option with its value. */
static enum status worker_parse_option(struct worker_arguments *arguments, const char *option,
                                       const char *value, struct error *error)
{
    struct cell *cell = &arguments->cell;
    const uint64_t many = (uint64_t)WORKER_WHOLE_MAX;
    uint64_t count = 0;
    enum status status = STATUS_OK;
    if (strcmp(option, "--workload") == 0) {
        return STATUS_OK; /* it was read first, since parameters depend on it */
    } else if (strcmp(option, "--param") == 0) {
        status = worker_parse_parameter(value, cell, error);
    } else if (strcmp(option, "--iterations") == 0) {
        status = worker_parse_count(option, value, 1, many, &cell->iterations, error);
    } else if (strcmp(option, "--warmup") == 0) {
        status = worker_parse_count(option, value, 0, many, &cell->warmup_iterations, error);
    } else if (strcmp(option, "--seed") == 0) {
        status = worker_parse_seed(value, &cell->seed, error);
    } else if (strcmp(option, "--pass") == 0) {
        status = worker_parse_pass(value, cell, error);
    } else if (strcmp(option, "--samples") == 0) {
        status = worker_parse_count(option, value, SAMPLER_SAMPLES_MIN, SAMPLER_SAMPLES_MAX, &count,
                                    error);
        cell->samples = (size_t)count;
    } else if (strcmp(option, "--collector") == 0) {
        cell->collector = gc_policy_find(value, error);
        status = cell->collector == NULL ? STATUS_INVALID : STATUS_OK;
    } else if (strcmp(option, "--threads") == 0) {
        status = worker_parse_count(option, value, 1, THREADS_MAX, &count, error);
        cell->threads = (unsigned)count;
    } else if (strcmp(option, "--extra-work") == 0) {
        status = worker_parse_number(option, value, 0, WORKER_EXTRA_WORK_MAX, false,
                                     &cell->extra_work, error);
    } else if (strcmp(option, "--latency-every") == 0) {
        status = worker_parse_count(option, value, 1, LATENCY_EVERY_MAX, &count, error);
        cell->latency_every = (uint32_t)count;
    } else if (strcmp(option, "--target-ms") == 0) {
        status = worker_parse_number(option, value, 1, WORKER_TARGET_MS_MAX, false,
                                     &arguments->target_ms, error);
    } else if (strcmp(option, "--expect-malloc") == 0) {
        arguments->expect_malloc = value;
    } else if (strcmp(option, "--map-at") == 0) {
        status = heap_map_parse(&arguments->map, value, error);
    } else if (strcmp(option, "--map-file") == 0) {
        arguments->map_file = value;
    } else if (strcmp(option, "--record-fd") == 0) {
        status = worker_parse_fd(value, &arguments->record_fd, error);
    } else if (strcmp(option, "--parent") == 0) {
        status = worker_parse_count(option, value, 1, INT32_MAX, &count, error);
        arguments->parent = (pid_t)count;
    } else {
        status = error_set(
            error, STATUS_INVALID,
            "unknown option %s; known are: --workload, --param, --iterations, "
            "--warmup, --threads, --collector, --seed, --pass, --samples, --latency-every, "
            "--extra-work, --target-ms, "
            "--expect-malloc, --map-at, --map-file, --record-fd, --parent",
            option);
    }
    return status;
}

static enum worker_mode worker_mode_of(const char *argument)
{
    if (strcmp(argument, "--describe") == 0) {
        return WORKER_DESCRIBE;
    }
    if (strcmp(argument, "--waste") == 0) {
        return WORKER_WASTE;
    }
    if (strcmp(argument, "--calibrate") == 0) {
        return WORKER_CALIBRATE;
    }
    return strcmp(argument, "--cell") == 0 ? WORKER_CELL : WORKER_BENCHMARK;
}

/* Finds the mode, and the workload whose parameters other options may name. */
static enum status worker_parse_subject(struct worker_arguments *arguments, int argc, char **argv,
                                        struct error *error)
{
    enum status status = STATUS_OK;
    for (int i = 1; i < argc && status == STATUS_OK; i++) {
        if (worker_mode_of(argv[i]) != WORKER_BENCHMARK) {
            arguments->mode = worker_mode_of(argv[i]);
        } else if (strcmp(argv[i], "--workload") == 0 && i + 1 < argc) {
            status = worker_parse_workload(argv[++i], &arguments->cell, error);
        }
    }
    return status;
}

static enum status worker_check_cell(const struct worker_arguments *arguments, struct error *error)
{
    const struct cell *cell = &arguments->cell;
    if (cell->workload == NULL) {
        return error_set(error, STATUS_INVALID, "--workload is missing");
    }
    if (arguments->mode == WORKER_CELL && cell->iterations == 0) {
        return error_set(error, STATUS_INVALID, "--iterations is missing");
    }
    if ((arguments->map_file != NULL) != (arguments->map.moment_count > 0)) {
        return error_set(error, STATUS_INVALID, "--map-at and --map-file need each other");
    }
    if (arguments->map_file != NULL && (HEAP_CAPABILITIES & HEAP_CAN_WALK) == 0) {
        return error_set(error, STATUS_INVALID, "%s cannot be walked: there is no map of it",
                         HEAPMILL_BACKEND_NAME);
    }
    if (cell->workload->single_shot && (cell->iterations > 1 || cell->warmup_iterations > 0)) {
        return error_set(error, STATUS_INVALID,
                         "%s runs once: give it --iterations 1 and no --warmup",
                         cell->workload->name);
    }
    if (cell->extra_work > 0 && (arguments->mode != WORKER_CELL || cell->pass != CELL_TIME)) {
        return error_set(error, STATUS_INVALID, "--extra-work goes with --cell --pass time");
    }
    if (cell->extra_work > 0 && cell_iterations_done(cell) == cell->iterations) {
        return error_set(error, STATUS_INVALID,
                         "--extra-work: %g%% of %" PRIu64 " iterations is less than one of them",
                         cell->extra_work, cell->iterations);
    }
    if (cell->collector != NULL && strcmp(cell->workload->kind, "objects") != 0) {
        return error_set(error, STATUS_INVALID, "%s has no objects: give it no --collector",
                         cell->workload->name);
    }
    if (!cell->workload->threaded && cell->threads > 1) {
        return error_set(error, STATUS_INVALID, "%s has one thread: give it no --threads",
                         cell->workload->name);
    }
#ifdef HEAPMILL_PROBE
    if (cell->pass != CELL_MEMORY && cell->pass != CELL_LATENCY) {
        return error_set(error, STATUS_INVALID,
                         "this worker counts bytes at every call, so its times mean nothing: use "
                         "heapmill-run-%s, or --pass memory or latency",
                         HEAPMILL_BACKEND_NAME);
    }
#else
    if (cell->pass == CELL_MEMORY || cell->pass == CELL_LATENCY) {
        return error_set(error, STATUS_INVALID,
                         "this worker does not count bytes, so that its times are true: use "
                         "heapmill-probe-%s for --pass memory or latency",
                         HEAPMILL_BACKEND_NAME);
    }
#endif
    return STATUS_OK;
}

/* Parses argv. STATUS_INVALID with a message that lists the valid choices. Does not allocate. */
static enum status worker_arguments_parse(struct worker_arguments *arguments, int argc, char **argv,
                                          struct error *error)
{
    *arguments = (struct worker_arguments){
        .mode = WORKER_BENCHMARK,
        .cell = {.samples = WORKER_SAMPLES_DEFAULT,
                 .latency_every = LATENCY_EVERY_DEFAULT,
                 .threads = 1},
        .target_ms = WORKER_TARGET_MS_DEFAULT,
        .record_fd = 1,
    };
    enum status status = worker_parse_subject(arguments, argc, argv, error);
    if (status != STATUS_OK || arguments->mode == WORKER_BENCHMARK) {
        return status;
    }
    for (int i = 1; i < argc && status == STATUS_OK; i++) {
        if (worker_mode_of(argv[i]) != WORKER_BENCHMARK) {
            continue;
        }
        if (i + 1 == argc) {
            return error_set(error, STATUS_INVALID, "%s: unknown, or its value is missing",
                             argv[i]);
        }
        if (strcmp(argv[i], "--param") == 0 && arguments->cell.workload == NULL) {
            return error_set(error, STATUS_INVALID, "--param needs a --workload");
        }
        status = worker_parse_option(arguments, argv[i], argv[i + 1], error);
        i++;
    }
    if (status == STATUS_OK && arguments->mode != WORKER_DESCRIBE &&
        arguments->mode != WORKER_WASTE) {
        status = worker_check_cell(arguments, error);
    }
    return status;
}

enum worker_exit { WORKER_EXIT_OK, WORKER_EXIT_FAILED, WORKER_EXIT_USAGE, WORKER_EXIT_ENVIRONMENT };

/* A calibration ends when a run takes at least this part (1/10) of the target; shorter runs are too
 * inexact. */
enum { WORKER_CALIBRATION_PART = 10 };

/* A cell as the context of google-benchmark's callbacks. */
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
        result->cpu_ns = times.cpu_ns - (double)job->runner.run.aside_cpu_ns;
        result->wall_ns = times.wall_ns - (double)job->runner.run.aside_wall_ns;
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

/* Runs the cell without google-benchmark, whose clocks these passes do not need. */
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
/* Rounds to two significant digits, which are enough for a plan that people read. */
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

/* The CPU time of run(run, iterations) in ns, at least 1. For a threaded workload it is the wall
 * time of the slowest thread, since several threads together spend the target's CPU time sooner. */
static double worker_time_run(struct worker_job *job, uint64_t iterations)
{
    struct run *run = &job->runner.run;
    threads_reset_times(run);
    run->aside_cpu_ns = 0;
    uint64_t start = clock_process_cpu_ns();
    job->cell.workload->run(run, iterations);
    uint64_t spent = job->cell.workload->threaded
                         ? threads_wall_ns_max(run)
                         : clock_process_cpu_ns() - start - run->aside_cpu_ns;
    return spent == 0 ? 1 : (double)spent;
}

/* Runs more and more iterations until they take a part of the target, and computes the rest. */
static void worker_find_iterations(struct worker_job *job, double target_ns,
                                   struct calibration *calibration)
{
    bool once = job->cell.workload->single_shot;
    uint64_t iterations = 1;
    double spent_ns = worker_time_run(job, iterations);
    while (!once && job->runner.run.failed == NULL) {
        double factor = target_ns / WORKER_CALIBRATION_PART / spent_ns;
        bool first = iterations == 1; /* cold, so its time does not count */
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
    /* As long as the last run of the calibration, because nothing better is known about the
     * warm-up. */
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
        worker_default_values(workload_table[i], &jobs[i].cell);
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

/* Is the process's malloc the requested one? Complains if not. */
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
