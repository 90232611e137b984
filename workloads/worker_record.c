#include "workloads/worker_record.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "allocators/backend.h"
#include "common/passes.h"
#include "workloads/calls.h"
#include "workloads/latency.h"

void worker_die_with_parent(pid_t parent)
{
    pid_t before = getppid();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* If the parent died before the request, there is no signal, but there is another parent. */
    pid_t after = getppid();
    if (after != before || (parent != 0 && after != parent)) {
        _exit(128 + SIGKILL);
    }
}

/* The file's name as the dynamic linker knows it, before links are resolved. */
static const char *worker_malloc_file(void)
{
    Dl_info info = {0};
    void *address = dlsym(RTLD_DEFAULT, "malloc");
    if (address == NULL || dladdr(address, &info) == 0 || info.dli_fname == NULL) {
        return "";
    }
    return info.dli_fname;
}

/* Resolves links; buffer has PATH_MAX bytes. A path that cannot be resolved is returned
 * unchanged. */
static const char *worker_resolve(const char *path, char *buffer)
{
    return realpath(path, buffer) == NULL ? path : buffer;
}

const char *worker_malloc_owner(void)
{
    static char resolved[PATH_MAX];
    static const char *owner;
    if (owner == NULL) {
        owner = worker_resolve(worker_malloc_file(), resolved);
    }
    return owner;
}

static const char *worker_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

bool worker_malloc_owner_is(const char *part)
{
    const char *owner = worker_malloc_owner();
    if (strchr(part, '/') != NULL) {
        char resolved[PATH_MAX];
        return strcmp(worker_resolve(part, resolved), owner) == 0;
    }
    return strstr(worker_file_name(owner), part) != NULL ||
           strstr(worker_file_name(worker_malloc_file()), part) != NULL;
}

/* How the back end in force serves several threads: "yes", "single lock" (heapmill's preloaded
 * libraries report it) or "single-threaded". */
static const char *worker_thread_support(void)
{
    if ((HEAP_CAPABILITIES & HEAP_CAN_THREADS) == 0) {
        return "single-threaded";
    }
    const char *support = dlsym(RTLD_DEFAULT, "heapmill_preload_threads");
    return support != NULL ? support : "yes";
}

static int worker_add_library(struct dl_phdr_info *info, size_t size, void *context)
{
    char resolved[PATH_MAX];
    (void)size;
    const char *name = worker_file_name(info->dlpi_name);
    if (strcmp(name, "libc.so.6") == 0) {
        json_add_string(context, name,
                        gnu_get_libc_version()); /* its file's name does not have the version */
    } else if (strchr(info->dlpi_name, '/') != NULL) {
        /* The program itself has no name, and the kernel's vdso has no path. */
        json_add_string(context, name, worker_resolve(info->dlpi_name, resolved));
    }
    return 0;
}

/* Writes the object `libraries`: each loaded library's name → its file, with links resolved (for
 * libc its version). */
static void worker_add_libraries(struct json_writer *writer)
{
    json_open_object(writer, "libraries");
    (void)dl_iterate_phdr(worker_add_library, writer);
    json_close_object(writer);
}

/* The longest line is that of a memory pass: eight columns of at most 2 × SAMPLER_SAMPLES_MAX
 * numbers with at most 20 digits, some 1.2 MB. */
enum { WORKER_TEXT_BYTES = 2 << 20 };

#define WORKER_STRING_(text) #text
#define WORKER_STRING(text) WORKER_STRING_(text)

/* JSON readers hold integers in 64 bits with a sign, so a checksum's highest bit is dropped. */
#define WORKER_CHECKSUM_MASK ((uint64_t)INT64_MAX)

static enum status worker_write_all(int fd, const char *text, size_t length, struct error *error)
{
    while (length > 0) {
        ssize_t written = write(fd, text, length);
        if (written < 0 && errno != EINTR) {
            return error_set(error, STATUS_IO, "cannot write the record: %s", strerror(errno));
        }
        if (written > 0) {
            text += written;
            length -= (size_t)written;
        }
    }
    return STATUS_OK;
}

static void worker_text_begin(struct json_writer *writer, struct scratch *scratch)
{
    json_writer_begin(writer, scratch_take(scratch, WORKER_TEXT_BYTES), WORKER_TEXT_BYTES);
    json_open_object(writer, NULL);
}

static enum status worker_text_end(struct json_writer *writer, struct scratch *scratch, int fd,
                                   struct error *error)
{
    json_close_object(writer);
    size_t length = json_writer_end(writer);
    enum status status = length == 0
                             ? error_set(error, STATUS_INVALID,
                                         "the record is longer than %d bytes", WORKER_TEXT_BYTES)
                             : worker_write_all(fd, writer->buffer, length, error);
    scratch_release(scratch);
    return status;
}

