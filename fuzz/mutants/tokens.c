/* Splits a C text into tokens without a preprocessor, and marks those that are not mutated. */
#include "fuzz/mutants/mutants.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_DEPTH_MAX = 256 };

struct token_reader {
    const char *text;
    size_t at;
    size_t line;
    size_t line_start;
    bool is_line_empty; /* so far: a # here begins a directive */
};

/* The longest first, as in C. */
static const char *const token_signs[] = {"<<=", ">>=", "...", "->", "++", "--", "<<", ">>",
                                          "<=",  ">=",  "==",  "!=", "&&", "||", "+=", "-=",
                                          "*=",  "/=",  "%=",  "&=", "|=", "^=", "##"};

bool token_is(const struct token_list *list, size_t index, const char *spelling)
{
    return index < list->count && strlen(spelling) == list->tokens[index].length &&
           memcmp(list->text + list->tokens[index].offset, spelling, strlen(spelling)) == 0;
}

static void token_step(struct token_reader *reader)
{
    if (reader->text[reader->at++] == '\n') {
        reader->line++;
        reader->line_start = reader->at;
        reader->is_line_empty = true;
    }
}

static void token_skip_comment(struct token_reader *reader)
{
    bool is_block = reader->text[reader->at + 1] == '*';
    reader->at += 2;
    while (reader->text[reader->at] != '\0') {
        if (is_block && strncmp(reader->text + reader->at, "*/", 2) == 0) {
            reader->at += 2;
            return;
        }
        if (!is_block && reader->text[reader->at] == '\n') {
            return;
        }
        token_step(reader);
    }
}

static void token_skip_directive(struct token_reader *reader)
{
    while (reader->text[reader->at] != '\0' && reader->text[reader->at] != '\n') {
        const char *rest = reader->text + reader->at;
        if (strncmp(rest, "/*", 2) == 0) {
            token_skip_comment(reader);
            continue;
        }
        if (strncmp(rest, "\\\n", 2) == 0) {
            token_step(reader);
        }
        token_step(reader);
    }
}

/* Moves to the next token; false: there is none. */
static bool token_skip_to_next(struct token_reader *reader)
{
    for (;;) {
        const char *rest = reader->text + reader->at;
        if (*rest == '\0') {
            return false;
        }
        if (isspace((unsigned char)*rest)) {
            token_step(reader);
        } else if (strncmp(rest, "/*", 2) == 0 || strncmp(rest, "//", 2) == 0) {
            token_skip_comment(reader);
        } else if (*rest == '#' && reader->is_line_empty) {
            token_skip_directive(reader);
        } else {
            return true;
        }
    }
}

static size_t token_literal_length(const char *text)
{
    size_t length = 1;
    while (text[length] != '\0' && text[length] != text[0]) {
        length += text[length] == '\\' && text[length + 1] != '\0' ? 2 : 1;
    }
    return length + (text[length] != '\0');
}

/* The length of a preprocessor's number, which includes the sign of an exponent. */
static size_t token_number_length(const char *text)
{
    bool is_hexadecimal = text[0] == '0' && (text[1] | 0x20) == 'x';
    size_t length = 1;
    for (;; length++) {
        char last = (char)(text[length - 1] | 0x20);
        bool is_exponent = is_hexadecimal ? last == 'p' : last == 'e';
        bool is_sign = text[length] == '+' || text[length] == '-';
        bool is_part = isalnum((unsigned char)text[length]) || text[length] == '.';
        if (!is_part && !(is_exponent && is_sign)) {
            return length;
        }
    }
}

static size_t token_sign_length(const char *text)
{
    for (size_t i = 0; i < sizeof(token_signs) / sizeof(token_signs[0]); i++) {
        if (strncmp(text, token_signs[i], strlen(token_signs[i])) == 0) {
            return strlen(token_signs[i]);
        }
    }
    return 1;
}

