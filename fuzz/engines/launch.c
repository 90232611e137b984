#include "fuzz/engines/launch.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/files.h"
#include "fuzz/campaign/deviations.h"
#include "fuzz/palette.h"

/* The time limit of an input, which on a loaded machine with sanitizers is mostly waiting. */
enum { ENGINE_INPUT_TIMEOUT_S = 20, ENGINE_RSS_LIMIT_MB = 2048 };

static const char *const engine_names[FUZZ_ENGINES] = {"random", "libfuzzer", "libfuzzer-nomutator",
                                                       "afl", "afl-nomutator"};

const char *fuzz_engine_name(enum fuzz_engine engine)
{
    return engine_names[engine];
}

enum fuzz_engine fuzz_engine_named(const char *name)
{
    size_t i = 0;
    while (i < FUZZ_ENGINES && strcmp(engine_names[i], name) != 0) {
        i++;
    }
    return (enum fuzz_engine)i;
}

bool fuzz_engine_is_afl(enum fuzz_engine engine)
{
    return engine == FUZZ_ENGINE_AFL || engine == FUZZ_ENGINE_AFL_NOMUTATOR;
}

bool fuzz_engine_is_baseline(enum fuzz_engine engine)
{
    return engine != FUZZ_ENGINE_LIBFUZZER && engine != FUZZ_ENGINE_AFL;
}

/* AFL++ spends some 50 µs on each execution, so long programs cost little. libFuzzer with
 * sanitizers spends time on each operation, and with a custom mutator it does not keep inputs
 * short. */
uint64_t fuzz_engine_operations(enum fuzz_engine engine)
{
    return engine == FUZZ_ENGINE_RANDOM ? 0 : fuzz_engine_is_afl(engine) ? 1024 : 256;
}

char *fuzz_engine_member_name(const struct fuzz_launch *launch)
{
    return text_format("%s-%u", engine_names[launch->engine], launch->index);
}