/* ---------------------------------------------------------------- --describe */
static void worker_add_capabilities(struct json_writer *writer)
{
    static const struct {
        unsigned capability;
        const char *word;
    } words[] = {
        {HEAP_CAN_FREE_UNSIZED, "free_unsized"},
        {HEAP_CAN_USABLE_SIZE, "usable_size"},
        {HEAP_CAN_ALIGN, "align"},
        {HEAP_CAN_THREADS, "threads"},
        {HEAP_CAN_STATS, "stats"},
        {HEAP_CAN_WALK, "walk"},
        {HEAP_CAN_CHECK, "check"},
        {HEAP_CAN_DETECT_MISUSE, "detect_misuse"},
        {HEAP_CAN_COEXIST, "coexist"},
        {HEAP_KEEPS_CONTENTS, "keeps_contents"},
        {HEAP_MARKS_SLOW, "marks_slow"},
    };
    json_open_array(writer, "capabilities");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((HEAP_CAPABILITIES & words[i].capability) != 0) {
            json_add_string(writer, NULL, words[i].word);
        }
    }
    json_close_array(writer);
}

static void worker_add_value(struct json_writer *writer, const char *name,
                             const struct workload_parameter *parameter, double value,
                             const char *text)
{
    if (parameter->text != NULL) {
        json_add_string(writer, name, text);
    } else if (parameter->choices != NULL) {
        json_add_string(writer, name, parameter->choices[(int)value]);
    } else {
        json_add_double(writer, name, value);
    }
}

static void worker_add_parameter(struct json_writer *writer,
                                 const struct workload_parameter *parameter)
{
    json_open_object(writer, NULL);
    json_add_string(writer, "name", parameter->name);
    json_add_string(writer, "unit", parameter->unit);
    json_add_string(writer, "summary", parameter->summary);
    worker_add_value(writer, "default", parameter, parameter->value, parameter->text);
    json_add_double(writer, "minimum", parameter->minimum);
    json_add_double(writer, "maximum", parameter->maximum);
    json_open_array(writer, "choices");
    for (int i = 0; parameter->choices != NULL && parameter->choices[i] != NULL; i++) {
        json_add_string(writer, NULL, parameter->choices[i]);
    }
    json_close_array(writer);
    json_close_object(writer);
}

static void worker_add_workload(struct json_writer *writer, const struct workload *workload)
{
    json_open_object(writer, NULL);
    json_add_string(writer, "name", workload->name);
    json_add_string(writer, "kind", workload->kind);
    json_add_string(writer, "family", workload->family);
    json_add_string(writer, "summary", workload->summary);
    json_add_bool(writer, "single_shot", workload->single_shot);
    json_add_bool(writer, "threaded", workload->threaded);
    json_open_array(writer, "parameters");
    for (int i = 0; i < WORKLOAD_PARAMETERS_MAX && workload->parameters[i].name != NULL; i++) {
        worker_add_parameter(writer, &workload->parameters[i]);
    }
    json_close_array(writer);
    json_close_object(writer);
}

