/* A command of a program: its name, its options, its prose and what it does; and the ways in which
 * that is shown. --help, the man page and shell completion are made from it. One thread. */
#ifndef HEAPMILL_COMMON_HOST_COMMAND_H
#define HEAPMILL_COMMON_HOST_COMMAND_H

#include <stdio.h>

#include "common/host/exit_status.h"
#include "common/host/options.h"

struct command;

/* What the user typed. */
struct invocation {
    const struct command *command;
    const char *path; /* "heapmill fuzz run" */
    int argc;
    char **argv; /* argv[0] is the command's name; as it was typed */
};

/* Prose is paragraphs, each one line, with an empty line between; a line that begins with a space
 * stands as it is. Any of it may be NULL. */
struct command {
    const char *name;
    const char *summary;              /* for the list of commands */
    const char *const *synopses;      /* what follows the name; NULL: made from the options */
    const char *description;          /* what it does */
    const struct option_row *options; /* NULL: there are subcommands instead */
    const char *examples;             /* a command a line */
    const char *exit_statuses;        /* "0 …; 1 …" */
    const struct command *const *subcommands; /* ends with NULL */
    size_t arguments_size;                    /* of the structure that the options fill */
    /* What options have to do with each other: STATUS_INVALID with a message that names the remedy.
     * It may also fill in what was left out. May be NULL. */
    enum status (*check)(void *arguments, struct error *error);
    /* Does it; an exit status. Data goes to stdout, progress and diagnostics to stderr. */
    int (*execute)(const struct invocation *invocation, void *arguments);
};

/* Finds the command that the arguments name below `root`, and runs it or prints its help; an exit
 * status. */
int command_dispatch(const struct command *root, int argc, char **argv);

/* The subcommand of that name, or NULL. */
const struct command *command_find(const struct command *command, const char *name);

/* options_parse and check, with the structure that is `command`'s. STATUS_INVALID. */
enum status command_parse(const struct command *command, void *arguments, int argc, char **argv,
                          struct error *error);

/* "heapmill compare: MESSAGE" on stderr; the exit status that goes with the error: wrong usage for
 * what is invalid or not found, else the environment's fault. An interruption is not told. */
int command_fail(const struct invocation *invocation, const struct error *error);

/* What the user typed, as one line. The caller frees. */
char *command_line(const struct invocation *invocation);

/* The text of --help. */
void command_print_help(const struct command *command, const char *path, FILE *file);

/* The man page, in roff, of the command at that path. */
void command_print_manual(const struct command *command, const char *path, FILE *file);

/* Parts of what is printed, for the ways to print it. The caller frees each. */
char *option_title(const struct option_row *row); /* "-b, --backends LIST" */
char *option_text(const struct option_row *row);  /* help, words and default */
void command_synopses(const struct command *command, struct text_list *synopses);

#endif