static struct token token_read(struct token_reader *reader)
{
    const char *rest = reader->text + reader->at;
    struct token token = {.offset = reader->at,
                          .line = reader->line,
                          .column = reader->at - reader->line_start + 1,
                          .partner = SIZE_MAX};
    if (isalpha((unsigned char)*rest) || *rest == '_') {
        token.kind = TOKEN_WORD;
        while (isalnum((unsigned char)rest[token.length]) || rest[token.length] == '_') {
            token.length++;
        }
    } else if (isdigit((unsigned char)*rest) || (*rest == '.' && isdigit((unsigned char)rest[1]))) {
        token.kind = TOKEN_NUMBER;
        token.length = token_number_length(rest);
    } else if (*rest == '"' || *rest == '\'') {
        token.kind = TOKEN_LITERAL;
        token.length = token_literal_length(rest);
    } else {
        token.kind = TOKEN_SIGN;
        token.length = token_sign_length(rest);
    }
    for (size_t i = 0; i < token.length; i++) {
        token_step(reader);
    }
    reader->is_line_empty = false;
    return token;
}

/* ---------------------------------------------------------------- tokens that are not mutated */
/* Does the bracket open a part without mutants? A mistake there would be no wrong code, or code
 * that never runs. */
static bool token_opens_forbidden(const struct token_list *list, size_t index)
{
    static const char *const callers[] = {"assert",  "static_assert",    "_Static_assert",
                                          "alignas", "__builtin_expect", "__attribute__"};
    for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++) {
        if (token_is(list, index, "(") && index > 0 && token_is(list, index - 1, callers[i])) {
            return true;
        }
    }
    bool is_body = token_is(list, index, "{") && index >= 2;
    return is_body && (token_is(list, index - 1, "struct") || token_is(list, index - 2, "struct") ||
                       token_is(list, index - 1, "union") || token_is(list, index - 2, "union"));
}

static bool token_opens(const struct token_list *list, size_t index)
{
    return token_is(list, index, "(") || token_is(list, index, "[") || token_is(list, index, "{");
}

static bool token_closes(const struct token_list *list, size_t index)
{
    return token_is(list, index, ")") || token_is(list, index, "]") || token_is(list, index, "}");
}

/* Pairs the brackets. If the text is nested too deeply, or is unbalanced, brackets stay
 * unpaired. */
static void token_mark(struct token_list *list)
{
    size_t open[TOKEN_DEPTH_MAX];
    size_t depth = 0;
    size_t braces = 0;
    size_t forbidden = 0;
    for (size_t i = 0; i < list->count; i++) {
        list->tokens[i].is_left_alone = forbidden > 0 || braces == 0;
        if (token_opens(list, i) && depth < TOKEN_DEPTH_MAX) {
            open[depth++] = i;
            braces += token_is(list, i, "{");
            forbidden += token_opens_forbidden(list, i);
        } else if (token_closes(list, i) && depth > 0) {
            size_t partner = open[--depth];
            list->tokens[i].partner = partner;
            list->tokens[partner].partner = i;
            braces -= token_is(list, partner, "{");
            forbidden -= token_opens_forbidden(list, partner);
        }
    }
}

bool token_list_read(struct token_list *list, const char *text)
{
    struct token_reader reader = {.text = text, .line = 1, .is_line_empty = true};
    size_t capacity = 0;
    *list = (struct token_list){.text = text};
    while (token_skip_to_next(&reader)) {
        if (list->count == capacity) {
            capacity = capacity == 0 ? 1024 : capacity * 2;
            struct token *tokens = realloc(list->tokens, capacity * sizeof(*tokens));
            if (tokens == NULL) {
                token_list_free(list);
                return false;
            }
            list->tokens = tokens;
        }
        list->tokens[list->count++] = token_read(&reader);
    }
    token_mark(list);
    return true;
}

void token_list_free(struct token_list *list)
{
    free(list->tokens);
    *list = (struct token_list){0};
}
