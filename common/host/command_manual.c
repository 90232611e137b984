/* Prints man pages from the data of --help, in roff's man macros. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/command.h"

/* Prints text, with everything escaped that roff would interpret. */
static void manual_put(FILE *file, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        switch (text[i]) {
        case '\\':
            (void)fputs("\\e", file);
            break;
        case '-':
            (void)fputs("\\-", file);
            break;
        case '`':
            (void)fputs("\\(ga", file);
            break;
        case '\'':
            (void)fputs("\\(aq", file);
            break;
        case '^':
            (void)fputs("\\(ha", file);
            break;
        case '~':
            (void)fputs("\\(ti", file);
            break;
        case '.':
            (void)fputs(i == 0 ? "\\&." : ".", file);
            break;
        default:
            (void)fputc(text[i], file);
        }
    }
}

static void manual_put_text(FILE *file, const char *text)
{
    manual_put(file, text, strlen(text));
}

/* Prints paragraphs. Lines that begin with a space are an example. */
static void manual_flow(FILE *file, const char *text)
{
    bool verbatim = false;
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if ((line[0] == ' ') != verbatim && length > 0) {
            verbatim = !verbatim;
            (void)fputs(verbatim ? ".PP\n.nf\n" : ".fi\n", file);
        }
        if (length == 0) {
            (void)fputs(verbatim || line[1] == ' ' ? "" : ".PP\n", file);
        } else {
            manual_put(file, line, length);
            (void)fputc('\n', file);
        }
        line += length + (line[length] == '\n');
    }
    (void)fputs(verbatim ? ".fi\n" : "", file);
}

static void manual_print_options(const struct option_row *rows, FILE *file)
{
    (void)fputs(".SH OPTIONS\n", file);
    for (const struct option_row *row = rows; row->kind != OPTION_END; row++) {
        if (row->kind == OPTION_HEADING) {
            (void)fputs(".SS ", file);
            manual_put_text(file, row->help);
            (void)fputc('\n', file);
            continue;
        }
        char *title = option_title(row);
        char *text = option_text(row);
        (void)fputs(".TP\n.B ", file);
        manual_put_text(file, title);
        (void)fputc('\n', file);
        manual_flow(file, text);
        free(title);
        free(text);
    }
    (void)fputs(".TP\n.B \\-h, \\-\\-help\nprint a shorter form of this page\n", file);
}

/* Prints the page name, such as heapmill-fuzz-run for "heapmill fuzz run". */
static void manual_put_page(FILE *file, const char *path, bool capitals)
{
    for (const char *next = path; *next != '\0'; next++) {
        int letter = capitals ? toupper((unsigned char)*next) : *next;
        (void)(letter == ' ' || letter == '-' ? fputs("\\-", file) : fputc(letter, file));
    }
}

static void manual_print_head(const struct command *command, const char *path, FILE *file)
{
    struct text_list synopses = {0};
    (void)fputs(".TH ", file);
    manual_put_page(file, path, true);
    (void)fprintf(file, " 1 \"\" \"heapmill %s\" \"User Commands\"\n.SH NAME\n", HEAPMILL_VERSION);
    manual_put_page(file, path, false);
    (void)fputs(" \\- ", file);
    manual_put_text(file, command->summary);
    (void)fputs("\n.SH SYNOPSIS\n", file);
    command_synopses(command, &synopses);
    for (size_t i = 0; i < synopses.count; i++) {
        (void)fprintf(file, "%s.B %s\n", i > 0 ? ".br\n" : "", path);
        manual_put_text(file, synopses.items[i]);
        (void)fputc('\n', file);
    }
    text_list_free(&synopses);
}

static void manual_print_subcommands(const struct command *command, const char *path, FILE *file)
{
    (void)fputs(".SH COMMANDS\n", file);
    for (size_t i = 0; command->subcommands[i] != NULL; i++) {
        char *longer = text_format("%s %s", path, command->subcommands[i]->name);
        (void)fputs(".TP\n.BR ", file);
        manual_put_page(file, longer, false);
        (void)fputs(" (1)\n", file);
        manual_put_text(file, command->subcommands[i]->summary);
        (void)fputc('\n', file);
        free(longer);
    }
}

void command_print_manual(const struct command *command, const char *path, FILE *file)
{
    manual_print_head(command, path, file);
    if (command->description != NULL) {
        (void)fputs(".SH DESCRIPTION\n", file);
        manual_flow(file, command->description);
    }
    if (command->subcommands != NULL) {
        manual_print_subcommands(command, path, file);
    }
    if (command->options != NULL) {
        manual_print_options(command->options, file);
    }
    if (command->examples != NULL) {
        (void)fputs(".SH EXAMPLES\n.nf\n", file);
        for (const char *line = command->examples; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            manual_put(file, line, length);
            (void)fputc('\n', file);
            line += length + (line[length] == '\n');
        }
        (void)fputs(".fi\n", file);
    }
    if (command->exit_statuses != NULL) {
        (void)fputs(".SH \"EXIT STATUS\"\n", file);
        manual_flow(file, command->exit_statuses);
    }
    (void)fputs(".SH \"SEE ALSO\"\n.BR heapmill (1)\n", file);
}
