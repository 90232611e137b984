/* heapmill-leak-BACKEND: runs one planted kind or its clean twin under one detector. See WORKER.md
 * beside this file for arguments and answer. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json_writer.h"
#include "common/os_memory.h"
#include "leaks/planted/leak_detector.h"

enum { LEAK_EXIT_FAILED = 1, LEAK_EXIT_USAGE = 2, LEAK_OUTPUT_BYTES = 32768 };

struct leak_arguments {
    const struct leak_kind *kind;
    const struct leak_detector *detector; /* NULL: none */
    double rate;
    uint64_t number;
    uint64_t seed;
    bool clean;
};

/* Static: the program's memory stays reachable to those who look from outside. */
static struct heap leak_heap;
static struct leak_run leak_run;
static struct leak_answer leak_answer;

static const struct leak_detector *const leak_detectors[] = {
    &leak_detector_ledger, &leak_detector_collector, &leak_detector_growth, NULL};

static int leak_refuse(const char *what, const char *value)
{
    (void)fprintf(stderr,
                  "heapmill-leak-" HEAPMILL_BACKEND_NAME ": %s '%s'; usage: --kind KIND [--rate R] "
                  "[--number N] [--seed S] [--clean] --detector ledger|collector|growth|none, or "
                  "--list\n",
                  what, value);
    return LEAK_EXIT_USAGE;
}

static int leak_list(void)
{
    for (size_t i = 0; leak_kind_table[i] != NULL; i++) {
        const struct leak_kind *kind = leak_kind_table[i];
        (void)printf("%s\t%s\t%s\n", kind->name, kind->only_clean ? "clean" : "planted",
                     kind->summary);
    }
    return 0;
}

static bool leak_find_detector(const char *name, const struct leak_detector **detector)
{
    *detector = NULL;
    for (size_t i = 0; leak_detectors[i] != NULL; i++) {
        if (strcmp(leak_detectors[i]->name, name) == 0) {
            *detector = leak_detectors[i];
            return true;
        }
    }
    return strcmp(name, "none") == 0;
}

static bool leak_read_count(const char *text, uint64_t *value)
{
    char *end;
    *value = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

/* 0: go on. */
static int leak_take_option(struct leak_arguments *arguments, int option, const char *value)
{
    char *end;
    switch (option) {
    case 'k':
        arguments->kind = leak_kind_find(value);
        return arguments->kind == NULL ? leak_refuse("no such kind", value) : 0;
    case 'r':
        arguments->rate = strtod(value, &end);
        return *end != '\0' || !(arguments->rate > 0 && arguments->rate <= 1)
                   ? leak_refuse("the rate is above 0 and at most 1, not", value)
                   : 0;
    case 'n':
        return !leak_read_count(value, &arguments->number) || arguments->number == 0
                   ? leak_refuse("the number is a count from 1, not", value)
                   : 0;
    case 's':
        return leak_read_count(value, &arguments->seed) ? 0 : leak_refuse("no seed:", value);
    case 'd':
        return leak_find_detector(value, &arguments->detector)
                   ? 0
                   : leak_refuse("no such detector", value);
    default:
        arguments->clean = true;
        return 0;
    }
}

/* -1: go on; else the exit status. */
static int leak_parse(struct leak_arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {
        {"kind", required_argument, NULL, 'k'},   {"rate", required_argument, NULL, 'r'},
        {"number", required_argument, NULL, 'n'}, {"seed", required_argument, NULL, 's'},
        {"clean", no_argument, NULL, 'c'},        {"detector", required_argument, NULL, 'd'},
        {"list", no_argument, NULL, 'l'},         {0}};
    bool detector_given = false;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (option == '?' || option == ':') {
            return leak_refuse("not understood, or its value is missing:", argv[optind - 1]);
        }
        if (option == 'l') {
            return leak_list();
        }
        detector_given |= option == 'd';
        int refused = leak_take_option(arguments, option, optarg);
        if (refused != 0) {
            return refused;
        }
    }
    if (optind < argc || arguments->kind == NULL || !detector_given) {
        return leak_refuse("--kind and --detector are needed, nothing else than options;",
                           optind < argc ? argv[optind] : "");
    }
    if (arguments->kind->only_clean && !arguments->clean) {
        return leak_refuse("only the clean twin (--clean) exists of", arguments->kind->name);
    }
    return -1;
}

