/* A command of a program: its name, its options, its prose, and its function. --help, the man page
 * and shell completion are made from it. One thread. */
#ifndef HEAPMILL_COMMON_HOST_COMMAND_H
#define HEAPMILL_COMMON_HOST_COMMAND_H

#include <stdio.h>

#include "common/host/exit_status.h"
#include "common/host/options.h"

struct command;

/* The user's command line. */
struct invocation {
    const struct command *command;
    const char *path; /* "heapmill fuzz run" */
    int argc;
    char **argv; /* as typed; argv[0] is the command's name */
};

/* Prose is paragraphs of one line each, with empty lines between them. A line that begins with a
 * space is printed as it is. Every text may be NULL. */
struct command {
    const char *name;
    const char *summary;              /* for the list of commands */
    const char *const *synopses;      /* the text after the name; NULL: made from the options */
    const char *description;          /* what it does */
    const struct option_row *options; /* NULL: the command has subcommands instead */
    const char *examples;             /* one command per line */
    const char *exit_statuses;        /* "0 …; 1 …" */
    const struct command *const *subcommands; /* ends with NULL */
    size_t arguments_size;                    /* size of the structure that the options fill */
    /* Checks options against each other: STATUS_INVALID with a message that names the remedy. It
     * may also fill in what was not given. May be NULL. */
    enum status (*check)(void *arguments, struct error *error);
    /* Runs the command; returns an exit status. Data goes to stdout, progress and diagnostics to
     * stderr. */
    int (*execute)(const struct invocation *invocation, void *arguments);
};

/* Finds the command below `root` that the arguments name, and runs it or prints its help. Returns
 * an exit status. */
int command_dispatch(const struct command *root, int argc, char **argv);

/* Finds the subcommand of that name; NULL: there is none. */
const struct command *command_find(const struct command *command, const char *name);

/* Calls options_parse and the command's check, for the command's structure. STATUS_INVALID. */
enum status command_parse(const struct command *command, void *arguments, int argc, char **argv,
                          struct error *error);

/* Prints "heapmill compare: MESSAGE" on stderr, and returns the exit status for the error:
 * EXIT_USAGE for what is invalid or not found, otherwise EXIT_ENVIRONMENT. An interruption is not
 * printed. */
int command_fail(const struct invocation *invocation, const struct error *error);

/* The user's command line as one line. The caller frees. */
char *command_line(const struct invocation *invocation);

/* Prints the text of --help. */
void command_print_help(const struct command *command, const char *path, FILE *file);

/* Prints the man page, in roff, of the command at that path. */
void command_print_manual(const struct command *command, const char *path, FILE *file);

/* Parts of the printed texts, for the printers. The caller frees each. */
char *option_title(const struct option_row *row); /* "-b, --backends LIST" */
char *option_text(const struct option_row *row);  /* help, words and default */
void command_synopses(const struct command *command, struct text_list *synopses);

#endif
