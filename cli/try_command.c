#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/command.h"
#include "cli/shared_options.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "run/command/try.h"
#include "run/command/verdict.h"

struct try_arguments {
    struct try_request request;
    char **command;
    const char *operand;
    bool json;
};

static const struct option_row try_option_rows[] = {
    {OPTION_TEXT, .placeholder = "DIR", .help = "with --resume: the directory of the run",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct try_arguments, operand)},
    {OPTION_REST, .placeholder = "COMMAND [ARGUMENT…]",
     .help = "the program that is run under each allocator",
     OPTION_INTO(struct try_arguments, command)},
    {OPTION_TEXT, 'b', "backends", "LIST",
     "the allocators to try: names, globs, './libmine.so', each with settings as in "
     "'jemalloc{MALLOC_CONF=narenas:1}'; '!' excludes",
     .shown = "all that can be preloaded here", .candidates = CANDIDATES_BACKENDS,
     OPTION_INTO(struct try_arguments, request.backends)},
    {OPTION_FLAG, 0, "tune", NULL,
     "also try well-known settings of each allocator: all are screened, and the best are measured "
     "again",
     OPTION_INTO(struct try_arguments, request.tune)},
    {OPTION_NUMBER, 0, "rounds", "N",
     "number of runs under each allocator; with fewer than 6 there is no verdict", .shown = "10",
     .least = 1, .most = 100000, OPTION_INTO(struct try_arguments, request.rounds)},
    {OPTION_SECONDS, 0, "budget", "TIME",
     "instead of --rounds: run as many rounds as fit into TIME, such as 5m",
     OPTION_INTO(struct try_arguments, request.budget_s)},
    {OPTION_NUMBER, 0, "warmup", "N", "runs before the first one that counts", "1", .least = 1,
     .most = 1000, OPTION_INTO(struct try_arguments, request.warmup)},
    {OPTION_SECONDS, 0, "timeout", "TIME", "stop a run that takes longer; it has failed", "1h",
     .most = 604800, OPTION_INTO(struct try_arguments, request.timeout_s)},
    {SHARED_SEED(struct try_arguments, request.seed, "seed of the order of the runs")},
    {OPTION_HEADING, .help = "the command"},
    {OPTION_TEXT, 0, "input", "FILE", "standard input of the command", .shown = "nothing",
     .candidates = OPTION_FILES, OPTION_INTO(struct try_arguments, request.input)},
    {OPTION_TEXT, 0, "setup", "LINE", "a line for sh that is run once before all runs", NULL,
     OPTION_INTO(struct try_arguments, request.setup)},
    {OPTION_TEXT, 0, "prepare", "LINE", "a line for sh that is run before each run", NULL,
     OPTION_INTO(struct try_arguments, request.prepare)},
    {OPTION_TEXT, 0, "check", "LINE",
     "a line for sh that is run after each run, with the command's output as input; it must exit "
     "with 0",
     NULL, OPTION_INTO(struct try_arguments, request.check)},
    {OPTION_FLAG, 0, "ignore-output", NULL, "allow outputs to differ",
     OPTION_INTO(struct try_arguments, request.ignore_output)},
    {OPTION_FLAG, 'i', "ignore-failure", NULL,
     "allow the command to fail, if it always fails in the same way",
     OPTION_INTO(struct try_arguments, request.ignore_failure)},
    {OPTION_HEADING, .help = "a server"},
    {OPTION_TEXT, 0, "load", "LINE",
     "a line for sh that is run against the command when that is ready. Its time is measured; the "
     "output of redis-benchmark, wrk, ab and pgbench is understood. SIGTERM then ends the server",
     NULL, OPTION_INTO(struct try_arguments, request.load)},
    {OPTION_TEXT, 0, "ready", "PORT|TEXT",
     "the server is ready when the port is open, or when it prints the text", NULL,
     OPTION_INTO(struct try_arguments, request.ready)},
    {OPTION_SECONDS, 0, "idle", "TIME", "time between the load and the measurement of idle memory",
     "2s", OPTION_INTO(struct try_arguments, request.idle_s)},
    {OPTION_HEADING, .help = "where"},
    {OPTION_TEXT, 'o', "output", "DIR", "a new directory for the run", .shown = "results/try-TIME",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct try_arguments, request.directory)},
    {OPTION_FLAG, 0, "resume", NULL, "continue the run in DIR",
     OPTION_INTO(struct try_arguments, request.resume)},
    {SHARED_JSON(struct try_arguments, json, "print one JSON object")},
    {.kind = OPTION_END},
};

