/* heapmill exec: runs a command under one allocator. */
#include "cli/command.h"
#include "cli/shared_options.h"
#include "run/command/exec.h"

static const struct option_row exec_option_rows[] = {
    {OPTION_REST, .placeholder = "COMMAND [ARGUMENT…]", .help = "the program to run",
     OPTION_INTO(struct exec_request, command)},
    {OPTION_TEXT, 'b', "backend", "NAME",
     "its malloc: a back end that can be preloaded, with settings as in "
     "'jemalloc{MALLOC_CONF=narenas:1}', or ./libmine.so",
     .shown = "what it has", .candidates = CANDIDATES_BACKENDS,
     OPTION_INTO(struct exec_request, backend)},
    {OPTION_FLAG, 0, "stats", NULL,
     "what it asked of malloc, and what the back end holds, on stderr: at its end, and whenever "
     "heapmill gets SIGUSR2",
     OPTION_INTO(struct exec_request, stats)},
    {SHARED_JSON(struct exec_request, json, "with --stats: one object")},
    {OPTION_HEADING, .help = "what it does wrong"},
    {OPTION_FLAG, 0, "debug", NULL,
     "fills new bytes with 0xCD and freed ones with 0xDD, guards blocks with 0xFD, and ends it "
     "with "
     "a message and a backtrace at a double free, a wrong size, a write beyond a block or after "
     "its free",
     OPTION_INTO(struct exec_request, debug)},
    {OPTION_NUMBER, 0, "fail-nth", "N", "refuses the Nth allocation of each process", NULL,
     .least = 1, OPTION_INTO(struct exec_request, fail_nth)},
    {OPTION_NUMBER, 0, "fail-every", "N", "refuses each Nth allocation", NULL, .least = 1,
     OPTION_INTO(struct exec_request, fail_every)},
    {OPTION_FLAG, 0, "fail-each", NULL,
     "runs it once for each of its allocations, which fails, and tells of those runs that a signal "
     "ended",
     OPTION_INTO(struct exec_request, fail_each)},
    {OPTION_SECONDS, 0, "timeout", "TIME", "of a run of --fail-each", "10s", .most = 86400,
     OPTION_INTO(struct exec_request, timeout_s)},
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
        return error_set(error, STATUS_INVALID, "--stats and --fail-each do not go together");
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
    .summary = "run a program of yours under one back end",
    .synopses = (const char *const[]){"[-b NAME] [OPTION…] -- COMMAND [ARGUMENT…]", NULL},
    .description =
        "Becomes the command with the allocator preloaded: exit status, signals, input and "
        "terminal "
        "are the command's own. With --stats heapmill stays beside it, and passes signals on.",
    .options = exec_option_rows,
    .arguments_size = sizeof(struct exec_request),
    .check = exec_check,
    .examples = "heapmill exec -b mimalloc -- ./server\n"
                "heapmill exec -b pymalloc-3.10 --stats -- sort words.txt\n"
                "heapmill exec --fail-each -- ./parser example.txt",
    .exit_statuses = "the command's own; --fail-each: 0 no crash, 1 crashes; 2 wrong usage; 3 "
                     "something is missing, or nothing can be preloaded into the command",
    .execute = exec_execute,
};
