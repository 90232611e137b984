/* heapmill fuzz run: a campaign. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "fuzz/campaign/deviations.h"
#include "fuzz/campaign/grid.h"
#include "fuzz/campaign/library.h"
#include "fuzz/campaign/session.h"
#include "fuzz/campaign/status_line.h"

/* Strings are argv's. */
struct run_arguments {
    const char *target;
    const char *backend; /* NULL: the default; a path: a library */
    const char *bug;
    const char *engine;
    const char *output;
    char *chosen_output; /* what output is where the user said nothing; owned */
    double time_s;
    uint64_t jobs;
    uint64_t operations; /* 0: each engine's own */
    uint64_t seed;
    uint64_t disk_bytes_max;
    uint64_t findings_max;
    const char *skip;
    const char *only;
    const char *profile;
    const char *trace;
    const char *host;
    struct text_list sbatch;
    uint64_t task;
    bool is_task;
    bool strict;
    bool fast;
    bool resume;
    bool json;
    bool chosen;             /* an option was given that a resumed campaign has fixed already */
    char **engine_arguments; /* what follows "--"; NULL: nothing */
    struct text_list extra;  /* the same, or what the resumed campaign has; owned */
};

static const char *const run_engines[] = {"libfuzzer",           "afl",           "both", "random",
                                          "libfuzzer-nomutator", "afl-nomutator", NULL};

static const char *const run_profiles[] = {"c", "posix", "glibc", NULL};

#define RUN_INTO(member) OPTION_INTO(struct run_arguments, member)
/* What a campaign is made of, and --resume takes from it. */
#define RUN_FIXES(member) RUN_INTO(member), .given = offsetof(struct run_arguments, chosen)

static const struct option_row run_options[] = {
    {OPTION_TEXT, .placeholder = "TARGET", .help = "the target; `heapmill fuzz list` names them",
     .candidates = FUZZ_CANDIDATES_TARGETS, RUN_FIXES(target)},
    {OPTION_REST, .placeholder = "ENGINE ARGUMENT…",
     .help = "arguments for the engine, as they are", RUN_INTO(engine_arguments)},
    {OPTION_TEXT, 'b', "backend", "NAME",
     "the back end, where the target has several; or ./libmine.so, your own malloc, as it is: a "
     "black box (libFuzzer then without sanitizers: `heapmill fuzz build libfuzzer-fast`)",
     .shown = "pymalloc-3.10", .candidates = CANDIDATES_BACKENDS, RUN_FIXES(backend)},
    {OPTION_TEXT, 0, "bug", "ID", "the build with that planted bug (`heapmill fuzz list --bugs`)",
     "", "none", .candidates = FUZZ_CANDIDATES_BUGS, RUN_FIXES(bug)},
    {OPTION_CHOICE, 0, "engine", "ENGINE", "nomutator is without the mutator of operations; one of",
     .shown = "libfuzzer; random for a library without coverage", .words = run_engines,
     RUN_FIXES(engine)},
    {OPTION_TEXT, 0, "skip", "ORACLE[:CALL],…", "ignore these deviations of a library", "", "none",
     RUN_FIXES(skip)},
    {OPTION_TEXT, 0, "only", "ORACLE[:CALL],…", "ignore all other deviations", "", "all",
     RUN_FIXES(only)},
    {OPTION_CHOICE, 0, "profile", "PROFILE", "whose promises a library is held to", "glibc",
     .words = run_profiles, RUN_FIXES(profile)},
    {OPTION_FLAG, 0, "strict", NULL, "manners (errno and such) are findings too", RUN_INTO(strict)},
    {OPTION_TEXT, 0, "from", "TRACE",
     "begin with a trace, cut into programs (block_ops, differential)", "", "none",
     .candidates = OPTION_FILES, RUN_FIXES(trace)},
    {OPTION_FLAG, 0, "fast", NULL, "libFuzzer without sanitizers: several times as many executions",
     RUN_FIXES(fast)},
    {OPTION_SECONDS, 0, "time", "T", "length of this session", "10m", RUN_INTO(time_s)},
    {OPTION_NUMBER, 0, "jobs", "N", "engine processes", .shown = "one for each CPU", .least = 1,
     .most = FUZZ_MEMBERS_MAX, RUN_FIXES(jobs)},
    {OPTION_NUMBER, 0, "operations", "N", "the most operations of a program",
     .shown = "256; AFL++: 1024", .least = 1, .most = 8192, RUN_FIXES(operations)},
    {OPTION_NUMBER, 0, "seed", "S", "of all random choices", "1", RUN_FIXES(seed)},
    {OPTION_TEXT, 'o', "output", "DIR", "the campaign's directory", .shown = "campaign-TARGET…",
     .candidates = OPTION_DIRECTORIES, RUN_INTO(output)},
    {OPTION_FLAG, 0, "resume", NULL, "continue the campaign in DIR", RUN_INTO(resume)},
    {SHARED_ENGINE_HOST(struct run_arguments, host)},
    {SHARED_SBATCH(struct run_arguments, sbatch)},
    {SHARED_TASK(struct run_arguments, task, is_task)},
    {OPTION_SIZE, 0, "disk-cap", "SIZE", "end the session when DIR is larger", "2G",
     RUN_INTO(disk_bytes_max)},
    {OPTION_NUMBER, 0, "findings-cap", "N", "end the session after N findings", "1000", .least = 1,
     .most = 1000000, RUN_INTO(findings_max)},
    {SHARED_JSON(struct run_arguments, json, "print the result as JSON")},
    {.kind = OPTION_END},
};