static void worker_add_collectors(struct json_writer *writer)
{
    json_open_array(writer, "collectors");
    for (size_t i = 0; gc_policy_table[i] != NULL; i++) {
        json_open_object(writer, NULL);
        json_add_string(writer, "name", gc_policy_name(gc_policy_table[i]));
        json_add_string(writer, "summary", gc_policy_summary(gc_policy_table[i]));
        json_add_bool(writer, "default", gc_policy_table[i] == gc_policy_default());
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void worker_add_build(struct json_writer *writer)
{
    json_add_string(writer, "compiler", HEAPMILL_COMPILER);
    json_add_string(writer, "flags", HEAPMILL_FLAGS);
}

enum status worker_write_description(int fd, struct error *error)
{
    struct scratch scratch = {0};
    struct json_writer writer;
    worker_text_begin(&writer, &scratch);
    json_add_string(&writer, "backend", HEAPMILL_BACKEND_NAME);
    json_add_string(&writer, "arm", HEAPMILL_ARM_NAME);
    json_add_string(&writer, "source", WORKER_STRING(HEAPMILL_SOURCE));
    json_add_string(&writer, "parameters", HEAPMILL_BACKEND_PARAMETERS);
    worker_add_capabilities(&writer);
    json_add_string(&writer, "thread_support", worker_thread_support());
#ifdef HEAPMILL_PROBE
    json_add_bool(&writer, "probe", true);
#else
    json_add_bool(&writer, "probe", false);
#endif
    worker_add_build(&writer);
    json_add_string(&writer, "version", HEAPMILL_VERSION);
    json_add_string(&writer, "malloc_owner", worker_malloc_owner());
    worker_add_collectors(&writer);
    json_open_array(&writer, "workloads");
    for (size_t i = 0; workload_table[i] != NULL; i++) {
        worker_add_workload(&writer, workload_table[i]);
    }
    json_close_array(&writer);
    return worker_text_end(&writer, &scratch, fd, error);
}

/* ---------------------------------------------------------------- --calibrate */
static void worker_add_subject(struct json_writer *writer, const struct cell *cell)
{
    const struct workload_parameter *parameters = cell->workload->parameters;
    json_add_string(writer, "workload", cell->workload->name);
    json_open_object(writer, "params");
    for (int i = 0; i < WORKLOAD_PARAMETERS_MAX && parameters[i].name != NULL; i++) {
        worker_add_value(writer, parameters[i].name, &parameters[i], cell->values[i],
                         cell->texts[i]);
    }
    json_close_object(writer);
}

enum status worker_write_calibration(int fd, const struct cell *cell,
                                     const struct calibration *calibration, struct error *error)
{
    struct scratch scratch = {0};
    struct json_writer writer;
    worker_text_begin(&writer, &scratch);
    worker_add_subject(&writer, cell);
    json_add_u64(&writer, "threads", cell->threads);
    json_add_u64(&writer, "iterations", calibration->iterations);
    json_add_u64(&writer, "warmup_iterations", calibration->warmup_iterations);
    json_add_u64(&writer, "operations", calibration->operations);
    json_add_double(&writer, "cpu_ns_per_op", calibration->cpu_ns_per_op);
    return worker_text_end(&writer, &scratch, fd, error);
}

/* ---------------------------------------------------------------- --cell */
static void worker_add_series(struct json_writer *writer, const struct sampler *sampler,
                              const char *name, enum sampler_column column)
{
    json_open_array(writer, name);
    for (size_t i = 0; i < sampler->count; i++) {
        json_add_u64(writer, NULL, sampler->columns[column][i]);
    }
    json_close_array(writer);
}

static void worker_add_labels(struct json_writer *writer, const struct sampler *sampler)
{
    json_open_array(writer, "labels");
    for (size_t i = 0; i < sampler->label_count; i++) {
        json_open_object(writer, NULL);
        json_add_u64(writer, "at", sampler->labels[i].at);
        json_add_string(writer, "text", sampler->labels[i].text);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void worker_add_fragmentation(struct json_writer *writer,
                                     const struct fragmentation *fragmentation)
{
    json_open_object(writer, "fragmentation");
    json_add_double(writer, "mean", fragmentation->mean);
    json_add_double(writer, "at_live_peak", fragmentation->at_live_peak);
    json_add_double(writer, "at_held_peak", fragmentation->at_held_peak);
    json_add_double(writer, "peak_over_peak", fragmentation->peak_over_peak);
    json_add_i64(writer, "internal_bytes", fragmentation->internal_bytes);
    json_add_i64(writer, "external_bytes", fragmentation->external_bytes);
    json_close_object(writer);
}

static void worker_add_memory(struct json_writer *writer, const struct cell_result *result)
{
    const struct {
        const char *series;
        const char *peak;
        enum sampler_column column;
    } columns[] = {
        {"live_bytes", "live_bytes_peak", SAMPLER_LIVE},
        {"usable_bytes", "usable_bytes_peak", SAMPLER_USABLE},
        {"held_bytes", "held_bytes_peak", sampler_held_column()},
        {"held_smaps_bytes", "held_smaps_bytes_peak", SAMPLER_HELD_SMAPS},
        {"rss_bytes", "rss_bytes_peak", SAMPLER_RSS},
    };
    const size_t column_count = sizeof(columns) / sizeof(columns[0]);
    const struct sampler *sampler = &result->sampler;
    json_open_object(writer, "memory");
    json_add_string(writer, "held_source",
                    sampler_held_column() == SAMPLER_HELD_STATS ? "stats" : "smaps");
    json_open_object(writer, "series");
    worker_add_series(writer, sampler, "operations", SAMPLER_OPERATIONS);
    for (size_t i = 0; i < column_count; i++) {
        worker_add_series(writer, sampler, columns[i].series, columns[i].column);
    }
    json_open_array(writer, "seconds");
    for (size_t i = 0; i < sampler->count; i++) {
        json_add_double(writer, NULL, (double)sampler->columns[SAMPLER_WALL_NS][i] / 1e9);
    }
    json_close_array(writer);
    if (sampler->floating != NULL) {
        worker_add_series(writer, sampler, "uncollected_bytes", SAMPLER_UNCOLLECTED);
    } else {
        json_open_array(writer, "uncollected_bytes");
        json_close_array(writer);
    }
    json_close_object(writer);
    worker_add_labels(writer, sampler);
    for (size_t i = 0; i < column_count; i++) {
        json_add_u64(writer, columns[i].peak,
                     fragmentation_peak(sampler->columns[columns[i].column], sampler->count));
    }
    json_add_u64(writer, "rss_bytes_own", sampler->baseline_rss_bytes);
    json_add_u64(writer, "phases_unlabelled", sampler->phases_unlabelled);
    worker_add_fragmentation(writer, &result->fragmentation);
    json_close_object(writer);
}

static void worker_add_numbers(struct json_writer *writer, const char *name,
                               const uint64_t *numbers, size_t count)
{
    json_open_array(writer, name);
    for (size_t i = 0; i < count; i++) {
        json_add_u64(writer, NULL, numbers[i]);
    }
    json_close_array(writer);
}

static void worker_add_times(struct json_writer *writer, const struct cell_result *result)
{
    json_add_double(writer, "cpu_ns", result->cpu_ns);
    json_add_double(writer, "wall_ns", result->wall_ns);
    json_add_double(writer, "cpu_ns_per_op", result->cpu_ns / (double)result->operations);
    json_add_double(writer, "ns_per_op", runner_ns_per_op(result));
    if (result->threaded) {
        worker_add_numbers(writer, "thread_wall_ns", result->thread_wall_ns, result->threads);
        worker_add_numbers(writer, "thread_cpu_ns", result->thread_cpu_ns, result->threads);
    }
}

static void worker_add_figures(struct json_writer *writer, const struct cell_result *result)
{
    json_open_object(writer, "figures");
    for (size_t i = 0; i < result->figure_count; i++) {
        json_add_double(writer, result->figures[i].name, result->figures[i].value);
    }
    json_close_object(writer);
}

static void worker_add_counters(struct json_writer *writer, const struct cell *cell,
                                const struct cell_result *result)
{
    json_add_u64(writer, "process_rss_bytes_peak", os_memory_rss_peak_bytes());
    json_add_u64(writer, "faults_minor", result->faults.minor);
    json_add_u64(writer, "faults_major", result->faults.major);
    json_add_u64(writer, "switches_voluntary", result->faults.switches_voluntary);
    json_add_u64(writer, "switches_involuntary", result->faults.switches_involuntary);
    collector_measures_write(writer, &result->collector, result->operations);
    if (cell->extra_work >
        0) { /* its results are those of more work: there is no checksum to compare */
        double done = (double)cell_iterations_done(cell);
        json_add_double(writer, "extra_work", 100 * (done / (double)cell->iterations - 1));
        return;
    }
    json_add_u64(writer, "checksum", result->checksum & WORKER_CHECKSUM_MASK);
}

/* Writes what only this pass measures. Instructions are counted from outside. */
static void worker_add_pass(struct json_writer *writer, const struct cell *cell,
                            const struct cell_result *result)
{
    if (cell->pass == CELL_MEMORY) {
        worker_add_memory(writer, result);
        calls_write(writer, &result->calls);
    } else if (cell->pass == CELL_TIME) {
        worker_add_times(writer, result);
    }
#ifdef HEAPMILL_PROBE
    if (cell->pass == CELL_LATENCY) {
        latency_write(writer);
    }
#endif
}

enum status worker_write_record(int fd, const struct cell *cell, const struct cell_result *result,
                                struct error *error)
{
    static const char *const words[] = {"ok", "failed", "not_applicable"};
    struct scratch scratch = {0};
    struct json_writer writer;
    worker_text_begin(&writer, &scratch);
    json_add_string(&writer, "status", words[result->status]);
    json_add_string(&writer, "reason", result->reason.message);
    worker_add_subject(&writer, cell);
    json_add_u64(&writer, "threads", cell->threads);
    json_add_string(&writer, "backend", HEAPMILL_BACKEND_NAME);
    json_add_string(&writer, "arm", HEAPMILL_ARM_NAME);
    json_add_string(&writer, "pass", pass_names[cell->pass]);
    json_add_u64(&writer, "seed", cell->seed);
    json_add_u64(&writer, "iterations", cell->iterations);
    json_add_u64(&writer, "operations", result->operations);
    json_add_u64(&writer, "warmup_iterations", cell->warmup_iterations);
    json_add_u64(&writer, "allocations", result->allocations);
    json_add_u64(&writer, "allocations_expected", result->allocations_expected);
    json_add_u64(&writer, "stray_allocations", result->stray_allocations);
    json_add_string(&writer, "malloc_owner", worker_malloc_owner());
    json_add_string(&writer, "thread_support", worker_thread_support());
    worker_add_build(&writer);
    worker_add_libraries(&writer);
    if (result->status == CELL_OK) {
        worker_add_counters(&writer, cell, result);
        worker_add_figures(&writer, result);
        worker_add_pass(&writer, cell, result);
    }
    return worker_text_end(&writer, &scratch, fd, error);
}