static void engine_argument(struct crew_job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void engine_argument(struct crew_job *job, const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    text_list_add(&job->arguments, text_format("%s", text));
}

static void engine_setting(struct crew_job *job, const char *name, const char *value)
{
    text_list_add(&job->settings, text_format("%s=%s", name, value));
}

static uint64_t engine_input_bytes(const struct fuzz_launch *launch)
{
    return PALETTE_HEADER_BYTES + PALETTE_OPERATION_BYTES * launch->operations;
}

static void engine_add_extra(const struct fuzz_launch *launch, struct crew_job *job)
{
    for (size_t i = 0; launch->extra != NULL && i < launch->extra->count; i++) {
        engine_argument(job, "%s", launch->extra->items[i]);
    }
}

/* SOURCE/fuzz/dictionaries/TARGET.dict; NULL: there is none. The caller frees. */
static char *engine_dictionary(const struct fuzz_launch *launch)
{
    char *path = text_format("%s/fuzz/dictionaries/%s.dict", launch->catalog->source,
                             launch->program->target);
    if (access(path, R_OK) == 0) {
        return path;
    }
    free(path);
    return NULL;
}

static enum fuzz_tree engine_tree(const struct fuzz_launch *launch)
{
    if (launch->engine == FUZZ_ENGINE_RANDOM) {
        return launch->bare ? FUZZ_TREE_BARE : FUZZ_TREE_ORDINARY;
    }
    /* A sanitizer would replace the library's malloc. */
    bool fast = launch->fast || launch->subject.library[0] != '\0';
    return fuzz_engine_is_afl(launch->engine) ? FUZZ_TREE_AFL
           : fast                             ? FUZZ_TREE_FAST
                                              : FUZZ_TREE_LIBFUZZER;
}

enum status fuzz_engine_check(const struct fuzz_launch *launch, struct error *error)
{
    const char *program;
    return fuzz_catalog_path(launch->program, engine_tree(launch), &program, error);
}

static enum status engine_prepare_random(const struct fuzz_launch *launch, struct crew_job *job,
                                         struct error *error)
{
    const char *program;
    enum status status = fuzz_catalog_path(launch->program, engine_tree(launch), &program, error);
    if (status == STATUS_OK) {
        job->stop_signal = SIGKILL; /* it writes no file that could be torn */
        engine_argument(job, "%s", program);
        engine_argument(job, "--random");
        engine_argument(job, "--seed");
        engine_argument(job, "%" PRIu64, launch->seed);
        engine_argument(job, "--time"); /* the campaign ends it; the default is 1000 inputs */
        engine_argument(job, "1000000");
        if (launch->operations > 0) {
            engine_argument(job, "--operations");
            engine_argument(job, "%" PRIu64, launch->operations);
        }
        engine_argument(job, "--artifacts");
        engine_argument(job, "%s/findings", launch->directory);
        engine_add_extra(launch, job);
    }
    return status;
}

static enum status engine_prepare_libfuzzer(const struct fuzz_launch *launch, struct crew_job *job,
                                            struct error *error)
{
    const char *program;
    enum status status = fuzz_catalog_path(launch->program, engine_tree(launch), &program, error);
    if (status != STATUS_OK) {
        return status;
    }
    job->stop_signal = SIGTERM; /* it prints its figures and exits */
    engine_argument(job, "%s", program);
    engine_argument(job, "-artifact_prefix=%s/findings/", launch->directory);
    /* For libFuzzer 0 means "draw a seed". */
    engine_argument(job, "-seed=%u", (unsigned)(launch->seed % 2147483647) + 1);
    engine_argument(job, "-max_len=%" PRIu64, engine_input_bytes(launch));
    engine_argument(job, "-timeout=%d", ENGINE_INPUT_TIMEOUT_S);
    engine_argument(job, "-rss_limit_mb=%d", ENGINE_RSS_LIMIT_MB);
    engine_argument(job, "-report_slow_units=%d", ENGINE_INPUT_TIMEOUT_S);
    engine_argument(job, "-detect_leaks=0"); /* conservation has its own oracle */
    engine_argument(job, "-print_final_stats=1");
    /* libFuzzer's tables of rare features: with its default of 255 they take a sixth of the
     * time. */
    engine_argument(job, "-entropic_feature_frequency_threshold=20");
    char *dictionary = engine_dictionary(launch);
    if (dictionary != NULL) {
        engine_argument(job, "-dict=%s", dictionary);
    }
    free(dictionary);
    if (launch->engine == FUZZ_ENGINE_LIBFUZZER_NOMUTATOR) {
        engine_setting(job, "HEAPMILL_FUZZ_MUTATOR", "off");
    }
    engine_add_extra(launch, job);
    if (!launch->until_finding) {
        engine_argument(job, "-reload=1");
        engine_argument(job, "%s/corpus", launch->directory);
        char *seeds = fuzz_catalog_seeds(launch->catalog, launch->program->target);
        if (seeds != NULL) {
            engine_argument(job, "%s", seeds);
        }
        free(seeds);
    }
    return STATUS_OK;
}

/* Makes a first input for AFL++, which needs at least one that is not empty: a program of a few
 * equal operations. */
static enum status engine_make_first_input(const struct fuzz_launch *launch, struct error *error)
{
    static const char input[PALETTE_HEADER_BYTES + 16 * PALETTE_OPERATION_BYTES];
    char *directory = text_format("%s/first", launch->directory);
    char *path = text_format("%s/zeros", directory);
    enum status status = file_make_directory(directory, error);
    if (status == STATUS_OK) {
        status = file_write(path, input, sizeof(input), error);
    }
    free(path);
    free(directory);
    return status;
}

static void engine_add_afl_settings(const struct fuzz_launch *launch, struct crew_job *job)
{
    static const char *const always[] = {
        "AFL_NO_UI",
        "AFL_SKIP_CPUFREQ",
        "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES",
        "AFL_TRY_AFFINITY", /* afl-fuzz and its child take turns, which is cheaper on one CPU */
        "AFL_CAL_FAST",
        "AFL_SYNC_TIME", /* in minutes; 1 is the least */
        "AFL_IMPORT_FIRST",
        "AFL_IGNORE_SEED_PROBLEMS",
    };
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
        engine_setting(job, always[i], "1");
    }
    if (launch->until_finding) {
        engine_setting(job, "AFL_BENCH_UNTIL_CRASH", "1");
    }
    char *mutator = launch->engine == FUZZ_ENGINE_AFL
                        ? fuzz_catalog_mutator(launch->catalog, launch->program->target)
                        : NULL;
    if (mutator != NULL) {
        engine_setting(job, "AFL_CUSTOM_MUTATOR_LIBRARY", mutator);
        engine_setting(job, "AFL_CUSTOM_MUTATOR_ONLY", "1");
        engine_setting(job, "AFL_DISABLE_TRIM", "1"); /* it would cut programs anywhere */
    }
    free(mutator);
}

/* The argument of -i: "-" continues with existing inputs; otherwise a trace's programs, the seeds
 * of the source tree, or one input of zeros. */
static char *engine_afl_input(const struct fuzz_launch *launch)
{
    char *seeds =
        launch->until_finding ? NULL : fuzz_catalog_seeds(launch->catalog, launch->program->target);
    struct text_list names = {0};
    if (seeds != NULL) {
        file_list_names(seeds, &names);
    }
    char *input = launch->resumed   ? text_format("-")
                  : launch->seeded  ? text_format("%s/corpus", launch->directory)
                  : names.count > 0 ? text_format("%s", seeds)
                                    : text_format("%s/first", launch->directory);
    text_list_free(&names);
    free(seeds);
    return input;
}