static enum status run_check(void *arguments, struct error *error)
{
    const struct run_arguments *asked = arguments;
    const char *wrong =
        asked->resume && asked->output == NULL ? "--resume wants the campaign's directory: -o DIR"
        : asked->resume && asked->chosen
            ? "--resume takes target, back end, engine, jobs and seed from the campaign: leave "
              "them out"
        : asked->is_task && !asked->resume ? "--task goes with --resume -o DIR"
        : !asked->resume && asked->target == NULL
            ? "say which target: `heapmill fuzz list` names them"
            : NULL;
    return wrong == NULL ? STATUS_OK : error_set(error, STATUS_INVALID, "%s", wrong);
}

/* The engines of the members, as their names' array. */
static json_t *run_plan_engines(const struct run_arguments *arguments)
{
    json_t *engines = json_array();
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    bool both = strcmp(arguments->engine, "both") == 0;
    uint64_t jobs = arguments->jobs > 0       ? arguments->jobs
                    : cpus > FUZZ_MEMBERS_MAX ? FUZZ_MEMBERS_MAX
                                              : (uint64_t)cpus;
    jobs = both && jobs < 2 ? 2 : jobs;
    for (uint64_t i = 0; i < jobs; i++) {
        const char *name = !both ? arguments->engine : i % 2 == 0 ? "libfuzzer" : "afl";
        (void)json_array_append_new(engines, json_string(name));
    }
    return engines;
}

static json_t *run_plan(const struct run_arguments *arguments, const struct fuzz_program *program,
                        const char *library)
{
    json_t *extra = json_array();
    for (size_t i = 0; i < arguments->extra.count; i++) {
        (void)json_array_append_new(extra, json_string(arguments->extra.items[i]));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:I, s:I, s:o, s:s, s:s, s:s, s:s}",
                     "format", "heapmill-fuzz-campaign-1", "target", program->target, "backend",
                     program->backend, "bug", program->bug, "library", library, "engines",
                     run_plan_engines(arguments), "fast", (int)arguments->fast, "operations",
                     (json_int_t)arguments->operations, "seed", (json_int_t)arguments->seed,
                     "arguments", extra, "skip", arguments->skip, "only", arguments->only,
                     "profile", arguments->profile, "trace", arguments->trace);
}

/* A user's library is fuzzed as a black box by malloc_abi. */
static enum status run_find_library(struct run_arguments *arguments, char library[PATH_MAX],
                                    struct error *error)
{
    library[0] = '\0';
    if (arguments->backend == NULL || strchr(arguments->backend, '/') == NULL) {
        return STATUS_OK;
    }
    const char *target = arguments->target != NULL ? arguments->target : "";
    if (strcmp(target, "block_ops") != 0 && strcmp(target, "malloc_abi") != 0) {
        return error_set(error, STATUS_INVALID,
                         "a library is fuzzed by block_ops or malloc_abi; %s wants a back end of "
                         "the build",
                         target);
    }
    if (realpath(arguments->backend, library) == NULL || access(library, R_OK) != 0) {
        return error_set(error, STATUS_NOT_FOUND, "there is no library %s", arguments->backend);
    }
    arguments->target = "malloc_abi";
    arguments->backend = NULL;
    if (arguments->engine == NULL && !fuzz_library_is_instrumented(library)) {
        arguments->engine = "random"; /* no engine would see what its inputs do */
    }
    return STATUS_OK;
}