/* ---------------------------------------------------------------- the run */
static bool leak_open(const struct leak_arguments *arguments, struct error *error)
{
    struct leak_run *run = &leak_run;
    *run = (struct leak_run){
        .rate = arguments->rate, .number = arguments->number, .clean = arguments->clean};
    rng_seed(&run->rng, arguments->seed);
    run->chosen = rng_below(&run->rng, run->number);
    const struct heap_options options = {.window_bytes = 0};
    if (heap_open(&leak_heap, &options, error) != STATUS_OK) {
        return false;
    }
    run->program.heap = &leak_heap;
    run->program.runtime = runtime_open(&leak_heap, error);
    if (run->program.runtime == NULL) {
        return false;
    }
    run->program.globals = list_new(run->program.runtime);
    if (run->program.globals == NULL ||
        (arguments->kind->start != NULL && !arguments->kind->start(run))) {
        error_fill(error, STATUS_NO_MEMORY, "heap exhausted");
        return false;
    }
    return true;
}

static void leak_run_steps(const struct leak_arguments *arguments)
{
    for (size_t step = 0; step < LEAK_STEPS && leak_run.failed == NULL; step++) {
        rng_seed(&leak_run.rng, arguments->seed ^ 0x6c65616b);
        arguments->kind->step(&leak_run);
        if (arguments->detector != NULL && arguments->detector->after_step != NULL) {
            arguments->detector->after_step(&leak_run.program, step);
        }
    }
}

static void leak_write_truth(struct json_writer *writer)
{
    const struct leak_truth *truth = &leak_run.truth;
    json_open_object(writer, "truth");
    json_add_u64(writer, "objects", truth->objects);
    json_add_u64(writer, "blocks", truth->blocks);
    json_add_u64(writer, "bytes", truth->bytes);
    json_open_array(writer, "sites");
    for (size_t i = 0; i < truth->site_count; i++) {
        json_add_string(writer, NULL, truth->sites[i]);
    }
    json_close_array(writer);
    json_close_object(writer);
}

static void leak_write_answer(struct json_writer *writer)
{
    json_open_object(writer, "answer");
    json_open_array(writer, "leaks");
    for (size_t i = 0; i < leak_answer.count; i++) {
        const struct leak_report *report = &leak_answer.leaks[i];
        json_open_object(writer, NULL);
        json_add_string(writer, "site", report->site);
        json_add_string(writer, "type", report->type);
        json_add_u64(writer, "count", report->count);
        json_add_u64(writer, "bytes", report->bytes);
        json_add_string(writer, "chain", report->chain);
        json_close_object(writer);
    }
    json_close_array(writer);
    json_close_object(writer);
}

static bool leak_write(const struct leak_arguments *arguments, double seconds, double report_s)
{
    static char text[LEAK_OUTPUT_BYTES];
    struct json_writer writer;
    json_writer_begin(&writer, text, sizeof(text));
    json_open_object(&writer, NULL);
    json_add_string(&writer, "kind", arguments->kind->name);
    json_add_string(&writer, "backend", HEAPMILL_BACKEND_NAME);
    json_add_bool(&writer, "clean", arguments->clean);
    leak_write_truth(&writer);
    leak_write_answer(&writer);
    json_add_double(&writer, "seconds", seconds);
    json_add_u64(&writer, "peak_rss_bytes", os_memory_rss_peak_bytes());
    json_add_double(&writer, "first_report_s", report_s);
    json_close_object(&writer);
    size_t length = json_writer_end(&writer);
    return length > 0 && write(STDOUT_FILENO, text, length) == (ssize_t)length;
}

int main(int argc, char **argv)
{
    struct leak_arguments arguments = {.rate = 0.05, .number = 2000, .seed = 1};
    int refused = leak_parse(&arguments, argc, argv);
    if (refused >= 0) {
        return refused;
    }
    struct error error = {.message = ""};
    uint64_t begin = clock_process_cpu_ns();
    if (!leak_open(&arguments, &error)) {
        (void)fprintf(stderr, "heapmill-leak-" HEAPMILL_BACKEND_NAME ": %s\n", error.message);
        return LEAK_EXIT_FAILED;
    }
    leak_run_steps(&arguments);
    if (leak_run.failed == NULL && arguments.detector != NULL) {
        arguments.detector->answer(&leak_run.program, &leak_answer);
        leak_run.failed = leak_answer.failed;
    }
    double seconds = (double)(clock_process_cpu_ns() - begin) / 1e9;
    if (leak_run.failed != NULL) {
        (void)fprintf(stderr, "heapmill-leak-" HEAPMILL_BACKEND_NAME ": %s\n", leak_run.failed);
        return LEAK_EXIT_FAILED;
    }
    return leak_write(&arguments, seconds, seconds) ? 0 : LEAK_EXIT_FAILED;
}
