/* heapmill fuzz run: a campaign. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fuzz.h"
#include "cli/fuzz_run_options.h"
#include "common/host/process.h"
#include "fuzz/campaign/session.h"
#include "fuzz/campaign/status_line.h"

static const char run_usage[] =
    "usage: heapmill fuzz run TARGET [OPTION…] [-- ENGINE ARGUMENT…]\n"
    "       heapmill fuzz run --resume -o DIR [OPTION…]\n"
    "\n"
    "Fuzzes a target until the time is over. Inputs worth keeping, findings, logs and figures are "
    "in\n"
    "DIR; engines that run side by side exchange inputs through DIR/corpus. A campaign that was\n"
    "interrupted or killed goes on with --resume.\n"
    "\n"
    "  -b, --backend NAME     the back end, where the target has several (default: "
    "pymalloc-3.10);\n"
    "                         or ./libmine.so, your own malloc, as it is: a black box (libFuzzer\n"
    "                         then without sanitizers: `heapmill fuzz build libfuzzer-fast`)\n"
    "  --bug ID               the build with that planted bug (`heapmill fuzz list --bugs`)\n"
    "  --engine ENGINE        libfuzzer (default), afl, both, random; or libfuzzer-nomutator,\n"
    "                         afl-nomutator: without the mutator of operations\n"
    "  --fast                 libFuzzer without sanitizers: several times as many executions\n"
    "  --time T               of this session: 90s, 10m, 2h (default: 10m)\n"
    "  --jobs N               engine processes, at most 64 (default: one for each CPU)\n"
    "  --operations N         the longest program (default: 256; AFL++: 1024)\n"
    "  --seed S               (default: 1)\n"
    "  -o, --output DIR       (default: campaign-TARGET…)\n"
    "  --resume               go on with the campaign in DIR\n"
    "  --disk-cap SIZE        end when DIR holds more: 500M, 4G (default: 2G)\n"
    "  --findings-cap N       end after so many findings (default: 100)\n"
    "  --json                 print the result as JSON\n"
    "  -h, --help\n"
    "\n"
    "example: heapmill fuzz run block_ops -b pymalloc-3.10 --engine both --time 30m -o night\n"
    "\n"
    "exit status: 0 nothing was found; 1 findings (`heapmill fuzz triage DIR`); 2 wrong usage; 3\n"
    "something is missing; 130 interrupted\n";

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
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:I, s:I, s:o}", "format", "heapmill-fuzz-campaign-1",
        "target", program->target, "backend", program->backend, "bug", program->bug, "library",
        library, "engines", run_plan_engines(arguments), "fast", (int)arguments->fast, "operations",
        (json_int_t)arguments->operations, "seed", (json_int_t)arguments->seed, "arguments", extra);
}

/* A user's library is fuzzed as a black box by malloc_abi, which plays the same programs as
 * block_ops over the library's malloc family. */
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
    if (status == STATUS_OK) {
        if (arguments->output == NULL) {
            const char *name = library[0] != '\0' ? strrchr(library, '/') + 1 : program->label;
            arguments->output = text_format("campaign-%s", name);
        }
        *plan = run_plan(arguments, program, library);
        status = fuzz_log_open(log, &fuzz_campaign_journal, arguments->output, plan, error);
    }
    return status;
}

static const char *run_text(const json_t *plan, const char *name)
{
    const char *text = json_string_value(json_object_get(plan, name));
    return text != NULL ? text : "";
}

/* Targets of bytes have no mutator of their own; another's may be missing from the build. */
static void run_note_mutator(const struct fuzz_catalog *catalog, const struct fuzz_session *session)
{
    bool afl = false;
    for (size_t i = 0; i < session->member_count; i++) {
        afl = afl || session->engines[i] == FUZZ_ENGINE_AFL;
    }
    char *mutator = afl && session->program != NULL
                        ? fuzz_catalog_mutator(catalog, session->program->target)
                        : NULL;
    if (afl && session->program != NULL && mutator == NULL) {
        (void)fprintf(stderr,
                      "heapmill fuzz run: note: AFL++ mutates bytes: the build has no mutator of "
                      "operations for %s (`heapmill fuzz build afl` makes all that there are)\n",
                      session->program->target);
    }
    free(mutator);
}

