#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "common/host/files.h"

struct manual_arguments {
    struct text_list words;
    const char *output;
};

static const struct option_row manual_options[] = {
    {OPTION_LIST, .placeholder = "COMMAND",
     .help = "the command of the page, as in `heapmill manual fuzz run`", .shown = "the program's",
     OPTION_INTO(struct manual_arguments, words)},
    {OPTION_TEXT, 'o', "output", "DIR", "write every page to its own file in DIR",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct manual_arguments, output)},
    {.kind = OPTION_END},
};

/* Writes the page of a command and those of its subcommands, as DIR/heapmill-fuzz-run.1. */
static enum status manual_write(const struct command *command, const char *path,
                                const char *directory, struct error *error)
{
    char *name = text_format("%s/%s.1", directory, path);
    for (char *next = name + strlen(directory); *next != '\0'; next++) {
        *next = *next == ' ' ? '-' : *next;
    }
    FILE *file = fopen(name, "we");
    enum status status = STATUS_OK;
    if (file != NULL) {
        command_print_manual(command, path, file);
    }
    if (file == NULL || fclose(file) != 0) {
        status = error_set(error, STATUS_IO, "%s cannot be written: %s", name, strerror(errno));
    }
    free(name);
    for (size_t i = 0;
         status == STATUS_OK && command->subcommands != NULL && command->subcommands[i] != NULL;
         i++) {
        char *longer = text_format("%s %s", path, command->subcommands[i]->name);
        status = manual_write(command->subcommands[i], longer, directory, error);
        free(longer);
    }
    return status;
}

static enum status manual_print(const struct text_list *words, struct error *error)
{
    const struct command *command = &command_root;
    char *path = text_format("%s", command->name);
    for (size_t i = 0; i < words->count && command != NULL; i++) {
        command = command_find(command, words->items[i]);
        char *longer = text_format("%s %s", path, words->items[i]);
        free(path);
        path = longer;
    }
    enum status status = STATUS_OK;
    if (command != NULL) {
        command_print_manual(command, path, stdout);
    } else {
        status = error_set(error, STATUS_NOT_FOUND,
                           "there is no command `%s`; `heapmill help` lists them", path);
    }
    free(path);
    return status;
}

static int manual_execute(const struct invocation *invocation, void *arguments)
{
    const struct manual_arguments *asked = arguments;
    struct error error;
    enum status status = STATUS_OK;
    if (asked->output != NULL) {
        status = file_make_directory(asked->output, &error);
        if (status == STATUS_OK) {
            status = manual_write(&command_root, command_root.name, asked->output, &error);
        }
    } else {
        status = manual_print(&asked->words, &error);
    }
    return status == STATUS_OK ? EXIT_CLEAN : command_fail(invocation, &error);
}

const struct command command_manual = {
    .name = "manual",
    .summary = "prints the man pages of this program, in roff",
    .description = "Prints a man page, for `man -l -`, or writes all man pages to a directory. "
                   "They have the same contents as --help.",
    .options = manual_options,
    .arguments_size = sizeof(struct manual_arguments),
    .examples = "heapmill manual bench | man -l -",
    .exit_statuses = "0 clean; 2 wrong usage; 3 a page cannot be written",
    .execute = manual_execute,
};