static enum status try_check(void *arguments, struct error *error)
{
    struct try_arguments *asked = arguments;
    struct try_request *request = &asked->request;
    request->command = asked->command;
    request->directory = asked->operand != NULL ? asked->operand : request->directory;
    if (request->resume ? request->directory == NULL || asked->command != NULL
                        : asked->command == NULL || asked->command[0] == NULL) {
        return error_set(
            error, STATUS_INVALID,
            "a command or a run is missing: heapmill try -- COMMAND, or heapmill try --resume DIR");
    }
    if (request->rounds > 0 && request->budget_s > 0) {
        return error_set(error, STATUS_INVALID,
                         "--rounds and --budget exclude each other: give one of them");
    }
    if ((request->load == NULL) != (request->ready == NULL)) {
        return error_set(error, STATUS_INVALID, "--load and --ready need each other: give both");
    }
    request->rounds = request->rounds == 0 && request->budget_s <= 0 ? 10 : request->rounds;
    return STATUS_OK;
}

static int try_show(const struct try_arguments *asked, const struct verdict *verdict)
{
    if (asked->json) {
        json_t *json = verdict_to_json(verdict);
        json_print(json);
        json_decref(json);
    } else {
        document_show(verdict_document(verdict));
    }
    return verdict->failed > 0 ? EXIT_PARTIAL : EXIT_CLEAN;
}

static int try_execute(const struct invocation *invocation, void *arguments)
{
    struct try_arguments *asked = arguments;
    struct error error = {.message = ""};
    struct verdict verdict = {.set = NULL};
    char made[64];
    time_t now = time(NULL);
    struct tm utc;
    (void)strftime(made, sizeof(made), "results/try-%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    asked->request.directory = asked->request.directory != NULL ? asked->request.directory : made;
    asked->request.argc = invocation->argc;
    asked->request.argv = invocation->argv;
    process_prepare_signals();
    enum status status = try_run(&asked->request, &error);
    if (status == STATUS_INTERRUPTED) {
        (void)fprintf(stderr, "heapmill try: continue with: heapmill try --resume %s\n",
                      asked->request.directory);
        return EXIT_INTERRUPTED;
    }
    if (status == STATUS_OK) {
        status = verdict_read(asked->request.directory, &verdict, &error);
    }
    int answer = status == STATUS_OK ? try_show(asked, &verdict) : command_fail(invocation, &error);
    verdict_free(&verdict);
    return answer;
}

const struct command command_try = {
    .name = "try",
    .summary = "finds the best allocator for a program of yours",
    .synopses = (const char *const[]){"[OPTION…] -- COMMAND [ARGUMENT…]", "--resume DIR", NULL},
    .description =
        "Runs the command as it is and under each allocator, in rounds of shuffled order, and says "
        "which allocator is faster, which needs less memory, and by how much. If the command "
        "fails, ends differently or prints something else under an allocator, that is reported, "
        "and the run has no figure. The command keeps your environment, directory and rights; its "
        "input is empty unless --input names a file.",
    .options = try_option_rows,
    .arguments_size = sizeof(struct try_arguments),
    .check = try_check,
    .examples = "heapmill try -- sort -R words.txt\n"
                "heapmill try --load 'redis-benchmark -q' --ready 6379 -- redis-server",
    .exit_statuses = "0 clean; 2 wrong usage; 3 something is missing, or no allocator can be "
                     "preloaded into the command; 4 the command fails under some allocators; 130 "
                     "interrupted (continue with --resume)",
    .execute = try_execute,
};
