/* Makes the mutants of a token. Each rule sees all tokens of the text and one index. */
#include "fuzz/mutants/mutants.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULE_MUTANTS_MAX = 4 }; /* of one token */

struct rule_swap {
    const char *from;
    const char *to;
    const char *kind;
    bool is_binary; /* before an operand without a left one the sign means something else */
};

static const struct rule_swap rule_swaps[] = {
    {"<", "<=", "boundary", false},       {"<", ">=", "negated", false},
    {"<=", "<", "boundary", false},       {"<=", ">", "negated", false},
    {">", ">=", "boundary", false},       {">", "<=", "negated", false},
    {">=", ">", "boundary", false},       {">=", "<", "negated", false},
    {"==", "!=", "negated", false},       {"!=", "==", "negated", false},
    {"true", "false", "negated", false},  {"false", "true", "negated", false},
    {"&&", "||", "logical", false},       {"||", "&&", "logical", false},
    {"+", "-", "arithmetic", true},       {"-", "+", "arithmetic", true},
    {"/", "*", "arithmetic", false},      {"%", "/", "arithmetic", false},
    {"++", "--", "increment", false},     {"--", "++", "increment", false},
    {"+=", "-=", "compound", false},      {"-=", "+=", "compound", false},
    {"|=", "&=", "compound", false},      {"&=", "|=", "compound", false},
    {"<<", ">>", "shift", false},         {">>", "<<", "shift", false},
    {"&", "|", "bitwise", true},          {"|", "&", "bitwise", false},
    {"break", "continue", "jump", false}, {"continue", "break", "jump", false},
};

static bool rule_is_any(const struct token_list *list, size_t index, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (token_is(list, index, *words)) {
            return true;
        }
    }
    return false;
}

static bool rule_is_keyword(const struct token_list *list, size_t index)
{
    static const char *const words[] = {"if",     "else",  "for",      "while", "do",
                                        "switch", "case",  "default",  "goto",  "sizeof",
                                        "return", "break", "continue", "const", NULL};
    return rule_is_any(list, index, words);
}

/* Does ( open a cast? Without types this is a guess: it contains only names and stars, and nothing
 * that is called is before it. */
static bool rule_is_cast(const struct token_list *list, size_t open)
{
    size_t close = list->tokens[open].partner;
    if (close == SIZE_MAX || close == open + 1) {
        return false;
    }
    bool is_called = open > 0 && list->tokens[open - 1].kind == TOKEN_WORD &&
                     !token_is(list, open - 1, "return") && !token_is(list, open - 1, "case");
    bool is_names = !is_called;
    for (size_t i = open + 1; i < close; i++) {
        is_names = is_names && (list->tokens[i].kind == TOKEN_WORD || token_is(list, i, "*"));
    }
    return is_names;
}

static bool rule_has_left_operand(const struct token_list *list, size_t index)
{
    if (index == 0) {
        return false;
    }
    const struct token *before = &list->tokens[index - 1];
    if (token_is(list, index - 1, ")")) {
        return before->partner != SIZE_MAX && !rule_is_cast(list, before->partner);
    }
    return token_is(list, index - 1, "]") || before->kind == TOKEN_NUMBER ||
           (before->kind == TOKEN_WORD && !rule_is_keyword(list, index - 1));
}

static struct mutant *rule_add(struct mutant_list *list, const char *kind,
                               const struct token *token, const char *text)
{
    struct mutant *mutant = &list->mutants[list->count++];
    *mutant = (struct mutant){.kind = kind,
                              .offset = token->offset,
                              .removed = token->length,
                              .line = token->line,
                              .column = token->column};
    (void)snprintf(mutant->text, sizeof(mutant->text), "%s", text);
    return mutant;
}

static void rule_swap(struct mutant_list *list, const struct token_list *tokens, size_t index)
{
    for (size_t i = 0; i < sizeof(rule_swaps) / sizeof(rule_swaps[0]); i++) {
        const struct rule_swap *swap = &rule_swaps[i];
        if (token_is(tokens, index, swap->from) &&
            (!swap->is_binary || rule_has_left_operand(tokens, index))) {
            (void)rule_add(list, swap->kind, &tokens->tokens[index], swap->to);
        }
    }
}

/* Makes the integer plus and minus one, in its own base and with its suffix. */
static void rule_number(struct mutant_list *list, const struct token_list *tokens, size_t index)
{
    const struct token *token = &tokens->tokens[index];
    const char *text = tokens->text + token->offset;
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 0);
    size_t digits = (size_t)(end - text);
    if (token->kind != TOKEN_NUMBER || errno != 0 || digits > token->length) {
        return;
    }
    for (size_t i = digits; i < token->length; i++) {
        if (strchr("uUlL", text[i]) == NULL) {
            return; /* a fraction, or no valid number */
        }
    }
    bool is_hexadecimal = digits > 1 && (text[1] | 0x20) == 'x';
    for (int sign = 1; sign >= -1; sign -= 2) {
        if (sign > 0 ? value == UINT64_MAX : value == 0) {
            continue;
        }
        char changed[MUTANT_TEXT_BYTES];
        uint64_t number = sign > 0 ? value + 1 : value - 1;
        int suffix = (int)(token->length - digits);
        (void)snprintf(changed, sizeof(changed),
                       is_hexadecimal ? "0x%" PRIx64 "%.*s" : "%" PRIu64 "%.*s", number, suffix,
                       text + digits);
        (void)rule_add(list, sign > 0 ? "plus-one" : "minus-one", token, changed);
    }
}