static enum status run_session(struct run_arguments *arguments, const struct fuzz_catalog *catalog,
                               struct fuzz_log *log, const json_t *plan,
                               struct fuzz_session_result *result, struct error *error)
{
    struct fuzz_session session = {
        .catalog = catalog,
        .directory = arguments->output,
        .library = run_text(plan, "library"),
        .fast = json_is_true(json_object_get(plan, "fast")),
        .seed = (uint64_t)json_integer_value(json_object_get(plan, "seed")),
        .operations = (uint64_t)json_integer_value(json_object_get(plan, "operations")),
        .time_s = arguments->time_s,
        .disk_bytes_max = arguments->disk_bytes_max,
        .findings_max = arguments->findings_max,
        .resumed = arguments->resume,
        .extra = &arguments->extra,
        .log = log,
    };
    size_t index;
    json_t *name;
    json_array_foreach(json_object_get(plan, "arguments"), index, name)
    {
        if (arguments->resume) {
            text_list_add(&arguments->extra, text_format("%s", json_string_value(name)));
        }
    }
    json_array_foreach(json_object_get(plan, "engines"), index, name)
    {
        enum fuzz_engine engine =
            json_is_string(name) ? fuzz_engine_named(json_string_value(name)) : FUZZ_ENGINES;
        if (engine == FUZZ_ENGINES || session.member_count == FUZZ_MEMBERS_MAX) {
            return error_set(error, STATUS_CORRUPT, "%s/campaign.json: an engine is not known",
                             arguments->output);
        }
        session.engines[session.member_count++] = engine;
    }
    enum status status =
        fuzz_catalog_find(catalog, run_text(plan, "target"), run_text(plan, "backend"),
                          run_text(plan, "bug"), &session.program, error);
    run_note_mutator(catalog, &session);
    return status == STATUS_OK ? fuzz_session_run(&session, result, error) : status;
}

static void run_print(const struct run_arguments *arguments,
                      const struct fuzz_session_result *result)
{
    if (arguments->json) {
        json_t *all = json_pack(
            "{s:s, s:s, s:f, s:f, s:I, s:I, s:I, s:I, s:I}", "directory", arguments->output, "end",
            fuzz_session_end_name(result->end), "wall_s", result->wall_s, "cpu_s", result->cpu_s,
            "executions", (json_int_t)result->executions, "operations",
            (json_int_t)result->operations, "corpus", (json_int_t)result->corpus, "findings",
            (json_int_t)result->findings, "findings_new", (json_int_t)result->findings_new);
        (void)json_dumpf(all, stdout, JSON_INDENT(1));
        (void)putchar('\n');
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
    if (result->findings > 0) {
        (void)printf("next: heapmill fuzz triage %s\n", arguments->output);
    }
}

static int run_campaign(struct run_arguments *arguments)
{
    struct fuzz_catalog catalog;
    struct fuzz_log log = {.lines = NULL};
    struct fuzz_session_result result;
    struct error error;
    json_t *plan = NULL;
    enum status status = fuzz_catalog_open(&catalog, &error);
    if (status == STATUS_OK) {
        status = arguments->resume
                     ? fuzz_log_open(&log, &fuzz_campaign_journal, arguments->output, &plan, &error)
                     : run_begin(arguments, &catalog, &log, &plan, &error);
    }
    int exit_status = EXIT_CLEAN;
    if (status == STATUS_OK) {
        status = run_session(arguments, &catalog, &log, plan, &result, &error);
    }
    if (status == STATUS_OK) {
        run_print(arguments, &result);
        exit_status = result.end == FUZZ_END_INTERRUPTED ? EXIT_INTERRUPTED
                      : result.findings > 0              ? EXIT_FINDING
                                                         : EXIT_CLEAN;
    } else {
        exit_status = fuzz_report("run", &error);
    }
    json_decref(plan);
    fuzz_log_close(&log);
    fuzz_catalog_close(&catalog);
    return exit_status;
}

static int run_run(int argc, char **argv)
{
    struct run_arguments arguments = {.bug = "",
                                      .engine = "libfuzzer",
                                      .time_s = 600,
                                      .seed = 1,
                                      .disk_bytes_max = UINT64_C(2) << 30,
                                      .findings_max = 100};
    int status = fuzz_run_parse(argc, argv, &arguments);
    if (status == EXIT_CLEAN) {
        process_prepare_signals();
        status = run_campaign(&arguments);
    }
    text_list_free(&arguments.extra);
    free(arguments.output);
    return status;
}

const struct command fuzz_run_command = {
    .name = "run",
    .summary = "a campaign: libFuzzer, AFL++ or both, or blind random",
    .usage = run_usage,
    .run = run_run,
};