static enum status engine_prepare_afl(const struct fuzz_launch *launch, struct crew_job *job,
                                      struct error *error)
{
    const char *program;
    enum status status = fuzz_catalog_path(launch->program, FUZZ_TREE_AFL, &program, error);
    char *afl = file_find_program("afl-fuzz");
    if (status == STATUS_OK && afl == NULL) {
        status = error_set(error, STATUS_NOT_FOUND,
                           "there is no afl-fuzz: apt-get install afl++, or --engine libfuzzer");
    }
    if (status == STATUS_OK) {
        status = engine_make_first_input(launch, error);
    }
    if (status != STATUS_OK) {
        free(afl);
        return status;
    }
    char *input = engine_afl_input(launch);
    char *name = fuzz_engine_member_name(launch);
    char *dictionary = engine_dictionary(launch);
    job->stop_signal = SIGTERM; /* it then removes its shared memory */
    engine_argument(job, "%s", afl);
    engine_argument(job, "-i");
    engine_argument(job, "%s", input);
    engine_argument(job, "-o");
    engine_argument(job, "%s/afl", launch->directory);
    /* -M processes its queue in order, and -F requires it. */
    engine_argument(job, launch->shared && launch->index == 0 ? "-M" : "-S");
    engine_argument(job, "%s", name);
    if (launch->shared && launch->index == 0) {
        engine_argument(job, "-F");
        engine_argument(job, "%s/corpus", launch->directory);
    }
    engine_argument(job, "-s");
    engine_argument(job, "%u", (unsigned)(launch->seed % 2147483647) + 1);
    /* Prefers inputs whose edges few others have, among them those that reached landmarks. */
    engine_argument(job, "-p");
    engine_argument(job, "rare");
    engine_argument(job, "-G");
    engine_argument(job, "%" PRIu64, engine_input_bytes(launch));
    engine_argument(job, "-t");
    engine_argument(job, "%d", ENGINE_INPUT_TIMEOUT_S * 1000);
    if (dictionary != NULL) {
        engine_argument(job, "-x");
        engine_argument(job, "%s", dictionary);
    }
    engine_add_extra(launch, job);
    engine_argument(job, "--");
    engine_argument(job, "%s", program);
    engine_add_afl_settings(launch, job);
    free(dictionary);
    free(name);
    free(input);
    free(afl);
    return STATUS_OK;
}

static enum status engine_make_directories(const struct fuzz_launch *launch, struct error *error)
{
    static const char *const names[] = {"corpus", "findings", "logs", "counters"};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && status == STATUS_OK; i++) {
        char *path = text_format("%s/%s", launch->directory, names[i]);
        status = file_make_directory(path, error);
        free(path);
    }
    return status;
}

enum status fuzz_engine_prepare(const struct fuzz_launch *launch, struct crew_job *job,
                                struct error *error)
{
    *job = (struct crew_job){.stop_signal = SIGTERM};
    enum status status = engine_make_directories(launch, error);
    if (status != STATUS_OK) {
        return status;
    }
    char *name = fuzz_engine_member_name(launch);
    char *counters = text_format("%s/counters/%s", launch->directory, name);
    (void)unlink(counters); /* a member's counters begin at 0 */
    job->log = text_format("%s/logs/%s.log", launch->directory, name);
    engine_setting(job, "HEAPMILL_FUZZ_COUNTERS", counters);
    /* AFL++ requires the first two settings. Triage looks up function names later. */
    engine_setting(job, "ASAN_OPTIONS", "abort_on_error=1:symbolize=0:detect_leaks=0");
    engine_setting(job, "UBSAN_OPTIONS", "halt_on_error=1:abort_on_error=1:symbolize=0");
    fuzz_subject_add_settings(&launch->subject, &job->settings);
    if (fuzz_program_records(launch->program) && !launch->until_finding) {
        char *table = text_format("%s/deviations", launch->directory);
        char *findings = text_format("%s/findings", launch->directory);
        engine_setting(job, "HEAPMILL_FUZZ_DEVIATIONS", table);
        engine_setting(job, "HEAPMILL_FUZZ_FINDINGS", findings);
        free(findings);
        free(table);
    }
    status = launch->engine == FUZZ_ENGINE_RANDOM ? engine_prepare_random(launch, job, error)
             : fuzz_engine_is_afl(launch->engine) ? engine_prepare_afl(launch, job, error)
                                                  : engine_prepare_libfuzzer(launch, job, error);
    free(counters);
    free(name);
    if (status != STATUS_OK) {
        crew_job_free(job);
    }
    return status;
}
