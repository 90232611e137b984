#include "cli/command.h"
#include "cli/shared_options.h"
#include "run/command/exec.h"

static const struct option_row exec_option_rows[] = {
    {OPTION_REST, .placeholder = "COMMAND [ARGUMENT…]", .help = "the program to run",
     OPTION_INTO(struct exec_request, command)},
    {OPTION_TEXT, 'b', "backend", "NAME",
     "the allocator: a back end that can be preloaded, with settings as in "
     "'jemalloc{MALLOC_CONF=narenas:1}', or ./libmine.so",
     .shown = "the command's own", .candidates = CANDIDATES_BACKENDS,
     OPTION_INTO(struct exec_request, backend)},
    {OPTION_FLAG, 0, "stats", NULL,
     "print on stderr what the command asked of malloc, and what the back end holds: at its end, "
     "and whenever heapmill gets SIGUSR2",
     OPTION_INTO(struct exec_request, stats)},
    {SHARED_JSON(struct exec_request, json, "with --stats: print one JSON object")},
    {OPTION_HEADING, .help = "finding the command's errors"},
    {OPTION_FLAG, 0, "debug", NULL,
     "fill new bytes with 0xCD and freed ones with 0xDD, guard blocks with 0xFD, and end the "
     "command with a message and a backtrace after a double free, a wrong size, or a write beyond "
     "a block or after its free",
     OPTION_INTO(struct exec_request, debug)},
    {OPTION_NUMBER, 0, "fail-nth", "N", "refuse the Nth allocation of each process", NULL,
     .least = 1, OPTION_INTO(struct exec_request, fail_nth)},
    {OPTION_NUMBER, 0, "fail-every", "N", "refuse every Nth allocation", NULL, .least = 1,
     OPTION_INTO(struct exec_request, fail_every)},
    {OPTION_FLAG, 0, "fail-each", NULL,
     "run the command once for each of its allocations, which then fails, and report the runs that "
     "a signal ended",
     OPTION_INTO(struct exec_request, fail_each)},
    {OPTION_SECONDS, 0, "timeout", "TIME", "with --fail-each: stop a run that takes longer", "10s",
     .most = 86400, OPTION_INTO(struct exec_request, timeout_s)},
    {.kind = OPTION_END},
};

static enum status exec_check(void *arguments, struct error *error)
{
    struct exec_request *request = arguments;
    if (request->command == NULL || request->command[0] == NULL) {
        return error_set(error, STATUS_INVALID,
                         "a command is missing: heapmill exec -b NAME -- COMMAND");
    }
    if (request->stats && request->fail_each) {
        return error_set(error, STATUS_INVALID,
                         "--stats and --fail-each exclude each other: give one of them");
    }
    request->debug =
        request->debug || request->fail_nth > 0 || request->fail_every > 0 || request->fail_each;
    return STATUS_OK;
}

static int exec_execute(const struct invocation *invocation, void *arguments)
{
    int exit_status = EXIT_CLEAN;
    struct error error = {.message = ""};
    return exec_run(arguments, &exit_status, &error) == STATUS_OK
               ? exit_status
               : command_fail(invocation, &error);
}

const struct command command_exec = {
    .name = "exec",
    .summary = "runs a program of yours under one back end",
    .synopses = (const char *const[]){"[-b NAME] [OPTION…] -- COMMAND [ARGUMENT…]", NULL},
    .description = "Runs the command in place of heapmill, with the allocator preloaded: exit "
                   "status, signals, input and terminal are the command's own. With --stats "
                   "heapmill stays as its parent, and passes signals on.",
    .options = exec_option_rows,
    .arguments_size = sizeof(struct exec_request),
    .check = exec_check,
    .examples = "heapmill exec -b mimalloc -- ./server\n"
                "heapmill exec -b pymalloc-3.10 --stats -- sort words.txt\n"
                "heapmill exec --fail-each -- ./parser example.txt",
    .exit_statuses = "the command's own; with --fail-each 0 no crash, 1 crashes; 2 wrong usage; 3 "
                     "something is missing, or nothing can be preloaded into the command",
    .execute = exec_execute,
};