/* The plan of a new campaign; finds the program. */
static enum status run_begin(struct run_arguments *arguments, const struct fuzz_catalog *catalog,
                             struct fuzz_log *log, json_t **plan, struct error *error)
{
    char library[PATH_MAX];
    const struct fuzz_program *program;
    enum status status = run_find_library(arguments, library, error);
    if (status == STATUS_OK) {
        status = fuzz_catalog_find(catalog, arguments->target, arguments->backend, arguments->bug,
                                   &program, error);
    }
    const struct fuzz_subject subject = {.library = library};
    if (status == STATUS_OK) {
        status = fuzz_library_check(program, &subject, error);
    }
    if (status == STATUS_OK) {
        arguments->engine = arguments->engine != NULL ? arguments->engine : "libfuzzer";
        *plan = run_plan(arguments, program, library);
        if (strcmp(arguments->host, "slurm") == 0) {
            fuzz_grid_plan(*plan, json_array_size(json_object_get(*plan, "engines")),
                           arguments->time_s, &arguments->sbatch);
        }
        struct fuzz_session trial = {.catalog = catalog, .directory = "the plan"};
        status = fuzz_session_take_plan(&trial, *plan, error); /* nothing is made in vain */
    }
    if (status == STATUS_OK) {
        if (arguments->output == NULL) {
            const char *name = library[0] != '\0' ? strrchr(library, '/') + 1 : program->label;
            arguments->chosen_output = text_format("campaign-%s", name);
            arguments->output = arguments->chosen_output;
        }
        status = fuzz_log_open(log, &fuzz_campaign_journal, arguments->output, plan, error);
    }
    return status;
}

static enum status run_session(struct run_arguments *arguments, const struct fuzz_catalog *catalog,
                               struct fuzz_log *log, const json_t *plan,
                               struct fuzz_session_result *result, struct error *error)
{
    struct fuzz_session session = {
        .catalog = catalog,
        .directory = arguments->output,
        .time_s = arguments->time_s,
        .disk_bytes_max = arguments->disk_bytes_max,
        .findings_max = arguments->findings_max,
        .resumed = arguments->resume,
        .extra = &arguments->extra,
        .log = log,
    };
    size_t index;
    json_t *word;
    json_array_foreach(json_object_get(plan, "arguments"), index, word)
    {
        if (arguments->resume) {
            text_list_add(&arguments->extra, text_format("%s", json_string_value(word)));
        }
    }
    enum status status = fuzz_session_take_plan(&session, plan, error);
    return status == STATUS_OK ? fuzz_session_run(&session, result, error) : status;
}

static void run_print(const struct run_arguments *arguments,
                      const struct fuzz_session_result *result,
                      const struct fuzz_deviations *deviations)
{
    if (arguments->json) {
        json_t *all = json_pack(
            "{s:s, s:s, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:o}", "directory", arguments->output,
            "end", fuzz_session_end_name(result->end), "wall_s", result->wall_s, "cpu_s",
            result->cpu_s, "executions", (json_int_t)result->executions, "operations",
            (json_int_t)result->operations, "corpus", (json_int_t)result->corpus, "findings",
            (json_int_t)result->findings, "findings_new", (json_int_t)result->findings_new,
            "deviations", fuzz_deviations_json(deviations));
        json_print(all);
        json_decref(all);
        return;
    }
    char wall[32], executions[32], operations[32], rate[32];
    double cpu = result->cpu_s > 0 ? result->cpu_s : 1;
    text_of_seconds(wall, sizeof(wall), result->wall_s);
    fuzz_text_of_count(executions, sizeof(executions), (double)result->executions);
    fuzz_text_of_count(operations, sizeof(operations), (double)result->operations);
    fuzz_text_of_count(rate, sizeof(rate), (double)result->operations / cpu);
    (void)printf("%s: %s, %.0f CPU s, %s executions, %s operations (%s/CPU s), corpus %zu, "
                 "findings %zu (%zu new)\n",
                 arguments->output, wall, result->cpu_s, executions, operations, rate,
                 result->corpus, result->findings, result->findings_new);
    if (result->end != FUZZ_END_TIME) {
        (void)printf("ended by: %s\n", fuzz_session_end_name(result->end));
    }
    fuzz_deviations_print(deviations, stdout);
    if (result->findings > 0) {
        (void)printf("next: heapmill fuzz triage %s\n", arguments->output);
    }
}