/* Removes a !, or puts one before the whole condition of an if or a while if that needs no
 * brackets: only names, calls and subscripts. */
static void rule_negation(struct mutant_list *list, const struct token_list *tokens, size_t index)
{
    if (token_is(tokens, index, "!")) {
        (void)rule_add(list, "negation-dropped", &tokens->tokens[index], "");
        return;
    }
    bool is_condition = token_is(tokens, index, "(") && index > 0 &&
                        (token_is(tokens, index - 1, "if") || token_is(tokens, index - 1, "while"));
    size_t close = tokens->tokens[index].partner;
    if (!is_condition || close == SIZE_MAX) {
        return;
    }
    for (size_t i = index + 1; i < close; i++) {
        const struct token *token = &tokens->tokens[i];
        if (token_is(tokens, i, "(") || token_is(tokens, i, "[")) {
            i = token->partner;
        } else if (token->kind != TOKEN_WORD && !token_is(tokens, i, "->") &&
                   !token_is(tokens, i, ".")) {
            return;
        }
    }
    rule_add(list, "negation-inserted", &tokens->tokens[index + 1], "!")->removed = 0;
}

/* Does a statement begin at the token? */
static bool rule_begins_statement(const struct token_list *list, size_t index)
{
    static const char *const ends[] = {";", "{", "}", "else", "do", NULL};
    if (index == 0 || rule_is_keyword(list, index)) {
        return false;
    }
    if (token_is(list, index - 1, ")") && list->tokens[index - 1].partner != SIZE_MAX) {
        size_t open = list->tokens[index - 1].partner;
        if (rule_is_cast(list, open)) { /* (void)f(x); */
            return token_is(list, open + 1, "void") && open > 0 &&
                   rule_is_any(list, open - 1, ends);
        }
        static const char *const heads[] = {"if", "for", "while", NULL};
        return open > 0 && rule_is_any(list, open - 1, heads);
    }
    return rule_is_any(list, index - 1, ends);
}

/* Removes the effect of a call that is a statement: sizeof does not evaluate it. */
static void rule_call(struct mutant_list *list, const struct token_list *tokens, size_t index)
{
    if (tokens->tokens[index].kind != TOKEN_WORD || !token_is(tokens, index + 1, "(") ||
        !rule_begins_statement(tokens, index)) {
        return;
    }
    size_t close = tokens->tokens[index + 1].partner;
    bool is_assertion = close != SIZE_MAX && tokens->tokens[close].is_left_alone;
    if (close != SIZE_MAX && token_is(tokens, close + 1, ";") && !is_assertion) {
        rule_add(list, "call-dropped", &tokens->tokens[index], "sizeof ")->removed = 0;
    }
}

/* Makes an assignment that is a statement a comparison, whose result is unused. Its left side must
 * not be a declaration: two names, or a name and a star, in a row. */
static void rule_assignment(struct mutant_list *list, const struct token_list *tokens, size_t index)
{
    if (!token_is(tokens, index, "=")) {
        return;
    }
    size_t begin = index;
    while (begin > 0 && !rule_begins_statement(tokens, begin)) {
        size_t before = begin - 1;
        bool is_star = token_is(tokens, before, "*");
        bool is_name = tokens->tokens[before].kind == TOKEN_WORD;
        bool is_after_name = tokens->tokens[begin].kind == TOKEN_WORD;
        if (token_is(tokens, before, "]")) {
            before = tokens->tokens[before].partner;
        } else if (rule_is_keyword(tokens, before) || (is_name && is_after_name) ||
                   (is_name && token_is(tokens, begin, "*")) ||
                   !(is_star || is_name || token_is(tokens, before, "->") ||
                     token_is(tokens, before, "."))) {
            return;
        }
        if (before == SIZE_MAX) {
            return;
        }
        begin = before;
    }
    bool is_designator = token_is(tokens, begin, ".") || token_is(tokens, begin, "[");
    if (begin < index && !is_designator) {
        (void)rule_add(list, "assignment-dropped", &tokens->tokens[index], "==");
    }
}

bool mutant_list_make(struct mutant_list *list, const struct token_list *tokens)
{
    *list = (struct mutant_list){0};
    list->mutants = calloc(tokens->count * RULE_MUTANTS_MAX + 1, sizeof(*list->mutants));
    if (list->mutants == NULL) {
        return false;
    }
    for (size_t i = 0; i < tokens->count; i++) {
        if (!tokens->tokens[i].is_left_alone) {
            rule_swap(list, tokens, i);
            rule_number(list, tokens, i);
            rule_negation(list, tokens, i);
            rule_call(list, tokens, i);
            rule_assignment(list, tokens, i);
        }
    }
    return true;
}

void mutant_list_free(struct mutant_list *list)
{
    free(list->mutants);
    *list = (struct mutant_list){0};
}

char *mutant_apply(const struct mutant *mutant, const char *text)
{
    size_t size = strlen(text);
    size_t added = strlen(mutant->text);
    char *result = malloc(size - mutant->removed + added + 1);
    if (result == NULL) {
        return NULL;
    }
    size_t after = mutant->offset + mutant->removed;
    memcpy(result, text, mutant->offset);
    memcpy(result + mutant->offset, mutant->text, added);
    memcpy(result + mutant->offset + added, text + after, size - after + 1);
    return result;
}
