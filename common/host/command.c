#include "common/host/command.h"

#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMNS = 80, HELP_INDENT = 26, COMMANDS_MAX = 64 };

const struct command *command_find(const struct command *command, const char *name)
{
    for (size_t i = 0; command->subcommands != NULL && command->subcommands[i] != NULL; i++) {
        if (strcmp(command->subcommands[i]->name, name) == 0) {
            return command->subcommands[i];
        }
    }
    return NULL;
}

char *option_title(const struct option_row *row)
{
    if (!option_is_named(row)) {
        return text_format("%s%s", row->kind == OPTION_REST ? "-- " : "", row->placeholder);
    }
    char letter[] = {'-', row->letter, ',', ' ', '\0'};
    return text_format("%s--%s%s%s", row->letter != '\0' ? letter : "", row->name,
                       row->placeholder != NULL ? " " : "",
                       row->placeholder != NULL ? row->placeholder : "");
}

char *option_text(const struct option_row *row)
{
    struct text_list parts = {0};
    for (size_t i = 0; row->words != NULL && row->words[i] != NULL; i++) {
        text_list_add(&parts, text_format("%s", row->words[i]));
    }
    char *words = text_join(&parts, ", ");
    const char *standard = row->shown != NULL ? row->shown : row->standard;
    char *text = text_format("%s%s%s%s%s%s", row->help, words[0] != '\0' ? ": " : "", words,
                             standard != NULL ? " [" : "", standard != NULL ? standard : "",
                             standard != NULL ? "]" : "");
    free(words);
    text_list_free(&parts);
    return text;
}

void command_synopses(const struct command *command, struct text_list *synopses)
{
    for (size_t i = 0; command->synopses != NULL && command->synopses[i] != NULL; i++) {
        text_list_add(synopses, text_format("%s", command->synopses[i]));
    }
    if (command->synopses != NULL || command->options == NULL) {
        return;
    }
    struct text_list words = {0};
    bool options = false;
    for (const struct option_row *row = command->options; row->kind != OPTION_END; row++) {
        bool many = row->kind == OPTION_LIST || row->kind == OPTION_COMMAS;
        options = options || option_is_named(row);
        if (option_is_operand(row) || row->kind == OPTION_REST) {
            text_list_add(&words, text_format(row->missing != NULL ? "%s%s%s" : "[%s%s%s]",
                                              row->kind == OPTION_REST ? "-- " : "",
                                              row->placeholder, many ? "…" : ""));
        }
    }
    if (options) {
        text_list_add(&words, text_format("[OPTION…]"));
    }
    text_list_add(synopses, text_join(&words, " "));
    text_list_free(&words);
}