static int run_campaign(const struct invocation *invocation, struct run_arguments *arguments)
{
    struct fuzz_catalog catalog;
    struct fuzz_log log = {.lines = NULL};
    struct fuzz_session_result result;
    struct error error;
    json_t *plan = NULL;
    enum status status = fuzz_catalog_open(&catalog, &error);
    if (status == STATUS_OK && arguments->is_task) {
        status = fuzz_grid_run_task(&catalog, arguments->output, (size_t)arguments->task, &error);
        fuzz_catalog_close(&catalog);
        return status == STATUS_OK ? EXIT_CLEAN : fuzz_report(invocation, &error);
    }
    if (status == STATUS_OK) {
        status = arguments->resume
                     ? fuzz_log_open(&log, &fuzz_campaign_journal, arguments->output, &plan, &error)
                     : run_begin(arguments, &catalog, &log, &plan, &error);
    }
    int exit_status = EXIT_CLEAN;
    struct fuzz_deviations deviations = {.records = NULL};
    bool grid = status == STATUS_OK && json_object_get(plan, "grid") != NULL;
    if (grid) {
        size_t findings = 0;
        status = fuzz_grid_run(arguments->output, plan, &log, &findings, &error);
        (void)printf("%s: findings %zu (heapmill fuzz triage says what they are)\n",
                     arguments->output, findings);
        exit_status = status != STATUS_OK ? fuzz_report(invocation, &error)
                      : findings > 0      ? EXIT_FINDING
                                          : EXIT_CLEAN;
    } else if (status == STATUS_OK) {
        status = run_session(arguments, &catalog, &log, plan, &result, &error);
    }
    if (status == STATUS_OK && !grid) {
        status = fuzz_deviations_read(arguments->output, &deviations, &error);
    }
    if (status == STATUS_OK && !grid) {
        run_print(arguments, &result, &deviations);
        bool found =
            result.findings_plain > 0 || fuzz_deviations_matter(&deviations, arguments->strict);
        exit_status = result.end == FUZZ_END_INTERRUPTED ? EXIT_INTERRUPTED
                      : found                            ? EXIT_FINDING
                                                         : EXIT_CLEAN;
    } else if (!grid) {
        exit_status = fuzz_report(invocation, &error);
    }
    fuzz_deviations_free(&deviations);
    json_decref(plan);
    fuzz_log_close(&log);
    fuzz_catalog_close(&catalog);
    return exit_status;
}

static int run_execute(const struct invocation *invocation, void *arguments)
{
    struct run_arguments *asked = arguments;
    for (char **word = asked->engine_arguments; word != NULL && *word != NULL; word++) {
        text_list_add(&asked->extra, text_format("%s", *word));
    }
    process_prepare_signals();
    int status = run_campaign(invocation, asked);
    text_list_free(&asked->extra);
    free(asked->chosen_output);
    return status;
}
const struct command fuzz_run_command = {
    .name = "run",
    .summary = "a campaign: libFuzzer, AFL++ or both, or blind random",
    .synopses = (const char *const[]){"TARGET [OPTION…] [-- ENGINE ARGUMENT…]",
                                      "--resume -o DIR [OPTION…]", NULL},
    .description =
        "Fuzzes a target until the time is over. DIR gets the inputs that are worth keeping, "
        "findings, logs and figures; engines that run at the same time exchange inputs through "
        "DIR/corpus. --resume continues a campaign that was interrupted or killed.\n"
        "\n"
        "A library (-b ./lib.so) is fuzzed for the whole time: each deviation is recorded once and "
        "then ignored. The list at the end has memory corruption first, then wrong results, then "
        "manners, each with the document that states the promise.",
    .options = run_options,
    .arguments_size = sizeof(struct run_arguments),
    .check = run_check,
    .examples = "heapmill fuzz run block_ops -b pymalloc-3.10 --engine both --time 30m -o night",
    .exit_statuses = "0 nothing was found, or manners of a library alone; 1 findings (`heapmill "
                     "fuzz triage DIR`); 2 wrong usage; "
                     "3 something is missing; 130 interrupted",
    .execute = run_execute,
};
