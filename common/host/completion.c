#include "common/host/completion.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/process.h"

enum { CANDIDATES_TIMEOUT_S = 5, DESCRIPTION_BYTES_MAX = 72 };

/* Prints a candidate with the first clause of its description, if it begins with the word. */
static void completion_offer(const char *word, const char *prefix, const char *candidate,
                             const char *description)
{
    size_t kept = strlen(prefix);
    char *listed = text_format("%s,", candidate);
    const char *again = strstr(prefix, listed);
    free(listed);
    if (again != NULL || strncmp(word, prefix, kept) != 0 ||
        strncmp(candidate, word + kept, strlen(word + kept)) != 0) {
        return;
    }
    size_t length = strcspn(description, ";:.");
    while (length > DESCRIPTION_BYTES_MAX) {
        length--;
        while (length > 0 && description[length] != ' ') {
            length--;
        }
    }
    (void)printf("%s%s\t%.*s\n", prefix, candidate, (int)length, description);
}

/* The part of the word before its last item, if it is a list; a '!' stays. The caller frees. */
static char *completion_prefix(const char *word)
{
    const char *comma = strrchr(word, ',');
    size_t length = comma != NULL ? (size_t)(comma - word) + 1 : 0;
    length += word[length] == '!';
    return text_format("%.*s", (int)length, word);
}

/* Offers the lines that the heapmill command prints. */
static void completion_offer_lines(const char *word, const char *prefix, const char *command)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (length < 0) {
        return;
    }
    program[length] = '\0';
    struct text_list words = {0};
    struct text_list lines = {0};
    struct process_result result = {0};
    text_split(&words, command, ' ');
    text_list_add(&words, NULL);
    memmove(words.items + 1, words.items, (words.count - 1) * sizeof(*words.items));
    words.items[0] = text_format("%s", program);
    text_list_add(&words, NULL);
    const struct process_request request = {.arguments = (const char *const *)words.items,
                                            .timeout_s = CANDIDATES_TIMEOUT_S};
    if (process_run(&request, &result, NULL) == STATUS_OK && result.output != NULL) {
        text_split(&lines, result.output, '\n');
    }
    for (size_t i = 0; i < lines.count; i++) {
        if (lines.items[i][0] != '\0') {
            completion_offer(word, prefix, lines.items[i], "");
        }
    }
    process_result_free(&result);
    text_list_free(&lines);
    text_list_free(&words);
}

static void completion_offer_values(const struct option_row *row, const char *word)
{
    if (row->candidates != NULL && row->candidates[0] == ':') {
        (void)puts(row->candidates);
        return;
    }
    char *prefix = completion_prefix(word);
    for (size_t i = 0; row->words != NULL && row->words[i] != NULL; i++) {
        completion_offer(word, prefix, row->words[i], "");
    }
    if (row->candidates != NULL) {
        completion_offer_lines(word, prefix, row->candidates);
    }
    free(prefix);
}

static void completion_offer_options(const struct command *command, const char *word)
{
    for (const struct option_row *row = command->options; row->kind != OPTION_END; row++) {
        if (option_is_named(row)) {
            char *name = text_format("--%s", row->name);
            completion_offer(word, "", name, row->help);
            free(name);
        }
    }
    completion_offer(word, "", "--help", "print what there is");
}

/* The option for which `word` waits for a value; NULL: there is none. */
static const struct option_row *completion_waiting(const struct option_row *rows, const char *word)
{
    const struct option_row *row = NULL;
    if (strncmp(word, "--", 2) == 0) {
        row = options_find(rows, word + 2, strlen(word + 2));
    } else if (word[0] == '-' && word[1] != '\0' && word[2] == '\0') {
        row = options_find_letter(rows, word[1]);
    }
    return row != NULL && option_has_value(row) ? row : NULL;
}

/* The row of operand `number`, from 0. */
static const struct option_row *completion_operand(const struct option_row *row, size_t number)
{
    for (; row->kind != OPTION_END; row++) {
        bool many = row->kind == OPTION_LIST || row->kind == OPTION_COMMAS;
        if (option_is_operand(row) && (many || number-- == 0)) {
            return row;
        }
    }
    return NULL;
}

/* Completes arguments. words[0] is the command's first argument; the last one is completed. */
static void completion_of_arguments(const struct command *command, char *const *words, size_t count)
{
    const struct option_row *rows = command->options;
    const struct option_row *waiting = NULL;
    const char *word = words[count - 1];
    size_t operands = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        if (strcmp(words[i], "--") == 0) {
            (void)puts(OPTION_FILES);
            return;
        }
        bool value = waiting != NULL;
        waiting = value ? NULL : completion_waiting(rows, words[i]);
        operands += !value && words[i][0] != '-';
    }
    const struct option_row *operand = completion_operand(rows, operands);
    size_t name = strcspn(word, "=");
    const struct option_row *joined = strncmp(word, "--", 2) == 0 && word[name] == '='
                                          ? options_find(rows, word + 2, name - 2)
                                          : NULL;
    if (waiting != NULL) {
        completion_offer_values(waiting, word);
    } else if (joined != NULL) {
        completion_offer_values(joined, word + name + 1);
    } else if (word[0] == '-' || operand == NULL) {
        completion_offer_options(command, word);
    } else {
        completion_offer_values(operand, word);
    }
}

/* Completes subcommands, or a command's arguments. */
static void completion_of_line(const struct command *root, char *const *words, size_t count)
{
    const struct command *command = root;
    size_t at = 0;
    while (command->subcommands != NULL && at + 1 < count) {
        if (strcmp(words[at], "help") != 0) {
            command = command_find(command, words[at]);
        }
        if (command == NULL) {
            return;
        }
        at++;
    }
    if (command->subcommands == NULL) {
        completion_of_arguments(command, words + at, count - at);
        return;
    }
    for (size_t i = 0; command->subcommands[i] != NULL; i++) {
        completion_offer(words[at], "", command->subcommands[i]->name,
                         command->subcommands[i]->summary);
    }
    completion_offer(words[at], "", "help", "the help of a command");
    completion_offer(words[at], "", "--help", "print what there is");
}

/* Joins words: bash splits "--base=x" into "--base", "=" and "x". */
static size_t completion_join(char **words)
{
    size_t count = 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        bool equals = i > 0 && strcmp(words[i], "=") == 0;
        if (equals && words[i + 1] == NULL) {
            words[count++] = (char *)"";
        } else if (!equals) {
            words[count++] = words[i];
        }
    }
    return count;
}

void completion_print(const struct command *root, char **words)
{
    size_t count = completion_join(words);
    if (count > 0) {
        completion_of_line(root, words, count);
    }
}
