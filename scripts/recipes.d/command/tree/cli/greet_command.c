/* heapmill greet: an example of a command. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/shared_options.h"

struct greet_arguments {
    const char *name;
    bool json;
};

static const struct option_row greet_options[] = {
    {OPTION_TEXT, 'n', "name", "NAME", "whom to greet", .shown = "world",
     OPTION_INTO(struct greet_arguments, name)},
    {OPTION_FLAG, .name = "json", .help = "{greeted}", OPTION_INTO(struct greet_arguments, json)},
    {.kind = OPTION_END},
};

static int greet_execute(const struct invocation *invocation, void *arguments)
{
    const struct greet_arguments *asked = arguments;
    const char *name = asked->name != NULL ? asked->name : "world";
    (void)invocation;
    (void)printf(asked->json ? "{\"greeted\": \"%s\"}\n" : "Good day, %s.\n", name);
    return EXIT_CLEAN;
}

const struct command command_greet = {
    .name = "greet",
    .summary = "says good day",
    .description = "Says good day, to show what a command is.",
    .options = greet_options,
    .arguments_size = sizeof(struct greet_arguments),
    .examples = "heapmill greet --name Ada",
    .exit_statuses = "0 clean; 2 wrong usage",
    .execute = greet_execute,
};