/* The terminal columns of a text, in which a character may have several bytes. */
static size_t help_columns(const char *text, size_t bytes)
{
    size_t columns = 0;
    for (size_t i = 0; i < bytes; i++) {
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return columns;
}

/* Prints the words of one line of prose, broken at HELP_COLUMNS. `column` is the cursor's
 * column. */
static void help_wrap(FILE *file, const char *line, size_t bytes, size_t indent, size_t column)
{
    const char *end = line + bytes;
    bool first = true;
    while (line < end) {
        size_t length = strcspn(line, " \n");
        size_t columns = help_columns(line, length);
        if (!first && column + 1 + columns > HELP_COLUMNS) {
            (void)fprintf(file, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            (void)fputc(' ', file);
            column++;
        }
        (void)fprintf(file, "%.*s", (int)length, line);
        column += columns;
        line += length + 1;
        first = false;
    }
    (void)fputc('\n', file);
}

/* Prints paragraphs, and lines that stay as they are. */
static void help_flow(FILE *file, const char *text, size_t indent, size_t column)
{
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (line[0] == ' ') {
            (void)fprintf(file, "%.*s\n", (int)length, line);
        } else {
            help_wrap(file, line, length, indent, column);
        }
        line += length + (line[length] == '\n');
        column = indent;
        if (*line != '\0' && *line != '\n' && *line != ' ') {
            (void)fprintf(file, "%*s", (int)indent, "");
        }
    }
}

static void help_item(FILE *file, const char *title, const char *text, size_t margin)
{
    size_t columns = margin + help_columns(title, strlen(title));
    (void)fprintf(file, "%*s%s", (int)margin, "", title);
    if (columns + 2 > HELP_INDENT) {
        (void)fputc('\n', file);
        columns = 0;
    }
    (void)fprintf(file, "%*s", (int)(HELP_INDENT - columns), "");
    help_flow(file, text, HELP_INDENT, HELP_INDENT);
}

static void help_print_options(const struct option_row *rows, FILE *file)
{
    bool spaced = false;
    for (const struct option_row *row = rows; row->kind != OPTION_END; row++) {
        if (row->kind == OPTION_HEADING) {
            (void)fprintf(file, "\n%s:\n", row->help);
            spaced = true;
            continue;
        }
        (void)fputs(spaced ? "" : "\n", file);
        char *title = option_title(row);
        char *text = option_text(row);
        help_item(file, title, text, option_is_named(row) && row->letter == '\0' ? 6 : 2);
        free(title);
        free(text);
        spaced = true;
    }
    help_item(file, "-h, --help", "print this", 2);
}

static void help_print_subcommands(const struct command *command, FILE *file)
{
    (void)fputs("\ncommands:\n", file);
    for (size_t i = 0; command->subcommands[i] != NULL; i++) {
        (void)fprintf(file, "  %-11s ", command->subcommands[i]->name);
        help_flow(file, command->subcommands[i]->summary, 14, 14);
    }
}

void command_print_help(const struct command *command, const char *path, FILE *file)
{
    struct text_list synopses = {0};
    command_synopses(command, &synopses);
    for (size_t i = 0; i < synopses.count; i++) {
        const char *synopsis = synopses.items[i];
        size_t indent = strlen("usage: ") + strlen(path) + 1;
        (void)fprintf(file, "%s%s ", i == 0 ? "usage: " : "       ", path);
        help_wrap(file, synopsis, strlen(synopsis), indent, indent);
    }
    text_list_free(&synopses);
    if (command->description != NULL) {
        (void)fputc('\n', file);
        help_flow(file, command->description, 0, 0);
    }
    if (command->subcommands != NULL) {
        help_print_subcommands(command, file);
    }
    if (command->options != NULL) {
        help_print_options(command->options, file);
    }
    if (command->examples != NULL) {
        (void)fputs("\nexamples:\n", file);
        for (const char *line = command->examples; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            (void)fprintf(file, "  %.*s\n", (int)length, line);
            line += length + (line[length] == '\n');
        }
    }
    if (command->exit_statuses != NULL) {
        (void)fputs("\nexit status: ", file);
        help_flow(file, command->exit_statuses, 2, 13);
    }
}

enum status command_parse(const struct command *command, void *arguments, int argc, char **argv,
                          struct error *error)
{
    enum status status =
        options_parse(command->options, arguments, command->arguments_size, argc, argv, error);
    if (status == STATUS_OK && command->check != NULL) {
        status = command->check(arguments, error);
    }
    return status;
}

int command_fail(const struct invocation *invocation, const struct error *error)
{
    if (error->status == STATUS_INTERRUPTED) {
        return EXIT_INTERRUPTED;
    }
    (void)fprintf(stderr, "%s: %s\n", invocation->path, error->message);
    bool usage = error->status == STATUS_INVALID || error->status == STATUS_NOT_FOUND;
    return usage ? EXIT_USAGE : EXIT_ENVIRONMENT;
}

char *command_line(const struct invocation *invocation)
{
    struct text_list words = {0};
    text_list_add(&words, text_format("%s", invocation->path));
    for (int i = 1; i < invocation->argc; i++) {
        text_list_add(&words, text_format("%s", invocation->argv[i]));
    }
    char *line = text_join(&words, " ");
    text_list_free(&words);
    return line;
}

static bool command_is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

/* Is --help among the options, that is before any "--"? */
static bool command_asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (command_is_help(argv[i])) {
            return true;
        }
    }
    return false;
}

static int command_execute(const struct invocation *invocation)
{
    const struct command *command = invocation->command;
    struct error error = {.message = ""};
    void *arguments = text_grow(NULL, 1, command->arguments_size + 1);
    int result = EXIT_USAGE;
    if (command_parse(command, arguments, invocation->argc, invocation->argv, &error) ==
        STATUS_OK) {
        result = command->execute(invocation, arguments);
    } else {
        (void)fprintf(stderr, "%s: %s (`%s --help` shows the usage)\n", invocation->path,
                      error.message, invocation->path);
    }
    options_free(command->options, arguments);
    free(arguments);
    return result;
}

static int command_refuse_unknown(const struct command *command, const char *path, const char *name)
{
    const char *names[COMMANDS_MAX];
    size_t count = 0;
    for (; count < COMMANDS_MAX && command->subcommands[count] != NULL; count++) {
        names[count] = command->subcommands[count]->name;
    }
    const char *nearest = text_nearest(name, names, count);
    if (nearest != NULL) {
        (void)fprintf(stderr, "%s: there is no command '%s'; did you mean '%s'?\n", path, name,
                      nearest);
    } else {
        (void)fprintf(stderr, "%s: there is no command '%s'; `%s help` lists them\n", path, name,
                      path);
    }
    return EXIT_USAGE;
}

/* Runs a command, or goes one step down the tree of commands. */
static int command_enter(const struct command *command, const char *path, int argc, char **argv,
                         bool help)
{
    if (command->subcommands == NULL) {
        if (help || command_asks_help(argc, argv)) {
            command_print_help(command, path, stdout);
            return EXIT_CLEAN;
        }
        return command_execute(
            &(struct invocation){.command = command, .path = path, .argc = argc, .argv = argv});
    }
    help = help || (argc > 1 && strcmp(argv[1], "help") == 0);
    int skip = argc > 1 && strcmp(argv[1], "help") == 0 ? 2 : 1;
    if (skip >= argc || command_is_help(argv[skip])) {
        bool asked = help || argc > 1;
        command_print_help(command, path, asked ? stdout : stderr);
        return asked ? EXIT_CLEAN : EXIT_USAGE;
    }
    const struct command *next = command_find(command, argv[skip]);
    if (next == NULL) {
        return command_refuse_unknown(command, path, argv[skip]);
    }
    char *longer = text_format("%s %s", path, next->name);
    int result = command_enter(next, longer, argc - skip, argv + skip, help);
    free(longer);
    return result;
}

int command_dispatch(const struct command *root, int argc, char **argv)
{
    return command_enter(root, root->name, argc, argv, false);
}
